/* SPDX-License-Identifier: MIT */
/*
 * The set of listening sockets. They are not lws's, so that each can be opened, kept and closed on
 * its own. One whose address a new configuration needs, too, stays as it is, even if another vhost
 * gets it: no connection is refused in between.
 *
 * SO_REUSEPORT would let a second server take half of the clients, where a plain "address in use"
 * is the better answer. It is only set while 127.0.0.1 is opened and 0.0.0.0 is still listened on,
 * or the other way round: the old socket cannot be closed before it is certain that the new one can
 * be opened.
 */
#include "core/plan.h"
#include "base/log.h"
#include "config/config.h"
#include "core/vhost.h"
#include "listeners.h"
#include "proxy_protocol.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 4096

static void format_address(const struct sockaddr_storage *address, char *buf, size_t size)
{
	char host[INET6_ADDRSTRLEN] = "";
	if (address->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		(void)snprintf(buf, size, "[%s]:%u", host, ntohs(in6->sin6_port));
	} else {
		const struct sockaddr_in *in = (const struct sockaddr_in *)address;
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		(void)snprintf(buf, size, "%s:%u", host, ntohs(in->sin_port));
	}
}

/* The port is at the same place in both families. */
static in_port_t port_of(const struct sockaddr_storage *address)
{
	return ((const struct sockaddr_in *)address)->sin_port;
}

static bool is_any(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET6 ?
			IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)address)->sin6_addr) :
			((const struct sockaddr_in *)address)->sin_addr.s_addr == INADDR_ANY;
}

static bool same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	if (a->ss_family == AF_INET6) {
		return IN6_ARE_ADDR_EQUAL(&((const struct sockaddr_in6 *)a)->sin6_addr,
				&((const struct sockaddr_in6 *)b)->sin6_addr);
	}
	return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
			((const struct sockaddr_in *)b)->sin_addr.s_addr;
}

/* Whether a socket bound to one gets the connections to the other. */
static bool covers(const struct sockaddr_storage *bound, const struct sockaddr_storage *local)
{
	return bound->ss_family == local->ss_family && port_of(bound) == port_of(local) &&
			(is_any(bound) || same_host(bound, local));
}

bool px_vhost_listens_on(const struct px_vhost *vhost, const struct sockaddr_storage *local)
{
	for (const struct px_listener *each = vhost->server->listeners; each; each = each->next) {
		if (each->vhost == vhost && covers(&each->bound, local)) {
			return true;
		}
	}
	return false;
}

static int set_reuseport(int fd, int on)
{
	return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
}

static int bind_socket(const struct px_config_address *wanted, bool shares)
{
	int on = 1;
	int family = wanted->address.ss_family;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	int rc = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (rc == 0 && family == AF_INET6) {
		rc = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	}
	if (rc == 0 && shares) {
		rc = set_reuseport(fd, 1);
	}
	if (rc == 0) {
		rc = bind(fd, (const struct sockaddr *)&wanted->address, wanted->length);
	}
	if (rc < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

/* This process' own sockets that are about to close do not block one at the same port. */
static bool let_share(const struct px_server *server, const struct px_config_address *wanted)
{
	bool any = false;
	for (const struct px_listener *each = server->listeners; each; each = each->next) {
		if (!each->claim && port_of(&each->bound) == port_of(&wanted->address)) {
			any = set_reuseport(each->fd, 1) == 0 || any;
		}
	}
	return any;
}

static int open_socket(const struct px_server *server, const struct px_config_address *wanted)
{
	int fd = bind_socket(wanted, false);
	if (fd == -EADDRINUSE && let_share(server, wanted)) {
		fd = bind_socket(wanted, true);
	}
	return fd;
}

static void complain(const struct px_plan *plan, const struct px_config_vhost *config,
		const char *address, int error)
{
	char text[512];
	(void)snprintf(text, sizeof(text), "%s:%u: vhost \"%s\": port: cannot listen on %s: %s",
			config->file->name, config->line, config->name, address, strerror(error));
	plan->sink->on_complaint(plan->sink->user, PX_CONFIG_ERROR, text);
}

/* Port 0 matches the port that its vhost has. */
static bool is_for(const struct px_listener *listener, const struct px_planned_vhost *planned,
		const struct px_config_address *wanted)
{
	const struct px_config_address *own = &listener->wanted;
	if (listener->claim || own->length != wanted->length ||
			memcmp(&own->address, &wanted->address, wanted->length) != 0) {
		return false;
	}
	return port_of(&wanted->address) != 0 || listener->vhost == planned->old;
}

static bool claim(struct px_plan *plan, struct px_planned_vhost *planned,
		const struct px_config_address *wanted)
{
	for (struct px_listener *each = plan->server->listeners; each; each = each->next) {
		if (is_for(each, planned, wanted)) {
			each->claim = planned;
			planned->listeners++;
			return true;
		}
	}
	return false;
}

/* Appends, so that log lines are in the configuration's order. */
static void append(struct px_listener **list, struct px_listener *listener)
{
	while (*list) {
		list = &(*list)->next;
	}
	listener->next = NULL;
	*list = listener;
}

/* 0 also if an optional address does not exist on this machine. */
static int open_listener(struct px_plan *plan, struct px_planned_vhost *planned,
		const struct px_config_address *wanted)
{
	socklen_t length = sizeof(struct sockaddr_storage);
	struct px_listener *listener = calloc(1, sizeof(*listener));
	if (!listener) {
		return -ENOMEM;
	}
	int fd = open_socket(plan->server, wanted);
	if (fd < 0) {
		bool fails = !wanted->optional || (fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL);
		if (fails) {
			format_address(&wanted->address, listener->address,
					sizeof(listener->address));
			complain(plan, planned->config, listener->address, -fd);
		}
		free(listener);
		return fails ? fd : 0;
	}
	getsockname(fd, (struct sockaddr *)&listener->bound, &length);
	format_address(&listener->bound, listener->address, sizeof(listener->address));
	listener->server = plan->server;
	listener->vhost = planned->vhost;
	listener->wanted = *wanted;
	listener->fd = fd;
	append(&plan->opened, listener);
	planned->listeners++;
	return 0;
}

static bool has_listener(const struct px_plan *plan, const struct px_planned_vhost *planned,
		const struct px_config_address *wanted)
{
	for (const struct px_listener *each = plan->server->listeners; each; each = each->next) {
		if (each->claim == planned && each->wanted.length == wanted->length &&
				memcmp(&each->wanted.address, &wanted->address, wanted->length) == 0) {
			return true;
		}
	}
	return false;
}

static int open_missing(struct px_plan *plan, struct px_planned_vhost *planned)
{
	int rc = 0;
	for (size_t i = 0; i < planned->config->address_count && rc == 0; i++) {
		const struct px_config_address *wanted = &planned->config->addresses[i];
		rc = has_listener(plan, planned, wanted) ? 0 : open_listener(plan, planned, wanted);
	}
	if (rc == 0 && planned->listeners == 0) {
		complain(plan, planned->config, "any of its addresses", EADDRNOTAVAIL);
		rc = -EADDRNOTAVAIL;
	}
	return rc;
}

static void end_sharing(const struct px_plan *plan)
{
	for (const struct px_listener *each = plan->server->listeners; each; each = each->next) {
		(void)set_reuseport(each->fd, 0);
	}
	for (const struct px_listener *each = plan->opened; each; each = each->next) {
		(void)set_reuseport(each->fd, 0);
	}
}

/* Only when all addresses are bound: from here on, clients can connect. */
static int listen_to_all(struct px_plan *plan)
{
	for (const struct px_listener *each = plan->opened; each; each = each->next) {
		if (listen(each->fd, BACKLOG) < 0) {
			int rc = -errno;
			complain(plan, each->vhost->config, each->address, -rc);
			return rc;
		}
	}
	return 0;
}

int px_plan_prepare_listeners(struct px_plan *plan)
{
	int rc = 0;
	for (size_t v = 0; v < plan->config->vhost_count; v++) {
		struct px_planned_vhost *planned = &plan->vhosts[v];
		for (size_t i = 0; i < planned->config->address_count; i++) {
			(void)claim(plan, planned, &planned->config->addresses[i]);
		}
	}
	/* Continues after an error, so that one reload shows all errors. */
	for (size_t v = 0; v < plan->config->vhost_count; v++) {
		int failed = open_missing(plan, &plan->vhosts[v]);
		rc = failed < 0 ? failed : rc;
	}
	rc = rc < 0 ? rc : listen_to_all(plan);
	end_sharing(plan);
	return rc;
}

void px_plan_abandon_listeners(struct px_plan *plan)
{
	while (plan->opened) {
		struct px_listener *listener = plan->opened;
		plan->opened = listener->next;
		px_listener_stop(listener);
	}
	for (struct px_listener *each = plan->server->listeners; each; each = each->next) {
		each->claim = NULL;
	}
}

/* Connections that already wait at a closing socket go to its vhost, if that still exists. */
static void stop(struct px_listener *listener)
{
	struct px_vhost *successor = px_vhost_find(listener->server, listener->vhost->config->name);
	px_log(PX_LOG_NOTICE, "vhost %s: no longer listening on %s", listener->vhost->config->name,
			listener->address);
	listener->vhost = successor ? successor : listener->vhost;
	px_listener_stop(listener);
}

static void hand_over(struct px_listener *listener)
{
	struct px_vhost *vhost = listener->claim->vhost;
	if (strcmp(vhost->config->name, listener->vhost->config->name) != 0) {
		px_log(PX_LOG_NOTICE, "vhost %s: listening on %s, formerly of vhost %s",
				vhost->config->name, listener->address,
				listener->vhost->config->name);
	}
	listener->vhost = vhost;
	listener->claim = NULL;
}

void px_plan_commit_listeners(struct px_plan *plan)
{
	struct px_server *server = plan->server;
	struct px_listener *closing = NULL;
	for (struct px_listener **link = &server->listeners; *link;) {
		struct px_listener *listener = *link;
		if (listener->claim) {
			hand_over(listener);
			link = &listener->next;
		} else {
			*link = listener->next;
			append(&closing, listener);
		}
	}
	while (plan->opened) {
		struct px_listener *listener = plan->opened;
		plan->opened = listener->next;
		append(&server->listeners, listener);
		px_listener_start(listener);
	}
	while (closing) {
		struct px_listener *listener = closing;
		closing = listener->next;
		stop(listener);
	}
}

void px_listeners_close(struct px_server *server)
{
	px_pending_proxies_drop(server);
	while (server->listeners) {
		struct px_listener *listener = server->listeners;
		server->listeners = listener->next;
		px_listener_stop(listener);
	}
}

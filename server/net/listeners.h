/* SPDX-License-Identifier: MIT */
/*
 * Listening sockets, and accepting connections. Opened by the configuration being applied, and by
 * the end of the process. It never reads a request.
 */
#ifndef PX_NET_LISTENERS_H
#define PX_NET_LISTENERS_H

#include "config/config.h"

#include <netinet/in.h>
#include <uv.h>

struct px_config_address;
struct px_peer;
struct px_plan;
struct px_planned_vhost;
struct px_server;
struct px_vhost;

/* A listening socket; open as long as a configuration needs its address. */
struct px_listener {
	struct px_server *server;
	struct px_vhost *vhost;
	struct px_listener *next;
	struct px_config_address wanted;
	struct sockaddr_storage bound; /* the same, with the actual port if any was requested */
	struct px_planned_vhost *claim; /* needed by the configuration that is being prepared */
	uv_poll_t poll;
	uv_timer_t pause; /* after descriptors ran out */
	int handles;      /* of these two, not yet closed */
	int fd;
	char address[64];
};

/* net/listeners.c: which sockets there are */
bool px_vhost_listens_on(const struct px_vhost *vhost, const struct sockaddr_storage *local);
void px_listeners_close(struct px_server *server);

/* net/listener.c: a socket's connections */
void px_listener_start(struct px_listener *listener);
void px_listener_stop(struct px_listener *listener);
/* A connection whose next request is a WebSocket's goes on to lws; takes both over. */
void px_listener_give_to_lws(struct px_peer *peer, int fd);

/* net/listeners.c: steps of a plan; _abandon undoes _prepare, wherever it stopped */
int px_plan_prepare_listeners(struct px_plan *plan);
void px_plan_abandon_listeners(struct px_plan *plan);
void px_plan_commit_listeners(struct px_plan *plan);

#endif

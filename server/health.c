/* SPDX-License-Identifier: MIT */
/*
 * `praxisd --health` requests /health from the server beside it, so an image needs no curl, and
 * whoever checks a server need not know its port, its TLS or its proxies: these are in the
 * configuration. Rejected: a script, which had to guess all of this; asking over a separate socket,
 * which says nothing about the ports that clients use.
 */
#include "health.h"
#include "config/config.h"
#include "http_client/http_client.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* For all addresses together; less than the timeout of a container's health check. */
#define TIME_MS 4000

#define HEALTHY 0
#define UNHEALTHY 1

/*
 * The most informative vhost comes first: one that only redirects, or requires a certificate, comes
 * last.
 */
static unsigned rank(const struct px_config_vhost *vhost)
{
	return (vhost->redirect_to_https != 0 ? 2 : 0) + (vhost->client_cert_required ? 1 : 0);
}

static const struct px_config_vhost *choose(const struct px_config *config)
{
	const struct px_config_vhost *best = &config->vhosts[0];
	for (size_t i = 1; i < config->vhost_count; i++) {
		best = rank(&config->vhosts[i]) < rank(best) ? &config->vhosts[i] : best;
	}
	return best;
}

/* Where one connects to what is listened on; and IPv4 mapped, for the list of trusted proxies. */
static void find_target(const struct sockaddr_storage *address, struct in6_addr *ret_mapped,
		char *host, size_t size)
{
	char text[INET6_ADDRSTRLEN] = "";
	if (address->ss_family == AF_INET6) {
		*ret_mapped = ((const struct sockaddr_in6 *)address)->sin6_addr;
		if (IN6_IS_ADDR_UNSPECIFIED(ret_mapped)) {
			*ret_mapped = in6addr_loopback;
		}
		(void)inet_ntop(AF_INET6, ret_mapped, text, sizeof(text));
		(void)snprintf(host, size, "[%s]", text);
		return;
	}
	struct in_addr in = ((const struct sockaddr_in *)address)->sin_addr;
	if (in.s_addr == htonl(INADDR_ANY)) {
		in.s_addr = htonl(INADDR_LOOPBACK);
	}
	*ret_mapped = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
	memcpy(&ret_mapped->s6_addr[12], &in, sizeof(in));
	(void)inet_ntop(AF_INET, &in, text, sizeof(text));
	(void)snprintf(host, size, "%s", text);
}

static int64_t now_ms(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether it is healthy; if not, `fault` says why. */
static bool ask(const struct px_config_vhost *vhost, const struct px_config_address *address,
		int64_t end_ms, char *fault, size_t size)
{
	char host[INET6_ADDRSTRLEN + 2];
	char url[sizeof(host) + 32];
	char why[128] = "no memory";
	struct in6_addr mapped;
	int status = 0;
	int64_t left_ms = end_ms - now_ms();
	find_target(&address->address, &mapped, host, sizeof(host));
	(void)snprintf(url, sizeof(url), "http%s://%s:%u/health", vhost->host_ssl_cert ? "s" : "", host,
			vhost->port);
	bool is_trusted = px_config_is_trusted_proxy(vhost, &mapped);
	bool wants_proxy = vhost->proxy_protocol && !is_trusted;
	int rc = px_http_client_probe(&(struct px_http_client_probe){
		.url = url,
		.timeout_ms = left_ms > 1 ? (long)left_ms : 1,
		.says_proxy = vhost->proxy_protocol && is_trusted,
		.may_want_certificate = vhost->client_cert_required || wants_proxy,
	}, &status, why, sizeof(why));
	bool redirects = vhost->redirect_to_https != 0 && status >= 300 && status < 400;
	/* A server at its limit is alive: restarting it would disconnect its clients. */
	bool is_busy = status == 429 || status == 503;
	if (rc == 0 && (status == 200 || redirects || is_busy)) {
		printf("%s: %d\n", url, status);
		return true;
	}
	if (rc == 0 && status == 0) {
		printf("%s: it answers, but requires %s\n", url, wants_proxy ? "a trusted proxy" :
				"a client certificate");
		return true;
	}
	if (rc == 0) {
		(void)snprintf(fault, size, "%s: the answer is %d", url, status);
	} else {
		(void)snprintf(fault, size, "%s: %s", url, why);
	}
	return false;
}

int px_health(const struct px_config *config)
{
	char fault[256] = "";
	const struct px_config_vhost *vhost = choose(config);
	int64_t end_ms = now_ms() + TIME_MS;
	if (vhost->port == 0) {
		fprintf(stderr, "praxisd: health: vhost %s: \"port\" is 0, so the server's port is "
				"unknown\n", vhost->name);
		return UNHEALTHY;
	}
	/* "localhost" and "*" are two addresses, one of which the machine may lack. */
	for (size_t i = 0; i < vhost->address_count; i++) {
		if (ask(vhost, &vhost->addresses[i], end_ms, fault, sizeof(fault))) {
			return HEALTHY;
		}
	}
	fprintf(stderr, "praxisd: health: vhost %s: %s\n", vhost->name, fault);
	return UNHEALTHY;
}

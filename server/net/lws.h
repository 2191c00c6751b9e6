/* SPDX-License-Identifier: MIT */
/*
 * The one context of libwebsockets, its vhosts, and the turn of the loop. Opened by start,
 * reload and whoever needs the time. It never handles a callback: the adapter does.
 */
#ifndef PX_NET_LWS_H
#define PX_NET_LWS_H

#include <libwebsockets.h>
#include <praxis/adapter.h>

struct px_config;
struct px_server;
struct px_tls;

/* net/lws.c: the one lws context and its vhosts */
int px_context_create(struct px_server *server, const struct px_config *config);
/* `tls` NULL: the plain one. -ENOMEM, -EPROTO. */
int px_context_create_vhost(struct px_server *server, struct px_tls *tls,
		struct lws_vhost **ret_vhost);
/* Gives each service that is loaded its subprotocol. */
void px_context_name_services(struct px_server *server);
bool px_server_over_budget(void *user, enum px_work work); /* a hook of broker and adapter */
int64_t px_server_wall_ms(void); /* since 1970 */
/* The loop has come round: the turn begins, and the broker is told the time. */
void px_server_begin_turn(struct px_server *server);
uint64_t px_server_now_ns(void *user); /* hooks of the broker */
void px_server_flushed(void *user, uint64_t ns);
void px_context_destroy(struct px_server *server);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The one context of libwebsockets, and its one vhost. Opened by start and reload. It never handles
 * a callback: the adapter does.
 */
#ifndef PX_NET_LWS_H
#define PX_NET_LWS_H

#include <libwebsockets.h>
#include <praxis/host/adapter.h>

struct px_config;
struct px_server;

int px_context_create(struct px_server *server, const struct px_config *config,
		const struct px_lws_hooks *hooks); /* copied; their user is the server */
/* Gives each loaded service its subprotocol. */
void px_context_name_services(struct px_server *server);
void px_context_destroy(struct px_server *server);

#endif

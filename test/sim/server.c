/* SPDX-License-Identifier: MIT */
/* See server.h. */
#include "server.h"
#include "args.h"

#include <praxis/plugin.h>

extern const lws_plugin_protocol_t svc_whiteboard;
extern const lws_plugin_protocol_t svc_telemedicine;

void server_begin(struct server *server, struct sim_store *store, uint64_t node, uint64_t salt,
		int64_t ms)
{
	struct px_limits limits = fake_limits();
	server->fake = fake_create(&limits);
	server->fake->random ^= salt * UINT64_C(0x9e3779b97f4a7c15);
	server->is_frozen = false;
	server->node = node;
	server->began_ms = server->fake->mono_ms;
	(void)fake_add_service(server->fake, svc_whiteboard.protocols[0].user, "{\"history\":64}");
	(void)fake_add_service(server->fake, svc_telemedicine.protocols[0].user,
			"{\"room-members\":50}");
	fake_advance(server->fake, ms);
	sim_link_begin(&server->link, store, server->fake->broker, server->node);
	server->link.realm = &server->fake->realm;
}

int64_t server_elapsed_ms(const struct server *server)
{
	return server->fake->mono_ms - server->began_ms;
}

void server_add_up(const struct server *server, struct px_bus_stats *sums)
{
	struct px_bus_stats stats;
	px_broker_bus_stats(server->fake->broker, &stats);
	sums->turns += stats.turns;
	sums->claims += stats.claims;
	sums->deposed += stats.deposed;
	sums->rebased += stats.rebased;
	sums->heard += stats.heard;
	sums->lost += stats.lost;
	if (stats.bad > 0) {
		fail("a frame makes no sense", stats.bad);
	}
}

void server_abandon(struct server *server)
{
	fake_abandon(server->fake);
	*server = (struct server){ .fake = NULL };
}

void server_lose(struct client *client)
{
	if (chance(60)) {
		boards_read(client);
	}
	boards_leave(client, ((struct server *)client->server)->fake);
}

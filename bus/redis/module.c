/* SPDX-License-Identifier: MIT */
/*
 * The bus on Redis or Valkey, 7.0 or newer, as a module (praxis/host/bus_module.h). link.h begins
 * with how it works, keys.h with what is kept.
 */
#include "link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS 100

extern const struct px_bus_module px_bus_module;

static void take_number(struct px_bus_link *link)
{
	do {
		link->owner.random(link->owner.user, &link->node, sizeof(link->node));
	} while (link->node == 0);
}

static int on_create(const struct px_bus_setup *setup, const struct px_bus_owner *owner,
		struct px_bus_link **ret_link)
{
	struct px_bus_link *link = calloc(1, sizeof(*link));
	if (!link) {
		return -ENOMEM;
	}
	link->setup = *setup;
	link->owner = *owner;
	link->retry_ms = PX_REDIS_RETRY_MS;
	int rc = setup->is_tls ? px_redis_tls_create(link) : 0;
	if (rc < 0) {
		SSL_CTX_free(link->tls);
		free(link);
		return rc;
	}
	take_number(link);
	uv_timer_init(owner->loop, &link->tick);
	link->tick.data = link;
	uv_timer_start(&link->tick, px_link_on_tick, 0, TICK_MS);
	*ret_link = link;
	return 0;
}

static void on_commit(void *user, struct px_bus_commit *commit)
{
	px_jobs_add(user, &commit->job);
}

static void on_claim(void *user, struct px_bus_claim *claim)
{
	px_jobs_add(user, &claim->job);
}

static void on_fetch(void *user, struct px_bus_fetch *fetch)
{
	px_jobs_add(user, &fetch->job);
}

static void on_tell(void *user, uint64_t node, struct px_span frame)
{
	px_jobs_tell(user, node, frame);
}

static bool on_is_dead(void *user, uint64_t node)
{
	return px_nodes_is_dead(user, node);
}

static struct px_realm *on_realm(void *user, struct px_span name)
{
	const struct px_bus_link *link = user;
	return link->owner.realm ? link->owner.realm(link->owner.user, name) : NULL;
}

static uint64_t on_bus(struct px_bus_link *link, struct px_bus *ret_bus)
{
	*ret_bus = (struct px_bus){
		.user = link,
		.commit = on_commit,
		.claim = on_claim,
		.fetch = on_fetch,
		.tell = on_tell,
		.is_dead = on_is_dead,
		.realm = on_realm,
	};
	return link->node;
}

static void on_flush(struct px_bus_link *link)
{
	if (!link->is_stopped) {
		px_link_flush(link);
	}
}

/* The connection is subscribed for the old number. */
static void on_renew(struct px_bus_link *link)
{
	px_jobs_cancel(link);
	px_link_close(link);
	take_number(link);
	link->is_deposed = false;
	link->epoch[0] = '\0';
	link->beats = link->echo = 0;
}

static void on_leave(struct px_bus_link *link)
{
	px_nodes_leave(link);
}

static void on_stats(const struct px_bus_link *link, struct px_bus_link_stats *ret_stats)
{
	*ret_stats = link->stats;
	ret_stats->is_up = link->state == PX_LINK_UP;
	ret_stats->fault = !ret_stats->is_up && *link->fault ? link->fault : NULL;
}

static void on_stop(struct px_bus_link *link)
{
	if (!link->is_stopped) {
		link->is_stopped = true;
		px_jobs_cancel(link);
		px_link_close(link);
		uv_close((uv_handle_t *)&link->tick, NULL);
	}
}

static void on_destroy(struct px_bus_link *link)
{
	if (!link) {
		return;
	}
	for (size_t i = 0; i < sizeof(link->names) / sizeof(link->names[0]); i++) {
		px_name_finish(&link->names[i]);
	}
	px_resp_out_finish(&link->out);
	SSL_CTX_free(link->tls);
	free(link->nodes);
	free(link->expects);
	free(link->in);
	free(link);
}

PX_PUBLIC const struct px_bus_module px_bus_module = {
	.abi = PX_BUS_MODULE_ABI,
	.create = on_create,
	.bus = on_bus,
	.flush = on_flush,
	.renew = on_renew,
	.leave = on_leave,
	.stats = on_stats,
	.stop = on_stop,
	.destroy = on_destroy,
};

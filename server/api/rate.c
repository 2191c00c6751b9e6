/* SPDX-License-Identifier: MIT */
/*
 * How much the API does for one user: requests, and bytes of these and of their answers. By user
 * and not by token: whoever can have a token has as many as he likes. By user and not by tenant,
 * so that a script that runs wild does not stop what else works for the same application.
 */
#include "api_internal.h"
#include "core/counters.h"
#include "core/peer.h"
#include "core/vhost.h"
#include "net/limiter.h"
#include "net/peer.h"
#include "token/token.h"

#define BURST_SECONDS 5

/* An answer as large as there may be; nobody waits longer for having asked for it. */
#define DEBT_MAX_MS 30000

static uint32_t burst_of(uint32_t per_s)
{
	return per_s > UINT32_MAX / BURST_SECONDS ? UINT32_MAX : BURST_SECONDS * per_s;
}

static struct px_limiter_entry *entry_of(const struct px_peer *peer, const struct px_token *caller)
{
	struct px_span tenant = caller->tenant.len > 0 ? caller->tenant :
			px_span(peer->vhost->config->tenant);
	return px_user_entry(peer->vhost->server, tenant, caller->user.text);
}

int64_t px_api_take(struct px_peer *peer, const struct px_token *caller)
{
	struct px_server *server = peer->vhost->server;
	const struct px_config_global *limits = &server->config->global;
	struct px_limiter_entry *entry = entry_of(peer, caller);
	int64_t now_ms = (int64_t)uv_now(&server->loop);
	uint32_t bytes = limits->api_bytes_per_second;
	uint32_t requests = limits->api_requests_per_second;
	int64_t wait_ms = entry ? px_bucket_wait(&entry->bytes, bytes, burst_of(bytes), now_ms) : 0;
	if (wait_ms > 0) {
		server->limits[PX_LIMIT_API_BYTES]++;
		return wait_ms;
	}
	wait_ms = entry ? px_bucket_take(&entry->requests, requests, burst_of(requests), 1, now_ms) : 0;
	server->limits[PX_LIMIT_API_REQUESTS] += wait_ms > 0;
	return wait_ms;
}

void px_api_charge(const struct px_peer *peer, const struct px_token *caller, size_t bytes)
{
	struct px_server *server = peer->vhost->server;
	uint32_t per_s = server->config->global.api_bytes_per_second;
	struct px_limiter_entry *entry = entry_of(peer, caller);
	if (entry) {
		px_bucket_owe(&entry->bytes, per_s, burst_of(per_s), bytes, DEBT_MAX_MS,
				(int64_t)uv_now(&server->loop));
	}
}

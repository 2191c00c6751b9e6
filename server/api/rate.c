/* SPDX-License-Identifier: MIT */
/*
 * Rate limits of the API for one user: requests, and bytes of requests and answers. By user instead
 * of by token, since a client may get any number of tokens. By user instead of by tenant, so that a
 * faulty script does not stop the rest of the application.
 */
#include "api_internal.h"
#include "core/counters.h"
#include "core/peer.h"
#include "core/vhost.h"
#include "net/limiter.h"
#include "net/peer.h"
#include "token/token.h"

#define BURST_SECONDS 5

/* After an answer, however large, the user waits no longer than this. */
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

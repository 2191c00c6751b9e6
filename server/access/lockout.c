/* SPDX-License-Identifier: MIT */
/* See lockout.h. */
#include "lockout.h"
#include "address/address_group.h"
#include "audit/audit_events.h"
#include "base/log.h"
#include "core/clock.h"
#include "core/counters.h"
#include "core/peer.h"
#include "core/vhost.h"
#include "net/limiter.h"
#include "net/peer.h"

#include <errno.h>
#include <string.h>

/* The budget may be spent in advance up to this many seconds … */
#define BUDGET_SECONDS 20

/* … and a debt is limited to this, however long one verification took. */
#define DEBT_MAX_MS 1000

/* Log lines about locks: one per second, with this burst. Omitted ones are counted. */
#define LINES_AT_ONCE 20

static int64_t now_of(const struct px_server *server)
{
	return (int64_t)uv_now(&server->loop);
}

static uint32_t budget_us(const struct px_server *server)
{
	return server->config->global.auth_failure_ms_per_second * 1000;
}

bool px_lockout_puts_off(struct px_peer *peer, struct px_authentication *ret_authentication)
{
	struct px_server *server = peer->vhost->server;
	const struct px_limiter_entry *entry = px_peer_address_entry(peer);
	uint32_t per_s = budget_us(server);
	int64_t wait_ms = entry ? px_bucket_wait(&entry->failing, per_s, BUDGET_SECONDS * per_s,
			now_of(server)) : 0;
	if (wait_ms == 0) {
		return false;
	}
	server->limits[PX_LIMIT_AUTH_BUDGET]++;
	*ret_authentication = (struct px_authentication){
		.verdict = PX_VERDICT_UNAVAILABLE,
		.sentence = "Too many invalid tokens are coming from this address.",
		.retry_after_ms = wait_ms,
	};
	return true;
}

void px_lockout_charge(struct px_peer *peer, uint64_t ns)
{
	struct px_server *server = peer->vhost->server;
	struct px_limiter_entry *entry = px_peer_address_entry(peer);
	uint32_t per_s = budget_us(server);
	if (entry) {
		px_bucket_owe(&entry->failing, per_s, BUDGET_SECONDS * per_s, ns / 1000 + 1,
				DEBT_MAX_MS, now_of(server));
	}
}

static void write_address(const struct px_server *server, const struct in6_addr *group,
		char buf[PX_ADDRESS_GROUP_SIZE])
{
	px_address_group_format(group, server->config->global.address_prefix, buf);
}

/* A client with many addresses must not fill the log. */
static void tell(struct px_server *server, const struct in6_addr *group, uint32_t failures)
{
	char address[PX_ADDRESS_GROUP_SIZE];
	if (px_bucket_take(&server->lock_lines, 1, LINES_AT_ONCE, 1, now_of(server)) > 0) {
		server->locks_untold++;
		return;
	}
	write_address(server, group, address);
	px_log(PX_LOG_WARNING, "address %s: locked for %d minutes after %u invalid tokens; valid "
			"ones are still accepted (and %llu more addresses since the last such line)",
			address, PX_LIMITER_MEMORY_MS / 60000, failures,
			(unsigned long long)server->locks_untold);
	server->locks_untold = 0;
}

void px_lockout_guessed(struct px_peer *peer, struct px_authentication *authentication)
{
	struct px_server *server = peer->vhost->server;
	uint32_t most = server->config->global.auth_failures;
	struct px_limiter_entry *entry = px_peer_address_entry(peer);
	int64_t wait_ms = entry && most > 0 ? px_limiter_penalty(entry, now_of(server)) : 0;
	if (wait_ms > 0) {
		server->limits[PX_LIMIT_AUTH_FAILURES]++;
		*authentication = (struct px_authentication){
			.verdict = PX_VERDICT_THROTTLED,
			.sentence = "Too many invalid tokens came from this address.",
			.retry_after_ms = wait_ms,
		};
	} else if (entry && px_limiter_fail(server->addresses, entry, most, now_of(server))) {
		struct in6_addr group = px_peer_address_group(peer);
		server->locks++;
		tell(server, &group, entry->failures);
		px_audit_events_refused(server, peer, "locked");
	}
}

uint64_t px_lockout_count(const struct px_server *server)
{
	return server->config->global.auth_failures > 0 ?
			px_limiter_locked(server->addresses, now_of(server)) : 0;
}

static void write_lock(const struct px_server *server, const struct px_limiter_entry *entry,
		struct px_json *json)
{
	char address[PX_ADDRESS_GROUP_SIZE];
	struct in6_addr group;
	int64_t now_ms = now_of(server);
	int64_t since_ms = px_server_wall_ms() - (now_ms - entry->failed_ms);
	memcpy(&group, entry->key, sizeof(group));
	write_address(server, &group, address);
	px_json_open_object(json, NULL);
	px_json_text(json, "address", address);
	px_json_int(json, "failures", entry->failures);
	px_json_int(json, "connections", entry->open);
	px_json_int(json, "lockedAt", since_ms);
	px_json_int(json, "until", since_ms + PX_LIMITER_MEMORY_MS);
	px_json_close_object(json);
}

void px_lockout_write(const struct px_server *server, struct px_json *json)
{
	uint64_t total = px_lockout_count(server);
	const struct px_limiter_entry *entry = NULL;
	px_json_open_array(json, "locks");
	for (uint64_t i = 0; i < total && i < PX_PAGE_MAX; i++) {
		entry = px_limiter_next_locked(server->addresses, entry);
		write_lock(server, entry, json);
	}
	px_json_close_array(json);
	px_json_int(json, "total", (int64_t)total);
}

/* NULL: nothing is recorded for it, or it is not an address. */
static struct px_limiter_entry *find(const struct px_server *server, struct px_span text,
		struct in6_addr *ret_group)
{
	char address[PX_ADDRESS_GROUP_SIZE];
	if (text.len >= sizeof(address)) {
		return NULL;
	}
	memcpy(address, text.data, text.len);
	address[text.len] = '\0';
	if (!px_address_group_parse(address, server->config->global.address_prefix, ret_group)) {
		return NULL;
	}
	struct px_limiter_entry *entry = px_limiter_find(server->addresses, ret_group,
			sizeof(*ret_group));
	uint32_t per_s = budget_us(server);
	return entry && (entry->failures > 0 || px_bucket_wait(&entry->failing, per_s,
			BUDGET_SECONDS * per_s, now_of(server)) > 0) ? entry : NULL;
}

int px_lockout_lift(void *user, const struct px_operator *operator, struct px_span text)
{
	struct px_server *server = user;
	char address[PX_ADDRESS_GROUP_SIZE];
	struct in6_addr group;
	struct px_limiter_entry *entry = find(server, text, &group);
	if (!entry) {
		return -ENOENT;
	}
	write_address(server, &group, address);
	if (px_audit_events_record(server, &(struct px_event){
			.kind = PX_EVENT_ADMINISTERED,
			.session = operator->session,
			.operator = operator,
			.act = "unlock",
			.target = px_span(address),
		}) < 0) {
		return -EROFS;
	}
	px_limiter_forgive(server->addresses, entry);
	entry->failing = (struct px_bucket){ 0 };
	px_log(PX_LOG_NOTICE, "address %s: unlocked by an administrator", address);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Events as entries of the audit log: the broker's and the host's, with the addresses that only the
 * host knows. Watching administrators get the same entries.
 */
#include "core/server.h"
#include "address/address.h"
#include "audit.h"
#include "audit_events.h"
#include "core/peer.h"
#include "core/vhost.h"

#include <arpa/inet.h>
#include <errno.h>
#include <praxis/channel.h>
#include <praxis/host/identity.h>
#include <praxis/host/registry.h>
#include <praxis/host/session.h>
#include <praxis/operate.h>
#include <praxis/service.h>
#include <praxis/session.h>
#include <praxis/types.h>
#include <stdio.h>
#include <string.h>

static const char *const events[] = {
	[PX_EVENT_CONNECTED] = "connected",
	[PX_EVENT_AUTHENTICATED] = "authenticated",
	[PX_EVENT_REFUSED] = "refused",
	[PX_EVENT_JOINED] = "joined",
	[PX_EVENT_LEFT] = "left",
	[PX_EVENT_WAITING] = "waiting",
	[PX_EVENT_ADMITTED] = "admitted",
	[PX_EVENT_DENIED] = "denied",
	[PX_EVENT_WAITED] = "waited",
	[PX_EVENT_DETACHED] = "detached",
	[PX_EVENT_RESUMED] = "resumed",
	[PX_EVENT_DISCONNECTED] = "disconnected",
	[PX_EVENT_ADMINISTERED] = "administered",
};

/* Who: the session's client, user and address. */
static void name_session(const struct px_session *session, struct px_audit_entry *entry,
		char client[PX_CLIENT_ID_SIZE])
{
	px_session_client_id(session, client);
	entry->client = px_span(client);
	entry->user = px_session_user(session);
	entry->role = px_session_role(session);
	entry->tenant = px_session_tenant(session);
	entry->vhost = px_span(px_session_realm(session)->name);
	entry->address = px_session_address(session);
}

static void name_channel(const struct px_event *event, struct px_audit_entry *entry)
{
	const struct px_channel *channel = event->channel;
	const struct px_practice *practice = px_channel_practice(channel);
	entry->practice = px_session_practice_id(event->session, practice);
	entry->tenant = px_span(px_practice_tenant(practice));
	entry->service = px_span(px_channel_service(channel)->name);
	entry->room = px_channel_name(channel);
}

/* An operator may use HTTP, without a session. */
static void name_operator(const struct px_event *event, struct px_audit_entry *entry,
		char client[PX_CLIENT_ID_SIZE])
{
	const struct px_operator *operator = event->operator;
	const struct px_identity *identity = operator->identity;
	if (operator->session) {
		px_session_client_id(operator->session, client);
		entry->client = px_span(client);
	}
	entry->user = px_identity_user(identity);
	entry->role = px_identity_role(identity);
	entry->tenant = px_identity_tenant(identity);
	entry->address = px_identity_address(identity);
	entry->vhost = px_span(px_vhost_of(operator->realm)->config->name);
	entry->service = px_span(event->service ? event->service->name : "");
	if (event->practice) {
		entry->practice.text = px_span(px_practice_id(event->practice));
		entry->practice.number = px_id_is_integer(entry->practice.text);
	}
	entry->room = event->room;
	entry->target = event->target;
	entry->reason = px_span(event->act);
}

/* Shows the entry to watching administrators. */
static void show(struct px_server *server, const struct px_audit_entry *entry,
		const struct px_session *session, const struct px_practice *practice)
{
	const struct {
		const char *key;
		struct px_span text;
	} texts[] = {
		{ "address", entry->address },
		{ "clientId", entry->client },
		{ "vhost", entry->vhost },
		{ "tenant", entry->tenant },
		{ "service", entry->service },
		{ "room", entry->room },
		{ "target", entry->target },
		{ "reason", entry->reason },
	};
	struct px_json json;
	px_json_begin(&json, NULL);
	px_json_text(&json, "event", entry->event);
	if (entry->user.text.len > 0) {
		px_json_id(&json, "user", entry->user);
	}
	if (entry->role != 0) {
		px_json_text(&json, "role", px_role_name(entry->role));
	}
	if (entry->practice.text.len > 0) {
		px_json_id(&json, "practice", entry->practice);
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].text.len > 0) {
			px_json_string(&json, texts[i].key, texts[i].text);
		}
	}
	px_json_end(&json);
	if (!json.failed) {
		px_broker_show(server->broker, &(struct px_sighting){
			.session = session,
			.practice = practice,
			.tenant = entry->tenant,
			.entry = { json.data, json.len },
		});
	}
	px_json_finish(&json);
}

static int note_operator(struct px_server *server, const struct px_event *event)
{
	struct px_audit_entry entry = { .event = events[PX_EVENT_ADMINISTERED] };
	char client[PX_CLIENT_ID_SIZE];
	name_operator(event, &entry, client);
	int rc = px_audit_permit(server->audit, &entry);
	if (rc == 0) {
		show(server, &entry, event->operator->session, event->practice);
	}
	return rc;
}

static struct px_span reason_of(const struct px_event *event, char code[8])
{
	switch (event->kind) {
	case PX_EVENT_REFUSED:
		return px_span(px_error_name(event->error));
	case PX_EVENT_LEFT:
	case PX_EVENT_WAITED:
		return px_span(px_leave_reason_name(event->reason));
	case PX_EVENT_DISCONNECTED:
		snprintf(code, 8, "%u", event->close_code);
		return event->close_code ? px_span(code) : (struct px_span){ "", 0 };
	default:
		return (struct px_span){ "", 0 };
	}
}

static void on_refusals(uv_timer_t *timer)
{
	struct px_server *server = timer->data;
	px_audit_settle(server->audit);
}

static void settle_later(struct px_server *server, bool counted)
{
	uv_timer_t *timer = &server->refusals_timer;
	if (counted && !uv_is_active((uv_handle_t *)timer) && !uv_is_closing((uv_handle_t *)timer)) {
		uv_timer_start(timer, on_refusals, 1000, 0);
	}
}

/* Always 0: it was refused, whether or not that could be written. */
static int note_refusal(struct px_server *server, const struct px_audit_entry *entry)
{
	settle_later(server, px_audit_refused(server->audit, entry));
	return 0;
}

int px_audit_events_count(struct px_server *server, const struct px_event *event)
{
	char client[PX_CLIENT_ID_SIZE];
	struct px_audit_entry entry = { .event = events[event->kind] };
	/* If the audit log cannot be written, the session is refused. */
	if (event->kind == PX_EVENT_CONNECTED && !px_audit_takes(server->audit)) {
		return -EIO;
	}
	name_session(event->session, &entry, client);
	show(server, &entry, event->session, NULL);
	entry.client = (struct px_span){ NULL, 0 };
	entry.user = (struct px_id){ { NULL, 0 }, false };
	entry.role = 0;
	settle_later(server, px_audit_count(server->audit, &entry));
	return 0;
}

int px_audit_events_record(struct px_server *server, const struct px_event *event)
{
	char client[PX_CLIENT_ID_SIZE];
	char target[PX_CLIENT_ID_SIZE];
	char code[8];
	struct px_audit_entry entry = { .event = events[event->kind] };
	if (event->kind == PX_EVENT_ADMINISTERED) {
		return note_operator(server, event);
	}
	/* Whoever removes or admits a session is the actor. */
	bool by_other = event->actor && event->actor != event->session;
	name_session(by_other ? event->actor : event->session, &entry, client);
	if (by_other) {
		px_session_client_id(event->session, target);
		entry.target = px_span(target);
		entry.event = event->kind == PX_EVENT_LEFT ? "removed" : events[event->kind];
	}
	if (event->channel) {
		name_channel(event, &entry);
	}
	entry.reason = reason_of(event, code);
	/* What has happened already neither waits for the disk nor can be refused. */
	bool can_refuse = event->kind == PX_EVENT_CONNECTED || event->kind == PX_EVENT_JOINED ||
			event->kind == PX_EVENT_AUTHENTICATED || event->kind == PX_EVENT_WAITING ||
			event->kind == PX_EVENT_ADMITTED || event->kind == PX_EVENT_RESUMED;
	bool refused = event->kind == PX_EVENT_REFUSED;
	int rc = can_refuse ? px_audit_permit(server->audit, &entry) :
			refused ? note_refusal(server, &entry) :
			px_audit_note(server->audit, &entry);
	if (rc == 0 || !can_refuse) {
		show(server, &entry, event->session,
				event->channel ? px_channel_practice(event->channel) : NULL);
	}
	return can_refuse ? rc : 0;
}

void px_audit_events_refused(struct px_server *server, const struct px_peer *peer,
		const char *reason)
{
	char address[PX_ADDRESS_SIZE];
	px_address_format(&peer->address, address);
	struct px_audit_entry entry = {
		.event = "refused",
		.address = px_span(address),
		.vhost = px_span(peer->vhost->config->name),
		.reason = px_span(reason),
	};
	(void)note_refusal(server, &entry);
	entry.tenant = px_span(peer->vhost->config->tenant);
	show(server, &entry, NULL, NULL);
}

void px_audit_events_denied(struct px_server *server, const struct px_operator *operator,
		const char *reason)
{
	struct px_event event = { .operator = operator, .act = reason };
	struct px_audit_entry entry = { .event = "refused" };
	char client[PX_CLIENT_ID_SIZE];
	name_operator(&event, &entry, client);
	(void)note_refusal(server, &entry);
	show(server, &entry, NULL, NULL);
}

void px_audit_events_show(struct px_server *server, const char *event)
{
	for (size_t i = 0; i < server->vhost_count; i++) {
		const struct px_config_vhost *config = server->vhosts[i]->config;
		show(server, &(struct px_audit_entry){
			.event = event,
			.vhost = px_span(config->name),
			.tenant = px_span(config->tenant),
		}, NULL, NULL);
	}
}

int px_audit_events_note(struct px_server *server, const char *event, const char *reason)
{
	return px_audit_permit(server->audit, &(struct px_audit_entry){
		.event = event,
		.reason = px_span(reason),
	});
}

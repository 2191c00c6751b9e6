/* SPDX-License-Identifier: MIT */
/* See record.h. The form of each is at the top of save.c and save_session.c. */
#include "record.h"

#include "core/broker.h"
#include "core/identity.h"
#include "core/message.h"
#include "core/practice.h"
#include "core/session.h"
#include "snapshot.h"

#include <praxis/host/identity.h>
#include <praxis/host/session.h>
#include <praxis/service.h>
#include <stdio.h>

const struct px_snapshot_ops *px_snapshot_ops_of(const struct px_service *service,
		struct px_span kind)
{
	const struct px_snapshot_ops *ops = service->snapshot_ops;
	while (ops && ops->kind && !px_span_equal(px_span(ops->kind->name), kind)) {
		ops++;
	}
	return ops && ops->kind ? ops : NULL;
}

void px_state_write_channel(struct px_json *json, struct px_channel *channel)
{
	const struct px_snapshot_ops *ops =
			px_snapshot_ops_of(channel->service, px_span(channel->kind->name));
	px_json_text(json, "channel", channel->service->name);
	px_json_text(json, "kind", channel->kind->name);
	px_json_text(json, "tenant", channel->practice->tenant);
	px_json_text(json, "practice", channel->practice->id);
	px_json_string(json, "name", px_channel_name(channel));
	px_json_text(json, "epoch", channel->epoch);
	px_json_int(json, "seq", (int64_t)channel->seq);
	px_json_open_object(json, "state");
	if (ops->save) {
		ops->save(px_state_of(channel->broker, channel->service), channel, json);
	}
	px_json_close_object(json);
}

void px_state_write_update(struct px_json *json, const struct px_history_entry *entry)
{
	px_json_int(json, "update", (int64_t)entry->seq);
	if (entry->by != 0) {
		char sender[PX_CLIENT_ID_SIZE];
		px_client_id_write(entry->by, sender);
		px_json_text(json, "from", sender);
	}
	if (entry->message->key_len > 0) {
		px_json_string(json, "key", px_message_key(entry->message));
	}
}

void px_state_write_value(struct px_json *json, const struct px_value *value)
{
	px_json_int(json, "value", (int64_t)value->seq);
	px_json_string(json, "key", px_message_key(value->message));
}

void px_state_write_member(struct px_json *json, struct px_member *member)
{
	const struct px_channel *channel = member->channel;
	const struct px_snapshot_ops *ops =
			px_snapshot_ops_of(channel->service, px_span(channel->kind->name));
	px_json_text(json, "member", channel->service->name);
	px_json_text(json, "kind", channel->kind->name);
	px_json_text(json, "practice", channel->practice->id);
	px_json_string(json, "name", px_channel_name(channel));
	px_json_int(json, "order", (int64_t)member->order);
	px_json_int(json, "heard", (int64_t)px_member_mark(member));
	px_json_open_object(json, "state");
	if (ops->save_member) {
		ops->save_member(px_state_of(channel->broker, channel->service), member, json);
	}
	px_json_close_object(json);
}

static void write_id(struct px_json *json, const char *key, struct px_id id)
{
	char text[PX_ID_MAX + 2];
	size_t len = (size_t)snprintf(text, sizeof(text), "%c%.*s", id.number ? 'n' : 's',
			(int)id.text.len, id.text.data);
	px_json_string(json, key, (struct px_span){ text, len });
}

static void write_rooms(struct px_json *json, const struct px_identity *identity)
{
	const char *at = px_identity_rooms(identity);
	px_json_open_array(json, "rooms");
	for (uint32_t i = 0; i < identity->room_count; i++) {
		px_json_text(json, NULL, at);
		at += px_span(at).len + 1;
	}
	px_json_close_array(json);
}

static void write_practices(struct px_json *json, const struct px_identity *identity,
		const struct px_practice *only)
{
	px_json_open_array(json, "practices");
	for (uint32_t i = 0; i < identity->practice_count; i++) {
		const struct px_held *held = &identity->practices[i];
		if (!only || held->practice == only) {
			write_id(json, NULL, (struct px_id){
				{ held->practice->id, held->practice->id_len }, held->number });
		}
	}
	px_json_close_array(json);
}

static void write_identity(struct px_json *json, const struct px_identity *identity,
		const struct px_practice *only)
{
	px_json_open_object(json, "identity");
	px_json_string(json, "tenant", px_identity_tenant(identity));
	write_id(json, "user", px_identity_user(identity));
	px_json_string(json, "name", px_identity_name(identity));
	px_json_string(json, "address", px_identity_address(identity));
	px_json_text(json, "role", px_role_name(identity->role));
	px_json_bool(json, "authenticated", identity->authenticated);
	px_json_bool(json, "allPractices", identity->all_practices);
	px_json_int(json, "expiresAt", identity->expires_ms);
	px_json_int(json, "noticeAt", identity->notice_ms);
	px_json_int(json, "leeway", identity->leeway_ms);
	write_practices(json, identity, only);
	if (identity->has_rooms) {
		write_rooms(json, identity);
	}
	px_json_close_object(json);
}

static bool is_open(const struct px_session *session, unsigned index)
{
	return session->opened & UINT32_C(1) << index;
}

/* Those that operate are of the server that the session is connected to. */
static void write_opened(struct px_json *json, const struct px_session *session,
		const struct px_practice *only)
{
	px_json_open_array(json, "opened");
	for (unsigned i = 0; i < session->broker->service_count; i++) {
		const struct px_service *service = session->broker->services[i].service;
		if (is_open(session, i) && !(only && service->operates)) {
			px_json_text(json, NULL, service->name);
		}
	}
	px_json_close_array(json);
}

void px_state_write_session(struct px_json *json, const struct px_session *session,
		const struct px_practice *only)
{
	char client_id[PX_CLIENT_ID_SIZE];
	px_session_client_id(session, client_id);
	px_json_text(json, "session", client_id);
	px_json_text(json, "site", session->realm->name);
	if (session->service >= 0) {
		px_json_text(json, "service",
				session->broker->services[session->service].service->name);
	}
	px_json_bool(json, "noticed", session->is_noticed);
	write_identity(json, session->identity, only);
	write_opened(json, session, only);
}

/* SPDX-License-Identifier: MIT */
/*
 * Events of sessions, as in docs/webhooks.md: ids, roles and times, never a name, an address or a
 * message's content. Waiting for admission is not joining; being admitted is. A broken connection
 * is not an event until the grace is over: until then the session exists.
 */
#include "webhook.h"
#include "core/clock.h"
#include "core/vhost.h"
#include "core/server.h"

#include <inttypes.h>
#include <praxis/channel.h>
#include <praxis/host/session.h>
#include <praxis/json.h>
#include <praxis/service.h>
#include <praxis/session.h>
#include <praxis/types.h>
#include <stdio.h>
#include <string.h>

/* Practices of a session that are listed; their number is given besides. */
#define PRACTICES_SHOWN 32

/* A tenant, a line end, which ids cannot contain, and a practice. */
#define PARTITION_SIZE (2 * PX_ID_MAX + 1)

static void write_id(struct px_webhook *webhook, struct px_json *json)
{
	char id[40];
	snprintf(id, sizeof(id), "%016" PRIx64 "-%" PRIu64, webhook->mark, ++webhook->numbers);
	px_json_text(json, "id", id);
}

static void begin(struct px_webhook *webhook, struct px_json *json, const char *type,
		struct px_span tenant)
{
	px_json_begin(json, NULL);
	write_id(webhook, json);
	px_json_text(json, "type", type);
	px_json_int(json, "at", px_server_wall_ms());
	px_json_string(json, "tenant", tenant);
}

static void end(struct px_webhook *webhook, struct px_json *json, struct px_span tenant,
		struct px_span practice)
{
	char partition[PARTITION_SIZE];
	size_t len = 0;
	px_json_end(json);
	if (tenant.len <= PX_ID_MAX && practice.len <= PX_ID_MAX) {
		memcpy(partition, tenant.data, tenant.len);
		partition[tenant.len] = '\n';
		len = tenant.len + 1;
		if (practice.len > 0) {
			memcpy(partition + len, practice.data, practice.len);
		}
		len += practice.len;
	}
	if (json->failed) {
		px_webhook_queue_miss(webhook->queue);
	} else {
		px_webhook_push(webhook, (struct px_span){ partition, len },
				(struct px_span){ json->data, json->len }, px_webhook_now_ms(webhook->server));
	}
	px_json_finish(json);
}

static struct px_webhook_person person_of(const struct px_session *session,
		char client_id[PX_CLIENT_ID_SIZE])
{
	px_session_client_id(session, client_id);
	return (struct px_webhook_person){
		.client = px_span(client_id),
		.user = px_session_user(session),
		.role = px_session_role(session),
	};
}

static void write_person(struct px_json *json, const struct px_webhook_person *person)
{
	px_json_string(json, "clientId", person->client);
	if (person->user.text.len > 0) {
		px_json_id(json, "userId", person->user);
	}
	px_json_text(json, "role", px_role_name(person->role));
}

/* ---- sessions ---- */

static void write_practices(struct px_json *json, const struct px_session *session)
{
	uint32_t count = px_session_practice_count(session);
	if (count == 1) {
		px_json_id(json, "practiceId", px_session_practice(session, 0));
		return;
	}
	px_json_int(json, "practiceCount", count);
	px_json_open_array(json, "practices");
	for (uint32_t i = 0; i < count && i < PRACTICES_SHOWN; i++) {
		px_json_id(json, NULL, px_session_practice(session, i));
	}
	px_json_close_array(json);
}

static void tell_session(struct px_webhook *webhook, const struct px_event *event,
		const char *type)
{
	const struct px_session *session = event->session;
	struct px_span tenant = px_session_tenant(session);
	char client_id[PX_CLIENT_ID_SIZE];
	struct px_webhook_person person = person_of(session, client_id);
	struct px_span practice = { "", 0 };
	struct px_json json;
	if (px_session_practice_count(session) == 1) {
		practice = px_session_practice(session, 0).text;
	}
	begin(webhook, &json, type, tenant);
	write_practices(&json, session);
	write_person(&json, &person);
	if (event->kind == PX_EVENT_DISCONNECTED) {
		px_json_int(&json, "durationMs", px_session_age_ms(session));
		if (event->close_code != 0) {
			px_json_int(&json, "code", event->close_code);
		}
	}
	end(webhook, &json, tenant, practice);
}

/* ---- rooms ---- */

static void begin_room(struct px_webhook *webhook, struct px_json *json, const char *type,
		const struct px_webhook_place *place)
{
	begin(webhook, json, type, place->tenant);
	px_json_id(json, "practiceId", place->practice);
	px_json_string(json, "service", place->service);
	px_json_string(json, "roomId", place->name);
}

static struct px_webhook_place place_of(const struct px_event *event)
{
	const struct px_channel *channel = event->channel;
	const struct px_practice *practice = px_channel_practice(channel);
	return (struct px_webhook_place){
		.tenant = px_span(px_practice_tenant(practice)),
		.practice = px_session_practice_id(event->session, practice),
		.service = px_span(px_channel_service(channel)->name),
		.name = px_channel_name(channel),
	};
}

/* Who did it, if it was another client. */
static const struct px_session *actor_of(const struct px_event *event)
{
	return event->actor != event->session ? event->actor : NULL;
}

static void write_actor(struct px_json *json, const struct px_session *actor)
{
	if (actor) {
		char client_id[PX_CLIENT_ID_SIZE];
		px_session_client_id(actor, client_id);
		px_json_text(json, "by", client_id);
	}
}

static void tell_joined(struct px_webhook *webhook, const struct px_event *event)
{
	struct px_webhook_place place = place_of(event);
	char client_id[PX_CLIENT_ID_SIZE];
	struct px_webhook_person person = person_of(event->session, client_id);
	struct px_json json;
	bool started;
	int rc = px_webhook_rooms_join(webhook->rooms, &place, &person,
			px_webhook_now_ms(webhook->server), &started);
	if (rc == 0 && started) {
		begin_room(webhook, &json, "room_started", &place);
		end(webhook, &json, place.tenant, place.practice.text);
	}
	begin_room(webhook, &json, "member_joined", &place);
	write_person(&json, &person);
	write_actor(&json, actor_of(event));
	end(webhook, &json, place.tenant, place.practice.text);
}

static void tell_ended(struct px_webhook *webhook, struct px_webhook_room *room,
		const char *reason)
{
	struct px_webhook_place place = px_webhook_room_place(room);
	struct px_json json;
	begin_room(webhook, &json, "room_ended", &place);
	px_json_text(&json, "reason", reason);
	px_webhook_room_write(room, &json, px_webhook_now_ms(webhook->server), px_server_wall_ms());
	end(webhook, &json, place.tenant, place.practice.text);
	px_webhook_room_destroy(room);
}

/* True: it was the last one there. */
static bool tell_gone(struct px_webhook *webhook, const struct px_webhook_place *place,
		const struct px_webhook_person *person, enum px_leave_reason reason,
		const struct px_session *actor)
{
	struct px_webhook_room *ended;
	struct px_json json;
	begin_room(webhook, &json, "member_left", place);
	write_person(&json, person);
	px_json_text(&json, "reason", px_leave_reason_name(reason));
	write_actor(&json, actor);
	int64_t duration_ms = px_webhook_rooms_leave(webhook->rooms, place, person->client,
			px_webhook_now_ms(webhook->server), &ended);
	if (duration_ms >= 0) {
		px_json_int(&json, "durationMs", duration_ms);
	}
	end(webhook, &json, place->tenant, place->practice.text);
	if (ended) {
		tell_ended(webhook, ended, px_leave_reason_name(reason));
	}
	return ended != NULL;
}

static void tell_left(struct px_webhook *webhook, const struct px_event *event)
{
	struct px_webhook_place place = place_of(event);
	char client_id[PX_CLIENT_ID_SIZE];
	struct px_webhook_person person = person_of(event->session, client_id);
	(void)tell_gone(webhook, &place, &person, event->reason, actor_of(event));
}

/* ---- clients that did not return after a restart ---- */

struct settling {
	const struct px_broker *broker;
	struct px_webhook_place place;
};

static bool is_missing(void *user, struct px_span client)
{
	const struct settling *settling = user;
	return !px_broker_is_in_room(settling->broker, client, settling->place.tenant,
			settling->place.practice.text, settling->place.service, settling->place.name);
}

void px_webhook_settle(struct px_webhook *webhook, struct px_webhook_room *room)
{
	struct settling settling = { webhook->server->broker, px_webhook_room_place(room) };
	struct px_webhook_person person;
	bool is_over = false;
	while (!is_over && px_webhook_room_find(room, is_missing, &settling, &person)) {
		is_over = tell_gone(webhook, &settling.place, &person, PX_DISCONNECTED, NULL);
	}
}

/* ---- all ---- */

void px_webhooks_event(const struct px_event *event, bool was_unauthenticated)
{
	struct px_webhook *webhook = px_vhost_of(px_session_realm(event->session))->webhook;
	bool is_unauthenticated = px_session_role(event->session) == 0;
	if (!webhook || !webhook->config || is_unauthenticated) {
		return;
	}
	switch (event->kind) {
	case PX_EVENT_CONNECTED:
		tell_session(webhook, event, "session_opened");
		break;
	case PX_EVENT_AUTHENTICATED:
		if (was_unauthenticated) {
			tell_session(webhook, event, "session_opened");
		}
		break;
	case PX_EVENT_DISCONNECTED:
		tell_session(webhook, event, "session_closed");
		break;
	case PX_EVENT_JOINED:
	case PX_EVENT_ADMITTED:
		tell_joined(webhook, event);
		break;
	case PX_EVENT_LEFT:
		tell_left(webhook, event);
		break;
	default:
		break;
	}
}

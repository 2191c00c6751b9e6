/* SPDX-License-Identifier: MIT */
/*
 * What the server adds to a message that it relays: when, by whom, of which practice. The sender's
 * bytes are kept. Fields that only the server may set are removed, by name with escapes resolved
 * and every time they occur, and written anew at the end. An authenticated sender's userId,
 * userName and fromUserId are those of the token (ids in the sender's spelling), and a `from` with
 * another name becomes the token's name (docs/protocol.md, section 2).
 */
#include "relay.h"

#include "channel.h"
#include "core/message.h"
#include "core/session.h"
#include "core/broker.h"
#include "core/practice.h"
#include "core/service.h"
#include "core/identity.h"

#include <string.h>

static bool is(const struct px_field *field, const char *name, size_t len)
{
	return field->name.len == len && memcmp(field->name.data, name, len) == 0;
}
#define IS(field, literal) is(field, literal, sizeof(literal) - 1)

/* Whether `from` is one of the sender's own names. */
static bool is_own_name(const struct px_session *session, const struct px_envelope *message)
{
	const struct px_field *from = PX_ENVELOPE_FIND(message, "from");
	char text[PX_NAME_MAX + 1];
	char id_text[PX_ID_MAX + 1];
	struct px_id id;
	size_t len;
	if (px_field_id(from, id_text, &id) == 0 &&
			(px_span_equal(id.text, px_session_user(session).text) ||
			px_session_is(session, id.text))) {
		return true;
	}
	return px_field_string(from, text, sizeof(text), &len) == 0 &&
			px_span_equal((struct px_span){ text, len }, px_session_user_name(session));
}

struct splice {
	uint64_t slots; /* of the names below: those of other slots are the sender's */
	const char *const *own_fields; /* added by the service; NULL: none */
	bool authenticated;
	bool drop_from;
	bool drop_seq;
};

static bool is_services(const struct splice *splice, const struct px_field *field)
{
	const char *const *name = splice->own_fields;
	while (name && *name && !is(field, *name, strlen(*name))) {
		name++;
	}
	return name && *name;
}

#define SLOT(literal) (UINT64_C(1) << px_name_slot("" literal, sizeof(literal) - 1))

/* A bit for the slot of each name that may be the server's. */
static uint64_t slots_of(const struct splice *splice)
{
	uint64_t slots = SLOT("seq") | SLOT("from") | SLOT("userId") | SLOT("clientId") |
			SLOT("userName") | SLOT("timestamp") | SLOT("practiceId") |
			SLOT("fromUserId");
	for (const char *const *name = splice->own_fields; name && *name; name++) {
		slots |= UINT64_C(1) << px_name_slot(*name, strlen(*name));
	}
	return slots;
}

/* Whether the server writes this field itself. */
static bool is_servers(const struct splice *splice, const struct px_field *field)
{
	if (is_services(splice, field)) {
		return true;
	}
	switch (field->name.len) {
	case 3:
		return splice->drop_seq && IS(field, "seq");
	case 4:
		return splice->drop_from && IS(field, "from");
	case 6:
		return splice->authenticated && IS(field, "userId");
	case 8:
		return IS(field, "clientId") || (splice->authenticated && IS(field, "userName"));
	case 9:
		return IS(field, "timestamp");
	case 10:
		return IS(field, "practiceId") ||
				(splice->authenticated && IS(field, "fromUserId"));
	default:
		return false;
	}
}

/* Of fields of one name the last one: a reader that uses the first must see the same message. */
static bool is_copied(const struct px_envelope *message, const struct splice *splice, size_t index)
{
	struct px_field_place place = message->places[index];
	return !place.superseded && (!(splice->slots & UINT64_C(1) << place.slot) ||
			!is_servers(splice, &message->fields[index]));
}

/* The sender's fields without the server's; adjacent ones are copied together. */
static void copy_members(const struct px_envelope *message, struct splice *splice,
		struct px_json *json)
{
	const struct px_field *run = NULL;
	const struct px_field *last = NULL;
	splice->slots = slots_of(splice);
	for (size_t i = 0; i <= message->field_count; i++) {
		const struct px_field *field = i < message->field_count ? &message->fields[i] : NULL;
		if (field && is_copied(message, splice, i)) {
			run = run ? run : field;
			last = field;
			continue;
		}
		if (run) {
			const char *end = last->member.data + last->member.len;
			px_json_comma(json);
			px_json_append(json, run->member.data, (size_t)(end - run->member.data));
			run = NULL;
		}
	}
}

void px_relay_copy_fields(const struct px_envelope *message, bool drop_seq, struct px_json *json)
{
	copy_members(message, &(struct splice){ .drop_seq = drop_seq }, json);
}

/*
 * The token's user, in the spelling of the message if that is the same id: a token's `sub` is a
 * string by RFC 7519, and clients with numeric user ids compare with ===.
 */
static void write_user_id(const struct px_field *field, const char *name, struct px_id user,
		struct px_json *json)
{
	char text[PX_ID_MAX + 1];
	struct px_id said;
	bool is_same = px_field_id(field, text, &said) == 0 &&
			px_span_equal(said.text, user.text);
	px_json_id(json, name, is_same ? said : user);
}

static void write_user(const struct px_session *session, const struct px_envelope *message,
		const struct splice *splice, struct px_json *json)
{
	struct px_id user = px_session_user(session);
	if (user.text.len > 0) {
		const struct px_field *from = PX_ENVELOPE_FIND(message, "fromUserId");
		write_user_id(PX_ENVELOPE_FIND(message, "userId"), "userId", user, json);
		if (from) {
			write_user_id(from, "fromUserId", user, json);
		}
	}
	px_json_string(json, "userName", px_session_user_name(session));
	if (splice->drop_from) {
		px_json_string(json, "from", px_session_user_name(session));
	}
}

static void write_sender(const struct px_session *session, struct px_json *json)
{
	char client_id[PX_CLIENT_ID_SIZE];
	px_session_client_id(session, client_id);
	px_json_int(json, "timestamp", session->broker->wall_ms);
	px_json_string(json, "clientId", (struct px_span){ client_id, PX_CLIENT_ID_SIZE - 1 });
}

void px_session_stamp(const struct px_session *session, struct px_practice *practice,
		struct px_json *json)
{
	write_sender(session, json);
	px_json_id(json, "practiceId", px_session_practice_id(session, practice));
	json->practice = practice;
}

void px_member_stamp(const struct px_member *member, struct px_json *json)
{
	const struct px_channel *channel = member->channel;
	px_session_stamp(member->session, channel->practice, json);
	json->room = channel->label;
}

struct px_message *px_member_message(const struct px_member *member, struct px_json *json,
		struct px_span key)
{
	const struct px_channel *channel = member->channel;
	struct px_broker *broker = member->session->broker;
	uint16_t traffic = px_traffic_place(&broker->traffic, json->type);
	struct px_message *message = px_message_keyed(broker, json, channel->practice,
			channel->service, key);
	if (message) {
		message->traffic = traffic;
		px_message_set_origin(message, &(struct px_origin){
			.practice = channel->practice,
			.room = channel->label,
			.service = px_broker_service_index(broker, channel->service),
		});
	}
	return message;
}

/* The message's origin: its room, if the service named it. */
static void set_origin(const struct px_call *call, struct px_message *message)
{
	struct px_broker *broker = call->session->broker;
	message->traffic = broker->traffic_place;
	px_message_set_origin(message, &(struct px_origin){
		.practice = call->practice,
		.room = call->channel ? call->channel->label : NULL,
		.service = px_broker_service_index(broker, call->service),
	});
}

/* The message as it is relayed. */
static void write_relayed(const struct px_call *call, uint64_t seq, struct px_json *json)
{
	const struct px_session *session = call->session;
	const struct px_envelope *message = call->message;
	bool authenticated = session->identity->authenticated;
	struct splice splice = {
		.own_fields = call->own_fields,
		.authenticated = authenticated,
		.drop_from = authenticated && PX_ENVELOPE_FIND(message, "from") &&
				!is_own_name(session, message),
		.drop_seq = seq != 0,
	};
	copy_members(message, &splice, json);
	if (authenticated) {
		write_user(session, message, &splice, json);
	}
	write_sender(session, json);
	if (call->practice_named) {
		/* The sender's spelling: clients compare with ===. */
		px_json_raw(json, "practiceId", PX_ENVELOPE_FIND(message, "practiceId")->value);
	} else if (call->practice) {
		px_json_id(json, "practiceId", px_session_practice_id(session, call->practice));
	}
	if (seq != 0) {
		px_json_int(json, "seq", (int64_t)seq);
	}
	if (call->stamp) {
		call->stamp(call, json);
	}
	px_json_end(json);
}

/* What the server's fields take: their names and numbers, and the texts that they have. */
static size_t stamp_bytes(const struct px_call *call)
{
	const struct px_identity *identity = call->session->identity;
	return 180 + 2u * identity->user_len + 2u * identity->name_len +
			(call->practice ? call->practice->id_len : 0);
}

/*
 * A short text is written on the stack, and the message allocated as long as it came out. A long
 * one is written into a message that is as long as it may become, and cut: it is copied once.
 */
struct px_message *px_call_forward(struct px_call *call, uint64_t seq)
{
	struct px_broker *broker = call->session->broker;
	size_t bytes = call->message->text.len + stamp_bytes(call);
	struct px_json json;
	struct px_message *forward = NULL;
	if (bytes > sizeof(json.own)) {
		forward = px_message_begin(&json, bytes);
		if (!forward) {
			return NULL;
		}
		write_relayed(call, seq, &json);
		forward = px_message_end(broker, forward, &json, call->practice, call->service,
				call->practice ? call->key : px_span(NULL));
	} else {
		px_json_begin(&json, NULL);
		write_relayed(call, seq, &json);
		forward = px_message_keyed(broker, &json, call->practice, call->service,
				call->practice ? call->key : px_span(NULL));
	}
	if (forward) {
		set_origin(call, forward);
	}
	return forward;
}

/* SPDX-License-Identifier: MIT */
/*
 * Publishing without a session: a message is checked like a client's, and the service of its type
 * publishes it (px_service.publish).
 */
#include "channel/channel.h"
#include "channel/relay.h"
#include "core/broker.h"
#include "core/message.h"
#include "core/practice.h"
#include "core/session.h"
#include "core/turn.h"
#include "operate.h"

#include <string.h>

#define TYPE_MAX 64

/* `clientId` of messages that no session sent. */
#define SERVER_ID "server"

struct px_message *px_publication_message(const struct px_publication *publication, uint64_t seq)
{
	struct px_json json;
	px_json_begin(&json, NULL);
	px_relay_copy_fields(publication->message, seq != 0, &json);
	px_json_int(&json, "timestamp", publication->broker->wall_ms);
	px_json_text(&json, "clientId", SERVER_ID);
	px_json_id(&json, "practiceId", publication->practice_id);
	if (seq != 0) {
		px_json_int(&json, "seq", (int64_t)seq);
	}
	px_json_end(&json);
	struct px_message *message = px_message_keyed(publication->broker, &json,
			publication->practice, publication->service, publication->key);
	if (message) {
		/* A type that a service accepts is a name from the program. */
		message->traffic = px_traffic_place(&publication->broker->traffic, publication->type);
	}
	return message;
}

struct px_channel *px_publication_channel(const struct px_publication *publication,
		struct px_span name)
{
	return px_channel_find(publication->broker, publication->practice, publication->service,
			name);
}

int px_publication_open(const struct px_publication *publication,
		const struct px_channel_kind *kind, struct px_span name,
		const struct px_channel_limits *limits, struct px_channel **ret_channel)
{
	return px_channel_open(publication->broker, publication->practice, publication->service,
			kind, name, limits, ret_channel);
}

void px_publication_announce(struct px_publication *publication, struct px_channel *channel,
		struct px_message *message)
{
	publication->delivered = channel->member_count;
	px_channel_announce(channel, message, NULL);
}

int px_publication_fail(struct px_publication *publication, enum px_error code, const char *field,
		const char *sentence)
{
	return px_deny(&publication->detail, code, field, sentence);
}

static int read_text(struct px_envelope *message, struct px_span text,
		struct px_error_detail *detail)
{
	switch (px_envelope_parse(message, text)) {
	case PX_ENVELOPE_FINE:
		return 0;
	case PX_ENVELOPE_NO_OBJECT:
		return px_deny(detail, PX_E_BAD_MESSAGE, NULL, "The message is not a JSON object.");
	case PX_ENVELOPE_TOO_MANY_FIELDS:
		return px_deny(detail, PX_E_BAD_MESSAGE, NULL, "The message has too many fields.");
	case PX_ENVELOPE_BAD_NAME:
		return px_deny(detail, PX_E_BAD_MESSAGE, NULL,
				"The name of a field must not contain U+0000.");
	case PX_ENVELOPE_NO_JSON:
	case PX_ENVELOPE_TOO_DEEP:
		break;
	}
	return px_deny(detail, PX_E_BAD_JSON, NULL,
			"The message is not valid JSON, or nested deeper than 32 levels.");
}

/* The service of the message's type, if it is enabled in the operator's vhost. */
static int find_service(const struct px_operator *operator, struct px_publication *publication,
		struct px_span type)
{
	const struct px_broker *broker = operator->broker;
	unsigned index;
	publication->service = px_broker_service_of_type(broker, type, &index);
	if (!publication->service || !publication->service->publish) {
		return px_publication_fail(publication, PX_E_UNKNOWN_TYPE, "type",
				"No service takes messages of this type.");
	}
	publication->service_state = broker->services[index].state;
	if (!(operator->realm->enabled & UINT32_C(1) << index)) {
		return px_publication_fail(publication, PX_E_SERVICE_DISABLED, "type",
				"This service is disabled.");
	}
	return 0;
}

/* `given`, or if that is NULL, the message's `practiceId`. */
static int read_practice(const struct px_operator *operator, const struct px_envelope *message,
		const struct px_id *given, char buf[PX_ID_MAX + 1], struct px_id *ret_practice,
		struct px_error_detail *detail)
{
	if (given) {
		*ret_practice = *given;
	} else if (px_envelope_id(message, "practiceId", buf, ret_practice) < 0) {
		return px_deny(detail, PX_E_BAD_MESSAGE, "practiceId",
				"This field must be an integer or a string of 1 to 128 bytes.");
	}
	return px_operator_may_name(operator, ret_practice->text) ? 0 : px_deny(detail,
			PX_E_FORBIDDEN, "practiceId", "You have no access to this practice.");
}

static int check(const struct px_operator *operator, struct px_publication *publication,
		const struct px_id *practice, char type[TYPE_MAX + 1], char practice_text[PX_ID_MAX + 1])
{
	const struct px_envelope *message = publication->message;
	size_t len;
	if (px_envelope_string(message, "type", type, TYPE_MAX + 1, &len) < 0) {
		return px_publication_fail(publication, PX_E_BAD_MESSAGE, "type",
				"The field type must be a string of at most 64 bytes.");
	}
	if (read_practice(operator, message, practice, practice_text, &publication->practice_id,
			&publication->detail) < 0) {
		return -1;
	}
	publication->type = type;
	return find_service(operator, publication, (struct px_span){ type, len });
}

/* The practice may have no clients; a reference keeps it for the duration of the call. */
static int publish(const struct px_operator *operator, struct px_publication *publication,
		struct px_pending *pending)
{
	struct px_broker *broker = operator->broker;
	if (px_practice_get(broker, px_identity_tenant(operator->identity),
			publication->practice_id.text, &publication->practice) < 0) {
		return px_publication_fail(publication, PX_E_UNAVAILABLE, NULL,
				"The server is at its limit.");
	}
	struct px_practice *at = px_turn_begin(broker, publication->practice);
	int rc = px_turn_can_begin(broker, publication->practice) ?
			publication->service->publish(publication->service_state, publication) :
			px_publication_fail(publication, PX_E_UNAVAILABLE, NULL,
			"The practice cannot be reached now; try again in a moment.");
	px_turn_end(broker, at);
	if (rc == 0) {
		broker->stats.published++;
	}
	if (rc == 0 && pending) {
		px_pending_finish(pending, publication->practice, &(struct px_published){
			publication->seq, publication->delivered }, broker);
	}
	px_practice_unref(broker, publication->practice);
	return rc;
}

int px_operate_publish_where(const struct px_operator *operator, struct px_span text,
		char buf[PX_ID_MAX + 1], struct px_id *ret_practice,
		struct px_error_detail *ret_detail)
{
	struct px_envelope *message = &operator->broker->publication;
	int rc = read_text(message, text, ret_detail);
	rc = rc < 0 ? rc : read_practice(operator, message, NULL, buf, ret_practice, ret_detail);
	px_envelope_reset(message);
	return rc;
}

/* `pending` NULL: the caller tells the outcome. */
static int read_and_publish(const struct px_operator *operator, const struct px_id *practice,
		struct px_span text, struct px_pending *pending, struct px_published *ret_published,
		struct px_error_detail *ret_detail)
{
	struct px_broker *broker = operator->broker;
	struct px_publication publication = { .broker = broker, .message = &broker->publication };
	char type[TYPE_MAX + 1];
	char practice_text[PX_ID_MAX + 1];
	int rc = read_text(publication.message, text, &publication.detail);
	rc = rc < 0 ? rc : check(operator, &publication, practice, type, practice_text);
	rc = rc < 0 ? rc : publish(operator, &publication, pending);
	px_envelope_reset(publication.message);
	if (rc < 0) {
		*ret_detail = publication.detail;
		return -1;
	}
	*ret_published = (struct px_published){ publication.seq, publication.delivered };
	return 0;
}

int px_operate_publish(const struct px_operator *operator, const struct px_id *practice,
		struct px_span text, struct px_published *ret_published,
		struct px_error_detail *ret_detail)
{
	return read_and_publish(operator, practice, text, NULL, ret_published, ret_detail);
}

void px_operate_publish_then(const struct px_operator *operator, const struct px_id *practice,
		struct px_span text, const struct px_operate_done *done)
{
	struct px_pending *pending = px_pending_create(done);
	struct px_published published;
	struct px_error_detail detail;
	if (pending && read_and_publish(operator, practice, text, pending, &published,
			&detail) < 0) {
		px_pending_deny(pending, &detail);
	}
}

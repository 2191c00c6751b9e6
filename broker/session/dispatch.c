/* SPDX-License-Identifier: MIT */
/*
 * From bytes to a service's handler: parses, finds the command in the services' tables, checks
 * role, fields and practice, in this order, then calls it. Every refusal is answered, counted, and
 * logged without anything that the client sent.
 */
#include "core/message.h"
#include "core/broker.h"
#include "core/host.h"
#include "core/identity.h"
#include "core/practice.h"
#include "core/session.h"
#include "core/turn.h"
#include "dispatch.h"
#include "outbound/replay_buffer.h"
#include "outbound/tap.h"
#include "session.h"

#include <errno.h>
#include <praxis/host/session.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_MAX 64
#define RECEIPT_MAX 64 /* characters, of at most four bytes each */

/* Unreadable messages that are tolerated within BAD_WINDOW_MS. */
#define BAD_MAX 10
#define BAD_WINDOW_MS 10000

/* When a practice that cannot run may be asked again. */
#define RETRY_AFTER_MS 1000

/* State of the message being dispatched. */
struct dispatch {
	struct px_session *session;
	struct px_envelope *message;
	char type[TYPE_MAX + 1];
	size_t type_len;
	const struct px_field *id;
	bool handled;
	uint16_t traffic; /* place of its type */
	bool known; /* the type is a name from the program, so it may be logged */
	bool is_keepalive; /* `ping` and `received` */
	size_t bytes;
	bool is_shown; /* was shown to message taps */
	bool is_now_or_never; /* it must not wait for its practice */
};

/* Shows the message to taps, before it is handled or refused. */
static void show(struct dispatch *dispatch, struct px_practice *practice,
		const struct px_service *service)
{
	if (dispatch->session->broker->taps && !dispatch->is_shown) {
		dispatch->is_shown = true;
		px_message_tap_came(dispatch->session, practice, service,
				dispatch->known ? dispatch->type : NULL, dispatch->bytes);
	}
}

static int refuse(struct dispatch *dispatch, enum px_error code, const char *field,
		const char *sentence)
{
	struct px_session *session = dispatch->session;
	show(dispatch, NULL, NULL);
	if (code == PX_E_FORBIDDEN || code == PX_E_UNAUTHENTICATED) {
		(void)px_broker_tell(session->broker, &(struct px_event){
			.kind = PX_EVENT_REFUSED,
			.session = session,
			.error = code,
		});
	}
	char client_id[PX_CLIENT_ID_SIZE];
	px_session_client_id(session, client_id);
	px_broker_log(session->broker, PX_LOG_INFO, "client %s: %s refused: %s%s%s", client_id,
			dispatch->known ? dispatch->type : "a message", px_error_name(code),
			field ? ", field " : "", field ? field : "");
	px_session_refuse(session, &(struct px_refusal){
		.code = code,
		.field = field,
		.sentence = sentence,
		.ref = { dispatch->type, dispatch->type_len },
		.id = dispatch->id,
	});
	return -1;
}

/* An unreadable message. Too many of them, and the session is closed. */
static void refuse_bad(struct dispatch *dispatch, enum px_error code, const char *field,
		const char *sentence)
{
	struct px_session *session = dispatch->session;
	uint32_t now_ms = (uint32_t)session->broker->timers.now_ms;
	refuse(dispatch, code, field, sentence);
	if (session->bad_count == 0 || now_ms - session->bad_since_ms >= BAD_WINDOW_MS) {
		session->bad_since_ms = now_ms;
		session->bad_count = 0;
	}
	if (++session->bad_count > BAD_MAX) {
		px_session_close(session, PX_CLOSE_POLICY);
	}
}

static bool type_is_well_formed(const char *type, size_t len)
{
	if (len == 0 || type[0] < 'a' || type[0] > 'z') {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		char c = type[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) {
			return false;
		}
	}
	return true;
}

/* Parses the text into the broker's envelope; false: refused. */
static bool read_message(struct dispatch *dispatch, struct px_span text)
{
	switch (px_envelope_parse(dispatch->message, text)) {
	case PX_ENVELOPE_FINE:
		break;
	case PX_ENVELOPE_NO_JSON:
		refuse_bad(dispatch, PX_E_BAD_JSON, NULL, "The message is not valid JSON.");
		return false;
	case PX_ENVELOPE_TOO_DEEP:
		refuse_bad(dispatch, PX_E_BAD_JSON, NULL,
				"The message is nested deeper than 32 levels.");
		return false;
	case PX_ENVELOPE_NO_OBJECT:
		refuse_bad(dispatch, PX_E_BAD_MESSAGE, NULL, "The message is not a JSON object.");
		return false;
	case PX_ENVELOPE_TOO_MANY_FIELDS:
		refuse_bad(dispatch, PX_E_BAD_MESSAGE, NULL, "The message has too many fields.");
		return false;
	case PX_ENVELOPE_BAD_NAME:
		refuse_bad(dispatch, PX_E_BAD_MESSAGE, NULL,
				"The name of a field must not contain U+0000.");
		return false;
	}
	if (px_field_string(PX_ENVELOPE_FIND(dispatch->message, "type"), dispatch->type,
			sizeof(dispatch->type), &dispatch->type_len) < 0 ||
			!type_is_well_formed(dispatch->type, dispatch->type_len)) {
		dispatch->type_len = 0;
		refuse_bad(dispatch, PX_E_BAD_MESSAGE, "type",
				"The field type must be a string: a lower-case letter, then at most "
				"63 lower-case letters, digits and underscores.");
		return false;
	}
	return true;
}

/* Number of characters in valid UTF-8. */
static size_t characters(const char *text, size_t len)
{
	size_t count = 0;
	for (size_t i = 0; i < len; i++) {
		count += (text[i] & 0xc0) != 0x80;
	}
	return count;
}

static bool receipt_is_fine(const struct dispatch *dispatch, const struct px_field *id)
{
	char text[RECEIPT_MAX * 4 + 1];
	size_t len;
	return id->kind == PX_INTEGER ? id->value.len <= RECEIPT_MAX :
			px_envelope_string(dispatch->message, "id", text, sizeof(text), &len) == 0 &&
			characters(text, len) <= RECEIPT_MAX;
}

/* Reads the `id` of the receipt that the client asks for, if any; false: refused. */
static bool read_receipt(struct dispatch *dispatch)
{
	const struct px_field *id = PX_ENVELOPE_FIND(dispatch->message, "id");
	if (!id) {
		return true;
	}
	if (!receipt_is_fine(dispatch, id)) {
		refuse(dispatch, PX_E_BAD_MESSAGE, "id",
				"The field id must be an integer or a string of at most 64 characters.");
		return false;
	}
	dispatch->id = id;
	return true;
}

/* Sends an answer, which is a keep-alive if the message was one. */
static void answer(struct dispatch *dispatch, struct px_json *json)
{
	struct px_session *session = dispatch->session;
	struct px_message *message = px_message_from_json(session->broker, json);
	if (!message) {
		px_session_close(session, PX_CLOSE_TRY_LATER);
		return;
	}
	message->is_keepalive = dispatch->is_keepalive;
	px_session_send(session, message);
	px_message_unref(session->broker, message);
}

static void acknowledge(struct dispatch *dispatch, uint64_t seq)
{
	struct px_json json;
	if (!dispatch->id) {
		return;
	}
	px_json_begin(&json, "ack");
	px_json_raw(&json, "id", dispatch->id->value);
	if (seq != 0) {
		px_json_int(&json, "seq", (int64_t)seq);
	}
	px_json_end(&json);
	answer(dispatch, &json);
}

/* Drops a message over the rate. A session that continues is closed. */
static void refuse_rate(struct dispatch *dispatch, const char *sentence, int64_t wait_ms)
{
	show(dispatch, NULL, NULL);
	px_session_refuse(dispatch->session, &(struct px_refusal){
		.code = PX_E_RATE_LIMITED,
		.sentence = sentence,
		.ref = { dispatch->type, dispatch->type_len },
		.id = dispatch->id,
		.retry_after_ms = wait_ms,
	});
	px_session_count_flood(dispatch->session);
}

/* Refuses before parsing; the message is parsed only for the answer's `ref` and `id`. */
static void refuse_unread(struct dispatch *dispatch, struct px_span text, int64_t wait_ms)
{
	const struct px_envelope *message = dispatch->message;
	if (px_envelope_parse(dispatch->message, text) == PX_ENVELOPE_FINE) {
		const struct px_field *id = PX_ENVELOPE_FIND(message, "id");
		dispatch->id = id && receipt_is_fine(dispatch, id) ? id : NULL;
		if (px_envelope_string(message, "type", dispatch->type, sizeof(dispatch->type),
				&dispatch->type_len) < 0 ||
				!type_is_well_formed(dispatch->type, dispatch->type_len)) {
			dispatch->type_len = 0;
		}
	}
	refuse_rate(dispatch, "This session exceeds its message rate; the message was dropped.",
			wait_ms);
}

/* False: too many acts; the message was refused. */
static bool may_act(struct dispatch *dispatch)
{
	int64_t wait_ms = px_session_act_wait(dispatch->session);
	if (wait_ms > 0) {
		refuse_rate(dispatch, "This session exceeds its rate for such requests; the message was "
				"dropped.", wait_ms);
	}
	return wait_ms == 0;
}

static void answer_ping(struct dispatch *dispatch)
{
	const struct px_field *t = px_envelope_field(dispatch->message, "t");
	struct px_json json;
	px_json_begin(&json, "pong");
	if (t) {
		px_json_raw(&json, "t", t->value);
	}
	px_json_end(&json);
	answer(dispatch, &json);
	acknowledge(dispatch, 0);
}

/* Reads a field as an integer from 0 on; -EINVAL. */
static int read_number(const struct px_field *field, uint64_t *ret_number)
{
	uint64_t number = 0;
	if (!field || field->kind != PX_INTEGER || field->value.len > 18) {
		return -EINVAL;
	}
	for (size_t i = 0; i < field->value.len; i++) {
		char c = field->value.data[i];
		if (c < '0' || c > '9') {
			return -EINVAL;
		}
		number = number * 10 + (uint64_t)(c - '0');
	}
	*ret_number = number;
	return 0;
}

/* Handles `received`: the client confirms messages. */
static void take_received(struct dispatch *dispatch)
{
	struct px_session *session = dispatch->session;
	uint64_t n;
	if (!session->resume) {
		refuse(dispatch, PX_E_UNKNOWN_TYPE, "type",
				"This session does not use praxis.v1, so its messages have no numbers.");
	} else if (read_number(px_envelope_field(dispatch->message, "n"), &n) < 0) {
		refuse(dispatch, PX_E_BAD_MESSAGE, "n",
				"This field must be the number of messages received, an integer from 0.");
	} else if (px_resume_confirm(session, n) < 0) {
		refuse(dispatch, PX_E_BAD_MESSAGE, "n", "This is more than the number of messages sent.");
	} else {
		acknowledge(dispatch, 0);
	}
}

static bool is_type(const struct dispatch *dispatch, const char *type, size_t len)
{
	return dispatch->type_len == len && memcmp(dispatch->type, type, len) == 0;
}
#define IS_TYPE(dispatch, literal) is_type(dispatch, literal, sizeof(literal) - 1)

static bool keeps_alive(const struct dispatch *dispatch)
{
	return IS_TYPE(dispatch, "ping") || IS_TYPE(dispatch, "received");
}

/* Handles the broker's own messages; true if it was one. */
static bool dispatch_own(struct dispatch *dispatch)
{
	dispatch->is_keepalive = keeps_alive(dispatch);
	if (IS_TYPE(dispatch, "ping")) {
		dispatch->known = true;
		answer_ping(dispatch);
		return true;
	}
	if (IS_TYPE(dispatch, "auth")) {
		dispatch->known = true;
		struct px_session *session = may_act(dispatch) ? px_session_authenticate(
				dispatch->session, dispatch->message, dispatch->id) : NULL;
		if (session) {
			dispatch->session = session;
			px_session_acted(session);
			acknowledge(dispatch, 0);
		}
		return true;
	}
	if (IS_TYPE(dispatch, "received")) {
		dispatch->known = true;
		take_received(dispatch);
		return true;
	}
	if (dispatch->session->identity->role == 0) {
		refuse(dispatch, PX_E_UNAUTHENTICATED, NULL, "Authenticate first.");
		return true;
	}
	return false;
}

static int compare_command(const void *key, const void *element)
{
	return strcmp(key, ((const struct px_command *)element)->type);
}

static bool is_disabled(const struct px_realm *realm, struct px_span service)
{
	for (size_t i = 0; i < realm->disabled_count; i++) {
		if (px_span_equal(px_span(realm->disabled[i]), service)) {
			return true;
		}
	}
	return false;
}

static void refuse_disabled(struct dispatch *dispatch)
{
	refuse(dispatch, PX_E_SERVICE_DISABLED, NULL, "This service is disabled.");
}

/* Where the type is no command's, or not of this session's service; NULL: refused. */
static const struct px_command *search_command(struct dispatch *dispatch, unsigned *ret_index)
{
	struct px_session *session = dispatch->session;
	const char *underscore = memchr(dispatch->type, '_', dispatch->type_len);
	size_t prefix = underscore ? (size_t)(underscore - dispatch->type) : dispatch->type_len;
	unsigned index = 0;
	struct px_span name = { dispatch->type, prefix };
	const struct px_service *service = px_broker_service_of_type(session->broker, name, &index);
	const struct px_command *command = NULL;
	bool concerned = service && (session->service < 0 || session->service == (int)index);
	if (concerned && service->command_count > 0) {
		command = bsearch(dispatch->type, service->commands, service->command_count,
				sizeof(*service->commands), compare_command);
	}
	if (!command && (service || session->service >= 0 || !is_disabled(session->realm, name))) {
		refuse(dispatch, PX_E_UNKNOWN_TYPE, "type", "No service knows messages of this type.");
		return NULL;
	}
	dispatch->known = command != NULL;
	if (!command) {
		refuse_disabled(dispatch);
	}
	*ret_index = index;
	return command;
}

/* Finds service and command of the type; NULL: refused. */
static const struct px_command *find_command(struct dispatch *dispatch, unsigned *ret_index)
{
	struct px_session *session = dispatch->session;
	unsigned index = 0;
	const struct px_command *command = px_broker_command(session->broker, dispatch->type,
			dispatch->type_len, &index);
	if (session->service >= 0 && session->service != (int)index) {
		command = NULL;
	}
	dispatch->known = command != NULL;
	command = command ? command : search_command(dispatch, &index);
	if (!command) {
		return NULL;
	}
	if (session->broker->attaching) {
		px_session_attach(session); /* the sweep may not have come here yet */
	}
	if (!(px_session_services(session) & session->opened & UINT32_C(1) << index)) {
		refuse_disabled(dispatch);
		return NULL;
	}
	*ret_index = index;
	return command;
}

static bool is_name(const struct px_field *field)
{
	char name[PX_NAME_MAX + 1];
	size_t len;
	return field->escaped ? px_field_string(field, name, sizeof(name), &len) == 0 :
			field->kind == PX_STRING && field->value.len - 2 <= PX_NAME_MAX;
}

/* What is wrong with a field, as a sentence; NULL: nothing. */
static const char *field_fault(const struct px_field *field, const struct px_field_rule *rule)
{
	if (!field) {
		return rule->optional ? NULL : "A required field is missing.";
	}
	enum px_kind kind = field->kind;
	switch (rule->type) {
	case PX_FIELD_ID:
		return px_field_is_id(field) ? NULL :
				"This field must be an integer or a string of 1 to 128 bytes.";
	case PX_FIELD_STRING:
		return kind == PX_STRING ? NULL : "This field must be a string.";
	case PX_FIELD_NAME:
		return is_name(field) ? NULL :
				"This field must be a string of at most 256 bytes.";
	case PX_FIELD_INTEGER:
		return kind == PX_INTEGER ? NULL : "This field must be an integer.";
	case PX_FIELD_BOOL:
		return kind == PX_BOOL ? NULL : "This field must be true or false.";
	case PX_FIELD_OBJECT:
		return kind == PX_OBJECT ? NULL : "This field must be an object.";
	case PX_FIELD_OBJECT_OR_NULL:
		return kind == PX_OBJECT || kind == PX_NULL ? NULL :
				"This field must be an object or null.";
	}
	return "This field has a type that the server does not know.";
}

static bool check_fields(struct dispatch *dispatch, const struct px_command *command,
		const struct px_rule_slot *slots)
{
	static const struct px_field_rule practice = { "practiceId", PX_FIELD_ID, true };
	const char *fault = field_fault(PX_ENVELOPE_FIND(dispatch->message, "practiceId"),
			&practice);
	if (fault) {
		refuse(dispatch, PX_E_BAD_MESSAGE, practice.name, fault);
		return false;
	}
	const struct px_field_rule *rule = command->fields;
	for (; rule && rule->name; rule++, slots++) {
		fault = field_fault(px_envelope_find(dispatch->message, slots->slot, rule->name,
				slots->len), rule);
		if (fault) {
			refuse(dispatch, PX_E_BAD_MESSAGE, rule->name, fault);
			return false;
		}
	}
	return true;
}

static void refuse_practice(struct dispatch *dispatch, int error)
{
	switch (error) {
	case -EACCES:
		refuse(dispatch, PX_E_FORBIDDEN, "practiceId",
				"This session does not belong to that practice.");
		break;
	case -EINVAL:
		refuse(dispatch, PX_E_BAD_MESSAGE, "practiceId",
				"This field must not contain control characters.");
		break;
	case -EDQUOT:
		refuse(dispatch, PX_E_UNAVAILABLE, "practiceId",
				"This session has reached its limit of practices.");
		break;
	default:
		refuse(dispatch, PX_E_UNAVAILABLE, NULL, "The server is at its limit.");
		break;
	}
}

/*
 * Adds a practice that the session did not hold: in open mode that of its first message, for an
 * administrator of all practices any. NULL: refused.
 */
static const struct px_held *bind_practice(struct dispatch *dispatch, struct px_id id)
{
	struct px_session *session = dispatch->session;
	struct px_identity *identity = session->identity;
	int rc = px_identity_bind(session->broker, identity, id);
	if (rc < 0) {
		refuse_practice(dispatch, rc);
		return NULL;
	}
	const struct px_held *held = &identity->practices[identity->practice_count - 1];
	px_practice_add_client(session->broker, held->practice);
	px_session_enter(session, held->practice);
	return held;
}

static bool resolve_practice(struct dispatch *dispatch, struct px_call *call)
{
	struct px_session *session = dispatch->session;
	struct px_identity *identity = session->identity;
	char text[PX_ID_MAX + 1];
	struct px_id id;
	const struct px_held *held = identity->practice_count > 0 ? &identity->practices[0] : NULL;
	if (call->service->operates) {
		return true;
	}
	if (px_field_id(PX_ENVELOPE_FIND(dispatch->message, "practiceId"), text, &id) == 0) {
		held = px_identity_find(identity, id.text);
		held = held ? held : bind_practice(dispatch, id);
		if (!held) {
			return false;
		}
		call->practice_named = true;
	}
	if (!held && !call->command->anywhere) {
		refuse(dispatch, PX_E_FORBIDDEN, "practiceId",
				"The message must name a practice, because this session has none yet.");
		return false;
	}
	call->practice = held ? held->practice : NULL;
	return true;
}

/* Answers to a command with `anywhere` do not belong to the practice. */
static void handle(struct dispatch *dispatch, struct px_call *call, uint8_t index)
{
	struct px_broker *broker = dispatch->session->broker;
	struct px_practice *practice = call->command->anywhere ? NULL : call->practice;
	struct px_practice *at = px_turn_begin(broker, practice);
	struct px_origin before = px_broker_turn_to(broker, (struct px_origin){
		practice, NULL, index });
	int rc = call->command->handle(call);
	(void)px_broker_turn_to(broker, before);
	if (rc == 0) {
		if (call->command->acts) {
			px_session_acted(dispatch->session);
		}
		dispatch->handled = true;
		acknowledge(dispatch, call->seq);
	}
	px_turn_end(broker, at);
}

/* False: it runs later, or is refused. */
static bool can_run(struct dispatch *dispatch, struct px_practice *practice)
{
	struct px_session *session = dispatch->session;
	const struct px_turn_hooks *hooks = session->broker->turn_hooks;
	if (!hooks) {
		return true;
	}
	int rc = -EAGAIN;
	if (!dispatch->is_now_or_never) {
		rc = hooks->admit(session, practice, dispatch->message->text);
	} else if (hooks->is_home(session->broker, practice)) {
		rc = 0;
	}
	if (rc < 0) {
		show(dispatch, NULL, NULL);
		px_session_refuse(session, &(struct px_refusal){
			.code = PX_E_UNAVAILABLE,
			.sentence = "The practice cannot be reached now; try again in a moment.",
			.ref = { dispatch->type, dispatch->type_len },
			.id = dispatch->id,
			.retry_after_ms = RETRY_AFTER_MS,
		});
	}
	return rc == 0;
}

static void dispatch_command(struct dispatch *dispatch)
{
	struct px_session *session = dispatch->session;
	unsigned index;
	const struct px_command *command = find_command(dispatch, &index);
	if (!command) {
		return;
	}
	const struct px_service_slot *slot = &session->broker->services[index];
	const struct px_command_slot *place = &slot->commands[command - slot->service->commands];
	dispatch->traffic = place->traffic;
	session->broker->traffic_place = dispatch->traffic;
	if (!(command->roles & session->identity->role)) {
		refuse(dispatch, PX_E_FORBIDDEN, NULL, "The role of this session may not send this "
				"message.");
		return;
	}
	struct px_call call = {
		.session = session,
		.message = dispatch->message,
		.service = session->broker->services[index].service,
		.command = command,
		.service_state = session->broker->services[index].state,
		.session_state = px_session_state(session, index),
	};
	if (!check_fields(dispatch, command, place->rules) || !resolve_practice(dispatch, &call)) {
		return;
	}
	if (call.practice && !command->anywhere && !can_run(dispatch, call.practice)) {
		return;
	}
	if (call.practice) {
		show(dispatch, call.practice, call.service);
	}
	if (command->acts && !may_act(dispatch)) {
		return;
	}
	handle(dispatch, &call, (uint8_t)index);
}

int px_call_fail(struct px_call *call, enum px_error code, const char *field,
		const char *sentence)
{
	struct dispatch dispatch = {
		.session = call->session,
		.message = call->message,
		.id = PX_ENVELOPE_FIND(call->message, "id"),
		.known = true,
		.is_shown = true,
	};
	dispatch.type_len = strlen(call->command->type);
	memcpy(dispatch.type, call->command->type, dispatch.type_len);
	return refuse(&dispatch, code, field, sentence);
}

static void count_in(const struct dispatch *dispatch)
{
	struct px_broker *broker = dispatch->session->broker;
	px_traffic_came(&broker->traffic, dispatch->traffic, dispatch->bytes);
	if (keeps_alive(dispatch)) {
		broker->stats.keepalives_in++;
	} else {
		broker->stats.messages_in++;
		dispatch->session->messages_in++;
	}
}

static struct dispatch begin(struct px_session *session, struct px_span text)
{
	struct px_broker *broker = session->broker;
	broker->acting = session;
	broker->answered = 0;
	return (struct dispatch){
		.session = session,
		.message = &broker->envelope,
		.bytes = text.len,
	};
}

static void end(struct dispatch *dispatch)
{
	struct px_broker *broker = dispatch->session->broker;
	px_session_charge(dispatch->session, broker->answered);
	broker->acting = NULL;
	broker->concern = (struct px_concern){ NULL, NULL };
	px_envelope_reset(dispatch->message);
}

void px_session_dispatch(struct px_session *session, struct px_span text)
{
	struct dispatch dispatch = begin(session, text);
	int64_t wait_ms = px_session_take(session, text.len);
	if (wait_ms > 0) {
		refuse_unread(&dispatch, text, wait_ms);
	} else if (read_message(&dispatch, text) && read_receipt(&dispatch)) {
		if (!dispatch_own(&dispatch)) {
			dispatch_command(&dispatch);
		} else if (dispatch.known) {
			dispatch.traffic = px_traffic_place(&session->broker->traffic, dispatch.type);
		}
	}
	count_in(&dispatch);
	end(&dispatch);
}

void px_session_run(struct px_session *session, struct px_span text)
{
	struct dispatch dispatch = begin(session, text);
	if (read_message(&dispatch, text) && read_receipt(&dispatch)) {
		dispatch_command(&dispatch);
	}
	end(&dispatch);
}

bool px_session_try(struct px_session *session, struct px_envelope *scratch, struct px_span text)
{
	struct dispatch dispatch = {
		.session = session,
		.message = scratch,
		.bytes = text.len,
		.is_now_or_never = true,
	};
	if (read_message(&dispatch, text)) {
		dispatch_command(&dispatch);
	}
	session->broker->concern = (struct px_concern){ NULL, NULL };
	px_envelope_reset(scratch);
	return dispatch.handled;
}

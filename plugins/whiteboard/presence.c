/* SPDX-License-Identifier: MIT */
/*
 * Who is present on a practice's whiteboard, and has seen its updates up to which. Present is who
 * says so, for as long as it is subscribed: a session that is subscribed by its token may show
 * something else. A user with several sessions is one; one without a user id is itself.
 *
 * Changes are told a moment later, several at once, and the later the more users there are: whoever
 * comes and goes as fast as it may would otherwise cost each of the others a list each time. A user
 * whose last session has left is listed a little longer, since a page that is loaded again comes
 * back at once. (A session whose connection broke has not left before its grace is over.)
 */
#include "whiteboard.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#define LIST_DELAY_MS 200
#define LIST_DELAY_EACH_MS 20
#define SEEN_DELAY_MS 500
#define SEEN_DELAY_EACH_MS 10
#define HOLD_MS 5000

/* No update has it: see update.c. */
#define LIST_KEY "\001"

/* Sessions that are present in one practice. */
#define SESSIONS_MAX 1000

struct person {
	bool has_id;    /* `id` is the user's, else the session's */
	bool is_number; /* … an integer in JSON */
	enum px_role role;
	uint32_t sessions;
	int64_t since_ms; /* since 1970 */
	int64_t gone_ms;  /* monotonic: when its last session left */
	uint64_t seq;     /* seen up to that update */
	bool has_seen;    /* … which the others are yet to be told */
	char *name;
	char id[]; /* with the name behind it */
};

/* Our state in the channel. */
struct present {
	struct person **persons; /* who came first first */
	uint32_t count;
	uint32_t size;
	uint32_t listed;
	/* Monotonic; 0: never. When what is due, and when the channel is woken. */
	int64_t list_ms;
	int64_t seen_ms;
	int64_t wake_ms;
};

/* Our state in a membership. */
struct attendee {
	struct person *person; /* NULL: it never came so far */
};

/* ---- when what is told ---- */

static int64_t now_of(const struct px_channel *channel)
{
	return px_broker_mono_ms(px_channel_broker(channel));
}

static void take_earlier(int64_t *due, int64_t other)
{
	if (other != 0 && (*due == 0 || other < *due)) {
		*due = other;
	}
}

/* Without memory for it, everything is told with the next change. */
static void schedule(struct px_channel *channel)
{
	struct present *present = px_channel_state(channel);
	int64_t due = 0;
	take_earlier(&due, present->list_ms);
	take_earlier(&due, present->seen_ms);
	for (uint32_t i = 0; i < present->count; i++) {
		const struct person *person = present->persons[i];
		take_earlier(&due, person->sessions == 0 ? person->gone_ms + HOLD_MS : 0);
	}
	if (due == 0 || (present->wake_ms != 0 && present->wake_ms <= due)) {
		return;
	}
	int64_t now = now_of(channel);
	if (px_channel_wake(channel, due > now ? due - now : 0) == 0) {
		present->wake_ms = due;
	}
}

static void list_soon(struct px_channel *channel)
{
	struct present *present = px_channel_state(channel);
	take_earlier(&present->list_ms, now_of(channel) + LIST_DELAY_MS +
			(int64_t)LIST_DELAY_EACH_MS * present->count);
}

/* ---- persons ---- */

static struct person *create_person(struct px_span id, struct px_span name)
{
	struct person *person = calloc(1, sizeof(*person) + id.len + name.len + 2);
	if (person) {
		memcpy(person->id, id.data, id.len);
		person->name = person->id + id.len + 1;
		if (name.len > 0) {
			memcpy(person->name, name.data, name.len);
		}
	}
	return person;
}

/* The session's user, or itself. */
static struct px_id identify(const struct px_session *session, char client_id[PX_CLIENT_ID_SIZE],
		bool *ret_has_id)
{
	struct px_id user = px_session_user(session);
	*ret_has_id = user.text.len > 0;
	px_session_client_id(session, client_id);
	return *ret_has_id ? user : (struct px_id){ px_span(client_id), false };
}

static struct person *find_person(const struct present *present, struct px_span id, bool has_id)
{
	for (uint32_t i = 0; i < present->count; i++) {
		struct person *person = present->persons[i];
		if (person->has_id == has_id && px_span_equal(px_span(person->id), id)) {
			return person;
		}
	}
	return NULL;
}

static int add_person(struct present *present, struct person *person)
{
	if (present->count == present->size) {
		uint32_t size = present->size ? 2 * present->size : 4;
		struct person **persons = realloc(present->persons, size * sizeof(*persons));
		if (!persons) {
			return -ENOMEM;
		}
		present->persons = persons;
		present->size = size;
	}
	/* Mostly at the end: only after a restart they come in another order. */
	uint32_t at = present->count++;
	for (; at > 0 && present->persons[at - 1]->since_ms > person->since_ms; at--) {
		present->persons[at] = present->persons[at - 1];
	}
	present->persons[at] = person;
	return 0;
}

/* The session's person, who came then unless it is there already. */
static int arrive(struct px_member *member, int64_t since_ms)
{
	struct px_channel *channel = px_member_channel(member);
	struct present *present = px_channel_state(channel);
	struct px_session *session = px_member_session(member);
	struct attendee *attendee = px_member_state(member);
	char client_id[PX_CLIENT_ID_SIZE];
	bool has_id;
	struct px_id id = identify(session, client_id, &has_id);
	struct person *person = find_person(present, id.text, has_id);
	if (!person) {
		person = create_person(id.text, px_session_user_name(session));
		if (!person) {
			return -ENOMEM;
		}
		person->has_id = has_id;
		person->is_number = id.number;
		person->role = px_session_role(session);
		person->since_ms = since_ms;
		if (add_person(present, person) < 0) {
			free(person);
			return -ENOMEM;
		}
		list_soon(channel);
	}
	person->sessions++;
	attendee->person = person;
	return 0;
}

static void tell_seen_soon(struct px_channel *channel)
{
	struct present *present = px_channel_state(channel);
	take_earlier(&present->seen_ms, now_of(channel) + SEEN_DELAY_MS +
			(int64_t)SEEN_DELAY_EACH_MS * present->count);
}

static void see(struct px_channel *channel, struct person *person, uint64_t seq)
{
	if (seq > person->seq) {
		person->seq = seq;
		person->has_seen = true;
		tell_seen_soon(channel);
	}
}

/* Those who have been gone for long enough. */
static void forget_gone(struct px_channel *channel)
{
	struct present *present = px_channel_state(channel);
	int64_t now = now_of(channel);
	uint32_t count = 0;
	for (uint32_t i = 0; i < present->count; i++) {
		struct person *person = present->persons[i];
		if (person->sessions == 0 && person->gone_ms + HOLD_MS <= now) {
			free(person);
		} else {
			present->persons[count++] = person;
		}
	}
	if (count < present->count) {
		present->count = count;
		list_soon(channel);
	}
}

/* ---- what is told ---- */

static void write_id(const struct person *person, struct px_json *json)
{
	if (person->has_id) {
		px_json_id(json, "userId",
				(struct px_id){ px_span(person->id), person->is_number });
	} else {
		px_json_text(json, "clientId", person->id);
	}
}

static uint32_t listed(const struct present *present)
{
	return present->count < present->listed ? present->count : present->listed;
}

static void write_list(const struct present *present, struct px_json *json)
{
	px_json_int(json, "count", present->count);
	px_json_open_array(json, "users");
	for (uint32_t i = 0; i < listed(present); i++) {
		const struct person *person = present->persons[i];
		px_json_open_object(json, NULL);
		write_id(person, json);
		px_json_text(json, "userName", person->name);
		px_json_text(json, "role", px_role_name(person->role));
		px_json_int(json, "since", person->since_ms);
		px_json_int(json, "seq", (int64_t)person->seq);
		px_json_close_object(json);
	}
	px_json_close_array(json);
}

static void write_seen(const struct present *present, struct px_json *json)
{
	px_json_open_array(json, "users");
	for (uint32_t i = 0; i < listed(present); i++) {
		const struct person *person = present->persons[i];
		if (person->has_seen) {
			px_json_open_object(json, NULL);
			write_id(person, json);
			px_json_int(json, "seq", (int64_t)person->seq);
			px_json_close_object(json);
		}
	}
	px_json_close_array(json);
}

static struct px_id practice_of(const struct px_member *member)
{
	return px_session_practice_id(px_member_session(member),
			px_channel_practice(px_member_channel(member)));
}

/*
 * `is_list`: who is present, else who has seen more. Only the latest list matters to a slow reader,
 * and to one who returns. For all who spell the practice as that member. NULL without memory.
 */
static struct px_message *compose(const struct px_member *member, bool is_list)
{
	struct px_channel *channel = px_member_channel(member);
	const struct present *present = px_channel_state(channel);
	struct px_json json;
	if (is_list) {
		px_json_begin(&json, "whiteboard_presence");
		write_list(present, &json);
	} else {
		px_json_begin(&json, "whiteboard_seen");
		write_seen(present, &json);
	}
	px_json_int(&json, "timestamp", px_broker_wall_ms(px_channel_broker(channel)));
	px_json_id(&json, "practiceId", practice_of(member));
	px_json_end(&json);
	return px_member_message(member, &json, px_span(is_list ? LIST_KEY : ""));
}

/*
 * One message for all who spell the practice as an integer, one for the others. False: without
 * memory some were not told; it has to be tried again.
 */
static bool tell_all(struct px_channel *channel, bool is_list)
{
	struct px_broker *broker = px_channel_broker(channel);
	struct px_message *messages[2] = { NULL, NULL };
	bool is_told = true;
	for (uint32_t i = 0; is_told && i < px_channel_member_count(channel); i++) {
		const struct px_member *member = px_channel_member(channel, i);
		struct px_message **message = &messages[practice_of(member).number];
		*message = *message ? *message : compose(member, is_list);
		is_told = *message;
		px_session_send(px_member_session(member), *message);
	}
	px_message_unref(broker, messages[0]);
	px_message_unref(broker, messages[1]);
	return is_told;
}

static void tell_list(struct px_channel *channel)
{
	struct present *present = px_channel_state(channel);
	present->list_ms = 0;
	if (!tell_all(channel, true)) {
		list_soon(channel);
	}
}

static bool has_news(const struct present *present)
{
	for (uint32_t i = 0; i < listed(present); i++) {
		if (present->persons[i]->has_seen) {
			return true;
		}
	}
	return false;
}

static void tell_seen(struct px_channel *channel)
{
	struct present *present = px_channel_state(channel);
	present->seen_ms = 0;
	if (has_news(present) && !tell_all(channel, false)) {
		tell_seen_soon(channel);
		return;
	}
	for (uint32_t i = 0; i < present->count; i++) {
		present->persons[i]->has_seen = false;
	}
}

/* ---- hooks ---- */

static void left(struct px_channel *channel, struct px_member *member, enum px_leave_reason reason)
{
	const struct present *present = px_channel_state(channel);
	const struct attendee *attendee = px_member_state(member);
	struct person *person = attendee->person;
	(void)reason;
	if (person && --person->sessions == 0) {
		/* Many are not held, so that they are not too many. */
		person->gone_ms = now_of(channel) - (present->count > SESSIONS_MAX ? HOLD_MS : 0);
		schedule(channel);
	}
}

static void closed(struct px_channel *channel)
{
	struct present *present = px_channel_state(channel);
	for (uint32_t i = 0; i < present->count; i++) {
		free(present->persons[i]);
	}
	free(present->persons);
}

static void woken(struct px_channel *channel)
{
	struct present *present = px_channel_state(channel);
	int64_t now = now_of(channel);
	present->wake_ms = 0;
	forget_gone(channel);
	if (present->list_ms != 0 && present->list_ms <= now) {
		tell_list(channel);
	}
	if (present->seen_ms != 0 && present->seen_ms <= now) {
		tell_seen(channel);
	}
	schedule(channel);
}

const struct px_channel_kind whiteboard_presence_kind = {
	.name = "presence",
	.state_size = sizeof(struct present),
	.member_size = sizeof(struct attendee),
	.left = left,
	.closed = closed,
	.woken = woken,
};

static struct px_member *find(struct px_session *session, const struct px_practice *practice)
{
	return px_session_member(session, &whiteboard_presence_kind, practice,
			px_span("presence"));
}

void whiteboard_leave_presence(struct px_session *session, const struct px_practice *practice)
{
	struct px_member *member = find(session, practice);
	if (member) {
		px_member_leave(member, PX_LEFT);
	}
}

/* ---- messages ---- */

static int join(struct px_call *call, struct px_member **ret_member)
{
	const struct whiteboard *whiteboard = call->service_state;
	struct px_channel_limits limits;
	struct px_member *subscriber;
	bool is_new;
	whiteboard_get_presence_limits(call->service_state, &limits);
	int rc = whiteboard_subscribe(whiteboard, call->session, call->practice, &subscriber);
	rc = rc < 0 ? rc : px_channel_join(call->session, &whiteboard_service,
			&whiteboard_presence_kind, call->practice, px_span("presence"), &limits,
			ret_member, &is_new);
	if (rc < 0) {
		return rc;
	}
	struct px_channel *channel = px_member_channel(*ret_member);
	struct present *present = px_channel_state(channel);
	present->listed = whiteboard->presence_listed;
	if (is_new) {
		rc = arrive(*ret_member, px_broker_wall_ms(px_channel_broker(channel)));
		schedule(channel);
	}
	if (rc < 0) {
		px_member_leave(*ret_member, PX_LEFT);
	}
	return rc;
}

/* The list at once for who asks, and soon for the others. */
int whiteboard_handle_presence(struct px_call *call)
{
	const struct whiteboard *whiteboard = call->service_state;
	struct px_member *member;
	if (!whiteboard->presence) {
		return px_call_fail(call, PX_E_SERVICE_DISABLED, NULL,
				"This server does not tell who is present.");
	}
	if (px_envelope_kind(call->message, "present") != PX_ABSENT &&
			!px_envelope_bool(call->message, "present")) {
		whiteboard_leave_presence(call->session, call->practice);
		return 0;
	}
	int rc = join(call, &member);
	if (rc < 0) {
		return whiteboard_fail_join(call, rc);
	}
	struct px_message *message = compose(member, true);
	if (!message) {
		return px_call_fail(call, PX_E_UNAVAILABLE, NULL, "The server is out of memory.");
	}
	px_session_send(call->session, message);
	px_message_unref(px_session_broker(call->session), message);
	return 0;
}

/* The number of an update that there has been; -1: it is none. */
static int64_t read_seq(struct px_call *call)
{
	const struct px_member *subscriber =
			px_session_member(call->session, &whiteboard_kind, call->practice, px_span(""));
	struct json_object *value = px_envelope_json(call->message, "seq");
	int64_t seq = value ? json_object_get_int64(value) : -1;
	return subscriber && seq >= 0 &&
			(uint64_t)seq <= px_channel_seq(px_member_channel(subscriber)) ? seq : -1;
}

int whiteboard_handle_seen(struct px_call *call)
{
	struct px_member *member = find(call->session, call->practice);
	if (!member) {
		return px_call_fail(call, PX_E_NOT_IN_ROOM, NULL,
				"This session is not present on that whiteboard.");
	}
	int64_t seq = read_seq(call);
	if (seq < 0) {
		return px_call_fail(call, PX_E_BAD_MESSAGE, "seq",
				"This field must be the number of an update.");
	}
	const struct attendee *attendee = px_member_state(member);
	see(px_member_channel(member), attendee->person, (uint64_t)seq);
	schedule(px_member_channel(member));
	return 0;
}

/* ---- the next server ---- */

void whiteboard_get_presence_limits(void *state, struct px_channel_limits *ret_limits)
{
	(void)state;
	*ret_limits = (struct px_channel_limits){ .members = SESSIONS_MAX };
}

int whiteboard_restore_presence(void *state, struct px_channel *channel,
		struct json_object *saved)
{
	const struct whiteboard *whiteboard = state;
	struct present *present = px_channel_state(channel);
	(void)saved;
	present->listed = whiteboard->presence_listed;
	return 0;
}

void whiteboard_save_present(void *state, struct px_member *member, struct px_json *json)
{
	const struct attendee *attendee = px_member_state(member);
	(void)state;
	px_json_int(json, "since", attendee->person->since_ms);
	px_json_int(json, "seen", (int64_t)attendee->person->seq);
}

/* The others are told once more, as somebody may have been about to be forgotten. */
int whiteboard_restore_present(void *state, struct px_member *member, struct json_object *saved)
{
	struct px_channel *channel = px_member_channel(member);
	const struct attendee *attendee = px_member_state(member);
	int64_t since_ms;
	int64_t seq;
	(void)state;
	if (!px_json_get_int(saved, "since", 0, INT64_MAX, &since_ms) ||
			!px_json_get_int(saved, "seen", 0, INT64_MAX, &seq)) {
		return -EINVAL;
	}
	int rc = arrive(member, since_ms);
	if (rc == 0) {
		see(channel, attendee->person, (uint64_t)seq);
		schedule(channel);
	}
	return rc;
}

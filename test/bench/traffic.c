/* SPDX-License-Identifier: MIT */
/*
 * Sending and checking, see traffic.h.
 *
 * A message's text begins with a payload of 99 bytes: a marker, the sender's number and its
 * sequence number in fixed width, and 64 bytes of text. A receiver finds it by its marker and not
 * by parsing: that would make the load slower than the servers. So that nothing is missed thereby,
 * the first message of every sender to every receiver is looked at whole: byte for byte where it
 * is passed on as it is, for the fields that it must have where it is the application's.
 *
 * Exactly once and in order is one comparison: every receiver knows the sequence number that is due
 * next from every other member of its room. A message is complete when all have it, and a window is
 * over when all are complete; the fence afterwards is for what comes once too often.
 */
#define _GNU_SOURCE 1
#include "traffic.h"

#define MARKER "praxis-bench:"
#define MARKER_CHARS (sizeof(MARKER) - 1)
#define SENDER_DIGITS 6
#define SEQUENCE_DIGITS 10
#define SENDER_AT MARKER_CHARS
#define SEQUENCE_AT (SENDER_AT + SENDER_DIGITS + 1)
#define PADDING_AT (SEQUENCE_AT + SEQUENCE_DIGITS + 1)
#define PAYLOAD_BYTES (PADDING_AT + sizeof(padding) - 1)
#define FILLER 'x' /* behind the payload, where a text is longer */
#define MESSAGE_MAX_BYTES 16384
#define FENCE_MAX 64 /* pings at a time: it is no measurement of pings */

static const char padding[] =
		"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789abcdef";

static void digits_write(char *at, unsigned digits, uint32_t value)
{
	while (digits > 0) {
		at[--digits] = (char)('0' + value % 10);
		value /= 10;
	}
}

static uint64_t digits_read(const uint8_t *at, unsigned digits)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < digits; i++) {
		if (at[i] < '0' || at[i] > '9') {
			return UINT64_MAX;
		}
		value = value * 10 + (uint64_t)(at[i] - '0');
	}
	return value;
}

static const char *message_type(const struct room *r)
{
	return r->kind == ROOM_BOARD ? "whiteboard_update" :
			r->kind == ROOM_SIGNAL ? "telemedicine_offer" : "telemedicine_chat_message";
}

/* The application's message, around a text. */
static int application_message(const struct traffic *t, const struct client *c, const char *text,
		char *out, size_t size)
{
	const struct room *r = c->room;
	const char *id = t->receipts ? ",\"id\":1" : "";

	switch (r->kind) {
	case ROOM_BOARD:
		return snprintf(out, size, "{\"type\":\"%s\",\"practiceId\":%u,\"data\":\"%s\"%s}",
				message_type(r), r->practice, text, id);
	case ROOM_SIGNAL:
		return snprintf(out, size, "{\"type\":\"%s\",\"roomId\":\"r%u\","
				"\"appointmentId\":%u,\"offer\":{\"type\":\"offer\",\"sdp\":\"%s\"},"
				"\"from\":%u%s}", message_type(r), r->number, r->number, text,
				c->number, id);
	default:
		return snprintf(out, size, "{\"type\":\"%s\",\"roomId\":\"r%u\","
				"\"appointmentId\":%u,\"message\":\"%s\",\"from\":\"u%u\","
				"\"fromUserId\":%u%s}", message_type(r), r->number, r->number, text,
				c->number, c->number, id);
	}
}

static void client_prepare(struct traffic *t, struct room *r, unsigned place)
{
	struct client *c = &r->members[place];
	char text[MESSAGE_MAX_BYTES], message[MESSAGE_MAX_BYTES + 512];
	size_t filled = t->text_bytes > PAYLOAD_BYTES ? t->text_bytes : PAYLOAD_BYTES, head = 0;
	int chars;

	c->room = r;
	c->place = place;
	c->flights = buffer_must(calloc(t->flight_count, sizeof(*c->flights)));
	memset(text, FILLER, filled);
	text[filled] = '\0';
	chars = snprintf(message, sizeof(message), MARKER "%0*u:%0*u:%s", SENDER_DIGITS, c->number,
			SEQUENCE_DIGITS, 0u, padding);
	memcpy(text, message, (size_t)chars);
	if (t->dialect->is_application) {
		chars = application_message(t, c, text, message, sizeof(message));
	} else {
		head = t->dialect->wrap ? t->dialect->wrap(c, filled, (uint8_t *)message) : 0;
		memcpy(message + head, text, filled);
		chars = (int)(head + filled);
	}
	c->text_bytes = (size_t)chars;
	c->text = buffer_must(malloc(c->text_bytes));
	memcpy(c->text, message, c->text_bytes);
	c->payload_at = (size_t)((char *)memmem(message, c->text_bytes, MARKER, MARKER_CHARS) -
			message);
	c->head_bytes = head;
}

void client_ready(struct traffic *t, struct client *c)
{
	t->loop.progress++;
	if (c->visitor) {
		visitors_greeted(&t->visitors, c);
	} else {
		t->ready++;
	}
}

static void on_open(void *user, struct client *c)
{
	struct traffic *t = user;

	t->loop.progress++;
	if (t->dialect->on_open) {
		t->dialect->on_open(&t->loop, c);
	} else if (!t->dialect->is_application) { /* that one has something to say first */
		client_ready(t, c);
	}
}

static void on_pong(void *user, struct client *c, const uint8_t *payload, size_t bytes)
{
	struct traffic *t = user;

	(void)payload;
	if (bytes != 0) {
		check_failed("client %u got a pong that is not what it pinged", c->number);
	}
	t->loop.progress++;
	t->pongs++;
}

static uint32_t *due_of(struct room *r, const struct client *from, const struct client *to)
{
	return &r->due[(size_t)from->place * r->member_count + to->place];
}

static void on_stall(void *user)
{
	struct traffic *t = user;

	for (unsigned i = 0; i < t->room_count; i++) {
		struct room *r = &t->rooms[i];

		for (size_t pair = 0; pair < (size_t)r->member_count * r->member_count; pair++) {
			struct client *to = &r->members[pair % r->member_count];
			struct client *from = &r->members[pair / r->member_count];

			if (to != from && *due_of(r, from, to) < from->sent) {
				check_failed("client %u of room %u still lacks message %u of "
						"client %u after ten seconds", to->number, i,
						*due_of(r, from, to), from->number);
			}
		}
	}
	check_failed("nothing happened for ten seconds: %u clients let in, %u in their rooms, "
			"%u announcements of a join, %u pongs to the last ping, %llu receipts due",
			t->ready, t->joined, t->joins_seen, t->pongs,
			(unsigned long long)t->receipts_due);
}

static void client_say(struct traffic *t, struct client *from)
{
	struct room *r = from->room;
	struct flight *flight = &from->flights[from->sent % t->flight_count];

	if (flight->waiting > 0) {
		check_failed("client %u has %u messages on their way: the server cannot keep up",
				from->number, t->flight_count);
	}
	flight->waiting = r->member_count - (t->dialect->returns_own ? 0 : 1);
	flight->sent_ns = t->loop.now_ns;
	digits_write(from->text + from->payload_at + SEQUENCE_AT, SEQUENCE_DIGITS, from->sent);
	client_send(&t->loop, from, t->dialect->opcode, from->text, from->text_bytes);
	from->sent++;
	r->in_flight++;
	t->in_flight++;
	t->messages++;
	t->messages_left--;
	t->receipts_due += t->receipts && t->dialect->is_application ? 1 : 0;
}

/* Whose turn it is. */
static struct client *room_next(struct room *r)
{
	struct client *next = &r->members[r->next_sender];

	r->next_sender = (r->next_sender + 1) % r->member_count;
	return next;
}

static void room_burst(struct traffic *t, struct room *r)
{
	struct client *from = room_next(r);

	while (t->sending && t->messages_left > 0 && r->in_flight < t->flight_count) {
		client_say(t, from);
	}
}

static void on_complete(struct traffic *t, struct room *r, struct client *last_receiver)
{
	if (t->per_second > 0) {
		return;
	}
	if (r->member_count == 2 && t->sending && t->messages_left > 0) {
		client_say(t, last_receiver);
		client_flush(&t->loop, last_receiver); /* as one that answers each for itself */
	} else if (r->in_flight == 0) {
		room_burst(t, r);
	}
}

/* The payload in a text, at the place where the last one stood if it is there; NULL if nowhere. */
static const uint8_t *payload_find(struct client *to, const uint8_t *text, size_t bytes)
{
	const uint8_t *at = text + to->payload_hint;

	if (bytes < to->payload_hint + MARKER_CHARS || memcmp(at, MARKER, MARKER_CHARS) != 0) {
		at = memmem(text, bytes, MARKER, MARKER_CHARS);
	}
	if (at == NULL || (size_t)(text + bytes - at) < PAYLOAD_BYTES) {
		return NULL;
	}
	to->payload_hint = (size_t)(at - text);
	return at;
}

/* Looks at a message whole; its payload is known to be right. */
static void check_whole(const struct traffic *t, const struct client *to, const struct client *from,
		const uint8_t *text, size_t bytes)
{
	char type[64], room_id[64];
	const char *fields[] = { type, to->room->kind == ROOM_BOARD ? type : room_id,
		"\"timestamp\":", "\"clientId\":\"", "\"practiceId\":" };

	snprintf(type, sizeof(type), "\"type\":\"%s\"", message_type(to->room));
	snprintf(room_id, sizeof(room_id), "\"roomId\":\"r%u\"", to->room->number);
	if (!t->dialect->is_application) {
		const char *sent = from->text + from->head_bytes;
		size_t after = PAYLOAD_BYTES;

		if (bytes != from->text_bytes - from->head_bytes ||
				memcmp(text + after, sent + after, bytes - after) != 0) {
			check_failed("client %u got other bytes than were sent: %.*s", to->number,
					(int)bytes, (const char *)text);
		}
		return;
	}
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		if (memmem(text, bytes, fields[i], strlen(fields[i])) == NULL) {
			check_failed("client %u got a message without %s: %.*s", to->number,
					fields[i], (int)bytes, (const char *)text);
		}
	}
}

/* Whether the payload stands where it may. */
static bool is_in_place(const struct traffic *t, const uint8_t *payload, const uint8_t *text,
		size_t bytes)
{
	const uint8_t *end = payload + PAYLOAD_BYTES;

	if (memcmp(payload + PADDING_AT, padding, PAYLOAD_BYTES - PADDING_AT) != 0) {
		return false;
	}
	if (!t->dialect->is_application) {
		return payload == text;
	}
	return payload > text && payload[-1] == '"' && text[0] == '{' && text[bytes - 1] == '}' &&
			(*end == '"' || *end == FILLER);
}

/* Who sent a message and its number; what is not another member's message ends the program. */
static struct client *message_read(const struct traffic *t, struct client *to, const uint8_t *text,
		size_t bytes, uint64_t *ret_sequence)
{
	const uint8_t *payload = payload_find(to, text, bytes);
	uint64_t sender;

	if (payload == NULL || bytes > MESSAGE_MAX_BYTES || !is_in_place(t, payload, text, bytes)) {
		check_failed("client %u got something that nobody sent: %.*s", to->number,
				(int)(bytes < 300 ? bytes : 300), (const char *)text);
	}
	sender = digits_read(payload + SENDER_AT, SENDER_DIGITS);
	*ret_sequence = digits_read(payload + SEQUENCE_AT, SEQUENCE_DIGITS);
	if (sender == 0 || sender > t->member_count || t->clients[sender - 1].room != to->room) {
		check_failed("client %u of room %u got a message of client %llu, who is not in it",
				to->number, to->room->number, (unsigned long long)sender);
	}
	if (sender == to->number && !t->dialect->returns_own) {
		check_failed("client %u got its own message back", to->number);
	}
	return &t->clients[sender - 1];
}

static void room_receive(struct traffic *t, struct client *to, const uint8_t *text, size_t bytes)
{
	struct room *r = to->room;
	uint64_t sequence;
	struct client *from = message_read(t, to, text, bytes, &sequence);
	uint32_t *due = due_of(r, from, to);
	struct flight *flight = &from->flights[sequence % t->flight_count];

	if (sequence != *due || sequence >= from->sent) {
		check_failed("client %u of room %u got message %llu of client %u where %u was due: "
				"%s", to->number, r->number, (unsigned long long)sequence,
				from->number, *due, sequence < *due ? "it comes twice or late"
						: "one is missing or comes late");
	}
	if (*due == 0) {
		check_whole(t, to, from, text, bytes);
	}
	(*due)++;
	t->deliveries++;
	t->wire_bytes += ws_header_bytes(bytes) + bytes;
	t->loop.progress++;
	histogram_add(&t->latency, t->loop.now_ns - flight->sent_ns);
	if (r->member_count == 2 && t->flight_count == 1 && from->place == 1 && to->sent > 0) {
		histogram_add(&t->round_trip, t->loop.now_ns - to->flights[0].sent_ns);
	}
	if (--flight->waiting == 0) {
		r->in_flight--;
		t->in_flight--;
		on_complete(t, r, to == from ? &r->members[from->place == 0] : to);
	}
}

/* True: it was the receipt of a message. */
static bool take_receipt(struct traffic *t, const uint8_t *text, size_t bytes)
{
	static const char ack[] = "{\"type\":\"ack\",\"id\":1";

	if (bytes < sizeof(ack) || memcmp(text, ack, sizeof(ack) - 1) != 0 ||
			memmem(text, bytes, "\"error\"", 7) != NULL || t->receipts_due == 0) {
		return false;
	}
	t->receipts_due--;
	t->loop.progress++;
	return true;
}

void traffic_receive(struct traffic *t, struct client *to, const uint8_t *text, size_t bytes)
{
	if (to->visitor) {
		visitors_receive(&t->visitors, to, text, bytes);
	} else if (t->entering || to->room == NULL) {
		entry_receive(t, to, text, bytes);
	} else if (!t->receipts || !take_receipt(t, text, bytes)) {
		room_receive(t, to, text, bytes);
	}
}

static void on_message(void *user, struct client *to, const uint8_t *message, size_t bytes)
{
	struct traffic *t = user;

	if (t->dialect->receive) {
		t->dialect->receive(t, to, message, bytes);
	} else {
		traffic_receive(t, to, message, bytes);
	}
}

static void rooms_make(struct traffic *t, const struct room_plan *plan, struct room *first,
		struct client *members)
{
	for (unsigned i = 0; i < plan->rooms; i++) {
		struct room *r = &first[i];

		r->number = (unsigned)(r - t->rooms) + 1;
		r->kind = plan->kind;
		r->practice = plan->apart ? r->number : 1;
		r->members = members + (size_t)i * plan->members;
		r->member_count = plan->members;
		r->due = buffer_must(calloc((size_t)plan->members * plan->members,
				sizeof(*r->due)));
		for (unsigned place = 0; place < plan->members; place++) {
			client_prepare(t, r, place);
		}
	}
}

void traffic_init(struct traffic *t, const struct room_plan *plans, unsigned count)
{
	unsigned rooms = 0, members = 0;

	for (unsigned i = 0; i < count; i++) {
		t->room_count += plans[i].rooms;
		t->member_count += plans[i].rooms * plans[i].members;
	}
	t->entering = true;
	t->loop.user = t;
	t->loop.opcode = t->dialect->opcode;
	t->loop.subprotocol = t->dialect->subprotocol;
	t->loop.on_open = on_open;
	t->loop.on_message = on_message;
	t->loop.on_pong = on_pong;
	t->loop.on_stall = on_stall;
	t->clients = buffer_must(calloc(t->member_count + t->idle_count + 1, sizeof(*t->clients)));
	t->rooms = buffer_must(calloc(t->room_count + 1, sizeof(*t->rooms)));
	for (unsigned i = 0; i < t->member_count + t->idle_count; i++) {
		t->clients[i].number = i + 1;
	}
	for (unsigned i = 0; i < count; i++) {
		rooms_make(t, &plans[i], t->rooms + rooms, t->clients + members);
		rooms += plans[i].rooms;
		members += plans[i].rooms * plans[i].members;
	}
}

/* With a rate: what is due by now, each of another room, in an order that is always the same. */
static void say_due(struct traffic *t)
{
	uint64_t step_ns = (uint64_t)(1e9 / t->per_second);

	for (; t->sending && t->messages_left > 0 && t->due_ns <= t->loop.now_ns;
			t->due_ns += step_ns) {
		client_say(t, room_next(&t->rooms[(t->messages * 7919) % t->room_count]));
	}
}

int traffic_wait_ms(const struct traffic *t)
{
	uint64_t due_ns = UINT64_MAX, now_ns = clock_ns();
	const struct visitors *v = &t->visitors;

	if (v->per_second > 0 && v->left > 0 && v->due_ns > 0) {
		due_ns = v->due_ns;
	}
	if (t->per_second > 0 && t->sending && t->due_ns < due_ns) {
		due_ns = t->due_ns;
	}
	if (due_ns == UINT64_MAX) {
		return 1000;
	}
	return due_ns <= now_ns ? 0 : (int)((due_ns - now_ns) / 1000000) + 1;
}

void traffic_run(struct traffic *t, double seconds, uint64_t messages)
{
	uint64_t end_ns;

	memset(&t->latency, 0, sizeof(t->latency));
	memset(&t->round_trip, 0, sizeof(t->round_trip));
	t->messages = 0;
	t->deliveries = 0;
	t->wire_bytes = 0;
	t->messages_left = messages > 0 ? messages : UINT64_MAX;
	t->sending = true;
	t->loop.now_ns = clock_ns();
	t->due_ns = t->loop.now_ns;
	end_ns = t->loop.now_ns + (uint64_t)(seconds * 1e9);
	for (unsigned i = 0; i < t->room_count && t->per_second <= 0; i++) {
		room_burst(t, &t->rooms[i]);
	}
	while (t->in_flight > 0 || t->receipts_due > 0 || (t->per_second > 0 && t->sending)) {
		if (t->per_second > 0) {
			say_due(t);
		}
		if (t->visitors.slot_count > 0) {
			visitors_come(&t->visitors);
		}
		loop_turn(&t->loop);
		if ((messages == 0 && t->loop.now_ns >= end_ns) || t->messages_left == 0) {
			t->sending = false;
		}
	}
}

void traffic_fence(struct traffic *t)
{
	unsigned count = 0, all = t->member_count + t->idle_count;

	t->pongs = 0;
	for (unsigned i = 0; i < all; i++) {
		if (t->clients[i].open) {
			client_send(&t->loop, &t->clients[i], WS_PING, "", 0);
			count++;
		}
		while (t->pongs < count && (count % FENCE_MAX == 0 || i + 1 == all)) {
			loop_turn(&t->loop);
		}
	}
}

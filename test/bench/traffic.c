/* SPDX-License-Identifier: MIT */
/*
 * Sending and checking, see traffic.h.
 *
 * The payload is 64 bytes: a marker, the sender's number and its sequence number in fixed width,
 * and padding. It stands in the same JSON for both servers. A receiver finds it by its marker and
 * not by parsing: that would make the load slower than the servers. So that nothing is missed
 * thereby, the first message of every sender to every receiver is looked at whole: byte for byte
 * from the floor, for the fields that it must have from Praxis.
 *
 * Exactly once and in order is one comparison: every receiver knows the sequence number that is due
 * next from every other member of its room. A message is complete when all have it, and a window is
 * over when all are complete; the fence afterwards is for what comes once too often.
 */
#define _GNU_SOURCE 1
#include "traffic.h"

#define PAYLOAD_BYTES 64
#define MARKER "praxis-bench:"
#define MARKER_CHARS (sizeof(MARKER) - 1)
#define SENDER_DIGITS 6
#define SEQUENCE_DIGITS 10
#define SENDER_AT MARKER_CHARS
#define SEQUENCE_AT (SENDER_AT + SENDER_DIGITS + 1)
#define PADDING_AT (SEQUENCE_AT + SEQUENCE_DIGITS + 1)
#define MESSAGE_MAX_BYTES 1024
#define FENCE "fence"
#define FENCE_MAX 64 /* pings at a time: it is no measurement of pings */

static const char padding[] = "abcdefghijklmnopqrstuvwxyzabcdefg";
_Static_assert(PADDING_AT + sizeof(padding) - 1 == PAYLOAD_BYTES, "a payload is 64 bytes");

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

static const char *message_type(const struct traffic *t)
{
	return t->whiteboard ? "whiteboard_update" : "telemedicine_chat_message";
}

static void client_prepare(struct traffic *t, struct room *r, unsigned place)
{
	struct client *c = &r->members[place];
	char text[MESSAGE_MAX_BYTES];
	int chars;

	c->room = r; /* a whiteboard takes no notice of it, but passes it on */
	c->place = place;
	c->flights = buffer_must(calloc(t->flight_count, sizeof(*c->flights)));
	chars = snprintf(text, sizeof(text),
			"{\"type\":\"%s\",\"practiceId\":1,\"roomId\":\"bench-%u\","
			"\"appointmentId\":1,\"message\":\"" MARKER "%0*u:%0*u:%s\","
			"\"from\":\"u%u\",\"fromUserId\":%u}", message_type(t), r->number,
			SENDER_DIGITS, c->number,
			SEQUENCE_DIGITS, 0u, padding, c->number, c->number);
	c->text_bytes = (size_t)chars;
	c->text = buffer_must(strdup(text));
	c->payload_at = (size_t)(strstr(c->text, MARKER) - c->text);
}

static void on_open(void *user, struct client *c)
{
	struct traffic *t = user;

	t->loop.progress++;
	t->ready += t->praxis || c->visitor ? 0 : 1; /* Praxis has something to say first */
}

static void on_pong(void *user, struct client *c, const uint8_t *payload, size_t bytes)
{
	struct traffic *t = user;

	if (bytes != sizeof(FENCE) - 1 || memcmp(payload, FENCE, bytes) != 0) {
		check_failed("client %u got a pong that is not what it pinged", c->number);
	}
	t->loop.progress++;
	t->pongs++;
}

static void on_stall(void *user)
{
	struct traffic *t = user;
	unsigned members = t->member_count;

	for (unsigned i = 0; i < t->room_count; i++) {
		for (unsigned pair = 0; pair < members * members; pair++) {
			struct client *to = &t->rooms[i].members[pair / members];
			struct client *from = &t->rooms[i].members[pair % members];

			if (to != from && t->rooms[i].due[pair] < from->sent) {
				check_failed("client %u of room %u still lacks message %u of "
						"client %u after ten seconds", to->number, i,
						t->rooms[i].due[pair], from->number);
			}
		}
	}
	check_failed("nothing happened for ten seconds: %u clients let in, %u in their rooms, "
			"%u announcements of a join, %u pongs to the last ping", t->ready,
			t->joined, t->joins_seen, t->pongs);
}

static void room_send(struct traffic *t, struct room *r)
{
	struct client *from = &r->members[r->next_sender];
	struct flight *flight = &from->flights[from->sent % t->flight_count];

	r->next_sender = (r->next_sender + 1) % t->member_count;
	flight->waiting = t->member_count - 1;
	flight->sent_ns = t->loop.now_ns;
	digits_write(from->text + from->payload_at + SEQUENCE_AT, SEQUENCE_DIGITS, from->sent);
	client_send(&t->loop, from, WS_TEXT, from->text, from->text_bytes);
	from->sent++;
	r->in_flight++;
	t->in_flight++;
	t->messages++;
	t->messages_left--;
}

static void room_refill(struct traffic *t, struct room *r)
{
	while (t->sending && t->messages_left > 0 && r->in_flight < t->flight_count) {
		room_send(t, r);
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
	const char *fields[] = { type, room_id,
		"\"timestamp\":", "\"clientId\":\"", "\"practiceId\":" };

	snprintf(type, sizeof(type), "\"type\":\"%s\"", message_type(t));
	snprintf(room_id, sizeof(room_id), "\"roomId\":\"bench-%u\"", to->room->number);
	if (!t->praxis) {
		size_t after = from->payload_at + PAYLOAD_BYTES;

		if (bytes != from->text_bytes || memcmp(text, from->text, from->payload_at) != 0 ||
				memcmp(text + after, from->text + after, bytes - after) != 0) {
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

/* Who sent a message and its number; what is not another member's message ends the program. */
static struct client *message_read(const struct traffic *t, struct client *to, const uint8_t *text,
		size_t bytes, uint64_t *ret_sequence)
{
	const uint8_t *payload = payload_find(to, text, bytes);
	uint64_t sender, members = (uint64_t)t->room_count * t->member_count;

	if (payload == NULL || bytes > MESSAGE_MAX_BYTES || payload == text ||
			payload[-1] != '"' || text[0] != '{' || text[bytes - 1] != '}' ||
			payload + PAYLOAD_BYTES == text + bytes || payload[PAYLOAD_BYTES] != '"' ||
			memcmp(payload + PADDING_AT, padding, PAYLOAD_BYTES - PADDING_AT) != 0) {
		check_failed("client %u got something that nobody sent: %.*s", to->number,
				(int)(bytes < 300 ? bytes : 300), (const char *)text);
	}
	sender = digits_read(payload + SENDER_AT, SENDER_DIGITS);
	*ret_sequence = digits_read(payload + SEQUENCE_AT, SEQUENCE_DIGITS);
	if (sender == 0 || sender > members || t->clients[sender - 1].room != to->room) {
		check_failed("client %u of room %u got a message of client %llu, who is not in it",
				to->number, to->room->number, (unsigned long long)sender);
	}
	if (sender == to->number) {
		check_failed("client %u got its own message back", to->number);
	}
	return &t->clients[sender - 1];
}

static void room_receive(struct traffic *t, struct client *to, const uint8_t *text, size_t bytes)
{
	struct room *r = to->room;
	uint64_t sequence;
	struct client *from = message_read(t, to, text, bytes, &sequence);
	uint32_t *due = &r->due[to->place * t->member_count + from->place];
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
	t->loop.progress++;
	histogram_add(&t->latency, t->loop.now_ns - flight->sent_ns);
	if (t->member_count == 2 && t->flight_count == 1 && to->place == 0 && to->sent > 0) {
		histogram_add(&t->round_trip, t->loop.now_ns - to->flights[0].sent_ns);
	}
	if (--flight->waiting == 0) {
		r->in_flight--;
		t->in_flight--;
		room_refill(t, r);
	}
}

static void on_text(void *user, struct client *to, const uint8_t *text, size_t bytes)
{
	struct traffic *t = user;

	if (to->visitor) {
		visitors_receive(&t->visitors, to, text, bytes);
	} else if (t->entering || to->room == NULL) {
		entry_receive(t, to, text, bytes);
	} else {
		room_receive(t, to, text, bytes);
	}
}

void traffic_init(struct traffic *t)
{
	unsigned members = t->member_count, total = t->room_count * members + t->idle_count;

	t->entering = true;
	t->loop.user = t;
	t->loop.on_open = on_open;
	t->loop.on_text = on_text;
	t->loop.on_pong = on_pong;
	t->loop.on_stall = on_stall;
	t->clients = buffer_must(calloc(total, sizeof(*t->clients)));
	t->rooms = buffer_must(calloc(t->room_count, sizeof(*t->rooms)));
	for (unsigned i = 0; i < total; i++) {
		t->clients[i].number = i + 1;
	}
	for (unsigned i = 0; i < t->room_count; i++) {
		struct room *r = &t->rooms[i];

		r->number = i;
		r->members = &t->clients[i * members];
		r->due = buffer_must(calloc((size_t)members * members, sizeof(*r->due)));
		for (unsigned place = 0; place < members; place++) {
			client_prepare(t, r, place);
		}
	}
}

void traffic_run(struct traffic *t, double seconds, uint64_t messages)
{
	uint64_t end_ns;

	memset(&t->latency, 0, sizeof(t->latency));
	memset(&t->round_trip, 0, sizeof(t->round_trip));
	t->messages = 0;
	t->deliveries = 0;
	t->messages_left = messages > 0 ? messages : UINT64_MAX;
	t->sending = true;
	t->loop.now_ns = clock_ns();
	end_ns = t->loop.now_ns + (uint64_t)(seconds * 1e9);
	for (unsigned i = 0; i < t->room_count; i++) {
		room_refill(t, &t->rooms[i]);
	}
	while (t->in_flight > 0) {
		if (t->visitors.slot_count > 0) {
			visitors_come(&t->visitors);
		}
		loop_turn(&t->loop);
		if (messages == 0 && t->loop.now_ns >= end_ns) {
			t->sending = false;
		}
	}
}

void traffic_fence(struct traffic *t)
{
	unsigned count = 0, all = t->room_count * t->member_count + t->idle_count;

	t->pongs = 0;
	for (unsigned i = 0; i < all; i++) {
		if (t->clients[i].open) {
			client_send(&t->loop, &t->clients[i], WS_PING, FENCE, sizeof(FENCE) - 1);
			count++;
		}
		while (t->pongs < count && (count % FENCE_MAX == 0 || i + 1 == all)) {
			loop_turn(&t->loop);
		}
	}
}

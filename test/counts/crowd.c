/* SPDX-License-Identifier: MIT */
/* See crowd.h. */
#include "crowd.h"

#include <json-c/json.h>
#include <praxis/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const lws_plugin_protocol_t svc_whiteboard;
extern const lws_plugin_protocol_t svc_telemedicine;

#define MARKER "\"counts:"
#define TEXT_MAX 2048

static void *must(void *memory)
{
	if (!memory) {
		fake_fault("out of memory");
	}
	return memory;
}

struct member *crowd_member(struct crowd *crowd, unsigned room, unsigned place)
{
	return &crowd->members[room * crowd->size + place];
}

struct fake_who crowd_who(const struct member *member)
{
	return (struct fake_who){ .practices = "1", .user = member->user, .name = "Ann Other",
		.authenticated = true };
}

/* A block of just that size, as one message is that libwebsockets has put together. */
static void set_text(struct member *member, const char *text)
{
	free(member->text);
	member->text_len = strlen(text);
	member->text = must(malloc(member->text_len));
	memcpy(member->text, text, member->text_len);
}

/* A drawing as a whiteboard's client sends it: points in arrays, some names, a little of UTF-8. */
static size_t put_strokes(char *at, size_t size, unsigned number)
{
	size_t len = 0;
	for (unsigned i = 0; i < 13 && len < size; i++) {
		len += (size_t)snprintf(at + len, size - len, "%s{\"id\":%u,\"color\":\"#1e%02x3c\","
				"\"label\":\"R\xc3\xb6ntgen \\\"%u\\\"\",\"points\":[%u,%u.5,%u,%u]}",
				i > 0 ? "," : "", number + i, i, i, 10 + i, 20 + i, 110 + i, 220 + i);
	}
	return len;
}

static void say_update(struct member *member)
{
	char text[TEXT_MAX];
	size_t len = (size_t)snprintf(text, sizeof(text), "{\"type\":\"whiteboard_update\","
			"\"practiceId\":1,\"id\":%u,\"message\":" MARKER "%04u:%08u\","
			"\"data\":{\"strokes\":[", 10000000 + member->said, member->place,
			member->said);
	len += put_strokes(text + len, sizeof(text) - len, 1000);
	(void)snprintf(text + len, sizeof(text) - len, "]}}");
	set_text(member, text);
}

static void say_chat(struct member *member)
{
	char text[TEXT_MAX];
	(void)snprintf(text, sizeof(text), "{\"type\":\"telemedicine_chat_message\","
			"\"practiceId\":1,\"roomId\":\"room-%u\",\"appointmentId\":1,"
			"\"message\":" MARKER "%04u:%08u:abcdefghijklmnopqrstuvwxyzabcdefghijklmno\","
			"\"from\":\"u%s\",\"fromUserId\":%s}", member->room, member->place,
			member->said, member->user, member->user);
	set_text(member, text);
}

void crowd_say(struct crowd *crowd, struct member *member)
{
	if (crowd->kind == CROWD_BOARD) {
		say_update(member);
	} else {
		say_chat(member);
	}
	member->said++;
}

void crowd_confirm(struct member *member)
{
	char text[64];
	(void)snprintf(text, sizeof(text), "{\"type\":\"received\",\"n\":%llu}",
			(unsigned long long)member->got);
	set_text(member, text);
}

/* ---- reading ---- */

static void take_marked(struct crowd *crowd, struct member *member, const char *marker)
{
	unsigned place;
	unsigned number;
	if (sscanf(marker + strlen(MARKER), "%4u:%8u", &place, &number) != 2 ||
			place >= crowd->size || place == member->place) {
		fake_fault("a message that nobody can have sent: %.80s", marker);
	}
	if (number != member->due[place]++) {
		fake_fault("message %u of %u is no. %u for %u", number, place,
				member->due[place] - 1, member->place);
	}
}

static void take(struct crowd *crowd, struct member *member, const char *text)
{
	char room[32];
	(void)snprintf(room, sizeof(room), "\"roomId\":\"room-%u\"", member->room);
	const char *marker = strstr(text, MARKER);
	member->got++;
	if (marker) {
		if (crowd->kind != CROWD_BOARD && !strstr(text, room)) {
			fake_fault("of another room: %s", text);
		}
		take_marked(crowd, member, marker);
	} else if (strstr(text, "\"type\":\"ack\"")) {
		member->acked++;
	} else {
		fake_fault("unexpected: %s", text);
	}
}

void crowd_check(struct crowd *crowd)
{
	for (unsigned i = 0; i < crowd->rooms * crowd->size; i++) {
		struct member *member = &crowd->members[i];
		for (const char *text; *(text = fake_text(member->conn)) != '\0';) {
			take(crowd, member, text);
		}
		fake_forget(member->conn);
		if (member->acked != (crowd->kind == CROWD_BOARD ? member->said : 0)) {
			fake_fault("%u receipts for %u messages", member->acked, member->said);
		}
		for (unsigned place = 0; place < crowd->size; place++) {
			const struct member *other = crowd_member(crowd, member->room, place);
			if (other != member && member->due[place] != other->said) {
				fake_fault("%u of %u messages arrived", member->due[place],
						other->said);
			}
		}
	}
}

void crowd_read_resumed(struct member *member)
{
	struct fake_conn *conn = member->conn;
	struct json_object *resumed = fake_expect(conn, "{'type':'resumed'}");
	struct json_object *resume;
	if (!json_object_object_get_ex(resumed, "resume", &resume)) {
		fake_fault("resumed without another token");
	}
	(void)snprintf(conn->token, sizeof(conn->token), "%s", fake_member(resume, "token"));
}

/* ---- beginning and end ---- */

static void join(struct member *member)
{
	char text[TEXT_MAX];
	(void)snprintf(text, sizeof(text), "{\"type\":\"telemedicine_user_joined\","
			"\"practiceId\":1,\"roomId\":\"room-%u\",\"appointmentId\":1,\"userId\":%s,"
			"\"userName\":\"Ann Other\"}", member->room, member->user);
	fake_say(member->conn, text);
}

static void skip_all(struct crowd *crowd)
{
	for (unsigned i = 0; i < crowd->rooms * crowd->size; i++) {
		struct member *member = &crowd->members[i];
		while (*fake_text(member->conn) != '\0') {
			member->got++;
		}
		fake_forget(member->conn);
	}
}

static void add_member(struct crowd *crowd, unsigned i)
{
	struct member *member = &crowd->members[i];
	member->room = i / crowd->size;
	member->place = i % crowd->size;
	member->due = must(calloc(crowd->size, sizeof(*member->due)));
	(void)snprintf(member->user, sizeof(member->user), "%u", 100 + i);
	struct fake_who who = crowd_who(member);
	who.versioned = crowd->kind == CROWD_RESUME;
	member->conn = fake_open(crowd->fake, &who);
	if (crowd->kind != CROWD_BOARD) {
		join(member);
	}
}

struct crowd *crowd_create(unsigned rooms, unsigned size, enum crowd_kind kind)
{
	struct px_limits limits = fake_limits();
	struct crowd *crowd = must(calloc(1, sizeof(*crowd)));
	limits.heartbeat_ms = 0;
	limits.grace_ms = kind == CROWD_RESUME ? 30000 : 0;
	limits.detached_sessions = 100;
	limits.resume_messages = 512;
	limits.resume_bytes = 256 * 1024;
	crowd->fake = fake_create(&limits);
	crowd->kind = kind;
	crowd->rooms = rooms;
	crowd->size = size;
	crowd->members = must(calloc((size_t)rooms * size, sizeof(*crowd->members)));
	(void)fake_add_service(crowd->fake, svc_whiteboard.protocols[0].user, NULL);
	(void)fake_add_service(crowd->fake, svc_telemedicine.protocols[0].user,
			"{\"room-members\":1000}");
	for (unsigned i = 0; i < rooms * size; i++) {
		add_member(crowd, i);
	}
	skip_all(crowd);
	return crowd;
}

void crowd_destroy(struct crowd *crowd)
{
	crowd_check(crowd);
	fake_destroy(crowd->fake);
	for (unsigned i = 0; i < crowd->rooms * crowd->size; i++) {
		free(crowd->members[i].text);
		free(crowd->members[i].due);
	}
	free(crowd->members);
	free(crowd);
}

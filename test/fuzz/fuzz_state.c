/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of what a server left for the next: the input is the lines of a state, without the
 * file's frame (whose checksum a fuzzer would not get past). Whatever it says, it is taken up
 * or refused whole. What was taken up is written down again; that text must be taken up by a
 * third broker, and make the same text.
 */
#include "../unit/fake.h"

#include <praxis/plugin.h>
#include <praxis/state.h>
#include <stdlib.h>
#include <string.h>

extern const lws_plugin_protocol_t svc_whiteboard;
extern const lws_plugin_protocol_t svc_telemedicine;

struct text {
	char *data;
	size_t len;
	size_t at; /* of the next line to be read */
};

static int add_line(void *user, struct px_span line)
{
	struct text *text = user;
	text->data = realloc(text->data, text->len + line.len + 1);
	if (!text->data) {
		abort();
	}
	memcpy(text->data + text->len, line.data, line.len);
	text->data[text->len + line.len] = '\n';
	text->len += line.len + 1;
	return 0;
}

static int read_line(void *user, struct px_span *ret_line)
{
	struct text *text = user;
	if (text->at >= text->len) {
		return 0;
	}
	const char *line = text->data + text->at;
	const char *end = memchr(line, '\n', text->len - text->at);
	size_t len = end ? (size_t)(end - line) : text->len - text->at;
	*ret_line = (struct px_span){ line, len };
	text->at += len + 1;
	return 1;
}

struct reading {
	struct fake *fake;
	struct text text;
};

static int next_line(void *user, struct px_span *ret_line)
{
	struct reading *reading = user;
	return read_line(&reading->text, ret_line);
}

static struct px_site *site_of(void *user, struct px_span name)
{
	struct reading *reading = user;
	struct px_site *site = &reading->fake->site;
	return px_span_equal(name, px_span(site->name)) ? site : NULL;
}

static struct fake *begin(void)
{
	struct px_limits limits = fake_limits();
	limits.channels = 20;
	limits.rooms_per_practice = 5;
	limits.grace_ms = 30000;
	limits.resume_messages = 64;
	limits.resume_bytes = 65536;
	struct fake *fake = fake_create(&limits);
	(void)fake_add_service(fake, svc_whiteboard.protocols[0].user, "{\"history\":8}");
	(void)fake_add_service(fake, svc_telemedicine.protocols[0].user,
			"{\"chat-history\":3,\"room-members\":3}");
	return fake;
}

/* What was taken up can be used: somebody comes to the room and the board of the corpus. */
static void visit(struct fake *fake)
{
	struct fake_conn *conn = fake_open(fake, WHO(.authenticated = true, .user = "77"));
	fake_send(conn, "{\"type\":\"telemedicine_user_joined\",\"roomId\":\"r\",\"appointmentId\":1,"
			"\"userId\":77,\"userName\":\"n\"}");
	fake_send(conn, "{\"type\":\"whiteboard_subscribe\",\"practiceId\":1,"
			"\"since\":{\"epoch\":\"0123456789abcdef\",\"seq\":1}}");
	fake_say(conn, "{\"type\":\"whiteboard_update\",\"practiceId\":1}");
	fake_advance(fake, 29000);
	fake_turn(fake);
}

/* What is loaded and then saved; data NULL: it was refused. */
static struct text pass_through(struct text text)
{
	struct text saved = { 0 };
	struct px_state_counts counts;
	struct reading reading = { begin(), text };
	struct px_state_reader reader = { &reading, next_line, site_of, 0 };
	if (px_broker_load(reading.fake->broker, &reader, &counts) == 0) {
		struct px_state_writer writer = { &saved, add_line };
		if (px_broker_save(reading.fake->broker, &writer) < 0) {
			fake_fault("it can not be saved");
		}
		visit(reading.fake);
	}
	fake_destroy(reading.fake);
	return saved;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Copied to its exact size, so that a byte too far is seen. */
	struct text text = { malloc(size > 0 ? size : 1), size, 0 };
	memcpy(text.data, data, size);
	struct text first = pass_through(text);
	free(text.data);
	if (!first.data) {
		return 0;
	}
	struct text second = pass_through(first);
	if (second.len != first.len || memcmp(second.data, first.data, first.len) != 0) {
		fake_fault("what was taken up is not what was written:\n%.*s\n%.*s", (int)first.len,
				first.data, (int)second.len, second.data);
	}
	free(first.data);
	free(second.data);
	return 0;
}

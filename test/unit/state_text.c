/* SPDX-License-Identifier: MIT */
/* See state_text.h. */
#include "state_text.h"

#include <stdlib.h>
#include <string.h>

static int add_line(void *user, struct px_span line)
{
	struct state_text *text = user;
	size_t needed = text->len + line.len + 2;
	if (needed > text->size) {
		text->size = 2 * needed;
		text->data = realloc(text->data, text->size);
		if (!text->data) {
			abort();
		}
	}
	memcpy(text->data + text->len, line.data, line.len);
	memcpy(text->data + text->len + line.len, "\n", 2);
	text->len += line.len + 1;
	return 0;
}

int state_text_save(const struct fake *fake, struct state_text *text)
{
	struct px_state_writer writer = { text, add_line };
	return px_broker_save(fake->broker, &writer);
}

struct state_text state_text_end(struct fake *fake)
{
	struct state_text text = { 0 };
	px_broker_hold(fake->broker);
	while (fake->conns) {
		struct fake_conn *conn = fake->conns;
		fake_lose(conn);
		fake_turn(fake);
		fake_forget_conn(conn);
	}
	if (state_text_save(fake, &text) < 0) {
		fake_fault("the state is not saved");
	}
	fake_abandon(fake);
	return text;
}

struct reading {
	struct fake *fake;
	const char *at;
	size_t left;
};

static int read_line(void *user, struct px_span *ret_line)
{
	struct reading *reading = user;
	if (reading->left == 0) {
		return 0;
	}
	const char *end = memchr(reading->at, '\n', reading->left);
	size_t len = end ? (size_t)(end - reading->at) : reading->left;
	size_t taken = end ? len + 1 : len;
	*ret_line = (struct px_span){ reading->at, len };
	reading->at += taken;
	reading->left -= taken;
	return 1;
}

static struct px_realm *find_realm(void *user, struct px_span name)
{
	struct reading *reading = user;
	struct px_realm *realm = &reading->fake->realm;
	return px_span_equal(name, px_span(realm->name)) ? realm : NULL;
}

int state_text_load(struct fake *fake, const char *data, size_t len, int64_t elapsed_ms,
		struct px_state_counts *ret_counts)
{
	/* Copied to its exact size, so that a byte too far is seen. */
	char *copy = malloc(len > 0 ? len : 1);
	if (!copy) {
		abort();
	}
	memcpy(copy, data, len);
	struct reading reading = { fake, copy, len };
	struct px_state_reader reader = { &reading, read_line, find_realm, elapsed_ms, 0 };
	int rc = px_broker_load(fake->broker, &reader, ret_counts);
	free(copy);
	return rc;
}

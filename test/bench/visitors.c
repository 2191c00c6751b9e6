/* SPDX-License-Identifier: MIT */
/* See visitors.h. */
#define _GNU_SOURCE 1
#include "visitors.h"

#include <errno.h>
#include <stdio.h>

#define TOKENS_MAX 4096

static char *tokens[TOKENS_MAX];
static unsigned token_count;

void tokens_read(const char *file)
{
	FILE *in = fopen(file, "r");
	char *line = NULL;
	size_t size = 0;
	ssize_t chars;

	while (in != NULL && token_count < TOKENS_MAX && (chars = getline(&line, &size, in)) > 0) {
		line[strcspn(line, "\n")] = '\0';
		tokens[token_count++] = buffer_must(strdup(line));
	}
	free(line);
	if (in != NULL) {
		fclose(in);
	}
	if (token_count == 0) {
		check_failed("there are no tokens in %s", file);
	}
}

const char *token_of(unsigned number)
{
	return token_count > 0 ? tokens[number % token_count] : NULL;
}

void visitors_init(struct visitors *v, struct loop *l, const struct dialect *dialect,
		unsigned slots, unsigned first_number)
{
	*v = (struct visitors){ .loop = l, .dialect = dialect, .slot_count = slots,
		.left = UINT64_MAX };
	v->slots = buffer_must(calloc(slots, sizeof(*v->slots)));
	for (unsigned i = 0; i < slots; i++) {
		v->slots[i].number = first_number + i;
		v->slots[i].fd = -1;
		v->slots[i].visitor = true;
	}
}

static void come(struct visitors *v, struct client *c)
{
	char path[160];

	c->number += v->slot_count; /* somebody else each time: a user may not come that often */
	v->dialect->path(c, path, sizeof(path)); /* in open mode it says who it is */
	c->came_ns = clock_ns();
	client_connect(v->loop, c, path, token_of(c->number));
	v->here++;
	v->left--;
}

static struct client *free_slot(struct visitors *v)
{
	for (unsigned i = 0; v->here < v->slot_count && i < v->slot_count; i++) {
		if (v->slots[i].fd < 0) {
			return &v->slots[i];
		}
	}
	return NULL;
}

void visitors_come(struct visitors *v)
{
	struct client *c;

	v->due_ns = v->due_ns > 0 ? v->due_ns : v->loop->now_ns;
	while (v->left > 0 && (v->per_second <= 0 || v->due_ns <= v->loop->now_ns)) {
		c = free_slot(v);
		if (c == NULL) {
			if (v->per_second > 0) {
				check_failed("%u visitors are still waiting to be greeted", v->here);
			}
			return;
		}
		come(v, c);
		v->due_ns += v->per_second > 0 ? (uint64_t)(1e9 / v->per_second) : 0;
	}
}

void visitors_receive(struct visitors *v, struct client *c, const uint8_t *text, size_t bytes)
{
	static const char greeting[] = "{\"type\":\"connection_established\"";
	static const char user[] = "\"user\":{\"userId\":";

	if (bytes < sizeof(greeting) - 1 || memcmp(text, greeting, sizeof(greeting) - 1) != 0 ||
			memmem(text, bytes, user, sizeof(user) - 1) == NULL) {
		check_failed("visitor %u was not greeted as somebody: %.*s", c->number,
				(int)(bytes < 300 ? bytes : 300), (const char *)text);
	}
	visitors_greeted(v, c);
}

void visitors_greeted(struct visitors *v, struct client *c)
{
	histogram_add(&v->handshake, v->loop->now_ns - c->came_ns);
	v->greeted++;
	v->here--;
	v->loop->progress++;
	client_leave(v->loop, c);
}

void visitors_end(struct visitors *v)
{
	v->left = 0;
	while (v->here > 0) {
		loop_turn(v->loop);
	}
}

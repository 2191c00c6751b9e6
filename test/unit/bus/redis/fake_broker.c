/* SPDX-License-Identifier: MIT */
/* See fake_broker.h. */
#include "fake_broker.h"

#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void add_bytes(char **text, struct px_span bytes)
{
	static const char digits[] = "0123456789abcdef";
	size_t len = *text ? strlen(*text) : 0;
	char *at = realloc(*text, len + 3 * bytes.len + 1);
	ck_assert_ptr_nonnull(at);
	*text = at;
	at += len;
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.data[i];
		if (c > ' ' && c < 127 && c != '%') {
			*at++ = (char)c;
		} else {
			*at++ = '%';
			*at++ = digits[c >> 4];
			*at++ = digits[c & 15];
		}
	}
	*at = '\0';
}

void add_text(char **text, const char *format, ...)
{
	char piece[256];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(piece, sizeof(piece), format, args);
	va_end(args);
	size_t before = *text ? strlen(*text) : 0;
	*text = realloc(*text, before + (size_t)len + 1);
	ck_assert_ptr_nonnull(*text);
	memcpy(*text + before, piece, (size_t)len + 1);
}

void fake_ask(struct px_broker *broker, struct asked *asked)
{
	broker->unanswered++;
	switch (asked->job.kind) {
	case PX_BUS_COMMIT: broker->bus.commit(broker->bus.user, &asked->commit); break;
	case PX_BUS_CLAIM: broker->bus.claim(broker->bus.user, &asked->claim); break;
	case PX_BUS_FETCH: broker->bus.fetch(broker->bus.user, &asked->fetch); break;
	}
	ck_assert(!asked->is_answered);
}

void fake_forget(struct px_broker *broker)
{
	free(broker->heard);
	broker->heard = NULL;
}

void fake_finish(struct px_broker *broker)
{
	fake_forget(broker);
	free(broker->orphans);
}

/* ---- what a bus calls ---- */

int px_broker_set_bus(struct px_broker *broker, const struct px_bus *bus, uint64_t node)
{
	broker->bus = bus ? *bus : (struct px_bus){ .user = NULL };
	broker->node = node;
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_records(char **text, const struct px_bus_claim *claim)
{
	char **lines = calloc(claim->record_count + 1, sizeof(*lines));
	for (size_t i = 0; i < claim->record_count; i++) {
		const struct px_bus_record *record = &claim->records[i];
		add_text(&lines[i], "\n%d ", record->table);
		add_bytes(&lines[i], record->key);
		add_text(&lines[i], " %" PRIu64 " ", record->seq);
		add_bytes(&lines[i], record->value);
	}
	qsort(lines, claim->record_count, sizeof(*lines), by_text);
	for (size_t i = 0; i < claim->record_count; i++) {
		size_t len = *text ? strlen(*text) : 0;
		*text = realloc(*text, len + strlen(lines[i]) + 1);
		memcpy(*text + len, lines[i], strlen(lines[i]) + 1);
		free(lines[i]);
	}
	free(lines);
}

void px_broker_bus_answer(struct px_broker *broker, struct px_bus_job *job, int rc)
{
	struct asked *asked = (struct asked *)job;
	ck_assert(!asked->is_answered);
	asked->is_answered = true;
	asked->rc = rc;
	broker->unanswered--;
	if (job->kind == PX_BUS_CLAIM && rc == 0) {
		add_text(&asked->answer, "%" PRIu64 " %" PRIu64, asked->claim.gen, asked->claim.rev);
		add_records(&asked->answer, &asked->claim);
	} else if (job->kind == PX_BUS_CLAIM && rc == -EBUSY) {
		add_text(&asked->answer, "%" PRIx64 " %" PRIu64 " %" PRIu64, asked->claim.home,
				asked->claim.gen, asked->claim.rev);
	} else if (job->kind == PX_BUS_FETCH && (rc == 0 || rc == -ENODATA)) {
		add_text(&asked->answer, "%" PRIx64 " %" PRIu64 " %" PRIu64, asked->fetch.home,
				asked->fetch.gen, asked->fetch.rev);
		for (size_t i = 0; i < asked->fetch.frame_count; i++) {
			add_text(&asked->answer, "\n");
			add_bytes(&asked->answer, asked->fetch.frames[i]);
		}
	}
}

void px_broker_bus_up(struct px_broker *broker)
{
	ck_assert(!broker->is_up);
	broker->is_up = true;
	broker->ups++;
}

void px_broker_bus_down(struct px_broker *broker)
{
	ck_assert(broker->is_up);
	broker->is_up = false;
	broker->downs++;
}

void px_broker_bus_heard(struct px_broker *broker, struct px_span frame)
{
	add_bytes(&broker->heard, frame);
	add_text(&broker->heard, "\n");
}

void px_broker_bus_unheard(struct px_broker *broker, uint64_t node)
{
	broker->unheard++;
	broker->unheard_node = node;
}

void px_broker_bus_dead(struct px_broker *broker, uint64_t node)
{
	ck_assert_uint_lt(broker->dead_count, DEAD_MAX);
	for (unsigned i = 0; i < broker->dead_count; i++) {
		ck_assert(broker->dead[i] != node);
	}
	broker->dead[broker->dead_count++] = node;
}

void px_broker_bus_orphan(struct px_broker *broker, const struct px_bus_place *place, uint64_t node)
{
	add_text(&broker->orphans, "%.*s/%.*s %" PRIx64 "\n", (int)place->tenant.len, place->tenant.data,
			(int)place->practice.len, place->practice.data, node);
}

void px_broker_bus_deposed(struct px_broker *broker)
{
	broker->deposed++;
}

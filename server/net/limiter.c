/* SPDX-License-Identifier: MIT */
/*
 * See limiter.h. The table is libc's search tree; beside it are lists of entries that may be
 * forgotten, each ordered by time: the first is always the next, so nothing is searched for.
 */
#include "limiter.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#define FREE_FAILURES 2
#define PENALTY_MS 100
#define PENALTY_MAX_MS 25000
#define CLEAN_PER_CALL 4

struct line {
	struct px_limiter_entry *newest;
	struct px_limiter_entry *oldest;
	size_t count;
};

struct px_limiter {
	void *tree;
	size_t most;
	uint64_t evicted;
	struct line lines[PX_LIMITER_LINES];
};

static int compare(const void *a, const void *b)
{
	const struct px_limiter_entry *first = a;
	const struct px_limiter_entry *second = b;
	if (first->key_len != second->key_len) {
		return first->key_len < second->key_len ? -1 : 1;
	}
	return memcmp(first->key, second->key, first->key_len);
}

int px_limiter_create(size_t most, struct px_limiter **ret_limiter)
{
	struct px_limiter *limiter = calloc(1, sizeof(*limiter));
	if (!limiter) {
		return -ENOMEM;
	}
	limiter->most = most;
	*ret_limiter = limiter;
	return 0;
}

void px_limiter_set_limit(struct px_limiter *limiter, size_t most)
{
	limiter->most = most;
}

static void leave_line(struct px_limiter *limiter, struct px_limiter_entry *entry)
{
	struct line *line = &limiter->lines[entry->line];
	if (entry->line != PX_LIMITER_NO_LINE) {
		*(entry->newer ? &entry->newer->older : &line->newest) = entry->older;
		*(entry->older ? &entry->older->newer : &line->oldest) = entry->newer;
		line->count--;
		entry->line = PX_LIMITER_NO_LINE;
	}
}

/* Moves it to the list's end, or adds it there. */
static void stand_in(struct px_limiter *limiter, struct px_limiter_entry *entry,
		enum px_limiter_line which)
{
	struct line *line = &limiter->lines[which];
	leave_line(limiter, entry);
	entry->line = which;
	if (which != PX_LIMITER_NO_LINE) {
		entry->newer = NULL;
		entry->older = line->newest;
		*(line->newest ? &line->newest->newer : &line->oldest) = entry;
		line->newest = entry;
		line->count++;
	}
}

static void drop(struct px_limiter *limiter, struct px_limiter_entry *entry)
{
	leave_line(limiter, entry);
	tdelete(entry, &limiter->tree, compare);
	free(entry);
}

void px_limiter_destroy(struct px_limiter *limiter)
{
	if (!limiter) {
		return;
	}
	while (limiter->tree) {
		struct px_limiter_entry *entry = *(struct px_limiter_entry **)limiter->tree;
		tdelete(entry, &limiter->tree, compare);
		free(entry);
	}
	free(limiter);
}

void px_limiter_forgive(struct px_limiter *limiter, struct px_limiter_entry *entry)
{
	entry->failures = 0;
	stand_in(limiter, entry, entry->open == 0 ? PX_LIMITER_IDLE : PX_LIMITER_NO_LINE);
}

static bool is_full(const struct px_bucket *bucket, int64_t now_ms)
{
	return bucket->full_at_ns <= now_ms * 1000000;
}

/* Whether it carries no information. */
static bool is_blank(const struct px_limiter_entry *entry, int64_t now_ms)
{
	return now_ms > entry->used_ms && is_full(&entry->coming, now_ms) &&
			is_full(&entry->requests, now_ms) && is_full(&entry->bytes, now_ms) &&
			is_full(&entry->failing, now_ms) && is_full(&entry->sessions, now_ms);
}

static bool is_forgotten(const struct px_limiter_entry *entry, int64_t now_ms)
{
	return now_ms - entry->failed_ms >= PX_LIMITER_MEMORY_MS;
}

static void forget_failures(struct px_limiter *limiter, enum px_limiter_line which, int most,
		int64_t now_ms)
{
	const struct line *line = &limiter->lines[which];
	for (int i = 0; i < most && line->oldest && is_forgotten(line->oldest, now_ms); i++) {
		px_limiter_forgive(limiter, line->oldest);
	}
}

/*
 * Forgets a few of those that were unused for the longest time; one whose rate has not recovered
 * may wait.
 */
static void clean(struct px_limiter *limiter, int64_t now_ms)
{
	const struct line *idle = &limiter->lines[PX_LIMITER_IDLE];
	forget_failures(limiter, PX_LIMITER_FAILED, CLEAN_PER_CALL, now_ms);
	forget_failures(limiter, PX_LIMITER_LOCKED, CLEAN_PER_CALL, now_ms);
	for (int i = 0; i < CLEAN_PER_CALL && idle->oldest; i++) {
		struct px_limiter_entry *entry = idle->oldest;
		if (is_blank(entry, now_ms)) {
			drop(limiter, entry);
		} else {
			stand_in(limiter, entry, PX_LIMITER_IDLE);
		}
	}
}

static size_t remembered(const struct px_limiter *limiter)
{
	size_t count = 0;
	for (int i = PX_LIMITER_IDLE; i < PX_LIMITER_LINES; i++) {
		count += limiter->lines[i].count;
	}
	return count;
}

/* An entry with something open cannot be dropped; then only its history is forgotten. */
static void evict(struct px_limiter *limiter)
{
	for (int i = PX_LIMITER_IDLE; i < PX_LIMITER_LINES; i++) {
		struct px_limiter_entry *entry = limiter->lines[i].oldest;
		if (entry) {
			limiter->evicted++;
			if (entry->open == 0) {
				drop(limiter, entry);
			} else {
				px_limiter_forgive(limiter, entry);
			}
			return;
		}
	}
}

/* Makes room for so many more. A lowered limit is reached step by step. */
static void make_room(struct px_limiter *limiter, size_t entries)
{
	for (int i = 0; i < CLEAN_PER_CALL && limiter->most > 0 &&
			remembered(limiter) + entries > limiter->most; i++) {
		evict(limiter);
	}
}

static struct px_limiter_entry *make_key(const void *key, size_t key_len)
{
	struct px_limiter_entry *entry = calloc(1, sizeof(*entry) + key_len);
	if (entry) {
		entry->key_len = key_len;
		memcpy(entry->key, key, key_len);
	}
	return entry;
}

static struct px_limiter_entry *insert(struct px_limiter *limiter, struct px_limiter_entry *entry)
{
	make_room(limiter, 1);
	if (!tsearch(entry, &limiter->tree, compare)) {
		free(entry);
		return NULL;
	}
	stand_in(limiter, entry, PX_LIMITER_IDLE);
	return entry;
}

struct px_limiter_entry *px_limiter_get(struct px_limiter *limiter, const void *key, size_t key_len,
		int64_t now_ms)
{
	clean(limiter, now_ms);
	struct px_limiter_entry *entry = make_key(key, key_len);
	if (!entry) {
		return NULL;
	}
	struct px_limiter_entry **known = tfind(entry, &limiter->tree, compare);
	if (known) {
		free(entry);
		entry = *known;
	} else {
		entry = insert(limiter, entry);
	}
	if (entry) {
		entry->used_ms = now_ms;
		if (entry->line == PX_LIMITER_IDLE) {
			stand_in(limiter, entry, PX_LIMITER_IDLE);
		}
	}
	return entry;
}

struct px_limiter_entry *px_limiter_find(struct px_limiter *limiter, const void *key,
		size_t key_len)
{
	struct px_limiter_entry *wanted = make_key(key, key_len);
	struct px_limiter_entry **known = wanted ? tfind(wanted, &limiter->tree, compare) : NULL;
	free(wanted);
	return known ? *known : NULL;
}

void px_limiter_hold(struct px_limiter *limiter, struct px_limiter_entry *entry)
{
	entry->open++;
	if (entry->line == PX_LIMITER_IDLE) {
		leave_line(limiter, entry);
	}
}

void px_limiter_release(struct px_limiter *limiter, struct px_limiter_entry *entry)
{
	if (--entry->open == 0 && entry->line == PX_LIMITER_NO_LINE) {
		stand_in(limiter, entry, PX_LIMITER_IDLE);
		make_room(limiter, 0);
	}
}

bool px_limiter_fail(struct px_limiter *limiter, struct px_limiter_entry *entry, uint32_t most,
		int64_t now_ms)
{
	if (is_forgotten(entry, now_ms)) {
		entry->failures = 0;
	}
	bool was_locked = entry->failures > 0 && entry->line == PX_LIMITER_LOCKED;
	entry->failures++;
	entry->failed_ms = now_ms;
	bool locks = was_locked || (most > 0 && entry->failures >= most);
	make_room(limiter, entry->line == PX_LIMITER_NO_LINE);
	stand_in(limiter, entry, locks ? PX_LIMITER_LOCKED : PX_LIMITER_FAILED);
	return locks && !was_locked;
}

int64_t px_limiter_penalty(const struct px_limiter_entry *entry, int64_t now_ms)
{
	int64_t since_ms = now_ms - entry->failed_ms;
	if (entry->failures == 0 || is_forgotten(entry, now_ms)) {
		return 0;
	}
	int64_t wait_ms = PX_LIMITER_MEMORY_MS;
	if (entry->line != PX_LIMITER_LOCKED) {
		if (entry->failures <= FREE_FAILURES) {
			return 0;
		}
		uint32_t doublings = entry->failures - FREE_FAILURES - 1;
		wait_ms = doublings < 8 ? PENALTY_MS << doublings : PENALTY_MAX_MS;
	}
	return wait_ms > since_ms ? wait_ms - since_ms : 0;
}

size_t px_limiter_locked(struct px_limiter *limiter, int64_t now_ms)
{
	const struct line *line = &limiter->lines[PX_LIMITER_LOCKED];
	while (line->oldest && is_forgotten(line->oldest, now_ms)) {
		px_limiter_forgive(limiter, line->oldest);
	}
	return line->count;
}

const struct px_limiter_entry *px_limiter_next_locked(const struct px_limiter *limiter,
		const struct px_limiter_entry *before)
{
	return before ? before->older : limiter->lines[PX_LIMITER_LOCKED].newest;
}

struct px_limiter_figures px_limiter_figures(const struct px_limiter *limiter)
{
	return (struct px_limiter_figures){
		.remembered = remembered(limiter),
		.evicted = limiter->evicted,
	};
}

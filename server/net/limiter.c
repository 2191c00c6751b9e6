/* SPDX-License-Identifier: MIT */
/*
 * See limiter.h. The table is libc's search tree; beside it are lines in which entries stand to
 * be forgotten, each in the order of time: the first is always the next, so that nothing is
 * ever searched for.
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
	struct px_tally_entry *newest;
	struct px_tally_entry *oldest;
	size_t count;
};

struct px_tally {
	void *tree;
	size_t most;
	uint64_t evicted;
	struct line lines[PX_TALLY_LINES];
};

static int compare(const void *a, const void *b)
{
	const struct px_tally_entry *first = a;
	const struct px_tally_entry *second = b;
	if (first->key_len != second->key_len) {
		return first->key_len < second->key_len ? -1 : 1;
	}
	return memcmp(first->key, second->key, first->key_len);
}

int px_tally_create(size_t most, struct px_tally **ret_tally)
{
	struct px_tally *tally = calloc(1, sizeof(*tally));
	if (!tally) {
		return -ENOMEM;
	}
	tally->most = most;
	*ret_tally = tally;
	return 0;
}

void px_tally_set_limit(struct px_tally *tally, size_t most)
{
	tally->most = most;
}

static void leave_line(struct px_tally *tally, struct px_tally_entry *entry)
{
	struct line *line = &tally->lines[entry->line];
	if (entry->line != PX_TALLY_NO_LINE) {
		*(entry->newer ? &entry->newer->older : &line->newest) = entry->older;
		*(entry->older ? &entry->older->newer : &line->oldest) = entry->newer;
		line->count--;
		entry->line = PX_TALLY_NO_LINE;
	}
}

/* At its end, whether it stands there already or not. */
static void stand_in(struct px_tally *tally, struct px_tally_entry *entry,
		enum px_tally_line which)
{
	struct line *line = &tally->lines[which];
	leave_line(tally, entry);
	entry->line = which;
	if (which != PX_TALLY_NO_LINE) {
		entry->newer = NULL;
		entry->older = line->newest;
		*(line->newest ? &line->newest->newer : &line->oldest) = entry;
		line->newest = entry;
		line->count++;
	}
}

static void drop(struct px_tally *tally, struct px_tally_entry *entry)
{
	leave_line(tally, entry);
	tdelete(entry, &tally->tree, compare);
	free(entry);
}


void px_tally_destroy(struct px_tally *tally)
{
	if (!tally) {
		return;
	}
	while (tally->tree) {
		struct px_tally_entry *entry = *(struct px_tally_entry **)tally->tree;
		tdelete(entry, &tally->tree, compare);
		free(entry);
	}
	free(tally);
}

void px_tally_forgive(struct px_tally *tally, struct px_tally_entry *entry)
{
	entry->failures = 0;
	stand_in(tally, entry, entry->open == 0 ? PX_TALLY_IDLE : PX_TALLY_NO_LINE);
}

static bool is_full(const struct px_bucket *bucket, int64_t now_ms)
{
	return bucket->full_at_ns <= now_ms * 1000000;
}

/* Whether nothing would be lost with it. */
static bool is_blank(const struct px_tally_entry *entry, int64_t now_ms)
{
	return now_ms > entry->used_ms && is_full(&entry->coming, now_ms) &&
			is_full(&entry->requests, now_ms) && is_full(&entry->bytes, now_ms) &&
			is_full(&entry->failing, now_ms);
}

static bool is_forgotten(const struct px_tally_entry *entry, int64_t now_ms)
{
	return now_ms - entry->failed_ms >= PX_TALLY_MEMORY_MS;
}

static void forget_failures(struct px_tally *tally, enum px_tally_line which, int most,
		int64_t now_ms)
{
	const struct line *line = &tally->lines[which];
	for (int i = 0; i < most && line->oldest && is_forgotten(line->oldest, now_ms); i++) {
		px_tally_forgive(tally, line->oldest);
	}
}

/* A few of those that were not asked for the longest; a rate that is not forgotten yet may wait. */
static void clean(struct px_tally *tally, int64_t now_ms)
{
	const struct line *idle = &tally->lines[PX_TALLY_IDLE];
	forget_failures(tally, PX_TALLY_FAILED, CLEAN_PER_CALL, now_ms);
	forget_failures(tally, PX_TALLY_LOCKED, CLEAN_PER_CALL, now_ms);
	for (int i = 0; i < CLEAN_PER_CALL && idle->oldest; i++) {
		struct px_tally_entry *entry = idle->oldest;
		if (is_blank(entry, now_ms)) {
			drop(tally, entry);
		} else {
			stand_in(tally, entry, PX_TALLY_IDLE);
		}
	}
}

static size_t remembered(const struct px_tally *tally)
{
	size_t count = 0;
	for (int i = PX_TALLY_IDLE; i < PX_TALLY_LINES; i++) {
		count += tally->lines[i].count;
	}
	return count;
}

/* What is open cannot be dropped, only what it did be forgotten. */
static void evict(struct px_tally *tally)
{
	for (int i = PX_TALLY_IDLE; i < PX_TALLY_LINES; i++) {
		struct px_tally_entry *entry = tally->lines[i].oldest;
		if (entry) {
			tally->evicted++;
			if (entry->open == 0) {
				drop(tally, entry);
			} else {
				px_tally_forgive(tally, entry);
			}
			return;
		}
	}
}

/* Room for so many more. A bound that is lower now is come down to step by step. */
static void make_room(struct px_tally *tally, size_t entries)
{
	for (int i = 0; i < CLEAN_PER_CALL && tally->most > 0 &&
			remembered(tally) + entries > tally->most; i++) {
		evict(tally);
	}
}

static struct px_tally_entry *make_key(const void *key, size_t key_len)
{
	struct px_tally_entry *entry = calloc(1, sizeof(*entry) + key_len);
	if (entry) {
		entry->key_len = key_len;
		memcpy(entry->key, key, key_len);
	}
	return entry;
}

static struct px_tally_entry *insert(struct px_tally *tally, struct px_tally_entry *entry)
{
	make_room(tally, 1);
	if (!tsearch(entry, &tally->tree, compare)) {
		free(entry);
		return NULL;
	}
	stand_in(tally, entry, PX_TALLY_IDLE);
	return entry;
}

struct px_tally_entry *px_tally_get(struct px_tally *tally, const void *key, size_t key_len,
		int64_t now_ms)
{
	clean(tally, now_ms);
	struct px_tally_entry *entry = make_key(key, key_len);
	if (!entry) {
		return NULL;
	}
	struct px_tally_entry **known = tfind(entry, &tally->tree, compare);
	if (known) {
		free(entry);
		entry = *known;
	} else {
		entry = insert(tally, entry);
	}
	if (entry) {
		entry->used_ms = now_ms;
		if (entry->line == PX_TALLY_IDLE) {
			stand_in(tally, entry, PX_TALLY_IDLE);
		}
	}
	return entry;
}

struct px_tally_entry *px_tally_find(struct px_tally *tally, const void *key, size_t key_len)
{
	struct px_tally_entry *wanted = make_key(key, key_len);
	struct px_tally_entry **known = wanted ? tfind(wanted, &tally->tree, compare) : NULL;
	free(wanted);
	return known ? *known : NULL;
}

void px_tally_hold(struct px_tally *tally, struct px_tally_entry *entry)
{
	entry->open++;
	if (entry->line == PX_TALLY_IDLE) {
		leave_line(tally, entry);
	}
}

void px_tally_release(struct px_tally *tally, struct px_tally_entry *entry)
{
	if (--entry->open == 0 && entry->line == PX_TALLY_NO_LINE) {
		stand_in(tally, entry, PX_TALLY_IDLE);
		make_room(tally, 0);
	}
}

bool px_tally_fail(struct px_tally *tally, struct px_tally_entry *entry, uint32_t most,
		int64_t now_ms)
{
	if (is_forgotten(entry, now_ms)) {
		entry->failures = 0;
	}
	bool was_locked = entry->failures > 0 && entry->line == PX_TALLY_LOCKED;
	entry->failures++;
	entry->failed_ms = now_ms;
	bool locks = was_locked || (most > 0 && entry->failures >= most);
	make_room(tally, entry->line == PX_TALLY_NO_LINE);
	stand_in(tally, entry, locks ? PX_TALLY_LOCKED : PX_TALLY_FAILED);
	return locks && !was_locked;
}

int64_t px_tally_penalty(const struct px_tally_entry *entry, int64_t now_ms)
{
	int64_t since_ms = now_ms - entry->failed_ms;
	if (entry->failures == 0 || is_forgotten(entry, now_ms)) {
		return 0;
	}
	int64_t wait_ms = PX_TALLY_MEMORY_MS;
	if (entry->line != PX_TALLY_LOCKED) {
		if (entry->failures <= FREE_FAILURES) {
			return 0;
		}
		uint32_t doublings = entry->failures - FREE_FAILURES - 1;
		wait_ms = doublings < 8 ? PENALTY_MS << doublings : PENALTY_MAX_MS;
	}
	return wait_ms > since_ms ? wait_ms - since_ms : 0;
}

size_t px_tally_locked(struct px_tally *tally, int64_t now_ms)
{
	const struct line *line = &tally->lines[PX_TALLY_LOCKED];
	while (line->oldest && is_forgotten(line->oldest, now_ms)) {
		px_tally_forgive(tally, line->oldest);
	}
	return line->count;
}

const struct px_tally_entry *px_tally_next_locked(const struct px_tally *tally,
		const struct px_tally_entry *before)
{
	return before ? before->older : tally->lines[PX_TALLY_LOCKED].newest;
}

struct px_tally_figures px_tally_figures(const struct px_tally *tally)
{
	return (struct px_tally_figures){
		.remembered = remembered(tally),
		.evicted = tally->evicted,
	};
}

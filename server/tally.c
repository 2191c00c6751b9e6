/* SPDX-License-Identifier: MIT */
/* See tally.h. The table is libc's search tree; the order of use is a list beside it. */
#include "tally.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#define FREE_FAILURES 2
#define PENALTY_MS 100
#define PENALTY_MAX_MS 25000
#define CLEAN_PER_CALL 4

struct px_tally {
	void *tree;
	size_t count;
	size_t most;
	struct px_tally_entry *newest;
	struct px_tally_entry *oldest;
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

static void unlink_entry(struct px_tally *tally, struct px_tally_entry *entry)
{
	*(entry->newer ? &entry->newer->older : &tally->newest) = entry->older;
	*(entry->older ? &entry->older->newer : &tally->oldest) = entry->newer;
}

static void link_newest(struct px_tally *tally, struct px_tally_entry *entry)
{
	entry->newer = NULL;
	entry->older = tally->newest;
	*(tally->newest ? &tally->newest->newer : &tally->oldest) = entry;
	tally->newest = entry;
}

static void drop(struct px_tally *tally, struct px_tally_entry *entry)
{
	unlink_entry(tally, entry);
	tdelete(entry, &tally->tree, compare);
	tally->count--;
	free(entry);
}

void px_tally_destroy(struct px_tally *tally)
{
	if (!tally) {
		return;
	}
	while (tally->oldest) {
		drop(tally, tally->oldest);
	}
	free(tally);
}

/* Whether nothing would be lost with it. */
static bool is_idle(const struct px_tally_entry *entry, int64_t now_ms)
{
	return entry->open == 0 && now_ms - entry->used_ms > 1000 &&
			(entry->failures == 0 || now_ms - entry->failed_ms >= PX_TALLY_MEMORY_MS);
}

/* A few of those that were not asked for the longest; the others go to the end of the line. */
static void clean(struct px_tally *tally, int64_t now_ms)
{
	for (int i = 0; i < CLEAN_PER_CALL && tally->oldest; i++) {
		struct px_tally_entry *entry = tally->oldest;
		if (is_idle(entry, now_ms)) {
			drop(tally, entry);
		} else {
			unlink_entry(tally, entry);
			link_newest(tally, entry);
		}
	}
}

static struct px_tally_entry *insert(struct px_tally *tally, struct px_tally_entry *entry)
{
	if (!tsearch(entry, &tally->tree, compare)) {
		free(entry);
		return NULL;
	}
	tally->count++;
	link_newest(tally, entry);
	return entry;
}

struct px_tally_entry *px_tally_get(struct px_tally *tally, const void *key, size_t key_len,
		int64_t now_ms)
{
	clean(tally, now_ms);
	struct px_tally_entry *entry = calloc(1, sizeof(*entry) + key_len);
	if (!entry) {
		return NULL;
	}
	entry->key_len = key_len;
	memcpy(entry->key, key, key_len);
	struct px_tally_entry **known = tfind(entry, &tally->tree, compare);
	if (known) {
		free(entry);
		entry = *known;
	} else if (tally->count >= tally->most) {
		free(entry);
		return NULL;
	} else {
		entry = insert(tally, entry);
	}
	if (entry) {
		entry->used_ms = now_ms;
	}
	return entry;
}

void px_tally_fail(struct px_tally_entry *entry, int64_t now_ms)
{
	if (now_ms - entry->failed_ms >= PX_TALLY_MEMORY_MS) {
		entry->failures = 0;
	}
	entry->failures++;
	entry->failed_ms = now_ms;
}

int64_t px_tally_penalty(const struct px_tally_entry *entry, uint32_t most, int64_t now_ms)
{
	int64_t since_ms = now_ms - entry->failed_ms;
	if (most == 0 || entry->failures <= FREE_FAILURES || since_ms >= PX_TALLY_MEMORY_MS) {
		return 0;
	}
	int64_t wait_ms = PX_TALLY_MEMORY_MS;
	if (entry->failures < most) {
		uint32_t doublings = entry->failures - FREE_FAILURES - 1;
		wait_ms = doublings < 8 ? PENALTY_MS << doublings : PENALTY_MAX_MS;
	}
	return wait_ms > since_ms ? wait_ms - since_ms : 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Cached answers of the back end, for a few seconds: when a page opens several connections, or when
 * all clients return at once. The key is a SHA-256 of the request, so that no cookie is stored;
 * dropped entries are wiped, since they identify a user. Rejected: LRU. What expires next is
 * dropped first when the cache is full, and nothing lives longer for being used.
 */
#include "http_client_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 1000
#define BODY_BYTES_MAX (4 * 1024 * 1024)

/* Any bytes of a digest are equally good. */
static size_t slot_of(const unsigned char *key)
{
	return ((size_t)key[0] << 8 | key[1]) % PX_HTTP_CLIENT_SLOTS;
}

static struct px_http_client_entry *find(const struct px_http_client_cache *cache,
		const unsigned char *key)
{
	struct px_http_client_entry *entry = cache->slots[slot_of(key)];
	while (entry && memcmp(entry->key, key, PX_HTTP_CLIENT_KEY_SIZE) != 0) {
		entry = entry->next;
	}
	return entry;
}

static void drop(struct px_http_client_cache *cache, struct px_http_client_entry *entry)
{
	struct px_http_client_entry **at = &cache->slots[slot_of(entry->key)];
	while (*at != entry) {
		at = &(*at)->next;
	}
	*at = entry->next;
	*(entry->sooner ? &entry->sooner->later : &cache->first) = entry->later;
	*(entry->later ? &entry->later->sooner : &cache->last) = entry->sooner;
	cache->count--;
	cache->body_bytes -= entry->body_len;
	explicit_bzero(entry, sizeof(*entry) + entry->body_len);
	free(entry);
}

const struct px_http_client_entry *px_http_client_cache_find(
		const struct px_http_client_cache *cache,
		const unsigned char key[PX_HTTP_CLIENT_KEY_SIZE], int64_t now_ms)
{
	const struct px_http_client_entry *entry = find(cache, key);
	return entry && entry->until_ms > now_ms ? entry : NULL;
}

static void insert(struct px_http_client_cache *cache, struct px_http_client_entry *entry)
{
	size_t slot = slot_of(entry->key);
	entry->next = cache->slots[slot];
	cache->slots[slot] = entry;
	/* Almost always at the end: most entries have the same lifetime. */
	entry->sooner = cache->last;
	while (entry->sooner && entry->sooner->until_ms > entry->until_ms) {
		entry->sooner = entry->sooner->sooner;
	}
	entry->later = entry->sooner ? entry->sooner->later : cache->first;
	*(entry->sooner ? &entry->sooner->later : &cache->first) = entry;
	*(entry->later ? &entry->later->sooner : &cache->last) = entry;
	cache->count++;
	cache->body_bytes += entry->body_len;
}

int px_http_client_cache_store(struct px_http_client_cache *cache,
		const unsigned char key[PX_HTTP_CLIENT_KEY_SIZE],
		const struct px_http_client_answer *answer, int64_t until_ms)
{
	struct px_http_client_entry *old = find(cache, key);
	struct px_http_client_entry *entry = malloc(sizeof(*entry) + answer->body.len);
	if (old) {
		drop(cache, old);
	}
	if (!entry) {
		return -ENOMEM;
	}
	memcpy(entry->key, key, PX_HTTP_CLIENT_KEY_SIZE);
	entry->until_ms = until_ms;
	entry->status = answer->status;
	entry->body_len = answer->body.len;
	if (answer->body.len > 0) {
		memcpy(entry->body, answer->body.data, answer->body.len);
	}
	while (cache->count >= ENTRIES_MAX ||
			cache->body_bytes + entry->body_len > BODY_BYTES_MAX) {
		drop(cache, cache->first);
	}
	insert(cache, entry);
	return 0;
}

int64_t px_http_client_cache_sweep(struct px_http_client_cache *cache, int64_t now_ms)
{
	while (cache->first && cache->first->until_ms <= now_ms) {
		drop(cache, cache->first);
	}
	return cache->first ? cache->first->until_ms : INT64_MAX;
}

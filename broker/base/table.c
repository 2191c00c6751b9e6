/* SPDX-License-Identifier: MIT */
/* See table.h. */
#include "table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Old slots that are moved with each insertion or removal; two would be enough. */
#define MOVED_AT_ONCE 4

static uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

uint64_t px_hash(struct px_hash_key key, const void *bytes, size_t len)
{
	uint64_t v[4] = {
		key.k0 ^ 0x736f6d6570736575,
		key.k1 ^ 0x646f72616e646f6d,
		key.k0 ^ 0x6c7967656e657261,
		key.k1 ^ 0x7465646279746573,
	};
	const uint8_t *p = bytes;
	uint64_t word;
	for (size_t i = 0; i + 8 <= len; i += 8, p += 8) {
		memcpy(&word, p, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	word = (uint64_t)len << 56;
	for (size_t i = 0; i < len % 8; i++) {
		word |= (uint64_t)p[i] << (8 * i);
	}
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void px_table_finish(struct px_table *table)
{
	free(table->slots);
	free(table->old);
	*table = (struct px_table){ 0 };
}

static struct px_table_link **slot_of(const struct px_table *table, uint64_t hash)
{
	return &table->slots[hash & (table->slot_count - 1)];
}

static struct px_table_link **old_slot_of(const struct px_table *table, uint64_t hash)
{
	return &table->old[hash & (table->old_count - 1)];
}

static void empty_old_slot(struct px_table *table, struct px_table_link **old)
{
	struct px_table_link *link = *old;
	*old = NULL;
	while (link) {
		struct px_table_link *next = link->next;
		struct px_table_link **slot = slot_of(table, link->hash);
		link->next = *slot;
		*slot = link;
		link = next;
	}
}

static void grow_on(struct px_table *table, size_t most)
{
	for (; table->old && most > 0; most--) {
		empty_old_slot(table, &table->old[table->old_next]);
		if (++table->old_next == table->old_count) {
			free(table->old);
			table->old = NULL;
		}
	}
}

void px_table_settle(struct px_table *table)
{
	grow_on(table, SIZE_MAX);
}

/* Moves this hash to the new slots. */
static void prepare(struct px_table *table, uint64_t hash)
{
	if (table->old) {
		empty_old_slot(table, old_slot_of(table, hash));
		grow_on(table, MOVED_AT_ONCE);
	}
}

struct px_table_link *px_table_find(const struct px_table *table, uint64_t hash)
{
	if (table->slot_count == 0) {
		return NULL;
	}
	struct px_table_link *link = table->old ? *old_slot_of(table, hash) : NULL;
	link = link ? link : *slot_of(table, hash);
	while (link && link->hash != hash) {
		link = link->next;
	}
	return link;
}

static int grow(struct px_table *table)
{
	size_t count = table->slot_count ? table->slot_count * 2 : 64;
	struct px_table_link **slots = calloc(count, sizeof(struct px_table_link *));
	if (!slots) {
		return -ENOMEM;
	}
	px_table_settle(table); /* usually done already */
	table->old = table->slots;
	table->old_count = table->slot_count;
	table->old_next = 0;
	table->slots = slots;
	table->slot_count = count;
	return 0;
}

int px_table_insert(struct px_table *table, struct px_table_link *link, uint64_t hash)
{
	/* A full table that cannot grow still works, only more slowly. */
	if (table->count >= table->slot_count && grow(table) < 0 && table->slot_count == 0) {
		return -ENOMEM;
	}
	prepare(table, hash);
	struct px_table_link **slot = slot_of(table, hash);
	link->hash = hash;
	link->next = *slot;
	*slot = link;
	table->count++;
	return 0;
}

void px_table_remove(struct px_table *table, struct px_table_link *link)
{
	prepare(table, link->hash);
	struct px_table_link **at = slot_of(table, link->hash);
	while (*at != link) {
		at = &(*at)->next;
	}
	*at = link->next;
	table->count--;
}

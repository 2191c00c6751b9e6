/* SPDX-License-Identifier: MIT */
/*
 * A hash table of items that embed their link. The hash is keyed (SipHash-1-3 after Aumasson and
 * Bernstein), since clients choose the names of rooms and must not be able to cause collisions.
 * Rejected: json-c's lh_table, which takes one string as key, where ours are (practice, service,
 * name).
 */
#ifndef PX_TABLE_H
#define PX_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* Embedded in the item. */
struct px_table_link {
	struct px_table_link *next;
	uint64_t hash;
};

/*
 * Zeroed: empty. It grows incrementally, so that no single insertion moves 65,536 items. The items
 * of an old slot are either all in the old slots or all in the new ones.
 */
struct px_table {
	struct px_table_link **slots;
	size_t slot_count; /* a power of two */
	size_t count;
	struct px_table_link **old; /* the slots before it grew; NULL: none */
	size_t old_count;
	size_t old_next; /* old slots below this index are empty */
};

struct px_hash_key {
	uint64_t k0;
	uint64_t k1;
};

uint64_t px_hash(struct px_hash_key key, const void *bytes, size_t len);

void px_table_finish(struct px_table *table);

/* Completes growing: everything is in `slots` then, for iteration. */
void px_table_settle(struct px_table *table);

/* The first item with that hash, or NULL; `link->next` leads to items with other hashes, too. */
struct px_table_link *px_table_find(const struct px_table *table, uint64_t hash);

/* The caller makes sure that it is not in the table yet. -ENOMEM. */
int px_table_insert(struct px_table *table, struct px_table_link *link, uint64_t hash);

void px_table_remove(struct px_table *table, struct px_table_link *link);

#endif

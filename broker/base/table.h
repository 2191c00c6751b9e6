/* SPDX-License-Identifier: MIT */
/*
 * A hash table of things that carry their own link. The hash is keyed (SipHash-1-3 after
 * Aumasson and Bernstein), since clients choose the names of rooms and must not be able
 * to choose where they fall. Rejected: json-c's lh_table, which wants one string as key
 * where ours are (practice, service, name).
 */
#ifndef PX_TABLE_H
#define PX_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* Embedded in what is kept. */
struct px_table_link {
	struct px_table_link *next;
	uint64_t hash;
};

/*
 * Zeroed: empty. It grows little by little: the client that brings the 65,536th room does not wait
 * until all the others have found their new slots. What shares a slot of the old ones is in that or
 * in the new ones, never in both.
 */
struct px_table {
	struct px_table_link **slots;
	size_t slot_count; /* a power of two */
	size_t count;
	struct px_table_link **old; /* the slots before it grew; NULL: they are empty */
	size_t old_count;
	size_t old_next; /* those before it are empty */
};

struct px_hash_key {
	uint64_t k0;
	uint64_t k1;
};

uint64_t px_hash(struct px_hash_key key, const void *bytes, size_t len);

void px_table_finish(struct px_table *table);

/* Ends growing: everything is in `slots`, for who walks over all. */
void px_table_settle(struct px_table *table);

/* The first of that hash, or NULL; `link->next` leads on to other hashes too. */
struct px_table_link *px_table_find(const struct px_table *table, uint64_t hash);

/* -ENOMEM. What is in it already is not looked at. */
int px_table_insert(struct px_table *table, struct px_table_link *link, uint64_t hash);

void px_table_remove(struct px_table *table, struct px_table_link *link);

#endif

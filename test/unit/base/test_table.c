/* SPDX-License-Identifier: MIT */
/*
 * The table, with hashes that collide wholly and in part, while it grows; and SipHash-1-3
 * against CPython's, which has an implementation of its own (PYTHONHASHSEED=0).
 */
#include "base/table.h"

#include "fake.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 3000 };

struct item {
	struct px_table_link link;
	uint64_t hash;
	bool in;
};

static struct item items[COUNT];

static bool holds(const struct px_table *table, const struct item *item)
{
	const struct px_table_link *link = px_table_find(table, item->hash);
	while (link && link != &item->link) {
		link = link->next;
	}
	return link != NULL;
}

START_TEST(siphash_is_siphash)
{
	static const struct {
		const char *text;
		uint64_t hash;
	} known[] = {
		{ "a", 0x407448d2b89b1813 },
		{ "abcdefg", 0x6db12aae9070f506 },
		{ "abcdefgh", 0x3f7b849c0b8e35ea },
		{ "abcdefghi", 0xf89b34a3d11eb6e5 },
		{ "Praxis whiteboard", 0x2349b1c0fa495513 },
	};
	struct px_hash_key key = { 0, 0 };
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		ck_assert_uint_eq(px_hash(key, known[i].text, strlen(known[i].text)),
				known[i].hash);
	}
	ck_assert_uint_ne(px_hash((struct px_hash_key){ 1, 0 }, "a", 1), known[0].hash);
	ck_assert_uint_ne(px_hash((struct px_hash_key){ 0, 1 }, "a", 1), known[0].hash);
	ck_assert_uint_ne(px_hash(key, "", 0), px_hash(key, "\0", 1));
}
END_TEST

START_TEST(an_empty_table_has_nothing)
{
	struct px_table table = { 0 };
	ck_assert_ptr_null(px_table_find(&table, 0));
	px_table_finish(&table);
	px_table_finish(&table);
}
END_TEST

START_TEST(equal_hashes_stand_side_by_side)
{
	struct px_table table = { 0 };
	for (size_t i = 0; i < 200; i++) {
		items[i] = (struct item){ .hash = 7 };
		ck_assert_int_eq(px_table_insert(&table, &items[i].link, 7), 0);
	}
	for (size_t i = 0; i < 200; i += 2) {
		px_table_remove(&table, &items[i].link);
	}
	ck_assert_uint_eq(table.count, 100);
	for (size_t i = 0; i < 200; i++) {
		ck_assert_int_eq(holds(&table, &items[i]), i % 2);
	}
	/* The same slot, another hash. */
	ck_assert_ptr_null(px_table_find(&table, 7 + table.slot_count));
	px_table_finish(&table);
}
END_TEST

START_TEST(walks_beside_a_naive_model)
{
	struct px_table table = { 0 };
	uint64_t dice = 9;
	size_t count = 0;
	for (size_t i = 0; i < COUNT; i++) {
		/* Few low bits and few high ones: long chains. */
		uint64_t x = fake_random(&dice);
		items[i] = (struct item){ .hash = i % 3 ? x : x & 0xff0000000000000f };
	}
	for (int step = 0; step < 60000; step++) {
		struct item *item = &items[fake_random(&dice) % COUNT];
		if (item->in) {
			px_table_remove(&table, &item->link);
			count--;
		} else {
			ck_assert_int_eq(px_table_insert(&table, &item->link, item->hash), 0);
			count++;
		}
		item->in = !item->in;
		ck_assert_uint_eq(table.count, count);
		const struct item *other = &items[fake_random(&dice) % COUNT];
		ck_assert_int_eq(holds(&table, other), other->in);
	}
	for (size_t i = 0; i < COUNT; i++) {
		ck_assert_int_eq(holds(&table, &items[i]), items[i].in);
	}
	ck_assert_uint_eq(table.slot_count & (table.slot_count - 1), 0);
	px_table_finish(&table);
}
END_TEST

/* Old slots that are not empty yet. */
static size_t left_to_move(const struct px_table *table)
{
	return table->old ? table->old_count - table->old_next : 0;
}

START_TEST(nobody_waits_until_all_have_moved)
{
	static struct item many[20000];
	struct px_table table = { 0 };
	uint64_t dice = 3;
	for (size_t i = 0; i < 20000; i++) {
		size_t before = left_to_move(&table);
		size_t slots = table.slot_count;
		many[i].hash = fake_random(&dice);
		ck_assert_int_eq(px_table_insert(&table, &many[i].link, many[i].hash), 0);
		before = table.slot_count == slots ? before : slots;
		ck_assert_uint_le(before - left_to_move(&table), 4);
		ck_assert(holds(&table, &many[i / 2]) && holds(&table, &many[i]));
	}
	ck_assert_uint_eq(table.slot_count, 32768);
	for (size_t i = 0; i < 20000; i++) {
		ck_assert(holds(&table, &many[i]));
	}
	px_table_finish(&table);
}
END_TEST

START_TEST(who_walks_over_all_finds_all)
{
	struct px_table table = { 0 };
	size_t count = 0;
	for (size_t i = 0; i < 129; i++) {
		items[i] = (struct item){ .hash = i };
		ck_assert_int_eq(px_table_insert(&table, &items[i].link, i), 0);
	}
	ck_assert_uint_gt(left_to_move(&table), 0);
	px_table_settle(&table);
	for (size_t i = 0; i < table.slot_count; i++) {
		for (struct px_table_link *link = table.slots[i]; link; link = link->next) {
			count++;
		}
	}
	ck_assert_uint_eq(count, 129);
	px_table_finish(&table);
}
END_TEST

RUN_TESTS("table", siphash_is_siphash, an_empty_table_has_nothing,
		equal_hashes_stand_side_by_side, walks_beside_a_naive_model,
		nobody_waits_until_all_have_moved, who_walks_over_all_finds_all);

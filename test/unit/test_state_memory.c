/* SPDX-License-Identifier: MIT */
/*
 * Saving and loading without memory, at every single allocation of ours in turn: it fails with
 * -ENOMEM and leaves nothing, or does with less; and the broker goes on.
 */
#include "fake.h"

#include <check.h>
#include <errno.h>
#include <praxis/plugin.h>
#include <praxis/state.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 100000

extern const lws_plugin_protocol_t svc_whiteboard;
extern const lws_plugin_protocol_t svc_telemedicine;

/* ---- allocations of the program, but for those of its libraries ---- */

static long fails_at; /* 0: never */

static bool fails(void)
{
	return fails_at > 0 && --fails_at == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

/* ---- a state as text ---- */

struct text {
	struct fake *fake;
	char data[1 << 16];
	size_t len;
	size_t at;
};

static struct text text;

static void read_corpus(const char *name)
{
	char path[512];
	(void)snprintf(path, sizeof(path), "%s/test/fuzz/corpus/state/%s", PX_SOURCE_ROOT, name);
	FILE *stream = fopen(path, "r");
	ck_assert_msg(stream != NULL, "%s", path);
	text.len = fread(text.data, 1, sizeof(text.data) - 1, stream);
	text.data[text.len] = '\0';
	fclose(stream);
}

static int drop_line(void *user, struct px_span line)
{
	*(size_t *)user += line.len;
	return 0;
}

static int read_line(void *user, struct px_span *ret_line)
{
	(void)user;
	if (text.at == text.len) {
		return 0;
	}
	const char *line = text.data + text.at;
	size_t len = strcspn(line, "\n");
	*ret_line = (struct px_span){ line, len };
	text.at += len + 1;
	return 1;
}

static struct px_site *find_site(void *user, struct px_span name)
{
	(void)user;
	(void)name;
	return &text.fake->site;
}

static int load(void)
{
	struct px_state_counts counts;
	struct px_state_reader reader = { NULL, read_line, find_site, 0 };
	text.at = 0;
	return px_broker_load(text.fake->broker, &reader, &counts);
}

static void begin(void)
{
	struct px_limits limits = fake_limits();
	limits.grace_ms = 30000;
	text.fake = fake_create(&limits);
	(void)fake_add_service(text.fake, svc_whiteboard.protocols[0].user, NULL);
	(void)fake_add_service(text.fake, svc_telemedicine.protocols[0].user, NULL);
}

/* ---- tests ---- */

static const char *const names[] = { "board", "call", "two-tenants", "waiting" };

START_TEST(loading)
{
	read_corpus(names[_i]);
	long tries = 0;
	for (bool spared = false; !spared && tries < TRIES_MAX;) {
		begin();
		fails_at = ++tries;
		int rc = load();
		spared = fails_at > 0;
		fails_at = 0;
		ck_assert(rc == 0 || (rc == -ENOMEM && !spared));
		struct px_stats stats = fake_stats(text.fake);
		if (rc < 0) {
			ck_assert_uint_eq(stats.detached + stats.channels + stats.practices, 0);
			ck_assert_uint_eq(stats.messages_live, 0);
			/* The next time it works. */
			ck_assert_int_eq(load(), 0);
		}
		fake_destroy(text.fake);
	}
	ck_assert_int_gt(tries, 10);
	ck_assert_int_lt(tries, TRIES_MAX);
}
END_TEST

START_TEST(saving)
{
	size_t whole = 0;
	struct px_state_writer writer = { &whole, drop_line };
	read_corpus(names[_i]);
	begin();
	ck_assert_int_eq(load(), 0);
	ck_assert_int_eq(px_broker_save(text.fake->broker, &writer), 0);
	long tries = 0;
	for (bool spared = false; !spared && tries < TRIES_MAX;) {
		size_t bytes = 0;
		writer.user = &bytes;
		fails_at = ++tries;
		int rc = px_broker_save(text.fake->broker, &writer);
		spared = fails_at > 0;
		fails_at = 0;
		ck_assert(rc == 0 || (rc == -ENOMEM && !spared));
		if (rc == 0) {
			ck_assert_uint_ge(bytes, whole); /* what can not be shared is written twice */
		}
	}
	ck_assert_int_gt(tries, 1);
	fake_destroy(text.fake);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("state_memory");
	TCase *tcase = tcase_create("state_memory");
	int count = (int)(sizeof(names) / sizeof(names[0]));
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, loading, 0, count);
	tcase_add_loop_test(tcase, saving, 0, count);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}

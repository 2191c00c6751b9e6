/* SPDX-License-Identifier: MIT */
/*
 * Saving and loading without memory, at every single allocation of ours in turn: it fails with
 * -ENOMEM and leaves nothing, or does with less; and the broker goes on.
 */
#include "memory.h"
#include "state_text.h"

#include <check.h>
#include <errno.h>
#include <praxis/plugin.h>
#include <stdio.h>
#include <stdlib.h>

#define TRIES_MAX 100000

extern const lws_plugin_protocol_t svc_whiteboard;
extern const lws_plugin_protocol_t svc_telemedicine;

static struct fake *fake;

/* A state of the corpus. */
static struct state_text read_corpus(const char *name)
{
	char path[512];
	(void)snprintf(path, sizeof(path), "%s/test/fuzz/corpus/state/%s", PX_SOURCE_ROOT, name);
	FILE *stream = fopen(path, "r");
	ck_assert_msg(stream != NULL, "%s", path);
	struct state_text text = { .size = 1 << 16 };
	text.data = malloc(text.size);
	text.len = fread(text.data, 1, text.size, stream);
	fclose(stream);
	return text;
}

static int drop_line(void *user, struct px_span line)
{
	*(size_t *)user += line.len;
	return 0;
}

static int load(const struct state_text *text)
{
	struct px_state_counts counts;
	return state_text_load(fake, text->data, text->len, 0, &counts);
}

static void begin(void)
{
	struct px_limits limits = fake_limits();
	limits.grace_ms = 30000;
	fake = fake_create(&limits);
	(void)fake_add_service(fake, svc_whiteboard.protocols[0].user,
			"{\"board-values\":4,\"board-age-s\":3600}");
	(void)fake_add_service(fake, svc_telemedicine.protocols[0].user, NULL);
}

/* ---- tests ---- */

static const char *const names[] = { "board", "call", "presence", "two-tenants", "values",
	"waiting" };

START_TEST(loading)
{
	struct state_text text = read_corpus(names[_i]);
	unsigned tries = 0;
	for (bool failed = true; failed && tries < TRIES_MAX;) {
		begin();
		memory_fail(++tries, false);
		memory_watch(true);
		int rc = load(&text);
		memory_watch(false);
		failed = memory_has_failed();
		ck_assert(rc == 0 || (rc == -ENOMEM && failed));
		struct px_stats stats = fake_stats(fake);
		if (rc < 0) {
			ck_assert_uint_eq(stats.detached + stats.channels + stats.practices, 0);
			ck_assert_uint_eq(stats.messages_live, 0);
			/* The next time it works. */
			ck_assert_int_eq(load(&text), 0);
		}
		fake_destroy(fake);
	}
	ck_assert_uint_gt(tries, 10);
	ck_assert_uint_lt(tries, TRIES_MAX);
	free(text.data);
}
END_TEST

START_TEST(saving)
{
	size_t whole = 0;
	struct px_state_writer writer = { &whole, drop_line };
	struct state_text text = read_corpus(names[_i]);
	begin();
	ck_assert_int_eq(load(&text), 0);
	ck_assert_int_eq(px_broker_save(fake->broker, &writer), 0);
	unsigned tries = 0;
	for (bool failed = true; failed && tries < TRIES_MAX;) {
		size_t bytes = 0;
		writer.user = &bytes;
		memory_fail(++tries, false);
		memory_watch(true);
		int rc = px_broker_save(fake->broker, &writer);
		memory_watch(false);
		failed = memory_has_failed();
		ck_assert(rc == 0 || (rc == -ENOMEM && failed));
		if (rc == 0) {
			ck_assert_uint_ge(bytes, whole); /* what cannot be shared is written twice */
		}
	}
	ck_assert_uint_gt(tries, 1);
	fake_destroy(fake);
	free(text.data);
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
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}

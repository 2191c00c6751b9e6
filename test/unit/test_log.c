/* SPDX-License-Identifier: MIT */
/* The log's lines: one time and one level each, whoever says it; and how many there may be. */
#include "log.h"

#include "fake.h"

#include <check.h>
#include <libwebsockets.h>
#include <praxis/service.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/praxis-log-XXXXXX";

/* From here on standard error goes to a file. */
static void begin(int level)
{
	int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(dup2(fd, STDERR_FILENO), 0);
	close(fd);
	px_log_set_level(level);
}

/* What was written since, without the time of each line; lives until the next call. */
static const char *end(void)
{
	static char text[65536];
	char line[2048];
	FILE *file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	unlink(path);
	text[0] = '\0';
	while (fgets(line, sizeof(line), file)) {
		/* "2026-01-31T23:59:59.123Z " */
		ck_assert_int_eq(line[10], 'T');
		ck_assert_int_eq(line[23], 'Z');
		ck_assert_uint_lt(strlen(text) + strlen(line), sizeof(text));
		strcat(text, line + 25);
	}
	fclose(file);
	return text;
}

START_TEST(a_line_has_a_level)
{
	begin(PX_LOG_INFO);
	px_log(PX_LOG_ERROR, "one %d", 1);
	px_log(PX_LOG_INFO, "two");
	px_log(PX_LOG_DEBUG, "three");
	ck_assert_str_eq(end(), "error: one 1\ninfo: two\n");
}
END_TEST

START_TEST(lws_has_no_time_and_level_of_its_own)
{
	begin(PX_LOG_INFO);
	px_log_lws(LLL_ERR, "[2026/11/23 05:04:03:1234] E: accept: errno 24\n");
	px_log_lws(LLL_WARN, "[2026/11/23 05:04:03:0012] [wsi|0|a]: left: over\n");
	px_log_lws(LLL_ERR, "plain words\nand no more");
	px_log_lws(LLL_ERR, "[wsi|0|WS/h1/default]: said");
	px_log_lws(LLL_ERR, "[");
	ck_assert_str_eq(end(), "info: libwebsockets: accept: errno 24\n"
			"info: libwebsockets: [wsi|0|a]: left: over\n"
			"info: libwebsockets: plain words\n"
			"info: libwebsockets: [wsi|0|WS/h1/default]: said\n"
			"info: libwebsockets: [\n");
}
END_TEST

START_TEST(lws_is_rationed)
{
	begin(PX_LOG_INFO);
	for (int i = 0; i < 1000; i++) {
		px_log_lws(LLL_ERR, "again\n");
	}
	/* The second may end meanwhile, once. */
	size_t lines = 0;
	for (const char *at = end(); (at = strchr(at, '\n')); at++) {
		lines++;
	}
	ck_assert_uint_ge(lines, 5);
	ck_assert_uint_le(lines, 11);
}
END_TEST

RUN_TESTS("log", a_line_has_a_level, lws_has_no_time_and_level_of_its_own, lws_is_rationed);

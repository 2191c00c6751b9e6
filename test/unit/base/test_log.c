/* SPDX-License-Identifier: MIT */
/* The log's lines: one time and one level each, whoever says it; and how many there may be. */
#include "base/log.h"

#include "fake.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <libwebsockets.h>
#include <praxis/service.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

/* ---- nobody reads ---- */

/* All that is in it now; lives until the next call. */
static const char *drain(int fd)
{
	static char text[1 << 20];
	size_t len = 0;
	ssize_t n;
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0) {
		len += (size_t)n;
	}
	text[len] = '\0';
	return text;
}

/* Fills what stderr is until nothing goes in any more, and reads it again from `reader`. */
static void nobody_reads(int writer, int reader, bool opened)
{
	ck_assert_int_ge(dup2(writer, STDERR_FILENO), 0);
	px_log_set_level(PX_LOG_NOTICE);
	if (opened) {
		px_log_open();
	}
	unsigned lines = 0;
	while (px_log_dropped() == 0 && lines < 100000) {
		px_log(PX_LOG_NOTICE, "line %u", lines++);
	}
	ck_assert_uint_eq(px_log_dropped(), 1);
	errno = EINTR; /* of something else */
	px_log(PX_LOG_NOTICE, "lost, too");
	ck_assert_uint_eq(px_log_dropped(), 2);

	char last[64];
	(void)snprintf(last, sizeof(last), "notice: line %u", lines - 2);
	const char *text = drain(reader);
	ck_assert_ptr_nonnull(strstr(text, last));
	(void)snprintf(last, sizeof(last), "notice: line %u", lines - 1);
	ck_assert_ptr_null(strstr(text, last));

	px_log(PX_LOG_NOTICE, "again");
	text = drain(reader);
	const char *told = strstr(text, "warning: 2 lines of the log were lost because they "
			"could not be written");
	ck_assert_ptr_nonnull(told);
	ck_assert_ptr_nonnull(strstr(told, "notice: again"));
	px_log(PX_LOG_NOTICE, "and on");
	ck_assert_ptr_null(strstr(drain(reader), "lost"));
	ck_assert_uint_eq(px_log_dropped(), 2);
}

static void fill_a_pipe(bool opened)
{
	int fds[2];
	ck_assert_int_eq(pipe(fds), 0);
	nobody_reads(fds[1], fds[0], opened);
	/* Whose descriptor it was finds it as it was: others may write to it. */
	ck_assert_int_eq(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
}

START_TEST(a_pipe_that_is_full_is_not_waited_for)
{
	fill_a_pipe(true);
}
END_TEST

START_TEST(nor_one_that_cannot_be_opened_again)
{
	fill_a_pipe(false);
}
END_TEST

START_TEST(a_socket_that_is_full_is_not_waited_for)
{
	int fds[2];
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	nobody_reads(fds[1], fds[0], true);
}
END_TEST

/* What is told of lost lines has no room; a line that had would seem to follow those before. */
START_TEST(nothing_is_written_before_the_loss_is_told)
{
	enum { ROOM = 70 };
	static char filler[1 << 16]; /* the largest page */
	int fds[2];
	ck_assert_int_eq(pipe(fds), 0);
	int size = fcntl(fds[1], F_SETPIPE_SZ, 4096);
	ck_assert(size >= 4096 && (size_t)size <= sizeof(filler));
	ck_assert_int_ge(dup2(fds[1], STDERR_FILENO), 0);
	px_log_set_level(PX_LOG_NOTICE);
	px_log_open();
	memset(filler, 'x', sizeof(filler));
	ck_assert_int_eq(write(fds[1], filler, (size_t)size - ROOM), size - ROOM);
	px_log(PX_LOG_NOTICE, "%070d", 1);
	ck_assert_uint_eq(px_log_dropped(), 1);
	px_log(PX_LOG_NOTICE, "short");
	ck_assert_uint_eq(px_log_dropped(), 2);
	ck_assert_ptr_null(strstr(drain(fds[0]), "short"));
	px_log(PX_LOG_NOTICE, "short");
	ck_assert_ptr_nonnull(strstr(drain(fds[0]), "warning: 2 lines"));
}
END_TEST

START_TEST(what_cannot_be_written_to_is_counted)
{
	close(STDERR_FILENO);
	px_log_open();
	px_log(PX_LOG_ERROR, "nowhere");
	ck_assert_uint_eq(px_log_dropped(), 1);
	ck_assert_int_eq(open("/dev/full", O_WRONLY), STDERR_FILENO);
	px_log_open();
	px_log(PX_LOG_ERROR, "nowhere");
	ck_assert_uint_eq(px_log_dropped(), 2);
}
END_TEST

START_TEST(a_line_is_never_too_long)
{
	static char text[5000];
	memset(text, 'x', sizeof(text) - 1);
	begin(PX_LOG_NOTICE);
	px_log(PX_LOG_NOTICE, "%s", text);
	px_log(PX_LOG_NOTICE, "next");
	const char *line = end();
	ck_assert_uint_lt(strcspn(line, "\n"), 1100);
	ck_assert_str_eq(strchr(line, '\n') + 1, "notice: next\n");
}
END_TEST

/* What was written, with no line taken apart. */
static const char *written(void)
{
	static char text[65536];
	FILE *file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	unlink(path);
	size_t len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	return text;
}

START_TEST(journald_gets_priorities)
{
	begin(PX_LOG_DEBUG);
	px_log_set_format(PX_LOG_JOURNALD);
	px_log(PX_LOG_ERROR, "an \"error\"");
	px_log(PX_LOG_WARNING, "w");
	px_log(PX_LOG_NOTICE, "n");
	px_log(PX_LOG_INFO, "i");
	px_log(PX_LOG_DEBUG, "d");
	ck_assert_str_eq(written(), "<3>an \"error\"\n<4>w\n<5>n\n<6>i\n<7>d\n");
}
END_TEST

/* The one line that there is, as JSON; its message is `message`. */
static void check_json(const char *message)
{
	const char *text = written();
	ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
	struct json_object *line = json_tokener_parse(text);
	ck_assert_int_eq(json_object_object_length(line), 3);
	ck_assert_str_eq(json_object_get_string(json_object_object_get(line, "level")), "warning");
	ck_assert_uint_eq(strlen(json_object_get_string(json_object_object_get(line, "time"))), 24);
	ck_assert_str_eq(json_object_get_string(json_object_object_get(line, "message")), message);
	json_object_put(line);
}

START_TEST(a_line_of_json_is_one_whatever_it_says)
{
	static char longest[1024];
	memset(longest, '"', sizeof(longest) - 1);
	static const struct {
		const char *said;
		const char *written;
	} cases[] = {
		{ "plain", "plain" },
		{ "a \"quote\", a \\ and \xc3\xa4", "a \"quote\", a \\ and \xc3\xa4" },
		{ "no \xff text \xc3\xa4 ~\x7f", "no ? text ?? ~?" },
		{ "two\nlines\t", "two?lines?" },
		{ longest, longest },
	};
	px_log_set_format(PX_LOG_JSON);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strcpy(path, "/tmp/praxis-log-XXXXXX");
		begin(PX_LOG_NOTICE);
		px_log(PX_LOG_WARNING, "%s", cases[i].said);
		check_json(cases[i].written);
	}
}
END_TEST

RUN_TESTS("log", a_line_has_a_level, journald_gets_priorities,
		a_line_of_json_is_one_whatever_it_says, lws_has_no_time_and_level_of_its_own,
		lws_is_rationed,
		a_pipe_that_is_full_is_not_waited_for, nor_one_that_cannot_be_opened_again,
		a_socket_that_is_full_is_not_waited_for, nothing_is_written_before_the_loss_is_told,
		what_cannot_be_written_to_is_counted, a_line_is_never_too_long);

/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the audit log share: a directory that goes away again, a clock that
 * stands still, a log that is kept, and files as bytes.
 */
#ifndef TEST_AUDIT_UTIL_H
#define TEST_AUDIT_UTIL_H

#include "audit/audit.h"
#include "common/audit_chain.h"
#include "commands/audit_verify.h"
#include "run.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))
#define KEY "a key of thirty-two bytes or more"
#define OTHER_KEY "another key, as good as the first"

static char directory[64];
static char path[96];      /* of the audit log */
static char logged[65536]; /* "0 sentence\n": the level, and the path as PATH */
static int64_t wall_ms;

static int remove_one(const char *name, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(name);
}

UNUSED static void set_up(void)
{
	(void)close(STDIN_FILENO); /* descriptor 0 is one as good as any */
	strcpy(directory, "/tmp/praxis-test-audit-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/audit.jsonl", directory);
	logged[0] = '\0';
	wall_ms = 1700000000123;
}

UNUSED static void tear_down(void)
{
	(void)nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* The path of the audit log with something behind it. Good for four calls. */
UNUSED static const char *beside(const char *suffix)
{
	static char names[4][128];
	static int next;
	char *name = names[next++ % 4];
	(void)snprintf(name, sizeof(names[0]), "%s%s", path, suffix);
	return name;
}

static void keep_line(void *user, int level, const char *line)
{
	size_t len = strlen(logged);
	const char *rest = strstr(line, path);
	(void)user;
	if (!rest) {
		abort(); /* not an assertion: check might not be able to write it down */
	}
	(void)snprintf(logged + len, sizeof(logged) - len, "%d %.*sPATH%s\n", level,
			(int)(rest - line), line, rest + strlen(path));
}

static int64_t tell_time(void *user)
{
	(void)user;
	return wall_ms;
}

UNUSED static struct px_audit_settings make_settings(enum px_audit_on_full on_full,
		const char *key)
{
	return (struct px_audit_settings){
		.path = path,
		.on_full = on_full,
		.key = px_span(key),
		.log = keep_line,
		.wall_ms = tell_time,
	};
}

UNUSED static struct px_audit *open_with(struct px_audit_settings settings)
{
	struct px_audit *audit;
	ck_assert_int_eq(px_audit_create(&settings, &audit), 0);
	return audit;
}

UNUSED static struct px_audit *open_audit_log(const char *key)
{
	return open_with(make_settings(PX_AUDIT_REFUSE, key));
}

static struct px_audit_entry make_entry(const char *event)
{
	return (struct px_audit_entry){
		.event = event,
		.user = { px_span("7"), true },
		.role = PX_ROLE_STAFF,
		.address = px_span("192.0.2.7"),
		.client = px_span("c-1"),
		.vhost = px_span("default"),
		.tenant = px_span("clinic"),
		.practice = { px_span("1"), true },
	};
}

UNUSED static int write_one(struct px_audit *audit)
{
	struct px_audit_entry entry = make_entry("connected");
	return px_audit_write(audit, &entry);
}

UNUSED static void write_some(struct px_audit *audit, int count)
{
	for (int i = 0; i < count; i++) {
		ck_assert_int_eq(write_one(audit), 0);
		wall_ms += 7;
	}
}

/* A file's bytes, terminated; free() them. */
UNUSED static char *slurp(const char *name, size_t *ret_len)
{
	struct stat st;
	FILE *file = fopen(name, "r");
	ck_assert_msg(file != NULL, "%s: %s", name, strerror(errno));
	ck_assert_int_eq(fstat(fileno(file), &st), 0);
	char *bytes = malloc((size_t)st.st_size + 1);
	ck_assert_ptr_nonnull(bytes);
	*ret_len = fread(bytes, 1, (size_t)st.st_size, file);
	bytes[*ret_len] = '\0';
	ck_assert_int_eq(fclose(file), 0);
	return bytes;
}

UNUSED static void put(const char *name, const char *bytes, size_t len)
{
	FILE *file = fopen(name, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, len, file), len);
	ck_assert_int_eq(fclose(file), 0);
}

UNUSED static void append(const char *name, const char *bytes, size_t len)
{
	FILE *file = fopen(name, "a");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, len, file), len);
	ck_assert_int_eq(fclose(file), 0);
}

UNUSED static size_t size_of(const char *name)
{
	struct stat st;
	ck_assert_int_eq(stat(name, &st), 0);
	return (size_t)st.st_size;
}

UNUSED static bool exists(const char *name)
{
	struct stat st;
	return stat(name, &st) == 0;
}

/* The line of that number, from 1, without its newline. Points into the bytes. */
UNUSED static struct px_span line_of(const char *bytes, size_t number)
{
	for (size_t i = 1; i < number; i++) {
		bytes = strchr(bytes, '\n');
		ck_assert_ptr_nonnull(bytes);
		bytes++;
	}
	return (struct px_span){ bytes, strcspn(bytes, "\n") };
}

UNUSED static size_t count_lines(const char *bytes)
{
	size_t lines = 0;
	for (; *bytes; bytes++) {
		lines += *bytes == '\n';
	}
	return lines;
}

/* What the verifier said last. */
static char verdict[4096];

static int verify_with(const struct px_audit_verify_options *options, FILE *const *files,
		size_t count)
{
	struct px_audit_verify *verify;
	memset(verdict, 0, sizeof(verdict));
	FILE *out = fmemopen(verdict, sizeof(verdict) - 1, "w");
	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(px_audit_verify_create(options, out, &verify), 0);
	int code = PX_AUDIT_GOOD;
	for (size_t i = 0; i < count && code == PX_AUDIT_GOOD; i++) {
		code = px_audit_verify_read(verify, files[i], "FILE");
	}
	code = code == PX_AUDIT_GOOD ? px_audit_verify_end(verify) : code;
	px_audit_verify_destroy(verify);
	ck_assert_int_eq(fclose(out), 0);
	return code;
}

UNUSED static int verify_bytes(const struct px_audit_verify_options *options, const char *bytes,
		size_t len)
{
	FILE *file = len > 0 ? fmemopen((void *)(uintptr_t)bytes, len, "r") :
			fopen("/dev/null", "r");
	ck_assert_ptr_nonnull(file);
	int code = verify_with(options, &file, 1);
	ck_assert_int_eq(fclose(file), 0);
	return code;
}

/* NULL ends the list. */
UNUSED static int verify_paths(const char *key, const char *const *paths)
{
	struct px_audit_verify_options options = { .key_count = key ? 1 : 0 };
	FILE *files[8] = { NULL };
	size_t count = 0;
	options.keys[0] = px_span(key);
	for (; paths[count]; count++) {
		files[count] = fopen(paths[count], "r");
		ck_assert_ptr_nonnull(files[count]);
	}
	int code = verify_with(&options, files, count);
	while (count > 0) {
		ck_assert_int_eq(fclose(files[--count]), 0);
	}
	return code;
}

UNUSED static int verify_audit_log(const char *key)
{
	const char *const paths[] = { path, NULL };
	return verify_paths(key, paths);
}

#define ck_assert_whole(key) \
	ck_assert_msg(verify_audit_log(key) == PX_AUDIT_GOOD, "%s", verdict)
#define ck_assert_logged(text) \
	ck_assert_msg(strstr(logged, (text)) != NULL, "\"%s\" is not in\n%s", (text), logged)

#define RUN(suite_name, ...) RUN_TESTS_BETWEEN(set_up, tear_down, suite_name, __VA_ARGS__)

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The file between two servers: whole or not there, its owner's alone, and refused with the
 * right sentence whenever a byte is not as it was written.
 */
#include "state/state_file.h"

#include "pieces.h"
#include "run.h"

#include <praxis/host/state.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_BYTES (1 << 20)

static char directory[64];
static char path[128];

/* Descriptor 0 is one as good as any. */
static void begin(void)
{
	(void)close(STDIN_FILENO);
	strcpy(directory, "/tmp/praxis-state-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/state", directory);
}

static void finish(void)
{
	(void)unlink(path);
	ck_assert_int_eq(rmdir(directory), 0); /* nothing else was left there */
}

static int write_lines(unsigned count, uint64_t max_bytes)
{
	struct px_state_file file;
	int rc = px_state_file_begin(&file, path, max_bytes, 1234567890123);
	if (rc < 0) {
		return rc;
	}
	for (unsigned i = 0; rc == 0 && i < count; i++) {
		char line[64];
		(void)snprintf(line, sizeof(line), "{\"n\":%u}", i);
		rc = px_state_file_line(&file, px_span(line));
	}
	return px_state_file_end(&file, rc);
}

static char *slurp(size_t *ret_len)
{
	FILE *stream = fopen(path, "r");
	char *data = calloc(1, MAX_BYTES);
	*ret_len = fread(data, 1, MAX_BYTES, stream);
	fclose(stream);
	return data;
}

static void spit(const char *data, size_t len)
{
	FILE *stream = fopen(path, "w");
	ck_assert_uint_eq(fwrite(data, 1, len, stream), len);
	fclose(stream);
}

static const char *fault_of(void)
{
	struct px_state_text text;
	const char *fault;
	int rc = px_state_file_read(path, MAX_BYTES, &text, &fault);
	if (rc == 0) {
		free(text.data);
		return "none";
	}
	ck_assert_int_eq(rc, -EINVAL);
	ck_assert_ptr_nonnull(fault);
	return fault;
}

START_TEST(reads_what_it_wrote)
{
	begin();
	for (unsigned count = 0; count < 40; count += 13) {
		ck_assert_int_eq(write_lines(count, MAX_BYTES), 0);
		struct stat st;
		ck_assert_int_eq(stat(path, &st), 0);
		ck_assert_uint_eq(st.st_mode & 07777, 0600);
		struct px_state_text text;
		const char *fault;
		ck_assert_int_eq(px_state_file_read(path, MAX_BYTES, &text, &fault), 0);
		ck_assert(text.saved_ms == 1234567890123);
		struct px_span line;
		for (unsigned i = 0; i < count; i++) {
			char wanted[64];
			(void)snprintf(wanted, sizeof(wanted), "{\"n\":%u}", i);
			ck_assert(px_state_text_line(&text, &line));
			ck_assert(px_span_equal(line, px_span(wanted)));
		}
		ck_assert(!px_state_text_line(&text, &line));
		free(text.data);
	}
	finish();
}
END_TEST

START_TEST(reads_what_comes_in_pieces)
{
	begin();
	ck_assert_int_eq(write_lines(10, MAX_BYTES), 0);
	pieces_begin(7, true);
	ck_assert_str_eq(fault_of(), "none"); /* its hash is right */
	ck_assert_uint_gt(pieces_end(), 10);
	finish();
}
END_TEST

START_TEST(no_file_is_no_fault)
{
	struct px_state_text text;
	const char *fault;
	begin();
	ck_assert_int_eq(px_state_file_read(path, MAX_BYTES, &text, &fault), -ENOENT);
	finish();
}
END_TEST

START_TEST(every_flipped_bit_is_found)
{
	size_t len;
	begin();
	ck_assert_int_eq(write_lines(3, MAX_BYTES), 0);
	char *data = slurp(&len);
	for (size_t i = 0; i < len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			data[i] = (char)(data[i] ^ 1 << bit);
			spit(data, len);
			ck_assert_msg(strcmp(fault_of(), "none") != 0, "byte %zu, bit %d", i, bit);
			data[i] = (char)(data[i] ^ 1 << bit);
		}
	}
	free(data);
	finish();
}
END_TEST

START_TEST(every_cut_is_found)
{
	size_t len;
	begin();
	ck_assert_int_eq(write_lines(3, MAX_BYTES), 0);
	char *data = slurp(&len);
	for (size_t i = 0; i < len; i++) {
		spit(data, i);
		ck_assert_str_ne(fault_of(), "none");
	}
	spit(data, len);
	ck_assert_str_eq(fault_of(), "none");
	free(data);
	finish();
}
END_TEST

/* A first line of so many bytes, before its end. */
static void pad_head(size_t len)
{
	char text[2048];
	memset(text, ' ', sizeof(text));
	int start = snprintf(text, sizeof(text), "{\"praxis-state\":%d,\"savedAt\":1", PX_STATE_FORMAT);
	text[start] = ' ';
	memcpy(text + len - 1, "}\nx\n", 4);
	spit(text, len + 3);
	ck_assert_int_eq(chmod(path, 0600), 0);
}

START_TEST(a_first_line_is_short)
{
	begin();
	pad_head(1023);
	ck_assert_str_eq(fault_of(), "its checksum does not match");
	pad_head(1024);
	ck_assert_str_eq(fault_of(), "its first line is not that of a state file");
	finish();
}
END_TEST

START_TEST(another_version_is_told)
{
	begin();
	static const char other[] = "{\"praxis-state\":1,\"version\":\"0.0\",\"savedAt\":1}\n"
		"{\"lines\":1}\n";
	spit(other, sizeof(other) - 1);
	ck_assert_int_eq(chmod(path, 0600), 0);
	ck_assert_str_eq(fault_of(), "it has another version");
	finish();
}
END_TEST

START_TEST(is_its_owners_alone)
{
	begin();
	ck_assert_int_eq(write_lines(1, MAX_BYTES), 0);
	ck_assert_int_eq(chmod(path, 0640), 0);
	ck_assert_str_eq(fault_of(), "users other than its owner have access to it");
	ck_assert_int_eq(chmod(path, 0604), 0);
	ck_assert_str_eq(fault_of(), "users other than its owner have access to it");
	if (geteuid() == 0) {
		ck_assert_int_eq(chmod(path, 0600), 0);
		ck_assert_int_eq(chown(path, 12345, 12345), 0);
		ck_assert_str_eq(fault_of(), "it belongs to another user");
	}
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	ck_assert_str_eq(fault_of(), "it is a symbolic link");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_str_eq(fault_of(), "it is not a regular file");
	finish();
}
END_TEST

START_TEST(is_bounded)
{
	begin();
	ck_assert_int_eq(write_lines(100, 1000), -EFBIG);
	ck_assert_int_eq(access(path, F_OK), -1);
	ck_assert_int_eq(write_lines(50, MAX_BYTES), 0);
	struct px_state_text text;
	const char *fault;
	ck_assert_int_eq(px_state_file_read(path, 100, &text, &fault), -EINVAL);
	ck_assert_str_eq(fault, "it is larger than state-max-bytes");
	finish();
}
END_TEST

/* A full disk: the old one stays, and there is no half one. */
START_TEST(a_write_that_fails_leaves_nothing)
{
	begin();
	ck_assert_int_eq(write_lines(3, MAX_BYTES), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	struct rlimit limit = { 10000, RLIM_INFINITY };
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(write_lines(5000, MAX_BYTES), -EFBIG);
	limit.rlim_cur = RLIM_INFINITY;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_str_eq(fault_of(), "none");
	finish();
}
END_TEST

START_TEST(moves_and_removes)
{
	begin();
	ck_assert_int_eq(write_lines(3, MAX_BYTES), 0);
	ck_assert_int_eq(px_state_file_move(path, "", ".x"), 0);
	ck_assert_int_eq(access(path, F_OK), -1);
	ck_assert_int_eq(px_state_file_move(path, "", ".x"), -ENOENT);
	ck_assert_int_eq(px_state_file_remove(path, ".x"), 0);
	ck_assert_int_eq(px_state_file_remove(path, ".x"), 0);
	ck_assert_int_eq(px_state_file_begin(&(struct px_state_file){ 0 }, "/proc/none/state",
			MAX_BYTES, 0), -ENOENT);
	finish();
}
END_TEST

RUN_TESTS("state_file", reads_what_it_wrote, reads_what_comes_in_pieces,
		no_file_is_no_fault, every_flipped_bit_is_found,
		every_cut_is_found, a_first_line_is_short, another_version_is_told,
		is_its_owners_alone, is_bounded,
		a_write_that_fails_leaves_nothing, moves_and_removes);

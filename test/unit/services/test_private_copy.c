/* SPDX-License-Identifier: MIT */
/*
 * A plugin's private copy: the file may be written, cut and removed; and where there is no memory
 * that may be run, or no directory, the next best is taken. memfd_create() is the test's, and
 * fails at will.
 */
#include "services/private_copy.h"

#include "run.h"

#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool no_memory;

int test_memfd_create(const char *name, unsigned flags);

int test_memfd_create(const char *name, unsigned flags)
{
	errno = ENOSYS;
	return no_memory ? -1 : memfd_create(name, flags);
}

static char directory[] = "/tmp/praxis-test-copy-XXXXXX";
static char path[PATH_MAX];

static void write_file(const char *text)
{
	FILE *file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void begin(void)
{
	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/praxis_svc_test.so", directory);
	write_file("as it was");
	no_memory = false;
}

static void end(void)
{
	(void)unlink(path);
	ck_assert_int_eq(rmdir(directory), 0); /* nothing else is left in it */
}

/* Where the open descriptor leads. */
static void read_link(const struct px_private_copy *copy, char *buf, size_t size)
{
	char name[64];
	ssize_t len = readlink(px_private_copy_name(copy, path, name, sizeof(name)), buf, size - 1);
	ck_assert_int_gt(len, 0);
	buf[len] = '\0';
}

static void expect_text(const struct px_private_copy *copy, const char *expected)
{
	char text[64] = "";
	ck_assert_int_ge(pread(copy->fd, text, sizeof(text) - 1, 0), 0);
	ck_assert_str_eq(text, expected);
}

START_TEST(is_in_memory_and_stays_as_it_was)
{
	struct px_private_copy copy;
	char where[PATH_MAX];
	begin();
	ck_assert_int_eq(px_private_copy_make(path, &copy), 0);
	ck_assert(!copy.in_place);
	read_link(&copy, where, sizeof(where));
	ck_assert_str_eq(where, "/memfd:praxis_svc_test.so (deleted)");
	write_file("else");
	expect_text(&copy, "as it was");
	/* Nobody writes it any more, not even who has the descriptor. */
	ck_assert_int_eq(pwrite(copy.fd, "x", 1, 0), -1);
	ck_assert_int_eq(ftruncate(copy.fd, 0), -1);
	px_private_copy_drop(&copy);
	ck_assert_int_eq(copy.fd, -1);
	px_private_copy_drop(&copy);
	end();
}
END_TEST

static void expect_unlinked(const char *in)
{
	struct px_private_copy copy;
	char where[PATH_MAX];
	ck_assert_int_eq(px_private_copy_make(path, &copy), 0);
	ck_assert(!copy.in_place);
	read_link(&copy, where, sizeof(where));
	ck_assert_msg(strncmp(where, in, strlen(in)) == 0 && strstr(where, " (deleted)"), "%s", where);
	write_file("else");
	expect_text(&copy, "as it was");
	write_file("as it was");
	px_private_copy_drop(&copy);
}

START_TEST(is_a_file_without_a_name_where_memory_is_not_to_be_had)
{
	begin();
	no_memory = true;
	ck_assert_int_eq(unsetenv("TMPDIR"), 0);
	expect_unlinked("/tmp/praxis_svc_test.so.");
	ck_assert_int_eq(setenv("TMPDIR", "/nonexistent", 1), 0);
	expect_unlinked(directory);
	ck_assert_int_eq(setenv("TMPDIR", directory, 1), 0);
	expect_unlinked(directory);
	end();
}
END_TEST

/* In /proc nobody can make a file. */
START_TEST(is_the_file_itself_where_there_is_no_place)
{
	static const char own[] = "/proc/self/exe";
	struct px_private_copy copy;
	char name[64];
	no_memory = true;
	ck_assert_int_eq(setenv("TMPDIR", "/nonexistent", 1), 0);
	ck_assert_int_eq(px_private_copy_make(own, &copy), 0);
	ck_assert(copy.in_place);
	ck_assert_str_eq(px_private_copy_name(&copy, own, name, sizeof(name)), own);
	px_private_copy_drop(&copy);
}
END_TEST

START_TEST(is_of_a_regular_file)
{
	struct px_private_copy copy;
	begin();
	ck_assert_int_eq(px_private_copy_make(directory, &copy), -EINVAL);
	ck_assert_int_eq(px_private_copy_make("/nonexistent", &copy), -ENOENT);
	ck_assert_int_eq(px_private_copy_make("/dev/null", &copy), -EINVAL);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(px_private_copy_make(path, &copy), -EINVAL); /* and nobody waited */
	ck_assert_int_eq(unlink(path), 0);
	write_file("");
	ck_assert_int_eq(truncate(path, ((off_t)256 << 20) + 1), 0);
	ck_assert_int_eq(px_private_copy_make(path, &copy), -EFBIG);
	end();
}
END_TEST

/* Two copies, one after the other and at the same time, are two objects to the linker. */
START_TEST(is_loaded_as_an_object_of_its_own)
{
	const char *plugin = getenv("PX_PLUGIN");
	struct px_private_copy copies[2];
	void *handles[2];
	char name[64];
	ck_assert_ptr_nonnull(plugin);
	no_memory = false;
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(px_private_copy_make(plugin, &copies[i]), 0);
		handles[i] = dlopen(px_private_copy_name(&copies[i], plugin, name, sizeof(name)),
				RTLD_NOW | RTLD_LOCAL);
		ck_assert_msg(handles[i] != NULL, "%s", handles[i] ? "" : dlerror());
	}
	ck_assert_ptr_ne(handles[0], handles[1]);
	ck_assert_ptr_ne(dlsym(handles[0], "svc_echo"), dlsym(handles[1], "svc_echo"));
	for (int i = 0; i < 2; i++) {
		(void)dlclose(handles[i]);
		px_private_copy_drop(&copies[i]);
	}
}
END_TEST

RUN_TESTS("private_copy", is_in_memory_and_stays_as_it_was,
		is_a_file_without_a_name_where_memory_is_not_to_be_had,
		is_the_file_itself_where_there_is_no_place, is_of_a_regular_file,
		is_loaded_as_an_object_of_its_own);

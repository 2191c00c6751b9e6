/* SPDX-License-Identifier: MIT */
/* The lock beside the state file: one process has it, whichever name it uses for the file. */
#include "state/state_lock.h"

#include "run.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[64];
static char path[128];
static char name[160];

static void begin(void)
{
	strcpy(directory, "/tmp/praxis-lock-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/state", directory);
	(void)snprintf(name, sizeof(name), "%s.lock", path);
}

static void finish(void)
{
	(void)unlink(name);
	ck_assert_int_eq(rmdir(directory), 0);
}

/* What another process is told: 0, or 1 and that `holder` has it. */
static int try_elsewhere(pid_t holder)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		struct px_state_lock *lock = NULL;
		pid_t pid = 0;
		int rc = px_state_lock_take(path, NULL, &lock, &pid);
		px_state_lock_release(lock);
		_exit(rc == 0 ? 0 : rc == -EBUSY && pid == holder ? 1 : 2);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return WEXITSTATUS(status);
}

START_TEST(one_process_has_it)
{
	struct px_state_lock *lock = NULL;
	pid_t pid = 0;
	begin();
	ck_assert_int_eq(px_state_lock_take(path, NULL, &lock, &pid), 0);
	ck_assert_int_eq(try_elsewhere(getpid()), 1);
	ck_assert_int_eq(try_elsewhere(getpid()), 1); /* that one was refused takes nothing away */
	px_state_lock_release(lock);
	ck_assert_int_eq(try_elsewhere(getpid()), 0);
	px_state_lock_release(NULL);
	finish();
}
END_TEST

START_TEST(the_same_file_is_not_locked_twice)
{
	struct px_state_lock *lock = NULL;
	struct px_state_lock *more = (struct px_state_lock *)1;
	char again[160];
	pid_t pid = 0;
	begin();
	(void)snprintf(again, sizeof(again), "%s/./state", directory);
	ck_assert_int_eq(px_state_lock_take(path, NULL, &lock, &pid), 0);
	ck_assert_int_eq(px_state_lock_take(again, lock, &more, &pid), 0);
	ck_assert_ptr_null(more);
	ck_assert_int_eq(try_elsewhere(getpid()), 1);
	px_state_lock_release(lock);
	finish();
}
END_TEST

START_TEST(what_cannot_be_locked_is_told)
{
	struct px_state_lock *lock = NULL;
	char longer[5000];
	pid_t pid = 0;
	begin();
	ck_assert_int_eq(px_state_lock_take("/proc/none/state", NULL, &lock, &pid), -ENOENT);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_int_eq(px_state_lock_take(longer, NULL, &lock, &pid), -ENAMETOOLONG);
	ck_assert_int_eq(symlink("/dev/null", name), 0);
	ck_assert_int_eq(px_state_lock_take(path, NULL, &lock, &pid), -ELOOP);
	ck_assert_ptr_null(lock);
	ck_assert_int_eq(pid, 0);
	finish();
}
END_TEST

/* Of a holder that has not written its number yet, or of another kind of file. */
START_TEST(a_number_that_makes_no_sense_is_none)
{
	static const char *const texts[] = { "", "x", "-5", "0", "99999999999999999999" };
	struct px_state_lock *lock = NULL;
	pid_t pid = 0;
	begin();
	ck_assert_int_eq(px_state_lock_take(path, NULL, &lock, &pid), 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int fd = open(name, O_WRONLY | O_TRUNC);
		ck_assert_int_eq(write(fd, texts[i], strlen(texts[i])), (ssize_t)strlen(texts[i]));
		close(fd);
		ck_assert_int_eq(try_elsewhere(0), 1);
	}
	px_state_lock_release(lock);
	finish();
}
END_TEST

RUN_TESTS("state_lock", one_process_has_it, the_same_file_is_not_locked_twice,
		what_cannot_be_locked_is_told, a_number_that_makes_no_sense_is_none);

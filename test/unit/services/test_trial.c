/* SPDX-License-Identifier: MIT */
/*
 * What may end the process is told apart from what may not, however it does it; and no fork of
 * it is left. Built with a shorter PX_TRIAL_MS.
 */
#include "services/trial.h"

#include "run.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char fault[128];

static int try_it(void (*attempt)(void *user), void *user)
{
	fault[0] = '\0';
	int rc = px_trial(attempt, user, fault, sizeof(fault));
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no child is left, not even a dead one */
	ck_assert_int_eq(errno, ECHILD);
	return rc;
}

static void count(void *user)
{
	++*(int *)user;
}

START_TEST(what_returns_is_fine_and_has_changed_nothing)
{
	int calls = 0;
	ck_assert_int_eq(try_it(count, &calls), 0);
	ck_assert_int_eq(calls, 0);
	ck_assert_str_eq(fault, "");
}
END_TEST

static void end_itself(void *user)
{
	(void)user;
	abort();
}

static void be_killed(void *user)
{
	(void)user;
	(void)raise(SIGKILL);
}

static void leave(void *user)
{
	_exit(*(int *)user);
}

START_TEST(what_ends_the_process_is_not)
{
	int codes[] = { 0, 3 };
	ck_assert_int_eq(try_it(end_itself, NULL), -EINVAL);
	ck_assert_str_eq(fault, "it ends the process: Aborted");
	ck_assert_int_eq(try_it(be_killed, NULL), -EINVAL);
	ck_assert_str_eq(fault, "it ends the process: Killed");
	ck_assert_int_eq(try_it(leave, &codes[0]), -EINVAL);
	ck_assert_str_eq(fault, "it ends the process, with exit code 0");
	ck_assert_int_eq(try_it(leave, &codes[1]), -EINVAL);
	ck_assert_str_eq(fault, "it ends the process, with exit code 3");
}
END_TEST

static void hang(void *user)
{
	(void)user;
	for (;;) {
		pause();
	}
}

START_TEST(what_hangs_is_ended)
{
	ck_assert_int_eq(try_it(hang, NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(fault, "it does not return"));
}
END_TEST

static void close_all_and_hang(void *user)
{
	for (int fd = 3; fd < 64; fd++) {
		close(fd);
	}
	hang(user);
}

START_TEST(what_closes_the_pipe_and_hangs_is_ended)
{
	ck_assert_int_eq(try_it(close_all_and_hang, NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(fault, "it ends the process"));
}
END_TEST

/* `user` is shared memory, for the number of the process that is left behind. */
static void leave_a_child(void *user)
{
	pid_t pid = fork();
	if (pid == 0) {
		hang(user);
	}
	*(pid_t *)user = pid;
}

START_TEST(whose_children_hold_the_pipe_is_not_waited_for)
{
	pid_t *pid = mmap(NULL, sizeof(*pid), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	ck_assert_ptr_ne(pid, MAP_FAILED);
	ck_assert_int_eq(try_it(leave_a_child, pid), 0);
	ck_assert_int_gt(*pid, 0);
	ck_assert_int_eq(kill(*pid, SIGKILL), 0);
	(void)munmap(pid, sizeof(*pid));
}
END_TEST

RUN_TESTS("trial", what_returns_is_fine_and_has_changed_nothing, what_ends_the_process_is_not,
		what_hangs_is_ended, what_closes_the_pipe_and_hangs_is_ended,
		whose_children_hold_the_pipe_is_not_waited_for);

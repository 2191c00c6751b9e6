/* SPDX-License-Identifier: MIT */
/*
 * The fork reports success by a byte in a pipe; whatever else happens to it closes the pipe, or
 * leaves it silent. So exiting with 0 is not mistaken for success, and children of the fork that
 * keep the pipe open do not extend the wait.
 *
 * Rejected: running praxisd again. It would be cleaner (without the server's memory), but takes as
 * long as a start, while the server stands still.
 */
#include "trial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The process' signal handlers must not run in the fork. */
static void forget_handlers(void)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		(void)signal(numbers[i], SIG_DFL);
	}
}

_Noreturn static void run(void (*attempt)(void *user), void *user, int fd, const sigset_t *mask)
{
	/* The fork contains the server's memory: no core dump, and it ends with the server. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	forget_handlers();
	(void)sigprocmask(SIG_SETMASK, mask, NULL);
	attempt(user);
	ssize_t n = write(fd, "", 1);
	_exit(n == 1 ? 0 : 1);
}

static int64_t now_ms(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

enum outcome {
	OUTCOME_DONE,
	OUTCOME_ENDED,
	OUTCOME_HANGS,
};

static enum outcome wait_for(int fd)
{
	int64_t end_ms = now_ms() + PX_TRIAL_MS;
	for (;;) {
		struct pollfd poller = { .fd = fd, .events = POLLIN };
		int64_t left_ms = end_ms - now_ms();
		int n = left_ms > 0 ? poll(&poller, 1, (int)left_ms) : 0;
		if (n == 0) {
			return OUTCOME_HANGS;
		}
		char byte;
		ssize_t got = n > 0 ? read(fd, &byte, 1) : -1;
		if (got >= 0) {
			return got == 1 ? OUTCOME_DONE : OUTCOME_ENDED;
		}
	}
}

static void describe(int status, char *fault, size_t size)
{
	if (WIFSIGNALED(status)) {
		(void)snprintf(fault, size, "it ends the process: %s", strsignal(WTERMSIG(status)));
	} else {
		(void)snprintf(fault, size, "it ends the process, with exit code %d",
				WEXITSTATUS(status));
	}
}

/* The fork is gone when this returns, in any case. */
static int judge(pid_t pid, int fd, char *fault, size_t size)
{
	int status = 0;
	enum outcome outcome = wait_for(fd);
	/* No effect on one that is ending; for one that closed the pipe and goes on. */
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	if (outcome == OUTCOME_HANGS) {
		(void)snprintf(fault, size, "it does not return within %d ms", PX_TRIAL_MS);
	} else if (outcome == OUTCOME_ENDED) {
		describe(status, fault, size);
	}
	return outcome == OUTCOME_DONE ? 0 : -EINVAL;
}

int px_trial(void (*attempt)(void *user), void *user, char *fault, size_t size)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) < 0) {
		return -errno;
	}
	/*
	 * In the fork, libuv's handler would write into the server's pipe: one signal would count
	 * twice.
	 */
	sigset_t all;
	sigset_t before;
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	pid_t pid = fork();
	if (pid == 0) {
		close(fds[0]);
		run(attempt, user, fds[1], &before);
	}
	int rc = pid < 0 ? -errno : 0;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	close(fds[1]);
	if (rc == 0) {
		rc = judge(pid, fds[0], fault, size);
	}
	close(fds[0]);
	return rc;
}

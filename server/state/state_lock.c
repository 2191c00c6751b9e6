/* SPDX-License-Identifier: MIT */
/*
 * See state_lock.h. flock() instead of fcntl(), whose lock is lost as soon as the process closes
 * any descriptor of the file. The price is that the kernel does not tell who holds it.
 */
#include "state_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".lock"
#define PID_DIGITS 20

struct px_state_lock {
	int fd;
	dev_t device;
	ino_t inode;
};

static int open_file(const char *path, struct px_state_lock *lock)
{
	char name[PATH_MAX];
	struct stat st;
	if ((size_t)snprintf(name, sizeof(name), "%s" SUFFIX, path) >= sizeof(name)) {
		return -ENAMETOOLONG;
	}
	/* Nonblocking, in case the path is a FIFO. */
	const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	lock->fd = open(name, flags, 0600);
	if (lock->fd < 0 || fstat(lock->fd, &st) < 0) {
		return -errno;
	}
	lock->device = st.st_dev;
	lock->inode = st.st_ino;
	return 0;
}

/* 0 while the owner of the lock has not written it yet. */
static pid_t read_pid(int fd)
{
	char text[PID_DIGITS + 1] = "";
	if (pread(fd, text, PID_DIGITS, 0) <= 0) {
		return 0;
	}
	long pid = strtol(text, NULL, 10);
	return pid > 0 && pid <= INT_MAX ? (pid_t)pid : 0;
}

/* Only for the message of another process: failing to write it does not prevent a start. */
static void write_pid(int fd)
{
	char text[PID_DIGITS + 1];
	int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) == 0) {
		(void)!pwrite(fd, text, (size_t)len, 0);
	}
}

static int lock_file(struct px_state_lock *lock, pid_t *ret_pid)
{
	if (flock(lock->fd, LOCK_EX | LOCK_NB) == 0) {
		write_pid(lock->fd);
		return 0;
	}
	if (errno != EWOULDBLOCK) {
		return -errno;
	}
	*ret_pid = read_pid(lock->fd);
	return -EBUSY;
}

int px_state_lock_take(const char *path, const struct px_state_lock *held,
		struct px_state_lock **ret_lock, pid_t *ret_pid)
{
	struct px_state_lock *lock = malloc(sizeof(*lock));
	if (!lock) {
		return -ENOMEM;
	}
	*lock = (struct px_state_lock){ .fd = -1 };
	int rc = open_file(path, lock);
	bool same = rc == 0 && held && held->device == lock->device && held->inode == lock->inode;
	rc = rc < 0 || same ? rc : lock_file(lock, ret_pid);
	if (rc < 0 || same) {
		px_state_lock_release(lock);
		lock = NULL;
	}
	if (rc == 0) {
		*ret_lock = lock;
	}
	return rc;
}

void px_state_lock_release(struct px_state_lock *lock)
{
	if (lock && lock->fd >= 0) {
		close(lock->fd);
	}
	free(lock);
}

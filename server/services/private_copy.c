/* SPDX-License-Identifier: MIT */
/*
 * A plugin is mapped, not read: whoever writes to its file (by copying a newer build over it)
 * changes running code, or removes its pages. So a copy is mapped that nobody else can write to: in
 * memory (memfd_create), or if that is not executable, in a file without a name.
 *
 * The copy's descriptor stays open. The linker identifies an object by its path, and would take
 * another file with the same number for one that it has. That path is /proc/PID/fd/N, which a
 * debugger and the sanitizers can open, too; /proc/PID/maps shows /memfd:praxis_svc_<name>.so.
 * Rejected: dlmopen(); a directory of copies, which would have to be cleaned up, and which does not
 * help if all writable file systems are mounted noexec.
 */
#include "private_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE_LIMIT ((off_t)256 * 1024 * 1024)

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* since Linux 6.3, where it may be asked for */
#endif

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static int open_in_memory(const char *path)
{
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create(name_of(path), flags | MFD_EXEC);
	return fd < 0 && errno == EINVAL ? memfd_create(name_of(path), flags) : fd;
}

/* -1: it cannot be created there. */
static int open_unlinked(const char *directory, int directory_len, const char *path)
{
	char name[PATH_MAX];
	if (snprintf(name, sizeof(name), "%.*s/%s.XXXXXX", directory_len, directory,
			name_of(path)) >= (int)sizeof(name)) {
		return -1;
	}
	int fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0) {
		(void)unlink(name);
	}
	return fd;
}

static int copy_all(int from, int to, off_t size)
{
	off_t at = 0;
	while (at < size) {
		ssize_t n = sendfile(to, from, &at, (size_t)(size - at));
		if (n < 0 && errno != EINTR) {
			return -errno;
		}
		if (n == 0) { /* it became shorter: its header will tell */
			return 0;
		}
	}
	return 0;
}

/* Whether code may be run from there (noexec, a policy), and under that path (/proc is mounted). */
static bool can_be_run(int fd)
{
	char name[64];
	struct px_private_copy copy = { .fd = fd };
	if (access(px_private_copy_name(&copy, "", name, sizeof(name)), R_OK) < 0) {
		return false;
	}
	void *page = mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	if (page == MAP_FAILED) {
		return false;
	}
	(void)munmap(page, 1);
	return true;
}

/* Takes ownership of the descriptor. */
static bool fill(int fd, int from, off_t size)
{
	if (fd < 0) {
		return false;
	}
	if (copy_all(from, fd, size) < 0 || !can_be_run(fd)) {
		close(fd);
		return false;
	}
	/* Only a memfd has seals; a file without a name cannot be opened by others. */
	(void)fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	return true;
}

/* The first suitable place; -1: none. */
static int find_place(const char *path, int from, off_t size)
{
	const char *tmpdir = getenv("TMPDIR");
	const char *slash = strrchr(path, '/');
	const struct {
		const char *directory; /* NULL: in memory */
		int len;
	} places[] = {
		{ NULL, 0 },
		{ tmpdir ? tmpdir : "/tmp", tmpdir ? (int)strnlen(tmpdir, PATH_MAX) : 4 },
		{ path, slash ? (int)(slash - path) : 0 },
	};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int fd = places[i].directory ?
				open_unlinked(places[i].directory, places[i].len, path) :
				open_in_memory(path);
		if (fill(fd, from, size)) {
			return fd;
		}
	}
	return -1;
}

int px_private_copy_make(const char *path, struct px_private_copy *ret_copy)
{
	struct stat about;
	/* Nonblocking, in case the path is a FIFO; no effect on regular files. */
	int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (from < 0) {
		return -errno;
	}
	int rc = fstat(from, &about) < 0 ? -errno : !S_ISREG(about.st_mode) ? -EINVAL :
			about.st_size > SIZE_LIMIT ? -EFBIG : 0;
	if (rc < 0) {
		close(from);
		return rc;
	}
	int fd = find_place(path, from, about.st_size);
	*ret_copy = (struct px_private_copy){ .fd = fd >= 0 ? fd : from, .in_place = fd < 0 };
	if (fd >= 0) {
		close(from);
	}
	return 0;
}

const char *px_private_copy_name(const struct px_private_copy *copy, const char *path, char *buf,
		size_t size)
{
	if (copy->in_place) {
		return path;
	}
	/* Not /proc/self: that would be the debugger's own. */
	(void)snprintf(buf, size, "/proc/%ld/fd/%d", (long)getpid(), copy->fd);
	return buf;
}

void px_private_copy_drop(struct px_private_copy *copy)
{
	if (copy->fd >= 0) {
		close(copy->fd);
	}
	copy->fd = -1;
}

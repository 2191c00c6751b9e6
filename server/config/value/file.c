/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a file that the configuration is, or names. Only regular files are read, and none is
 * waited for: a FIFO or a device that has got into conf.d is an error, not a server that hangs at
 * start.
 */
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *px_config_path_join(const char *directory, const char *path)
{
	if (path[0] == '/') {
		return strdup(path);
	}
	size_t size = strlen(directory) + strlen(path) + 2;
	char *joined = malloc(size);
	if (joined) {
		const char *slash = strcmp(directory, "/") == 0 ? "" : "/";
		(void)snprintf(joined, size, "%s%s%s", directory, slash, path);
	}
	return joined;
}

static int read_all(int fd, size_t max, char **ret_text, size_t *ret_length)
{
	char *text = malloc(max + 2); /* one more than allowed, and the NUL */
	if (!text) {
		return -ENOMEM;
	}
	size_t length = 0;
	while (length <= max) {
		ssize_t n = read(fd, text + length, max + 1 - length);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			int error = errno;
			free(text);
			return -error;
		}
		if (n == 0) {
			break;
		}
		length += (size_t)n;
	}
	if (length > max) {
		free(text);
		return -EFBIG;
	}
	text[length] = '\0';
	*ret_text = text;
	*ret_length = length;
	return 0;
}

/* 0 for a regular file. */
static int check_type(const struct stat *st)
{
	if (S_ISDIR(st->st_mode)) {
		return -EISDIR;
	}
	return S_ISREG(st->st_mode) ? 0 : -EINVAL;
}

/* A descriptor. */
static int open_regular(const char *path)
{
	/* asked before opening, too: opening alone does something to some devices */
	struct stat st;
	int r = stat(path, &st) < 0 ? -errno : check_type(&st);
	if (r < 0) {
		return r;
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		return -errno;
	}
	r = fstat(fd, &st) < 0 ? -errno : check_type(&st);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	return fd;
}

int px_config_file_read(const char *path, size_t max, char **ret_text, size_t *ret_length)
{
	int fd = open_regular(path);
	if (fd < 0) {
		return fd;
	}
	int r = read_all(fd, max, ret_text, ret_length);
	(void)close(fd);
	return r;
}

int px_config_file_check(const char *path)
{
	int fd = open_regular(path);
	if (fd < 0) {
		return fd;
	}
	(void)close(fd);
	return 0;
}

const char *px_config_file_fault(const char *path, int rc, char *buf, size_t size)
{
	struct stat st;
	long user = (long)geteuid();
	if (rc == -EINVAL) {
		return "Not a regular file";
	}
	if (rc != -EACCES) {
		return strerror(-rc);
	}
	if (stat(path, &st) < 0) {
		(void)snprintf(buf, size, "%.1024s: Permission denied: praxisd runs as user %ld, which "
				"may not enter one of the directories", path, user);
	} else {
		(void)snprintf(buf, size, "%.1024s: Permission denied: it belongs to user %ld and group "
				"%ld, with mode %04o, and praxisd runs as user %ld: chown it to %ld, or give a "
				"group of that user read access", path, (long)st.st_uid, (long)st.st_gid,
				(unsigned)(st.st_mode & 07777), user, user);
	}
	return buf;
}

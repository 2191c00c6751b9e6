/* SPDX-License-Identifier: MIT */
/* See secret.h. read(2) and not stdio, whose buffer would keep a copy. */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECRET_BYTES_MAX 65536 /* as much as praxisd takes */

static int read_all(int fd, char *bytes, size_t *ret_len)
{
	size_t len = 0;
	ssize_t count;
	while ((count = read(fd, bytes + len, SECRET_BYTES_MAX + 1 - len)) > 0) {
		len += (size_t)count;
	}
	if (count < 0) {
		return -errno;
	}
	if (len > SECRET_BYTES_MAX) {
		return -EFBIG;
	}
	if (len > 0 && bytes[len - 1] == '\n') {
		len -= len > 1 && bytes[len - 2] == '\r' ? 2 : 1;
	}
	*ret_len = len;
	return len > 0 ? 0 : -ENODATA;
}

static int read_fd(int fd, struct px_span *ret_secret)
{
	size_t len = 0;
	char *bytes = calloc(1, SECRET_BYTES_MAX + 1);
	int rc = bytes ? read_all(fd, bytes, &len) : -ENOMEM;
	if (rc < 0) {
		px_secret_free((struct px_span){ bytes, bytes ? SECRET_BYTES_MAX : 0 });
		return rc;
	}
	*ret_secret = (struct px_span){ bytes, len };
	return 0;
}

int px_secret_read(const char *path, struct px_span *ret_secret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	int rc = read_fd(fd, ret_secret);
	close(fd);
	return rc;
}

int px_secret_read_input(struct px_span *ret_secret)
{
	return read_fd(STDIN_FILENO, ret_secret);
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);
	return value && value[0] != '\0' ? value : NULL;
}

int px_secret_find(const char *path, struct px_span *ret_secret, const char **ret_path)
{
	const char *secret = path ? NULL : variable("PRAXIS_TOKEN_SECRET");
	*ret_path = NULL;
	if (secret) {
		char *copy = strdup(secret);
		*ret_secret = px_span(copy);
		return copy ? 0 : -ENOMEM;
	}
	path = path ? path : variable("PRAXIS_TOKEN_SECRET_FILE");
	path = path ? path : variable("PRAXIS_SECRET_FILE");
	*ret_path = path;
	return path ? px_secret_read(path, ret_secret) : -ENOENT;
}

void px_secret_free(struct px_span secret)
{
	void *bytes = (void *)(uintptr_t)secret.data;
	if (bytes) {
		explicit_bzero(bytes, secret.len);
		free(bytes);
	}
}

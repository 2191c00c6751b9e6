/* SPDX-License-Identifier: MIT */
/*
 * See file.h. Plain write(2) with O_APPEND, without a buffer that a crash could lose. stdio would
 * hold lines back; io_uring or a thread would only hide the waiting: if a line must be on disk
 * before the act is confirmed, somebody waits.
 */
#include "file.h"

#include "common/audit_chain.h"
#include "common/fsync_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES 4096

static int identify(struct px_audit_file *file)
{
	struct stat st;
	if (fstat(file->fd, &st) < 0) {
		return -errno;
	}
	if (!S_ISREG(st.st_mode)) {
		return -EINVAL;
	}
	file->device = st.st_dev;
	file->inode = st.st_ino;
	file->size = (uint64_t)st.st_size;
	return 0;
}

int px_audit_file_open(struct px_audit_file *file, const char *path, bool sync)
{
	/* Nonblocking, in case the path is a device; no effect on regular files. */
	const int flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	*file = (struct px_audit_file){ .fd = open(path, flags, 0600) };
	if (file->fd < 0) {
		return -errno;
	}
	int rc = identify(file);
	if (rc == 0 && flock(file->fd, LOCK_EX | LOCK_NB) < 0) {
		rc = errno == EWOULDBLOCK ? -EBUSY : -errno;
	}
	if (rc == 0 && file->size == 0 && sync) {
		rc = px_directory_sync(path);
	}
	if (rc < 0) {
		px_audit_file_close(file);
	}
	return rc;
}

void px_audit_file_close(struct px_audit_file *file)
{
	if (file->fd >= 0) {
		close(file->fd);
	}
	file->fd = -1;
}

int px_audit_file_check(struct px_audit_file *file, enum px_audit_file_change *ret_change)
{
	struct stat st;
	if (fstat(file->fd, &st) < 0) {
		return -errno;
	}
	uint64_t size = (uint64_t)st.st_size;
	enum px_audit_file_change change = PX_AUDIT_FILE_SAME;
	/* A ragged file is longer by what could not be truncated. */
	if (size < file->size || (size > file->size && !file->ragged)) {
		change = size == 0 ? PX_AUDIT_FILE_EMPTIED : PX_AUDIT_FILE_ALTERED;
		file->size = size;
		file->ragged = false;
	}
	*ret_change = st.st_nlink == 0 ? PX_AUDIT_FILE_DELETED : change;
	return 0;
}

static int cut(struct px_audit_file *file)
{
	file->ragged = ftruncate(file->fd, (off_t)file->size) < 0;
	return file->ragged ? -errno : 0;
}

static int write_all(int fd, struct px_span bytes)
{
	while (bytes.len > 0) {
		ssize_t len = write(fd, bytes.data, bytes.len);
		if (len < 0 && errno == EINTR) {
			continue;
		}
		if (len <= 0) {
			return len < 0 ? -errno : -EIO;
		}
		bytes.data += len;
		bytes.len -= (size_t)len;
	}
	return 0;
}

int px_audit_file_append(struct px_audit_file *file, struct px_span bytes, bool sync)
{
	int rc = file->ragged ? cut(file) : 0;
	if (rc < 0) {
		return rc;
	}
	rc = write_all(file->fd, bytes);
	if (rc == 0 && sync && fdatasync(file->fd) < 0) {
		rc = -errno;
	}
	if (rc < 0) {
		(void)cut(file);
		return rc;
	}
	file->size += bytes.len;
	return 0;
}

bool px_audit_file_is_moved(const struct px_audit_file *file, const char *path)
{
	struct stat st;
	return stat(path, &st) < 0 || st.st_dev != file->device || st.st_ino != file->inode;
}

static int read_at(int fd, uint64_t at, char *buf, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t count = pread(fd, buf + done, len - done, (off_t)(at + done));
		if (count < 0 && errno == EINTR) {
			continue;
		}
		if (count <= 0) {
			return count < 0 ? -errno : -EIO;
		}
		done += (size_t)count;
	}
	return 0;
}

/* The offset behind the last newline before `end`, but not below `floor`. */
static int find_newline(int fd, uint64_t end, uint64_t floor, uint64_t *ret_at)
{
	char chunk[CHUNK_BYTES];
	while (end > floor) {
		size_t len = end - floor < sizeof(chunk) ? (size_t)(end - floor) : sizeof(chunk);
		int rc = read_at(fd, end - len, chunk, len);
		if (rc < 0) {
			return rc;
		}
		for (size_t i = len; i > 0; i--) {
			if (chunk[i - 1] == '\n') {
				*ret_at = end - len + i;
				return 0;
			}
		}
		end -= len;
	}
	*ret_at = floor;
	return 0;
}

int px_audit_file_find_end(struct px_audit_file *file, uint64_t *ret_cut)
{
	uint64_t end;
	int rc = find_newline(file->fd, file->size, 0, &end);
	if (rc < 0) {
		return rc;
	}
	*ret_cut = file->size - end;
	file->ragged = *ret_cut > 0;
	file->size = end;
	return 0;
}

int px_audit_file_first_line(const struct px_audit_file *file, char *buf,
		struct px_span *ret_line)
{
	size_t len = file->size < PX_AUDIT_LINE_MAX ? (size_t)file->size : PX_AUDIT_LINE_MAX;
	int rc = read_at(file->fd, 0, buf, len);
	if (rc < 0) {
		return rc;
	}
	const char *newline = memchr(buf, '\n', len);
	if (!newline) {
		return -EBADMSG;
	}
	*ret_line = (struct px_span){ buf, (size_t)(newline - buf) };
	return 0;
}

int px_audit_file_last_line(const struct px_audit_file *file, char *buf,
		struct px_span *ret_line)
{
	if (file->size == 0) {
		return -EBADMSG;
	}
	uint64_t end = file->size - 1; /* its newline */
	uint64_t floor = end > PX_AUDIT_LINE_MAX ? end - PX_AUDIT_LINE_MAX : 0;
	uint64_t begin;
	int rc = find_newline(file->fd, end, floor, &begin);
	if (rc < 0) {
		return rc;
	}
	if (end - begin >= PX_AUDIT_LINE_MAX) {
		return -EBADMSG;
	}
	rc = read_at(file->fd, begin, buf, (size_t)(end - begin));
	if (rc == 0) {
		*ret_line = (struct px_span){ buf, (size_t)(end - begin) };
	}
	return rc;
}

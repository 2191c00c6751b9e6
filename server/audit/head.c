/* SPDX-License-Identifier: MIT */
/*
 * See head.h. One line of a fixed length, so that overwriting it needs no space and only one system
 * call. Not mapped into memory: truncating the head would end the server with SIGBUS. Not renamed
 * into place: the lock would stay with the old file.
 */
#include "head.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define SUFFIX ".head"
#define DIGITS 18
#define WORD "praxis-audit-head "
#define LINE_BYTES (sizeof(WORD) - 1 + DIGITS + 1 + PX_AUDIT_HASH_LEN + 1)

static void format(const struct px_audit_position *position, char line[LINE_BYTES + 1])
{
	(void)snprintf(line, LINE_BYTES + 1, WORD "%0*llu %s\n", DIGITS,
			(unsigned long long)position->seq, position->hash);
}

static bool parse(const char line[LINE_BYTES + 1], struct px_audit_position *ret_position)
{
	struct px_audit_position position;
	char again[LINE_BYTES + 1];
	const char *hash = line + LINE_BYTES - 1 - PX_AUDIT_HASH_LEN;
	if (!px_audit_hash_is_valid((struct px_span){ hash, PX_AUDIT_HASH_LEN })) {
		return false;
	}
	memcpy(position.hash, hash, PX_AUDIT_HASH_LEN);
	position.hash[PX_AUDIT_HASH_LEN] = '\0';
	position.seq = strtoull(line + sizeof(WORD) - 1, NULL, 10);
	format(&position, again);
	if (memcmp(line, again, LINE_BYTES) != 0) {
		return false;
	}
	*ret_position = position;
	return true;
}

static int read_head(struct px_audit_head *head)
{
	char line[LINE_BYTES + 1] = "";
	ssize_t len = pread(head->fd, line, LINE_BYTES, 0);
	if (len < 0) {
		return -errno;
	}
	if (len == 0) {
		head->state = PX_AUDIT_HEAD_NEW;
	} else if (len == (ssize_t)LINE_BYTES && parse(line, &head->position)) {
		head->state = PX_AUDIT_HEAD_KNOWN;
	} else {
		head->state = PX_AUDIT_HEAD_DAMAGED;
	}
	return 0;
}

int px_audit_head_open(struct px_audit_head *head, const char *path)
{
	char name[PATH_MAX];
	*head = (struct px_audit_head){ .fd = -1 };
	px_audit_position_init(&head->position);
	if ((size_t)snprintf(name, sizeof(name), "%s" SUFFIX, path) >= sizeof(name)) {
		return -ENAMETOOLONG;
	}
	head->fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	if (head->fd < 0) {
		return -errno;
	}
	int rc = 0;
	if (flock(head->fd, LOCK_EX | LOCK_NB) < 0) {
		rc = errno == EWOULDBLOCK ? -EBUSY : -errno;
	}
	rc = rc < 0 ? rc : read_head(head);
	if (rc < 0) {
		px_audit_head_close(head);
	}
	return rc;
}

void px_audit_head_close(struct px_audit_head *head)
{
	if (head->fd >= 0) {
		close(head->fd);
	}
	head->fd = -1;
}

int px_audit_head_put(struct px_audit_head *head, const struct px_audit_position *position)
{
	char line[LINE_BYTES + 1];
	format(position, line);
	ssize_t len = pwrite(head->fd, line, LINE_BYTES, 0);
	if (len != (ssize_t)LINE_BYTES) {
		return len < 0 ? -errno : -EIO;
	}
	head->position = *position;
	head->state = PX_AUDIT_HEAD_KNOWN;
	return 0;
}

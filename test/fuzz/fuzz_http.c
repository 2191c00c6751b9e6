/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of a request's head. Besides being in bounds: a head is the same whatever follows it;
 * while it arrives piece by piece it is either not yet complete or what it will be; what lws gets
 * of it is a head that means the same, and stays as it is when it is read again.
 */
#include "http/http_head.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* From a copy of just that size, so that a byte too far is seen. */
static char *copy(const uint8_t *data, size_t len)
{
	char *bytes = malloc(len > 0 ? len : 1);
	if (!bytes) {
		abort();
	}
	if (len > 0) {
		memcpy(bytes, data, len);
	}
	return bytes;
}

static void demand(bool holds)
{
	if (!holds) {
		abort();
	}
}

static bool same(struct px_span a, struct px_span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static void check_written(const struct px_http_head *head)
{
	static char first[PX_HTTP_HEAD_MAX + 64];
	static char second[PX_HTTP_HEAD_MAX + 64];
	struct px_http_head again;
	struct px_http_fault fault;
	size_t len = px_http_head_write(head, first, sizeof(first));
	demand(len > 0);
	if (len > PX_HTTP_HEAD_MAX) {
		return;
	}
	int rc = px_http_head_parse(first, len, &again, &fault);
	if (rc < 0 && fault.status == 431) {
		return; /* the Host of an absolute form was one field too many */
	}
	demand(rc == 0);
	demand(again.len == len && again.content_length == head->content_length);
	demand(same(again.method, head->method) && same(again.path, head->path) &&
			same(again.query, head->query));
	demand(!again.authority.data && again.upgrades == head->upgrades && !again.offers_more &&
			again.is_10 == head->is_10);
	demand(px_http_head_write(&again, second, sizeof(second)) == len &&
			memcmp(first, second, len) == 0);
}

static void check_early(const uint8_t *data, size_t len, int rc, size_t head_len)
{
	char *bytes = copy(data, len);
	struct px_http_head head;
	struct px_http_fault fault;
	int early = px_http_head_parse(bytes, len, &head, &fault);
	if (rc == 0) {
		demand(early == (len < head_len ? -EAGAIN : 0));
	} else if (early == 0) {
		abort();
	} else if (early == -EPROTO) {
		demand(rc == -EPROTO); /* what is none does not become one */
	}
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = copy(data, size);
	struct px_http_head head;
	struct px_http_fault fault = { 0 };
	int rc = px_http_head_parse(bytes, size, &head, &fault);
	if (rc == 0) {
		demand(head.len > 0 && head.len <= size && head.len <= PX_HTTP_HEAD_MAX);
		demand(memcmp(bytes + head.len - 4, "\r\n\r\n", 4) == 0);
		demand(memchr(bytes, '\0', head.len) == NULL && head.path.data[0] == '/');
		check_written(&head);
	} else {
		demand(rc == -EAGAIN || (rc == -EPROTO && fault.status >= 400 && fault.sentence));
	}
	for (size_t i = 0; i < 16 && size > 0; i++) {
		check_early(data, size * i / 16, rc, rc == 0 ? head.len : 0);
	}
	free(bytes);
	return 0;
}

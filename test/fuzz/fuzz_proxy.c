/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of the PROXY protocol's header. Besides being in bounds: a header is found to be the
 * same whatever follows it; while it arrives piece by piece it is either not yet complete or
 * what it will be; its end is where its own bytes say; and it never takes more than its bound.
 */
#include "address/address.h"
#include "address/proxy_header.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* From a copy of just that size, so that a byte too far is seen. */
static int parse(const uint8_t *data, size_t len, struct px_proxy_header *ret_header)
{
	unsigned char *copy = malloc(len > 0 ? len : 1);
	if (!copy) {
		abort();
	}
	if (len > 0) {
		memcpy(copy, data, len);
	}
	int rc = px_proxy_parse(copy, len, ret_header);
	free(copy);
	return rc;
}

static bool same(const struct px_proxy_header *a, const struct px_proxy_header *b)
{
	return a->len == b->len && a->is_local == b->is_local && a->is_https == b->is_https &&
			memcmp(&a->address, &b->address, sizeof(a->address)) == 0;
}

static void check_header(const struct px_proxy_header *header, const uint8_t *data, size_t size)
{
	if (header->len == 0 || header->len > size || header->len > PX_PROXY_HEADER_MAX) {
		abort();
	}
	if (data[0] == 'P' && memcmp(data + header->len - 2, "\r\n", 2) != 0) {
		abort();
	}
	if (data[0] != 'P' && header->len != 16u + (data[14] << 8 | data[15])) {
		abort();
	}
	if (!px_address_is_unknown(&header->address)) {
		/* What stands in the audit log can be read again. */
		char text[PX_ADDRESS_SIZE];
		struct in6_addr address;
		px_address_format(&header->address, text);
		if (!px_address_parse(text, &address) ||
				memcmp(&address, &header->address, sizeof(address)) != 0) {
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct px_proxy_header whole = { .len = 0 };
	struct px_proxy_header part = { .len = 0 };
	size = size < 600 ? size : 600;
	int rc = parse(data, size, &whole);
	if (rc == 0) {
		check_header(&whole, data, size);
	} else if (rc != -EPROTO && (rc != -EAGAIN || size >= PX_PROXY_HEADER_MAX)) {
		abort();
	}
	for (size_t len = 0; len < size; len++) {
		int early = parse(data, len, &part);
		bool complete = rc == 0 && len >= whole.len;
		if (complete ? early != 0 || !same(&part, &whole) :
				early == 0 || (rc == 0 && early != -EAGAIN)) {
			abort();
		}
		/* What is no header does not become one. */
		if (early == -EPROTO && rc != -EPROTO) {
			abort();
		}
	}
	return 0;
}

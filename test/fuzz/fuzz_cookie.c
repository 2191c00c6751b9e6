/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of the Cookie header: the first byte chooses the cookie's name. What is found must
 * lie in the header, hold nothing that separates cookies, and stand behind its name.
 */
#include "auth/credentials.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "t", "token", "session_token", "a-b.c" };
	if (size == 0) {
		return 0;
	}
	const char *name = names[data[0] % 4];
	/* Copied to its exact size, so that a byte too far is seen. */
	char *header = malloc(size);
	if (!header) {
		return 0;
	}
	memcpy(header, data + 1, size - 1);
	struct px_span found = px_cookie_find((struct px_span){ header, size - 1 }, name);
	if (found.len > 0) {
		size_t before = strlen(name) + 1;
		size_t at = (size_t)(found.data - header);
		if (found.data < header || at + found.len > size - 1 || at < before ||
				memchr(found.data, ';', found.len)) {
			abort();
		}
		at -= header[at - 1] == '"' && header[at - 2] == '=' ? 1 : 0;
		if (memcmp(header + at - before, name, before - 1) != 0 || header[at - 1] != '=') {
			abort();
		}
	}
	free(header);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * The handshake half of ws.h: what runs once a connection and need not be fast.
 *
 * SHA-1 and base64 come from libcrypto, which libwebsockets brings along anyway; a SHA-1 of our own
 * would be more lines than the rest of this file.
 */
#define _GNU_SOURCE 1
#include "ws.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

void ws_accept(const char *key, size_t key_chars, char accept[WS_ACCEPT_CHARS + 1])
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char digest[EVP_MAX_MD_SIZE];
	char text[128];
	int chars = snprintf(text, sizeof(text), "%.*s%s", (int)key_chars, key, guid);

	if (chars < 0 || (size_t)chars >= sizeof(text) ||
			EVP_Digest(text, (size_t)chars, digest, NULL, EVP_sha1(), NULL) != 1) {
		fprintf(stderr, "bench: cannot compute an accept key\n");
		exit(2);
	}
	EVP_EncodeBlock((unsigned char *)accept, digest, 20);
}

const char *ws_header_find(const char *head, const char *name, size_t *ret_chars)
{
	size_t name_chars = strlen(name);

	for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, name_chars) == 0 && line[name_chars] == ':') {
			const char *value = line + name_chars + 1;

			value += strspn(value, " \t");
			*ret_chars = strcspn(value, " \t\r\n");
			return value;
		}
	}
	return NULL;
}

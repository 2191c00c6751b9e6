/* SPDX-License-Identifier: MIT */
/* See location.h. */
#include "location.h"

#include <stdio.h>
#include <string.h>

#define ALNUM "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define PIECE_MAX 2048

void px_location_add(struct px_location *location, const char *text, size_t len)
{
	if (len >= sizeof(location->text) - location->len) {
		location->failed = true;
		return;
	}
	memcpy(location->text + location->len, text, len);
	location->len += len;
	location->text[location->len] = '\0';
}

void px_location_encode(struct px_location *location, const char *text, size_t len,
		const char *besides)
{
	for (size_t i = 0; i < len; i++) {
		char hex[4];
		bool plain = text[i] != '\0' &&
				(strchr(ALNUM "-._~", text[i]) || strchr(besides, text[i]));
		(void)snprintf(hex, sizeof(hex), "%%%02X", (unsigned)(unsigned char)text[i]);
		px_location_add(location, plain ? &text[i] : hex, plain ? 1 : 3);
	}
}

void px_location_add_query(struct px_location *location, struct lws *wsi)
{
	char piece[PIECE_MAX];
	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_URI_ARGS) == 0) {
		return;
	}
	for (int i = 0;; i++) {
		int len = lws_hdr_copy_fragment(wsi, piece, sizeof(piece), WSI_TOKEN_HTTP_URI_ARGS,
				i);
		if (len < 0) {
			/* No more, or too long. */
			location->failed |= lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS,
					i) > 0;
			return;
		}
		px_location_add(location, i == 0 ? "?" : "&", 1);
		px_location_encode(location, piece, (size_t)len, "/!$'()*,;=:@?");
	}
}

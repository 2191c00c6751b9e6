/* SPDX-License-Identifier: MIT */
/* See path.h. */
#include "path.h"

#include <stdio.h>
#include <string.h>

static void add(struct px_ctl_path *path, const char *text)
{
	size_t len = strlen(text);
	if (len >= sizeof(path->text) - path->len) {
		path->failed = true;
		return;
	}
	memcpy(path->text + path->len, text, len + 1);
	path->len += len;
}

/* RFC 3986: all but the unreserved. */
static void add_encoded(struct px_ctl_path *path, const char *text)
{
	static const char plain[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~";
	for (; *text; text++) {
		char piece[4] = { *text, '\0' };
		if (!strchr(plain, *text)) {
			(void)snprintf(piece, sizeof(piece), "%%%02X", (unsigned char)*text);
		}
		add(path, piece);
	}
}

void px_ctl_path_begin(struct px_ctl_path *path, const char *text)
{
	path->len = 0;
	path->failed = false;
	add(path, text);
}

void px_ctl_path_element(struct px_ctl_path *path, const char *text)
{
	add(path, "/");
	add_encoded(path, text);
}

void px_ctl_path_parameter(struct px_ctl_path *path, const char *name, const char *value)
{
	if (value) {
		add(path, strchr(path->text, '?') ? "&" : "?");
		add(path, name);
		add(path, "=");
		add_encoded(path, value);
	}
}

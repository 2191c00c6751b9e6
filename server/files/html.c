/* SPDX-License-Identifier: MIT */
/*
 * Pages with placeholders: `{{praxis-endpoint}}` in an HTML file becomes the URL of the vhost's
 * WebSocket endpoint, `{{praxis-base}}` that of the page's directory, both relative to the page. So
 * a page works behind any prefix that a proxy strips, which the server never sees.
 *
 * Rejected: absolute paths, which are wrong behind a prefix; X-Forwarded-Prefix, which each proxy
 * spells differently and few set.
 */
#include "html.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLAIN "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~/!$()*+,;=:@"

/* Encodes for an attribute's value and for a URL. */
static void put_encoded(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (strchr(PLAIN, *text)) {
			(void)fputc(*text, out);
		} else {
			(void)fprintf(out, "%%%02X", (unsigned)(unsigned char)*text);
		}
	}
}

static void put_endpoint(FILE *out, const struct px_html_place *place)
{
	const char *at = strchr(place->path + 1, '/');
	(void)fputs("./", out); /* a colon in the first name would make it a scheme */
	for (; at; at = strchr(at + 1, '/')) {
		(void)fputs("../", out);
	}
	put_encoded(out, place->endpoint + 1);
}

/* Without a trailing slash, the page is in the parent of its own directory. */
static void put_base(FILE *out, const struct px_html_place *place)
{
	(void)fputs("./", out);
	if (place->is_bare) {
		put_encoded(out, strrchr(place->path, '/') + 1);
		(void)fputc('/', out);
	}
}

static void fill(FILE *out, const struct px_html_place *place, const char *text)
{
	static const struct {
		const char *mark;
		void (*put)(FILE *out, const struct px_html_place *place);
	} marks[] = {
		{ "{{praxis-endpoint}}", put_endpoint },
		{ "{{praxis-base}}", put_base },
	};
	const char *at;
	while ((at = strstr(text, "{{praxis-"))) {
		const char *rest = at + 1;
		(void)fwrite(text, 1, (size_t)(at - text), out);
		for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
			if (strncmp(at, marks[i].mark, strlen(marks[i].mark)) == 0) {
				marks[i].put(out, place);
				rest = at + strlen(marks[i].mark);
			}
		}
		if (rest == at + 1) {
			(void)fputc(*at, out);
		}
		text = rest;
	}
	(void)fputs(text, out);
}

/* The whole file, terminated; NULL: missing, too large, or contains a NUL. */
static char *read_file(const char *file)
{
	char *text = malloc(PX_HTML_FILE_MAX + 1);
	FILE *in = text ? fopen(file, "re") : NULL;
	size_t len = in ? fread(text, 1, PX_HTML_FILE_MAX + 1, in) : 0;
	bool fine = in && !ferror(in) && len <= PX_HTML_FILE_MAX && !memchr(text, '\0', len);
	if (in) {
		(void)fclose(in);
	}
	if (!fine) {
		free(text);
		return NULL;
	}
	text[len] = '\0';
	return text;
}

char *px_html_fill(const struct px_html_place *place, const char *file, size_t *ret_len)
{
	char *text = read_file(file);
	char *filled = NULL;
	if (text && strstr(text, "{{praxis-")) {
		FILE *out = open_memstream(&filled, ret_len);
		if (out) {
			fill(out, place, text);
			if (fclose(out) != 0) {
				free(filled);
				filled = NULL;
			}
		}
	}
	free(text);
	return filled;
}

/* SPDX-License-Identifier: MIT */
/*
 * HTML with placeholders for its base and the WebSocket endpoint.
 */
#ifndef PX_HTML_H
#define PX_HTML_H

#include <stdbool.h>
#include <stddef.h>

/* A larger file is served unchanged. */
#define PX_HTML_FILE_MAX 262144

struct px_html_place {
	const char *path;     /* of the request; begins with a slash */
	const char *endpoint; /* the vhost's path; the same */
	bool is_bare;         /* the path is a directory without a trailing slash */
};

/*
 * The file with its placeholders replaced; NULL: it has none, or cannot be read. The caller frees
 * it.
 */
char *px_html_fill(const struct px_html_place *place, const char *file, size_t *ret_len);

#endif

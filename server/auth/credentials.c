/* SPDX-License-Identifier: MIT */
/*
 * See credentials.h. Headers are copied out of lws before they are parsed; the copies are wiped
 * after use.
 */
#include "credentials.h"

#include "config/config.h"
#include "query.h"

#include <errno.h>
#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BEARER "Bearer "
#define TICKET "ticket."

void px_credentials_finish(struct px_credentials *credentials)
{
	if (credentials->buffer) {
		explicit_bzero(credentials->buffer, credentials->buffer_len);
		free(credentials->buffer);
	}
	*credentials = (struct px_credentials){ 0 };
}

/* Copies a header into credentials->buffer; -ENOENT if there is none. */
static int copy_header(struct lws *wsi, enum lws_token_indexes header,
		struct px_credentials *credentials)
{
	int len = lws_hdr_total_length(wsi, header);
	if (len <= 0) {
		return -ENOENT;
	}
	if (len > PX_TOKEN_HEADER_BYTES) {
		return -E2BIG;
	}
	px_credentials_finish(credentials);
	credentials->buffer_len = (size_t)len + 1;
	credentials->buffer = malloc(credentials->buffer_len);
	if (!credentials->buffer) {
		return -ENOMEM;
	}
	if (lws_hdr_copy(wsi, credentials->buffer, len + 1, header) != len) {
		return -E2BIG;
	}
	return 0;
}

int px_credentials_read_bearer(struct lws *wsi, struct px_credentials *ret_credentials)
{
	int rc = copy_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, ret_credentials);
	if (rc < 0) {
		return rc;
	}
	/* Two readers may disagree about which of two headers counts. */
	if (lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, 1) > 0 ||
			strncasecmp(ret_credentials->buffer, BEARER, strlen(BEARER)) != 0) {
		px_credentials_finish(ret_credentials);
		return -EINVAL;
	}
	const char *token = ret_credentials->buffer + strlen(BEARER);
	token += strspn(token, " ");
	ret_credentials->kind = PX_CREDENTIAL_TOKEN;
	ret_credentials->text = px_span(token);
	return 0;
}

static int read_ticket(struct lws *wsi, struct px_credentials *credentials)
{
	int rc = copy_header(wsi, WSI_TOKEN_PROTOCOL, credentials);
	if (rc < 0) {
		return rc;
	}
	char *rest = credentials->buffer;
	char *name;
	while ((name = strtok_r(rest, ", \t", &rest))) {
		if (strncmp(name, TICKET, strlen(TICKET)) == 0) {
			credentials->kind = PX_CREDENTIAL_TICKET;
			credentials->text = px_span(name + strlen(TICKET));
			return 0;
		}
	}
	px_credentials_finish(credentials);
	return -ENOENT;
}

struct px_span px_cookie_find(struct px_span header, const char *name)
{
	size_t name_len = strlen(name);
	const char *at = header.data;
	const char *end = header.data + header.len;
	while (at < end) {
		const char *semicolon = memchr(at, ';', (size_t)(end - at));
		const char *stop = semicolon ? semicolon : end;
		while (at < stop && *at == ' ') {
			at++;
		}
		if ((size_t)(stop - at) > name_len && memcmp(at, name, name_len) == 0 &&
				at[name_len] == '=') {
			at += name_len + 1;
			if (stop - at >= 2 && *at == '"' && stop[-1] == '"') {
				at++;
				stop--;
			}
			return (struct px_span){ at, (size_t)(stop - at) };
		}
		at = semicolon ? semicolon + 1 : end;
	}
	return (struct px_span){ header.data, 0 };
}

static int read_cookie(struct lws *wsi, const char *name, struct px_credentials *credentials)
{
	int rc = copy_header(wsi, WSI_TOKEN_HTTP_COOKIE, credentials);
	if (rc < 0) {
		return rc;
	}
	struct px_span value = px_cookie_find(px_span(credentials->buffer), name);
	if (value.len == 0) {
		px_credentials_finish(credentials);
		return -ENOENT;
	}
	credentials->kind = PX_CREDENTIAL_TOKEN;
	credentials->text = value;
	return 0;
}

static int read_query(struct lws *wsi, struct px_credentials *credentials)
{
	for (int i = 0; lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i) > 0; i++) {
		int len = lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i);
		px_credentials_finish(credentials);
		credentials->buffer_len = (size_t)len + 1;
		credentials->buffer = malloc(credentials->buffer_len);
		if (!credentials->buffer) {
			return -ENOMEM;
		}
		len = lws_hdr_copy_fragment(wsi, credentials->buffer, len + 1,
				WSI_TOKEN_HTTP_URI_ARGS, i);
		credentials->text = px_query_value((struct px_span){ credentials->buffer,
			len > 0 ? (size_t)len : 0 }, "access_token");
		if (credentials->text.data) {
			credentials->kind = PX_CREDENTIAL_TOKEN;
			return 0;
		}
	}
	px_credentials_finish(credentials);
	return -ENOENT;
}

int px_credentials_read(struct lws *wsi, const struct px_config_tokens *tokens,
		struct px_credentials *ret_credentials)
{
	int rc = tokens ? px_credentials_read_bearer(wsi, ret_credentials) : -ENOENT;
	if (rc == -ENOENT) {
		rc = read_ticket(wsi, ret_credentials);
	}
	if (rc == -ENOENT && tokens && tokens->cookie) {
		rc = read_cookie(wsi, tokens->cookie, ret_credentials);
	}
	if (rc == -ENOENT && tokens && tokens->query) {
		rc = read_query(wsi, ret_credentials);
	}
	return rc == -ENOENT ? 0 : rc;
}

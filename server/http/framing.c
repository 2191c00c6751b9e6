/* SPDX-License-Identifier: MIT */
/*
 * What of RFC 9112 can still be asked of a request that lws has parsed, which is one over TLS
 * (others are read by http/http_head.c first): one Host, and no doubt where the body begins and
 * ends.
 *
 * lws reads the body of a request that was not the first in what it read from the socket from the
 * wrong place, and 4.1.6 may never come back from it. So such a request with a body is not
 * answered: the connection ends, and the client sends again. How lws came by a request it does not
 * tell; but where nothing was read from the socket since the last answer, it was there before.
 */
#include "core/server.h"
#include "core/peer.h"
#include "http.h"
#include "http_head.h"
#include "net/tls.h"

#include <string.h>

static bool has(struct lws *wsi, enum lws_token_indexes field)
{
	return lws_hdr_total_length(wsi, field) > 0;
}

static bool is_repeated(struct lws *wsi, enum lws_token_indexes field)
{
	return lws_hdr_fragment_length(wsi, field, 1) > 0;
}

static bool takes_body(struct lws *wsi)
{
	return has(wsi, WSI_TOKEN_POST_URI) || has(wsi, WSI_TOKEN_PUT_URI) ||
			has(wsi, WSI_TOKEN_PATCH_URI);
}

/* HTTP/1.0, whatever else it is. */
static bool is_10(struct lws *wsi)
{
	char version[16];
	return lws_hdr_copy(wsi, version, sizeof(version), WSI_TOKEN_HTTP) <= 0 ||
			strcmp(version, "HTTP/1.0") == 0;
}

/* Zeros and nothing else are no body. NULL: no fault. */
static const char *length_fault(struct lws *wsi, bool *ret_has_body)
{
	char length[24];
	*ret_has_body = false;
	if (!has(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH)) {
		return NULL;
	}
	int len = lws_hdr_copy(wsi, length, sizeof(length), WSI_TOKEN_HTTP_CONTENT_LENGTH);
	if (len <= 0 || strspn(length, "0123456789") != (size_t)len) {
		return "Content-Length is no number.";
	}
	*ret_has_body = strspn(length, "0") != (size_t)len;
	return NULL;
}

static const char *fault_of(struct lws *wsi, int *ret_status, bool *ret_has_body)
{
	const char *fault = length_fault(wsi, ret_has_body);
	bool is_encoded = has(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING);
	*ret_status = 400;
	if (fault) {
		return fault;
	}
	if (is_repeated(wsi, WSI_TOKEN_HOST) || (!has(wsi, WSI_TOKEN_HOST) && !is_10(wsi))) {
		return "A request has exactly one Host.";
	}
	if (is_encoded && has(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH)) {
		return "A body has either a Content-Length or a Transfer-Encoding.";
	}
	if (is_encoded && takes_body(wsi)) {
		*ret_status = 411;
		return "The body needs a length.";
	}
	if (is_encoded || (*ret_has_body && !takes_body(wsi))) {
		return "A request with this method has no body.";
	}
	if (*ret_has_body && has(wsi, WSI_TOKEN_UPGRADE)) {
		return "An upgrade has no body.";
	}
	return NULL;
}

int px_framing_check(const struct px_peer *peer, struct lws *wsi)
{
	int status;
	bool has_body;
	/* lws comes again with the same request, if more arrives while it still sends the answer. */
	if (lws_partial_buffered(wsi)) {
		return -1;
	}
	if (peer->frontend) {
		return 0;
	}
	const char *fault = fault_of(wsi, &status, &has_body);
	if (fault) {
		return px_http_refuse(wsi, status, "bad_request", fault);
	}
	bool was_there = peer->bytes_at_answer > 0 &&
			peer->bytes_at_answer == px_tls_bytes_read(wsi);
	return has_body && was_there ? -1 : 0;
}

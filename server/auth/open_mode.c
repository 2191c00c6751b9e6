/* SPDX-License-Identifier: MIT */
/*
 * Open mode: the identity from the query (docs/protocol.md, section 1). It is not authenticated, so
 * open mode is for loopback addresses; the identity says so.
 */
#include "query.h"
#include "address/address.h"
#include "core/peer.h"
#include "core/server.h"
#include "core/vhost.h"
#include "open_mode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Copies the parameter of that number; the caller owns the copy. 0; -ENOENT: no more. */
static int copy_pair(struct lws *wsi, int index, struct px_span *ret_pair)
{
	int len = lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, index);
	if (len <= 0) {
		return -ENOENT;
	}
	char *pair = malloc((size_t)len + 1);
	if (!pair) {
		return -ENOMEM;
	}
	len = lws_hdr_copy_fragment(wsi, pair, len + 1, WSI_TOKEN_HTTP_URI_ARGS, index);
	*ret_pair = (struct px_span){ pair, len > 0 ? (size_t)len : 0 };
	return 0;
}

/* It may contain a token. */
static void drop_pair(struct px_span pair)
{
	explicit_bzero((char *)pair.data, pair.len);
	free((char *)pair.data);
}

int px_query_parameter(struct lws *wsi, const char *name, char *buf, size_t size,
		struct px_span *ret_value)
{
	struct px_span pair;
	bool is_there = false;
	int rc = 0;
	*ret_value = (struct px_span){ buf, 0 };
	for (int i = 0; !is_there && (rc = copy_pair(wsi, i, &pair)) == 0; i++) {
		struct px_span value = px_query_value(pair, name);
		is_there = value.data != NULL;
		if (value.len >= size) {
			rc = -EINVAL;
		} else if (is_there) {
			memcpy(buf, value.data, value.len);
			ret_value->len = value.len;
		}
		drop_pair(pair);
	}
	return rc == -ENOENT ? 0 : rc;
}

/* lws 4.1.6 turns a lone "?" into "?/". */
static bool is_known(struct px_span pair, const char *const *names)
{
	for (; *names; names++) {
		size_t len = strlen(*names);
		if (pair.len >= len && memcmp(pair.data, *names, len) == 0 &&
				(pair.len == len || pair.data[len] == '=')) {
			return true;
		}
	}
	return pair.len == 0 || px_span_equal(pair, px_span("/"));
}

bool px_query_is_only(struct lws *wsi, const char *const *names)
{
	struct px_span pair;
	bool known = true;
	for (int i = 0; known && copy_pair(wsi, i, &pair) == 0; i++) {
		known = is_known(pair, names);
		drop_pair(pair);
	}
	return known;
}

static int read_identity(struct lws *wsi, struct px_query_identity *query)
{
	int rc = 0;
	for (int i = 0; rc == 0; i++) {
		struct px_span pair;
		rc = copy_pair(wsi, i, &pair);
		if (rc == 0) {
			rc = px_query_note(query, pair);
			drop_pair(pair);
		}
	}
	return rc == -ENOENT ? 0 : rc;
}

int px_open_mode_identify(const struct px_peer *peer, struct lws *wsi,
		struct px_identity **ret_identity)
{
	const struct px_vhost *vhost = peer->vhost;
	struct px_query_identity query = { .given = { { NULL, 0 } } };
	char address[PX_ADDRESS_SIZE];
	struct px_id practice;
	struct px_claims claims = { .tenant = px_span(vhost->config->tenant) };
	px_address_format(&peer->address, address);
	claims.address = px_span(address);
	int rc = read_identity(wsi, &query);
	rc = rc < 0 ? rc : px_query_claims(&query, &claims, &practice);
	if (rc < 0) {
		return rc;
	}
	if (practice.text.len == 0) {
		practice = (struct px_id){
			.text = px_span(vhost->config->open_practice),
			.number = vhost->config->open_practice_is_number,
		};
	}
	/* As in a token: all of the tenant, for administrators and the application's back end. */
	claims.all_practices = (claims.role & (PX_ROLE_ADMIN | PX_ROLE_SERVICE)) &&
			px_span_equal(practice.text, px_span("*"));
	if (claims.all_practices) {
		practice.text.len = 0;
	}
	claims.practices = &practice;
	claims.practice_count = practice.text.len > 0 ? 1 : 0;
	return px_identity_create(vhost->server->broker, &claims, ret_identity);
}

/* SPDX-License-Identifier: MIT */
/*
 * Open mode: who somebody is, from the query (docs/protocol.md, section 1). Nothing of it is
 * proven, which is why it is for loopback addresses; the identity says so itself.
 */
#include "server.h"

#include <errno.h>
#include <string.h>

int px_query_parameter(struct lws *wsi, const char *name, char *buf, size_t size,
		struct px_span *ret_value)
{
	size_t name_len = strlen(name);
	char pair[PX_NAME_MAX + 32];
	for (int i = 0; lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i) > 0; i++) {
		int len = lws_hdr_copy_fragment(wsi, pair, sizeof(pair), WSI_TOKEN_HTTP_URI_ARGS, i);
		if (len < 0 || (size_t)len <= name_len || strncmp(pair, name, name_len) != 0 ||
				pair[name_len] != '=') {
			if (len < 0 && strncmp(pair, name, name_len) == 0) {
				return -EINVAL;
			}
			continue;
		}
		size_t value_len = (size_t)len - name_len - 1;
		if (value_len >= size) {
			return -EINVAL;
		}
		memcpy(buf, pair + name_len + 1, value_len);
		*ret_value = (struct px_span){ buf, value_len };
		return 0;
	}
	*ret_value = (struct px_span){ buf, 0 };
	return 0;
}

/* The query has no types: what reads as an integer is one. */
static int id_parameter(struct lws *wsi, const char *name, char buf[PX_ID_MAX + 1],
		struct px_id *ret_id)
{
	struct px_span text;
	int rc = px_query_parameter(wsi, name, buf, PX_ID_MAX + 1, &text);
	if (rc == 0) {
		*ret_id = (struct px_id){ text, px_id_is_integer(text) };
	}
	return rc;
}

int px_open_mode_identify(const struct px_peer *peer, struct lws *wsi,
		struct px_identity **ret_identity)
{
	const struct px_vhost *vhost = peer->vhost;
	char address[PX_ADDRESS_SIZE];
	char practice_text[PX_ID_MAX + 1];
	char user_text[PX_ID_MAX + 1];
	char name_text[PX_NAME_MAX + 1];
	char role_text[16];
	struct px_span role;
	struct px_id practice;
	struct px_claims claims = {
		.tenant = px_span(vhost->config->tenant),
		.role = PX_ROLE_STAFF,
	};
	px_address_format(&peer->address, address);
	claims.address = px_span(address);
	if (id_parameter(wsi, "practiceId", practice_text, &practice) < 0 ||
			id_parameter(wsi, "userId", user_text, &claims.user) < 0 ||
			px_query_parameter(wsi, "userName", name_text, sizeof(name_text), &claims.name) < 0 ||
			px_query_parameter(wsi, "role", role_text, sizeof(role_text), &role) < 0) {
		return -EINVAL;
	}
	if (role.len > 0) {
		claims.role = px_role_parse(role);
		if (claims.role == 0) {
			return -EINVAL;
		}
	}
	if (practice.text.len == 0) {
		practice = (struct px_id){
			.text = px_span(vhost->config->open_practice),
			.number = vhost->config->open_practice_is_number,
		};
	}
	claims.practices = &practice;
	claims.practice_count = practice.text.len > 0 ? 1 : 0;
	return px_identity_create(vhost->server->broker, &claims, ret_identity);
}

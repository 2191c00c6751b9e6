/* SPDX-License-Identifier: MIT */
/*
 * The client's address behind trusted proxies: X-Forwarded-For is read from its end, where the
 * nearest proxy wrote; the first address that is no trusted proxy's is the client's. What
 * stands before it anybody may have written.
 */
#include "server.h"

#include <arpa/inet.h>
#include <string.h>

#define FORWARDED_MAX 1024

bool px_address_parse(const char *text, struct in6_addr *ret_address)
{
	struct in_addr v4;
	if (inet_pton(AF_INET6, text, ret_address) == 1) {
		return true;
	}
	if (inet_pton(AF_INET, text, &v4) != 1) {
		return false;
	}
	*ret_address = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
	memcpy(&ret_address->s6_addr[12], &v4, sizeof(v4));
	return true;
}

/* Takes the spaces around an entry off it. */
static char *trim(char *entry)
{
	entry += strspn(entry, " \t");
	size_t len = strlen(entry);
	while (len > 0 && (entry[len - 1] == ' ' || entry[len - 1] == '\t')) {
		entry[--len] = '\0';
	}
	return entry;
}

void px_peer_read_forwarded(struct px_peer *peer, struct lws *wsi)
{
	const struct px_config_vhost *config = peer->vhost->config;
	char list[FORWARDED_MAX];
	struct in6_addr address;
	int len = lws_hdr_copy(wsi, list, sizeof(list), WSI_TOKEN_X_FORWARDED_FOR);
	char *end = list + (len > 0 ? len : 0);
	while (end > list && px_config_is_trusted_proxy(config, &peer->address)) {
		char *start = end;
		while (start > list && start[-1] != ',') {
			start--;
		}
		*end = '\0';
		if (!px_address_parse(trim(start), &address)) {
			return;
		}
		peer->address = address;
		end = start > list ? start - 1 : list;
	}
}

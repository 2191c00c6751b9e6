/* SPDX-License-Identifier: MIT */
/*
 * See address.h. X-Forwarded-For is read from its end, where the nearest proxy wrote; the first
 * address that is no trusted proxy's is the client's. What stands before it anybody may have
 * written.
 */
#include "address.h"

#include "config.h"

#include <arpa/inet.h>
#include <string.h>

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

void px_address_format(const struct in6_addr *address, char buf[PX_ADDRESS_SIZE])
{
	if (IN6_IS_ADDR_V4MAPPED(address)) {
		inet_ntop(AF_INET, &address->s6_addr[12], buf, PX_ADDRESS_SIZE);
	} else {
		inet_ntop(AF_INET6, address, buf, PX_ADDRESS_SIZE);
	}
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

void px_address_behind(const struct px_config_vhost *vhost, char *list, struct in6_addr *address)
{
	char *end = list + strlen(list);
	struct in6_addr next;
	while (end > list && px_config_is_trusted_proxy(vhost, address)) {
		char *start = end;
		while (start > list && start[-1] != ',') {
			start--;
		}
		*end = '\0';
		if (!px_address_parse(trim(start), &next)) {
			return;
		}
		*address = next;
		end = start > list ? start - 1 : list;
	}
}

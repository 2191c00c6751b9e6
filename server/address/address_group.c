/* SPDX-License-Identifier: MIT */
/* See address_group.h. */
#include "address_group.h"

#include <stdio.h>
#include <string.h>

/* Whether it counts on its own, whatever the prefix is. */
static bool is_single(const struct in6_addr *address)
{
	static const unsigned char zeros[8];
	static const unsigned char nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
	return memcmp(address, zeros, sizeof(zeros)) == 0 ||
			memcmp(address, nat64, sizeof(nat64)) == 0 || IN6_IS_ADDR_LINKLOCAL(address);
}

struct in6_addr px_address_group(const struct in6_addr *address, unsigned prefix)
{
	struct in6_addr group = *address;
	if (is_single(address)) {
		return group;
	}
	for (unsigned i = 0; i < sizeof(group.s6_addr); i++) {
		unsigned bits = prefix > 8 * i ? prefix - 8 * i : 0;
		group.s6_addr[i] &= bits >= 8 ? 0xff : (unsigned char)(0xff00 >> bits);
	}
	return group;
}

void px_address_group_format(const struct in6_addr *group, unsigned prefix,
		char buf[PX_ADDRESS_GROUP_SIZE])
{
	char address[PX_ADDRESS_SIZE];
	px_address_format(group, address);
	if (is_single(group) || prefix >= 128) {
		(void)snprintf(buf, PX_ADDRESS_GROUP_SIZE, "%s", address);
	} else {
		(void)snprintf(buf, PX_ADDRESS_GROUP_SIZE, "%s/%u", address, prefix);
	}
}

bool px_address_group_parse(const char *text, unsigned prefix, struct in6_addr *ret_group)
{
	char own[PX_ADDRESS_GROUP_SIZE];
	char address[PX_ADDRESS_SIZE] = "";
	struct in6_addr parsed;
	size_t len = strcspn(text, "/");
	if (len >= sizeof(address)) {
		return false;
	}
	const char *length = text + len; /* "", or "/64" */
	memcpy(address, text, len);
	if (strcmp(text, "unknown") == 0) {
		parsed = in6addr_any; /* all unknown clients (address.h) */
	} else if (!px_address_parse(address, &parsed)) {
		return false;
	}
	*ret_group = px_address_group(&parsed, prefix);
	px_address_group_format(ret_group, prefix, own);
	return *length == '\0' || strcmp(length, own + strcspn(own, "/")) == 0;
}

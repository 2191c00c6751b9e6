/* SPDX-License-Identifier: MIT */
/* Which addresses are counted as one. */
#include "address/address_group.h"

#include "fake.h"

#include <check.h>

static void assert_group(const char *text, unsigned prefix, const char *wanted)
{
	char buf[PX_ADDRESS_GROUP_SIZE];
	struct in6_addr address;
	struct in6_addr again;
	ck_assert(px_address_parse(text, &address));
	struct in6_addr group = px_address_group(&address, prefix);
	px_address_group_format(&group, prefix, buf);
	ck_assert_str_eq(buf, wanted);
	ck_assert(px_address_group_parse(buf, prefix, &again));
	ck_assert_mem_eq(&again, &group, sizeof(group));
	ck_assert(px_address_group_parse(text, prefix, &again));
	ck_assert_mem_eq(&again, &group, sizeof(group));
}

START_TEST(a_network_of_ipv6_is_one)
{
	assert_group("2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::/64");
	assert_group("2001:db8:1:2:ffff::1", 64, "2001:db8:1:2::/64");
	assert_group("2001:db8:1:3::", 64, "2001:db8:1:3::/64");
	assert_group("2001:db8:1:ff::1", 56, "2001:db8:1::/56");
	assert_group("2001:db8:1:ff::1", 48, "2001:db8:1::/48");
	assert_group("2001:db8:1fff::1", 35, "2001:db8::/35");
	assert_group("2001:db8:3fff::1", 35, "2001:db8:2000::/35");
	assert_group("2001:db8::1", 128, "2001:db8::1");
	assert_group("fd00:1:2:3::9", 64, "fd00:1:2:3::/64");
}
END_TEST

START_TEST(what_is_no_network_is_itself)
{
	assert_group("192.0.2.1", 64, "192.0.2.1");
	assert_group("::ffff:192.0.2.1", 16, "192.0.2.1");
	assert_group("::1", 64, "::1");
	assert_group("::", 64, "unknown"); /* nobody */
	assert_group("64:ff9b::192.0.2.1", 64, "64:ff9b::c000:201");
	assert_group("fe80::1", 64, "fe80::1");
}
END_TEST

START_TEST(what_is_no_group_is_not_read)
{
	static const char *const texts[] = { "", "x", "/64", "192.0.2.1/32", "2001:db8::/48",
		"2001:db8::/", "2001:db8::/640", "::1/64",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:2222:3333" };
	struct in6_addr group;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		ck_assert_msg(!px_address_group_parse(texts[i], 64, &group), "%s", texts[i]);
	}
}
END_TEST

RUN_TESTS("address_group", a_network_of_ipv6_is_one, what_is_no_network_is_itself,
		what_is_no_group_is_not_read);

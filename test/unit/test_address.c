/* SPDX-License-Identifier: MIT */
/*
 * Addresses of clients: their spellings, and X-Forwarded-For, which is believed from its end and
 * only as far as trusted proxies wrote it.
 */
#include "address.h"

#include "test_config_util.h"

static struct in6_addr address_of(const char *text)
{
	struct in6_addr address;
	ck_assert_msg(px_address_parse(text, &address), "%s", text);
	return address;
}

static void expect_spelling(const char *text, const char *expected)
{
	char buf[PX_ADDRESS_SIZE];
	struct in6_addr address = address_of(text);
	px_address_format(&address, buf);
	ck_assert_str_eq(buf, expected);
}

START_TEST(addresses_have_one_spelling)
{
	expect_spelling("192.0.2.1", "192.0.2.1");
	expect_spelling("::ffff:192.0.2.1", "192.0.2.1");
	expect_spelling("2001:DB8:0:0:0:0:0:7", "2001:db8::7");
	expect_spelling("::1", "::1");
	expect_spelling("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
			"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	static const char *const wrong[] = { "", "localhost", "1.2.3", "1.2.3.4.5", "1.2.3.256",
		"01.2.3.4", "1.2.3.4:80", "[::1]", "::1%lo", " 1.2.3.4", "unknown", "_hidden" };
	struct in6_addr address;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ck_assert_msg(!px_address_parse(wrong[i], &address), "%s", wrong[i]);
	}
}
END_TEST

static void expect_behind(const struct px_config *config, const char *nearest, const char *header,
		const char *expected)
{
	char list[256];
	char text[PX_ADDRESS_SIZE];
	struct in6_addr address = address_of(nearest);
	(void)snprintf(list, sizeof(list), "%s", header);
	px_address_behind(&config->vhosts[0], list, &address);
	px_address_format(&address, text);
	ck_assert_msg(strcmp(text, expected) == 0, "%s, for \"%s\" from %s: %s", text, header,
			nearest, expected);
}

START_TEST(proxies_are_believed_as_far_as_they_are_trusted)
{
	struct px_config *config = load_vhost(", \"trusted-proxies\": [\"10.0.0.0/8\", \"::1\", "
			"\"2001:db8:1::/48\"]", "");
	expect_behind(config, "10.0.0.1", "192.0.2.7", "192.0.2.7");
	expect_behind(config, "::1", "2001:db8::7", "2001:db8::7");
	expect_behind(config, "10.0.0.1", " 192.0.2.7\t", "192.0.2.7");
	/* What the client wrote itself stands before what the proxy wrote. */
	expect_behind(config, "10.0.0.1", "6.6.6.6, 192.0.2.7", "192.0.2.7");
	expect_behind(config, "10.0.0.1", "10.0.0.9,192.0.2.7", "192.0.2.7");
	expect_behind(config, "10.0.0.1", "rubbish, 192.0.2.7", "192.0.2.7");
	/* One proxy behind another, and of both families. */
	expect_behind(config, "10.0.0.1", "6.6.6.6, 192.0.2.7, 2001:db8:1::2, 10.2.3.4", "192.0.2.7");
	/* All of them proxies: the farthest. */
	expect_behind(config, "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3");
	/* Nobody to be believed, or nothing to believe. */
	expect_behind(config, "192.0.2.1", "192.0.2.7", "192.0.2.1");
	expect_behind(config, "10.0.0.1", "", "10.0.0.1");
	expect_behind(config, "10.0.0.1", "unknown", "10.0.0.1");
	expect_behind(config, "10.0.0.1", "192.0.2.7, unknown", "10.0.0.1");
	expect_behind(config, "10.0.0.1", "192.0.2.7,", "10.0.0.1");
	expect_behind(config, "10.0.0.1", ",", "10.0.0.1");
	expect_behind(config, "10.0.0.1", "192.0.2.7, 10.0.0.2:80", "10.0.0.1");
	expect_behind(config, "10.0.0.1", "192.0.2.7, rubbish, 10.0.0.2", "10.0.0.2");
	px_config_destroy(config);
	config = load_vhost("", "");
	expect_behind(config, "127.0.0.1", "192.0.2.7", "127.0.0.1");
	px_config_destroy(config);
}
END_TEST

RUN("address", addresses_have_one_spelling, proxies_are_believed_as_far_as_they_are_trusted);

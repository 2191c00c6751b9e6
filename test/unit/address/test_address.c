/* SPDX-License-Identifier: MIT */
/*
 * Addresses of clients: their spellings, and X-Forwarded-For and Forwarded, which are believed from
 * their end and only as far as trusted proxies wrote them.
 */
#include "address/address.h"
#include "address/forwarded_header.h"

#include "config/test_config_util.h"

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

START_TEST(nodes_are_read_as_proxies_write_them)
{
	static const struct {
		const char *text;
		const char *expected; /* NULL: nobody */
	} nodes[] = {
		{ "192.0.2.7", "192.0.2.7" },
		{ " 192.0.2.7\t", "192.0.2.7" },
		{ "192.0.2.7:4711", "192.0.2.7" },
		{ "192.0.2.7:_port-1", "192.0.2.7" },
		{ "\"192.0.2.7\"", "192.0.2.7" },
		{ "\"192.0.2.7:4711\"", "192.0.2.7" },
		{ "\" 192.0.2.7 \"", "192.0.2.7" },
		{ "::ffff:192.0.2.7", "192.0.2.7" },
		{ "::ffff:c000:207", "192.0.2.7" },
		{ "[::ffff:192.0.2.7]:80", "192.0.2.7" },
		{ "2001:db8::7", "2001:db8::7" },
		{ "2001:DB8::7", "2001:db8::7" },
		{ "[2001:db8::7]", "2001:db8::7" },
		{ "[2001:db8::7]:443", "2001:db8::7" },
		{ "\"[2001:db8::7]:443\"", "2001:db8::7" },
		{ "[2001:db8::7]:_x", "2001:db8::7" },
		{ "fe80::1%eth0", "fe80::1" },
		{ "fe80::1%2", "fe80::1" },
		{ "[fe80::1%eth0]:80", "fe80::1" },
		{ "[fe80::1%25eth0]", "fe80::1" },
		{ "::1", "::1" },
		{ "", NULL },
		{ "\"\"", NULL },
		{ "\"", NULL },
		{ "unknown", NULL },
		{ "UNKNOWN", NULL },
		{ "_hidden", NULL },
		{ "unix:", NULL },
		{ "unix:/run/x", NULL },
		{ "-", NULL },
		{ "localhost", NULL },
		{ "::", NULL },
		{ "[::]:80", NULL },
		{ "0.0.0.0", NULL },
		{ "::ffff:0.0.0.0", NULL },
		{ "1.2.3", NULL },
		{ "1.2.3.4.5", NULL },
		{ "1.2.3.256", NULL },
		{ "01.2.3.4", NULL },
		{ "1.2.3.4:", NULL },
		{ "1.2.3.4:x", NULL },
		{ "1.2.3.4:123456", NULL },
		{ "1.2.3.4%eth0", NULL },
		{ "1.2.3.4 5.6.7.8", NULL },
		{ "[1.2.3.4]:80", NULL },
		{ "[::1", NULL },
		{ "::1]", NULL },
		{ "[::1]x", NULL },
		{ "[]", NULL },
		{ "fe80::1%", NULL },
		{ "[fe80::1%]", NULL },
		{ "\"192.0.2.7", NULL },
		{ "192.0.2.7\"", NULL },
		{ "12345:db8::7", NULL },
	};
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		char text[PX_ADDRESS_SIZE] = "";
		struct in6_addr address;
		bool is_one = px_address_parse_node(px_span(nodes[i].text), &address);
		if (is_one) {
			px_address_format(&address, text);
		}
		ck_assert_msg(is_one == (nodes[i].expected != NULL), "\"%s\"", nodes[i].text);
		ck_assert_str_eq(text, is_one ? nodes[i].expected : "");
	}
}
END_TEST

START_TEST(nobody_is_on_no_list)
{
	char text[PX_ADDRESS_SIZE];
	struct px_config *config = load_vhost(", \"trusted-proxies\": [\"::/0\"], "
			"\"metrics-allow\": [\"::/0\"]",
			"W f.json:1: \"trusted-proxies\": \"::/0\" lets everybody choose the "
			"address that the server sees\n"
			"W f.json:1: \"metrics-allow\": \"::/0\" lets everybody read the "
			"statistics\n");
	px_address_format(&in6addr_any, text);
	ck_assert_str_eq(text, "unknown");
	ck_assert(px_address_is_unknown(&in6addr_any));
	ck_assert(!px_address_is_loopback(&in6addr_any));
	ck_assert(!px_config_is_trusted_proxy(&config->vhosts[0], &in6addr_any));
	ck_assert(!px_config_shows_metrics(&config->vhosts[0], &in6addr_any));
	px_config_destroy(config);
}
END_TEST

static void expect_client(const char *header, const struct px_forwarded_client *client,
		const char *expected)
{
	char text[PX_ADDRESS_SIZE];
	px_address_format(&client->address, text);
	ck_assert_msg(strcmp(text, expected) == 0, "%s, for \"%s\": %s", text, header, expected);
}

static void expect_behind(const struct px_config *config, const char *nearest, const char *header,
		const char *expected)
{
	struct px_forwarded_client client;
	struct in6_addr address = address_of(nearest);
	px_forwarded_for_read(&config->vhosts[0], px_span(header), &address, &client);
	expect_client(header, &client, expected);
}

START_TEST(proxies_are_believed_as_far_as_they_are_trusted)
{
	struct px_config *config = load_vhost(", \"trusted-proxies\": [\"10.0.0.0/8\", \"::1\", "
			"\"2001:db8:1::/48\"]", "");
	expect_behind(config, "10.0.0.1", "192.0.2.7", "192.0.2.7");
	expect_behind(config, "::1", "2001:db8::7", "2001:db8::7");
	expect_behind(config, "::ffff:10.0.0.1", "192.0.2.7:80", "192.0.2.7");
	expect_behind(config, "10.0.0.1", " 192.0.2.7\t", "192.0.2.7");
	/* What the client wrote itself stands before what the proxy wrote. */
	expect_behind(config, "10.0.0.1", "6.6.6.6, 192.0.2.7", "192.0.2.7");
	expect_behind(config, "10.0.0.1", "10.0.0.9,192.0.2.7", "192.0.2.7");
	expect_behind(config, "10.0.0.1", "rubbish, 192.0.2.7", "192.0.2.7");
	expect_behind(config, "10.0.0.1", "\"6.6.6.6, 192.0.2.7", "192.0.2.7");
	/* One proxy behind another, and of both families. */
	expect_behind(config, "10.0.0.1", "6.6.6.6, 192.0.2.7, 2001:db8:1::2, 10.2.3.4", "192.0.2.7");
	expect_behind(config, "10.0.0.1", "192.0.2.7, [2001:db8:1::2]:80, \"10.2.3.4:5\"",
			"192.0.2.7");
	/* Elements that are empty count for nothing. */
	expect_behind(config, "10.0.0.1", "192.0.2.7,", "192.0.2.7");
	expect_behind(config, "10.0.0.1", "192.0.2.7, , ,", "192.0.2.7");
	expect_behind(config, "10.0.0.1", "192.0.2.7,,10.0.0.2,", "192.0.2.7");
	/* All of them proxies: the farthest. */
	expect_behind(config, "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3");
	/* What cannot be read is nobody, and not the proxy that wrote it. */
	static const char *const unreadable[] = { "", " ", ",", " , ", "unknown", "unix:", "_hidden",
		"\"\"", "192.0.2.7, unknown", "192.0.2.7, rubbish, 10.0.0.2", "192.0.2.7, unix:,",
		"192.0.2.7 10.0.0.2", "6.6.6.6, \"" };
	for (size_t i = 0; i < sizeof(unreadable) / sizeof(unreadable[0]); i++) {
		expect_behind(config, "10.0.0.1", unreadable[i], "unknown");
	}
	/* Nobody to be believed. */
	expect_behind(config, "192.0.2.1", "192.0.2.7", "192.0.2.1");
	px_config_destroy(config);
	config = load_vhost("", "");
	expect_behind(config, "127.0.0.1", "192.0.2.7", "127.0.0.1");
	px_config_destroy(config);
}
END_TEST

START_TEST(the_standard_header_is_read_in_the_same_way)
{
	static const struct {
		const char *header;
		const char *address;
		const char *proto;
		const char *host;
	} headers[] = {
		{ "for=192.0.2.7", "192.0.2.7", "", "" },
		{ "For=192.0.2.7;Proto=https;Host=app.example", "192.0.2.7", "https", "app.example" },
		{ "proto=https; for=\"192.0.2.7:80\" ;by=_x", "192.0.2.7", "https", "" },
		{ "for=\"[2001:db8::7]:443\";host=\"[::1]:9002\"", "2001:db8::7", "", "[::1]:9002" },
		{ "for=2001:db8::7", "2001:db8::7", "", "" },
		{ "for=[2001:db8::7]:443", "2001:db8::7", "", "" },
		{ "for=\"1\\92.0.2.7\"", "192.0.2.7", "", "" },
		{ "for=192.0.2.7;", "192.0.2.7", "", "" },
		{ ";for=192.0.2.7;;x=y", "192.0.2.7", "", "" },
		{ "for=192.0.2.7,", "192.0.2.7", "", "" },
		/* What the client wrote itself. */
		{ "for=6.6.6.6;proto=http, for=192.0.2.7;proto=https", "192.0.2.7", "https", "" },
		{ "for=6.6.6.6;proto=https, for=192.0.2.7", "192.0.2.7", "", "" },
		{ "for=\"6.6.6.6, for=192.0.2.7", "192.0.2.7", "", "" },
		{ "rubbish=, for=192.0.2.7", "192.0.2.7", "", "" },
		/* Of several proxies the client's own element counts. */
		{ "for=192.0.2.7;proto=https, for=10.0.0.2;proto=http", "192.0.2.7", "https", "" },
		{ "for=192.0.2.7, for=\"10.0.0.2:80\"", "192.0.2.7", "", "" },
		/* A comma in a quoted string is none of the list's. */
		{ "for=192.0.2.7;x=\"a, b,c\"", "192.0.2.7", "", "" },
		{ "for=192.0.2.7;x=\"a,for=6.6.6.6\"", "192.0.2.7", "", "" },
		{ "for=192.0.2.7;x=\"a\\\",for=6.6.6.6;b=\\\"c\"", "192.0.2.7", "", "" },
		{ "for=192.0.2.7;x=\"a,\"", "192.0.2.7", "", "" },
		/* Nobody. */
		{ "", "unknown", "", "" },
		{ "for=unknown", "unknown", "", "" },
		{ "for=_hidden", "unknown", "", "" },
		{ "for=\"unix:\"", "unknown", "", "" },
		{ "for=", "unknown", "", "" },
		{ "for", "unknown", "", "" },
		{ "for=\"\"", "unknown", "", "" },
		{ "for=\"192.0.2.7", "unknown", "", "" },
		{ "for=192.0.2.7;for=192.0.2.7", "unknown", "", "" },
		{ "for=192.0.2.7 proto=https", "unknown", "", "" },
		{ "192.0.2.7", "unknown", "", "" },
		{ "by=192.0.2.7", "unknown", "", "" },
		{ "proto=https", "unknown", "https", "" },
		{ "for=192.0.2.7, for=unknown;proto=https", "unknown", "https", "" },
		{ "for=192.0.2.7, rubbish", "unknown", "", "" },
		{ "for=192.0.2.7;x=\"1,2,3,4,5,6,7,8,9,10\"", "unknown", "", "" },
	};
	struct px_config *config = load_vhost(", \"trusted-proxies\": [\"10.0.0.0/8\"]", "");
	struct in6_addr nearest = address_of("10.0.0.1");
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		struct px_forwarded_client client;
		px_forwarded_read(&config->vhosts[0], px_span(headers[i].header), &nearest, &client);
		expect_client(headers[i].header, &client, headers[i].address);
		ck_assert_str_eq(client.proto, headers[i].proto);
		ck_assert_str_eq(client.host, headers[i].host);
	}
	px_config_destroy(config);
}
END_TEST

RUN("address", addresses_have_one_spelling, nodes_are_read_as_proxies_write_them,
		nobody_is_on_no_list, proxies_are_believed_as_far_as_they_are_trusted,
		the_standard_header_is_read_in_the_same_way);

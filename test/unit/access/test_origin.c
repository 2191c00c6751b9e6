/* SPDX-License-Identifier: MIT */
/* Which pages may connect: the same host's, those on a list, subdomains, and who looks alike. */
#include "access/origin.h"

#include "fake.h"

#include <check.h>
#include <string.h>

static bool allowed(const char *origin, const char *pattern)
{
	char first[] = "https://first.example";
	char *list[] = { first, (char *)pattern };
	const struct px_origin_request request = {
		.origin = origin,
		.host = "praxis.example",
		.is_https = true,
	};
	return px_origin_allowed(&request, list, 2);
}

static void ck(const char *origin, const char *pattern, bool expected)
{
	ck_assert_msg(allowed(origin, pattern) == expected, "\"%s\" by \"%s\"", origin, pattern);
}

START_TEST(without_a_list_it_is_the_same_origin)
{
	static const struct {
		const char *origin;
		const char *host;
		bool is_https;
		bool expected;
	} cases[] = {
		{ "https://app.example", "app.example", true, true },
		{ "http://app.example", "app.example", false, true },
		{ "http://app.example:9002", "app.example:9002", false, true },
		{ "https://APP.example", "app.EXAMPLE", true, true },
		{ "HTTPS://app.example", "app.example", true, true },
		/* A port that is the scheme's own may be left out (RFC 6454). */
		{ "https://app.example", "app.example:443", true, true },
		{ "https://app.example:443", "app.example", true, true },
		{ "http://app.example", "app.example:80", false, true },
		{ "http://app.example:80", "app.example", false, true },
		{ "http://[2001:DB8::0:7]:9002", "[2001:db8::7]:9002", false, true },
		{ "https://app.example", "app.example:80", true, false },
		{ "http://app.example", "app.example:443", false, false },
		{ "http://app.example:443", "app.example:443", true, false },
		/* The scheme is part of an origin. */
		{ "http://app.example", "app.example", true, false },
		{ "https://app.example", "app.example", false, false },
		{ "https://app.example:9002", "app.example:9002", false, false },
		{ "ws://app.example", "app.example", false, false },
		{ "wss://app.example", "app.example", true, false },
		{ "https://app.example:9002", "app.example", true, false },
		{ "https://app.example.evil.org", "app.example", true, false },
		{ "https://evil.org/app.example", "app.example", true, false },
		{ "https://app.example/", "app.example", true, false },
		{ "https://app.example@evil.org", "app.example", true, false },
		{ "https://sub.app.example", "app.example", true, false },
		{ "https://*.app.example", "app.example", true, false },
		{ "https://app.example,https://evil.org", "app.example", true, false },
		{ "https://app.example:", "app.example", true, false },
		{ "https://app.example", "", true, false },
		{ "https://app.example", "app.example,evil.org", true, false },
		{ "https://app.example", "app.example/x", true, false },
		{ "null", "app.example", true, false },
		{ "null", "null", true, false },
		{ "", "", true, false },
		{ "https://", "", true, false },
		{ "app.example", "app.example", true, false },
		{ "http://localhost:3000", "localhost:9002", false, false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct px_origin_request request = {
			.origin = cases[i].origin,
			.host = cases[i].host,
			.is_https = cases[i].is_https,
		};
		ck_assert_msg(px_origin_allowed(&request, NULL, 0) == cases[i].expected,
				"\"%s\" of \"%s\"", cases[i].origin, cases[i].host);
	}
}
END_TEST

START_TEST(on_loopback_it_is_this_machine)
{
	static const struct {
		const char *origin;
		const char *host;
		bool expected;
	} cases[] = {
		{ "http://localhost:3000", "localhost:9002", true },
		{ "http://localhost:3000", "127.0.0.1:9002", true },
		{ "http://127.0.0.1:3000", "localhost:9002", true },
		{ "http://127.9.9.9", "localhost:9002", true },
		{ "http://[::1]:5173", "localhost:9002", true },
		{ "http://[0:0::1]:5173", "[::1]:9002", true },
		{ "https://localhost:3000", "localhost:9002", true },
		{ "http://app.localhost:3000", "localhost:9002", true },
		{ "http://LOCALHOST:3000", "localhost:9002", true },
		{ "http://127.0.0.1.evil.com", "localhost:9002", false },
		{ "http://127.0.0.1.evil.com:9002", "127.0.0.1.evil.com:9003", false },
		{ "http://localhost.evil.com", "localhost:9002", false },
		{ "http://evil-localhost", "localhost:9002", false },
		{ "http://evil.com", "localhost:9002", false },
		{ "http://128.0.0.1", "localhost:9002", false },
		{ "http://0.0.0.0:3000", "localhost:9002", false },
		{ "http://192.168.0.7:3000", "localhost:9002", false },
		{ "http://localhost:3000", "app.example", false },
		{ "http://localhost@evil.com", "localhost:9002", false },
		{ "null", "localhost:9002", false },
		{ "file://", "localhost:9002", false },
	};
	char only[] = "https://app.example";
	char *list[] = { only };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct px_origin_request request = {
			.origin = cases[i].origin,
			.host = cases[i].host,
			.is_on_loopback = true,
		};
		ck_assert_msg(px_origin_allowed(&request, NULL, 0) == cases[i].expected,
				"\"%s\" of \"%s\"", cases[i].origin, cases[i].host);
		ck_assert(!px_origin_allowed(&request, list, 1)); /* it says who, and nobody else */
	}
}
END_TEST

START_TEST(loopback_has_few_names)
{
	static const char *const names[] = { "localhost", "localhost:9002", "LocalHost", "127.0.0.1",
		"127.0.0.1:80", "127.255.0.3", "[::1]", "[::1]:9002", "[::ffff:127.0.0.1]", "a.localhost" };
	static const char *const others[] = { "", "localhost.evil.com", "127.0.0.1.evil.com", "evil.com",
		"127.0.0.1.nip.io:9002", "127.1", "2130706433", "0x7f.1", "0.0.0.0", "[::]", "::1",
		"localhost:", "localhost:x", "localhost,evil.com", "localhost evil", "xlocalhost",
		"[::1", "[127.0.0.1]", "user@localhost", "[fe80::1]" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ck_assert_msg(px_origin_host_is_loopback(names[i]), "%s", names[i]);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		ck_assert_msg(!px_origin_host_is_loopback(others[i]), "%s", others[i]);
	}
}
END_TEST

START_TEST(an_entry_is_one_origin)
{
	ck("https://app.example.org", "https://app.example.org", true);
	ck("https://first.example", "https://app.example.org", true);
	ck("HTTPS://App.Example.Org", "https://app.example.org", true);
	ck("https://app.example.org:443", "https://app.example.org", true);
	ck("http://app.example.org", "https://app.example.org", false);
	ck("https://app.example.org:8443", "https://app.example.org", false);
	ck("https://app.example.org.evil.org", "https://app.example.org", false);
	ck("https://evil-app.example.org", "https://app.example.org", false);
	ck("https://app.example.org/", "https://app.example.org", false);
	ck("null", "https://app.example.org", false);
	ck("", "https://app.example.org", false);
	/* With a list, the own host counts for nothing. */
	ck("https://praxis.example", "https://app.example.org", false);
}
END_TEST

START_TEST(a_star_is_for_what_is_below)
{
	ck("https://a.example.org", "https://*.example.org", true);
	ck("https://a.b.example.org", "https://*.example.org", true);
	ck("https://A.EXAMPLE.org", "https://*.example.org", true);
	ck("https://a.example.org:8443", "https://*.example.org:8443", true);
	ck("https://example.org", "https://*.example.org", false);
	ck("https://.example.org", "https://*.example.org", false);
	ck("http://a.example.org", "https://*.example.org", false);
	ck("https://a.example.org:8443", "https://*.example.org", false);
	ck("https://a.example.org.evil.org", "https://*.example.org", false);
	ck("https://evilexample.org", "https://*.example.org", false);
	/* What a browser would never send, and a star must not stand for. */
	ck("https://evil.org/.example.org", "https://*.example.org", false);
	ck("https://evil.org?.example.org", "https://*.example.org", false);
	ck("https://evil.org#.example.org", "https://*.example.org", false);
	ck("https://user@a.example.org", "https://*.example.org", false);
	ck("https://evil.org\\.example.org", "https://*.example.org", false);
	ck("https://a b.example.org", "https://*.example.org", false);
	ck("null", "https://*.example.org", false);
}
END_TEST

START_TEST(a_star_alone_is_for_all)
{
	ck("https://anybody.example", "*", true);
	ck("null", "*", true);
}
END_TEST

RUN_TESTS("origin", without_a_list_it_is_the_same_origin, on_loopback_it_is_this_machine,
		loopback_has_few_names, an_entry_is_one_origin,
		a_star_is_for_what_is_below, a_star_alone_is_for_all);

/* SPDX-License-Identifier: MIT */
/* Which pages may connect: the same host's, those on a list, subdomains, and who looks alike. */
#include "origin.h"

#include "fake.h"

#include <check.h>
#include <string.h>

static bool allowed(const char *origin, const char *pattern)
{
	char first[] = "https://first.example";
	char *list[] = { first, (char *)pattern };
	return px_origin_allowed(origin, "praxis.example", list, 2);
}

static void ck(const char *origin, const char *pattern, bool expected)
{
	ck_assert_msg(allowed(origin, pattern) == expected, "\"%s\" by \"%s\"", origin, pattern);
}

START_TEST(without_a_list_it_is_the_same_host)
{
	static const struct {
		const char *origin;
		const char *host;
		bool expected;
	} cases[] = {
		{ "https://app.example", "app.example", true },
		{ "http://app.example:9002", "app.example:9002", true },
		{ "https://APP.example", "app.EXAMPLE", true },
		{ "https://app.example", "app.example:443", false },
		{ "https://app.example:9002", "app.example", false },
		{ "https://app.example.evil.org", "app.example", false },
		{ "https://evil.org/app.example", "app.example", false },
		{ "https://sub.app.example", "app.example", false },
		{ "null", "app.example", false },
		{ "null", "null", false },
		{ "", "", false },
		{ "https://", "", false },
		{ "app.example", "app.example", false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_msg(px_origin_allowed(cases[i].origin, cases[i].host, NULL, 0) ==
				cases[i].expected, "\"%s\" of \"%s\"", cases[i].origin, cases[i].host);
	}
}
END_TEST

START_TEST(an_entry_is_one_origin)
{
	ck("https://app.example.org", "https://app.example.org", true);
	ck("https://first.example", "https://app.example.org", true);
	ck("HTTPS://App.Example.Org", "https://app.example.org", true);
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

RUN_TESTS("origin", without_a_list_it_is_the_same_host, an_entry_is_one_origin,
		a_star_is_for_what_is_below, a_star_alone_is_for_all);

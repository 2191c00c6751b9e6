/* SPDX-License-Identifier: MIT */
/*
 * Who may come in, from where and through what: tokens, auth-url, origins, proxies, TLS, and
 * what these make of open mode.
 */
#define _XOPEN_SOURCE 700 /* nftw */

#include "test_config_util.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define SECRET_32 "0123456789abcdef0123456789abcdef"
#define A_URL "https:// or http://, a host, and optionally :port, a path and a query"
#define TOKENS ", \"tokens\": {\"secret\": \"" SECRET_32 "\"}"

/* The tokens of a vhost with these keys in them. */
static struct px_config *load_tokens(const char *keys, const char *expected)
{
	char text[4096];
	(void)snprintf(text, sizeof(text), ", \"tokens\": {%s}", keys);
	return load_vhost(text, expected);
}

static void expect_tokens(const char *keys, const char *expected)
{
	px_config_destroy(load_tokens(keys, expected));
}

/* The same with a secret before them. */
static void expect_more(const char *keys, const char *expected)
{
	char text[2048];
	(void)snprintf(text, sizeof(text), "\"secret\": \"" SECRET_32 "\", %s", keys);
	expect_tokens(text, expected);
}

static void expect_path(const char *path, const char *name)
{
	char expected[128];
	(void)snprintf(expected, sizeof(expected), "%s/%s", directory, name);
	ck_assert_str_eq(path, expected);
}

/* ---- tokens ---- */

START_TEST(fills_in_the_defaults_of_tokens)
{
	struct px_config *config = load_tokens("\"secret\": \"" SECRET_32 "\"", "");
	const struct px_config_tokens *tokens = config->vhosts[0].tokens;
	ck_assert_str_eq(tokens->secret, SECRET_32);
	ck_assert_ptr_null(tokens->jwks_file);
	ck_assert_ptr_null(tokens->issuer);
	ck_assert_ptr_null(tokens->audience);
	ck_assert_uint_eq(tokens->leeway_s, 30);
	ck_assert(tokens->require_exp);
	ck_assert_int_eq(tokens->default_role, 0);
	ck_assert_str_eq(tokens->claims.sub, "sub");
	ck_assert_str_eq(tokens->claims.name, "name");
	ck_assert_str_eq(tokens->claims.tenant, "tenant");
	ck_assert_str_eq(tokens->claims.practices, "practices");
	ck_assert_str_eq(tokens->claims.practice_id, "practiceId");
	ck_assert_str_eq(tokens->claims.role, "role");
	ck_assert_str_eq(tokens->claims.rooms, "rooms");
	ck_assert_ptr_null(tokens->cookie);
	ck_assert(!tokens->query);
	ck_assert_int_eq(tokens->auth_ms, 10000);
	ck_assert_ptr_null(tokens->secret_kid);
	ck_assert_uint_eq(tokens->max_bytes, 16384);
	ck_assert_int_eq(config->vhosts[0].open_mode, PX_CONFIG_OPEN_OFF);
	px_config_destroy(config);
}
END_TEST

START_TEST(takes_tokens)
{
	put("keys.json", "{}");
	put("secret", SECRET_32 "\n");
	struct px_config *config = load_tokens(
			"\"secret-file\": \"secret\", \"jwks-file\": \"keys.json\","
			"\"issuer\": \"https://id.example.org\", \"audience\": \"praxis\","
			"\"leeway-s\": \"0\", \"require-exp\": false,"
			"\"default-role\": \"patient\","
			"\"claims\": {\"practices\": \"https://example.org/practices\","
			"\"practiceId\": \"pid\", \"sub\": \"uid\"},"
			"\"cookie\": \"__Host-praxis\", \"query\": \"on\", \"auth-ms\": 600000,"
			"\"secret-kid\": \"2026\", \"max-bytes\": \"4096\"",
			"W f.json:1: \"require-exp\": tokens without expiry are accepted, and stay valid "
			"forever\n");
	const struct px_config_tokens *tokens = config->vhosts[0].tokens;
	ck_assert_str_eq(tokens->secret, SECRET_32);
	expect_path(tokens->jwks_file, "keys.json");
	ck_assert_str_eq(tokens->issuer, "https://id.example.org");
	ck_assert_str_eq(tokens->audience, "praxis");
	ck_assert_uint_eq(tokens->leeway_s, 0);
	ck_assert(!tokens->require_exp);
	ck_assert_int_eq(tokens->default_role, PX_ROLE_PATIENT);
	ck_assert_str_eq(tokens->claims.sub, "uid");
	ck_assert_str_eq(tokens->claims.name, "name");
	ck_assert_str_eq(tokens->claims.practices, "https://example.org/practices");
	ck_assert_str_eq(tokens->claims.practice_id, "pid");
	ck_assert_str_eq(tokens->cookie, "__Host-praxis");
	ck_assert(tokens->query);
	ck_assert_int_eq(tokens->auth_ms, 600000);
	ck_assert_str_eq(tokens->secret_kid, "2026");
	ck_assert_uint_eq(tokens->max_bytes, 4096);
	px_config_destroy(config);
	config = load_tokens("\"jwks-file\": \"keys.json\"", "");
	ck_assert_ptr_null(config->vhosts[0].tokens->secret);
	px_config_destroy(config);
	static const struct {
		const char *word;
		enum px_role role;
	} roles[] = {
		{ "staff", PX_ROLE_STAFF },
		{ "patient", PX_ROLE_PATIENT },
		{ "service", PX_ROLE_SERVICE },
		{ "admin", PX_ROLE_ADMIN },
	};
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		char keys[128];
		(void)snprintf(keys, sizeof(keys),
				"\"secret\": \"" SECRET_32 "\", \"default-role\": \"%s\"",
				roles[i].word);
		config = load_tokens(keys, "");
		ck_assert_int_eq(config->vhosts[0].tokens->default_role, roles[i].role);
		px_config_destroy(config);
	}
}
END_TEST

START_TEST(checks_tokens)
{
	expect_vhost(", \"tokens\": true",
			"E f.json:1: \"tokens\": expected an object of at most 256 keys\n");
	expect_vhost(", \"tokens\": null", "E f.json:1: \"tokens\": expected a value\n");
	expect_vhost(",\n\"tokens\": {}",
			"E f.json:2: \"tokens\" needs a \"secret\" or a \"jwks-file\"\n");
	expect_tokens("\"issuer\": \"x\"",
			"E f.json:1: \"tokens\" needs a \"secret\" or a \"jwks-file\"\n");
	expect_tokens("\"secert\": \"x\"",
			"E f.json:1: unknown key \"secert\" (did you mean \"secret\"?)\n");
	expect_more("\"leeway-s\": 301",
			"E f.json:1: \"leeway-s\": expected a whole number from 0 to 300, got "
			"301\n");
	expect_more("\"auth-ms\": 999",
			"E f.json:1: \"auth-ms\": expected a whole number from 1000 to 600000, got "
			"999\n");
	expect_more("\"require-exp\": 2",
			"E f.json:1: \"require-exp\": expected true or false, got 2\n");
	expect_tokens("\"secret-file\": \"${PX_T_UNSET}\"",
			"E f.json:1: \"secret-file\": there is no environment variable PX_T_UNSET\n");
	expect_more("\"default-role\": \"doctor\"",
			"E f.json:1: \"default-role\": expected one of staff, patient, service, "
			"admin, got \"doctor\"\n");
	expect_more("\"max-bytes\": 1048577",
			"E f.json:1: \"max-bytes\": expected a whole number from 256 to 1048576, "
			"got 1048577\n");
	put("keys.json", "{}");
	expect_tokens("\"jwks-file\": \"keys.json\",\n\"secret-kid\": \"a\"",
			"E f.json:2: \"secret-kid\" without \"secret\"\n");
	expect_more("\"issuer\": \"\"",
			"E f.json:1: \"issuer\": expected a string of 1 to 1024 bytes, got one of "
			"0\n");
	static const char *const cookies[] = { "a b", "a=b", "a;b", "\xc3\xa9" };
	for (size_t i = 0; i < sizeof(cookies) / sizeof(cookies[0]); i++) {
		char keys[64];
		(void)snprintf(keys, sizeof(keys), "\"cookie\": \"%s\"", cookies[i]);
		expect_more(keys, "E f.json:1: \"cookie\": not a valid cookie name\n");
	}
	expect_more("\"claims\": []",
			"E f.json:1: \"claims\": expected an object of at most 256 keys\n");
	expect_more("\n\"claims\": {\"practice\": \"x\", \"rooms\": 5,\n\"sub\": \"\"}",
			"E f.json:2: unknown key \"practice\" (did you mean \"practices\"?)\n"
			"E f.json:2: \"rooms\": expected a string of 1 to 256 bytes, got 5\n"
			"E f.json:3: \"sub\": expected a string of 1 to 256 bytes, got one of 0\n");
	/* What comes behind is read all the same. */
	expect_vhost(", \"tokens\": {\"secret\": \"" SECRET_32 "\", \"claims\": {\"sub\": \"\"}},\n"
			"\"auth-url\": \"x\",\n\"webhook-url\": \"x\",\n\"origins\": [\"x\"],\n"
			"\"trusted-proxies\": [\"x\"]",
			"E f.json:3: \"webhook-url\" without \"webhook-secret\"\n"
			"E f.json:1: \"sub\": expected a string of 1 to 256 bytes, got one of 0\n"
			"E f.json:2: \"auth-url\": expected " A_URL "\n"
			"E f.json:3: \"webhook-url\": expected " A_URL "\n"
			"E f.json:4: \"origins\": \"x\" is not an origin: expected https://host or "
			"http://host, with or without :port, https://*.host, or *\n"
			"E f.json:5: \"trusted-proxies\": \"x\" is not an address: expected an IPv4 or "
			"IPv6 address, or ADDRESS/BITS\n");
	/* that there are tokens counts, be they wrong: no word of open mode */
	expect_vhost(", \"interface\": \"127.0.0.1\", \"tokens\": {\"secret\": 5}",
			"E f.json:1: \"secret\": expected a string of 1 to 4096 bytes\n");
}
END_TEST

START_TEST(warns_of_weak_secrets_and_shows_none)
{
	static const char weak[] =
			"W f.json:1: \"secret\": a weak secret: expected at least 32 random "
			"bytes\n";
	put("short", "S3CRET\n");
	put("empty", "\n");
	struct px_config *config =
			load_tokens("\"secret\": \"0123456789abcdef0123456789abcde\"", weak);
	ck_assert_str_eq(config->vhosts[0].tokens->secret, "0123456789abcdef0123456789abcde");
	px_config_destroy(config);
	expect_tokens("\"secret-file\": \"short\"", weak);
	expect_tokens("\"secret\": \"\"",
			"E f.json:1: \"secret\": expected a string of 1 to 4096 bytes\n");
	expect_tokens("\"secret-file\": \"empty\"",
			"E f.json:1: \"secret\": expected a string of 1 to 4096 bytes\n");
	expect_tokens("\"secret\": [\"S3CRET\"]",
			"E f.json:1: \"secret\": expected a string of 1 to 4096 bytes\n");
	expect_tokens("\"secret\": \"S3CRET\", \"secret-file\": \"short\"",
			"E f.json:1: \"secret\" and \"secret-file\" exclude each other\n");
	/* the secret itself in a key for paths */
	expect_tokens("\"secret-file\": \"S3CRET\"",
			"E f.json:1: \"secret-file\": cannot read the file that it names: "
			"No such file or directory\n");
	expect_tokens("\n\"jwks-file\": \"S3CRET\"",
			"E f.json:2: \"jwks-file\": cannot read the file that it names: "
			"No such file or directory\n");
	expect_tokens("\"jwks-file\": \"/\"",
			"E f.json:1: \"jwks-file\": cannot read the file that it names: "
			"Is a directory\n");
	expect_tokens("\"jwks-file\": \"/dev/null\"",
			"E f.json:1: \"jwks-file\": cannot read the file that it names: "
			"Not a regular file\n");
}
END_TEST

START_TEST(takes_a_secret_of_the_environment)
{
	setenv("PX_T_SECRET", SECRET_32, 1);
	struct px_config *config = load_tokens("\"secret\": \"${PX_T_SECRET}\"", "");
	ck_assert_str_eq(config->vhosts[0].tokens->secret, SECRET_32);
	px_config_destroy(config);
}
END_TEST

/* One file for a server with tokens and, where the environment has no secret, for open mode. */
START_TEST(tokens_may_be_left_to_the_environment)
{
	static const char keys[] = "\"secret\": \"${PX_T_SECRET:-}\", "
			"\"jwks-file\": \"${PX_T_JWKS:-}\", \"leeway-s\": 5";
	unsetenv("PX_T_JWKS");
	setenv("PX_T_SECRET", SECRET_32, 1);
	struct px_config *config = load_tokens(keys, "");
	ck_assert_str_eq(config->vhosts[0].tokens->secret, SECRET_32);
	ck_assert_int_eq(config->vhosts[0].open_mode, PX_CONFIG_OPEN_OFF);
	px_config_destroy(config);
	unsetenv("PX_T_SECRET");
	config = load_tokens(keys, "");
	ck_assert_ptr_null(config->vhosts[0].tokens);
	ck_assert_int_eq(config->vhosts[0].open_mode, PX_CONFIG_OPEN_LOOPBACK);
	px_config_destroy(config);
	/* Then it is as open as if they had never been thought of, and no more. */
	expect_vhost(", \"tokens\": {\"secret\": \"${PX_T_SECRET:-}\"},\n\"interface\": \"*\"",
			"E f.json:2: vhost \"a\" listens on 0.0.0.0, which other machines can reach, without "
			"authentication: use \"localhost\", configure \"tokens\" or \"auth-url\", or set "
			"\"open-mode\": \"insecure\"; not set in the environment: PX_T_SECRET\n");
	/* What is not there by mistake is a mistake. */
	expect_tokens("\"leeway-s\": 5", "E f.json:1: \"tokens\" needs a \"secret\" or a "
			"\"jwks-file\"\n");
	setenv("PX_T_SECRET", "", 1);
	expect_tokens("\"secret\": \"${PX_T_SECRET}\"", "E f.json:1: \"secret\": expected a string "
			"of 1 to 4096 bytes\n");
}
END_TEST

/* ---- auth-url ---- */

START_TEST(takes_an_auth_url)
{
	struct px_config *config = load_vhost(", \"auth-url\": \"HTTPS://Example.org:443\", "
			"\"auth-timeout-ms\": 100, \"auth-max\": 1000, \"auth-cache-s\": 60", "");
	const struct px_config_vhost *vhost = &config->vhosts[0];
	ck_assert_str_eq(vhost->auth_url, "https://example.org/");
	ck_assert_int_eq(vhost->auth_timeout_ms, 100);
	ck_assert_uint_eq(vhost->auth_max, 1000);
	ck_assert_uint_eq(vhost->auth_cache_s, 60);
	ck_assert_int_eq(vhost->open_mode, PX_CONFIG_OPEN_OFF);
	ck_assert_ptr_null(vhost->tokens);
	px_config_destroy(config);
	static const struct {
		const char *written;
		const char *kept;
	} cases[] = {
		{ "http://localhost:8080/Auth?a=B&c=%20", "http://localhost:8080/Auth?a=B&c=%20" },
		{ "http://127.0.0.1:00080/", "http://127.0.0.1/" },
		{ "http://[::1]:81?x", "http://[::1]:81/?x" },
		{ "https://a_b.c-d:80/x", "https://a_b.c-d:80/x" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char keys[128];
		(void)snprintf(keys, sizeof(keys), TOKENS ", \"auth-url\": \"%s\"",
				cases[i].written);
		config = load_vhost(keys, "");
		ck_assert_str_eq(config->vhosts[0].auth_url, cases[i].kept);
		ck_assert_ptr_nonnull(config->vhosts[0].tokens);
		px_config_destroy(config);
	}
}
END_TEST

START_TEST(checks_an_auth_url)
{
	static const char *const wrong[] = {
		"x", "/auth", "ftp://host/", "http:host", "http://", "http:///x", "https://*.host/",
		"http://user:S3CRET@host/", "http://host:0/", "http://host:65536/",
		"http://host:x/", "http://host:/", "http://host/a b", "http://host/#x", "http://host/\\u00e9",
		"http://h\\u00e9/", "http://-a/", "http://a-/", "http://a..b/", "http://a./",
		"http://.a/", "http://[::1/", "http://[::g]/", "http://[::1]x/",
		"http://[1234:1234:1234:1234:1234:1234:123.123.123.1234]/", /* a byte longer than any */
		"http://host/\\r\\n",
		"http://[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]/",
		"http://0123456789012345678901234567890123456789012345678901234567890123/",
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char keys[128];
		(void)snprintf(keys, sizeof(keys), ",\n\"auth-url\": \"%s\"", wrong[i]);
		expect_vhost(keys,
				"E f.json:2: \"auth-url\": expected https:// or http://, a host, and optionally "
				":port, a path and a query\n");
	}
	expect_vhost(", \"auth-url\": \"\"",
			"E f.json:1: \"auth-url\": expected a string of 1 to 2048 bytes, got one "
			"of 0\n");
	expect_vhost(", \"auth-url\": \"http://h\", \"auth-timeout-ms\": 99, \"auth-max\": 0, "
			"\"auth-cache-s\": 61",
			"E f.json:1: \"auth-timeout-ms\": expected a whole number from 100 to "
			"30000, got 99\n"
			"E f.json:1: \"auth-max\": expected a whole number from 1 to 1000, got 0\n"
			"E f.json:1: \"auth-cache-s\": expected a whole number from 0 to 60, got "
			"61\n");
	expect_vhost(",\n\"auth-timeout-ms\": 2000,\n\"auth-max\": 5,\n\"auth-cache-s\": 0",
			"E f.json:2: \"auth-timeout-ms\" without \"auth-url\"\n"
			"E f.json:3: \"auth-max\" without \"auth-url\"\n"
			"E f.json:4: \"auth-cache-s\" without \"auth-url\"\n");
	char longest[512] = ", \"auth-url\": \"http://a";
	for (int i = 0; i < 126; i++) {
		strcat(longest, ".a");
	}
	strcat(longest, "\"");
	expect_vhost(longest, "");
	strcpy(longest + strlen(longest) - 1, ".a\"");
	expect_vhost(longest,
			"E f.json:1: \"auth-url\": expected https:// or http://, a host, and optionally "
			":port, a path and a query\n");
}
END_TEST

/* ---- open mode ---- */

#define NOT_OPEN(line, key, proof) \
	"E f.json:" line ": \"" key "\" in a vhost with \"" proof "\", where clients cannot " \
	"choose their identity\n"

START_TEST(refuses_open_mode_beside_proof)
{
	expect_vhost(TOKENS ",\n\"open-mode\": \"insecure\",\n\"open-practice\": 1",
			NOT_OPEN("2", "open-mode", "tokens") NOT_OPEN("3", "open-practice",
					"tokens"));
	expect_vhost(", \"auth-url\": \"http://h/\", \"open-mode\": \"loopback\"",
			NOT_OPEN("1", "open-mode", "auth-url"));
	put("mode", "insecure");
	expect_vhost(TOKENS ", \"open-mode-file\": \"mode\"",
			NOT_OPEN("1", "open-mode", "tokens"));
	/* a file for both has them from the environment: they count for nothing */
	unsetenv("PX_T_UNSET");
	struct px_config *config = load_vhost(TOKENS
			", \"open-mode\": \"${PX_T_UNSET:-insecure}\", "
			"\"open-practice\": \"${PX_T_UNSET:-1}\"", "");
	ck_assert_int_eq(config->vhosts[0].open_mode, PX_CONFIG_OPEN_OFF);
	ck_assert_ptr_null(config->vhosts[0].open_practice);
	px_config_destroy(config);
	/* a dollar is no variable */
	expect_vhost(TOKENS ", \"open-practice\": \"$$\"",
			NOT_OPEN("1", "open-practice", "tokens"));
	expect_vhost(", \"open-practice\": \"${PX_T_UNSET:-1}\", \"tokens\": {}",
			"E f.json:1: \"tokens\" needs a \"secret\" or a \"jwks-file\"\n");
}
END_TEST

#define NO_TLS(line, address) \
	"W f.json:" line ": vhost \"a\" listens on " address " without TLS on a public address: " \
	"tokens and patients' data can be read in transit\n"
#define TLS ", \"host-ssl-cert\": \"cert\", \"host-ssl-key\": \"key\""

START_TEST(warns_of_public_addresses_without_tls)
{
	put("cert", "");
	put("key", "");
	expect_vhost(TOKENS ",\n\"interface\": \"*\"", NO_TLS("2", "0.0.0.0"));
	expect_vhost(", \"auth-url\": \"http://h/\", \"interface\": [\"::1\", \"2001:db8::1\"]",
			NO_TLS("1", "2001:db8::1"));
	expect_vhost(TOKENS ", \"interface\": \"*\", \"trusted-proxies\": []",
			NO_TLS("1", "0.0.0.0"));
	expect_vhost(TOKENS ", \"interface\": \"*\", \"trusted-proxies\": [\"10.0.0.1\"]", "");
	expect_vhost(TOKENS TLS ", \"interface\": \"*\"", "");
	expect_vhost(TOKENS ", \"interface\": \"localhost\"", "");
	expect_vhost(", \"interface\": \"*\", \"redirect-to-https\": 443", "");
	/* TLS proves nothing of who a client is */
	expect_vhost(TLS ", \"interface\": \"192.0.2.1\"",
			"E f.json:1: vhost \"a\" listens on 192.0.2.1, which other machines can reach, "
			"without authentication: use \"localhost\", configure \"tokens\" or \"auth-url\", or "
			"set \"open-mode\": \"insecure\"\n");
}
END_TEST

/* ---- origins ---- */

START_TEST(takes_origins)
{
	static const struct {
		const char *written;
		const char *kept;
	} cases[] = {
		{ "https://example.org", "https://example.org" },
		{ "HTTPS://App.Example.ORG:443", "https://app.example.org" },
		{ "http://localhost:3000", "http://localhost:3000" },
		{ "http://a:80", "http://a" },
		{ "https://a:80", "https://a:80" },
		{ "https://*.Example.org", "https://*.example.org" },
		{ "https://*.example.org:8443", "https://*.example.org:8443" },
		{ "http://[::1]:81", "http://[::1]:81" },
		{ "http://[0:0::1]", "http://[::1]" },
		{ "http://192.0.2.1", "http://192.0.2.1" },
		{ "https://xn--bcher-kva.example", "https://xn--bcher-kva.example" },
	};
	size_t count = sizeof(cases) / sizeof(cases[0]);
	char keys[1024] = ", \"origins\": [";
	for (size_t i = 0; i < count; i++) {
		size_t used = strlen(keys);
		(void)snprintf(keys + used, sizeof(keys) - used, "%s\"%s\"", i > 0 ? ", " : "",
				cases[i].written);
	}
	strcat(keys, "]");
	struct px_config *config = load_vhost(keys, "");
	ck_assert_uint_eq(config->vhosts[0].origin_count, count);
	for (size_t i = 0; i < count; i++) {
		ck_assert_str_eq(config->vhosts[0].origins[i], cases[i].kept);
	}
	px_config_destroy(config);
	config = load_vhost(", \"origins\": \"https://a, http://b:81 https://*.c\"", "");
	ck_assert_uint_eq(config->vhosts[0].origin_count, 3);
	ck_assert_str_eq(config->vhosts[0].origins[1], "http://b:81");
	ck_assert_str_eq(config->vhosts[0].origins[2], "https://*.c");
	px_config_destroy(config);
	config = load_vhost(", \"origins\": \"https://a\"", "");
	ck_assert_uint_eq(config->vhosts[0].origin_count, 1);
	px_config_destroy(config);
	config = load_vhost(", \"origins\": []", "");
	ck_assert_uint_eq(config->vhosts[0].origin_count, 0);
	px_config_destroy(config);
	config = load_vhost(", \"origins\": [\"https://a\",\n\"*\"]",
			"W f.json:2: \"origins\": with \"*\", pages of every web site may connect\n");
	ck_assert_str_eq(config->vhosts[0].origins[1], "*");
	px_config_destroy(config);
}
END_TEST

START_TEST(checks_origins)
{
	static const char *const wrong[] = {
		"", "null", "example.org", "//example.org", "https://", "https://a/", "https://a/b",
		"https://a?b", "https://a#b", "https://u@a", "wss://a", "file://", "http://*.a",
		"https://*", "https://*a", "https://a.*.b", "https://*.*.b", "https://*.", "**",
		"https://*.[::1]", "https://a:99999", "https://a:", "https://a ", " https://a",
		"https://b\xc3\xbcx.example",
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char keys[128];
		char expected[256];
		(void)snprintf(keys, sizeof(keys), ", \"origins\": [\"https://a\",\n\"%s\"]",
				wrong[i]);
		(void)snprintf(expected, sizeof(expected),
				"E f.json:2: \"origins\": \"%s\" is not an origin: expected "
				"https://host or http://host, with or without :port, "
				"https://*.host, or *\n", wrong[i]);
		expect_vhost(keys, expected);
	}
	expect_vhost(", \"origins\": {}",
			"E f.json:1: \"origins\": expected a string or an array of strings\n");
	expect_vhost(", \"origins\": [\"https://a\",\n1]",
			"E f.json:2: \"origins\": expected a string or an array of strings\n");
	expect_vhost(", \"origins\": null",
			"E f.json:1: \"origins\": expected a value, got null\n");
	char many[8192] = ", \"origins\": [\"http://a:1\"";
	for (int i = 2; i <= 257; i++) {
		size_t used = strlen(many);
		(void)snprintf(many + used, sizeof(many) - used, ",\"http://a:%d\"", i);
	}
	strcat(many, "]");
	expect_vhost(many, "E f.json:1: \"origins\": too many entries at \"http://a:257\"\n");
}
END_TEST

/* ---- proxies ---- */

static bool trusts(const struct px_config *config, const char *text)
{
	struct in6_addr address = { 0 };
	char mapped[64];
	(void)snprintf(mapped, sizeof(mapped), "%s%s", strchr(text, ':') ? "" : "::ffff:", text);
	ck_assert_int_eq(inet_pton(AF_INET6, mapped, &address), 1);
	return px_config_is_trusted_proxy(&config->vhosts[0], &address);
}

START_TEST(takes_trusted_proxies)
{
	struct px_config *config = load_vhost(", \"proxy-protocol\": true, \"trusted-proxies\": ["
			"\"10.0.0.0/8\", \"192.0.2.128/25\", \"198.51.100.7\", \"2001:db8::/33\", "
			"\"2001:db8:ffff::1\", \"::ffff:203.0.113.4/126\"]", "");
	const struct px_config_vhost *vhost = &config->vhosts[0];
	static const unsigned prefixes[] = { 104, 121, 128, 33, 128, 126 };
	ck_assert_uint_eq(vhost->trusted_proxy_count, 6);
	for (size_t i = 0; i < 6; i++) {
		ck_assert_uint_eq(vhost->trusted_proxies[i].prefix, prefixes[i]);
	}
	ck_assert(IN6_IS_ADDR_V4MAPPED(&vhost->trusted_proxies[0].address));
	ck_assert_uint_eq(vhost->trusted_proxies[0].address.s6_addr[12], 10);
	ck_assert(vhost->proxy_protocol);
	static const char *const in[] = {
		"10.0.0.0", "10.255.255.255", "192.0.2.128", "192.0.2.255", "198.51.100.7",
		"2001:db8::1", "2001:db8:7fff:ffff::1", "2001:db8:ffff::1", "203.0.113.7",
		"203.0.113.4",
	};
	static const char *const out[] = {
		"9.255.255.255", "11.0.0.0", "192.0.2.127", "192.0.3.0", "198.51.100.6",
		"2001:db8:8000::", "2001:db9::", "2001:db8:ffff::2", "203.0.113.8", "203.0.113.3",
		"::1", "::10.0.0.1", "127.0.0.1",
	};
	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
		ck_assert_msg(trusts(config, in[i]), "%s", in[i]);
	}
	for (size_t i = 0; i < sizeof(out) / sizeof(out[0]); i++) {
		ck_assert_msg(!trusts(config, out[i]), "%s", out[i]);
	}
	px_config_destroy(config);
	config = load_vhost("", "");
	ck_assert(!trusts(config, "127.0.0.1"));
	px_config_destroy(config);
	config = load_vhost(", \"trusted-proxies\": \"::1\"", "");
	ck_assert(trusts(config, "::1"));
	px_config_destroy(config);
	config = load_vhost(", \"trusted-proxies\": [\"0.0.0.0/0\",\n\"2001:db8::\"]",
			"W f.json:1: \"trusted-proxies\": \"0.0.0.0/0\" lets everybody choose "
			"the address that the server sees\n");
	ck_assert(trusts(config, "192.0.2.1"));
	ck_assert(!trusts(config, "2001:db8::1"));
	px_config_destroy(config);
	config = load_vhost(", \"trusted-proxies\": \"::/0\"",
			"W f.json:1: \"trusted-proxies\": \"::/0\" lets everybody choose the "
			"address that the server sees\n");
	ck_assert(trusts(config, "192.0.2.1"));
	ck_assert(trusts(config, "2001:db8::1"));
	px_config_destroy(config);
}
END_TEST

START_TEST(checks_trusted_proxies)
{
	static const char *const wrong[] = {
		"", "x", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x",
		"10.0.0.0/8/8", "10.0.0.0/255.0.0.0", "/8", "::/129", "::g", "[::1]",
		"proxy.example.org", "localhost", "10.0.0.1:80", "fe80::1%lo", "10.0.0.0/0008",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char keys[128];
		char expected[256];
		(void)snprintf(keys, sizeof(keys), ", \"trusted-proxies\": [\"::1\",\n\"%s\"]",
				wrong[i]);
		(void)snprintf(expected, sizeof(expected),
				"E f.json:2: \"trusted-proxies\": \"%s\" is not an address: expected "
				"an IPv4 or IPv6 address, or ADDRESS/BITS\n", wrong[i]);
		expect_vhost(keys, expected);
	}
	expect_vhost(", \"trusted-proxies\": [\"172.17.0.1/16\", \"2001:db8::1/127\"]",
			"E f.json:1: \"trusted-proxies\": \"172.17.0.1/16\" has bits set behind its "
			"prefix: expected 172.17.0.0/16, or an address alone\n"
			"E f.json:1: \"trusted-proxies\": \"2001:db8::1/127\" has bits set behind its "
			"prefix: expected 2001:db8::/127, or an address alone\n");
	expect_vhost(", \"trusted-proxies\": [1]",
			"E f.json:1: \"trusted-proxies\": expected a string or an array of "
			"strings\n");
	expect_vhost(", \"proxy-protocol\": true",
			"E f.json:1: \"proxy-protocol\" without \"trusted-proxies\"\n");
	expect_vhost(", \"proxy-protocol\": true, \"trusted-proxies\": []",
			"E f.json:1: \"proxy-protocol\" without \"trusted-proxies\"\n");
	expect_vhost(", \"proxy-protocol\": false", "");
	expect_vhost(", \"proxy-protocol\": true, \"trusted-proxies\": \"x\"",
			"E f.json:1: \"trusted-proxies\": \"x\" is not an address: expected an IPv4 "
			"or IPv6 address, or ADDRESS/BITS\n");
	char many[8192] = ", \"trusted-proxies\": [\"10.0.0.0\"";
	for (int i = 1; i <= 256; i++) {
		size_t used = strlen(many);
		(void)snprintf(many + used, sizeof(many) - used, ",\"10.0.%d.%d\"", i / 256,
				i % 256);
	}
	strcat(many, "]");
	expect_vhost(many, "E f.json:1: \"trusted-proxies\": too many entries at \"10.0.1.0\"\n");
}
END_TEST

/* ---- TLS ---- */

START_TEST(takes_tls)
{
	put("cert", "");
	put("key", "");
	put("ca", "");
	struct px_config *config = load_vhost(TLS, "");
	const struct px_config_vhost *vhost = &config->vhosts[0];
	expect_path(vhost->host_ssl_cert, "cert");
	expect_path(vhost->host_ssl_key, "key");
	ck_assert_ptr_null(vhost->host_ssl_ca);
	ck_assert(!vhost->client_cert_required);
	ck_assert_int_eq(vhost->tls_min_version, PX_CONFIG_TLS_1_2);
	ck_assert_uint_eq(vhost->hsts_max_age, 31536000);
	px_config_destroy(config);
	config = load_vhost(TLS ", \"host-ssl-ca\": \"ca\", \"client-cert-required\": true, "
			"\"tls-min-version\": \"1.3\", \"hsts-max-age\": 0", "");
	vhost = &config->vhosts[0];
	expect_path(vhost->host_ssl_ca, "ca");
	ck_assert(vhost->client_cert_required);
	ck_assert_int_eq(vhost->tls_min_version, PX_CONFIG_TLS_1_3);
	ck_assert_uint_eq(vhost->hsts_max_age, 0);
	px_config_destroy(config);
	config = load_vhost(TLS ", \"tls-min-version\": 1.3", "");
	ck_assert_int_eq(config->vhosts[0].tls_min_version, PX_CONFIG_TLS_1_3);
	px_config_destroy(config);
	config = load_vhost(TLS ", \"tls-min-version\": 1.2, \"redirect-to-https\": 0", "");
	ck_assert_int_eq(config->vhosts[0].tls_min_version, PX_CONFIG_TLS_1_2);
	px_config_destroy(config);
	/* behind a proxy with TLS */
	config = load_vhost(", \"hsts-max-age\": 600", "");
	ck_assert_uint_eq(config->vhosts[0].hsts_max_age, 600);
	px_config_destroy(config);
}
END_TEST

START_TEST(checks_tls)
{
	put("cert", "");
	put("key", "");
	put("ca", "");
	expect_vhost(",\n\"host-ssl-cert\": \"cert\"",
			"E f.json:2: \"host-ssl-cert\" without \"host-ssl-key\"\n");
	expect_vhost(", \"host-ssl-key\": \"key\"",
			"E f.json:1: \"host-ssl-key\" without \"host-ssl-cert\"\n");
	expect_vhost(", \"host-ssl-ca\": \"ca\", \"tls-min-version\": \"1.2\", "
			"\"client-cert-required\": true",
			"E f.json:1: \"host-ssl-ca\" without \"host-ssl-cert\"\n"
			"E f.json:1: \"tls-min-version\" without \"host-ssl-cert\"\n");
	expect_vhost(TLS ", \"client-cert-required\": true",
			"E f.json:1: \"client-cert-required\" without \"host-ssl-ca\"\n");
	expect_vhost(TLS ", \"client-cert-required\": false", "");
	expect_vhost(",\n\"host-ssl-cert\": \"none\",\n\"host-ssl-key\": "
			"\"-----BEGIN PRIVATE KEY-----\"",
			"E f.json:2: \"host-ssl-cert\": cannot read the file that it names: No "
			"such file or directory\n"
			"E f.json:3: \"host-ssl-key\": cannot read the file that it names: No such "
			"file or directory\n");
	static const char *const versions[] = { "\"1.1\"", "1.0", "1.20", "\"TLSv1.2\"", "1", "[]",
		"true" };
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		char keys[128];
		(void)snprintf(keys, sizeof(keys), TLS ",\n\"tls-min-version\": %s", versions[i]);
		expect_vhost(keys, "E f.json:2: \"tls-min-version\": expected 1.2 or 1.3\n");
	}
	expect_vhost(", \"hsts-max-age\": -1",
			"E f.json:1: \"hsts-max-age\": expected a whole number from 0 to "
			"315360000, got -1\n");
}
END_TEST

START_TEST(takes_a_redirect)
{
	put("cert", "");
	put("key", "");
	struct px_config *config = load_vhost(", \"redirect-to-https\": \"443\", "
			"\"interface\": \"*\", \"open-practice\": 1", "");
	ck_assert_uint_eq(config->vhosts[0].redirect_to_https, 443);
	ck_assert_int_eq(config->vhosts[0].open_mode, PX_CONFIG_OPEN_OFF);
	ck_assert_ptr_null(config->vhosts[0].open_practice);
	px_config_destroy(config);
	expect_vhost(", \"redirect-to-https\": 65536",
			"E f.json:1: \"redirect-to-https\": expected a whole number from 0 to "
			"65535, got 65536\n");
	expect_vhost(", \"redirect-to-https\": 443,\n\"host-ssl-cert\": \"cert\", "
			"\"host-ssl-key\": \"key\"",
			"E f.json:2: \"host-ssl-cert\" and \"redirect-to-https\" in one vhost: a vhost "
			"that redirects to https has no TLS\n");
}
END_TEST

RUN("config_access", fills_in_the_defaults_of_tokens, takes_tokens, checks_tokens,
		warns_of_weak_secrets_and_shows_none, takes_a_secret_of_the_environment,
		tokens_may_be_left_to_the_environment,
		takes_an_auth_url, checks_an_auth_url, refuses_open_mode_beside_proof,
		warns_of_public_addresses_without_tls, takes_origins, checks_origins,
		takes_trusted_proxies, checks_trusted_proxies, takes_tls, checks_tls,
		takes_a_redirect);

/* SPDX-License-Identifier: MIT */
/*
 * What is said of two configurations, and whom a change concerns. That no key of a vhost or
 * of tokens is forgotten is asked of the tables by which they are read; whoever adds one has
 * to say below (and for tokens in diff.c) what becomes of the sessions.
 */
#define _XOPEN_SOURCE 700 /* nftw */

#include "test_config_util.h"

#include "config/diff/diff.h"

static char told[8192];

static void on_change(void *user, const char *text)
{
	size_t used = strlen(told);
	(void)user;
	ck_assert_ptr_null(strstr(text, "hush"));
	(void)snprintf(told + used, sizeof(told) - used, "%s\n", text);
}

static void on_any_complaint(void *user, enum px_config_level level, const char *text)
{
	(void)user;
	if (level == PX_CONFIG_ERROR) {
		ck_abort_msg("%s", text);
	}
}

static struct px_config *read_text(const char *text)
{
	static const struct px_config_sink any = { .on_complaint = on_any_complaint };
	struct px_config *config = NULL;
	ck_assert_int_eq(px_config_load_text(directory, "f.json", text, strlen(text), &any,
			&config), 0);
	return config;
}

static void expect_diff(const char *old_text, const char *new_text, const char *expected)
{
	struct px_config *old = read_text(old_text);
	struct px_config *new = read_text(new_text);
	size_t lines = 0;
	told[0] = '\0';
	size_t count = px_config_diff(old, new, on_change, NULL);
	ck_assert_str_eq(told, expected);
	for (const char *at = told; (at = strchr(at, '\n')); at++) {
		lines++;
	}
	ck_assert_uint_eq(count, lines);
	px_config_destroy(old);
	px_config_destroy(new);
}

/* A configuration with one vhost that has these keys besides. */
static struct px_config *with_vhost(const char *keys)
{
	char text[4096];
	(void)snprintf(text, sizeof(text), "{\"vhosts\": [{\"name\": \"a\"%s%s%s}]}",
			strstr(keys, "\"port\"") ? "" : ", \"port\": 9002", *keys ? ", " : "", keys);
	return read_text(text);
}

static struct px_config *with_global(const char *keys)
{
	char text[4096];
	(void)snprintf(text, sizeof(text),
			"{\"global\": {%s}, \"vhosts\": [{\"name\": \"a\", \"port\": 9002}]}", keys);
	return read_text(text);
}

static void compare(struct px_config *old, struct px_config *new)
{
	told[0] = '\0';
	(void)px_config_diff(old, new, on_change, NULL);
	px_config_destroy(old);
	px_config_destroy(new);
}

static void put_files(void)
{
	put("cert", "x");
	put("key", "x");
	put("cert2", "x");
	put("key2", "x");
	put("jwks", "{}");
	put("jwks2", "{}");
}

#define TLS "\"host-ssl-cert\": \"cert\", \"host-ssl-key\": \"key\""
#define TLS_CA TLS ", \"host-ssl-ca\": \"cert\""
#define SECRET "hush-hush-hush-hush-hush-hush-hush-hush"
#define TOKENS "\"tokens\": {\"secret\": \"" SECRET "\"}"
#define TOKENS_WITH(more) "\"tokens\": {\"secret\": \"" SECRET "\", " more "}"
#define CLAIMS(more) TOKENS_WITH("\"claims\": {" more "}")
#define URL "\"auth-url\": \"http://hush/\""
#define HOOK_TO(url, secret) "\"webhook-url\": \"" url "\", \"webhook-secret\": \"" secret "\""
#define HOOK HOOK_TO("https://hush/", SECRET)

/* What concerns whom, docs/operations.md. */
#define STAYS 0
#define REPLACES 1
#define TIGHTENS 2

static const struct vhost_change {
	const char *key; /* that the change is of */
	const char *old;
	const char *new;
	int what;
	const char *expected;
} vhost_changes[] = {
	{ "port", "", "\"port\": 9003", TIGHTENS, "vhost a: port is 9003, was 9002\n" },
	{ "interface", "", "\"interface\": \"127.0.0.2\"", TIGHTENS,
		"vhost a: interface was added\n" },
	{ "tenant", "", "\"tenant\": \"t\"", REPLACES,
		"vhost a: tenant was added\nvhost a: is replaced; its sessions end\n" },
	{ "path", "", "\"path\": \"/socket\"", STAYS, "vhost a: path changed\n" },
	{ "tokens", "", TOKENS, REPLACES,
		"vhost a: tokens were added\n"
		"vhost a: is replaced; its sessions end\n" },
	{ "tokens", TOKENS ", " URL, URL, STAYS, "vhost a: tokens were removed\n" },
	{ "auth-url", TOKENS, TOKENS ", " URL, STAYS, NULL },
	{ "auth-url", URL, "", REPLACES, NULL },
	{ "auth-timeout-ms", URL, URL ", \"auth-timeout-ms\": 1000", STAYS,
		"vhost a: auth-timeout-ms is 1000, was 2000\n" },
	{ "auth-max", URL, URL ", \"auth-max\": 1", STAYS, "vhost a: auth-max is 1, was 64\n" },
	{ "identity-ttl-s", URL, URL ", \"identity-ttl-s\": 600", STAYS,
		"vhost a: identity-ttl-s is 600, was 43200\n" },
	{ "auth-cache-s", URL, URL ", \"auth-cache-s\": 5", STAYS,
		"vhost a: auth-cache-s is 5, was 0\n" },
	{ "webhook-url", "", HOOK, STAYS,
		"vhost a: webhook-url was added\nvhost a: key of the webhook was added\n" },
	{ "webhook-url", HOOK, HOOK_TO("https://hush/hush", SECRET), STAYS,
		"vhost a: webhook-url changed\n" },
	{ "webhook-secret", HOOK, HOOK_TO("https://hush/", SECRET SECRET), STAYS,
		"vhost a: key of the webhook changed\n" },
	{ "webhook-timeout-ms", HOOK, HOOK ", \"webhook-timeout-ms\": 1000", STAYS,
		"vhost a: webhook-timeout-ms is 1000, was 10000\n" },
	{ "webhook-max", HOOK, HOOK ", \"webhook-max\": 1", STAYS,
		"vhost a: webhook-max is 1, was 4\n" },
	{ "webhook-batch", HOOK, HOOK ", \"webhook-batch\": 1", STAYS,
		"vhost a: webhook-batch is 1, was 100\n" },
	{ "webhook-queue-events", HOOK, HOOK ", \"webhook-queue-events\": 10", STAYS,
		"vhost a: webhook-queue-events is 10, was 50000\n" },
	{ "webhook-queue-bytes", HOOK, HOOK ", \"webhook-queue-bytes\": 1000000", STAYS,
		"vhost a: webhook-queue-bytes is 1000000, was 33554432\n" },
	{ "webhook-give-up-s", HOOK, HOOK ", \"webhook-give-up-s\": 60", STAYS,
		"vhost a: webhook-give-up-s is 60, was 900\n" },
	{ "open-mode", "\"interface\": \"*\", \"open-mode\": \"insecure\"", "", TIGHTENS,
		"vhost a: interface was removed\nvhost a: open-mode changed\n" },
	{ "open-practice", "", "\"open-practice\": 1", REPLACES,
		"vhost a: open-practice was added\nvhost a: is replaced; its sessions end\n" },
	{ "origins", "\"origins\": \"https://a.example\"", "\"origins\": \"https://b.example\"",
		STAYS, "vhost a: origins changed\n" },
	{ "trusted-proxies", "\"trusted-proxies\": \"10.0.0.0/8\"",
		"\"trusted-proxies\": \"10.0.0.0/9\"", STAYS,
		"vhost a: trusted-proxies changed\n" },
	{ "forwarded-header", "", "\"forwarded-header\": \"forwarded\"", STAYS,
		"vhost a: forwarded-header changed\n" },
	{ "metrics-allow", "", "\"metrics-allow\": \"10.0.0.0/8\"", STAYS,
		"vhost a: metrics-allow was added\n" },
	{ "proxy-protocol", "\"trusted-proxies\": \"10.0.0.1\"",
		"\"trusted-proxies\": \"10.0.0.1\", \"proxy-protocol\": true", STAYS,
		"vhost a: proxy-protocol is true\n" },
	{ "host-ssl-cert", TLS, "\"host-ssl-cert\": \"cert2\", \"host-ssl-key\": \"key\"", STAYS,
		"vhost a: host-ssl-cert changed\n" },
	{ "host-ssl-cert", TLS, "", REPLACES, NULL },
	{ "host-ssl-key", TLS, "\"host-ssl-cert\": \"cert\", \"host-ssl-key\": \"key2\"", STAYS,
		"vhost a: host-ssl-key changed\n" },
	{ "host-ssl-ca", TLS, TLS_CA, STAYS, "vhost a: host-ssl-ca was added\n" },
	{ "client-cert-required", TLS_CA, TLS_CA ", \"client-cert-required\": true", TIGHTENS,
		"vhost a: client-cert-required is true\n" },
	{ "client-cert-required", TLS_CA ", \"client-cert-required\": true", TLS_CA, STAYS,
		"vhost a: client-cert-required is false\n" },
	{ "tls-min-version", TLS, TLS ", \"tls-min-version\": \"1.3\"", STAYS,
		"vhost a: tls-min-version changed\n" },
	{ "hsts-max-age", TLS, TLS ", \"hsts-max-age\": 5", STAYS,
		"vhost a: hsts-max-age was added\n" },
	{ "redirect-to-https", "", "\"redirect-to-https\": 443", REPLACES, NULL },
	{ "mounts", "", "\"mounts\": [{\"mountpoint\": \"/\", \"origin\": \".\"}]", STAYS,
		"vhost a: mounts was added\n" },
	{ "headers", "\"headers\": [{\"x-a\": \"hush\"}]", "\"headers\": [{\"x-a\": \"hushed\"}]",
		STAYS, "vhost a: headers changed\n" },
	{ "ws-protocols", "", "\"ws-protocols\": [{\"echo\": {}}]", STAYS,
		"vhost a: service echo: added\n" },
};

START_TEST(each_key_of_a_vhost_concerns_whom_it_should)
{
	put_files();
	for (size_t i = 0; i < sizeof(vhost_changes) / sizeof(vhost_changes[0]); i++) {
		const struct vhost_change *change = &vhost_changes[i];
		struct px_config *old = with_vhost(change->old);
		struct px_config *new = with_vhost(change->new);
		int what = px_config_vhost_replaces(old->vhosts, new->vhosts) ? REPLACES :
				px_config_vhost_tightens(old->vhosts, new->vhosts) ? TIGHTENS : STAYS;
		ck_assert_msg(what == change->what, "%s: %d", change->key, what);
		compare(old, new);
		if (change->expected) {
			ck_assert_str_eq(told, change->expected);
		} else {
			ck_assert_msg(strstr(told, change->key), "%s: %s", change->key, told);
		}
	}
}
END_TEST

START_TEST(keys_of_the_process_are_told)
{
	static const struct {
		const char *old;
		const char *new;
		const char *expected;
	} cases[] = {
		{ "", "\"log-level\": \"error\"", "log-level changed\n" },
		{ "\"max-connections\": 7", "\"max-connections\": \"5\"",
			"max-connections is 5, was 7\n" },
		{ "\"plugin-dir\": \".\"", "\"plugin-dir\": [\".\", \"/\"]",
			"plugin-dir changed\n" },
		{ "\"state-file\": \"s\"", "", "state-file was removed\n" },
		{ "\"drain-ms\": 2000", "\"heartbeat-ms\": 5000",
			"heartbeat-ms is 5000, was 25000\n" },
		{ "\"drain-ms\": 2000", "", "" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		compare(with_global(cases[i].old), with_global(cases[i].new));
		ck_assert_str_eq(told, cases[i].expected);
	}
}
END_TEST

static const struct {
	const char *key;
	const char *old;
	const char *new;
	const char *as; /* it is called; NULL: by its key */
} tokens_changes[] = {
	{ "secret", TOKENS, "\"tokens\": {\"secret\": \"" SECRET SECRET "\"}", "key of HS256" },
	{ "secret-kid", TOKENS, TOKENS_WITH("\"secret-kid\": \"k\""), "name of the key of HS256" },
	{ "jwks-file", TOKENS, TOKENS_WITH("\"jwks-file\": \"jwks\""), NULL },
	{ "issuer", TOKENS, TOKENS_WITH("\"issuer\": \"i\""), NULL },
	{ "audience", TOKENS, TOKENS_WITH("\"audience\": \"i\""), NULL },
	{ "leeway-s", TOKENS, TOKENS_WITH("\"leeway-s\": 5"), NULL },
	{ "require-exp", TOKENS, TOKENS_WITH("\"require-exp\": false"), NULL },
	{ "default-role", TOKENS, TOKENS_WITH("\"default-role\": \"staff\""), NULL },
	{ "claims", TOKENS, CLAIMS("\"sub\": \"x\""), "claims.sub" },
	{ "cookie", TOKENS, TOKENS_WITH("\"cookie\": \"hush\""), NULL },
	{ "query", TOKENS, TOKENS_WITH("\"query\": true"), NULL },
	{ "max-bytes", TOKENS, TOKENS_WITH("\"max-bytes\": 5000"), NULL },
	{ "auth-ms", TOKENS, TOKENS_WITH("\"auth-ms\": 5000"), NULL },
};

START_TEST(each_key_of_tokens_is_told)
{
	put_files();
	for (size_t i = 0; i < sizeof(tokens_changes) / sizeof(tokens_changes[0]); i++) {
		char expected[128];
		(void)snprintf(expected, sizeof(expected), "vhost a: tokens: %s",
				tokens_changes[i].as ? tokens_changes[i].as : tokens_changes[i].key);
		compare(with_vhost(tokens_changes[i].old), with_vhost(tokens_changes[i].new));
		ck_assert_msg(strncmp(told, expected, strlen(expected)) == 0, "%s: %s", expected, told);
	}
	for (const struct px_option *row = px_config_table("claims"); row->key; row++) {
		char keys[256];
		char expected[128];
		(void)snprintf(keys, sizeof(keys), CLAIMS("\"%s\": \"other\""), row->key);
		(void)snprintf(expected, sizeof(expected), "vhost a: tokens: claims.%s changed\n",
				row->key);
		compare(with_vhost(TOKENS), with_vhost(keys));
		ck_assert_str_eq(told, expected);
	}
}
END_TEST

#define EXPECT_ALL_KEYS(object, changes) do { \
	for (const struct px_option *row = px_config_table(object); row->key; row++) { \
		bool found = strcmp(row->key, "name") == 0; /* another name is another vhost */ \
		for (size_t i = 0; i < sizeof(changes) / sizeof((changes)[0]); i++) { \
			found |= strcmp((changes)[i].key, row->key) == 0; \
		} \
		ck_assert_msg(found, "%s: what does a change of it do?", row->key); \
	} \
} while (0)

START_TEST(no_key_is_forgotten)
{
	EXPECT_ALL_KEYS("vhosts", vhost_changes);
	EXPECT_ALL_KEYS("tokens", tokens_changes);
}
END_TEST

START_TEST(vhosts_come_and_go)
{
	static const char one[] = "{\"vhosts\": [{\"name\": \"a\", \"port\": 1}]}";
	static const char two[] = "{\"vhosts\": [{\"name\": \"b\", \"port\": 2},"
			"{\"name\": \"a\", \"port\": 1}]}";
	static const char other[] = "{\"vhosts\": [{\"name\": \"b\", \"port\": 1}]}";
	expect_diff(one, one, "");
	expect_diff(one, two, "vhost b: added\n");
	expect_diff(two, one, "vhost b: removed\n");
	expect_diff(one, other, "vhost a: removed\nvhost b: added\n");
}
END_TEST

START_TEST(services_and_their_options)
{
	static const struct {
		const char *old;
		const char *new;
		const char *expected;
	} cases[] = {
		{ "{\"s\": {}}", "{\"s\": {}}", "" },
		{ "{\"s\": {}}", "{\"s\": {\"status\": \"disabled\"}}",
			"vhost a: service s: switched off\n" },
		{ "{\"s\": {\"status\": \"disabled\"}}", "{\"s\": {}}",
			"vhost a: service s: switched on\n" },
		{ "{\"s\": {}}", "{\"t\": {\"status\": \"disabled\"}}",
			"vhost a: service t: added, switched off\n"
			"vhost a: service s: removed\n" },
		{ "{\"s\": {\"x\": \"hush\", \"y\": 1}}", "{\"s\": {\"y\": 2, \"z\": \"hush\"}}",
			"vhost a: service s: option y changed\n"
			"vhost a: service s: option z was added\n"
			"vhost a: service s: option x was removed\n" },
		{ "{\"s\": {\"x\": [1, {\"b\": 1}]}}", "{\"s\": {\"x\": [1, {\"b\": 1}]}}", "" },
		{ "{\"s\": {\"x\": [1, {\"b\": 1}]}}", "{\"s\": {\"x\": [1, {\"b\": 2}]}}",
			"vhost a: service s: option x changed\n" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char old[256];
		char new[256];
		(void)snprintf(old, sizeof(old), "\"ws-protocols\": [%s]", cases[i].old);
		(void)snprintf(new, sizeof(new), "\"ws-protocols\": [%s]", cases[i].new);
		compare(with_vhost(old), with_vhost(new));
		ck_assert_str_eq(told, cases[i].expected);
	}
}
END_TEST

#define AUDIT(more) "\"audit\": {\"file\": \"f\"" more "}"

static const struct {
	const char *key;
	const char *new;
} audit_changes[] = {
	{ "file", "\"audit\": {\"file\": \"g\"}" },
	{ "sync", AUDIT(", \"sync\": \"line\"") },
	{ "on-full", AUDIT(", \"on-full\": \"continue\"") },
	{ "refusals-per-second", AUDIT(", \"refusals-per-second\": 5") },
	{ "key", AUDIT(", \"key\": \"" SECRET "\"") },
};

START_TEST(the_audit_log)
{
	compare(with_global(AUDIT("")), with_global(""));
	ck_assert_str_eq(told, "audit was removed\n");
	for (size_t i = 0; i < sizeof(audit_changes) / sizeof(audit_changes[0]); i++) {
		char expected[64];
		(void)snprintf(expected, sizeof(expected), "audit: %s ", audit_changes[i].key);
		compare(with_global(AUDIT("")), with_global(audit_changes[i].new));
		ck_assert_msg(strncmp(told, expected, strlen(expected)) == 0, "%s: %s", expected, told);
	}
	EXPECT_ALL_KEYS("audit", audit_changes);
}
END_TEST

START_TEST(a_shared_configuration_lives_as_long_as_its_last_share)
{
	struct px_config *config = with_vhost("");
	struct px_config *again = px_config_share(config);
	px_config_destroy(config);
	ck_assert_str_eq(again->vhosts[0].name, "a");
	px_config_destroy(again);
}
END_TEST

RUN("config_diff", each_key_of_a_vhost_concerns_whom_it_should, keys_of_the_process_are_told,
		each_key_of_tokens_is_told, no_key_is_forgotten, vhosts_come_and_go,
		services_and_their_options, the_audit_log,
		a_shared_configuration_lives_as_long_as_its_last_share);

/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the configuration share: a directory of files that goes away again, and
 * a sink that writes down every complaint, so that a test asserts on all of them at once.
 */
#ifndef TEST_CONFIG_UTIL_H
#define TEST_CONFIG_UTIL_H

#include "config/config.h"
#include "run.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

/* What an unknown key is answered with. */
#define GLOBAL_KEYS \
	"plugin-dir, log-level, log-format, max-connections, max-connections-per-address, " \
	"max-connections-per-user, connections-per-second-per-address, max-unauthenticated, " \
	"auth-failures, auth-failure-ms-per-second, address-prefix, remembered-addresses, " \
	"max-message-bytes, queue-bytes, queue-age-ms, max-rooms-per-session, " \
	"max-rooms-per-practice, max-idempotency-keys, max-tails, max-channels, " \
	"max-practices, messages-per-second, messages-burst, " \
	"bytes-per-second, bytes-burst, acts-per-second, acts-burst, " \
	"requests-per-second-per-address, api-requests-per-second, api-bytes-per-second, heartbeat-ms, drain-ms, drain-deadline-ms, " \
	"slow-close-ms, grace-ms, resume-messages, resume-bytes, detached-sessions, " \
	"send-buffer-bytes, state-file, state-max-age-s, state-max-bytes, bus, bus-password, bus-ca, " \
	"bus-prefix, bus-node-timeout-ms, audit"
#define VHOST_KEYS \
	"name, port, interface, tenant, path, tokens, auth-url, auth-timeout-ms, auth-max, " \
	"identity-ttl-s, auth-cache-s, webhook-url, webhook-secret, webhook-timeout-ms, webhook-max, " \
	"webhook-batch, webhook-queue-events, webhook-queue-bytes, webhook-give-up-s, open-mode, open-practice, origins, trusted-proxies, forwarded-header, metrics-allow, proxy-protocol, " \
	"host-ssl-cert, host-ssl-key, host-ssl-ca, client-cert-required, tls-min-version, " \
	"hsts-max-age, redirect-to-https, mounts, headers, ws-protocols"

static char directory[64];
static char complaints[16384]; /* "E file:1: sentence\n", with DIR for the directory */

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

UNUSED static void set_up(void)
{
	strcpy(directory, "/tmp/praxis-test-config-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
}

UNUSED static void tear_down(void)
{
	(void)nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

UNUSED static void make_directory(const char *name)
{
	char path[256];
	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

UNUSED static void put_bytes(const char *name, const char *bytes, size_t length)
{
	char path[256];
	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
	ck_assert_int_eq(fclose(file), 0);
}

UNUSED static void put(const char *name, const char *text)
{
	put_bytes(name, text, strlen(text));
}

static void on_complaint(void *user, enum px_config_level level, const char *text)
{
	(void)user;
	size_t used = strlen(complaints);
	const char *at = strstr(text, directory);
	int before = at ? (int)(at - text) : (int)strlen(text);
	(void)snprintf(complaints + used, sizeof(complaints) - used, "%s %.*s%s%s\n",
			level == PX_CONFIG_ERROR ? "E" : "W", before, text, at ? "DIR" : "",
			at ? at + strlen(directory) : "");
}

static const struct px_config_sink sink = { .on_complaint = on_complaint };

/* What came out must fit what was said: errors and no configuration, or the reverse. */
static struct px_config *checked(int r, struct px_config *config, const char *expected)
{
	ck_assert_str_eq(complaints, expected);
	bool errors = strncmp(expected, "E ", 2) == 0 || strstr(expected, "\nE ");
	ck_assert_int_eq(r, errors ? -EINVAL : 0);
	ck_assert(errors == !config);
	return config;
}

/* Loads the directory; NULL if `expected` has errors. */
UNUSED static struct px_config *load(const char *expected)
{
	struct px_config *config = NULL;
	complaints[0] = '\0';
	int r = px_config_load(directory, &sink, &config);
	return checked(r, config, expected);
}

/* Loads a text as the one file f.json. */
UNUSED static struct px_config *load_text(const char *text, const char *expected)
{
	struct px_config *config = NULL;
	complaints[0] = '\0';
	int r = px_config_load_text(directory, "f.json", text, strlen(text), &sink, &config);
	return checked(r, config, expected);
}

UNUSED static void expect(const char *text, const char *expected)
{
	px_config_destroy(load_text(text, expected));
}

/* A vhost with more keys (", \"key\": value") on line 1, and what it leads to. */
UNUSED static struct px_config *load_vhost(const char *keys, const char *expected)
{
	char text[8192 + 128];
	(void)snprintf(text, sizeof(text), "{\"vhosts\": [{\"name\": \"a\", \"port\": 0%s}]}",
			keys);
	return load_text(text, expected);
}

UNUSED static void expect_vhost(const char *keys, const char *expected)
{
	px_config_destroy(load_vhost(keys, expected));
}

/* The same for "global", beside a vhost. */
UNUSED static struct px_config *load_global(const char *members, const char *expected)
{
	char text[8192 + 128];
	(void)snprintf(text, sizeof(text),
			"{\"global\": {%s}, \"vhosts\": [{\"name\": \"a\", \"port\": 0}]}",
			members);
	return load_text(text, expected);
}

UNUSED static void expect_global(const char *members, const char *expected)
{
	px_config_destroy(load_global(members, expected));
}

#define RUN(suite_name, ...) RUN_TESTS_BETWEEN(set_up, tear_down, suite_name, __VA_ARGS__)

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The configuration as a whole: which files, "global", vhosts, mounts, headers, services.
 */
#define _XOPEN_SOURCE 700 /* nftw */

#include "test_config_util.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <praxis/service.h>

#define VHOST "{\"vhosts\": [{\"name\": \"a\", \"port\": 0}]}"
#define NO_VHOST "E there is no vhost: expected {\"vhosts\": [{\"name\": …, \"port\": …}]}\n"

/* ---- files ---- */

START_TEST(reads_global_file_and_conf_d)
{
	make_directory("conf.d");
	put("praxis.json", "{\"global\": {\"log-level\": \"debug\", \"queue-bytes\": 100000}}");
	put("conf.d/20-vhost.json", VHOST);
	/* in the order of bytes, and only *.json */
	put("conf.d/30.json", "{\"global\": {\"max-channels\": 30}}");
	put("conf.d/Z.json", "{\"global\": {\"max-channels\": 1, \"queue-bytes\": 70000}}");
	put("conf.d/a.json", "{\"global\": {\"max-channels\": 2}}");
	put("conf.d/.hidden.json", "{");
	put("conf.d/b.json~", "{");
	put("conf.d/b.json.bak", "{");
	put("conf.d/.json", "{");
	put("other.json", "{");
	struct px_config *config = load("");
	ck_assert_int_eq(config->global.log_level, PX_LOG_DEBUG);
	ck_assert_uint_eq(config->global.queue_bytes, 70000);
	ck_assert_uint_eq(config->global.max_channels, 2);
	ck_assert_uint_eq(config->source_count, 5);
	px_config_destroy(config);
}
END_TEST

START_TEST(reads_conf_d_alone)
{
	make_directory("conf.d");
	put("conf.d/a.json", VHOST);
	put("other.json", "{");
	px_config_destroy(load(""));
}
END_TEST

START_TEST(reads_global_file_alone)
{
	put("praxis.json", VHOST);
	put("other.json", "{");
	px_config_destroy(load(""));
}
END_TEST

START_TEST(takes_a_directory_of_files_for_conf_d)
{
	put("b.json", VHOST);
	put("a.json", "{\"vhost\": \"a\", \"ws-protocols\": [\n{\"s\": {}, \"s\": 1}]}");
	px_config_destroy(load("E a.json:2: the key \"s\" is here twice\n"));
}
END_TEST

START_TEST(reads_conf_d_beside_a_file)
{
	make_directory("conf.d");
	put("my.conf", "{\"global\": {\"max-channels\": 5,}}");
	put("praxis.json", "{");
	put("conf.d/a.json", "{\"vhosts\": 5}");
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/my.conf", directory);
	struct px_config *config = NULL;
	complaints[0] = '\0';
	ck_assert_int_eq(px_config_load(path, &sink, &config), -EINVAL);
	ck_assert_str_eq(complaints, "E my.conf:1: expected a key in double quotes\n"
			"E conf.d/a.json:1: \"vhosts\": expected an array of objects\n");
	put("my.conf", VHOST);
	put("conf.d/a.json", "{}");
	complaints[0] = '\0';
	ck_assert_int_eq(chdir(directory), 0);
	ck_assert_int_eq(px_config_load("my.conf", &sink, &config), 0);
	ck_assert_str_eq(complaints, "");
	ck_assert_uint_eq(config->source_count, 2);
	px_config_destroy(config);
}
END_TEST

static void expect_failure(const char *path, int error, const char *expected)
{
	struct px_config *config = NULL;
	complaints[0] = '\0';
	ck_assert_int_eq(px_config_load(path, &sink, &config), error);
	ck_assert_ptr_null(config);
	ck_assert_str_eq(complaints, expected);
}

START_TEST(finds_nothing)
{
	expect_failure("/does/not/exist", -ENOENT,
			"E /does/not/exist: No such file or directory\n");
	expect_failure(directory, -ENOENT,
			"E DIR: no configuration here: expected praxis.json, conf.d/*.json or "
			"*.json\n");
	make_directory("conf.d");
	put("other.json", VHOST);
	expect_failure(directory, -ENOENT,
			"E DIR: no configuration here: expected praxis.json, conf.d/*.json or "
			"*.json\n");
}
END_TEST

START_TEST(complains_of_unreadable_files)
{
	make_directory("conf.d");
	make_directory("conf.d/dir.json");
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/conf.d/link.json", directory);
	ck_assert_int_eq(symlink("nowhere", path), 0);
	(void)snprintf(path, sizeof(path), "%s/conf.d/fifo.json", directory);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	char *big = calloc(1, 1024 * 1024 + 1);
	memset(big, ' ', 1024 * 1024 + 1);
	big[0] = '{';
	big[1] = '}';
	put_bytes("conf.d/a.json", big, 1024 * 1024);
	put_bytes("conf.d/b.json", big, 1024 * 1024 + 1);
	free(big);
	/* that there is no vhost is not said: it may be in one of these */
	px_config_destroy(load("E conf.d/b.json: larger than 1048576 bytes\n"
			"E conf.d/dir.json: cannot read it: Is a directory\n"
			"E conf.d/fifo.json: cannot read it: Not a regular file\n"
			"E conf.d/link.json: cannot read it: No such file or directory\n"));
}
END_TEST

START_TEST(limits_the_number_of_files)
{
	char name[32];
	put("1000.json", VHOST);
	for (int i = 1001; i < 2000; i++) {
		(void)snprintf(name, sizeof(name), "%d.json", i);
		put(name, "{}");
	}
	px_config_destroy(load(""));
	put("2000.json", "{}");
	expect_failure(directory, -E2BIG, "E DIR: more than 1000 files\n");
}
END_TEST

START_TEST(complains_of_all_files_at_once)
{
	make_directory("conf.d");
	put("praxis.json", "{\"global\": {\n\"log-level\": \"loud\"}}");
	put("conf.d/a.json", "{\"vhosts\": [{\n\"name\": \"a\",\n\"prot\": 9002}]}");
	put("conf.d/b.json", "{\"vhost\": \"b\",\n\"ws-protocols\": []}");
	put("conf.d/c.json", "{\"vhost\": \"a\",\n\"ws-protocols\": {}}");
	px_config_destroy(load("E conf.d/a.json:1: \"port\" is missing in this vhost\n"
			       "E conf.d/a.json:3: unknown key \"prot\" (did you mean \"port\"?)\n"
			       "E praxis.json:2: \"log-level\": expected one of error, warning, "
			       "notice, info, debug, "
			       "got \"loud\"\n"
			       "E conf.d/b.json:1: \"vhost\": there is no vhost \"b\" (known: a)\n"
			       "E conf.d/c.json:2: \"ws-protocols\": expected an array of objects "
			       "like "
			       "{\"service\": {…}}\n"));
}
END_TEST

START_TEST(shows_twenty_errors)
{
	char text[2048] = "{\"vhosts\": [";
	char expected[4096] = "";
	for (int i = 0; i < 12; i++) {
		strcat(text, i > 0 ? ",\n{}" : "{}");
		for (int key = 0; i < 10 && key < 2; key++) {
			size_t used = strlen(expected);
			(void)snprintf(expected + used, sizeof(expected) - used,
					"E f.json:%d: \"%s\" is missing in this vhost\n", i + 1,
					key == 0 ? "name" : "port");
		}
	}
	strcat(text, "]}");
	strcat(expected, "E 4 more errors are not shown\n");
	expect(text, expected);
}
END_TEST

START_TEST(checks_the_top_level)
{
	expect("{}", NO_VHOST);
	expect("{\"vhosts\": []}", NO_VHOST);
	expect("{\"vhosts\": {}}", "E f.json:1: \"vhosts\": expected an array of objects\n");
	expect("{\"vhosts\": [5]}",
			"E f.json:1: \"vhosts\": expected an object of at most 256 keys\n");
	expect("{\"vhosts\": null}",
			"E f.json:1: \"vhosts\": expected a value, got null\n" NO_VHOST);
	expect("{\"global\": [], \"vhosts\": [{\"name\": \"a\", \"port\": 0}]}",
			"E f.json:1: \"global\": expected an object of at most 256 keys\n");
	expect("{\"vhosts\": [{\"name\": \"a\", \"port\": 0}],\n\"vhots\": 1}",
			"E f.json:2: unknown key \"vhots\" (did you mean \"vhosts\"?)\n");
	expect("{\"vhosts\": [{\"name\": \"a\", \"port\": 0}],\n\"foo\": 1}",
			"E f.json:2: unknown key \"foo\" (expected: global, vhosts, vhost, "
			"ws-protocols)\n");
	expect("{\"vhosts\": [{\"name\": \"a\", \"port\": 0}],\n\"vhost\": \"a\", "
	       "\"ws-protocols\": []}",
			"E f.json:2: \"vhost\" and \"vhosts\" in one file: write the services into "
			"their "
			"vhost\n");
	expect("{\"vhosts\": [{\"name\": \"a\", \"port\": 0}],\n\"ws-protocols\": []}",
			"E f.json:2: \"ws-protocols\" without the \"vhost\" to which they "
			"belong\n");
	expect("{\"vhost\": \"a\"}", "E f.json:1: \"vhost\" without \"ws-protocols\"\n" NO_VHOST);
}
END_TEST

START_TEST(checks_additions)
{
	put("a.json", VHOST);
	put("b.json", "{\n\"vhost\": \"a\"}");
	px_config_destroy(load("E b.json:2: \"vhost\" without \"ws-protocols\"\n"));
	put("b.json", "{\"vhost\": 5,\n\"ws-protocols\": []}");
	px_config_destroy(load("E b.json:1: \"vhost\": expected a string of 1 to 64 bytes, got "
			       "5\n"));
	put("b.json", "{\"vhost\": \"a\", \"ws-protocols\": null}");
	px_config_destroy(load("E b.json:1: \"ws-protocols\": expected a value, got null\n"));
	put("b.json", "{\"vhost\": \"b\",\n\"ws-protocols\": [{\"s\": 1}]}");
	px_config_destroy(load("E b.json:1: \"vhost\": there is no vhost \"b\" (known: a)\n"
			"E b.json:2: \"s\": expected an object of at most 256 keys\n"));
	/* what is wrong in one part does not hide the other */
	put("b.json", "{\"vhost\": \"a\", \"foo-bar\": 1,\n\"ws-protocols\": [1]}");
	px_config_destroy(load("E b.json:1: unknown key \"foo-bar\" (expected: global, vhosts, "
			       "vhost, "
			       "ws-protocols)\n"
			       "E b.json:2: \"ws-protocols\": expected an object like "
			       "{\"service\": {…}}\n"));
	put("b.json",
			"{\"global\": {\"max-channels\": 7}, \"vhost\": \"a\", \"ws-protocols\": "
			"[]}");
	px_config_destroy(load(""));
}
END_TEST

START_TEST(does_not_guess_about_files_that_it_could_not_parse)
{
	put("a.json", "{\"vhosts\": [{\"name\": \"a\", \"port\": 0},]}");
	put("b.json", "{\"vhost\": \"a\", \"ws-protocols\": []}");
	px_config_destroy(load("E a.json:1: expected a value: an object, an array, \"a string\", "
			"a number, true, false or null\n"));
}
END_TEST

/* ---- global ---- */

START_TEST(has_defaults)
{
	struct px_config *config = load_text(VHOST, "");
	const struct px_config_global *global = &config->global;
	ck_assert_uint_eq(global->plugin_dir_count, 1);
	ck_assert_int_eq(global->plugin_dirs[0][0], '/');
	ck_assert_int_eq(global->log_level, PX_LOG_NOTICE);
	ck_assert_uint_eq(global->max_connections, 0);
	ck_assert_uint_eq(global->max_message_bytes, 65536);
	ck_assert_uint_eq(global->queue_bytes, 1048576);
	ck_assert_int_eq(global->queue_age_ms, 30000);
	ck_assert_uint_eq(global->max_rooms_per_session, 16);
	ck_assert_uint_eq(global->max_channels, 100000);
	ck_assert_int_eq(global->heartbeat_ms, 25000);
	ck_assert_int_eq(global->drain_ms, 2000);
	ck_assert_int_eq(global->drain_deadline_ms, 10000);
	ck_assert_int_eq(global->slow_close_ms, 10000);
	ck_assert_int_eq(global->grace_ms, 30000);
	ck_assert_uint_eq(global->resume_messages, 512);
	ck_assert_uint_eq(global->resume_bytes, 262144);
	ck_assert_uint_eq(global->detached_sessions, 10000);
	ck_assert_uint_eq(global->send_buffer_bytes, 131072);
	ck_assert_ptr_null(global->state_file);
	ck_assert_int_eq(global->state_max_age_ms, 300000);
	ck_assert_uint_eq(global->state_max_bytes, 1 << 30);
	ck_assert_uint_eq(global->max_connections_per_address, 1000);
	ck_assert_uint_eq(global->max_connections_per_user, 50);
	ck_assert_uint_eq(global->connections_per_second_per_address, 50);
	ck_assert_uint_eq(global->max_unauthenticated, 2000);
	ck_assert_uint_eq(global->auth_failures, 10);
	ck_assert_uint_eq(global->max_rooms_per_practice, 1000);
	ck_assert_uint_eq(global->messages_per_second, 100);
	ck_assert_uint_eq(global->messages_burst, 500);
	ck_assert_uint_eq(global->bytes_per_second, 262144);
	ck_assert_uint_eq(global->bytes_burst, 1048576);
	ck_assert_ptr_null(global->audit);
	const struct px_config_vhost *vhost = &config->vhosts[0];
	ck_assert_str_eq(vhost->name, "a");
	ck_assert_str_eq(vhost->tenant, "a");
	ck_assert_str_eq(vhost->path, "/ws");
	ck_assert_int_eq(vhost->open_mode, PX_CONFIG_OPEN_LOOPBACK);
	ck_assert_ptr_null(vhost->open_practice);
	ck_assert_uint_eq(vhost->address_count, 2);
	ck_assert_uint_eq(vhost->mount_count + vhost->header_count + vhost->service_count, 0);
	ck_assert_ptr_null(vhost->tokens);
	ck_assert_ptr_null(vhost->auth_url);
	ck_assert_int_eq(vhost->auth_timeout_ms, 2000);
	ck_assert_uint_eq(vhost->auth_max, 64);
	ck_assert_uint_eq(vhost->auth_cache_s, 0);
	ck_assert_uint_eq(vhost->origin_count + vhost->trusted_proxy_count, 0);
	ck_assert(!vhost->proxy_protocol);
	ck_assert_ptr_null(vhost->host_ssl_cert);
	ck_assert_ptr_null(vhost->host_ssl_key);
	ck_assert_ptr_null(vhost->host_ssl_ca);
	ck_assert(!vhost->client_cert_required);
	ck_assert_int_eq(vhost->tls_min_version, PX_CONFIG_TLS_1_2);
	ck_assert_uint_eq(vhost->hsts_max_age, 0);
	ck_assert_uint_eq(vhost->redirect_to_https, 0);
	px_config_destroy(config);
}
END_TEST

START_TEST(takes_global_values)
{
	struct px_config *config = load_global(
			"\"log-level\": \"warning\", \"max-connections\": \"500\","
			"\"max-message-bytes\": 1024, \"queue-bytes\": 4096, \"queue-age-ms\": 0, "
			"\"max-rooms-per-session\": 1,"
			"\"max-channels\": 2, \"heartbeat-ms\": 1000, \"drain-ms\": 0,"
			"\"drain-deadline-ms\": 0, \"slow-close-ms\": 1, \"grace-ms\": 0,"
			"\"resume-messages\": 1, \"resume-bytes\": 1024,"
			"\"detached-sessions\": 1, \"send-buffer-bytes\": 16777216,"
			"\"state-file\": \"praxis.state\", \"state-max-age-s\": 1,"
			"\"state-max-bytes\": 65536",
			"");
	const struct px_config_global *global = &config->global;
	ck_assert_int_eq(global->log_level, PX_LOG_WARNING);
	ck_assert_uint_eq(global->max_connections, 500);
	ck_assert_uint_eq(global->max_message_bytes, 1024);
	ck_assert_uint_eq(global->queue_bytes, 4096);
	ck_assert_int_eq(global->queue_age_ms, 0);
	ck_assert_uint_eq(global->max_rooms_per_session, 1);
	ck_assert_uint_eq(global->max_channels, 2);
	ck_assert_int_eq(global->heartbeat_ms, 1000);
	ck_assert_int_eq(global->drain_ms, 0);
	ck_assert_int_eq(global->drain_deadline_ms, 0);
	ck_assert_int_eq(global->slow_close_ms, 1);
	ck_assert_int_eq(global->grace_ms, 0);
	ck_assert_uint_eq(global->resume_messages, 1);
	ck_assert_uint_eq(global->resume_bytes, 1024);
	ck_assert_uint_eq(global->detached_sessions, 1);
	ck_assert_uint_eq(global->send_buffer_bytes, 16777216);
	ck_assert_str_eq(strrchr(global->state_file, '/'), "/praxis.state");
	ck_assert_int_eq(global->state_file[0], '/');
	ck_assert_int_eq(global->state_max_age_ms, 1000);
	ck_assert_uint_eq(global->state_max_bytes, 65536);
	px_config_destroy(config);
	static const char *const words[] = { "error", "warning", "notice", "info", "debug" };
	for (int i = 0; i < 5; i++) {
		char members[64];
		(void)snprintf(members, sizeof(members), "\"log-level\": \"%s\"", words[i]);
		config = load_global(members, "");
		ck_assert_int_eq(config->global.log_level, i);
		px_config_destroy(config);
	}
}
END_TEST

START_TEST(takes_limits)
{
	struct px_config *config = load_global(
			"\"max-connections-per-address\": 1, \"max-connections-per-user\": 2,"
			"\"connections-per-second-per-address\": 3, \"max-unauthenticated\": 4,"
			"\"auth-failures\": \"5\", \"max-rooms-per-practice\": 6,"
			"\"messages-per-second\": 7, \"messages-burst\": 8,"
			"\"bytes-per-second\": 9, \"bytes-burst\": 10", "");
	const struct px_config_global *global = &config->global;
	ck_assert_uint_eq(global->max_connections_per_address, 1);
	ck_assert_uint_eq(global->max_connections_per_user, 2);
	ck_assert_uint_eq(global->connections_per_second_per_address, 3);
	ck_assert_uint_eq(global->max_unauthenticated, 4);
	ck_assert_uint_eq(global->auth_failures, 5);
	ck_assert_uint_eq(global->max_rooms_per_practice, 6);
	ck_assert_uint_eq(global->messages_per_second, 7);
	ck_assert_uint_eq(global->messages_burst, 8);
	ck_assert_uint_eq(global->bytes_per_second, 9);
	ck_assert_uint_eq(global->bytes_burst, 10);
	px_config_destroy(config);
	config = load_global("\"max-connections-per-address\": 0, "
			"\"max-connections-per-user\": 0, "
			"\"connections-per-second-per-address\": 0, \"max-unauthenticated\": 0, "
			"\"auth-failures\": 0, \"max-rooms-per-practice\": 0, "
			"\"messages-per-second\": 0, \"bytes-per-second\": 0", "");
	global = &config->global;
	ck_assert_uint_eq(global->max_connections_per_address + global->max_connections_per_user +
			global->connections_per_second_per_address + global->max_unauthenticated +
			global->auth_failures + global->max_rooms_per_practice +
			global->messages_per_second + global->bytes_per_second, 0);
	px_config_destroy(config);
}
END_TEST

START_TEST(checks_global_values)
{
	expect_global("\"max-message-bytes\": 1023",
			"E f.json:1: \"max-message-bytes\": expected a "
			"whole number from 1024 to 16777216, got 1023\n");
	expect_global("\"heartbeat-ms\": 999",
			"E f.json:1: \"heartbeat-ms\": expected a whole number "
			"from 1000 to 600000, got 999\n");
	expect_global("\"heartbeat\": 1000",
			"E f.json:1: unknown key \"heartbeat\" (expected: " GLOBAL_KEYS ")\n");
	expect_global("\"messages-burst\": 0",
			"E f.json:1: \"messages-burst\": expected a whole number from 1 to "
			"1000000, got 0\n");
	expect_global("\"auth-failures\": -1",
			"E f.json:1: \"auth-failures\": expected a whole number from 0 to "
			"1000000, got -1\n");
	expect_global("\"queue-bytes\": 5000",
			"E f.json:1: \"max-message-bytes\" (65536) must not be "
			"more than \"queue-bytes\" (5000)\n");
	expect_global("\"drain-ms\": 20000",
			"E f.json:1: \"drain-ms\" (20000) must not be more than "
			"\"drain-deadline-ms\" (10000)\n");
}
END_TEST

START_TEST(resolves_plugin_dirs)
{
	make_directory("plugins");
	struct px_config *config = load_global("\"plugin-dir\": "
					       "[\"plugins\",\n\"/nowhere/at/all\"]",
			"W f.json:2: \"plugin-dir\": there is no directory /nowhere/at/all\n");
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/plugins", directory);
	ck_assert_uint_eq(config->global.plugin_dir_count, 2);
	ck_assert_str_eq(config->global.plugin_dirs[0], path);
	ck_assert_str_eq(config->global.plugin_dirs[1], "/nowhere/at/all");
	px_config_destroy(config);
	config = load_global("\"plugin-dir\": \"/tmp\"", "");
	ck_assert_uint_eq(config->global.plugin_dir_count, 1);
	ck_assert_str_eq(config->global.plugin_dirs[0], "/tmp");
	px_config_destroy(config);
	expect_global("\"plugin-dir\": 5",
			"E f.json:1: \"plugin-dir\": expected a string or an array of strings\n");
	expect_global("\"plugin-dir\": []",
			"E f.json:1: \"plugin-dir\": expected a string or an array of strings\n");
	expect_global("\"plugin-dir\": [\"/tmp\",\n{}]",
			"E f.json:2: \"plugin-dir\": expected a string or an array of strings\n");
}
END_TEST

/* ---- audit ---- */

START_TEST(takes_an_audit_trail)
{
	char path[128];
	struct px_config *config = load_global("\"audit\": {\"file\": \"audit.jsonl\"}", "");
	const struct px_config_audit *audit = config->global.audit;
	(void)snprintf(path, sizeof(path), "%s/audit.jsonl", directory);
	ck_assert_str_eq(audit->file, path);
	ck_assert_int_eq(audit->sync, PX_CONFIG_SYNC_NONE);
	ck_assert_int_eq(audit->on_full, PX_CONFIG_FULL_REFUSE);
	ck_assert_ptr_null(audit->key);
	px_config_destroy(config);
	put("key", "0123456789abcdef0123456789abcdef\n");
	config = load_global("\"audit\": {\"file\": \"/audit\", \"sync\": \"line\", "
			"\"on-full\": \"continue\", \"key-file\": \"key\"}", "");
	audit = config->global.audit;
	ck_assert_str_eq(audit->file, "/audit");
	ck_assert_int_eq(audit->sync, PX_CONFIG_SYNC_LINE);
	ck_assert_int_eq(audit->on_full, PX_CONFIG_FULL_CONTINUE);
	ck_assert_str_eq(audit->key, "0123456789abcdef0123456789abcdef");
	px_config_destroy(config);
}
END_TEST

START_TEST(checks_an_audit_trail)
{
	expect_global("\"audit\": true",
			"E f.json:1: \"audit\": expected an object of at most 256 keys\n");
	expect_global("\"audit\": null", "E f.json:1: \"audit\": expected a value, got null\n");
	expect_global("\n\"audit\": {}", "E f.json:2: \"audit\" needs a \"file\"\n");
	expect_global("\"audit\": {\"fil\": \"a\"}",
			"E f.json:1: unknown key \"fil\" (did you mean \"file\"?)\n");
	expect_global("\"audit\": {\"file\": \"a\", \"sync\": \"always\", \"on-full\": 1}",
			"E f.json:1: \"sync\": expected one of none, line, got \"always\"\n"
			"E f.json:1: \"on-full\": expected one of refuse, continue, got 1\n");
	expect_global("\"audit\": {\"file\": \"logs/a\",\n\"key\": \"S3CRET\"}",
			"W f.json:1: \"file\": there is no directory DIR/logs\n"
			"W f.json:2: \"key\": a weak secret: expected at least 32 random bytes\n");
	expect_global("\"audit\": {\"file\": \"a\", \"key\": [\"S3CRET\"]}",
			"E f.json:1: \"key\": expected a string of 1 to 4096 bytes\n");
	/* a later file's takes the place of all of it, and its paths start there */
	make_directory("conf.d");
	put("praxis.json", "{\"global\": {\"audit\": {\"file\": \"a\", \"sync\": \"line\"}}}");
	put("conf.d/a.json", VHOST);
	put("conf.d/b.json", "{\"global\": {\"audit\": {\"file\": \"b\"}}}");
	struct px_config *config = load("");
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/conf.d/b", directory);
	ck_assert_str_eq(config->global.audit->file, path);
	ck_assert_int_eq(config->global.audit->sync, PX_CONFIG_SYNC_NONE);
	px_config_destroy(config);
}
END_TEST

/* ---- vhosts ---- */

START_TEST(takes_a_vhost)
{
	struct px_config *config = load_text("{\"vhosts\": [{\"name\": \"my-host.example_1\","
					     "\n\"port\": \"65535\", \"tenant\": \"praxis "
					     "gr\xc3\xbcn\", \"path\": \"/a/ws\"}]}",
			"");
	const struct px_config_vhost *vhost = &config->vhosts[0];
	ck_assert_str_eq(vhost->name, "my-host.example_1");
	ck_assert_uint_eq(vhost->port, 65535);
	ck_assert_str_eq(vhost->tenant, "praxis gr\xc3\xbcn");
	ck_assert_str_eq(vhost->path, "/a/ws");
	ck_assert_str_eq(vhost->file->name, "f.json");
	ck_assert_uint_eq(vhost->line, 1);
	px_config_destroy(config);
}
END_TEST

START_TEST(checks_vhost_keys)
{
	expect("{\"vhosts\": [\n{}]}", "E f.json:2: \"name\" is missing in this vhost\n"
			"E f.json:2: \"port\" is missing in this vhost\n");
	expect("{\"vhosts\": [{\"name\": \"a b\", \"port\": 0}]}",
			"E f.json:1: \"name\": expected letters, digits and . _ - alone\n");
	expect("{\"vhosts\": [{\"name\": \"\", \"port\": 0}]}",
			"E f.json:1: \"name\": expected a string of 1 to 64 bytes, got one of 0\n");
	expect("{\"vhosts\": [{\"name\": 5, \"port\": 65536}]}",
			"E f.json:1: \"name\": expected a string of 1 to 64 bytes, got 5\n"
			"E f.json:1: \"port\": expected a whole number from 0 to 65535, got "
			"65536\n");
	expect_vhost(", \"tenant\": \"\"",
			"E f.json:1: \"tenant\": expected a string of 1 to 128 bytes, got one of "
			"0\n");
	expect_vhost(", \"tenant\": \"a\\nb\"",
			"E f.json:1: \"tenant\": a control character in it\n");
	static const char *const paths[] = { "ws", "/a b", "/ws?x", "/ws#x", "/\xc3\xa9",
		"/a\\\\b" };
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char keys[64];
		(void)snprintf(keys, sizeof(keys), ", \"path\": \"%s\"", paths[i]);
		expect_vhost(keys,
				"E f.json:1: \"path\": expected a path that begins with /, without "
				"? and #\n");
	}
	expect_vhost(", \"open-mode\": \"yes\"",
			"E f.json:1: \"open-mode\": expected one of loopback, insecure, got "
			"\"yes\"\n");
}
END_TEST

START_TEST(wants_names_to_be_unique)
{
	put("a.json", "{\"vhosts\": [\n{\"name\": \"a\", \"port\": 0}]}");
	put("b.json", "{\"vhosts\": [{\"port\": 0,\n\"name\": \"a\"}]}");
	px_config_destroy(load("E b.json:2: \"name\": there is a vhost \"a\" already "
			       "(a.json:2)\n"));
}
END_TEST

START_TEST(takes_an_open_practice)
{
	static const struct {
		const char *written;
		const char *text;
		bool number;
	} cases[] = {
		{ "7", "7", true },
		{ "\"7\"", "7", true },
		{ "\"x7\"", "x7", false },
		{ "0", "0", true },
		{ "\"007\"", "007", false },
		{ "-5", "-5", true },
		{ "\"7 \"", "7 ", false },
		{ "\"12345678901234567890\"", "12345678901234567890", true },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char keys[64];
		(void)snprintf(keys, sizeof(keys), ", \"open-practice\": %s", cases[i].written);
		struct px_config *config = load_vhost(keys, "");
		ck_assert_str_eq(config->vhosts[0].open_practice, cases[i].text);
		ck_assert(config->vhosts[0].open_practice_is_number == cases[i].number);
		px_config_destroy(config);
	}
	static const char *const wrong[] = { "\"\"", "1.5", "true", "[]", "\"a\\nb\"" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char keys[64];
		(void)snprintf(keys, sizeof(keys), ",\n\"open-practice\": %s", wrong[i]);
		expect_vhost(keys,
				"E f.json:2: \"open-practice\": expected a whole number or a "
				"string of "
				"1 to 128 bytes\n");
	}
}
END_TEST

/* ---- addresses ---- */

/* Asserts on the addresses of vhost "a" as one text: "127.0.0.1:80 [::1]:80?" (?: optional). */
static void expect_addresses(const char *keys, const char *expected, const char *warning)
{
	char text[512] = "";
	struct px_config *config = load_vhost(keys, warning);
	for (size_t i = 0; i < config->vhosts[0].address_count; i++) {
		const struct px_config_address *at = &config->vhosts[0].addresses[i];
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)&at->address;
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&at->address;
		bool is_v4 = at->address.ss_family == AF_INET;
		char host[64];
		ck_assert_uint_eq(at->length, is_v4 ? sizeof(*v4) : sizeof(*v6));
		ck_assert_ptr_nonnull(inet_ntop(at->address.ss_family,
				is_v4 ? (const void *)&v4->sin_addr : (const void *)&v6->sin6_addr,
				host, sizeof(host)));
		size_t used = strlen(text);
		(void)snprintf(text + used, sizeof(text) - used, "%s%s%s", i > 0 ? " " : "", host,
				at->optional ? "?" : "");
	}
	ck_assert_str_eq(text, expected);
	px_config_destroy(config);
}

#define OPEN ", \"open-mode\": \"insecure\", \"interface\": "
#define WARNS(address) \
	"W f.json:1: vhost \"a\" listens on " address " and takes everybody's word " \
	"for who he is (\"open-mode\": \"insecure\")\n"

#define REFUSES(line, address) \
	"E f.json:" line ": vhost \"a\" listens on " address ", which others can reach, and " \
	"takes everybody's word for who he is: keep to \"localhost\", set up \"tokens\" or " \
	"\"auth-url\", or write \"open-mode\": \"insecure\"\n"

START_TEST(resolves_interfaces)
{
	expect_addresses("", "127.0.0.1? ::1?", "");
	expect_addresses(", \"interface\": \"localhost\"", "127.0.0.1? ::1?", "");
	expect_addresses(", \"interface\": [\"localhost\", \"::1\"]", "127.0.0.1? ::1", "");
	expect_addresses(", \"interface\": [\"127.0.0.2\", \"127.0.0.1\", \"127.0.0.2\"]",
			"127.0.0.2 127.0.0.1", "");
	expect_addresses(", \"interface\": \"::ffff:127.0.0.1\"", "::ffff:127.0.0.1", "");
	expect_addresses(OPEN "\"*\"", "0.0.0.0? ::?", WARNS("0.0.0.0"));
	expect_addresses(OPEN "\"192.0.2.1\"", "192.0.2.1", WARNS("192.0.2.1"));
	expect_addresses(
			OPEN "[\"::1\", \"2001:db8::1\"]", "::1 2001:db8::1", WARNS("2001:db8::1"));
	expect_addresses(OPEN "\"::1\"", "::1", "");
	struct px_config *config = load_text(
			"{\"vhosts\": [{\"name\": \"a\", \"port\": 9002}]}", "");
	for (size_t i = 0; i < 2; i++) {
		const struct px_config_address *at = &config->vhosts[0].addresses[i];
		ck_assert_uint_eq(ntohs(at->address.ss_family == AF_INET ?
				((const struct sockaddr_in *)&at->address)->sin_port :
				((const struct sockaddr_in6 *)&at->address)->sin6_port), 9002);
	}
	px_config_destroy(config);
	config = load_vhost(", \"interface\": \"lo\"", "");
	ck_assert_uint_ge(config->vhosts[0].address_count, 1);
	ck_assert(!config->vhosts[0].addresses[0].optional);
	px_config_destroy(config);
}
END_TEST

START_TEST(checks_interfaces)
{
	static const char *const wrong[] = {
		"",
		"9002",
		"127.1",
		"256.0.0.1",
		"example.com",
		"[::1]",
		"::g",
		"127.0.0.1:80",
		"nic0",
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char keys[128];
		char expected[256];
		(void)snprintf(keys, sizeof(keys), ", \"interface\": [\"localhost\",\n\"%s\"]",
				wrong[i]);
		(void)snprintf(expected, sizeof(expected),
				"E f.json:2: \"interface\": \"%s\" is no address, "
				"and no network interface of this machine\n",
				wrong[i]);
		expect_vhost(keys, expected);
	}
	expect_vhost(", \"interface\": 5",
			"E f.json:1: \"interface\": expected a string or an array of strings\n");
	char many[8192] = ", \"interface\": [\"127.0.0.0\"";
	for (int i = 1; i <= 256; i++) {
		size_t used = strlen(many);
		(void)snprintf(many + used, sizeof(many) - used, ",\"127.0.%d.%d\"", i / 256,
				i % 256);
	}
	strcat(many, "]");
	expect_vhost(many, "E f.json:1: \"interface\": \"127.0.1.0\" is one address too many\n");
}
END_TEST

START_TEST(refuses_to_be_open_to_others)
{
	expect("{\"vhosts\": [{\"name\": \"a\", \"port\": 0,\n\"interface\": [\"localhost\", "
	       "\"*\"]}]}",
			REFUSES("2", "0.0.0.0"));
	expect_vhost(", \"interface\": \"fe80::1\", \"open-mode\": \"loopback\"",
			REFUSES("1", "fe80::1"));
	expect_vhost(", \"interface\": \"::ffff:10.0.0.1\"", REFUSES("1", "::ffff:10.0.0.1"));
	struct px_config *config = load_vhost(OPEN "\"*\"", WARNS("0.0.0.0"));
	ck_assert_int_eq(config->vhosts[0].open_mode, PX_CONFIG_OPEN_INSECURE);
	px_config_destroy(config);
}
END_TEST

START_TEST(wants_addresses_to_be_unique)
{
	expect("{\"vhosts\": [{\"name\": \"a\", \"port\": 9002},\n{\"name\": \"b\", \"port\": "
	       "9002}]}",
			"E f.json:2: vhost \"b\" listens on 127.0.0.1 port 9002, as vhost \"a\" "
			"does "
			"(f.json:1)\n");
	expect("{\"vhosts\": [{\"name\": \"a\", \"port\": 9002},\n{\"name\": \"b\", \"port\": "
	       "9003},"
	       "{\"name\": \"c\", \"port\": 9002, \"interface\": \"::1\"}]}",
			"E f.json:2: vhost \"c\" listens on ::1 port 9002, as vhost \"a\" does "
			"(f.json:1)\n");
	expect("{\"vhosts\": [{\"name\": \"a\", \"port\": 0}, {\"name\": \"b\", \"port\": 0}]}",
			"");
	expect("{\"vhosts\": [{\"name\": \"a\", \"port\": 9002, \"interface\": \"::1\"},"
			"{\"name\": \"b\", \"port\": 9002, \"interface\": \"127.0.0.1\"}]}", "");
}
END_TEST

START_TEST(limits_the_number_of_vhosts)
{
	char *text = calloc(1, 32768);
	strcpy(text, "{\"vhosts\": [{\"name\": \"v\", \"port\": 0}");
	for (int i = 0; i < 256; i++) {
		size_t used = strlen(text);
		(void)snprintf(text + used, 32768 - used, ",{\"name\": \"v%d\", \"port\": 0}", i);
	}
	strcat(text, "]}");
	expect(text, "E f.json:1: \"vhosts\": more than 256 vhosts\n");
	free(text);
}
END_TEST

/* ---- mounts and headers ---- */

START_TEST(takes_mounts)
{
	make_directory("www");
	char keys[512];
	(void)snprintf(keys, sizeof(keys),
			", \"mounts\": ["
			"{\"mountpoint\": \"/\", \"origin\": \"file://%s/www/\", "
			"\"cache-max-age\": \"60\"},"
			"{\"mountpoint\": \"/b\", \"origin\": \"www\", \"default\": "
			"\"start.html\"},"
			"{\"mountpoint\": \"/d\", \"origin\": \"\"},"
			"{\"mountpoint\": \"/c\", \"origin\": \"/\"}]",
			directory);
	struct px_config *config = load_vhost(keys, "");
	const struct px_config_vhost *vhost = &config->vhosts[0];
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/www", directory);
	ck_assert_uint_eq(vhost->mount_count, 3);
	ck_assert_str_eq(vhost->mounts[0].mountpoint, "/");
	ck_assert_str_eq(vhost->mounts[0].origin, path);
	ck_assert_str_eq(vhost->mounts[0].index, "index.html");
	ck_assert_uint_eq(vhost->mounts[0].cache_max_age_s, 60);
	ck_assert_str_eq(vhost->mounts[1].origin, path);
	ck_assert_str_eq(vhost->mounts[1].index, "start.html");
	ck_assert_uint_eq(vhost->mounts[1].cache_max_age_s, 0);
	ck_assert_str_eq(vhost->mounts[2].origin, "/");
	px_config_destroy(config);
}
END_TEST

START_TEST(starts_relative_paths_at_the_file)
{
	make_directory("conf.d");
	make_directory("www");
	put("conf.d/a.json", "{\"vhosts\": [{\"name\": \"a\", \"port\": 0, \"mounts\": ["
			"{\"mountpoint\": \"/\", \"origin\": \"../www\"},"
			"\n{\"mountpoint\": \"/b\", \"origin\": \"www\"}]}]}");
	px_config_destroy(load("E conf.d/a.json:2: \"origin\": there is no directory "
			       "DIR/conf.d/www\n"));
}
END_TEST

START_TEST(checks_mounts)
{
	expect_vhost(", \"mounts\": {}",
			"E f.json:1: \"mounts\": expected an array of at most 256 objects\n");
	expect_vhost(", \"mounts\": null", "E f.json:1: \"mounts\": expected a value, got null\n");
	expect_vhost(", \"mounts\": [\n5]",
			"E f.json:2: \"mounts\": expected an object of at most 256 keys\n");
	expect_vhost(", \"mounts\": [\n{}]",
			"E f.json:2: a mount needs a \"mountpoint\" and an \"origin\"\n");
	expect_vhost(", \"mounts\": [{\"mountpoint\": \"/\"}]",
			"E f.json:1: a mount needs a \"mountpoint\" and an \"origin\"\n");
	/* A variable that is empty: not wanted. */
	expect_vhost(", \"mounts\": [{\"mountpoint\": \"/\", \"origin\": \"${NOT_THERE:-}\"}]", "");
	expect_vhost(", \"mounts\": [{\"mountpoint\": \"x\",\n\"origin\": \"/nowhere\"}]",
			"E f.json:1: \"mountpoint\": expected a path that begins with /, without ? "
			"and #\n"
			"E f.json:2: \"origin\": there is no directory /nowhere\n");
	expect_vhost(", \"mounts\": [{\"mountpoint\": \"/\", \"origin\": \"/tmp\", \"defualt\": "
		     "\"x\"}]",
			"E f.json:1: unknown key \"defualt\" (did you mean \"default\"?)\n");
	expect_vhost(", \"mounts\": [{\"mountpoint\": \"/\", \"origin\": \"/tmp\"},\n"
			"{\"mountpoint\": \"/\", \"origin\": \"/tmp\"}]",
			"E f.json:2: \"mountpoint\": there is a mount at \"/\" already\n");
	static const char *const origins[] = { "file://tmp", "http://example.com/",
		"callback://x" };
	for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
		char keys[128];
		(void)snprintf(keys, sizeof(keys),
				", \"mounts\": [{\"mountpoint\": \"/\", \"origin\": \"%s\"}]",
				origins[i]);
		expect_vhost(keys, "E f.json:1: \"origin\": expected file:///absolute/path or a "
				"directory's path\n");
	}
	put("file", "");
	expect_vhost(", \"mounts\": [{\"mountpoint\": \"/\", \"origin\": \"file\"}]",
			"E f.json:1: \"origin\": there is no directory DIR/file\n");
	put("origin", "/tmp\n");
	expect_vhost(", \"mounts\": [{\"mountpoint\": \"/\", \"origin-file\": \"origin\"}]", "");
}
END_TEST

START_TEST(takes_headers)
{
	struct px_config *config = load_vhost(", \"headers\": [{\"X-A\": \"1\", \"x-b:\": \"a: "
					      "b\\tc\"},"
					      "{\"X-A\": \"\"}]",
			"");
	const struct px_config_vhost *vhost = &config->vhosts[0];
	ck_assert_uint_eq(vhost->header_count, 3);
	ck_assert_str_eq(vhost->headers[0].name, "X-A");
	ck_assert_str_eq(vhost->headers[0].value, "1");
	ck_assert_str_eq(vhost->headers[1].name, "x-b");
	ck_assert_str_eq(vhost->headers[1].value, "a: b\tc");
	ck_assert_str_eq(vhost->headers[2].name, "X-A");
	px_config_destroy(config);
}
END_TEST

START_TEST(checks_headers)
{
	expect_vhost(", \"headers\": {\"X\": \"1\"}",
			"E f.json:1: \"headers\": expected an array of at most 256 objects\n");
	expect_vhost(", \"headers\": [\"X: 1\"]",
			"E f.json:1: \"headers\": expected an object of at most 256 keys\n");
	expect_vhost(", \"headers\": [{\"X Y\": \"1\",\n\":\": \"1\"}]",
			"E f.json:1: \"headers\": \"X Y\": not the name of an HTTP header\n"
			"E f.json:2: \"headers\": \":\": not the name of an HTTP header\n");
	expect_vhost(", \"headers\": [{\"X\": \"a\\r\\nSet-Cookie: b\"}]",
			"E f.json:1: \"headers\": \"X\": expected a string of at most 2048 bytes "
			"on one line\n");
	expect_vhost(", \"headers\": [{\"X\": 5}]",
			"E f.json:1: \"headers\": \"X\": expected a string of at most 2048 bytes "
			"on one line\n");
}
END_TEST

START_TEST(limits_the_bytes_of_headers)
{
	char value[2049];
	char keys[8192];
	memset(value, 'x', 2040);
	value[2040] = '\0';
	/* 2 * (1 + 2 + 2040 + 2) = 4090 */
	(void)snprintf(keys, sizeof(keys), ", \"headers\": [{\"A\": \"%s\", \"B\": \"%s\"}]", value,
			value);
	expect_vhost(keys, "");
	strcpy(strstr(keys, "}]"), ", \"C\": \"\"}]");
	expect_vhost(keys, "");
	strcpy(strstr(keys, "}]"), ", \"D\": \"\"}]");
	expect_vhost(keys, "E f.json:1: \"headers\": \"D\": the headers of a vhost have no more "
			"than 4095 bytes\n");
	static const char *const framing[] = {
		"Connection", "content-length:", "Transfer-Encoding",
	};
	for (size_t i = 0; i < sizeof(framing) / sizeof(framing[0]); i++) {
		char expected[128];
		(void)snprintf(keys, sizeof(keys), ", \"headers\": [{\"%s\": \"1\"}]", framing[i]);
		(void)snprintf(expected, sizeof(expected),
				"E f.json:1: \"headers\": \"%s\": the server sets this header "
				"itself\n", framing[i]);
		expect_vhost(keys, expected);
	}
}
END_TEST

/* ---- services ---- */

START_TEST(takes_services)
{
	struct px_config *config = load_vhost(", \"ws-protocols\": [{\"whiteboard\": {\"status\": "
					      "\"ok\","
					      "\n\"history\": \"256\"}, \"admin\": {\"status\": "
					      "\"disabled\"}},\n{\"t2\": {}}]",
			"");
	const struct px_config_vhost *vhost = &config->vhosts[0];
	ck_assert_uint_eq(vhost->service_count, 3);
	const struct px_config_service *service = &vhost->services[0];
	ck_assert_str_eq(service->name, "whiteboard");
	ck_assert(service->enabled);
	ck_assert_str_eq(service->file->name, "f.json");
	ck_assert_uint_eq(service->line, 1);
	ck_assert_uint_eq(service->options.count, 1);
	ck_assert_str_eq(service->options.members[0].key, "history");
	ck_assert_str_eq(json_object_get_string(service->options.members[0].value), "256");
	ck_assert_str_eq(service->options.members[0].file->name, "f.json");
	ck_assert_uint_eq(service->options.members[0].line, 2);
	ck_assert_str_eq(vhost->services[1].name, "admin");
	ck_assert(!vhost->services[1].enabled);
	ck_assert_str_eq(vhost->services[2].name, "t2");
	ck_assert(vhost->services[2].enabled);
	ck_assert_uint_eq(vhost->services[2].line, 3);
	ck_assert_ptr_eq(px_config_find_service(config, "whiteboard"), service);
	ck_assert_ptr_null(px_config_find_service(config, "admin"));
	ck_assert_ptr_null(px_config_find_service(config, "none"));
	px_config_destroy(config);
}
END_TEST

START_TEST(checks_services)
{
	expect_vhost(", \"ws-protocols\": {}",
			"E f.json:1: \"ws-protocols\": expected an array of objects like "
			"{\"service\": {…}}\n");
	expect_vhost(", \"ws-protocols\": null",
			"E f.json:1: \"ws-protocols\": expected a value, got null\n");
	expect_vhost(", \"ws-protocols\": [\n\"s\"]",
			"E f.json:2: \"ws-protocols\": expected an object like {\"service\": "
			"{…}}\n");
	expect_vhost(", \"ws-protocols\": [{\"s\": \"ok\"}]",
			"E f.json:1: \"s\": expected an object of at most 256 keys\n");
	expect_vhost(", \"ws-protocols\": [{\"s\": {\"status\": \"on\"}}]",
			"E f.json:1: \"status\": expected \"ok\" or \"disabled\" for the service "
			"\"s\"\n");
	expect_vhost(", \"ws-protocols\": [{\"s\": {\"status\": true}}]",
			"E f.json:1: \"status\": expected \"ok\" or \"disabled\" for the service "
			"\"s\"\n");
	expect_vhost(", \"ws-protocols\": [{\"s\": {}},\n{\"t\": {}, \"s\": {}}]",
			"E f.json:2: this file sets it up already, on line 1: the service \"s\"\n");
	static const char *const names[] = {
		"", "S", "1s", "a-b", "a_b", "\xc3\xa9", "abcdefghijklmnopqrstuvwxyz0123456",
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char keys[128];
		char expected[256];
		(void)snprintf(keys, sizeof(keys), ", \"ws-protocols\": [{\"%s\": {}}]", names[i]);
		(void)snprintf(expected, sizeof(expected),
				"E f.json:1: the name of a service is a lower "
				"case letter and up to 31 letters and digits, not \"%s\"\n",
				names[i]);
		expect_vhost(keys, expected);
	}
	expect_vhost(", \"ws-protocols\": [{\"abcdefghijklmnopqrstuvwxyz012345\": {}}]", "");
}
END_TEST

START_TEST(merges_services_in_the_order_of_the_files)
{
	make_directory("conf.d");
	/* the file of the vhost is neither the first nor the last */
	put("conf.d/10-s.json", "{\"vhost\": \"a\", \"ws-protocols\": ["
			"{\"s\": {\"one\": 10, \"two\": 10, \"status\": \"disabled\"}}]}");
	put("conf.d/20-vhost.json",
			"{\"vhosts\": [{\"name\": \"a\", \"port\": 0, \"ws-protocols\": ["
			"\n{\"s\": {\"two\": 20,\n\"three\": 20, \"status\": \"ok\"}, \"t\": "
			"{}}]}]}");
	put("conf.d/30-s.json", "{\"vhost\": \"a\", \"ws-protocols\": ["
			"{\"s\": {\"three\": 30}, \"t\": {\"status\": \"disabled\"}}]}");
	struct px_config *config = load("");
	const struct px_config_service *service = px_config_find_service(config, "s");
	ck_assert_ptr_nonnull(service);
	ck_assert_str_eq(service->file->name, "conf.d/30-s.json");
	ck_assert_uint_eq(service->options.count, 3);
	static const struct {
		const char *key;
		int value;
		const char *file;
		unsigned line;
	} expected[] = {
		{ "one", 10, "conf.d/10-s.json", 1 },
		{ "two", 20, "conf.d/20-vhost.json", 2 },
		{ "three", 30, "conf.d/30-s.json", 1 },
	};
	for (size_t i = 0; i < 3; i++) {
		const struct px_config_member *member = &service->options.members[i];
		ck_assert_str_eq(member->key, expected[i].key);
		ck_assert_int_eq(json_object_get_int(member->value), expected[i].value);
		ck_assert_str_eq(member->file->name, expected[i].file);
		ck_assert_uint_eq(member->line, expected[i].line);
	}
	ck_assert_ptr_null(px_config_find_service(config, "t"));
	px_config_destroy(config);
}
END_TEST

START_TEST(wants_one_set_of_options_for_a_service)
{
	put("a.json",
			"{\"vhosts\": [\n{\"name\": \"a\", \"port\": 0, \"ws-protocols\": [\n"
			"{\"s\": {\"one\": 1, \"list\": [1]}}]},\n"
			"{\"name\": \"b\", \"port\": 0, \"ws-protocols\": [\n{\"s\": {\"one\": "
			"\"1\",\n\"list\": [1]}}]},"
			"{\"name\": \"c\", \"port\": 0, \"ws-protocols\": [{\"s\": {\"status\": "
			"\"disabled\"}}]}]}");
	struct px_config *config = load("");
	ck_assert(config->vhosts[0].services[0].enabled);
	ck_assert(!config->vhosts[2].services[0].enabled);
	px_config_destroy(config);
	put("b.json", "{\"vhost\": \"b\", \"ws-protocols\": [\n{\"s\": {\"list\": [2]}}]}");
	px_config_destroy(load("E b.json:2: the service \"s\" must have the same options in every "
			       "vhost: "
			       "\"list\" differs from that of vhost \"a\" (a.json:3)\n"));
	put("b.json", "{\"vhost\": \"b\", \"ws-protocols\": [{\"s\": {\"one\": 2}}]}");
	px_config_destroy(load("E b.json:1: the service \"s\" must have the same options in every "
			       "vhost: "
			       "\"one\" differs from that of vhost \"a\" (a.json:3)\n"));
	put("b.json", "{\"vhost\": \"b\", \"ws-protocols\": [{\"s\": {\"more\": 2}}]}");
	px_config_destroy(load("E b.json:1: the service \"s\" must have the same options in every "
			       "vhost: "
			       "\"more\" differs from that of vhost \"a\" (a.json:3)\n"));
	put("b.json", "{\"vhost\": \"a\", \"ws-protocols\": [{\"s\": {\"more\": null}}]}");
	px_config_destroy(load("E a.json:5: the service \"s\" must have the same options in every "
			       "vhost: "
			       "\"more\" differs from that of vhost \"a\" (b.json:1)\n"));
	put("b.json",
			"{\"vhost\": \"b\", \"ws-protocols\": [{\"s\": {\"one\": 2, \"status\": "
			"\"disabled\"}}]}");
	px_config_destroy(load(""));
}
END_TEST

START_TEST(limits_what_it_has_to_compare)
{
	char *text = calloc(1, 65536);
	strcpy(text, ", \"ws-protocols\": [{\"s\": {\"k\": 0");
	for (int i = 0; i < 256; i++) {
		size_t used = strlen(text);
		(void)snprintf(text + used, 65536 - used, ",\"k%d\": 0", i);
	}
	strcat(text, "}}]");
	expect_vhost(text, "E f.json:1: \"s\": expected an object of at most 256 keys\n");
	strcpy(text, ", \"ws-protocols\": [{\"s\": {}");
	for (int i = 0; i < 256; i++) {
		size_t used = strlen(text);
		(void)snprintf(text + used, 65536 - used, ",\"s%d\": {}", i);
	}
	strcat(text, "}]");
	expect_vhost(text, "E f.json:1: too many services for the vhost \"a\"\n");
	free(text);
}
END_TEST

/* ---- the tables and their documentation ---- */

START_TEST(documents_every_key)
{
	static const char *const objects[] = {
		"", "global", "audit", "vhosts", "tokens", "claims", "mounts",
	};
	char *docs = calloc(1, 65536);
	FILE *file = fopen(PX_SOURCE_ROOT "/docs/configuration.md", "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_lt(fread(docs, 1, 65535, file), 65535);
	(void)fclose(file);
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		const struct px_option *row = px_config_table(objects[i]);
		ck_assert_ptr_nonnull(row);
		char entry[128];
		(void)snprintf(entry, sizeof(entry), "## `%s`\n", objects[i]);
		const char *section = *objects[i] != '\0' ? strstr(docs, entry) : docs;
		ck_assert_msg(section, "not in docs/configuration.md: %s", entry);
		for (; row->key; row++) {
			ck_assert_ptr_nonnull(row->help);
			(void)snprintf(entry, sizeof(entry), "\n| `%s` |", row->key);
			const char *at = strstr(section, entry);
			ck_assert_msg(at, "not in docs/configuration.md: %s", entry);
			at++;
			(void)snprintf(entry, sizeof(entry), " | `%s` |", row->fallback);
			const char *fallback = row->fallback ? strstr(at, entry) : at;
			ck_assert_msg(fallback && fallback <= strchr(at, '\n'),
					"not in docs/configuration.md, for %s: %s", row->key,
					entry);
		}
	}
	ck_assert_ptr_null(px_config_table("nothing"));
	free(docs);
}
END_TEST

START_TEST(destroys_nothing)
{
	px_config_destroy(NULL);
}
END_TEST

RUN("config", reads_global_file_and_conf_d, reads_conf_d_alone, reads_global_file_alone,
		takes_a_directory_of_files_for_conf_d, reads_conf_d_beside_a_file, finds_nothing,
		complains_of_unreadable_files, limits_the_number_of_files,
		complains_of_all_files_at_once, shows_twenty_errors, checks_the_top_level,
		checks_additions, does_not_guess_about_files_that_it_could_not_parse, has_defaults,
		takes_global_values, takes_limits, checks_global_values, resolves_plugin_dirs,
		takes_an_audit_trail, checks_an_audit_trail, takes_a_vhost,
		checks_vhost_keys, wants_names_to_be_unique, takes_an_open_practice,
		resolves_interfaces, checks_interfaces, refuses_to_be_open_to_others,
		wants_addresses_to_be_unique, limits_the_number_of_vhosts, takes_mounts,
		starts_relative_paths_at_the_file, checks_mounts, takes_headers, checks_headers,
		limits_the_bytes_of_headers, takes_services, checks_services,
		merges_services_in_the_order_of_the_files,
		wants_one_set_of_options_for_a_service, limits_what_it_has_to_compare,
		documents_every_key, destroys_nothing);

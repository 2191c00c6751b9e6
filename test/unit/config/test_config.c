/* SPDX-License-Identifier: MIT */
/* The configuration as a whole: which files, "global", "audit". */
#define _XOPEN_SOURCE 700 /* nftw */

#include "test_config_util.h"

#include <json-c/json.h>
#include <praxis/service.h>

#define VHOST "{\"vhosts\": [{\"name\": \"a\", \"port\": 0}]}"
#define NO_VHOST "E no vhost is configured: expected {\"vhosts\": [{\"name\": …, \"port\": …}]}\n"

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
			"E DIR: no configuration found: expected praxis.json, conf.d/*.json or "
			"*.json\n");
	make_directory("conf.d");
	put("other.json", VHOST);
	expect_failure(directory, -ENOENT,
			"E DIR: no configuration found: expected praxis.json, conf.d/*.json or "
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
			"E f.json:2: \"vhost\" and \"vhosts\" in one file: write the keys into "
			"their vhost\n");
	expect("{\"vhosts\": [{\"name\": \"a\", \"port\": 0}],\n\"ws-protocols\": []}",
			"E f.json:2: \"ws-protocols\" without the \"vhost\" to which they "
			"belong\n");
	expect("{\"vhost\": \"a\"}", "E f.json:1: \"vhost\" without a key for it, such as "
			"\"ws-protocols\"\n" NO_VHOST);
}
END_TEST

START_TEST(checks_additions)
{
	put("a.json", VHOST);
	put("b.json", "{\n\"vhost\": \"a\"}");
	px_config_destroy(load("E b.json:2: \"vhost\" without a key for it, such as "
			"\"ws-protocols\"\n"));
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
	px_config_destroy(load("E b.json:1: unknown key \"foo-bar\" (expected: " VHOST_KEYS ")\n"
			"E b.json:2: \"ws-protocols\": expected an object like "
			"{\"service\": {…}}\n"));
	put("b.json",
			"{\"global\": {\"max-channels\": 7}, \"vhost\": \"a\", \"ws-protocols\": "
			"[]}");
	px_config_destroy(load(""));
}
END_TEST

START_TEST(takes_keys_of_a_vhost_from_other_files)
{
	put("b.json", "{\"vhosts\": [{\"name\": \"a\", \"port\": 1, \"path\": \"/b\", "
			"\"tenant\": \"b\"}, {\"name\": \"z\", \"port\": 2}]}");
	put("a.json", "{\"vhost\": \"a\", \"path\": \"/a\", \"auth-max\": 7, \"hsts-max-age\": 8}");
	put("c.json", "{\"vhost\": \"a\", \"port\": 3, \"auth-url\": \"https://c.example\", "
			"\"ws-protocols\": [{\"s\": {}}]}");
	put("d.json", "{\"vhost\": \"a\", \"hsts-max-age\": 9}");
	struct px_config *config = load("");
	const struct px_config_vhost *vhost = &config->vhosts[0];
	ck_assert_uint_eq(config->vhost_count, 2);
	ck_assert_str_eq(vhost->path, "/b"); /* its own file comes later */
	ck_assert_str_eq(vhost->tenant, "b");
	ck_assert_uint_eq(vhost->port, 3);
	ck_assert_str_eq(vhost->auth_url, "https://c.example/");
	ck_assert_uint_eq(vhost->auth_max, 7);
	ck_assert_int_eq(px_options_int(vhost->options, "hsts-max-age"), 9);
	ck_assert_uint_eq(vhost->service_count, 1);
	ck_assert_uint_eq(config->vhosts[1].port, 2);
	ck_assert_ptr_null(config->vhosts[1].auth_url);
	px_config_destroy(config);
}
END_TEST

/* "key" and "key-file" are one: the later file's is taken, and the earlier one's not read. */
START_TEST(takes_the_later_form_of_a_key)
{
	put("a.json", "{\"vhosts\": [{\"name\": \"a\", \"port\": 0, \"tenant-file\": \"none\"}]}");
	put("b.json", "{\"vhost\": \"a\", \"tenant\": \"b\"}");
	struct px_config *config = load("");
	ck_assert_str_eq(config->vhosts[0].tenant, "b");
	px_config_destroy(config);
	put("c.json", "{\"vhost\": \"a\", \"tenant-file\": \"c\"}");
	px_config_destroy(load("E c.json:1: \"tenant-file\": cannot read the file that it names: "
			"No such file or directory\n"));
}
END_TEST

/* The name may itself be in a file, or in the environment. */
START_TEST(finds_the_vhost_whose_name_is_elsewhere)
{
	put("name", "a\n");
	put("a.json", "{\"vhosts\": [{\"name-file\": \"name\", \"port\": 0}]}");
	put("b.json", "{\"vhost-file\": \"name\", \"path\": \"/b\"}");
	struct px_config *config = load("");
	ck_assert_str_eq(config->vhosts[0].path, "/b");
	px_config_destroy(config);
}
END_TEST

/* Where they stand, and with the vhost's own keys. */
START_TEST(says_what_is_wrong_with_keys_of_other_files)
{
	put("a.json", VHOST);
	put("b.json", "{\"vhost\": \"a\",\n\"portt\": 1,\n\"path\": \"x\",\n\"open-practice\": []}");
	px_config_destroy(load("E b.json:2: unknown key \"portt\" (did you mean \"port\"?)\n"));
	put("b.json", "{\"vhost\": \"a\",\n\"path\": \"x\",\n\"open-practice\": [],\n"
			"\"mounts\": [5],\n\"headers\": [6],\n\"host-ssl-cert\": \"c\"}");
	px_config_destroy(load("E b.json:2: \"path\": expected a path that begins with /, without "
			"? and #\n"
			"E b.json:3: \"open-practice\": expected a whole number or a string of 1 "
			"to 128 bytes\n"
			"E b.json:6: \"host-ssl-cert\" without \"host-ssl-key\"\n"
			"E b.json:6: \"host-ssl-cert\": cannot read the file that it names: "
			"No such file or directory\n"
			"E b.json:4: \"mounts\": expected an object of at most 256 keys\n"
			"E b.json:5: \"headers\": expected an object of at most 256 keys\n"));
	put("b.json", "{\"vhost\": \"a\",\n\"interface\": \"*\"}");
	px_config_destroy(load("E b.json:2: vhost \"a\" listens on 0.0.0.0, which other machines "
			"can reach, without authentication: use \"localhost\", configure "
			"\"tokens\" or \"auth-url\", or set \"open-mode\": \"insecure\"\n"));
	put("b.json", "{\"vhost\": \"a\",\n\"name\": \"b\"}");
	px_config_destroy(load("E b.json:2: \"name\": a vhost has its name from its own file\n"));
	put("b.json", "{\"vhost\": \"b\",\n\"port\": 5}");
	px_config_destroy(load("E b.json:1: \"vhost\": there is no vhost \"b\" (known: a)\n"));
}
END_TEST

START_TEST(bounds_the_keys_of_a_vhost)
{
	char text[8192] = "{\"vhost\": \"a\"";
	put("a.json", VHOST);
	for (int i = 0; i < 254; i++) {
		size_t used = strlen(text);
		(void)snprintf(text + used, sizeof(text) - used, ",\"k%d\": 1", i);
	}
	(void)strcat(text, "}");
	put("b.json", text);
	struct px_config *config = NULL;
	complaints[0] = '\0';
	ck_assert_int_eq(px_config_load(directory, &sink, &config), -EINVAL);
	ck_assert_ptr_null(strstr(complaints, "more than"));
	put("c.json", "{\"vhost\": \"a\", \"path\": \"/x\"}");
	complaints[0] = '\0';
	ck_assert_int_eq(px_config_load(directory, &sink, &config), -EINVAL);
	ck_assert_ptr_nonnull(strstr(complaints, "E c.json:1: more than 256 keys for this vhost\n"));
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
	ck_assert_int_eq(global->log_format, PX_CONFIG_LOG_TEXT);
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
	ck_assert_uint_eq(global->auth_failure_ms_per_second, 50);
	ck_assert_uint_eq(global->address_prefix, 64);
	ck_assert_uint_eq(global->remembered_addresses, 200000);
	ck_assert_uint_eq(global->max_rooms_per_practice, 1000);
	ck_assert_uint_eq(global->messages_per_second, 100);
	ck_assert_uint_eq(global->messages_burst, 500);
	ck_assert_uint_eq(global->bytes_per_second, 262144);
	ck_assert_uint_eq(global->bytes_burst, 1048576);
	ck_assert_uint_eq(global->acts_per_second, 1);
	ck_assert_uint_eq(global->acts_burst, 60);
	ck_assert_uint_eq(global->requests_per_second_per_address, 500);
	ck_assert_uint_eq(global->api_requests_per_second, 200);
	ck_assert_uint_eq(global->api_bytes_per_second, 4194304);
	ck_assert_ptr_null(global->audit);
	ck_assert_ptr_null(global->bus);
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
			"\"log-level\": \"warning\", \"log-format\": \"journald\", \"max-connections\": \"500\","
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
	ck_assert_int_eq(global->log_format, PX_CONFIG_LOG_JOURNALD);
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

static void expect_bus(const char *url, const char *user, const char *host, unsigned port,
		unsigned database)
{
	char members[256];
	(void)snprintf(members, sizeof(members), "\"bus\": \"%s\"", url);
	struct px_config *config = load_global(members, "");
	const struct px_config_bus *bus = config->global.bus;
	ck_assert_ptr_nonnull(bus);
	ck_assert_int_eq(bus->is_tls, url[5] == 's');
	ck_assert(user ? strcmp(bus->user, user) == 0 : !bus->user);
	ck_assert_str_eq(bus->host, host);
	ck_assert_uint_eq(bus->port, port);
	ck_assert_uint_eq(bus->database, database);
	ck_assert_ptr_null(bus->password);
	ck_assert_str_eq(bus->prefix, "px");
	ck_assert_int_eq(bus->node_timeout_ms, 4000);
	px_config_destroy(config);
}

START_TEST(takes_a_bus)
{
	expect_bus("redis://localhost", NULL, "localhost", 6379, 0);
	expect_bus("rediss://redis.example.org:80", NULL, "redis.example.org", 80, 0);
	expect_bus("redis://praxis@127.0.0.1:7000/3", "praxis", "127.0.0.1", 7000, 3);
	expect_bus("rediss://[::1]:7000/", NULL, "::1", 7000, 0);
	expect_bus("redis://[::1]", NULL, "::1", 6379, 0);
	struct px_config *config = load_global("\"bus\": \"\", \"bus-prefix\": \"a.b\"", "");
	ck_assert_ptr_null(config->global.bus);
	px_config_destroy(config);
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
	config = load_global("\"plugin-dir\": [\"/tmp:/\", \":/var::\"]", "");
	ck_assert_uint_eq(config->global.plugin_dir_count, 3);
	ck_assert_str_eq(config->global.plugin_dirs[0], "/tmp");
	ck_assert_str_eq(config->global.plugin_dirs[1], "/");
	ck_assert_str_eq(config->global.plugin_dirs[2], "/var");
	px_config_destroy(config);
	ck_assert_int_eq(setenv("PRAXIS_PLUGIN_DIR", "/nowhere:/tmp", 1), 0);
	config = load_global("", "");
	ck_assert_uint_eq(config->global.plugin_dir_count, 2);
	ck_assert_str_eq(config->global.plugin_dirs[0], "/nowhere");
	ck_assert_str_eq(config->global.plugin_dirs[1], "/tmp");
	px_config_destroy(config);
	ck_assert_int_eq(unsetenv("PRAXIS_PLUGIN_DIR"), 0);
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

START_TEST(takes_an_audit_log)
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
	config = load_global("\"audit\": {\"file\": \"/tmp/audit\", \"sync\": \"line\", "
			"\"on-full\": \"continue\", \"key-file\": \"key\"}", "");
	audit = config->global.audit;
	ck_assert_str_eq(audit->file, "/tmp/audit");
	ck_assert_int_eq(audit->sync, PX_CONFIG_SYNC_LINE);
	ck_assert_int_eq(audit->on_full, PX_CONFIG_FULL_CONTINUE);
	ck_assert_str_eq(audit->key, "0123456789abcdef0123456789abcdef");
	px_config_destroy(config);
}
END_TEST

/* What nobody but root is let do is left to a process that is not root. */
static void expect_denied(void)
{
	char expected[160];
	(void)snprintf(expected, sizeof(expected),
			"E f.json:1: \"file\": DIR/closed is a directory in which no file can be created by "
			"user 4242\n");
	expect_global("\"audit\": {\"file\": \"closed/a\"}", expected);
	expect_global("\"audit\": {\"file\": \"theirs\"}",
			"E f.json:1: \"file\": DIR/theirs cannot be written by user 4242\n");
}

START_TEST(says_whose_rights_an_audit_log_lacks)
{
	if (geteuid() != 0) {
		return; /* cannot become somebody else */
	}
	make_directory("closed");
	put("theirs", "");
	ck_assert_int_eq(chmod(directory, 0755), 0);
	ck_assert_int_eq(seteuid(4242), 0);
	expect_denied();
	ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(says_whose_a_secret_is_that_cannot_be_read)
{
	char path[128];
	if (geteuid() != 0) {
		return; /* cannot become somebody else */
	}
	put("key", "S3CRET");
	(void)snprintf(path, sizeof(path), "%s/key", directory);
	ck_assert_int_eq(chown(path, 77, 78), 0);
	ck_assert_int_eq(chmod(path, 0600), 0);
	ck_assert_int_eq(chmod(directory, 0777), 0);
	ck_assert_int_eq(seteuid(4242), 0);
	expect_global("\"audit\": {\"file\": \"a\", \"key-file\": \"key\"}",
			"E f.json:1: \"key-file\": cannot read the file that it names: DIR/key: Permission "
			"denied: it belongs to user 77 and group 78, with mode 0600, and praxisd runs as user "
			"4242: chown it to 4242, or give a group of that user read access\n");
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(chmod(directory, 0700), 0);
	ck_assert_int_eq(seteuid(4242), 0);
	/* The path is all that is left to be said. */
	expect_global("\"audit\": {\"file\": \"/tmp/a\", \"key-file\": \"key\"}",
			"E f.json:1: \"key-file\": cannot read the file that it names: DIR/key: Permission "
			"denied: praxisd runs as user 4242, which may not enter one of the directories\n");
	ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(checks_an_audit_log)
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
			"E f.json:1: \"file\": DIR/logs does not exist, or is not a directory\n"
			"W f.json:2: \"key\": a weak secret: expected at least 32 random bytes\n");
	expect_global("\"audit\": {\"file\": \"a\", \"key\": [\"S3CRET\"]}",
			"E f.json:1: \"key\": expected a string of 1 to 4096 bytes\n");
	make_directory("audit");
	expect_global("\"audit\": {\"file\": \"audit\"}",
			"E f.json:1: \"file\": DIR/audit is not a regular file\n");
	put("file", "");
	expect_global("\"audit\": {\"file\": \"file/a\"}",
			"E f.json:1: \"file\": DIR/file does not exist, or is not a directory\n");
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
		checks_additions, takes_keys_of_a_vhost_from_other_files,
		takes_the_later_form_of_a_key, finds_the_vhost_whose_name_is_elsewhere,
		says_what_is_wrong_with_keys_of_other_files, bounds_the_keys_of_a_vhost,
		does_not_guess_about_files_that_it_could_not_parse, has_defaults,
		takes_global_values, takes_a_bus, takes_limits, checks_global_values, resolves_plugin_dirs,
		takes_an_audit_log, checks_an_audit_log,
		says_whose_rights_an_audit_log_lacks, says_whose_a_secret_is_that_cannot_be_read,
		documents_every_key, destroys_nothing);

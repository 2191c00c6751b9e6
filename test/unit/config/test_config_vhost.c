/* SPDX-License-Identifier: MIT */
/* "vhosts" of the configuration: addresses, mounts, headers, services. */
#define _XOPEN_SOURCE 700 /* nftw */

#include "test_config_util.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <praxis/service.h>

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
			"E f.json:1: \"tenant\": must not contain control characters\n");
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
	"W f.json:1: vhost \"a\" listens on " address " without " \
	"authentication (\"open-mode\": \"insecure\")\n"

#define REFUSES(line, address) \
	"E f.json:" line ": vhost \"a\" listens on " address ", which other machines can " \
	"reach, without authentication: use \"localhost\", configure \"tokens\" or " \
	"\"auth-url\", or set \"open-mode\": \"insecure\"\n"

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
				"E f.json:2: \"interface\": \"%s\" is neither an address nor a network interface "
				"of this machine\n",
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
			"E f.json:2: \"mountpoint\": another mount has \"/\"\n");
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
			"E f.json:2: already configured in this file, on line 1: the service \"s\"\n");
	static const char *const names[] = {
		"", "S", "1s", "a-b", "a_b", "\xc3\xa9", "abcdefghijklmnopqrstuvwxyz0123456",
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char keys[128];
		char expected[256];
		(void)snprintf(keys, sizeof(keys), ", \"ws-protocols\": [{\"%s\": {}}]", names[i]);
		(void)snprintf(expected, sizeof(expected),
				"E f.json:1: a service's name is a lower-case letter and up to 31 lower-case "
				"letters and digits, not \"%s\"\n",
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
	/* No list is the text that it would be written as. */
	put("b.json", "{\"vhost\": \"b\", \"ws-protocols\": [{\"s\": {\"list\": \"[ 1 ]\"}}]}");
	px_config_destroy(load("E b.json:1: the service \"s\" must have the same options in every "
			"vhost: "
			"\"list\" differs from that of vhost \"a\" (a.json:3)\n"));
	put("b.json", "{\"vhost\": \"a\", \"ws-protocols\": [{\"s\": {\"list\": \"[ 1 ]\"}}]}");
	px_config_destroy(load("E a.json:5: the service \"s\" must have the same options in every "
			"vhost: "
			"\"list\" differs from that of vhost \"a\" (b.json:1)\n"));
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

RUN("config_vhost", takes_a_vhost, checks_vhost_keys, wants_names_to_be_unique,
		takes_an_open_practice, resolves_interfaces, checks_interfaces,
		refuses_to_be_open_to_others, wants_addresses_to_be_unique, limits_the_number_of_vhosts,
		takes_mounts, starts_relative_paths_at_the_file, checks_mounts, takes_headers,
		checks_headers, limits_the_bytes_of_headers, takes_services, checks_services,
		merges_services_in_the_order_of_the_files, wants_one_set_of_options_for_a_service,
		limits_what_it_has_to_compare);

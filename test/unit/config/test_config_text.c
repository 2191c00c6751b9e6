/* SPDX-License-Identifier: MIT */
/*
 * The text of configuration files: syntax, comments, lines, substitution, values from files.
 */
#define _XOPEN_SOURCE 700 /* nftw */

#include "test_config_util.h"

#include "config/value/json.h"
#include "config/value/reader.h"
#include "pieces.h"

#include <json-c/json.h>

static void ignore_error(void *user, unsigned line, const char *text)
{
	(void)line;
	(void)text;
	++*(int *)user;
}

static bool parses(const char *text)
{
	int errors = 0;
	struct px_config_json json;
	int r = px_config_json_parse(text, strlen(text), ignore_error, &errors, &json);
	ck_assert((r == 0) == (errors == 0));
	if (r == 0) {
		px_config_json_finish(&json);
	}
	return r == 0;
}

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

START_TEST(takes_all_of_json)
{
	static const char *const good[] = {
		"{}",
		"[]",
		" {} ",
		"\xef\xbb\xbf{}",
		"[[],{}]",
		"0",
		"-0",
		"-1",
		"1.5",
		"-0.25e-3",
		"1E5",
		"1e+5",
		"9223372036854775807",
		"-9223372036854775808",
		"\"\"",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
		"\"\\u00e9\\ud83d\\ude00\"",
		"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
		"true",
		"false",
		"null",
		"[null, true ,\"x\"\t,\r\n1]",
		"{\"a\":{\"b\":[1,2,{\"c\":null}]},\"\":1}",
		"# a\n{ // b\n} # c",
		"{\"a\": \"# no // comment\"}",
		"{}//",
		"{}#",
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_msg(parses(good[i]), "refused: %s", good[i]);
	}
}
END_TEST

START_TEST(takes_nothing_else)
{
	static const char *const bad[] = {
		"",
		" ",
		"# only a comment",
		"{",
		"[",
		"{]",
		"[}",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"[1,]",
		"[,]",
		"[1 2]",
		"{a:1}",
		"{'a':1}",
		"'a'",
		"{}{}",
		"{} x",
		"NaN",
		"nan",
		"Infinity",
		"-Infinity",
		"tru",
		"TRUE",
		"nul",
		"1.",
		".5",
		"+1",
		"01",
		"-",
		"-01",
		"1e",
		"1e+",
		"0x10",
		"9223372036854775808",
		"1e999",
		"\"",
		"\"\\x\"",
		"\"\\u12\"",
		"\"\\u12g4\"",
		"\"\\",
		"\"\\u",
		"\"a\nb\"",
		"\"a\tb\"",
		"\"\\u0000\"",
		"\"\x7f\"",
		"\"\\ud800\"",
		"\"\\ud800\\u0041\"",
		"\"\\udc00\"",
		"{\"\\u0000\":1}",
		"/ x\n{}",
		"/* x */{}",
		"\xff",
		"\"\xc0\x80\"",
		"\"\xed\xa0\x80\"",
		"\"\xf4\x90\x80\x80\"",
		"\"\xe2\x82\"",
		"\"\xf5\x80\x80\x80\"",
		"\"\xe0\x80\x80\"",
		"\"\xf0\x80\x80\x80\"",
		"\"\x80\"",
		"11111111111111111111111111111111111111111111111111111111111111111",
		"0." ZEROS ZEROS,
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(!parses(bad[i]), "taken: %s", bad[i]);
	}
}
END_TEST

START_TEST(names_the_line_of_an_error)
{
	expect("{\n\n  \"a\" 1\n}", "E f.json:3: expected \":\" after the key \"a\"\n");
	expect("# one\n// two\n\n{ x", "E f.json:4: expected a key in double quotes\n");
	expect("{\n\"a\": [1,\n2\n\"b\"]}",
			"E f.json:4: expected \",\" or the \"]\" that closes the \"[\" of line "
			"2\n");
	expect("{\n\"a\": 1\n",
			"E f.json:3: expected \",\" or the \"}\" that closes the \"{\" of line "
			"1\n");
	expect("{\"a\": NaN}", "E f.json:1: expected a value: an object, an array, \"a string\", "
			"a number, true, false or null\n");
	expect("{\"a\": 'b'}", "E f.json:1: expected a value: an object, an array, \"a string\", "
			"a number, true, false or null\n");
	expect("{\"a\":\n1.}", "E f.json:2: a number that ends with its point\n");
	expect("{\"a\": 01}", "E f.json:1: a number that begins with 0\n");
	expect("{\"a\": -}", "E f.json:1: a number without digits\n");
	expect("{\"a\": 1e}", "E f.json:1: a number without digits in its exponent\n");
	expect("{\"a\": 1e999}", "E f.json:1: a number that is too large\n");
	expect("{\"a\": 9223372036854775808}",
			"E f.json:1: a number beyond 64 bits (write it as a string)\n");
	expect("{\"a\": 1" ZEROS ZEROS "}", "E f.json:1: a number of more than 128 characters\n");
	expect("{\n\"a\": \"b\n\"}", "E f.json:2: a string without its closing quote\n");
	expect("{\"a\": \"\t\"}",
			"E f.json:1: a control character in a string (write \\t, \\n, …)\n");
	expect("{\"a\": \"\\u0000\"}", "E f.json:1: a NUL character in a string\n");
	expect("{\"a\": \"\x7f\"}",
			"E f.json:1: a control character in a string (write \\t, \\n, …)\n");
	expect("{\n\"a\": \"\\ud800\"}", "E f.json:2: half of a surrogate pair in a string\n");
	expect("{\"a\": \"\\d\"}",
			"E f.json:1: a \\ that begins no JSON escape (write \\\\ for one "
			"backslash)\n");
	expect("{}\n{}", "E f.json:2: expected nothing after the object\n");
	expect("\n# nothing\n", "E f.json:3: nothing here: expected an object, { … }\n");
	expect("{\n\"a\": \"\xff\"}", "E f.json:2: this is not UTF-8 text\n");
	expect("\n[]", "E f.json:2: the file: expected an object of at most 256 keys\n");
}
END_TEST

START_TEST(refuses_nul_bytes)
{
	struct px_config *config = NULL;
	complaints[0] = '\0';
	ck_assert_int_eq(px_config_load_text("/", "f.json", "{}\n\0", 4, &sink, &config), -EINVAL);
	ck_assert_str_eq(complaints, "E f.json:2: this is not UTF-8 text\n");
	ck_assert_ptr_null(config);
}
END_TEST

START_TEST(limits_the_depth)
{
	char text[256] = "";
	for (int i = 0; i < 16; i++) {
		strcat(text, "[");
	}
	for (int i = 0; i < 16; i++) {
		strcat(text, "]");
	}
	ck_assert(parses(text));
	memmove(text + 1, text, strlen(text) + 1);
	strcat(text, "]");
	expect(text, "E f.json:1: deeper than 16 objects and arrays\n");
}
END_TEST

START_TEST(refuses_a_key_twice)
{
	/* the first one counts, and the places of what follows stay right */
	expect("{\"vhosts\": [{\"name\": \"a\",\n\"port\": 0,\n\"port\": [1,\n[2, 3]],\n\"prot\": "
			"1}],\n"
			"\"vhosts\": [], \"glob\\u0061l\": {},\n\"global\": {}}",
			"E f.json:3: the key \"port\" is here twice\n"
			"E f.json:6: the key \"vhosts\" is here twice\n"
			"E f.json:7: the key \"global\" is here twice\n"
			"E f.json:5: unknown key \"prot\" (did you mean \"port\"?)\n");
}
END_TEST

START_TEST(knows_the_line_of_every_value)
{
	const char *text = "{ # 1\n\"a\": // 2\n[1,\n{\"b\":\n2, \"c\"\n:\n[]\n}],\n\"d\": 3\n}";
	struct px_config_json json;
	int errors = 0;
	ck_assert_int_eq(px_config_json_parse(text, strlen(text), ignore_error, &errors, &json), 0);
	static const unsigned lines[] = { 1, 2, 3, 4, 4, 5, 9 };
	ck_assert_uint_eq(json.node_count, 7);
	for (size_t i = 0; i < 7; i++) {
		ck_assert_uint_eq(json.nodes[i].line, lines[i]);
	}
	px_config_json_finish(&json);
}
END_TEST

START_TEST(substitutes_variables)
{
	setenv("PX_T_PORT", "9002", 1);
	setenv("PX_T_NAME", "x\"y\\z", 1);
	setenv("PX_T_EMPTY", "", 1);
	unsetenv("PX_T_UNSET");
	struct px_config *config = load_vhost(", \"tenant\": \"a$${b}-${PX_T_NAME}-${PX_T_EMPTY}-"
			"${PX_T_UNSET:-d:-e}-${PX_T_EMPTY:-f}-${PX_T_PORT:-g}$$\","
			"\"path\": \"/${PX_T_PORT}/${PX_T_UNSET:-}\", \"ws-protocols\":"
			"[{\"s\": {\"o\": [{\"p\": \"${PX_T_PORT}\"}]}}]", "");
	const struct px_config_vhost *vhost = &config->vhosts[0];
	ck_assert_str_eq(vhost->tenant, "a${b}-x\"y\\z--d:-e-f-9002$");
	ck_assert_str_eq(vhost->path, "/9002/");
	ck_assert_str_eq(json_object_to_json_string_ext(vhost->services[0].options.members[0].value,
			JSON_C_TO_STRING_PLAIN), "[{\"p\":\"9002\"}]");
	px_config_destroy(config);
	config = load_text("{\"vhosts\": [{\"name\": \"a\", \"port\": \"${PX_T_PORT}\"}]}", "");
	ck_assert_uint_eq(config->vhosts[0].port, 9002);
	px_config_destroy(config);
}
END_TEST

START_TEST(leaves_out_what_the_environment_has_not)
{
	setenv("PX_T_EMPTY", "", 1);
	setenv("PX_T_PATH", "/x", 1);
	unsetenv("PX_T_UNSET");
	struct px_config *config = load_vhost(", \"tenant\": \"${PX_T_UNSET:-}\", "
			"\"path\": \"${PX_T_EMPTY:-}\", \"origins\": [\"https://a.example\", "
			"\"${PX_T_UNSET:-}\"], \"ws-protocols\": [{\"s\": {\"o\": "
			"\"${PX_T_UNSET:-}\", \"p\": \"1\"}}]", "");
	const struct px_config_vhost *vhost = &config->vhosts[0];
	ck_assert_str_eq(vhost->tenant, vhost->name);
	ck_assert_str_eq(vhost->path, "/ws");
	ck_assert_uint_eq(vhost->origin_count, 1);
	ck_assert_uint_eq(vhost->services[0].options.count, 1);
	ck_assert_str_eq(vhost->services[0].options.members[0].key, "p");
	px_config_destroy(config);
	config = load_vhost(", \"path\": \"${PX_T_PATH:-}\"", "");
	ck_assert_str_eq(config->vhosts[0].path, "/x");
	px_config_destroy(config);
	/* Only that: an empty text is one, and a variable without a default was expected. */
	expect_vhost(", \"tenant\": \"\"", "E f.json:1: \"tenant\": expected a string of 1 to 128 "
			"bytes, got one of 0\n");
	expect_vhost(", \"tenant\": \"${PX_T_EMPTY}\"", "E f.json:1: \"tenant\": expected a string "
			"of 1 to 128 bytes, got one of 0\n");
	expect_vhost(", \"tenant\": \"${PX_T_EMPTY:-}${PX_T_EMPTY:-}\"", "E f.json:1: \"tenant\": "
			"expected a string of 1 to 128 bytes, got one of 0\n");
	expect("{\"vhosts\": [{\n\"name\": \"a\",\n\"port\": \"${PX_T_UNSET:-}\"}]}",
			"E f.json:1: \"port\" is missing in this vhost\n");
}
END_TEST

START_TEST(names_variables_that_would_protect_an_open_vhost)
{
#define OPEN_VHOST(proof) \
	"{\"vhosts\": [{\"name\": \"a\", \"port\": 0, \"interface\": \"*\", " proof "}]}"
#define OPEN_SENTENCE \
	"E f.json:1: vhost \"a\" listens on 0.0.0.0, which other machines can reach, " \
	"without authentication: use \"localhost\", configure \"tokens\" or \"auth-url\", or set " \
	"\"open-mode\": \"insecure\""
	unsetenv("PX_T_UNSET");
	unsetenv("PX_T_UNSET2");
	unsetenv("PX_T_UNSET3");
	expect(OPEN_VHOST("\"tokens\": {\"secret-file\": \"${PX_T_UNSET:-}\", \"jwks-file\": "
			"\"${PX_T_UNSET2:-}\"}, \"auth-url\": \"${PX_T_UNSET3:-}\""),
			OPEN_SENTENCE "; not set in the environment: PX_T_UNSET, PX_T_UNSET2, "
			"PX_T_UNSET3\n");
	expect(OPEN_VHOST("\"auth-url\": \"${PX_T_UNSET3:-}\""),
			OPEN_SENTENCE "; not set in the environment: PX_T_UNSET3\n");
	expect(OPEN_VHOST("\"path\": \"${PX_T_UNSET3:-}\""), OPEN_SENTENCE "\n");
}
END_TEST

/* As long as the table lets names be: cut off, not written beyond. */
START_TEST(names_no_more_variables_than_fit)
{
	char text[512];
	char name[65];
	memset(name, 'N', 64);
	name[64] = '\0';
	(void)snprintf(text, sizeof(text), "{\"vhosts\": [{\"name\": \"a\", \"port\": 0, "
			"\"interface\": \"*\", \"tokens\": {\"secret\": \"${%s:-}\", \"secret-file\": "
			"\"${%s:-}\", \"jwks-file\": \"${%s:-}\"}, \"auth-url\": \"${%s:-}\", "
			"\"auth-url-file\": \"${%s:-}\"}]}", name, name, name, name, name);
	struct px_config *config = NULL;
	complaints[0] = '\0';
	ck_assert_int_eq(px_config_load_text(directory, "f.json", text, strlen(text), &sink, &config),
			-EINVAL);
	ck_assert_ptr_nonnull(strstr(complaints, "environment: NNN"));
}
END_TEST

START_TEST(takes_no_audit_log_for_want_of_a_variable)
{
	unsetenv("PX_T_UNSET");
	struct px_config *config = load_text("{\"global\": {\"audit\": {\"file\": \"${PX_T_UNSET:-}\", "
			"\"sync\": \"line\"}}, \"vhosts\": [{\"name\": \"a\", \"port\": 0}]}", "");
	ck_assert_ptr_null(config->global.audit);
	px_config_destroy(config);
	expect("{\"global\": {\"audit\": {\"key\": \"${PX_T_UNSET:-}\"}},\n\"vhosts\": [{\"name\": "
			"\"a\", \"port\": 0}]}", "E f.json:1: \"audit\" needs a \"file\"\n");
}
END_TEST

START_TEST(refuses_wrong_substitutions)
{
	unsetenv("PX_T_UNSET");
	setenv("PX_T_BAD", "\xff", 1);
	expect("{\"vhosts\": [{\n\"name\": \"a\",\n\"port\": \"${PX_T_UNSET}\"}]}",
			"E f.json:3: \"port\": there is no environment variable PX_T_UNSET\n");
	expect_vhost(", \"tenant\": \"${PX_T_BAD}\"",
			"E f.json:1: \"tenant\": not UTF-8: the environment variable PX_T_BAD\n");
	expect_vhost(", \"tenant\": \"$HOME\"",
			"E f.json:1: \"tenant\": a single \"$\": write ${NAME} for an environment variable, "
			"$$ for a dollar sign\n");
	expect_vhost(", \"tenant\": \"x$\"",
			"E f.json:1: \"tenant\": a single \"$\": write ${NAME} for an environment variable, "
			"$$ for a dollar sign\n");
	expect_vhost(", \"tenant\": \"${A\"", "E f.json:1: \"tenant\": \"${\" without \"}\"\n");
	expect_vhost(", \"tenant\": \"${PX_T_UNSET:-${B}}\"",
			"E f.json:1: \"tenant\": nested variables\n");
	static const char *const names[] = { "", "1A", "A-B", "A:B", "A B", ":-x", "\xc3\xa9" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char keys[64];
		(void)snprintf(keys, sizeof(keys), ", \"tenant\": \"${%s}\"", names[i]);
		expect_vhost(keys,
				"E f.json:1: \"tenant\": expected ${NAME} or ${NAME:-default}\n");
	}
	/* elements of arrays have the key around them */
	expect_vhost(", \"interface\": [\n\"localhost\",\n\"${PX_T_UNSET}\"], \"path\": 1",
			"E f.json:3: \"interface\": there is no environment variable PX_T_UNSET\n"
			"E f.json:3: \"path\": expected a string of 1 to 256 bytes, got 1\n");
}
END_TEST

START_TEST(limits_what_variables_make_of_a_value)
{
	char *big = malloc(40001);
	memset(big, 'x', 40000);
	big[40000] = '\0';
	setenv("PX_T_BIG", big, 1);
	free(big);
	expect_vhost(", \"tenant\": \"${PX_T_BIG}${PX_T_BIG}\"",
			"E f.json:1: \"tenant\": longer than 65536 bytes with its variables\n");
}
END_TEST

START_TEST(complains_once_of_a_void_value)
{
	unsetenv("PX_T_UNSET");
	/* nowhere a second complaint about the text that was not substituted */
	expect("{\"vhost\": \"${PX_T_UNSET}\", \"ws-protocols\": []}",
			"E f.json:1: \"vhost\": there is no environment variable PX_T_UNSET\n"
			"E no vhost is configured: expected {\"vhosts\": [{\"name\": …, \"port\": …}]}\n");
	expect("{\"vhosts\": [{\"name\": \"${PX_T_UNSET}\", \"port\": 0}]}",
			"E f.json:1: \"name\": there is no environment variable PX_T_UNSET\n");
	expect_vhost(", \"headers\": [{\"X\": \"${PX_T_UNSET}\"}, \"${PX_T_UNSET}\"],"
			"\"mounts\": [{\"mountpoint\": \"/\", \"origin\": \"${PX_T_UNSET}\"}],"
			"\"ws-protocols\": [{\"s\": {\"status\": \"${PX_T_UNSET}\"}, \"t\": "
			"\"${PX_T_UNSET}\"}]",
			"E f.json:1: \"X\": there is no environment variable PX_T_UNSET\n"
			"E f.json:1: \"headers\": there is no environment variable PX_T_UNSET\n"
			"E f.json:1: \"origin\": there is no environment variable PX_T_UNSET\n"
			"E f.json:1: \"status\": there is no environment variable PX_T_UNSET\n"
			"E f.json:1: \"t\": there is no environment variable PX_T_UNSET\n");
}
END_TEST

START_TEST(reads_values_from_files)
{
	put("tenant", "berlin\n");
	put("path", "/from-file\r\n");
	put("two", "a\n\n");
	char keys[256];
	(void)snprintf(keys, sizeof(keys),
			", \"tenant-file\": \"tenant\", \"path-file\": \"%s/path\"", directory);
	struct px_config *config = load_vhost(keys, "");
	ck_assert_str_eq(config->vhosts[0].tenant, "berlin");
	ck_assert_str_eq(config->vhosts[0].path, "/from-file");
	px_config_destroy(config);
	/* one line end is taken off, not two; $ means nothing there */
	put("dollar", "${PX_T_UNSET}");
	expect_vhost(", \"tenant-file\": \"two\"",
			"E f.json:1: \"tenant\": must not contain control characters\n");
	config = load_vhost(", \"tenant-file\": \"dollar\"", "");
	ck_assert_str_eq(config->vhosts[0].tenant, "${PX_T_UNSET}");
	px_config_destroy(config);
	/* even the name may come from a file, and "vhost" too */
	config = load_text("{\"vhosts\": [{\"name-file\": \"tenant\", \"port\": 0}]}", "");
	ck_assert_str_eq(config->vhosts[0].name, "berlin");
	px_config_destroy(config);
	expect("{\"vhost-file\": \"tenant\", \"ws-protocols\": []}",
			"E no vhost is configured: expected {\"vhosts\": [{\"name\": …, \"port\": …}]}\n"
			"E f.json:1: \"vhost\": there is no vhost \"berlin\" (known: none)\n");
}
END_TEST

START_TEST(refuses_wrong_value_files)
{
	put("x", "x");
	put_bytes("nul", "a\0b", 3);
	make_directory("dir");
	char *big = calloc(1, 65537);
	memset(big, 'x', 65537);
	put_bytes("big", big, 65537);
	free(big);
	char fifo[128];
	(void)snprintf(fifo, sizeof(fifo), "%s/fifo", directory);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	expect_vhost(",\n\"tenant-file\": \"hunter2\"",
			"E f.json:2: \"tenant-file\": cannot read the file that it names: "
			"No such file or directory\n");
	expect_vhost(", \"tenant-file\": \"dir\"",
			"E f.json:1: \"tenant-file\": cannot read the file that it names: Is a "
			"directory\n");
	expect_vhost(", \"tenant-file\": \"fifo\"",
			"E f.json:1: \"tenant-file\": cannot read the file that it names: Not a "
			"regular file\n");
	expect_vhost(", \"tenant-file\": \"big\"",
			"E f.json:1: \"tenant-file\": cannot read the file that it names: File too "
			"large\n");
	expect_vhost(", \"tenant-file\": \"nul\"",
			"E f.json:1: \"tenant-file\": the file that it names is not UTF-8 text\n");
	expect_vhost(", \"tenant-file\": 5",
			"E f.json:1: \"tenant-file\": expected the path of a file\n");
	expect_vhost(", \"tenant\": \"y\", \"tenant-file\": \"x\"",
			"E f.json:1: \"tenant\" and \"tenant-file\" exclude each other\n");
	expect_vhost(", \"tenant-file\": \"x\",\n\"tenant\": \"y\"",
			"E f.json:1: \"tenant\" and \"tenant-file\" exclude each other\n");
	/* of string keys alone */
	expect_vhost(", \"port-file\": \"x\"",
			"E f.json:1: unknown key \"port-file\" (expected: " VHOST_KEYS ")\n");
	/* what the file holds is not shown */
	put("mode", "hunter2");
	expect_vhost(", \"open-mode-file\": \"mode\"",
			"E f.json:1: \"open-mode\": expected one of loopback, insecure\n");
}
END_TEST

START_TEST(reads_files_that_come_in_pieces)
{
	char path[256];
	char *text;
	size_t length;
	put("long", "0123456789 and more than one read");
	(void)snprintf(path, sizeof(path), "%s/long", directory);
	int fd = dup(STDOUT_FILENO);
	(void)close(fd);
	pieces_begin(5, true);
	int r = px_config_file_read(path, 33, &text, &length);
	ck_assert_uint_eq(pieces_end(), 7);
	ck_assert_int_eq(r, 0);
	ck_assert_uint_eq(length, 33);
	ck_assert_str_eq(text, "0123456789 and more than one read");
	free(text);
	pieces_begin(5, false);
	ck_assert_int_eq(px_config_file_read(path, 32, &text, &length), -EFBIG);
	ck_assert_int_eq(px_config_file_read(path, 30, &text, &length), -EFBIG);
	(void)pieces_end();
	ck_assert_int_eq(px_config_file_check(path), 0);
	ck_assert_int_eq(dup(STDOUT_FILENO), fd); /* no descriptor was left open */
	(void)close(fd);
}
END_TEST

START_TEST(keeps_the_log_whole)
{
	expect_global("\"a\\nb\\u007f\\u001bc\": 1",
			"E f.json:1: unknown key \"a?b??c\" (expected: " GLOBAL_KEYS ")\n");
	/* a key that is cut within a character */
	expect_vhost(", \"headers\": "
			"[{\"0123456789012345678901234567890123456789012345678901234567890"
			"12\xe2\x82\xac\": \"x\"}]",
			"E f.json:1: \"headers\": \"01234567890123456789012345678"
			"9012345678901234567890123456789012?\": not the name of an HTTP header\n");
}
END_TEST

RUN("config_text", takes_all_of_json, takes_nothing_else, names_the_line_of_an_error,
		refuses_nul_bytes, limits_the_depth, refuses_a_key_twice,
		knows_the_line_of_every_value, substitutes_variables,
		leaves_out_what_the_environment_has_not,
		names_variables_that_would_protect_an_open_vhost, names_no_more_variables_than_fit,
		takes_no_audit_log_for_want_of_a_variable, refuses_wrong_substitutions,
		limits_what_variables_make_of_a_value, complains_once_of_a_void_value,
		reads_values_from_files, refuses_wrong_value_files,
		reads_files_that_come_in_pieces, keeps_the_log_whole);

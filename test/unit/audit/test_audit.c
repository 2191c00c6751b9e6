/* SPDX-License-Identifier: MIT */
/*
 * Writing the audit log: the lines, restarts and crashes, rotation, a disk that is full, and
 * others who touch the file. That tampering is found: test_audit_verify.c.
 */
#include "test_audit_util.h"

#include "audit/file.h"

#include <json-c/json.h>
#include <openssl/evp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

/* SHA-256 by another function of libcrypto than the one under test. */
static void hash_by_hand(const char *prev, struct px_span body, char hex[65])
{
	unsigned char bytes[32];
	char text[4096];
	int len = snprintf(text, sizeof(text), "%s%.*s", prev, (int)body.len, body.data);
	ck_assert(EVP_Digest(text, (size_t)len, bytes, NULL, EVP_sha256(), NULL));
	for (int i = 0; i < 32; i++) {
		(void)sprintf(hex + (size_t)i * 2, "%02x", bytes[i]);
	}
}

START_TEST(lines_are_as_documented)
{
	char first[1024];
	char second[1024];
	char hash[65];
	size_t len;
	struct px_audit *audit = open_audit_log("");
	struct px_audit_entry entry = make_entry("joined");
	entry.service = px_span("telemedicine");
	entry.room = px_span("r\"1\"");
	entry.target = px_span("c-2");
	entry.reason = px_span("why");
	wall_ms += 1000;
	ck_assert_int_eq(px_audit_write(audit, &entry), 0);
	px_audit_destroy(audit);

	int end = snprintf(first, sizeof(first), "{\"seq\":1,\"at\":\"2023-11-14T22:13:20.123Z\","
			"\"event\":\"trail_opened\",\"format\":1,\"algorithm\":\"sha256\",\"prev\":\"" ZEROS "\"");
	hash_by_hand(ZEROS, (struct px_span){ first, (size_t)end }, hash);
	(void)snprintf(first + end, sizeof(first) - (size_t)end, ",\"hash\":\"%s\"}\n", hash);
	end = snprintf(second, sizeof(second), "{\"seq\":2,\"at\":\"2023-11-14T22:13:21.123Z\","
			"\"event\":\"joined\",\"user\":7,\"role\":\"staff\",\"address\":\"192.0.2.7\","
			"\"clientId\":\"c-1\",\"vhost\":\"default\",\"tenant\":\"clinic\",\"practice\":1,"
			"\"service\":\"telemedicine\",\"room\":\"r\\\"1\\\"\",\"target\":\"c-2\",\"reason\":\"why\","
			"\"prev\":\"%s\"", hash);
	hash_by_hand(hash, (struct px_span){ second, (size_t)end }, hash);
	(void)snprintf(second + end, sizeof(second) - (size_t)end, ",\"hash\":\"%s\"}\n", hash);

	char *bytes = slurp(path, &len);
	ck_assert_uint_eq(len, strlen(first) + strlen(second));
	ck_assert(strncmp(bytes, first, strlen(first)) == 0);
	ck_assert_str_eq(bytes + strlen(first), second);
	free(bytes);
	ck_assert_whole(NULL);
}
END_TEST

START_TEST(a_key_makes_it_an_hmac)
{
	size_t len;
	struct px_audit *audit = open_audit_log(KEY);
	write_some(audit, 3);
	px_audit_destroy(audit);
	char *bytes = slurp(path, &len);
	ck_assert_ptr_nonnull(strstr(bytes, "\"algorithm\":\"hmac-sha256\",\"keyId\":\""));
	ck_assert_ptr_null(strstr(bytes, KEY));
	free(bytes);
	ck_assert_whole(KEY);
	ck_assert_int_eq(verify_audit_log(NULL), PX_AUDIT_UNKNOWN);
	ck_assert_int_eq(verify_audit_log(OTHER_KEY), PX_AUDIT_UNKNOWN);
}
END_TEST

/* RFC 4231, test case 2, cut in two: what the chain calls the hash before and the body. */
START_TEST(hmac_is_rfc_2104s)
{
	struct px_audit_hasher *hasher;
	char hash[65];
	const char *text = ZEROS "what do ya want for nothing?";
	unsigned char mac[32];
	size_t len;
	ck_assert_int_eq(px_audit_hasher_create(px_span("Jefe"), &hasher), 0);
	for (int round = 0; round < 3; round++) {
		ck_assert_int_eq(px_audit_hash(hasher, text, px_span(text + 64), hash), 0);
		ck_assert_ptr_nonnull(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, "Jefe", 4,
				(const unsigned char *)text, strlen(text), mac, sizeof(mac), &len));
		for (size_t i = 0; i < 32; i++) {
			char digits[3];
			(void)snprintf(digits, sizeof(digits), "%02x", mac[i]);
			ck_assert_int_eq(memcmp(hash + 2 * i, digits, 2), 0);
		}
	}
	px_audit_hasher_destroy(hasher);
	px_audit_hasher_destroy(NULL);
}
END_TEST

START_TEST(whatever_texts_there_are_it_is_json)
{
	static const char *const texts[] = {
		"plain", "\"", "\\", "a\nb", "\x01\x1f\x7f", "\xff\xfe", "\xc3", "caf\xc3\xa9", "\xe2\x80\xa8",
		"</script>", "{\"a\":1}", ",\"hash\":\"0\"}", "\xf0\x9f\x98\x80", "\xed\xa0\x80", "12", "-",
	};
	enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };
	char much[2000];
	size_t len;
	struct px_audit *audit = open_audit_log("");
	memset(much, '"', sizeof(much));
	memcpy(much + 255, "\xc3\xa9", 2); /* across the border */
	for (int i = 0; i <= TEXTS; i++) {
		struct px_span text = i < TEXTS ? px_span(texts[i]) :
				(struct px_span){ much, sizeof(much) };
		struct px_audit_entry entry = {
			.event = "odd", .user = { text, true }, .role = PX_ROLE_PATIENT,
			.address = text, .client = text, .vhost = text, .tenant = text,
			.practice = { text, true }, .service = text, .room = text, .target = text,
			.reason = text,
		};
		ck_assert_int_eq(px_audit_write(audit, &entry), 0);
	}
	px_audit_destroy(audit);
	char *bytes = slurp(path, &len);
	ck_assert_uint_eq(count_lines(bytes), TEXTS + 2);
	for (size_t i = 1; i <= TEXTS + 2; i++) {
		struct px_span line = line_of(bytes, i);
		struct json_tokener *tokener = json_tokener_new();
		json_tokener_set_flags(tokener, JSON_TOKENER_VALIDATE_UTF8);
		struct json_object *object = json_tokener_parse_ex(tokener, line.data,
				(int)line.len);
		ck_assert_msg(object != NULL, "%.*s", (int)line.len, line.data);
		json_object_put(object);
		json_tokener_free(tokener);
	}
	ck_assert_ptr_nonnull(strstr(bytes, "\"room\":\"a?b\""));
	ck_assert_ptr_nonnull(strstr(bytes, "\"room\":\"caf\xc3\xa9\""));
	ck_assert_ptr_nonnull(strstr(bytes, "\"user\":12,"));
	ck_assert_ptr_nonnull(strstr(bytes, "\"user\":\"-\","));
	/* What was too long was cut between characters. */
	struct px_span last = line_of(bytes, TEXTS + 2);
	ck_assert_ptr_null(memchr(last.data, '?', last.len));
	ck_assert_ptr_null(memchr(last.data, '\xc3', last.len));
	free(bytes);
	ck_assert_whole(NULL);
}
END_TEST

START_TEST(the_chain_goes_on_after_a_restart)
{
	struct px_audit_stats stats;
	size_t len;
	for (int i = 0; i < 4; i++) {
		struct px_audit *audit = open_audit_log(KEY);
		write_some(audit, 5);
		px_audit_stats(audit, &stats);
		ck_assert_uint_eq(stats.seq, (unsigned)(1 + 5 * (i + 1)));
		ck_assert_uint_eq(stats.lines, i == 0 ? 6 : 5);
		ck_assert_uint_eq(stats.lost, 0);
		px_audit_destroy(audit);
	}
	ck_assert_whole(KEY);
	char *bytes = slurp(path, &len);
	ck_assert_uint_eq(count_lines(bytes), 21);
	/* The head that the log has last is that of the last line. */
	struct px_span last = line_of(bytes, 21);
	char head[65];
	(void)snprintf(head, sizeof(head), "%.64s", last.data + last.len - 66);
	ck_assert_logged(head);
	ck_assert_logged("2 audit log PATH: ends at line 21, head ");
	free(bytes);
}
END_TEST

START_TEST(heads_are_logged_now_and_then)
{
	struct px_audit_settings settings = make_settings(PX_AUDIT_REFUSE, "");
	settings.head_every = 4;
	struct px_audit *audit = open_with(settings);
	write_some(audit, 8);
	ck_assert_logged("2 audit log PATH: line 4, head ");
	ck_assert_logged("2 audit log PATH: line 8, head ");
	ck_assert_ptr_null(strstr(logged, "line 5"));
	px_audit_destroy(audit);
}
END_TEST

START_TEST(half_a_line_is_cut_off_and_told)
{
	char zeros[10000] = "";
	struct {
		const char *bytes;
		size_t len;
	} ends[] = {
		{ "{\"seq\":4,\"at\":\"20", 17 },
		{ "x", 1 },
		{ zeros, sizeof(zeros) }, /* XFS and ext4 after a power cut */
		{ zeros, 4095 }, /* the line before ends where it is read from */
	};
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t len;
		struct px_audit *audit = open_audit_log("");
		write_some(audit, 2);
		px_audit_destroy(audit);
		append(path, ends[i].bytes, ends[i].len);
		ck_assert_int_eq(verify_audit_log(NULL), PX_AUDIT_BROKEN);
		audit = open_audit_log("");
		write_some(audit, 1);
		px_audit_destroy(audit);
		ck_assert_whole(NULL);
		char expected[80];
		char *bytes = slurp(path, &len);
		(void)snprintf(expected, sizeof(expected), "\"trail_gap\",\"lost\":1,\"reason\":\"torn\","
				"\"bytes\":%zu,", ends[i].len);
		ck_assert_ptr_nonnull(strstr(bytes, expected));
		free(bytes);
		ck_assert_logged("0 audit log PATH: truncated an incomplete line of ");
		ck_assert_int_eq(unlink(path), 0);
		ck_assert_int_eq(unlink(beside(".head")), 0);
	}
}
END_TEST

START_TEST(half_a_first_line_too)
{
	size_t len;
	put(path, "{\"seq\":1,", 9);
	struct px_audit *audit = open_audit_log("");
	px_audit_destroy(audit);
	ck_assert_whole(NULL);
	char *bytes = slurp(path, &len);
	ck_assert_uint_eq(count_lines(bytes), 2);
	ck_assert_ptr_nonnull(strstr(bytes, "\"reason\":\"torn\""));
	free(bytes);
}
END_TEST

/* Changes a byte that many bytes before the end. */
static void damage(size_t back)
{
	size_t len;
	char *bytes = slurp(path, &len);
	bytes[len - back] = (char)(bytes[len - back] ^ 1);
	put(path, bytes, len);
	free(bytes);
}

START_TEST(a_changed_end_is_not_continued)
{
	struct px_audit_settings settings = make_settings(PX_AUDIT_REFUSE, KEY);
	struct px_audit *audit = open_with(settings);
	write_some(audit, 5);
	px_audit_destroy(audit);
	damage(200);
	size_t len = size_of(path);
	ck_assert_int_eq(px_audit_create(&settings, &audit), -EBADMSG);
	ck_assert_uint_eq(size_of(path), len);
	ck_assert_logged("0 audit log PATH: cannot be continued: its last line was changed: ");
	damage(200);
	px_audit_destroy(open_with(settings));
	append(path, "no line\n", 8);
	ck_assert_int_eq(px_audit_create(&settings, &audit), -EBADMSG);
	put(path, "no line\n", 8);
	ck_assert_int_eq(px_audit_create(&settings, &audit), -EBADMSG);
	ck_assert_logged("its first line is not that of an audit log");
}
END_TEST

START_TEST(or_is_moved_aside)
{
	struct px_audit_settings settings = make_settings(PX_AUDIT_CONTINUE, KEY);
	struct px_audit *audit = open_with(settings);
	write_some(audit, 5);
	px_audit_destroy(audit);
	damage(200);
	audit = open_with(settings);
	write_some(audit, 1);
	px_audit_destroy(audit);
	ck_assert(exists(beside(".broken-20231114T221320Z")));
	ck_assert_logged("0 audit log PATH: its last line was changed: its hash does not match; "
			"moved to ");
	size_t len;
	char *bytes = slurp(path, &len);
	ck_assert_ptr_nonnull(strstr(bytes, "\"trail_gap\",\"lost\":0,\"reason\":\"broken\""));
	/* The head knew where the chain was. */
	ck_assert(strncmp(bytes, "{\"seq\":7,", 9) == 0);
	free(bytes);
	ck_assert_whole(KEY);
}
END_TEST

START_TEST(lines_missing_at_the_end_are_told)
{
	size_t len;
	struct px_audit *audit = open_audit_log("");
	write_some(audit, 9);
	px_audit_destroy(audit);
	char *bytes = slurp(path, &len);
	ck_assert_int_eq(truncate(path, line_of(bytes, 7).data - bytes), 0);
	free(bytes);
	audit = open_audit_log("");
	px_audit_destroy(audit);
	bytes = slurp(path, &len);
	ck_assert_ptr_nonnull(strstr(bytes, "{\"seq\":7,"));
	ck_assert_ptr_nonnull(strstr(bytes, "\"trail_gap\",\"lost\":4,\"reason\":\"missing\""));
	free(bytes);
	ck_assert_whole(NULL);
	ck_assert_logged("0 audit log PATH: 4 lines are missing at its end");
}
END_TEST

START_TEST(an_audit_log_that_was_rewritten_is_noticed)
{
	/* Two audit logs of the same length; one is put in the place of the other. */
	struct px_audit_settings settings = make_settings(PX_AUDIT_REFUSE, "");
	struct px_audit *audit = open_with(settings);
	write_some(audit, 5);
	px_audit_destroy(audit);
	ck_assert_int_eq(rename(path, beside(".other")), 0);
	ck_assert_int_eq(unlink(beside(".head")), 0);
	audit = open_with(settings);
	write_some(audit, 5);
	px_audit_destroy(audit);
	ck_assert_int_eq(rename(beside(".other"), path), 0);
	ck_assert_whole(NULL);
	ck_assert_int_eq(px_audit_create(&settings, &audit), -EBADMSG);
	ck_assert_logged("the file was rewritten");
}
END_TEST

START_TEST(the_head_can_be_made_anew)
{
	struct px_audit *audit = open_audit_log("");
	write_some(audit, 3);
	px_audit_destroy(audit);
	ck_assert_uint_eq(size_of(beside(".head")), 102);
	ck_assert_int_eq(unlink(beside(".head")), 0);
	audit = open_audit_log("");
	write_some(audit, 3);
	px_audit_destroy(audit);
	ck_assert_logged("1 audit log PATH: its .head was gone; replacing it");
	put(beside(".head"), "praxis-audit-head 000000000000000007 nonsense\n", 46);
	audit = open_audit_log("");
	write_some(audit, 3);
	px_audit_destroy(audit);
	ck_assert_logged("1 audit log PATH: its .head is damaged; replacing it");
	ck_assert_whole(NULL);
	ck_assert_uint_eq(size_of(beside(".head")), 102);
}
END_TEST

START_TEST(another_key_needs_another_file)
{
	struct px_audit_settings settings = make_settings(PX_AUDIT_CONTINUE, KEY);
	struct px_audit *audit = open_audit_log("");
	write_some(audit, 3);
	px_audit_destroy(audit);
	ck_assert_int_eq(px_audit_create(&settings, &audit), -EPROTO);
	ck_assert_logged("move the file away to begin a new one");
	ck_assert_int_eq(rename(path, beside(".1")), 0);
	px_audit_destroy(open_with(settings));
	settings.key = px_span(OTHER_KEY);
	ck_assert_int_eq(px_audit_create(&settings, &audit), -EPROTO);
	settings.key = px_span("");
	ck_assert_int_eq(px_audit_create(&settings, &audit), -EPROTO);
	/* The chain went on all the same. */
	const char *const paths[] = { beside(".1"), path, NULL };
	struct px_audit_verify_options options = { 0 };
	FILE *files[2] = { fopen(paths[0], "r"), fopen(paths[1], "r") };
	ck_assert_int_eq(verify_with(&options, files, 2), PX_AUDIT_UNKNOWN);
	(void)fclose(files[0]);
	ck_assert_whole(KEY);
	(void)fclose(files[1]);
}
END_TEST

START_TEST(rotation_on_request)
{
	struct px_audit_stats stats;
	struct px_audit *audit = open_audit_log(KEY);
	write_some(audit, 4);
	ck_assert_int_eq(px_audit_reopen(audit), 0); /* nothing to do */
	ck_assert_int_eq(rename(path, beside(".2")), 0);
	write_some(audit, 2); /* into the old file still */
	ck_assert_int_eq(px_audit_reopen(audit), 0);
	ck_assert_uint_gt(size_of(path), 0);
	write_some(audit, 3);
	ck_assert_int_eq(rename(path, beside(".1")), 0);
	put(path, "", 0); /* logrotate's create */
	ck_assert_int_eq(px_audit_reopen(audit), 0);
	write_some(audit, 1);
	px_audit_stats(audit, &stats);
	ck_assert_uint_eq(stats.files, 3);
	px_audit_destroy(audit);
	const char *const paths[] = { beside(".2"), beside(".1"), path, NULL };
	ck_assert_msg(verify_paths(KEY, paths) == PX_AUDIT_GOOD, "%s", verdict);
	ck_assert_ptr_nonnull(strstr(verdict, "13 lines up to line 13"));
	ck_assert_logged("2 audit log PATH: the file was moved away; continuing in a new one after "
			"line 7, head ");
}
END_TEST

START_TEST(rotation_unasked)
{
	struct px_audit *audit = open_audit_log("");
	write_some(audit, 3);
	ck_assert_int_eq(rename(path, beside(".1")), 0);
	write_some(audit, 3);
	ck_assert(!exists(path));
	wall_ms += 1000;
	write_some(audit, 3);
	ck_assert(exists(path));
	px_audit_destroy(audit);
	const char *const paths[] = { beside(".1"), path, NULL };
	ck_assert_msg(verify_paths(NULL, paths) == PX_AUDIT_GOOD, "%s", verdict);
}
END_TEST

START_TEST(rotation_while_no_server_runs)
{
	struct px_audit *audit = open_audit_log("");
	write_some(audit, 3);
	px_audit_destroy(audit);
	ck_assert_int_eq(rename(path, beside(".1")), 0);
	audit = open_audit_log("");
	write_some(audit, 3);
	px_audit_destroy(audit);
	const char *const paths[] = { beside(".1"), path, NULL };
	ck_assert_msg(verify_paths(NULL, paths) == PX_AUDIT_GOOD, "%s", verdict);
}
END_TEST

START_TEST(rotation_that_cannot_be_done)
{
	struct px_audit *audit = open_audit_log("");
	write_some(audit, 3);
	ck_assert_int_eq(rename(path, beside(".1")), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_lt(px_audit_reopen(audit), 0);
	ck_assert_logged("0 audit log PATH: cannot continue in the new file: ");
	write_some(audit, 3);
	ck_assert_int_eq(rmdir(path), 0);
	put(path, "something else\n", 15);
	ck_assert_int_eq(px_audit_reopen(audit), -EBADMSG);
	write_some(audit, 3);
	ck_assert_uint_eq(size_of(path), 15);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(px_audit_reopen(audit), 0);
	write_some(audit, 3);
	px_audit_destroy(audit);
	const char *const paths[] = { beside(".1"), path, NULL };
	ck_assert_msg(verify_paths(NULL, paths) == PX_AUDIT_GOOD, "%s", verdict);
}
END_TEST

START_TEST(an_old_copy_in_its_place_is_not_continued)
{
	size_t len;
	struct px_audit *audit = open_audit_log("");
	write_some(audit, 3);
	char *bytes = slurp(path, &len);
	write_some(audit, 3);
	ck_assert_int_eq(rename(path, beside(".1")), 0);
	put(path, bytes, len);
	free(bytes);
	ck_assert_int_eq(px_audit_reopen(audit), -EBADMSG);
	ck_assert_logged("it does not end where this audit log ended; still writing to the old file");
	write_some(audit, 1);
	px_audit_destroy(audit);
	const char *const paths[] = { beside(".1"), NULL };
	ck_assert_msg(verify_paths(NULL, paths) == PX_AUDIT_GOOD, "%s", verdict);
	ck_assert_ptr_nonnull(strstr(verdict, "8 lines"));
}
END_TEST

/* An editor writes a copy, and puts it in the place of the file. */
START_TEST(a_copy_in_its_place_is_continued)
{
	size_t len;
	struct px_audit *audit = open_audit_log("");
	write_some(audit, 3);
	char *bytes = slurp(path, &len);
	put(beside(".copy"), bytes, len);
	free(bytes);
	ck_assert_int_eq(rename(beside(".copy"), path), 0);
	ck_assert_int_eq(px_audit_reopen(audit), 0);
	write_some(audit, 3);
	px_audit_destroy(audit);
	ck_assert_whole(NULL);
}
END_TEST

START_TEST(a_deleted_file_is_noticed_at_once)
{
	struct px_audit *audit = open_audit_log("");
	write_some(audit, 3);
	ck_assert_int_eq(unlink(path), 0);
	write_some(audit, 3);
	px_audit_destroy(audit);
	ck_assert_logged("0 audit log PATH: the file was deleted; continuing in a new one after line 4");
	ck_assert_whole(NULL);
	ck_assert_ptr_nonnull(strstr(verdict, "begins with line 5"));
}
END_TEST

START_TEST(copytruncate_works)
{
	size_t len;
	struct px_audit *audit = open_audit_log("");
	write_some(audit, 3);
	char *bytes = slurp(path, &len);
	put(beside(".1"), bytes, len);
	free(bytes);
	ck_assert_int_eq(truncate(path, 0), 0);
	write_some(audit, 3);
	px_audit_destroy(audit);
	const char *const paths[] = { beside(".1"), path, NULL };
	ck_assert_msg(verify_paths(NULL, paths) == PX_AUDIT_GOOD, "%s", verdict);
	ck_assert_logged("another process emptied it after line 4");
}
END_TEST

START_TEST(others_who_write_are_noticed)
{
	struct px_audit *audit = open_audit_log("");
	write_some(audit, 3);
	append(path, "hello\n", 6);
	write_some(audit, 1);
	ck_assert_logged("0 audit log PATH: another process wrote to it after line 4");
	px_audit_destroy(audit);
	ck_assert_int_eq(verify_audit_log(NULL), PX_AUDIT_BROKEN);
	ck_assert_ptr_nonnull(strstr(verdict, "FILE:5: "));
}
END_TEST

/*
 * Files cannot grow beyond the size: as a full disk, but with EFBIG. Nothing is asserted before
 * unlimit_size(), since check writes to a file, too.
 */
static void limit_size(size_t size)
{
	struct rlimit limit;
	(void)getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = size;
	(void)setrlimit(RLIMIT_FSIZE, &limit);
	(void)signal(SIGXFSZ, SIG_IGN);
}

static void unlimit_size(void)
{
	struct rlimit limit;
	(void)getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_FSIZE, &limit);
}

/* Writes an entry while the audit log has room for so many bytes more. */
static int write_into(struct px_audit *audit, size_t room)
{
	size_t size = size_of(path);
	limit_size(size + room);
	int rc = write_one(audit);
	unlimit_size();
	return rc;
}

static int permit_into(struct px_audit *audit, size_t room)
{
	struct px_audit_entry entry = make_entry("connected");
	size_t size = size_of(path);
	limit_size(size + room);
	int rc = px_audit_permit(audit, &entry);
	unlimit_size();
	return rc;
}

static int create_limited(const struct px_audit_settings *settings, size_t size,
		struct px_audit **ret_audit)
{
	limit_size(size);
	int rc = px_audit_create(settings, ret_audit);
	unlimit_size();
	return rc;
}

static int times(const char *text)
{
	int count = 0;
	for (const char *at = logged; (at = strstr(at, text)) != NULL; at++) {
		count++;
	}
	return count;
}

START_TEST(a_full_disk_refuses)
{
	struct px_audit_stats stats;
	struct px_audit_entry entry = make_entry("connected");
	size_t len;
	struct px_audit *audit = open_audit_log(KEY);
	write_some(audit, 5);
	size_t full = size_of(path);
	/* Wherever in the line the disk fills, nothing of it stays. */
	for (size_t room = 0; room < 200; room += 13) {
		ck_assert_int_eq(permit_into(audit, room), -EFBIG);
		ck_assert_uint_eq(size_of(path), full);
		ck_assert_whole(KEY);
		wall_ms += 1000;
	}
	px_audit_stats(audit, &stats);
	ck_assert_uint_eq(stats.lost, 16);
	ck_assert_uint_eq(stats.seq, 6);
	ck_assert(stats.failing);
	ck_assert_int_eq(times("cannot be written"), 2);
	ck_assert_logged("0 audit log PATH: cannot be written: File too large; 11 entries lost since "
			"the start; acts are refused");
	ck_assert_int_eq(px_audit_permit(audit, &entry), 0);
	px_audit_stats(audit, &stats);
	ck_assert(!stats.failing);
	ck_assert_uint_eq(stats.seq, 8);
	ck_assert_logged("1 audit log PATH: can be written again; 16 entries lost");
	px_audit_destroy(audit);
	ck_assert_whole(KEY);
	char *bytes = slurp(path, &len);
	ck_assert_ptr_nonnull(strstr(bytes, "{\"seq\":7,"));
	ck_assert_ptr_nonnull(strstr(bytes, "\"trail_gap\",\"lost\":16,\"reason\":\"unwritten\",\"prev\""));
	free(bytes);
	ck_assert_ptr_nonnull(strstr(verdict, "gap: 16 entries lost (unwritten)"));
}
END_TEST

START_TEST(or_lets_them_go_on)
{
	struct px_audit_stats stats;
	struct px_audit *audit = open_with(make_settings(PX_AUDIT_CONTINUE, ""));
	write_some(audit, 5);
	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(permit_into(audit, 100), 0);
		ck_assert_int_eq(write_into(audit, 100), -EFBIG);
	}
	ck_assert_int_eq(times("cannot be written"), 1);
	ck_assert_logged("acts continue unrecorded");
	write_some(audit, 1);
	px_audit_stats(audit, &stats);
	ck_assert_uint_eq(stats.lost, 2000);
	px_audit_destroy(audit);
	ck_assert_whole(NULL);
	ck_assert_ptr_nonnull(strstr(verdict, "gap: 2000 entries lost (unwritten)"));
}
END_TEST

/* Room for the gap, but not for the entry: the count does not come twice. */
START_TEST(a_gap_is_told_once)
{
	size_t len;
	struct px_audit *audit = open_audit_log("");
	write_some(audit, 1);
	ck_assert_int_eq(write_into(audit, 10), -EFBIG);
	ck_assert_int_eq(write_into(audit, 10), -EFBIG);
	ck_assert_int_eq(write_into(audit, 350), -EFBIG);
	ck_assert_int_eq(write_one(audit), 0);
	px_audit_destroy(audit);
	char *bytes = slurp(path, &len);
	ck_assert_ptr_nonnull(strstr(bytes, "\"lost\":2,"));
	ck_assert_ptr_nonnull(strstr(bytes, "\"lost\":1,"));
	free(bytes);
	ck_assert_whole(NULL);
	ck_assert_ptr_nonnull(strstr(verdict, "2 gaps, in which 3 entries"));
}
END_TEST

START_TEST(complaints_are_rare_however_it_flaps)
{
	struct px_audit *audit = open_with(make_settings(PX_AUDIT_CONTINUE, ""));
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(write_into(audit, 10), -EFBIG);
		ck_assert_int_eq(write_one(audit), 0);
		wall_ms += 100;
	}
	ck_assert_int_eq(times("cannot be written"), 1);
	ck_assert_int_eq(times("can be written again"), 1);
	wall_ms -= 3600000; /* somebody set the clock back */
	ck_assert_int_eq(write_into(audit, 10), -EFBIG);
	ck_assert_int_eq(times("cannot be written"), 2);
	px_audit_destroy(audit);
}
END_TEST

START_TEST(starting_on_a_full_disk)
{
	struct px_audit_settings settings = make_settings(PX_AUDIT_REFUSE, "");
	struct px_audit *audit;
	/* Enough for the head alone. */
	ck_assert_int_eq(create_limited(&settings, 150, &audit), -EFBIG);
	settings.on_full = PX_AUDIT_CONTINUE;
	ck_assert_int_eq(create_limited(&settings, 150, &audit), 0);
	ck_assert_logged("cannot be written: File too large; starting without");
	ck_assert_int_eq(write_into(audit, 150), -EFBIG);
	ck_assert_int_eq(write_one(audit), 0);
	px_audit_destroy(audit);
	ck_assert_whole(NULL);
	ck_assert_ptr_nonnull(strstr(verdict, "3 lines up to line 3"));
}
END_TEST

/* The gap of a crash is not forgotten because the disk was full at start, too. */
START_TEST(half_a_line_on_a_full_disk)
{
	struct px_audit_settings settings = make_settings(PX_AUDIT_CONTINUE, "");
	struct px_audit *audit = open_with(settings);
	write_some(audit, 3);
	px_audit_destroy(audit);
	append(path, "{\"seq\":", 7);
	ck_assert_int_eq(create_limited(&settings, size_of(path) + 20, &audit), 0);
	ck_assert_int_eq(write_into(audit, 20), -EFBIG);
	ck_assert_int_eq(write_one(audit), 0);
	px_audit_destroy(audit);
	ck_assert_whole(NULL);
	ck_assert_ptr_nonnull(strstr(verdict, "gap: 1 entries lost (torn)"));
	ck_assert_ptr_nonnull(strstr(verdict, "gap: 1 entries lost (unwritten)"));
}
END_TEST

static bool tell(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY);
	bool told = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0) {
		close(fd);
	}
	return told;
}

/* A disk of 64 KiB at `directory`, which only this process sees. */
static bool mount_small_disk(void)
{
	char users[32];
	char groups[32];
	(void)snprintf(users, sizeof(users), "0 %u 1", getuid());
	(void)snprintf(groups, sizeof(groups), "0 %u 1", getgid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && tell("/proc/self/setgroups", "deny") &&
			tell("/proc/self/uid_map", users) && tell("/proc/self/gid_map", groups) &&
			mount("tmpfs", directory, "tmpfs", 0, "size=64k") == 0;
}

static void fill_disk(const char *name)
{
	char block[4096] = "";
	int fd = open(name, O_WRONLY | O_CREAT, 0600);
	while (fd >= 0 && write(fd, block, sizeof(block)) > 0) {
	}
	close(fd);
}

#define SKIPPED 77

static int use_a_real_full_disk(void)
{
	struct px_audit_settings settings = make_settings(PX_AUDIT_REFUSE, KEY);
	if (!mount_small_disk()) {
		return SKIPPED;
	}
	settings.sync = PX_AUDIT_SYNC_LINE;
	struct px_audit *audit = open_with(settings);
	write_some(audit, 5);
	fill_disk(beside(".filler"));
	int written = 0;
	while (write_one(audit) == 0) { /* what is left of the last page */
		written++;
	}
	ck_assert_int_lt(written, 20);
	ck_assert_int_eq(write_one(audit), -ENOSPC);
	ck_assert_whole(KEY);
	ck_assert_int_eq(unlink(beside(".filler")), 0);
	ck_assert_int_eq(write_one(audit), 0);
	px_audit_destroy(audit);
	ck_assert_whole(KEY);
	ck_assert_ptr_nonnull(strstr(verdict, "in which 2 entries were lost"));
	ck_assert_logged("No space left on device");
	return 0;
}

START_TEST(a_real_full_disk)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		_exit(use_a_real_full_disk());
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIPPED) {
		(void)fputs("a_real_full_disk: skipped, no user namespaces here\n", stderr);
	} else {
		ck_assert_int_eq(WEXITSTATUS(status), 0);
	}
}
END_TEST

START_TEST(one_writer)
{
	struct px_audit_settings settings = make_settings(PX_AUDIT_CONTINUE, "");
	struct px_audit *audit = open_with(settings);
	struct px_audit *second;
	ck_assert_int_eq(px_audit_create(&settings, &second), -EBUSY);
	ck_assert_logged("0 audit log PATH: cannot be opened: another process writes it");
	/* By another name of the same file. */
	char other[128];
	(void)snprintf(other, sizeof(other), "%s", beside(".link"));
	ck_assert_int_eq(link(path, other), 0);
	settings.path = other;
	ck_assert_int_eq(px_audit_create(&settings, &second), -EBUSY);
	settings.path = path;
	/* And after it was moved away. */
	ck_assert_int_eq(rename(path, beside(".1")), 0);
	ck_assert_int_eq(px_audit_create(&settings, &second), -EBUSY);
	px_audit_destroy(audit);
	px_audit_destroy(open_with(settings));
}
END_TEST

START_TEST(nobody_else_reads_it)
{
	struct stat st;
	(void)umask(0);
	struct px_audit *audit = open_audit_log("");
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(stat(beside(".head"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	for (int fd = 3; fd < 64; fd++) {
		char link[64];
		char name[256] = "";
		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		if (readlink(link, name, sizeof(name) - 1) > 0 && strstr(name, path)) {
			ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		}
	}
	px_audit_destroy(audit);
}
END_TEST

START_TEST(each_line_on_the_disk)
{
	struct px_audit_settings settings = make_settings(PX_AUDIT_REFUSE, "");
	settings.sync = PX_AUDIT_SYNC_LINE;
	struct px_audit *audit = open_with(settings);
	write_some(audit, 3);
	struct px_audit_entry entry = make_entry("left");
	ck_assert_int_eq(px_audit_note(audit, &entry), 0);
	settings.sync = PX_AUDIT_SYNC_NONE;
	settings.on_full = PX_AUDIT_CONTINUE;
	px_audit_configure(audit, &settings);
	write_some(audit, 3);
	ck_assert_int_eq(permit_into(audit, 10), 0);
	px_audit_destroy(audit);
	ck_assert_whole(NULL);
}
END_TEST

/* A new file is there after a power cut only when its directory is written, too. */
START_TEST(a_new_file_needs_its_directory_on_the_disk)
{
	struct px_audit_file file;
	if (geteuid() == 0) {
		ck_assert_int_eq(chown(directory, 12345, 12345), 0);
		ck_assert_int_eq(seteuid(12345), 0);
	}
	ck_assert_int_eq(chmod(directory, 0300), 0); /* not to be opened, which syncing it does */
	ck_assert_int_eq(px_audit_file_open(&file, beside(".x"), true), -EACCES);
	ck_assert_int_eq(file.fd, -1);
	ck_assert_int_eq(px_audit_file_open(&file, beside(".x"), false), 0);
	ck_assert_int_eq(px_audit_file_append(&file, px_span("{}\n"), false), 0);
	px_audit_file_close(&file);
	/* It is no new one any more. */
	ck_assert_int_eq(px_audit_file_open(&file, beside(".x"), true), 0);
	px_audit_file_close(&file);
	ck_assert_int_eq(chmod(directory, 0700), 0);
	ck_assert_int_eq(seteuid(getuid()), 0);
}
END_TEST

START_TEST(what_cannot_be_an_audit_log)
{
	struct px_audit_settings settings = make_settings(PX_AUDIT_CONTINUE, "");
	struct px_audit *audit = NULL;
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(px_audit_create(&settings, &audit), -EINVAL);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(px_audit_create(&settings, &audit), -EISDIR);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(symlink("/dev/full", path), 0);
	ck_assert_int_eq(px_audit_create(&settings, &audit), -EINVAL);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	ck_assert_int_eq(px_audit_create(&settings, &audit), -ENOENT);
	ck_assert_ptr_null(audit);
}
END_TEST

START_TEST(without_an_audit_log)
{
	struct px_audit_stats stats;
	struct px_audit_entry entry = make_entry("connected");
	ck_assert_int_eq(px_audit_write(NULL, &entry), 0);
	ck_assert_int_eq(px_audit_permit(NULL, &entry), 0);
	ck_assert_int_eq(px_audit_note(NULL, &entry), 0);
	ck_assert_int_eq(px_audit_reopen(NULL), 0);
	px_audit_stats(NULL, &stats);
	ck_assert_uint_eq(stats.seq, 0);
	px_audit_destroy(NULL);
}
END_TEST

RUN("audit", lines_are_as_documented, a_key_makes_it_an_hmac, hmac_is_rfc_2104s,
		whatever_texts_there_are_it_is_json, the_chain_goes_on_after_a_restart,
		heads_are_logged_now_and_then, half_a_line_is_cut_off_and_told, half_a_first_line_too,
		a_changed_end_is_not_continued, or_is_moved_aside, lines_missing_at_the_end_are_told,
		an_audit_log_that_was_rewritten_is_noticed, the_head_can_be_made_anew,
		another_key_needs_another_file, rotation_on_request, rotation_unasked,
		rotation_while_no_server_runs, rotation_that_cannot_be_done,
		an_old_copy_in_its_place_is_not_continued,
		a_copy_in_its_place_is_continued, a_deleted_file_is_noticed_at_once, copytruncate_works,
		others_who_write_are_noticed, a_full_disk_refuses, or_lets_them_go_on, a_gap_is_told_once,
		complaints_are_rare_however_it_flaps, starting_on_a_full_disk, half_a_line_on_a_full_disk,
		a_real_full_disk, one_writer, nobody_else_reads_it, each_line_on_the_disk,
		a_new_file_needs_its_directory_on_the_disk, what_cannot_be_an_audit_log,
		without_an_audit_log);

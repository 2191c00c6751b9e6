/* SPDX-License-Identifier: MIT */
/*
 * Tampering with an audit log, and that each kind of it is found: what an auditor relies on
 * is not that good audit logs verify but that bad ones do not.
 */
#include "test_audit_util.h"

#define LINES 20

static const struct px_audit_verify_options plain = { 0 };

static struct px_audit_verify_options with_key(const char *key)
{
	struct px_audit_verify_options options = { .key_count = 1 };
	options.keys[0] = px_span(key);
	return options;
}

/* An audit log of LINES lines, as bytes; free() them. */
static char *make_audit_log(const char *key, size_t *ret_len)
{
	struct px_audit *audit = open_audit_log(key);
	write_some(audit, LINES - 1);
	px_audit_destroy(audit);
	return slurp(path, ret_len);
}

static void flip_every_byte(const struct px_audit_verify_options *options, const char *key)
{
	static const char flips[] = { 1, 0x20, (char)0x80, 0x0a };
	size_t len;
	char *bytes = make_audit_log(key, &len);
	ck_assert_int_eq(verify_bytes(options, bytes, len), PX_AUDIT_GOOD);
	for (size_t i = 0; i < len; i++) {
		for (size_t k = 0; k < sizeof(flips); k++) {
			bytes[i] = (char)(bytes[i] ^ flips[k]);
			int code = verify_bytes(options, bytes, len);
			ck_assert_msg(code != PX_AUDIT_GOOD, "byte %zu", i);
			ck_assert_int_eq(strncmp(verdict, "FILE:", 5), 0);
			bytes[i] = (char)(bytes[i] ^ flips[k]);
		}
	}
	ck_assert_int_eq(verify_bytes(options, bytes, len), PX_AUDIT_GOOD);
	free(bytes);
}

START_TEST(every_byte_counts)
{
	flip_every_byte(&plain, "");
}
END_TEST

START_TEST(every_byte_counts_with_a_key)
{
	struct px_audit_verify_options options = with_key(KEY);
	flip_every_byte(&options, KEY);
}
END_TEST

START_TEST(the_changed_line_is_named)
{
	size_t len;
	char *bytes = make_audit_log("", &len);
	for (size_t number = 1; number <= LINES; number++) {
		struct px_span line = line_of(bytes, number);
		char *at = strstr(line.data, "2023");
		char expected[64];
		*at = '3';
		ck_assert_int_eq(verify_bytes(&plain, bytes, len), PX_AUDIT_BROKEN);
		(void)snprintf(expected, sizeof(expected), "FILE:%zu: this line was changed",
				number);
		ck_assert_int_eq(strncmp(verdict, expected, strlen(expected)), 0);
		*at = '2';
	}
	free(bytes);
}
END_TEST

/* Puts the lines together in that order; 0 ends it. */
static char *arrange(const char *bytes, const size_t *numbers, size_t *ret_len)
{
	char *result = malloc(LINES * 2 * 1024);
	size_t len = 0;
	ck_assert_ptr_nonnull(result);
	for (; *numbers; numbers++) {
		struct px_span line = line_of(bytes, *numbers);
		memcpy(result + len, line.data, line.len + 1);
		len += line.len + 1;
	}
	*ret_len = len;
	return result;
}

static void expect(const char *bytes, const size_t *numbers, int code, size_t line,
		const char *why)
{
	size_t len;
	char expected[128];
	char *arranged = arrange(bytes, numbers, &len);
	ck_assert_int_eq(verify_bytes(&plain, arranged, len), code);
	if (line > 0) {
		(void)snprintf(expected, sizeof(expected), "FILE:%zu: %s", line, why);
		ck_assert_msg(strncmp(verdict, expected, strlen(expected)) == 0, "%s\n%s", verdict,
				expected);
	}
	free(arranged);
}

START_TEST(a_removed_line_is_found)
{
	size_t len;
	char *bytes = make_audit_log("", &len);
	for (size_t removed = 1; removed < LINES; removed++) {
		size_t numbers[LINES + 1] = { 0 };
		size_t count = 0;
		for (size_t i = 1; i <= LINES; i++) {
			numbers[count] = i;
			count += i != removed;
		}
		numbers[count] = 0;
		expect(bytes, numbers, PX_AUDIT_BROKEN, removed, removed == 1 ?
				"this is not the first line of an audit log" :
				"lines are missing before this one");
	}
	free(bytes);
}
END_TEST

START_TEST(an_inserted_line_is_found)
{
	size_t len;
	char *bytes = make_audit_log("", &len);
	for (size_t place = 1; place <= LINES; place++) {
		for (size_t copied = 1; copied <= LINES; copied++) {
			size_t numbers[LINES + 2] = { 0 };
			for (size_t i = 1; i <= LINES + 1; i++) {
				numbers[i - 1] = i <= place ? i : i == place + 1 ? copied : i - 1;
			}
			if (copied == place + 1) {
				continue; /* where it stands anyway */
			}
			expect(bytes, numbers, PX_AUDIT_BROKEN, place + 1,
					copied <= place ? "out of order" : "lines are missing");
		}
	}
	free(bytes);
}
END_TEST

START_TEST(swapped_lines_are_found)
{
	size_t len;
	char *bytes = make_audit_log("", &len);
	for (size_t a = 1; a <= LINES; a++) {
		for (size_t b = a + 1; b <= LINES; b++) {
			size_t numbers[LINES + 1] = { 0 };
			for (size_t i = 1; i <= LINES; i++) {
				numbers[i - 1] = i == a ? b : i == b ? a : i;
			}
			expect(bytes, numbers, PX_AUDIT_BROKEN, a, a == 1 ?
					"this is not the first line" : "lines are missing");
		}
	}
	free(bytes);
}
END_TEST

START_TEST(a_cut_tail_is_found_by_who_knows_the_head)
{
	size_t len;
	char *bytes = make_audit_log("", &len);
	char head[65];
	struct px_span last = line_of(bytes, LINES);
	(void)snprintf(head, sizeof(head), "%.64s", last.data + last.len - 66);
	struct px_audit_verify_options expecting = { .expect_head = head };
	struct px_audit_verify_options containing = { .contains = head };
	ck_assert_int_eq(verify_bytes(&expecting, bytes, len), PX_AUDIT_GOOD);
	ck_assert_int_eq(verify_bytes(&containing, bytes, len), PX_AUDIT_GOOD);
	for (size_t cut = 0; cut < len; cut++) {
		bool whole = cut > 0 && bytes[cut - 1] == '\n';
		ck_assert_int_eq(verify_bytes(&plain, bytes, cut) == PX_AUDIT_GOOD, whole);
		ck_assert_int_eq(verify_bytes(&expecting, bytes, cut), PX_AUDIT_BROKEN);
		ck_assert_int_eq(verify_bytes(&containing, bytes, cut), PX_AUDIT_BROKEN);
	}
	/* A head of last week. */
	last = line_of(bytes, 7);
	(void)snprintf(head, sizeof(head), "%.64s", last.data + last.len - 66);
	ck_assert_int_eq(verify_bytes(&expecting, bytes, len), PX_AUDIT_BROKEN);
	ck_assert_int_eq(verify_bytes(&containing, bytes, len), PX_AUDIT_GOOD);
	free(bytes);
}
END_TEST

/* Chains all lines anew behind `first`, as somebody would who can write the file. */
static char *forge_after(const char *first, const char *bytes, const char *key, size_t *ret_len)
{
	struct px_audit_hasher *hasher;
	char *result = malloc(LINES * 1024);
	char prev[65];
	size_t len = 0;
	memcpy(prev, first, sizeof(prev));
	ck_assert_ptr_nonnull(result);
	ck_assert_int_eq(px_audit_hasher_create(px_span(key), &hasher), 0);
	for (size_t i = 1; i <= LINES; i++) {
		struct px_audit_line line;
		struct px_span text = line_of(bytes, i);
		ck_assert_int_eq(px_audit_line_parse(text, &line), 0);
		size_t begin = len;
		size_t kept = (size_t)(line.prev - text.data);
		memcpy(result + len, text.data, kept);
		len += kept;
		if (i == 7) {
			*strstr(result + begin, "staff") = 'S';
		}
		len += (size_t)sprintf(result + len, "%s\"", prev);
		ck_assert_int_eq(px_audit_hash(hasher, prev,
				(struct px_span){ result + begin, len - begin }, prev), 0);
		len += (size_t)sprintf(result + len, ",\"hash\":\"%s\"}\n", prev);
	}
	px_audit_hasher_destroy(hasher);
	*ret_len = len;
	return result;
}

static char *forge(const char *bytes, const char *key, size_t *ret_len)
{
	struct px_audit_position none;
	px_audit_position_init(&none);
	return forge_after(none.hash, bytes, key, ret_len);
}

START_TEST(nothing_comes_before_the_first_line)
{
	size_t len;
	char *bytes = make_audit_log("", &len);
	char first[65];
	(void)snprintf(first, sizeof(first), "%064d", 7);
	char *forged = forge_after(first, bytes, "", &len);
	ck_assert_int_eq(verify_bytes(&plain, forged, len), PX_AUDIT_BROKEN);
	ck_assert_ptr_nonnull(strstr(verdict, "FILE:1: line 1 of the audit log refers to an earlier line"));
	free(forged);
	free(bytes);
}
END_TEST

START_TEST(who_has_not_the_key_cannot_chain_anew)
{
	size_t len;
	struct px_audit_verify_options options = with_key(KEY);
	char *bytes = make_audit_log("", &len);
	char *forged = forge(bytes, "", &len);
	/* Without a key this cannot be seen; that is what the key is for. */
	ck_assert_int_eq(verify_bytes(&plain, forged, len), PX_AUDIT_GOOD);
	ck_assert_int_eq(verify_bytes(&options, forged, len), PX_AUDIT_BROKEN);
	ck_assert_ptr_nonnull(strstr(verdict, "FILE:1: the file has no key"));
	free(forged);
	free(bytes);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(unlink(beside(".head")), 0);

	bytes = make_audit_log(KEY, &len);
	ck_assert_int_eq(verify_bytes(&options, bytes, len), PX_AUDIT_GOOD);
	static const char *const keys[] = { "", OTHER_KEY };
	for (size_t i = 0; i < 2; i++) {
		forged = forge(bytes, keys[i], &len);
		ck_assert_int_eq(verify_bytes(&options, forged, len), PX_AUDIT_BROKEN);
		ck_assert_ptr_nonnull(strstr(verdict, "FILE:1: this line was changed"));
		free(forged);
	}
	free(bytes);
}
END_TEST

/* Three files of one chain, each with another key. */
static void make_files(const char *const *names)
{
	static const char *const keys[] = { "", KEY, OTHER_KEY };
	for (int i = 0; i < 3; i++) {
		struct px_audit *audit = open_audit_log(keys[i]);
		write_some(audit, 4);
		px_audit_destroy(audit);
		ck_assert_int_eq(rename(path, names[i]), 0);
	}
}

static int verify_order(const struct px_audit_verify_options *options, const char *const *names,
		const char *order)
{
	FILE *files[8] = { NULL };
	size_t count = strlen(order);
	for (size_t i = 0; i < count; i++) {
		files[i] = fopen(names[order[i] - '0'], "r");
		ck_assert_ptr_nonnull(files[i]);
	}
	int code = verify_with(options, files, count);
	for (size_t i = 0; i < count; i++) {
		ck_assert_int_eq(fclose(files[i]), 0);
	}
	return code;
}

START_TEST(files_are_one_chain)
{
	const char *names[] = { beside(".2"), beside(".1"), beside(".0") };
	struct px_audit_verify_options both = with_key(KEY);
	both.key_count = 2;
	both.keys[1] = px_span(OTHER_KEY);
	make_files(names);
	ck_assert_int_eq(verify_order(&both, names, "12"), PX_AUDIT_GOOD);
	ck_assert_ptr_nonnull(strstr(verdict, "begins with line 6, after "));
	ck_assert_int_eq(verify_order(&plain, names, "0"), PX_AUDIT_GOOD);
	ck_assert_int_eq(verify_order(&both, names, "012"), PX_AUDIT_BROKEN); /* one is not keyed */
	ck_assert_int_eq(verify_order(&plain, names, "012"), PX_AUDIT_UNKNOWN);
	ck_assert_int_eq(verify_order(&both, names, "21"), PX_AUDIT_BROKEN);
	ck_assert_int_eq(verify_order(&both, names, "11"), PX_AUDIT_BROKEN);
	ck_assert_int_eq(verify_order(&both, names, "122"), PX_AUDIT_BROKEN);

	/* Where the keyed files must begin is what the file without ended with. */
	size_t len;
	char *bytes = slurp(names[0], &len);
	char head[65];
	(void)snprintf(head, sizeof(head), "%.64s", bytes + len - 67);
	both.after = head;
	ck_assert_int_eq(verify_order(&both, names, "12"), PX_AUDIT_GOOD);
	ck_assert_int_eq(verify_order(&both, names, "2"), PX_AUDIT_BROKEN);
	ck_assert_ptr_nonnull(strstr(verdict, "not the line of --after"));
	free(bytes);
}
END_TEST

START_TEST(a_missing_file_is_found)
{
	const char *names[] = { beside(".2"), beside(".1"), beside(".0") };
	for (int i = 0; i < 3; i++) {
		struct px_audit *audit = open_audit_log("");
		write_some(audit, 4);
		px_audit_destroy(audit);
		ck_assert_int_eq(rename(path, names[i]), 0);
	}
	ck_assert_int_eq(verify_order(&plain, names, "012"), PX_AUDIT_GOOD);
	ck_assert_int_eq(verify_order(&plain, names, "02"), PX_AUDIT_BROKEN);
	ck_assert_ptr_nonnull(strstr(verdict,
			"FILE:1: lines are missing before this one: it is line 11"));
	/* Joined, as zcat does. */
	char all[32768];
	size_t sum = 0;
	for (int i = 0; i < 3; i++) {
		size_t len;
		char *bytes = slurp(names[i], &len);
		memcpy(all + sum, bytes, len);
		sum += len;
		free(bytes);
	}
	ck_assert_int_eq(verify_bytes(&plain, all, sum), PX_AUDIT_GOOD);
}
END_TEST

START_TEST(a_replaced_end_of_a_file_is_found)
{
	/* Two chains that differ from their third line on. */
	size_t len;
	char *bytes = make_audit_log("", &len);
	char *forged = forge(bytes, "", &len);
	size_t at = (size_t)(line_of(bytes, 9).data - bytes);
	memcpy(forged + at, bytes + at, len - at);
	ck_assert_int_eq(verify_bytes(&plain, forged, len), PX_AUDIT_BROKEN);
	ck_assert_ptr_nonnull(strstr(verdict, "FILE:9: it does not follow the line before"));
	free(forged);
	free(bytes);
}
END_TEST

START_TEST(gaps_can_be_faults)
{
	struct px_audit_verify_options options = { .no_gaps = true };
	size_t len;
	append(path, "torn", 4);
	char *bytes = make_audit_log("", &len);
	ck_assert_int_eq(verify_bytes(&plain, bytes, len), PX_AUDIT_GOOD);
	ck_assert_ptr_nonnull(strstr(verdict, "FILE:2: gap: 1 entries lost (torn)"));
	ck_assert_int_eq(verify_bytes(&options, bytes, len), PX_AUDIT_BROKEN);
	free(bytes);
}
END_TEST

START_TEST(rubbish_is_no_audit_log)
{
	size_t len = 1 << 20;
	char *bytes = calloc(1, len);
	ck_assert_ptr_nonnull(bytes);
	ck_assert_int_eq(verify_bytes(&plain, bytes, 0), PX_AUDIT_BROKEN);
	ck_assert_int_eq(verify_bytes(&plain, bytes, 1), PX_AUDIT_BROKEN);
	ck_assert_int_eq(verify_bytes(&plain, bytes, len), PX_AUDIT_BROKEN);
	memset(bytes, '\n', len);
	ck_assert_int_eq(verify_bytes(&plain, bytes, len), PX_AUDIT_BROKEN);
	memset(bytes, 'x', len);
	bytes[PX_AUDIT_LINE_MAX] = '\n';
	ck_assert_int_eq(verify_bytes(&plain, bytes, len), PX_AUDIT_BROKEN);
	free(bytes);
}
END_TEST

/* What is printed of a file that is not to be trusted must not steer a terminal. */
START_TEST(a_verdict_is_plain_text)
{
	size_t len;
	char *bytes = make_audit_log(KEY, &len);
	char *key_id = strstr(bytes, "\"keyId\":\"") + 9;
	memcpy(key_id, "\033]0;evil\007 \033[2J", 14);
	ck_assert_int_ne(verify_bytes(&plain, bytes, len), PX_AUDIT_GOOD);
	ck_assert_ptr_null(strchr(verdict, '\033'));
	free(bytes);
}
END_TEST

/* Many small changes at once, none of which may pass or hurt. */
START_TEST(random_damage)
{
	size_t len;
	uint32_t dice = 12345;
	char *bytes = make_audit_log("", &len);
	char *copy = malloc(len);
	ck_assert_ptr_nonnull(copy);
	for (int round = 0; round < 20000; round++) {
		memcpy(copy, bytes, len);
		size_t size = len;
		for (int k = 0; k < 1 + round % 4; k++) {
			dice = dice * 1664525 + 1013904223;
			size_t at = (dice >> 8) % size;
			size_t count = (dice >> 3) % 32;
			if (dice >> 31 && at + count < size) {
				memmove(copy + at, copy + at + count, size - at - count);
				size -= count;
			} else {
				copy[at] = (char)(dice >> 13);
			}
		}
		bool same = size == len && memcmp(copy, bytes, len) == 0;
		ck_assert_int_eq(verify_bytes(&plain, copy, size) == PX_AUDIT_GOOD, same);
	}
	free(copy);
	free(bytes);
}
END_TEST

RUN("audit_verify", every_byte_counts, every_byte_counts_with_a_key,
		the_changed_line_is_named, a_removed_line_is_found, an_inserted_line_is_found,
		swapped_lines_are_found, a_cut_tail_is_found_by_who_knows_the_head,
		nothing_comes_before_the_first_line, who_has_not_the_key_cannot_chain_anew,
		files_are_one_chain, a_missing_file_is_found,
		a_replaced_end_of_a_file_is_found, gaps_can_be_faults, rubbish_is_no_audit_log,
		a_verdict_is_plain_text, random_damage);

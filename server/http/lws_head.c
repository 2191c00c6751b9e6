/* SPDX-License-Identifier: MIT */
/*
 * See lws_head.h. How lws stores a head (lib/roles/http/parsers.c, the same in 4.1.6, 4.3.5 and
 * 5.0), after nine bytes of its own: the path, the parts of the query with one byte before each,
 * the version, and then the header lines. A line with a token is stored as its value; all of these
 * end with a NUL. Any other line is stored as a record: two bytes with the length of the name, two
 * with that of the value, four with the position of the next record (0: the last one), the name in
 * lower case with its colon, the value.
 *
 * Nothing tells where the first record is. It comes after at most as many values as lws has for its
 * tokens, and lws_hdr_custom_length() must find it, too: so values that look like a record are not
 * mistaken for one, nor is the rest of an earlier request.
 */
#include "lws_head.h"

#include "lws_head_memory.h"

#include <errno.h>
#include <string.h>

#define PATH_AT 9
#define RECORD_HEAD 8
#define TOKEN_CHARACTERS "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"

struct walk {
	struct lws *wsi;
	const unsigned char *memory;
	size_t size;
	size_t at;
};

static bool has_fragment(struct lws *wsi, enum lws_token_indexes token, int index)
{
	char end;
	return lws_hdr_fragment_length(wsi, token, index) > 0 ||
			lws_hdr_copy_fragment(wsi, &end, 1, token, index) == 0;
}

bool px_head_has(struct lws *wsi, enum lws_token_indexes token)
{
	return has_fragment(wsi, token, 0);
}

static bool is_method(enum lws_token_indexes token)
{
	switch (token) {
	case WSI_TOKEN_GET_URI:
	case WSI_TOKEN_POST_URI:
	case WSI_TOKEN_OPTIONS_URI:
	case WSI_TOKEN_PUT_URI:
	case WSI_TOKEN_PATCH_URI:
	case WSI_TOKEN_DELETE_URI:
	case WSI_TOKEN_CONNECT:
	case WSI_TOKEN_HEAD_URI: return true;
	default: return false;
	}
}

/* Skips a value and its NUL. */
static bool skip_value(struct walk *walk)
{
	const void *end = walk->at < walk->size ?
			memchr(walk->memory + walk->at, '\0', walk->size - walk->at) : NULL;
	if (end) {
		walk->at = (size_t)((const unsigned char *)end - walk->memory) + 1;
	}
	return end != NULL;
}

/* Skips the path or a part of the query, which may contain a NUL. */
static void skip_length(struct walk *walk, size_t len)
{
	walk->at += len + 1;
}

static size_t path_length(struct lws *wsi)
{
	for (int i = 0; i < WSI_TOKEN_COUNT; i++) {
		enum lws_token_indexes token = (enum lws_token_indexes)i;
		if (is_method(token) && lws_hdr_total_length(wsi, token) > 0) {
			return (size_t)lws_hdr_total_length(wsi, token);
		}
	}
	return 0;
}

/*
 * Skips the request line, and checks that its version is where it should be. It is missing if the
 * query contains %0D: lws skips the rest of that line.
 */
static bool skip_request_line(struct walk *walk)
{
	struct lws *wsi = walk->wsi;
	char version[16];
	int version_len = lws_hdr_copy(wsi, version, sizeof(version), WSI_TOKEN_HTTP);
	walk->at = PATH_AT;
	if (walk->size > PATH_AT && walk->memory[PATH_AT] != '/' &&
			px_head_has(wsi, WSI_TOKEN_PROXY)) {
		(void)skip_value(walk); /* the PROXY protocol's, if it is unexpected */
	}
	skip_length(walk, path_length(wsi));
	for (int i = 0; has_fragment(wsi, WSI_TOKEN_HTTP_URI_ARGS, i); i++) {
		skip_length(walk, 1 + (size_t)lws_hdr_fragment_length(wsi,
				WSI_TOKEN_HTTP_URI_ARGS, i));
	}
	if (version_len <= 0) {
		return version_len == 0;
	}
	return walk->at + (size_t)version_len < walk->size &&
			memcmp(walk->memory + walk->at, version, (size_t)version_len) == 0 &&
			skip_value(walk);
}

/* Number of lines with tokens. */
static unsigned count_values(struct lws *wsi)
{
	unsigned count = 0;
	for (int i = 0; i < WSI_TOKEN_COUNT; i++) {
		enum lws_token_indexes token = (enum lws_token_indexes)i;
		if (is_method(token) || token == WSI_TOKEN_HTTP ||
				token == WSI_TOKEN_HTTP_URI_ARGS) {
			continue;
		}
		for (int j = 0; has_fragment(wsi, token, j); j++) {
			count++;
		}
	}
	return count;
}

struct record {
	struct px_span name; /* with its colon */
	struct px_span value;
	size_t next;
};

static size_t number(const unsigned char *bytes)
{
	return (size_t)(bytes[0] << 8 | bytes[1]);
}

/* Whether this can be a record. */
static bool read_record(const struct walk *walk, struct record *ret_record)
{
	const unsigned char *bytes = walk->memory + walk->at;
	size_t left = walk->at < walk->size ? walk->size - walk->at : 0;
	if (left < RECORD_HEAD) {
		return false;
	}
	size_t name_len = number(bytes);
	size_t value_len = number(bytes + 2);
	if (name_len == 0 || RECORD_HEAD + name_len + value_len > left ||
			bytes[RECORD_HEAD + name_len - 1] != ':') {
		return false;
	}
	const char *name = (const char *)bytes + RECORD_HEAD;
	ret_record->name = (struct px_span){ name, name_len };
	ret_record->value = (struct px_span){ name + name_len, value_len };
	ret_record->next = number(bytes + 4) << 16 | number(bytes + 6);
	return true;
}

/* 1: found; 0: there is none; -EPROTO. */
static int find_first(struct walk *walk, struct record *ret_record)
{
	if (!skip_request_line(walk)) {
		return -EPROTO;
	}
	for (unsigned left = count_values(walk->wsi);; left--) {
		if (read_record(walk, ret_record) && lws_hdr_custom_length(walk->wsi,
				ret_record->name.data, (int)ret_record->name.len) ==
				(int)ret_record->value.len) {
			return 1;
		}
		if (left == 0) {
			return 0;
		}
		if (!skip_value(walk)) {
			return -EPROTO;
		}
	}
}

/* False if lws merged a line without a name, or with half of one, into the next. */
static bool is_name(struct px_span name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (name.data[i] == '\0' || !strchr(TOKEN_CHARACTERS, name.data[i])) {
			return false;
		}
	}
	return name.len > 0;
}

int px_head_walk(struct lws *wsi, const void *within,
		void (*on_line)(void *user, struct px_span name, struct px_span value), void *user)
{
	struct walk walk = { .wsi = wsi };
	struct record record;
	walk.memory = px_head_memory_find(within, &walk.size);
	int rc = walk.memory ? find_first(&walk, &record) : -EPROTO;
	while (rc == 1) {
		struct px_span name = { record.name.data, record.name.len - 1 };
		if (!is_name(name)) {
			return -EPROTO;
		}
		on_line(user, name, record.value);
		if (record.next == 0) {
			return 0;
		}
		/* Always forward, so this ends. */
		rc = record.next > walk.at ? 1 : -EPROTO;
		walk.at = record.next;
		if (rc == 1 && !read_record(&walk, &record)) {
			rc = -EPROTO;
		}
	}
	return rc;
}

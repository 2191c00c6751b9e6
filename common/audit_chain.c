/* SPDX-License-Identifier: MIT */
/*
 * See audit_chain.h. The contexts of libcrypto are made once and set back for each line:
 * looking an algorithm up costs more than hashing 400 bytes with it. Lines are read with the
 * few words that this file knows, not with a parser of JSON: the writer puts the same members
 * in the same places, and what is not spelled like that was not written by it.
 */
#include "audit_chain.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <praxis/hex.h>
#include <stdlib.h>
#include <string.h>

#define HASH_BYTES (PX_AUDIT_HASH_LEN / 2)
#define KEY_ID_TEXT "praxis audit key"

#define PREV_WORD ",\"prev\":\""
#define HASH_WORD "\",\"hash\":\""
#define END_WORD "\"}"

struct px_audit_hasher {
	EVP_MD *sha256;
	EVP_MD_CTX *digest;
	EVP_MAC_CTX *mac; /* NULL: no key */
	char key_id[PX_AUDIT_KEY_ID_LEN + 1];
};

void px_audit_position_init(struct px_audit_position *position)
{
	position->seq = 0;
	memset(position->hash, '0', PX_AUDIT_HASH_LEN);
	position->hash[PX_AUDIT_HASH_LEN] = '\0';
}

static bool is_hex(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (px_hex_lower(text[i]) < 0) {
			return false;
		}
	}
	return true;
}

bool px_audit_hash_is_valid(struct px_span text)
{
	return text.len == PX_AUDIT_HASH_LEN && is_hex(text.data, text.len);
}

static bool hash_with_mac(EVP_MAC_CTX *mac, struct px_span head, struct px_span body,
		unsigned char bytes[HASH_BYTES])
{
	size_t len = 0;
	return EVP_MAC_init(mac, NULL, 0, NULL) &&
			EVP_MAC_update(mac, (const unsigned char *)head.data, head.len) &&
			EVP_MAC_update(mac, (const unsigned char *)body.data, body.len) &&
			EVP_MAC_final(mac, bytes, &len, HASH_BYTES) && len == HASH_BYTES;
}

static bool hash_with_digest(const struct px_audit_hasher *hasher, struct px_span head,
		struct px_span body, unsigned char bytes[HASH_BYTES])
{
	unsigned len = 0;
	return EVP_DigestInit_ex2(hasher->digest, hasher->sha256, NULL) &&
			EVP_DigestUpdate(hasher->digest, head.data, head.len) &&
			EVP_DigestUpdate(hasher->digest, body.data, body.len) &&
			EVP_DigestFinal_ex(hasher->digest, bytes, &len) && len == HASH_BYTES;
}

int px_audit_hash(struct px_audit_hasher *hasher, const char *prev, struct px_span body,
		char ret_hash[PX_AUDIT_HASH_LEN + 1])
{
	unsigned char bytes[HASH_BYTES];
	struct px_span head = { prev, PX_AUDIT_HASH_LEN };
	bool done = hasher->mac ? hash_with_mac(hasher->mac, head, body, bytes) :
			hash_with_digest(hasher, head, body, bytes);
	if (!done) {
		return -EIO;
	}
	px_hex_write(bytes, HASH_BYTES, ret_hash);
	return 0;
}

static int take_key(struct px_audit_hasher *hasher, struct px_span key)
{
	char name[] = "SHA256";
	unsigned char bytes[HASH_BYTES];
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_end(),
	};
	const unsigned char *secret = (const unsigned char *)key.data;
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	hasher->mac = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
	EVP_MAC_free(hmac);
	if (!hasher->mac || !EVP_MAC_init(hasher->mac, secret, key.len, params) ||
			!hash_with_mac(hasher->mac, px_span(KEY_ID_TEXT), px_span(""), bytes)) {
		return -EIO;
	}
	px_hex_write(bytes, PX_AUDIT_KEY_ID_LEN / 2, hasher->key_id);
	return 0;
}

int px_audit_hasher_create(struct px_span key, struct px_audit_hasher **ret_hasher)
{
	struct px_audit_hasher *hasher = calloc(1, sizeof(*hasher));
	if (!hasher) {
		return -ENOMEM;
	}
	int rc = 0;
	hasher->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	hasher->digest = EVP_MD_CTX_new();
	if (!hasher->sha256 || !hasher->digest) {
		rc = -EIO;
	} else if (key.len > 0) {
		rc = take_key(hasher, key);
	}
	if (rc < 0) {
		px_audit_hasher_destroy(hasher);
		return rc;
	}
	*ret_hasher = hasher;
	return 0;
}

void px_audit_hasher_destroy(struct px_audit_hasher *hasher)
{
	if (hasher) {
		EVP_MAC_CTX_free(hasher->mac);
		EVP_MD_CTX_free(hasher->digest);
		EVP_MD_free(hasher->sha256);
		free(hasher);
	}
}

const char *px_audit_hasher_algorithm(const struct px_audit_hasher *hasher)
{
	return hasher->mac ? "hmac-sha256" : "sha256";
}

const char *px_audit_hasher_key_id(const struct px_audit_hasher *hasher)
{
	return hasher->key_id;
}

/* Takes `word` off the front of `rest`. */
static bool skip(struct px_span *rest, const char *word)
{
	size_t len = strlen(word);
	if (rest->len < len || memcmp(rest->data, word, len) != 0) {
		return false;
	}
	rest->data += len;
	rest->len -= len;
	return true;
}

/* Takes a number of at most 18 digits off the front, which no addition here overflows. */
static bool take_number(struct px_span *rest, uint64_t *ret_number)
{
	uint64_t number = 0;
	size_t len = 0;
	while (len < rest->len && rest->data[len] >= '0' && rest->data[len] <= '9') {
		number = number * 10 + (uint64_t)(rest->data[len++] - '0');
		if (len > 18) {
			return false;
		}
	}
	if (len == 0 || (rest->data[0] == '0' && len > 1)) {
		return false;
	}
	rest->data += len;
	rest->len -= len;
	*ret_number = number;
	return true;
}

/* Takes a string up to its quote, and the quote. Those of the chain are ASCII without escapes. */
static bool take_text(struct px_span *rest, struct px_span *ret_text)
{
	size_t len = 0;
	while (len < rest->len && rest->data[len] != '"') {
		if (rest->data[len] < 0x20 || rest->data[len] >= 0x7f || rest->data[len] == '\\') {
			return false;
		}
		len++;
	}
	if (len == rest->len) {
		return false;
	}
	*ret_text = (struct px_span){ rest->data, len };
	rest->data += len + 1;
	rest->len -= len + 1;
	return true;
}

/* The end of a line, `,"prev":"…","hash":"…"}`, taken off the end of *rest. */
static bool take_links(struct px_span *rest, struct px_audit_line *line)
{
	const size_t len = strlen(PREV_WORD HASH_WORD END_WORD) + 2 * PX_AUDIT_HASH_LEN;
	if (rest->len < len) {
		return false;
	}
	rest->len -= len;
	struct px_span end = { rest->data + rest->len, len };
	if (!skip(&end, PREV_WORD) || !is_hex(end.data, PX_AUDIT_HASH_LEN)) {
		return false;
	}
	line->prev = end.data;
	end.data += PX_AUDIT_HASH_LEN;
	end.len -= PX_AUDIT_HASH_LEN;
	if (!skip(&end, HASH_WORD) || !is_hex(end.data, PX_AUDIT_HASH_LEN)) {
		return false;
	}
	line->hash = end.data;
	end.data += PX_AUDIT_HASH_LEN;
	end.len -= PX_AUDIT_HASH_LEN;
	return skip(&end, END_WORD) && end.len == 0;
}

int px_audit_line_parse(struct px_span text, struct px_audit_line *ret_line)
{
	struct px_audit_line line = { 0 };
	struct px_span rest = text;
	struct px_span at;
	if (!take_links(&rest, &line)) {
		return -EBADMSG;
	}
	/* The body ends before the comma of the hash; the quote in front of it is prev's. */
	line.body = (struct px_span){ text.data, (size_t)(line.prev - text.data) +
			PX_AUDIT_HASH_LEN + 1 };
	if (!skip(&rest, "{\"seq\":") || !take_number(&rest, &line.seq) || line.seq == 0 ||
			!skip(&rest, ",\"at\":\"") || !take_text(&rest, &at) ||
			!skip(&rest, ",\"event\":\"") || !take_text(&rest, &line.event)) {
		return -EBADMSG;
	}
	line.members = rest;
	*ret_line = line;
	return 0;
}

int px_audit_line_check(const struct px_audit_line *line, struct px_audit_hasher *hasher)
{
	char hash[PX_AUDIT_HASH_LEN + 1];
	int rc = px_audit_hash(hasher, line->prev, line->body, hash);
	if (rc < 0) {
		return rc;
	}
	return memcmp(hash, line->hash, PX_AUDIT_HASH_LEN) == 0 ? 0 : -EBADMSG;
}

static bool equals(struct px_span span, const char *text)
{
	size_t len = strlen(text);
	return span.len == len && (len == 0 || memcmp(span.data, text, len) == 0);
}

bool px_audit_line_is(const struct px_audit_line *line, const char *event)
{
	return equals(line->event, event);
}

int px_audit_line_opening(const struct px_audit_line *line, struct px_audit_opening *ret_opening)
{
	struct px_audit_opening opening = { 0 };
	struct px_span rest = line->members;
	uint64_t format;
	if (!px_audit_line_is(line, PX_AUDIT_OPENED) || !skip(&rest, ",\"format\":") ||
			!take_number(&rest, &format)) {
		return -EBADMSG;
	}
	if (format != PX_AUDIT_FORMAT) {
		return -EPROTO;
	}
	if (!skip(&rest, ",\"algorithm\":\"") || !take_text(&rest, &opening.algorithm) ||
			(skip(&rest, ",\"keyId\":\"") && !take_text(&rest, &opening.key_id))) {
		return -EBADMSG;
	}
	*ret_opening = opening;
	return 0;
}

bool px_audit_opening_fits(const struct px_audit_opening *opening,
		const struct px_audit_hasher *hasher)
{
	return equals(opening->algorithm, px_audit_hasher_algorithm(hasher)) &&
			equals(opening->key_id, hasher->key_id);
}

bool px_audit_line_gap(const struct px_audit_line *line, uint64_t *ret_lost,
		struct px_span *ret_reason)
{
	struct px_span rest = line->members;
	struct px_span reason;
	uint64_t lost;
	if (!px_audit_line_is(line, PX_AUDIT_GAP) || !skip(&rest, ",\"lost\":") ||
			!take_number(&rest, &lost) || !skip(&rest, ",\"reason\":\"") ||
			!take_text(&rest, &reason)) {
		return false;
	}
	*ret_lost = lost;
	*ret_reason = reason;
	return true;
}

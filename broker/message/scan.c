/* SPDX-License-Identifier: MIT */
/*
 * See scan.h. Messages are mostly strings, so these are read in runs of plain bytes (plain.h). The
 * functions get where something begins and return where it ends, NULL if it is wrong, so that
 * both stay in registers. Nesting takes a bit for each level and no recursion.
 */
#include "scan.h"

#include "plain.h"

#include <errno.h>
#include <praxis/hex.h>
#include <praxis/utf8.h>
#include <string.h>

static bool is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

static const uint8_t *escape_end(const uint8_t *at, const uint8_t *end)
{
	if (end - at < 2) {
		return NULL;
	}
	switch (at[1]) {
	case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
		return at + 2;
	case 'u':
		break;
	default:
		return NULL;
	}
	if (end - at < 6) {
		return NULL;
	}
	for (size_t i = 2; i < 6; i++) {
		if (px_hex_digit((char)at[i]) < 0) {
			return NULL;
		}
	}
	return at + 6;
}

/* What ends a run of plain bytes within a string, except the closing quote. */
static const uint8_t *odd_end(const uint8_t *at, const uint8_t *end)
{
	if (*at == '\\') {
		return escape_end(at, end);
	}
	if (*at < 0x80) {
		return NULL;
	}
	/* After a letter beyond ASCII often comes another one. */
	while (at && at < end && *at >= 0x80) {
		at = px_utf8_end(at, end);
	}
	return at;
}

/* From the opening quote to behind the closing one. */
static inline const uint8_t *string_end(const uint8_t *at, const uint8_t *end, bool *ret_escaped)
{
	bool escaped = false;
	at = px_plain_end(at + 1, end);
	while (at && at < end && *at != '"') {
		escaped |= *at == '\\';
		at = odd_end(at, end);
		at = at ? px_plain_end(at, end) : NULL;
	}
	*ret_escaped = escaped;
	return at && at < end ? at + 1 : NULL;
}

static inline const uint8_t *space_end(const uint8_t *at, const uint8_t *end)
{
	struct px_scan scan = { .at = at, .end = end };
	px_scan_space(&scan);
	return scan.at;
}

/* At least one digit. */
static inline const uint8_t *digits_end(const uint8_t *at, const uint8_t *end)
{
	const uint8_t *first = at;
	while (at < end && is_digit(*at)) {
		at++;
	}
	return at > first ? at : NULL;
}

/* From the point or the letter e, if there is one. */
static const uint8_t *fraction_end(const uint8_t *at, const uint8_t *end, enum px_kind *ret_kind)
{
	if (at < end && *at == '.') {
		*ret_kind = PX_NUMBER;
		at = digits_end(at + 1, end);
	}
	if (at && at < end && (*at == 'e' || *at == 'E')) {
		*ret_kind = PX_NUMBER;
		at++;
		if (at < end && (*at == '+' || *at == '-')) {
			at++;
		}
		at = digits_end(at, end);
	}
	return at;
}

static inline const uint8_t *number_end(const uint8_t *at, const uint8_t *end,
		enum px_kind *ret_kind)
{
	*ret_kind = PX_INTEGER;
	if (*at == '-') {
		at++;
	}
	at = at < end && *at == '0' ? at + 1 : digits_end(at, end);
	return at && at < end && (*at == '.' || (*at | 0x20) == 'e') ?
			fraction_end(at, end, ret_kind) : at;
}

static const uint8_t *word_end(const uint8_t *at, const uint8_t *end, const char *word)
{
	size_t len = strlen(word);
	return (size_t)(end - at) >= len && memcmp(at, word, len) == 0 ? at + len : NULL;
}

/* Any value but an array or object. */
static inline const uint8_t *scalar_end(const uint8_t *at, const uint8_t *end,
		enum px_kind *ret_kind, bool *ret_escaped)
{
	switch (*at) {
	case '"':
		*ret_kind = PX_STRING;
		return string_end(at, end, ret_escaped);
	case 't':
		*ret_kind = PX_BOOL;
		return word_end(at, end, "true");
	case 'f':
		*ret_kind = PX_BOOL;
		return word_end(at, end, "false");
	case 'n':
		*ret_kind = PX_NULL;
		return word_end(at, end, "null");
	default:
		return number_end(at, end, ret_kind);
	}
}

bool px_scan_has_nul(struct px_span raw)
{
	for (size_t i = 0; i + 5 < raw.len; i++) {
		if (raw.data[i] == '\\') {
			if (memcmp(raw.data + i, "\\u0000", 6) == 0) {
				return true;
			}
			i++;
		}
	}
	return false;
}

/* A name and its colon, to where the value begins. */
static const uint8_t *name_end(const uint8_t *at, const uint8_t *end, bool *nul_name)
{
	bool escaped;
	const uint8_t *start = at;
	at = at < end && *at == '"' ? string_end(at, end, &escaped) : NULL;
	if (!at) {
		return NULL;
	}
	if (escaped) {
		*nul_name |= px_scan_has_nul((struct px_span){ (const char *)start,
			(size_t)(at - start) });
	}
	at = space_end(at, end);
	return at < end && *at == ':' ? space_end(at + 1, end) : NULL;
}

/* What is open around a place: a bit for each, set for an object, the innermost lowest. */
struct nest {
	uint32_t objects;
	unsigned depth;  /* how many, with those around the value that is read */
	unsigned around; /* of these */
};
_Static_assert(PX_SCAN_DEPTH <= 32, "a bit for each level");

/* From behind a comma, or behind the bracket that opened it, to the next value in it. */
static inline const uint8_t *next_value(const struct nest *nest, const uint8_t *at,
		const uint8_t *end, bool *nul_name)
{
	at = space_end(at, end);
	if (nest->objects & 1) {
		at = name_end(at, end, nul_name);
	}
	return at && at < end ? at : NULL;
}

/*
 * From behind a value to the comma that follows, over all brackets that are closed before it; or to
 * the end of the outermost.
 */
static inline const uint8_t *close_some(struct nest *nest, const uint8_t *at, const uint8_t *end)
{
	while (nest->depth > nest->around) {
		at = space_end(at, end);
		if (at < end && *at == ',') {
			return at;
		}
		if (at == end || *at != (nest->objects & 1 ? '}' : ']')) {
			return NULL;
		}
		at++;
		nest->objects >>= 1;
		nest->depth--;
	}
	return at;
}

/*
 * An array or object, from its bracket; `depth` counts those around it. Most values are none,
 * and inlined it would cost them the saving of registers.
 */
static __attribute__((noinline)) int scan_nested(struct px_scan *scan, unsigned depth)
{
	struct nest nest = { .depth = depth, .around = depth };
	const uint8_t *at = scan->at;
	const uint8_t *const end = scan->end;
	bool nul_name = false;
	do {
		if (*at == '{' || *at == '[') {
			if (nest.depth++ == PX_SCAN_DEPTH) {
				return -ELOOP;
			}
			nest.objects = nest.objects << 1 | (*at == '{');
			const uint8_t *first = space_end(at + 1, end);
			if (first == end || *first != (nest.objects & 1 ? '}' : ']')) {
				at = next_value(&nest, first, end, &nul_name);
				continue;
			}
			at = first;
		} else {
			enum px_kind kind;
			bool escaped;
			at = scalar_end(at, end, &kind, &escaped);
		}
		at = at ? close_some(&nest, at, end) : NULL;
		if (at && nest.depth > nest.around) {
			at = next_value(&nest, at + 1, end, &nul_name);
		}
	} while (at && nest.depth > nest.around);
	if (!at) {
		return -EINVAL;
	}
	scan->at = at;
	scan->nul_name |= nul_name;
	return 0;
}

int px_scan_value(struct px_scan *scan, unsigned depth, enum px_kind *ret_kind,
		bool *ret_escaped)
{
	*ret_escaped = false;
	if (scan->at == scan->end) {
		return -EINVAL;
	}
	if (*scan->at == '{' || *scan->at == '[') {
		*ret_kind = *scan->at == '{' ? PX_OBJECT : PX_ARRAY;
		return scan_nested(scan, depth);
	}
	const uint8_t *at = scalar_end(scan->at, scan->end, ret_kind, ret_escaped);
	scan->at = at ? at : scan->at;
	return at ? 0 : -EINVAL;
}

int px_scan_string(struct px_scan *scan, bool *ret_escaped)
{
	const uint8_t *at = string_end(scan->at, scan->end, ret_escaped);
	scan->at = at ? at : scan->at;
	return at ? 0 : -EINVAL;
}

int px_scan_utf8(struct px_scan *scan)
{
	const uint8_t *at = px_utf8_end(scan->at, scan->end);
	scan->at = at ? at : scan->at;
	return at ? 0 : -EINVAL;
}

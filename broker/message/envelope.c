/* SPDX-License-Identifier: MIT */
/*
 * Envelopes: one pass over a client's message that validates all of it and records where its
 * outermost fields are. Names are compared with their escapes resolved, so that a sender cannot get
 * its own "client\u0049d" past the server.
 */
#include "envelope.h"

#include "scan.h"

#include <errno.h>
#include <json-c/json.h>
#include <praxis/hex.h>
#include <string.h>

/* The longest name that the protocol uses; longer ones need not be resolved to be told apart. */
#define NAME_MAX_BYTES 63

static int hex4(const char *p)
{
	int value = 0;
	for (int i = 0; i < 4; i++) {
		value = value * 16 + px_hex_digit(p[i]);
	}
	return value;
}

static size_t put_utf8(unsigned code, char out[4])
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/*
 * One \uXXXX or a pair of them; *p is at the backslash and is advanced. 0 for what a C string or
 * UTF-8 cannot hold: U+0000 and lone surrogates.
 */
static unsigned read_unicode(const char **p, const char *end)
{
	unsigned code = (unsigned)hex4(*p + 2);
	*p += 6;
	if (code < 0xd800 || code > 0xdfff) {
		return code;
	}
	if (code > 0xdbff || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u') {
		return 0;
	}
	unsigned low = (unsigned)hex4(*p + 2);
	if (low < 0xdc00 || low > 0xdfff) {
		return 0;
	}
	*p += 6;
	return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}

static char plain_escape(char c)
{
	switch (c) {
	case 'b': return '\b';
	case 'f': return '\f';
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	default: return c;
	}
}

int px_json_unescape(struct px_span raw, char *buf, size_t size, size_t *ret_len)
{
	const char *p = raw.data;
	const char *end = raw.data + raw.len;
	size_t len = 0;
	while (p < end) {
		char bytes[4];
		size_t n = 1;
		if (*p != '\\') {
			bytes[0] = *p++;
		} else if (p[1] != 'u') {
			bytes[0] = plain_escape(p[1]);
			p += 2;
		} else {
			unsigned code = read_unicode(&p, end);
			if (code == 0) {
				return -EINVAL;
			}
			n = put_utf8(code, bytes);
		}
		if (len + n >= size) {
			return -E2BIG;
		}
		memcpy(buf + len, bytes, n);
		len += n;
	}
	buf[len] = '\0';
	*ret_len = len;
	return 0;
}

/* Resolves the escapes of a name. A name that is too long to be the server's stays as it is. */
static int resolve_name(struct px_envelope *envelope, struct px_field *field)
{
	char name[NAME_MAX_BYTES + 1];
	size_t len;
	if (px_json_unescape(field->name, name, sizeof(name), &len) < 0) {
		return 0;
	}
	if (envelope->name_bytes + len > sizeof(envelope->names)) {
		return -E2BIG;
	}
	char *at = envelope->names + envelope->name_bytes;
	memcpy(at, name, len);
	envelope->name_bytes += len;
	field->name = (struct px_span){ at, len };
	return 0;
}

/* The field in place is complete: from now on it is found by its name, and one before it is not. */
static void add_field(struct px_envelope *envelope)
{
	struct px_span name = envelope->fields[envelope->field_count].name;
	uint8_t slot = px_name_slot(name.data, name.len);
	uint16_t latest = envelope->latest[slot];
	const struct px_field *same = latest == 0 ? NULL :
			px_envelope_find(envelope, slot, name.data, name.len);
	if (same) {
		envelope->places[same - envelope->fields].superseded = true;
	}
	envelope->places[envelope->field_count++] = (struct px_field_place){ latest, slot, false };
	envelope->latest[slot] = (uint16_t)envelope->field_count;
}

static int parse_field(struct px_envelope *envelope, struct px_scan *scan)
{
	bool escaped;
	if (scan->at == scan->end || *scan->at != '"') {
		return -EINVAL;
	}
	if (envelope->field_count == PX_ENVELOPE_FIELDS) {
		return -E2BIG;
	}
	struct px_field *field = &envelope->fields[envelope->field_count];
	const char *start = (const char *)scan->at;
	int rc = px_scan_string(scan, &escaped);
	if (rc < 0) {
		return rc;
	}
	field->name = (struct px_span){ start + 1, (size_t)((const char *)scan->at - start) - 2 };
	if (escaped && px_scan_has_nul(field->name)) {
		return -EBADMSG;
	}
	if (escaped && resolve_name(envelope, field) < 0) {
		return -E2BIG;
	}
	px_scan_space(scan);
	if (scan->at == scan->end || *scan->at != ':') {
		return -EINVAL;
	}
	scan->at++;
	px_scan_space(scan);
	const char *value = (const char *)scan->at;
	rc = px_scan_value(scan, 1, &field->kind, &field->escaped);
	if (rc < 0) {
		return rc;
	}
	const char *end = (const char *)scan->at;
	field->value = (struct px_span){ value, (size_t)(end - value) };
	field->member = (struct px_span){ start, (size_t)(end - start) };
	add_field(envelope);
	return 0;
}

static int parse_fields(struct px_envelope *envelope, struct px_scan *scan)
{
	scan->at++;
	px_scan_space(scan);
	if (scan->at < scan->end && *scan->at == '}') {
		scan->at++;
		return 0;
	}
	for (;;) {
		int rc = parse_field(envelope, scan);
		if (rc < 0) {
			return rc;
		}
		px_scan_space(scan);
		if (scan->at == scan->end || (*scan->at != ',' && *scan->at != '}')) {
			return -EINVAL;
		}
		if (*scan->at++ == '}') {
			return 0;
		}
		px_scan_space(scan);
	}
}

static enum px_envelope_fault fault_of(int rc)
{
	switch (rc) {
	case 0: return PX_ENVELOPE_FINE;
	case -ELOOP: return PX_ENVELOPE_TOO_DEEP;
	case -E2BIG: return PX_ENVELOPE_TOO_MANY_FIELDS;
	case -EBADMSG: return PX_ENVELOPE_BAD_NAME;
	default: return PX_ENVELOPE_NO_JSON;
	}
}

enum px_envelope_fault px_envelope_parse(struct px_envelope *envelope, struct px_span text)
{
	struct px_scan scan = {
		.at = (const uint8_t *)text.data,
		.end = (const uint8_t *)text.data + text.len,
	};
	enum px_kind kind = PX_OBJECT;
	bool escaped;

	envelope->text = text;
	envelope->field_count = 0;
	memset(envelope->latest, 0, sizeof(envelope->latest));
	envelope->name_bytes = 0;
	envelope->json = NULL;

	px_scan_space(&scan);
	bool object = scan.at < scan.end && *scan.at == '{';
	int rc = object ? parse_fields(envelope, &scan) :
			px_scan_value(&scan, 0, &kind, &escaped);
	if (rc == 0) {
		px_scan_space(&scan);
		rc = scan.at == scan.end ? 0 : -EINVAL;
	}
	envelope->nul_name = scan.nul_name;
	if (rc == 0 && !object) {
		return PX_ENVELOPE_NO_OBJECT;
	}
	return fault_of(rc);
}

void px_envelope_reset(struct px_envelope *envelope)
{
	json_object_put(envelope->json);
	envelope->json = NULL;
	envelope->field_count = 0;
	memset(envelope->latest, 0, sizeof(envelope->latest));
}

const struct px_field *px_envelope_field(const struct px_envelope *envelope, const char *name)
{
	size_t len = strlen(name);
	return px_envelope_find(envelope, px_name_slot(name, len), name, len);
}

enum px_kind px_envelope_kind(const struct px_envelope *envelope, const char *name)
{
	const struct px_field *field = px_envelope_field(envelope, name);
	return field ? field->kind : PX_ABSENT;
}

int px_field_string(const struct px_field *field, char *buf, size_t size, size_t *ret_len)
{
	if (!field) {
		return -ENOENT;
	}
	if (field->kind != PX_STRING) {
		return -EINVAL;
	}
	struct px_span inside = { field->value.data + 1, field->value.len - 2 };
	if (field->escaped) {
		return px_json_unescape(inside, buf, size, ret_len);
	}
	if (inside.len >= size) {
		return -E2BIG;
	}
	memcpy(buf, inside.data, inside.len);
	buf[inside.len] = '\0';
	*ret_len = inside.len;
	return 0;
}

int px_envelope_string(const struct px_envelope *envelope, const char *name, char *buf,
		size_t size, size_t *ret_len)
{
	return px_field_string(px_envelope_field(envelope, name), buf, size, ret_len);
}

int px_field_id(const struct px_field *field, char buf[PX_ID_MAX + 1], struct px_id *ret_id)
{
	size_t len;
	if (field && field->kind == PX_INTEGER) {
		if (field->value.len > PX_ID_MAX) {
			return -E2BIG;
		}
		len = field->value.len;
		memcpy(buf, field->value.data, len);
		buf[len] = '\0';
		*ret_id = (struct px_id){ { buf, len }, true };
		return 0;
	}
	int rc = px_field_string(field, buf, PX_ID_MAX + 1, &len);
	if (rc < 0) {
		return rc;
	}
	if (len == 0) {
		return -EINVAL;
	}
	*ret_id = (struct px_id){ { buf, len }, false };
	return 0;
}

int px_envelope_id(const struct px_envelope *envelope, const char *name,
		char buf[PX_ID_MAX + 1], struct px_id *ret_id)
{
	return px_field_id(px_envelope_field(envelope, name), buf, ret_id);
}

bool px_field_is_id(const struct px_field *field)
{
	char text[PX_ID_MAX + 1];
	struct px_id id;
	if (field->kind == PX_INTEGER) {
		return field->value.len <= PX_ID_MAX;
	}
	return field->escaped ? px_field_id(field, text, &id) == 0 : field->kind == PX_STRING &&
			field->value.len > 2 && field->value.len - 2 <= PX_ID_MAX;
}

bool px_envelope_bool(const struct px_envelope *envelope, const char *name)
{
	const struct px_field *field = px_envelope_field(envelope, name);
	return field && field->kind == PX_BOOL && field->value.data[0] == 't';
}

struct json_object *px_envelope_json(struct px_envelope *envelope, const char *name)
{
	struct json_object *value = NULL;
	if (envelope->nul_name) {
		return NULL; /* json-c would truncate the name and find it under another */
	}
	if (!envelope->json) {
		/* One level more than the scan permits: json-c counts scalars, too. */
		struct json_tokener *tokener = json_tokener_new_ex(PX_SCAN_DEPTH + 1);
		if (!tokener) {
			return NULL;
		}
		envelope->json = json_tokener_parse_ex(tokener, envelope->text.data,
				(int)envelope->text.len);
		json_tokener_free(tokener);
	}
	json_object_object_get_ex(envelope->json, name, &value);
	return value;
}

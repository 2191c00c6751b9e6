/* SPDX-License-Identifier: MIT */
/*
 * An envelope: one message of a client, checked and indexed (docs/protocol.md,
 * section 2). It borrows the bytes that came in; nothing of it outlives the
 * handler that it was given to.
 *
 * The check is our own scan and stricter than json-c's strict mode, which lets
 * NaN, 'single quotes', raw control characters and "1." through (measured with
 * 0.16): what we relay must be readable by every JSON.parse in the room. The scan
 * also yields where each field begins and ends, which is what relaying the
 * sender's own bytes needs and what no parser of values can tell. json-c reads
 * what lies deeper, once, when a service asks for it.
 */
#ifndef PRAXIS_ENVELOPE_H
#define PRAXIS_ENVELOPE_H

#include <praxis/types.h>

struct json_object;

enum px_kind {
	PX_ABSENT,
	PX_NULL,
	PX_BOOL,
	PX_INTEGER,
	PX_NUMBER, /* with a fraction or an exponent */
	PX_STRING,
	PX_ARRAY,
	PX_OBJECT,
};

/* One field of the outermost object. All spans live as long as the envelope. */
struct px_field {
	struct px_span name;   /* escapes resolved */
	struct px_span member; /* "name":value, the sender's bytes */
	struct px_span value;  /* the sender's bytes; a string with its quotes */
	enum px_kind kind;
	bool escaped; /* a string with a backslash in it */
};

struct px_envelope;

/*
 * The field of that name; NULL where there is none. Of several with one name the
 * last counts, as for JSON.parse.
 */
PX_PUBLIC const struct px_field *px_envelope_field(const struct px_envelope *envelope,
		const char *name);

/* The kind of a field, PX_ABSENT where there is none. */
PX_PUBLIC enum px_kind px_envelope_kind(const struct px_envelope *envelope, const char *name);

/*
 * The text of a string field, escapes resolved, into buf of size bytes, terminated.
 * -ENOENT: no such field; -EINVAL: no string, or U+0000 in it; -E2BIG: too long for buf.
 */
PX_PUBLIC int px_envelope_string(const struct px_envelope *envelope, const char *name, char *buf,
		size_t size, size_t *ret_len);

/*
 * A field that is an id: an integer, or a string of 1 to PX_ID_MAX bytes. buf holds
 * the text behind ret_id. Errors as px_envelope_string().
 */
PX_PUBLIC int px_envelope_id(const struct px_envelope *envelope, const char *name,
		char buf[PX_ID_MAX + 1], struct px_id *ret_id);

/* The value of a boolean field; false where there is none. */
PX_PUBLIC bool px_envelope_bool(const struct px_envelope *envelope, const char *name);

/*
 * A field's value as json-c reads it; NULL where there is none, where it is null, without memory,
 * or where any name in the message holds U+0000, at which json-c ends it. The envelope owns it.
 */
PX_PUBLIC struct json_object *px_envelope_json(struct px_envelope *envelope, const char *name);

/* Resolves the escapes of a JSON string's inside (without its quotes). -E2BIG, -EINVAL. */
PX_PUBLIC int px_json_unescape(struct px_span raw, char *buf, size_t size, size_t *ret_len);

#endif

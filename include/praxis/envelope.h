/* SPDX-License-Identifier: MIT */
/*
 * An envelope: one message of a client, validated and indexed (docs/protocol.md, section 2). It
 * borrows the received bytes; nothing of it is valid after the handler that it was given to has
 * returned.
 *
 * Validation is our own scan. It is stricter than json-c's strict mode, which accepts NaN, 'single
 * quotes', raw control characters and "1." (measured with 0.16): what is relayed must be readable
 * by every JSON.parse in the room. The scan also yields where each field begins and ends, which
 * relaying the sender's bytes needs and no parser of values provides. json-c parses nested values,
 * once, when a service asks for them.
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

/* One field of the outermost object. All spans are valid as long as the envelope. */
struct px_field {
	struct px_span name;   /* escapes are resolved */
	struct px_span member; /* "name":value as the sender wrote it */
	struct px_span value;  /* as the sender wrote it; a string with its quotes */
	enum px_kind kind;
	bool escaped; /* the string contains a backslash */
};

struct px_envelope;

/*
 * The field with that name; NULL if there is none. If a name occurs several times, the last one
 * counts, as for JSON.parse.
 */
PX_PUBLIC const struct px_field *px_envelope_field(const struct px_envelope *envelope,
		const char *name);

/* The kind of a field; PX_ABSENT if there is none. */
PX_PUBLIC enum px_kind px_envelope_kind(const struct px_envelope *envelope, const char *name);

/*
 * Copies the text of a string field, escapes resolved, to buf of size bytes, terminated. -ENOENT:
 * no such field; -EINVAL: not a string, or it contains U+0000; -E2BIG: too long for buf.
 */
PX_PUBLIC int px_envelope_string(const struct px_envelope *envelope, const char *name, char *buf,
		size_t size, size_t *ret_len);

/*
 * Reads a field that is an id: an integer, or a string of 1 to PX_ID_MAX bytes. ret_id points into
 * buf. Errors as px_envelope_string().
 */
PX_PUBLIC int px_envelope_id(const struct px_envelope *envelope, const char *name,
		char buf[PX_ID_MAX + 1], struct px_id *ret_id);

/* The value of a boolean field; false if there is none. */
PX_PUBLIC bool px_envelope_bool(const struct px_envelope *envelope, const char *name);

/*
 * A field's value as parsed by json-c; NULL if there is none, if it is null, without memory, or if
 * any name in the message contains U+0000, at which json-c would truncate it. The envelope owns it.
 */
PX_PUBLIC struct json_object *px_envelope_json(struct px_envelope *envelope, const char *name);

/* Resolves the escapes of a JSON string without its quotes. -E2BIG, -EINVAL. */
PX_PUBLIC int px_json_unescape(struct px_span raw, char *buf, size_t size, size_t *ret_len);

#endif

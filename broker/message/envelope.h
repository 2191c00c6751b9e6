/* SPDX-License-Identifier: MIT */
/*
 * Internals of an envelope, for those in the broker that make and splice one.
 */
#ifndef PX_ENVELOPE_H
#define PX_ENVELOPE_H

#include <praxis/envelope.h>

/* Fields of the outermost object; nested ones are not counted. */
#define PX_ENVELOPE_FIELDS 256

struct px_envelope {
	struct px_span text; /* owned by the caller */
	size_t field_count;
	struct px_field fields[PX_ENVELOPE_FIELDS];
	size_t name_bytes;
	bool nul_name; /* a nested name contains U+0000 */
	char names[4096]; /* field names whose escapes were resolved */
	struct json_object *json; /* of the whole text, parsed on first use */
};

enum px_envelope_fault {
	PX_ENVELOPE_FINE,
	PX_ENVELOPE_NO_JSON,
	PX_ENVELOPE_TOO_DEEP,
	PX_ENVELOPE_NO_OBJECT,
	PX_ENVELOPE_TOO_MANY_FIELDS,
	PX_ENVELOPE_BAD_NAME, /* U+0000 in a field's name */
};

/*
 * Validates and indexes a text. The bytes must outlive the envelope, which must be reset before it
 * is used again, whatever this returned.
 */
enum px_envelope_fault px_envelope_parse(struct px_envelope *envelope, struct px_span text);

/* Frees what was allocated. */
void px_envelope_reset(struct px_envelope *envelope);

#endif

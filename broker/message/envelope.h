/* SPDX-License-Identifier: MIT */
/*
 * Internals of an envelope, for those in the broker that make and splice one.
 */
#ifndef PX_ENVELOPE_H
#define PX_ENVELOPE_H

#include <praxis/envelope.h>

#include <string.h>

/* Fields of the outermost object; nested ones are not counted. */
#define PX_ENVELOPE_FIELDS 256

/* Where names are looked for: a bit of a uint64_t each. */
#define PX_NAME_SLOTS 64

/* What the broker knows of a field besides. */
struct px_field_place {
	uint16_t before; /* the field before it in its slot, counted from 1; 0: none */
	uint8_t slot;
	bool superseded; /* a later field has its name, and only that one counts */
};

struct px_envelope {
	struct px_span text; /* owned by the caller */
	size_t field_count;
	uint16_t latest[PX_NAME_SLOTS]; /* the last field of each slot, counted from 1; 0: none */
	struct px_field_place places[PX_ENVELOPE_FIELDS];
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

/*
 * The slot of a name. Of the protocol's names hardly two share one, so a name is found, or found
 * missing, by one comparison. A client that makes its own names collide gets a list, as long as
 * its message has fields.
 */
static inline uint8_t px_name_slot(const char *name, size_t len)
{
	return len == 0 ? 0 : (uint8_t)(((uint8_t)name[0] * 7u + (uint8_t)name[len - 1] * 5u +
			len * 8u) % PX_NAME_SLOTS);
}

/* As px_envelope_field(), for a name whose slot is known. */
static inline const struct px_field *px_envelope_find(const struct px_envelope *envelope,
		uint8_t slot, const char *name, size_t len)
{
	for (unsigned at = envelope->latest[slot]; at != 0; at = envelope->places[at - 1].before) {
		const struct px_field *field = &envelope->fields[at - 1];
		if (field->name.len == len && memcmp(field->name.data, name, len) == 0) {
			return field;
		}
	}
	return NULL;
}

/* … and for a literal, of which the compiler knows slot and length. */
#define PX_ENVELOPE_FIND(envelope, literal) px_envelope_find((envelope), \
	px_name_slot("" literal, sizeof(literal) - 1), "" literal, sizeof(literal) - 1)

/* As px_envelope_string() and px_envelope_id(), of a field; NULL: -ENOENT. */
int px_field_string(const struct px_field *field, char *buf, size_t size, size_t *ret_len);
int px_field_id(const struct px_field *field, char buf[PX_ID_MAX + 1], struct px_id *ret_id);

/* Whether the latter would succeed. */
bool px_field_is_id(const struct px_field *field);

#endif

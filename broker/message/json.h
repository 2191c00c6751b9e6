/* SPDX-License-Identifier: MIT */
/*
 * Writer functions for the broker only: inserting members of a sender's message.
 */
#ifndef PX_JSON_H
#define PX_JSON_H

#include <praxis/json.h>

/* Writes a comma if one is due. */
void px_json_comma(struct px_json *json);

/* Appends bytes unchanged. */
void px_json_append(struct px_json *json, const char *bytes, size_t len);

/*
 * As px_json_begin() without a type, into `data` of the caller's. If more than `size` bytes are
 * written, all of them move to the heap, and json->data is `data` no longer.
 */
void px_json_begin_at(struct px_json *json, char *data, size_t size);

#endif

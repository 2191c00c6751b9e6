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

#endif

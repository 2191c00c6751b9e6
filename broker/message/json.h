/* SPDX-License-Identifier: MIT */
/* What only the broker does with a writer: placing whole members of a sender. */
#ifndef PX_JSON_H
#define PX_JSON_H

#include <praxis/json.h>

/* A comma, if one is due. */
void px_json_comma(struct px_json *json);

/* Bytes as they are. */
void px_json_append(struct px_json *json, const char *bytes, size_t len);

#endif

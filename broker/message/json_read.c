/* SPDX-License-Identifier: MIT */
/*
 * The reading half of include/praxis/json.h.
 */
#include "scan.h"

#include <json-c/json.h>
#include <praxis/json.h>

bool px_json_get_text(struct json_object *object, const char *key, struct px_span *ret_text)
{
	struct json_object *value;
	if (!json_object_object_get_ex(object, key, &value) ||
			!json_object_is_type(value, json_type_string)) {
		return false;
	}
	*ret_text = (struct px_span){ json_object_get_string(value),
		(size_t)json_object_get_string_len(value) };
	return true;
}

bool px_json_get_int(struct json_object *object, const char *key, int64_t min, int64_t max,
		int64_t *ret_value)
{
	struct json_object *value;
	if (!json_object_object_get_ex(object, key, &value) ||
			!json_object_is_type(value, json_type_int)) {
		return false;
	}
	int64_t number = json_object_get_int64(value);
	if (number < min || number > max) {
		return false;
	}
	*ret_value = number;
	return true;
}

bool px_json_get_bool(struct json_object *object, const char *key, bool *ret_value)
{
	struct json_object *value;
	if (!json_object_object_get_ex(object, key, &value) ||
			!json_object_is_type(value, json_type_boolean)) {
		return false;
	}
	*ret_value = json_object_get_boolean(value);
	return true;
}

bool px_json_is_value(struct px_span text)
{
	const uint8_t *bytes = (const uint8_t *)text.data;
	struct px_scan scan = { .at = bytes, .end = bytes + text.len };
	enum px_kind kind;
	bool escaped;
	return text.len > 0 && px_scan_value(&scan, 0, &kind, &escaped) == 0 && scan.at == scan.end;
}

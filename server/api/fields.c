/* SPDX-License-Identifier: MIT */
/*
 * Input of a request: the fields of its body, and its query.
 */
#include "api_internal.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

static int bad(struct px_api_call *call, const char *field, const char *sentence)
{
	return px_api_fail(call, 0, PX_E_BAD_MESSAGE, field, sentence);
}

int px_api_only(struct px_api_call *call, const char *const *names)
{
	json_object_object_foreach(call->fields, key, value) {
		const char *const *name = names;
		(void)value;
		while (*name && strcmp(*name, key) != 0) {
			name++;
		}
		if (!*name) {
			return bad(call, NULL, "The body has an unknown field.");
		}
	}
	return 0;
}

/* json-c parses an integer beyond 64 bits as a double that keeps its digits. */
int px_api_id(struct px_api_call *call, const char *name, struct px_id *ret_id)
{
	struct json_object *value;
	if (json_object_object_get_ex(call->fields, name, &value)) {
		struct px_span text = px_span(json_object_get_string(value));
		bool number = !json_object_is_type(value, json_type_string);
		if ((number ? px_id_is_integer(text) : text.len > 0) && text.len <= PX_ID_MAX) {
			*ret_id = (struct px_id){ text, number };
			return 0;
		}
	}
	return bad(call, name, "This field must be an integer or a string of 1 to 128 bytes.");
}

int px_api_text(struct px_api_call *call, const char *name, bool optional, size_t max,
		struct px_span *ret_text)
{
	struct json_object *value;
	*ret_text = (struct px_span){ "", 0 };
	if (!json_object_object_get_ex(call->fields, name, &value)) {
		return optional ? 0 : bad(call, name, "This field is missing.");
	}
	if (!json_object_is_type(value, json_type_string)) {
		return bad(call, name, "This field must be a string.");
	}
	*ret_text = (struct px_span){ json_object_get_string(value),
		(size_t)json_object_get_string_len(value) };
	if (ret_text->len > max) {
		return bad(call, name, "This field is too long.");
	}
	return px_span_is_text(*ret_text) ? 0 :
			bad(call, name, "This field must not contain control characters.");
}

int px_api_bool(struct px_api_call *call, const char *name, bool *ret_value)
{
	struct json_object *value;
	if (!json_object_object_get_ex(call->fields, name, &value) ||
			!json_object_is_type(value, json_type_boolean)) {
		return bad(call, name, "This field must be true or false.");
	}
	*ret_value = json_object_get_boolean(value);
	return 0;
}

/* ---- the query ---- */

static int read_number(struct px_api_call *call, const char *name, const char *text, uint64_t max,
		uint64_t *ret_value)
{
	char *end;
	if (*text < '0' || *text > '9' || strlen(text) > 16) {
		return bad(call, name, "This parameter must be a whole number.");
	}
	*ret_value = strtoull(text, &end, 10);
	if (*end != '\0' || *ret_value > max) {
		return bad(call, name, "This parameter is out of range.");
	}
	return 0;
}

static int keep_text(struct px_api_call *call, const char *name, const char *text, char *buf,
		struct px_span *ret_text)
{
	size_t len = strlen(text);
	if (len == 0 || len > PX_ID_MAX) {
		return bad(call, name, "This parameter must have 1 to 128 bytes.");
	}
	memcpy(buf, text, len);
	*ret_text = (struct px_span){ buf, len };
	return 0;
}

static int read_pair(struct px_api_call *call, char *pair, char buf[PX_API_QUERY_BYTES],
		struct px_page *page)
{
	uint64_t number = 0;
	char *value = strchr(pair, '=');
	if (*pair == '\0' || strcmp(pair, "/") == 0) {
		return 0; /* a "?" alone, which lws 4.1.6 turns into "?/" */
	}
	if (!value) {
		return bad(call, NULL, "A parameter of the query has no value.");
	}
	*value++ = '\0';
	if (strcmp(pair, "service") == 0) {
		return keep_text(call, "service", value, buf, &page->service);
	}
	if (strcmp(pair, "practiceId") == 0) {
		return keep_text(call, "practiceId", value, buf + PX_ID_MAX + 1, &page->practice);
	}
	if (strcmp(pair, "after") == 0) {
		return read_number(call, "after", value, UINT64_C(1) << 53, &page->after);
	}
	if (strcmp(pair, "limit") == 0) {
		int rc = read_number(call, "limit", value, PX_PAGE_MAX, &number);
		page->limit = (uint32_t)number;
		return rc;
	}
	return bad(call, NULL, "The query has an unknown parameter.");
}

int px_api_page(struct px_api_call *call, char buf[PX_API_QUERY_BYTES], struct px_page *ret_page)
{
	char pair[PX_ID_MAX + 32];
	*ret_page = (struct px_page){ .after = 0 };
	for (int i = 0; lws_hdr_fragment_length(call->wsi, WSI_TOKEN_HTTP_URI_ARGS, i) > 0; i++) {
		int len = lws_hdr_copy_fragment(call->wsi, pair, sizeof(pair),
				WSI_TOKEN_HTTP_URI_ARGS, i);
		if (len < 0) {
			return bad(call, NULL, "A parameter of the query is too long.");
		}
		if (read_pair(call, pair, buf, ret_page) < 0) {
			return -1;
		}
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * From claims to a token's fields. Text is not copied: the fields point into json-c's tree,
 * to which the token holds a reference. Copies would be two thousand small allocations for
 * a token of that many ids, only to be copied once more into the identity.
 */
#include "claims.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

static bool has(struct json_object *claims, const char *name)
{
	return json_object_object_get_ex(claims, name, NULL);
}

static struct px_span span_of(struct json_object *string)
{
	return (struct px_span){ json_object_get_string(string),
		(size_t)json_object_get_string_len(string) };
}

/* What json-c's own reader makes of integers that are too large or too small for it. */
static bool is_clamped(struct json_object *integer)
{
	return json_object_get_uint64(integer) == UINT64_MAX ||
			json_object_get_int64(integer) == INT64_MIN;
}

static int read_id(struct json_object *value, struct px_id *ret_id)
{
	struct px_id id = { .number = true };
	if (json_object_is_type(value, json_type_string)) {
		id = (struct px_id){ span_of(value), false };
	} else if (json_object_is_type(value, json_type_double) ||
			(json_object_is_type(value, json_type_int) && !is_clamped(value))) {
		/* json-c keeps it beside the value; one that does not fit stays without text */
		const char *text = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);
		id.text = px_span(text);
		if (!px_id_is_integer(id.text)) {
			return -EINVAL;
		}
	}
	if (id.text.len == 0 || id.text.len > PX_ID_MAX || !px_span_is_text(id.text)) {
		return -EINVAL;
	}
	*ret_id = id;
	return 0;
}

static int read_ids(struct json_object *array, size_t max, struct px_id **ret_ids,
		size_t *ret_count)
{
	if (!json_object_is_type(array, json_type_array) || json_object_array_length(array) > max) {
		return -EINVAL;
	}
	size_t count = json_object_array_length(array);
	struct px_id *ids = calloc(count > 0 ? count : 1, sizeof(*ids));
	if (!ids) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		int rc = read_id(json_object_array_get_idx(array, i), &ids[i]);
		if (rc < 0) {
			free(ids);
			return rc;
		}
	}
	*ret_ids = ids;
	*ret_count = count;
	return 0;
}

/* A string of at most `max` bytes, for which `required` is that it may not be empty. */
static int read_text(struct json_object *value, size_t max, bool required,
		struct px_span *ret_text)
{
	if (!json_object_is_type(value, json_type_string)) {
		return -EINVAL;
	}
	struct px_span text = span_of(value);
	if (text.len > max || (required && text.len == 0) || !px_span_is_text(text)) {
		return -EINVAL;
	}
	*ret_text = text;
	return 0;
}

static int read_sub(struct px_token *token, const char *name)
{
	return read_id(json_object_object_get(token->claims, name), &token->user);
}

static int read_name(struct px_token *token, const char *name)
{
	struct json_object *value = json_object_object_get(token->claims, name);
	return value ? read_text(value, PX_NAME_MAX, false, &token->name) : 0;
}

static int read_tenant(struct px_token *token, const char *name)
{
	struct json_object *value = json_object_object_get(token->claims, name);
	return has(token->claims, name) ? read_text(value, PX_ID_MAX, true, &token->tenant) : 0;
}

static int read_jti(struct px_token *token, const char *name)
{
	struct json_object *value = json_object_object_get(token->claims, name);
	return has(token->claims, name) ? read_text(value, PX_JTI_MAX, false, &token->jti) : 0;
}

static int read_role(struct px_token *token, const char *name, enum px_role default_role)
{
	struct json_object *value = json_object_object_get(token->claims, name);
	token->role = default_role;
	if (value) {
		token->role = json_object_is_type(value, json_type_string) ?
				px_role_parse(span_of(value)) : 0;
	}
	return token->role != 0 ? 0 : -EINVAL;
}

static bool is_star(const struct px_id *id)
{
	return !id->number && px_span_equal(id->text, px_span("*"));
}

/* "*" stands alone; among others, or as the only practice of a patient, it is a mistake. */
static int find_star(struct px_token *token)
{
	for (size_t i = 0; i < token->practice_count; i++) {
		if (!is_star(&token->practices[i])) {
			continue;
		}
		if (token->practice_count > 1 ||
				!(token->role & (PX_ROLE_ADMIN | PX_ROLE_SERVICE))) {
			return -EINVAL;
		}
		token->all_practices = true;
		token->practice_count = 0;
	}
	return 0;
}

/* The list counts where both are given: applications add the practice that is open now. */
static int read_practices(struct px_token *token, const struct px_claim_names *names,
		const char **ret_claim)
{
	struct json_object *list = json_object_object_get(token->claims, names->practices);
	struct json_object *one = json_object_object_get(token->claims, names->practice_id);
	*ret_claim = list ? names->practices : names->practice_id;
	if (list) {
		int rc = read_ids(list, PX_PRACTICES_MAX, &token->practices,
				&token->practice_count);
		return rc < 0 ? rc : find_star(token);
	}
	if (!one) {
		return 0;
	}
	token->practices = calloc(1, sizeof(*token->practices));
	if (!token->practices) {
		return -ENOMEM;
	}
	token->practice_count = 1;
	int rc = read_id(one, &token->practices[0]);
	return rc == 0 && is_star(&token->practices[0]) ? -EINVAL : rc;
}

/* Null is wrong here: without this claim one may join any room. */
static int read_rooms(struct px_token *token, const char *name)
{
	struct json_object *rooms = json_object_object_get(token->claims, name);
	token->has_rooms = has(token->claims, name);
	return token->has_rooms ? read_ids(rooms, PX_ROOMS_MAX, &token->rooms, &token->room_count) :
			0;
}

static int read_expiry(struct px_token *token, const char *name)
{
	int rc = px_claims_time(token->claims, name, &token->expires_s);
	return rc == -ENOENT ? 0 : rc;
}

static int read_all(struct px_token *token, const struct px_claim_names *names,
		enum px_role default_role, const char **ret_claim)
{
	int rc = read_sub(token, *ret_claim = names->sub);
	if (rc == 0) {
		rc = read_name(token, *ret_claim = names->name);
	}
	if (rc == 0) {
		rc = read_tenant(token, *ret_claim = names->tenant);
	}
	if (rc == 0) {
		rc = read_role(token, *ret_claim = names->role, default_role);
	}
	if (rc == 0) {
		rc = read_practices(token, names, ret_claim);
	}
	if (rc == 0) {
		rc = read_rooms(token, *ret_claim = names->rooms);
	}
	if (rc == 0) {
		rc = read_expiry(token, *ret_claim = "exp");
	}
	if (rc == 0) {
		rc = read_jti(token, *ret_claim = "jti");
	}
	return rc;
}

int px_claims_read(struct json_object *claims, const struct px_claim_names *names,
		enum px_role default_role, struct px_token **ret_token, const char **ret_claim)
{
	const char *claim = NULL;
	struct px_token *token = calloc(1, sizeof(*token));
	if (!token) {
		return -ENOMEM;
	}
	token->claims = json_object_get(claims);
	int rc = read_all(token, names, default_role, &claim);
	if (rc < 0) {
		if (rc == -EINVAL && ret_claim) {
			*ret_claim = claim;
		}
		px_token_destroy(token);
		return rc;
	}
	*ret_token = token;
	return 0;
}

void px_token_destroy(struct px_token *token)
{
	if (!token) {
		return;
	}
	json_object_put(token->claims);
	free(token->practices);
	free(token->rooms);
	free(token);
}

int px_claims_time(struct json_object *claims, const char *name, int64_t *ret_s)
{
	struct json_object *value = NULL;
	if (!json_object_object_get_ex(claims, name, &value)) {
		return -ENOENT;
	}
	if (!json_object_is_type(value, json_type_int) &&
			!json_object_is_type(value, json_type_double)) {
		return -EINVAL;
	}
	double seconds = json_object_get_double(value);
	if (!(seconds >= 0 && seconds <= (double)PX_CLAIMS_TIME_MAX)) {
		return -EINVAL;
	}
	*ret_s = seconds < 1 ? 1 : (int64_t)seconds;
	return 0;
}

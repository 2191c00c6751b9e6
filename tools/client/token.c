/* SPDX-License-Identifier: MIT */
/*
 * A token is three base64url texts and one HMAC (RFC 7515, appendix A.1). Made by hand and
 * not by the JOSE library that the server checks with: the tool stays free of its forty
 * shared libraries, and the two cannot agree on a mistake.
 */
#include "token.h"

#include <errno.h>
#include <json-c/json.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#define TTL_MAX_S (INT64_C(3653) * 24 * 3600)

/* Digits that every reader of JSON keeps: doubles hold 2^53. */
#define EXACT_DIGITS 15

/* Adds a member, whose value may be NULL for want of memory. */
static int add(struct json_object *object, const char *key, struct json_object *value)
{
	if (!value || json_object_object_add(object, key, value) != 0) {
		json_object_put(value);
		return -ENOMEM;
	}
	return 0;
}

static int add_text(struct json_object *object, const char *key, const char *text)
{
	if (!text) {
		return 0;
	}
	if (!px_span_is_text(px_span(text))) {
		return -EINVAL;
	}
	return add(object, key, json_object_new_string(text));
}

/* NULL: no id, or no memory. */
static struct json_object *new_id(const char *text)
{
	struct px_span id = px_span(text);
	if (id.len == 0 || id.len > PX_ID_MAX || !px_span_is_text(id)) {
		return NULL;
	}
	if (px_id_is_integer(id) && id.len <= EXACT_DIGITS) {
		return json_object_new_int64(strtoll(text, NULL, 10));
	}
	return json_object_new_string(text);
}

static int add_ids(struct json_object *object, const char *key, const char *const *ids,
		size_t count)
{
	if (count == 0) {
		return 0;
	}
	struct json_object *array = json_object_new_array();
	for (size_t i = 0; array && i < count; i++) {
		struct json_object *id = new_id(ids[i]);
		if (!id || json_object_array_add(array, id) != 0) {
			json_object_put(id);
			json_object_put(array);
			return -EINVAL;
		}
	}
	return add(object, key, array);
}

static int add_user(struct json_object *claims, const char *user)
{
	/* RFC 7519 section 4.1.2: a string, whatever it looks like */
	struct px_span id = px_span(user);
	return id.len == 0 || id.len > PX_ID_MAX ? -EINVAL : add_text(claims, "sub", user);
}

static int add_role(struct json_object *claims, const char *role)
{
	return px_role_parse(px_span(role)) == 0 ? -EINVAL : add_text(claims, "role", role);
}

static int add_times(struct json_object *claims, const struct px_mint *mint)
{
	int rc = add(claims, "iat", json_object_new_int64(mint->now_s));
	if (rc == 0 && mint->ttl_s > 0) {
		rc = add(claims, "exp", json_object_new_int64(mint->now_s + mint->ttl_s));
	}
	return rc;
}

static int fill_claims(struct json_object *claims, const struct px_mint *mint,
		const char **ret_wrong)
{
	int rc = add_user(claims, mint->user);
	*ret_wrong = "user";
	if (rc == 0) {
		rc = add_role(claims, mint->role);
		*ret_wrong = "role";
	}
	if (rc == 0) {
		rc = add_ids(claims, "practices", mint->practices, mint->practice_count);
		*ret_wrong = "practice";
	}
	if (rc == 0) {
		rc = add_ids(claims, "rooms", mint->rooms, mint->room_count);
		*ret_wrong = "room";
	}
	if (rc == 0) {
		rc = add_text(claims, "name", mint->name);
		*ret_wrong = "name";
	}
	if (rc == 0) {
		rc = add_text(claims, "tenant", mint->tenant);
		*ret_wrong = "tenant";
	}
	if (rc == 0) {
		rc = add_text(claims, "iss", mint->issuer);
		*ret_wrong = "issuer";
	}
	if (rc == 0) {
		rc = add_text(claims, "aud", mint->audience);
		*ret_wrong = "audience";
	}
	return rc == 0 ? add_times(claims, mint) : rc;
}

/* Appends base64url of `len` bytes, terminated; returns the new end. */
static char *append(char *at, const void *bytes, size_t len)
{
	int n = EVP_EncodeBlock((unsigned char *)at, bytes, (int)len);
	while (n > 0 && at[n - 1] == '=') {
		n--;
	}
	for (int i = 0; i < n; i++) {
		at[i] = at[i] == '+' ? '-' : at[i] == '/' ? '_' : at[i];
	}
	at[n] = '\0';
	return at + n;
}

static int sign(struct px_span secret, const char *header, const char *claims, char **ret_token)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	size_t room = (strlen(header) + strlen(claims) + sizeof(mac)) / 3 * 4 + 3 * 8;
	char *token = malloc(room);
	if (!token) {
		return -ENOMEM;
	}
	char *at = append(token, header, strlen(header));
	*at++ = '.';
	at = append(at, claims, strlen(claims));
	if (!HMAC(EVP_sha256(), secret.data, (int)secret.len, (unsigned char *)token,
			(size_t)(at - token), mac, &len)) {
		free(token);
		return -ENOMEM;
	}
	*at++ = '.';
	(void)append(at, mac, len);
	*ret_token = token;
	return 0;
}

static const char *print(struct json_object *object)
{
	return json_object_to_json_string_ext(object,
			JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

static int make(struct json_object *header, struct json_object *claims,
		const struct px_mint *mint, char **ret_token, const char **ret_wrong)
{
	if (!header || !claims) {
		return -ENOMEM;
	}
	*ret_wrong = "secret";
	int rc = mint->secret.len > 0 ? add_text(header, "alg", "HS256") : -EINVAL;
	if (rc == 0) {
		rc = add_text(header, "typ", "JWT");
	}
	if (rc == 0) {
		rc = add_text(header, "kid", mint->kid);
		*ret_wrong = "kid";
	}
	if (rc == 0) {
		rc = fill_claims(claims, mint, ret_wrong);
	}
	if (rc < 0) {
		return rc;
	}
	const char *header_text = print(header);
	const char *claims_text = print(claims);
	return header_text && claims_text ?
			sign(mint->secret, header_text, claims_text, ret_token) : -ENOMEM;
}

int px_mint_token(const struct px_mint *mint, char **ret_token, const char **ret_wrong)
{
	const char *wrong = NULL;
	struct json_object *header = json_object_new_object();
	struct json_object *claims = json_object_new_object();
	int rc = make(header, claims, mint, ret_token, &wrong);
	if (rc == -EINVAL) {
		*ret_wrong = wrong;
	}
	json_object_put(header);
	json_object_put(claims);
	return rc;
}

int px_mint_parse_ttl(const char *text, int64_t *ret_s)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 24 * 3600 } };
	int64_t number = 0;
	const char *at = text;
	for (; *at >= '0' && *at <= '9' && number <= TTL_MAX_S; at++) {
		number = number * 10 + (*at - '0');
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (number > 0 && number <= TTL_MAX_S / units[i].seconds && *at == units[i].unit &&
				at[1] == '\0') {
			*ret_s = number * units[i].seconds;
			return 0;
		}
	}
	return -EINVAL;
}

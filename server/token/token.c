/* SPDX-License-Identifier: MIT */
/*
 * A token is taken apart here, strictly, and only its signature is left to the library: a
 * header that the library read more kindly than we did could mean something else to it.
 * The bytes that were signed and the bytes that are read are the same because each part must be
 * in its canonical spelling (librhonabwy checks the payload as it would spell it itself).
 */
#include "token.h"

#include "base64url.h"
#include "common/strict_json.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct px_token_rules px_token_rules_default = {
	.leeway_s = 30,
	.require_exp = true,
	.max_bytes = 16384,
	.names = PX_CLAIM_NAMES_DEFAULT,
};

static const struct {
	const char *name;
	const char *text;
} faults[PX_TOKEN_FAULTS] = {
	[PX_TOKEN_MALFORMED] = { "malformed", "This is not a signed token, or it is malformed." },
	[PX_TOKEN_ALGORITHM] = { "algorithm", "The token's algorithm is not accepted." },
	[PX_TOKEN_UNKNOWN_KEY] = { "unknown_key", "The token names an unknown key." },
	[PX_TOKEN_SIGNATURE] = { "signature", "The token's signature is not valid." },
	[PX_TOKEN_PAYLOAD] = { "payload", "The token's payload is malformed." },
	[PX_TOKEN_EXPIRED] = { "expired", "The token has expired." },
	[PX_TOKEN_NOT_YET] = { "not_yet", "The token is not valid yet." },
	[PX_TOKEN_ISSUER] = { "issuer", "The token's issuer is not accepted." },
	[PX_TOKEN_AUDIENCE] = { "audience", "The token is meant for another audience." },
	[PX_TOKEN_NO_EXPIRY] = { "no_expiry", "The token has no expiry, which is required." },
	[PX_TOKEN_CLAIMS] = { "claims", "A claim of the token is missing or has the wrong type." },
	[PX_TOKEN_TOO_LONG] = { "too_long", "The token is too long." },
};

/* A decoded part; the caller's to free. */
struct bytes {
	uint8_t *data;
	size_t len;
};

/* A token's parts, and what its header says. */
struct parts {
	size_t signed_len; /* of header and payload, with the dot between them */
	struct bytes header;
	struct bytes payload;
	struct bytes signature;
	enum px_jwk_type type;
	char *kid; /* NULL: none */
};

static void parts_finish(struct parts *parts)
{
	free(parts->header.data);
	free(parts->payload.data);
	free(parts->signature.data);
	free(parts->kid);
}

static int fail(enum px_token_fault *ret_fault, enum px_token_fault fault)
{
	*ret_fault = fault;
	return -EACCES;
}

/* Takes the text before the next dot off `rest`. */
static bool take_part(struct px_span *rest, struct px_span *ret_part)
{
	const char *dot = rest->len > 0 ? memchr(rest->data, '.', rest->len) : NULL;
	if (!dot) {
		return false;
	}
	size_t len = (size_t)(dot - rest->data);
	*ret_part = (struct px_span){ rest->data, len };
	*rest = (struct px_span){ dot + 1, rest->len - len - 1 };
	return true;
}

static int decode(struct px_span part, struct bytes *ret_bytes)
{
	struct bytes bytes = { .data = malloc(PX_BASE64URL_DECODED(part.len)) };
	if (!bytes.data) {
		return -ENOMEM;
	}
	int rc = px_base64url_decode(part, bytes.data, &bytes.len);
	if (rc < 0) {
		free(bytes.data);
		return rc;
	}
	*ret_bytes = bytes;
	return 0;
}

/* Five parts would be an encrypted token; its dots are no base64url. */
static int split(struct px_span token, struct parts *parts)
{
	struct px_span header;
	struct px_span payload;
	struct px_span rest = token;
	if (!take_part(&rest, &header) || !take_part(&rest, &payload) || header.len == 0 ||
			payload.len == 0) {
		return -EINVAL;
	}
	parts->signed_len = header.len + 1 + payload.len;
	int rc = decode(header, &parts->header);
	if (rc == 0) {
		rc = decode(payload, &parts->payload);
	}
	return rc == 0 ? decode(rest, &parts->signature) : rc;
}

static int parse(const struct bytes *bytes, struct json_object **ret_object)
{
	struct px_span text = { (char *)bytes->data, bytes->len };
	return px_strict_json_parse(text, ret_object);
}

static bool has(struct json_object *object, const char *name)
{
	return json_object_object_get_ex(object, name, NULL);
}

/* A member that is text; len 0 where there is none, or it is none. */
static struct px_span text_of(struct json_object *object, const char *name)
{
	struct json_object *value = json_object_object_get(object, name);
	if (!json_object_is_type(value, json_type_string)) {
		return (struct px_span){ NULL, 0 };
	}
	return (struct px_span){ json_object_get_string(value),
		(size_t)json_object_get_string_len(value) };
}

/* "application/" may be left out of a media type (RFC 7515 section 4.1.9). */
static bool is_jwt_type(struct px_span text)
{
	const char *type = text.data;
	if (text.len == 0 || strlen(type) != text.len) {
		return false;
	}
	if (strncasecmp(type, "application/", 12) == 0) {
		type += 12;
	}
	return strcasecmp(type, "JWT") == 0 || strcasecmp(type, "at+jwt") == 0;
}

/*
 * "b64" and "zip" would have the payload read in another way; "enc" is encryption's, and a
 * "cty" of JWT says that the payload is another token.
 */
static bool is_plain(struct json_object *header)
{
	if (has(header, "crit") || has(header, "b64") || has(header, "zip") || has(header, "enc")) {
		return false;
	}
	return (!has(header, "typ") || is_jwt_type(text_of(header, "typ"))) &&
			!is_jwt_type(text_of(header, "cty"));
}

static int read_kid(struct json_object *header, struct parts *parts)
{
	struct px_span kid = text_of(header, "kid");
	if (!has(header, "kid")) {
		return 0;
	}
	if (kid.len == 0 || kid.len > PX_KID_MAX) {
		return -EINVAL;
	}
	parts->kid = strndup(kid.data, kid.len);
	return parts->kid ? 0 : -ENOMEM;
}

static int read_header(struct parts *parts, enum px_token_fault *ret_fault)
{
	struct json_object *header = NULL;
	int rc = parse(&parts->header, &header);
	if (rc == 0 && text_of(header, "alg").len > 0 &&
			px_jwk_type_parse(text_of(header, "alg"), &parts->type) < 0) {
		rc = fail(ret_fault, PX_TOKEN_ALGORITHM);
	} else if (rc == 0 && (text_of(header, "alg").len == 0 || !is_plain(header))) {
		rc = -EINVAL;
	} else if (rc == 0) {
		rc = read_kid(header, parts);
	}
	json_object_put(header);
	return rc == -EINVAL ? fail(ret_fault, PX_TOKEN_MALFORMED) : rc;
}

static int check_signature(const struct px_jwks *keys, struct px_span token,
		const struct parts *parts, enum px_token_fault *ret_fault)
{
	struct px_signed message = {
		.token = token,
		.signed_len = parts->signed_len,
		.signature = parts->signature.data,
		.signature_len = parts->signature.len,
	};
	switch (px_jwks_verify(keys, parts->type, px_span(parts->kid), &message)) {
	case 0: return 0;
	case -ENOKEY: return fail(ret_fault, PX_TOKEN_UNKNOWN_KEY);
	case -ENOTSUP: return fail(ret_fault, PX_TOKEN_ALGORITHM);
	default: return fail(ret_fault, PX_TOKEN_SIGNATURE);
	}
}

/* A time that need not be there; then 0. */
static int read_time(struct json_object *claims, const char *name, int64_t *ret_s)
{
	int rc = px_claims_time(claims, name, ret_s);
	return rc == -ENOENT ? 0 : rc;
}

/* "iat" is not compared: when a token was made says nothing of when it is valid. */
static int check_times(const struct px_token_rules *rules, struct json_object *claims,
		int64_t now_s, enum px_token_fault *ret_fault)
{
	int64_t exp_s = 0;
	int64_t nbf_s = 0;
	int64_t iat_s = 0;
	if (read_time(claims, "exp", &exp_s) < 0 || read_time(claims, "nbf", &nbf_s) < 0 ||
			read_time(claims, "iat", &iat_s) < 0) {
		return fail(ret_fault, PX_TOKEN_CLAIMS);
	}
	if (exp_s == 0 && rules->require_exp) {
		return fail(ret_fault, PX_TOKEN_NO_EXPIRY);
	}
	if (exp_s != 0 && now_s - exp_s >= rules->leeway_s) {
		return fail(ret_fault, PX_TOKEN_EXPIRED);
	}
	if (nbf_s - now_s > rules->leeway_s) {
		return fail(ret_fault, PX_TOKEN_NOT_YET);
	}
	return 0;
}

static bool is_for(struct json_object *claims, const char *audience)
{
	struct json_object *aud = json_object_object_get(claims, "aud");
	if (!json_object_is_type(aud, json_type_array)) {
		return px_span_equal(text_of(claims, "aud"), px_span(audience));
	}
	for (size_t i = 0; i < json_object_array_length(aud); i++) {
		struct json_object *one = json_object_array_get_idx(aud, i);
		if (json_object_is_type(one, json_type_string) &&
				strcmp(json_object_get_string(one), audience) == 0) {
			return true;
		}
	}
	return false;
}

static int check_claims(const struct px_token_rules *rules, struct json_object *claims,
		int64_t now_s, struct px_token **ret_token, enum px_token_fault *ret_fault)
{
	if (rules->issuer && !px_span_equal(text_of(claims, "iss"), px_span(rules->issuer))) {
		return fail(ret_fault, PX_TOKEN_ISSUER);
	}
	if (rules->audience && !is_for(claims, rules->audience)) {
		return fail(ret_fault, PX_TOKEN_AUDIENCE);
	}
	int rc = check_times(rules, claims, now_s, ret_fault);
	if (rc < 0) {
		return rc;
	}
	rc = px_claims_read(claims, &rules->names, rules->default_role, ret_token, NULL);
	return rc == -EINVAL ? fail(ret_fault, PX_TOKEN_CLAIMS) : rc;
}

static int check_payload(const struct px_token_rules *rules, const struct bytes *payload,
		int64_t now_s, struct px_token **ret_token, enum px_token_fault *ret_fault)
{
	struct json_object *claims = NULL;
	int rc = parse(payload, &claims);
	if (rc < 0) {
		return rc == -EINVAL ? fail(ret_fault, PX_TOKEN_PAYLOAD) : rc;
	}
	rc = check_claims(rules, claims, now_s, ret_token, ret_fault);
	json_object_put(claims);
	return rc;
}

int px_token_verify(const struct px_jwks *keys, const struct px_token_rules *rules,
		struct px_span token, int64_t now_s, struct px_token **ret_token,
		enum px_token_fault *ret_fault)
{
	struct parts parts = { .kid = NULL };
	if (token.len > rules->max_bytes || token.len > PX_TOKEN_BYTES_MAX) {
		return fail(ret_fault, PX_TOKEN_TOO_LONG);
	}
	int rc = split(token, &parts);
	if (rc == -EINVAL) {
		rc = fail(ret_fault, PX_TOKEN_MALFORMED);
	}
	if (rc == 0) {
		rc = read_header(&parts, ret_fault);
	}
	if (rc == 0) {
		rc = check_signature(keys, token, &parts, ret_fault);
	}
	if (rc == 0) {
		rc = check_payload(rules, &parts.payload, now_s, ret_token, ret_fault);
	}
	parts_finish(&parts);
	return rc;
}

const char *px_token_fault_text(enum px_token_fault fault)
{
	return faults[fault].text;
}

const char *px_token_fault_name(enum px_token_fault fault)
{
	return faults[fault].name;
}

bool px_token_fault_is_guess(enum px_token_fault fault)
{
	switch (fault) {
	case PX_TOKEN_MALFORMED:
	case PX_TOKEN_ALGORITHM:
	case PX_TOKEN_UNKNOWN_KEY:
	case PX_TOKEN_SIGNATURE:
	case PX_TOKEN_TOO_LONG:
		return true;
	default:
		return false;
	}
}

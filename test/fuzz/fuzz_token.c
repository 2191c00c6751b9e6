/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of what tokens and keys are made of. The first byte of an input chooses: 't' a token
 * as it comes from a client, 'h' a header and 'p' claims that are then signed, so that the
 * fuzzer gets past the signature, 'k' a key set, 'l' a lifetime for praxisctl.
 *
 * A token of 't' is accepted only if it is word for word the one that was made here: nobody
 * finds a second signature by mutation, so that a second spelling would be a fault.
 */
#include "common/strict_json.h"
#include "token/token.h"

#include "../../tools/client/token.h"

#include <errno.h>
#include <json-c/json.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NOW INT64_C(1700000000)
#define SECRET "0123456789abcdef0123456789abcdef"
#define HEADER "{\"alg\":\"HS256\"}"
#define CLAIMS "{\"sub\":\"7\",\"role\":\"staff\",\"practices\":[1],\"exp\":1700000060}"

/* Public keys to fail with: the examples of RFC 7515, A.2 and A.3, and RFC 8037, A.2. */
#define JWKS \
	"{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"kid\":\"r\",\"n\":\"ofgWCuLjybRlzo0tZWJ" \
	"jNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-S" \
	"Fd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMd" \
	"bBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7a" \
	"GhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\"},{\"kty\":" \
	"\"EC\",\"crv\":\"P-256\",\"kid\":\"e\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uP" \
	"HvRVEU\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"},{\"kty\":\"OKP\",\"c" \
	"rv\":\"Ed25519\",\"kid\":\"d\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"" \
	"}]}"

static struct px_jwks *keys;
static char *good; /* the one good token */

static void on_complaint(void *user, bool error, const char *text)
{
	(void)error;
	if (!px_span_is_text(px_span(text))) {
		abort();
	}
	++*(unsigned *)user;
}

static void check(bool holds)
{
	if (!holds) {
		abort();
	}
}

/* The set of a text, by way of a file that has no name. */
static struct px_jwks *keys_of(const uint8_t *data, size_t size, bool *ret_told)
{
	char path[64];
	struct px_jwks *result = NULL;
	unsigned told = 0;
	struct px_jwks_sink sink = { .on_complaint = on_complaint, .user = &told };
	int fd = memfd_create("jwks", MFD_CLOEXEC);
	check(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	struct px_jwks_source source = { .secret = px_span(SECRET), .jwks_file = path };
	int rc = px_jwks_create(&source, &sink, &result);
	check(rc == 0 || rc == -EINVAL);
	check((rc == 0) == (result != NULL));
	(void)close(fd);
	*ret_told = told > 0;
	return result;
}

static size_t encode(char *to, const void *bytes, size_t len)
{
	int n = EVP_EncodeBlock((unsigned char *)to, bytes, (int)len);
	while (n > 0 && to[n - 1] == '=') {
		n--;
	}
	for (int i = 0; i < n; i++) {
		to[i] = to[i] == '+' ? '-' : to[i] == '/' ? '_' : to[i];
	}
	return (size_t)n;
}

static char *sign(const void *header, size_t header_len, const void *claims, size_t claims_len)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned mac_len = 0;
	char *token = malloc((header_len + claims_len) / 3 * 4 + 128);
	check(token != NULL);
	size_t len = encode(token, header, header_len);
	token[len++] = '.';
	len += encode(token + len, claims, claims_len);
	check(HMAC(EVP_sha256(), SECRET, (int)strlen(SECRET), (unsigned char *)token, len, mac,
			&mac_len) != NULL);
	token[len++] = '.';
	len += encode(token + len, mac, mac_len);
	token[len] = '\0';
	return token;
}

static void check_ids(const struct px_id *ids, size_t count, size_t max)
{
	check(count <= max);
	for (size_t i = 0; i < count; i++) {
		struct px_span text = ids[i].text;
		check(text.len > 0 && text.len <= PX_ID_MAX && px_span_is_text(text));
		check(!ids[i].number || px_id_is_integer(text));
	}
}

/* What the broker relies on. */
static void check_token(const struct px_token *token)
{
	check_ids(&token->user, 1, 1);
	check_ids(token->practices, token->practice_count, PX_PRACTICES_MAX);
	check_ids(token->rooms, token->room_count, PX_ROOMS_MAX);
	check(token->role != 0 && (token->role & (token->role - 1)) == 0);
	check(token->name.len <= PX_NAME_MAX && px_span_is_text(token->name));
	check(token->tenant.len <= PX_ID_MAX && px_span_is_text(token->tenant));
	check(token->jti.len <= PX_JTI_MAX && px_span_is_text(token->jti));
	check(token->expires_s > NOW && token->expires_s <= PX_CLAIMS_TIME_MAX);
	check(!token->all_practices ||
			(token->practice_count == 0 && token->role != PX_ROLE_PATIENT));
	check(token->has_rooms || token->room_count == 0);
}

static bool verify(struct px_span text)
{
	struct px_token_rules rules = px_token_rules_default;
	struct px_token *token = NULL;
	enum px_token_fault fault = PX_TOKEN_FAULTS;
	rules.leeway_s = 0;
	rules.max_bytes = PX_TOKEN_BYTES_MAX;
	int rc = px_token_verify(keys, &rules, text, NOW, &token, &fault);
	check(rc == 0 ? token != NULL : rc == -EACCES && !token && fault < PX_TOKEN_FAULTS);
	if (token) {
		check_token(token);
	}
	px_token_destroy(token);
	return rc == 0;
}

static void try_token(const uint8_t *data, size_t size)
{
	struct px_span text = { (const char *)data, size };
	check(!verify(text) || px_span_equal(text, px_span(good)));
}

static void try_header(const uint8_t *data, size_t size)
{
	char *token = sign(data, size, CLAIMS, strlen(CLAIMS));
	(void)verify(px_span(token));
	free(token);
}

static void on_json_error(void *user, unsigned line, const char *text)
{
	*(bool *)user = line > 0 && strstr(text, "beyond 64 bits");
}

/* What a token may be a file of the configuration may, except for one kind of number. */
static void read_as_configuration(struct px_span text)
{
	bool large_integer = false;
	struct px_json_report report = { .on_error = on_json_error, .user = &large_integer };
	struct json_object *value = NULL;
	int rc = px_strict_json_parse_commented(text, &report, &value);
	check(rc == 0 || large_integer);
	check(rc < 0 || report.places[0].next == report.place_count);
	free(report.places);
	json_object_put(value);
}

/* What we take for JSON, json-c must, too, and be able to print. */
static void try_claims(const uint8_t *data, size_t size)
{
	struct json_object *object = NULL;
	char *token = sign(HEADER, strlen(HEADER), data, size);
	bool accepted = verify(px_span(token));
	free(token);
	int rc = px_strict_json_parse((struct px_span){ (const char *)data, size }, &object);
	check(!accepted || rc == 0);
	if (rc == 0) {
		struct json_object *again = json_tokener_parse(json_object_to_json_string(object));
		check(json_object_is_type(again, json_type_object));
		check(json_object_object_length(again) == json_object_object_length(object));
		json_object_put(again);
		read_as_configuration((struct px_span){ (const char *)data, size });
	}
	json_object_put(object);
}

static void try_keys(const uint8_t *data, size_t size)
{
	bool told;
	struct px_jwks *set = keys_of(data, size, &told);
	check(set || told);
	if (set) {
		check(px_jwks_count(set) <= PX_KEYS_MAX + 1);
		struct px_signed message = { .token = px_span("e30.e30.AAAA"), .signed_len = 7,
			.signature = (const uint8_t *)"\0\0", .signature_len = 3 };
		for (int type = PX_KEY_HS256; type <= PX_KEY_EDDSA; type++) {
			check(px_jwks_verify(set, type, (struct px_span){ NULL, 0 }, &message) < 0);
		}
	}
	px_jwks_destroy(set);
}

static void try_ttl(const uint8_t *data, size_t size)
{
	int64_t seconds = 0;
	char *text = malloc(size + 1);
	check(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	int rc = px_mint_parse_ttl(text, &seconds);
	check((rc == 0) == (seconds > 0));
	free(text);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	bool told;
	(void)argc;
	(void)argv;
	keys = keys_of((const uint8_t *)JWKS, strlen(JWKS), &told);
	check(keys && !told && px_jwks_count(keys) == 4);
	good = sign(HEADER, strlen(HEADER), CLAIMS, strlen(CLAIMS));
	check(verify(px_span(good)));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0) {
		return 0;
	}
	switch (data[0]) {
	case 't': try_token(data + 1, size - 1); break;
	case 'h': try_header(data + 1, size - 1); break;
	case 'p': try_claims(data + 1, size - 1); break;
	case 'k': try_keys(data + 1, size - 1); break;
	case 'l': try_ttl(data + 1, size - 1); break;
	default: break;
	}
	return 0;
}

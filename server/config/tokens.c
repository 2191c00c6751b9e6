/* SPDX-License-Identifier: MIT */
/*
 * "tokens" of a vhost: with what they are checked, where they may come from, and how they
 * call what they say.
 *
 * The keys of a JWKS file are not read here but where it is watched: what is in it changes
 * while the configuration does not. That the file can be read is checked.
 */
#include "config_internal.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

const struct px_option px_config_tokens_table[] = {
	{ .key = "secret", .type = PX_OPTION_STRING, .min = 1, .max = 4096,
		.help = "secret for HS256" },
	{ .key = "secret-kid", .type = PX_OPTION_STRING, .min = 1, .max = 256,
		.help = "\"kid\" of tokens that are signed with the secret; default: it checks only "
				"tokens without \"kid\"" },
	{ .key = "jwks-file", .type = PX_OPTION_STRING, .min = 1, .max = 4096,
		.help = "file with a JSON Web Key Set: keys for RS256, ES256 and EdDSA" },
	{ .key = "issuer", .type = PX_OPTION_STRING, .min = 1, .max = 1024,
		.help = "required \"iss\"; default: any" },
	{ .key = "audience", .type = PX_OPTION_STRING, .min = 1, .max = 1024,
		.help = "required \"aud\"; default: any" },
	{ .key = "leeway-s", .type = PX_OPTION_INT, .fallback = "30", .max = 300,
		.help = "tolerated clock difference for \"exp\" and \"nbf\"" },
	{ .key = "require-exp", .type = PX_OPTION_BOOL, .fallback = "true",
		.help = "whether tokens must have \"exp\"" },
	{ .key = "default-role", .type = PX_OPTION_STRING,
		.choices = "staff|patient|service|admin",
		.help = "role of tokens without one; default: they are refused" },
	{ .key = "claims", .type = PX_OPTION_JSON,
		.help = "object: names of the claims" },
	{ .key = "cookie", .type = PX_OPTION_STRING, .min = 1, .max = 128,
		.help = "cookie that may hold a token" },
	{ .key = "query", .type = PX_OPTION_BOOL, .fallback = "false",
		.help = "whether a token may come in the query, as access_token" },
	{ .key = "max-bytes", .type = PX_OPTION_INT, .fallback = "16384", .min = 256,
		.max = 1 << 20, .help = "maximum length of a token" },
	{ .key = "auth-ms", .type = PX_OPTION_INT, .fallback = "10000",
		.min = 1000, .max = 600000,
		.help = "time that a client without a token has to authenticate" },
	{ .key = NULL },
};

#define CLAIM(name, meaning) \
	{ .key = name, .type = PX_OPTION_STRING, .fallback = name, .min = 1, .max = 256, \
		.help = meaning }

const struct px_option px_config_claims_table[] = {
	CLAIM("sub", "the user's id"),
	CLAIM("name", "the user's name"),
	CLAIM("tenant", "the tenant"),
	CLAIM("practices", "array of practices"),
	CLAIM("practiceId", "the one practice"),
	CLAIM("role", "the role"),
	CLAIM("rooms", "array of the rooms that may be joined"),
	{ .key = NULL },
};

/* ---- claims ---- */

static int copy_names(const struct px_options *options, struct px_config_claim_names *names)
{
	const struct {
		const char *key;
		char **slot;
	} claims[] = {
		{ "sub", &names->sub },
		{ "name", &names->name },
		{ "tenant", &names->tenant },
		{ "practices", &names->practices },
		{ "practiceId", &names->practice_id },
		{ "role", &names->role },
		{ "rooms", &names->rooms },
	};
	int r = 0;
	for (size_t i = 0; r == 0 && i < sizeof(claims) / sizeof(claims[0]); i++) {
		r = px_config_string_copy(options, claims[i].key, claims[i].slot);
	}
	return r;
}

/* `member` NULL: all have the name of their key. */
static int read_claims(struct px_config_loader *loader, const struct px_config_member *member,
		struct px_config_claim_names *names)
{
	struct px_config_object object = { 0 };
	struct px_options *options = NULL;
	int r = 0;
	if (member) {
		struct px_config_item item = px_config_member_item(member);
		r = px_config_object_read(&loader->reporter,
				(const struct px_config_source *)member->file, &item, "\"claims\"",
				&object);
	}
	if (r == 0) {
		r = px_config_object_check(&loader->reporter, &object, px_config_claims_table, NULL,
				&options);
	}
	if (r == 0) {
		r = copy_names(options, names);
	}
	px_options_destroy(options);
	px_config_object_finish(&object);
	return r == -EINVAL ? 0 : r;
}

/* ---- tokens ---- */

static int copy_texts(struct px_config_loader *loader, const struct px_config_object *object,
		const struct px_options *options, struct px_config_tokens *tokens)
{
	int r = px_config_secret_copy(&loader->reporter, object, options, "secret",
			&tokens->secret);
	if (r == 0) {
		r = px_config_string_copy(options, "secret-kid", &tokens->secret_kid);
	}
	if (r == 0) {
		r = px_config_path_copy(&loader->reporter, object, options, "jwks-file",
				&tokens->jwks_file);
	}
	if (r == 0) {
		r = px_config_string_copy(options, "issuer", &tokens->issuer);
	}
	if (r == 0) {
		r = px_config_string_copy(options, "audience", &tokens->audience);
	}
	return r < 0 ? r : px_config_string_copy(options, "cookie", &tokens->cookie);
}

static int take_tokens(struct px_config_loader *loader, const struct px_config_object *object,
		const struct px_options *options, struct px_config_tokens *tokens)
{
	const char *role = px_options_string(options, "default-role");
	tokens->default_role = role ? px_role_parse(px_span(role)) : 0;
	tokens->leeway_s = (uint32_t)px_options_int(options, "leeway-s");
	tokens->require_exp = px_options_bool(options, "require-exp");
	tokens->query = px_options_bool(options, "query");
	tokens->auth_ms = px_options_int(options, "auth-ms");
	tokens->max_bytes = (uint32_t)px_options_int(options, "max-bytes");
	if (px_options_given(options, "secret-kid") && !px_options_given(options, "secret")) {
		px_config_object_complain(&loader->reporter, PX_CONFIG_ERROR, object, "secret-kid",
				" without \"secret\"");
	}
	if (!tokens->require_exp) {
		px_config_object_complain(&loader->reporter, PX_CONFIG_WARNING, object,
				"require-exp",
				": tokens without expiry are accepted, and stay valid forever");
	}
	const char *cookie = px_options_string(options, "cookie");
	if (cookie && !px_config_http_token_ok(cookie, strlen(cookie))) {
		px_config_object_complain(&loader->reporter, PX_CONFIG_ERROR, object, "cookie",
				": not a valid cookie name");
	}
	int r = copy_texts(loader, object, options, tokens);
	return r < 0 ? r : read_claims(loader, px_config_object_find(object, "claims"),
			&tokens->claims);
}

const char *const px_config_tokens_proofs[] = { "secret", "secret-file", "jwks-file", NULL };

/*
 * A file may be written for both: with what the environment has to check tokens, or, where it
 * has nothing, for open mode.
 */
bool px_config_tokens_left_out(const struct px_config_member *member)
{
	return px_config_section_left_out(member, px_config_tokens_proofs);
}

int px_config_tokens_read(struct px_config_loader *loader,
		const struct px_config_member *member, struct px_config_vhost *vhost)
{
	const struct px_config_source *source = (const struct px_config_source *)member->file;
	struct px_config_item item = px_config_member_item(member);
	struct px_config_section section;
	if (!item.value || px_config_tokens_left_out(member)) { /* null: the table complained */
		return 0;
	}
	int r = px_config_section_read(&loader->reporter, source, &item, "\"tokens\"",
			px_config_tokens_table, &section);
	const struct px_options *options = section.options;
	if (r == 0 && !px_options_given(options, "secret") &&
			!px_options_given(options, "jwks-file")) {
		px_config_complain(&loader->reporter, PX_CONFIG_ERROR, member->file, member->line,
				"\"tokens\" needs a \"secret\" or a \"jwks-file\"");
	} else if (r == 0) {
		vhost->tokens = calloc(1, sizeof(*vhost->tokens));
		r = vhost->tokens ? take_tokens(loader, &section.object, options, vhost->tokens) :
				-ENOMEM;
	}
	px_config_section_finish(&section);
	return r == -EINVAL ? 0 : r;
}

void px_config_tokens_destroy(struct px_config_tokens *tokens)
{
	if (!tokens) {
		return;
	}
	px_config_secret_destroy(tokens->secret);
	free(tokens->secret_kid);
	free(tokens->jwks_file);
	free(tokens->issuer);
	free(tokens->audience);
	free(tokens->cookie);
	free(tokens->claims.sub);
	free(tokens->claims.name);
	free(tokens->claims.tenant);
	free(tokens->claims.practices);
	free(tokens->claims.practice_id);
	free(tokens->claims.role);
	free(tokens->claims.rooms);
	free(tokens);
}

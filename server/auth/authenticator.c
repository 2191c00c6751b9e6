/* SPDX-License-Identifier: MIT */
/* See authenticator.h. */
#include "authenticator.h"
#include "access/lockout.h"
#include "address/address.h"
#include "audit/audit_events.h"
#include "base/log.h"
#include "core/peer.h"
#include "core/vhost.h"
#include "net/peer.h"
#include "tickets.h"
#include "token/jwks.h"
#include "token/token.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* If a user has too many connections, an abandoned page may disconnect soon. */
#define USER_RETRY_MS 5000

struct px_authenticator {
	struct px_jwks *keys; /* NULL: no tokens, only tickets and auth-url */
	struct px_token_rules rules;
};

static void on_key_complaint(void *user, bool error, const char *text)
{
	const struct px_config_sink *sink = user;
	sink->on_complaint(sink->user, error ? PX_CONFIG_ERROR : PX_CONFIG_WARNING, text);
}

static void on_refresh_complaint(void *user, bool error, const char *text)
{
	(void)user;
	px_log(error ? PX_LOG_ERROR : PX_LOG_WARNING, "keys: %s", text);
}

static struct px_claim_names names_of(const struct px_config_claim_names *names)
{
	return (struct px_claim_names){
		.sub = names->sub,
		.name = names->name,
		.tenant = names->tenant,
		.practices = names->practices,
		.practice_id = names->practice_id,
		.role = names->role,
		.rooms = names->rooms,
	};
}

static int read_keys(const struct px_config_tokens *tokens, const struct px_config_sink *sink,
		struct px_authenticator *authenticator)
{
	struct px_jwks_sink key_sink = {
		.on_complaint = on_key_complaint,
		.user = (void *)(uintptr_t)sink,
	};
	struct px_jwks_source source = {
		.secret = px_span(tokens->secret),
		.secret_kid = tokens->secret_kid,
		.jwks_file = tokens->jwks_file,
	};
	authenticator->rules.issuer = tokens->issuer;
	authenticator->rules.audience = tokens->audience;
	authenticator->rules.leeway_s = tokens->leeway_s;
	authenticator->rules.require_exp = tokens->require_exp;
	authenticator->rules.max_bytes = tokens->max_bytes;
	authenticator->rules.default_role = tokens->default_role;
	authenticator->rules.names = names_of(&tokens->claims);
	return px_jwks_create(&source, &key_sink, &authenticator->keys);
}

int px_authenticator_create(const struct px_config_vhost *config, const struct px_config_sink *sink,
		struct px_authenticator **ret_authenticator)
{
	struct px_authenticator *authenticator = calloc(1, sizeof(*authenticator));
	if (!authenticator) {
		return -ENOMEM;
	}
	authenticator->rules = px_token_rules_default;
	int rc = config->tokens ? read_keys(config->tokens, sink, authenticator) : 0;
	if (rc < 0) {
		px_authenticator_destroy(authenticator);
		return rc;
	}
	*ret_authenticator = authenticator;
	return 0;
}

void px_authenticator_destroy(struct px_authenticator *authenticator)
{
	if (authenticator) {
		px_jwks_destroy(authenticator->keys);
		free(authenticator);
	}
}

void px_authenticator_refresh(struct px_authenticator *authenticator)
{
	static const struct px_jwks_sink sink = { .on_complaint = on_refresh_complaint };
	if (authenticator->keys && px_jwks_reload_if_changed(authenticator->keys, &sink) == 1) {
		px_log(PX_LOG_NOTICE, "keys: the key file changed; %zu keys are in use",
				px_jwks_count(authenticator->keys));
	}
}

static int64_t now_of(const struct px_peer *peer)
{
	return (int64_t)uv_now(&peer->vhost->server->loop);
}

/* The token is invalid; consequences for its address. */
static void fail(struct px_peer *peer, enum px_token_fault fault,
		struct px_authentication *ret_authentication)
{
	peer->vhost->server->bad_tokens++;
	px_audit_events_refused(peer->vhost->server, peer, px_token_fault_name(fault));
	*ret_authentication = (struct px_authentication){
		.verdict = fault == PX_TOKEN_EXPIRED ? PX_VERDICT_EXPIRED : PX_VERDICT_BAD,
		.sentence = px_token_fault_text(fault),
	};
	if (px_token_fault_is_guess(fault)) {
		px_lockout_guessed(peer, ret_authentication);
	}
}

struct px_token *px_authenticator_verify(struct px_peer *peer, struct px_span text,
		struct px_authentication *ret_authentication)
{
	const struct px_authenticator *authenticator = peer->vhost->authenticator;
	struct px_token *token;
	enum px_token_fault fault;
	*ret_authentication = (struct px_authentication){ .verdict = PX_VERDICT_NO_TOKENS };
	if (!authenticator || !authenticator->keys ||
			px_lockout_puts_off(peer, ret_authentication)) {
		return NULL;
	}
	uint64_t began_ns = uv_hrtime();
	int rc = px_token_verify(authenticator->keys, &authenticator->rules, text, time(NULL),
			&token, &fault);
	if (rc == 0) {
		return token;
	}
	if (rc == -ENOMEM) {
		ret_authentication->verdict = PX_VERDICT_UNAVAILABLE;
		return NULL;
	}
	px_lockout_charge(peer, uv_hrtime() - began_ns);
	fail(peer, fault, ret_authentication);
	return NULL;
}

int px_authenticator_read_claims(const struct px_vhost *vhost, struct json_object *claims,
		struct px_token **ret_token, const char **ret_claim)
{
	const struct px_token_rules *rules = &vhost->authenticator->rules;
	return px_claims_read(claims, &rules->names, rules->default_role, ret_token, ret_claim);
}

/*
 * `ret_wait_ms`: counts it as a connection of its user, as px_peer_count_user(). NULL: not counted.
 */
static int make_identity(struct px_peer *peer, const struct px_token *token, int64_t *ret_wait_ms,
		struct px_identity **ret_identity)
{
	const struct px_authenticator *authenticator = peer->vhost->authenticator;
	int64_t leeway_s = authenticator->rules.leeway_s;
	char address[PX_ADDRESS_SIZE];
	struct px_claims claims = {
		.tenant = token->tenant.len > 0 ? token->tenant : px_span(peer->vhost->config->tenant),
		.practices = token->practices,
		.practice_count = token->practice_count,
		.user = token->user,
		.name = token->name,
		.role = token->role,
		.authenticated = true,
		.all_practices = token->all_practices,
		.has_rooms = token->has_rooms,
		.rooms = token->rooms,
		.room_count = token->room_count,
		.expires_ms = token->expires_s * 1000,
		.leeway_ms = (uint32_t)leeway_s * 1000,
	};
	px_address_format(&peer->address, address);
	claims.address = px_span(address);
	int rc = ret_wait_ms ? px_peer_count_user(peer, claims.tenant, claims.user.text,
			ret_wait_ms) : 0;
	return rc < 0 ? rc : px_identity_create(peer->vhost->server->broker, &claims, ret_identity);
}

void px_authenticator_bound(const struct px_peer *peer, struct px_token *token)
{
	if (token->expires_s == 0) {
		token->expires_s = time(NULL) + peer->vhost->config->identity_ttl_s;
	}
}

void px_authenticator_admit(struct px_peer *peer, const struct px_token *token,
		struct px_authentication *ret_authentication)
{
	struct px_identity *identity;
	int64_t wait_ms;
	switch (make_identity(peer, token, &wait_ms, &identity)) {
	case 0:
		*ret_authentication = (struct px_authentication){
			.verdict = PX_VERDICT_GOOD,
			.identity = identity,
		};
		break;
	case -EMFILE:
		*ret_authentication = (struct px_authentication){
			.verdict = PX_VERDICT_THROTTLED,
			.sentence = "This user has too many connections.",
			.retry_after_ms = USER_RETRY_MS,
		};
		break;
	case -EAGAIN:
		*ret_authentication = (struct px_authentication){
			.verdict = PX_VERDICT_THROTTLED,
			.sentence = "This user opens sessions too often.",
			.retry_after_ms = wait_ms,
		};
		break;
	case -EINVAL:
		*ret_authentication = (struct px_authentication){
			.verdict = PX_VERDICT_BAD,
			.sentence = "The token's claims are invalid.",
		};
		break;
	default:
		*ret_authentication = (struct px_authentication){ .verdict = PX_VERDICT_UNAVAILABLE };
		break;
	}
}

struct px_identity *px_authenticator_speaker(struct px_peer *peer, const struct px_token *token,
		struct px_authentication *ret_authentication)
{
	struct px_identity *identity;
	int rc = make_identity(peer, token, NULL, &identity);
	if (rc == 0) {
		return identity;
	}
	*ret_authentication = (struct px_authentication){
		.verdict = rc == -EINVAL ? PX_VERDICT_BAD : PX_VERDICT_UNAVAILABLE,
	};
	return NULL;
}

void px_authenticator_judge(struct px_peer *peer, struct px_span text,
		struct px_authentication *ret_authentication)
{
	struct px_token *token = px_authenticator_verify(peer, text, ret_authentication);
	if (token) {
		px_authenticator_admit(peer, token, ret_authentication);
		px_token_destroy(token);
	}
}

void px_authenticator_redeem(struct px_peer *peer, struct px_span ticket,
		struct px_authentication *ret_authentication)
{
	struct px_server *server = peer->vhost->server;
	struct px_token *token = px_tickets_redeem(server->tickets, peer->vhost->config->name,
			ticket, now_of(peer));
	if (!token) {
		server->bad_tokens++;
		px_audit_events_refused(server, peer, "bad_ticket");
		*ret_authentication = (struct px_authentication){
			.verdict = PX_VERDICT_BAD,
			.sentence = "The ticket is unknown, used or expired.",
		};
		px_lockout_guessed(peer, ret_authentication);
		return;
	}
	px_authenticator_bound(peer, token);
	px_authenticator_admit(peer, token, ret_authentication);
	px_token_destroy(token);
}

struct px_identity *px_authenticator_unauthenticated(const struct px_peer *peer)
{
	const struct px_vhost *vhost = peer->vhost;
	struct px_identity *identity = NULL;
	char address[PX_ADDRESS_SIZE];
	px_address_format(&peer->address, address);
	struct px_claims claims = {
		.tenant = px_span(vhost->config->tenant),
		.address = px_span(address),
	};
	if (px_identity_create(vhost->server->broker, &claims, &identity) < 0) {
		return NULL;
	}
	return identity;
}

/* SPDX-License-Identifier: MIT */
/*
 * Authentication for a vhost: its keys and rules for tokens, and the claims of tickets. Every
 * authenticated identity is made here.
 */
#ifndef PX_AUTHENTICATOR_H
#define PX_AUTHENTICATOR_H

#include "core/peer.h"
#include "core/server.h"
#include "core/vhost.h"

struct json_object;
struct px_token;

/*
 * Reads the keys that the vhost's configuration names (`config` is passed since vhost->config is
 * NULL at first). -EINVAL after messages.
 */
int px_authenticator_create(const struct px_config_vhost *config, const struct px_config_sink *sink,
		struct px_authenticator **ret_authenticator);
void px_authenticator_destroy(struct px_authenticator *authenticator);

/* Checks whether the key file has changed; an invalid one leaves the old keys in use. */
void px_authenticator_refresh(struct px_authenticator *authenticator);

/*
 * Judges a token from that connection. GOOD: the caller owns the identity. Failures have the
 * consequences of access/lockout.h.
 */
void px_authenticator_judge(struct px_peer *peer, struct px_span text,
		struct px_authentication *ret_authentication);

/* Verifies a token for requests that open no session; the caller destroys it. NULL: see ret. */
struct px_token *px_authenticator_verify(struct px_peer *peer, struct px_span text,
		struct px_authentication *ret_authentication);

/* The same for a ticket. */
void px_authenticator_redeem(struct px_peer *peer, struct px_span ticket,
		struct px_authentication *ret_authentication);

/* Reads claims with the vhost's claim names; as px_claims_read(). */
int px_authenticator_read_claims(const struct px_vhost *vhost, struct json_object *claims,
		struct px_token **ret_token, const char **ret_claim);

/* Makes somebody of claims that were proven. */
/*
 * Sets the expiry of an identity that has none, unless it comes from a signed token whose rules
 * permit that.
 */
void px_authenticator_bound(const struct px_peer *peer, struct px_token *token);
void px_authenticator_admit(struct px_peer *peer, const struct px_token *token,
		struct px_authentication *ret_authentication);

/*
 * The identity of a request that opens no session; nothing is counted. The caller owns it; NULL:
 * see ret.
 */
struct px_identity *px_authenticator_speaker(struct px_peer *peer, const struct px_token *token,
		struct px_authentication *ret_authentication);

/* An identity without any right. NULL without memory. */
struct px_identity *px_authenticator_unauthenticated(const struct px_peer *peer);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Who may be whom on a vhost: its keys and rules for tokens, and its tickets' claims. Every
 * identity that is proven is made here.
 */
#ifndef PX_AUTHENTICATOR_H
#define PX_AUTHENTICATOR_H

#include "core/peer.h"
#include "core/server.h"
#include "core/vhost.h"

struct json_object;
struct px_token;

/*
 * Reads the keys that the vhost's configuration names (for vhost->config is NULL at first, the
 * configuration is given). -EINVAL after complaints.
 */
int px_authenticator_create(const struct px_config_vhost *config, const struct px_config_sink *sink,
		struct px_authenticator **ret_authenticator);
void px_authenticator_destroy(struct px_authenticator *authenticator);

/* Looks whether the keys' file has changed; a bad one leaves the old keys in force. */
void px_authenticator_refresh(struct px_authenticator *authenticator);

/*
 * Judges a token that came from that peer. GOOD: the identity is the caller's. What comes of
 * failures is in access/lockout.h.
 */
void px_authenticator_judge(struct px_peer *peer, struct px_span text,
		struct px_authentication *ret_authentication);

/* The token itself, for requests that open no session; the caller destroys it. NULL: see ret. */
struct px_token *px_authenticator_verify(struct px_peer *peer, struct px_span text,
		struct px_authentication *ret_authentication);

/* The same for what a ticket stood for. */
void px_authenticator_redeem(struct px_peer *peer, struct px_span ticket,
		struct px_authentication *ret_authentication);

/* Reads claims as the vhost names them; as px_claims_read(). */
int px_authenticator_read_claims(const struct px_vhost *vhost, struct json_object *claims,
		struct px_token **ret_token, const char **ret_claim);

/* Makes somebody of claims that were proven. */
/* What was said without an expiry, and is no signed token whose rules allow that, gets one. */
void px_authenticator_bound(const struct px_peer *peer, struct px_token *token);
void px_authenticator_admit(struct px_peer *peer, const struct px_token *token,
		struct px_authentication *ret_authentication);

/*
 * Who speaks in a request that opens no session: nobody is counted. The identity is the caller's;
 * NULL: see ret.
 */
struct px_identity *px_authenticator_speaker(struct px_peer *peer, const struct px_token *token,
		struct px_authentication *ret_authentication);

/* An identity without any right. NULL without memory. */
struct px_identity *px_authenticator_unauthenticated(const struct px_peer *peer);

#endif

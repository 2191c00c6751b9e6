/* SPDX-License-Identifier: MIT */
/*
 * Who a session is: tenant, practices, user, role. Made by the host, from a token
 * or (in open mode) from the query; read by the broker, which holds a session to it.
 * Services ask the session, not the identity.
 */
#ifndef PRAXIS_IDENTITY_H
#define PRAXIS_IDENTITY_H

#include <praxis/types.h>

struct px_broker;
struct px_identity;

/* What an identity is made of; everything is copied. */
struct px_claims {
	struct px_span tenant; /* required */
	const struct px_id *practices;
	size_t practice_count; /* at most PX_PRACTICES_MAX */
	struct px_id user;     /* text.len 0: unknown */
	struct px_span name;
	struct px_span address; /* where it came from, as text; for the trail alone */
	enum px_role role; /* 0: nobody yet; may authenticate and ping, and is closed in time */
	/*
	 * Proven by a token. Without it nothing in a message is overwritten by the
	 * identity, and the first message may name the practice (open mode).
	 */
	bool authenticated;

	bool all_practices;        /* of the tenant; for administrators */
	bool has_rooms;            /* may join only these */
	const struct px_id *rooms; /* at most PX_ROOMS_MAX */
	size_t room_count;
	int64_t expires_ms;        /* since 1970; 0: never */
	uint32_t leeway_ms;        /* it lives on after that, for clocks that differ */
};

#define PX_PRACTICES_MAX 1000
#define PX_ROOMS_MAX 1000
#define PX_NAME_MAX 256
#define PX_ADDRESS_MAX 45

/*
 * The caller owns it until it hands it to px_session_open(), else until
 * px_identity_destroy(). -EINVAL: an id, the name or the tenant is too
 * long, no text (px_span_is_text), or empty where it must not be;
 * -ENOSPC: the broker's limit of practices; -ENOMEM.
 */
PX_PUBLIC int px_identity_create(struct px_broker *broker, const struct px_claims *claims,
		struct px_identity **ret_identity);

PX_PUBLIC void px_identity_destroy(struct px_broker *broker, struct px_identity *identity);

/* What it says; empty texts where it says nothing. They live as long as it does. */
PX_PUBLIC enum px_role px_identity_role(const struct px_identity *identity);
PX_PUBLIC struct px_id px_identity_user(const struct px_identity *identity);
PX_PUBLIC struct px_span px_identity_name(const struct px_identity *identity);
PX_PUBLIC struct px_span px_identity_tenant(const struct px_identity *identity);
PX_PUBLIC struct px_span px_identity_address(const struct px_identity *identity);

#endif

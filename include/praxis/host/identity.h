/* SPDX-License-Identifier: MIT */
/*
 * Who a session is: tenant, practices, user, role. Made by the host, from a token or (in open mode)
 * from the query; enforced by the broker. Services ask the session, not the identity.
 */
#ifndef PRAXIS_HOST_IDENTITY_H
#define PRAXIS_HOST_IDENTITY_H

#include <praxis/types.h>

struct px_broker;
struct px_identity;

/* The content of an identity; everything is copied. */
struct px_claims {
	struct px_span tenant; /* required */
	const struct px_id *practices;
	size_t practice_count; /* at most PX_PRACTICES_MAX */
	struct px_id user;     /* text.len 0: unknown */
	struct px_span name;
	struct px_span address; /* the client's address as text; for the audit log only */
	enum px_role role; /* 0: unauthenticated; may only authenticate and ping, for a limited time */
	/*
	 * Proven by a token. Otherwise nothing in a message is overwritten by the identity, and the
	 * first message may name the practice (open mode).
	 */
	bool authenticated;

	bool all_practices;        /* all practices of the tenant; for administrators */
	bool has_rooms;            /* may join only the rooms below */
	const struct px_id *rooms; /* at most PX_ROOMS_MAX */
	size_t room_count;
	int64_t expires_ms;        /* ms since 1970; 0: never */
	uint32_t leeway_ms;        /* tolerated after that, for clocks that differ */
};

#define PX_PRACTICES_MAX 1000
#define PX_ROOMS_MAX 1000
#define PX_NAME_MAX 256
#define PX_ADDRESS_MAX 45

/*
 * The caller owns the identity until px_session_open() takes it, or px_identity_destroy(). -EINVAL:
 * an id, the name or the tenant is too long, not text (px_span_is_text), or empty although
 * required; -ENOSPC: the broker's limit of practices; -ENOMEM.
 */
PX_PUBLIC int px_identity_create(struct px_broker *broker, const struct px_claims *claims,
		struct px_identity **ret_identity);

PX_PUBLIC void px_identity_destroy(struct px_broker *broker, struct px_identity *identity);

/* Its content; texts are empty if unknown, and valid as long as the identity. */
PX_PUBLIC enum px_role px_identity_role(const struct px_identity *identity);
PX_PUBLIC struct px_id px_identity_user(const struct px_identity *identity);
PX_PUBLIC struct px_span px_identity_name(const struct px_identity *identity);
PX_PUBLIC struct px_span px_identity_tenant(const struct px_identity *identity);
PX_PUBLIC struct px_span px_identity_address(const struct px_identity *identity);

#endif

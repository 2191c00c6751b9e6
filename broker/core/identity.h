/* SPDX-License-Identifier: MIT */
/*
 * Internals of an identity, and the check that isolation is based on.
 */
#ifndef PX_IDENTITY_H
#define PX_IDENTITY_H

#include <praxis/host/identity.h>

struct px_practice;

/* A practice as this identity holds it: with its own spelling of the id. */
struct px_held {
	struct px_practice *practice;
	bool number;
};

struct px_identity {
	enum px_role role;
	bool authenticated;
	bool all_practices;
	bool has_rooms;
	bool user_is_number;
	uint16_t user_len;
	uint16_t name_len;
	uint16_t tenant_len;
	uint8_t address_len;
	uint32_t practice_count;
	uint32_t practice_size; /* capacity of the array */
	uint32_t room_count;
	uint32_t leeway_ms;
	int64_t expires_ms;
	int64_t notice_ms; /* when its session is sent the expiry notice */
	struct px_held practices[]; /* at least one */
	/* Followed by the sort order, the text, and the rooms: see below. */
};

/* Indexes of the practices, sorted by id: a token may hold a thousand. */
static inline uint16_t *px_identity_order(const struct px_identity *identity)
{
	return (uint16_t *)&identity->practices[identity->practice_size];
}

/* User, name, tenant and address, one after the other. */
static inline char *px_identity_text(const struct px_identity *identity)
{
	return (char *)(px_identity_order(identity) + identity->practice_size);
}

/* The names of rooms, each terminated. */
static inline char *px_identity_rooms(const struct px_identity *identity)
{
	return px_identity_text(identity) + identity->user_len + identity->name_len +
			identity->tenant_len + identity->address_len;
}

struct px_realm;

/* Identified, but without the proof that the realm requires. */
bool px_identity_lacks_proof(const struct px_identity *identity, const struct px_realm *realm);

/* NULL: the identity does not hold that practice. */
const struct px_held *px_identity_holds(const struct px_identity *identity,
		const struct px_practice *practice);

/* The practice with that id among those that it holds; NULL. */
const struct px_held *px_identity_find(const struct px_identity *identity, struct px_span id);

/*
 * Adds a practice to an identity: in open mode its first one, or one of all_practices. -EACCES: not
 * permitted; -EDQUOT: too many practices in one session; otherwise the errors of
 * px_identity_create().
 */
int px_identity_bind(struct px_broker *broker, struct px_identity *identity, struct px_id id);

/* Removes the practice if px_identity_bind() added it last; otherwise does nothing. */
void px_identity_unbind(struct px_broker *broker, struct px_identity *identity,
		struct px_practice *practice);

/* A session gets this identity, or loses it: updates the client counts of its practices. */
void px_identity_take_up(struct px_broker *broker, const struct px_identity *identity);
void px_identity_put_down(struct px_broker *broker, const struct px_identity *identity);

/* Whether it may join rooms with that name: patients only those that their token names. */
bool px_identity_admits(const struct px_identity *identity, struct px_span room);

/* A copy with another address. -ENOMEM. */
int px_identity_move(const struct px_identity *identity, struct px_span address,
		struct px_identity **ret_identity);

bool px_identity_is_user(const struct px_identity *identity, struct px_span tenant,
		struct px_span user);

/* Whether both are the same user of the same tenant. */
bool px_identity_same_user(const struct px_identity *a, const struct px_identity *b);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Results of publishing with an Idempotency-Key, stored for five minutes: a client that did not get
 * the answer asks again and gets it, and nothing is published twice. Keys belong to a tenant. After
 * the IETF draft "The Idempotency-Key HTTP Header Field".
 *
 * Failures are not stored: nothing was done, and the client may try again.
 */
#ifndef PX_IDEMPOTENCY_H
#define PX_IDEMPOTENCY_H

#include <praxis/operate.h>

#define PX_IDEMPOTENCY_TTL_MS (5 * 60 * 1000)
#define PX_IDEMPOTENCY_KEY_MAX 128

struct px_idempotency;

struct px_idempotent_act {
	struct px_span tenant;
	struct px_span practice;
	struct px_span key; /* of the practice */
	struct px_span body;
};

enum px_idempotency_answer {
	PX_IDEMPOTENCY_NEW,   /* an entry is reserved: px_idempotency_keep() or _forget() must follow */
	PX_IDEMPOTENCY_DONE,  /* *ret_published is the stored result */
	PX_IDEMPOTENCY_OTHER, /* the key was used with another body */
	PX_IDEMPOTENCY_FULL,  /* the tenant's or the total limit is reached; or no memory */
};

/* -ENOMEM */
int px_idempotency_create(struct px_idempotency **ret_idempotency);
void px_idempotency_destroy(struct px_idempotency *idempotency);

/* Maximum number of stored keys; half as many for one tenant. */
void px_idempotency_set_limit(struct px_idempotency *idempotency, uint32_t most);
uint64_t px_idempotency_count(const struct px_idempotency *idempotency);

enum px_idempotency_answer px_idempotency_find(struct px_idempotency *idempotency,
		const struct px_idempotent_act *act, int64_t now_ms,
		struct px_published *ret_published);
void px_idempotency_keep(struct px_idempotency *idempotency, const struct px_idempotent_act *act,
		const struct px_published *published);
void px_idempotency_forget(struct px_idempotency *idempotency,
		const struct px_idempotent_act *act);

#endif

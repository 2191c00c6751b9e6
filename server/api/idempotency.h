/* SPDX-License-Identifier: MIT */
/*
 * What was published under an Idempotency-Key, remembered for five minutes: who asks again,
 * because it did not hear the answer, hears it now, and nothing is published twice. Keys are
 * each tenant's own. The idea is that of the IETF's draft "The Idempotency-Key HTTP Header Field".
 *
 * A failure is not remembered: nothing was done, and it may be tried again.
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
	struct px_span key; /* the practice's own */
	struct px_span body;
};

enum px_idempotency_answer {
	PX_IDEMPOTENCY_NEW,   /* a place is kept for it: px_idempotency_keep(), or forget */
	PX_IDEMPOTENCY_DONE,  /* *ret_published is what came of it */
	PX_IDEMPOTENCY_OTHER, /* the key was used with another body */
	PX_IDEMPOTENCY_FULL,  /* of the tenant, or of all, too many; or no memory */
};

/* -ENOMEM */
int px_idempotency_create(struct px_idempotency **ret_idempotency);
void px_idempotency_destroy(struct px_idempotency *idempotency);

/* Keys that are remembered at once; of one tenant half as many. */
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

/* SPDX-License-Identifier: MIT */
/*
 * The host's verdict on a token. Opened by whoever judges tokens, and by whoever opens sessions. It
 * never holds the token.
 */
#ifndef PRAXIS_HOST_AUTHENTICATION_H
#define PRAXIS_HOST_AUTHENTICATION_H

#include <praxis/types.h>

struct px_identity;

/* The host's verdict on a token. */
enum px_verdict {
	PX_VERDICT_GOOD,
	PX_VERDICT_BAD,
	PX_VERDICT_EXPIRED,
	PX_VERDICT_THROTTLED, /* too many invalid tokens or connections from there; retry later */
	PX_VERDICT_NO_TOKENS, /* the vhost accepts no tokens */
	PX_VERDICT_UNAVAILABLE,
};

struct px_authentication {
	enum px_verdict verdict;
	struct px_identity *identity; /* GOOD: ownership passes to the broker */
	const char *sentence;         /* why; never part of the token; static. NULL: see verdict */
	int64_t retry_after_ms;       /* THROTTLED, UNAVAILABLE: when to retry; 0: not said */
};

#endif

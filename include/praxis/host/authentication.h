/* SPDX-License-Identifier: MIT */
/*
 * What a host says of a token. Opened by whoever judges one, and by who lets sessions in. It never
 * holds the token.
 */
#ifndef PRAXIS_HOST_AUTHENTICATION_H
#define PRAXIS_HOST_AUTHENTICATION_H

#include <praxis/types.h>

struct px_identity;

/* What a host says of a token. */
enum px_verdict {
	PX_VERDICT_GOOD,
	PX_VERDICT_BAD,
	PX_VERDICT_EXPIRED,
	PX_VERDICT_THROTTLED, /* too many bad ones from there, or too many connections; later */
	PX_VERDICT_NO_TOKENS, /* this vhost takes none */
	PX_VERDICT_UNAVAILABLE,
};

struct px_authentication {
	enum px_verdict verdict;
	struct px_identity *identity; /* GOOD: the broker's from here on */
	const char *sentence;         /* why, without a word of the token; static. NULL: see verdict */
	int64_t retry_after_ms;       /* THROTTLED, UNAVAILABLE: then another try; 0: not said */
};

#endif

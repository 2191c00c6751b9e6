/* SPDX-License-Identifier: MIT */
/*
 * What the server counts by kind: limits that somebody ran into, and how handshakes ended. Opened
 * by whoever refuses or lets in, and by the figures. It never counts what the broker counts itself.
 */
#ifndef PX_CORE_COUNTERS_H
#define PX_CORE_COUNTERS_H

/* Limits of the configuration that somebody ran into; the broker counts its own (px_limit_kind). */
enum px_limit {
	PX_LIMIT_CONNECTIONS,
	PX_LIMIT_PER_ADDRESS,
	PX_LIMIT_ADDRESS_RATE,
	PX_LIMIT_PER_USER,
	PX_LIMIT_UNAUTHENTICATED,
	PX_LIMIT_AUTH_FAILURES,
	PX_LIMIT_AUTH_BUDGET,
	PX_LIMIT_IDEMPOTENCY,
	PX_LIMIT_TAILS,
	PX_LIMIT_REQUESTS,
	PX_LIMIT_API_REQUESTS,
	PX_LIMIT_API_BYTES,
	PX_LIMIT_COUNT,
};

/* How WebSocket handshakes ended. */
enum px_handshake {
	PX_HANDSHAKE_ACCEPTED,
	PX_HANDSHAKE_BAD_TOKEN, /* let in to be told so */
	PX_HANDSHAKE_BAD_REQUEST,
	PX_HANDSHAKE_NOT_FOUND,
	PX_HANDSHAKE_ORIGIN,
	PX_HANDSHAKE_RATE_LIMITED,
	PX_HANDSHAKE_UNAVAILABLE,
	PX_HANDSHAKE_COUNT,
};

/*
 * What came of asking the application who a client is (`auth-url`); cached answers are not asked
 * for.
 */
enum px_auth_answer {
	PX_AUTH_ACCEPTED, /* claims */
	PX_AUTH_REFUSED,  /* 401 or 403 */
	PX_AUTH_UNUSABLE, /* another status, or claims that make no sense */
	PX_AUTH_FAILED,   /* no answer */
	PX_AUTH_BUSY,     /* `auth-max` are being asked for */
	PX_AUTH_ANSWERS,
};

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Counters by kind: limits that were reached, and results of handshakes. Opened by whoever refuses
 * or lets in, and by statistics. The broker counts its own events.
 */
#ifndef PX_CORE_COUNTERS_H
#define PX_CORE_COUNTERS_H

/* Limits of the configuration that were reached; the broker counts its own (px_limit_kind). */
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

/* Results of WebSocket handshakes. */
enum px_handshake {
	PX_HANDSHAKE_ACCEPTED,
	PX_HANDSHAKE_BAD_TOKEN, /* accepted, to send the error in-band */
	PX_HANDSHAKE_BAD_REQUEST,
	PX_HANDSHAKE_NOT_FOUND,
	PX_HANDSHAKE_ORIGIN,
	PX_HANDSHAKE_RATE_LIMITED,
	PX_HANDSHAKE_UNAVAILABLE,
	PX_HANDSHAKE_COUNT,
};

/* Results of requests to `auth-url`; cached answers are not counted. */
enum px_auth_answer {
	PX_AUTH_ACCEPTED, /* claims */
	PX_AUTH_REFUSED,  /* 401 or 403 */
	PX_AUTH_UNUSABLE, /* another status, or invalid claims */
	PX_AUTH_FAILED,   /* no answer */
	PX_AUTH_BUSY,     /* `auth-max` requests are in progress */
	PX_AUTH_ANSWERS,
};

#endif

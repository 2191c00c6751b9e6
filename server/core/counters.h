/* SPDX-License-Identifier: MIT */
/*
 * Which limits of the configuration somebody can run into. Opened by whoever refuses, and by the
 * figures. The broker counts its own.
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

#endif

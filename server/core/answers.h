/* SPDX-License-Identifier: MIT */
/*
 * How large heads of requests and answers become, and how a time to wait is told. Opened by whoever
 * reads or writes one, libwebsockets' context among them. It never writes anything.
 */
#ifndef PX_CORE_ANSWERS_H
#define PX_CORE_ANSWERS_H

#include "config/config.h"

#include <stdint.h>

/* The longest token that is taken from a header. */
#define PX_TOKEN_HEADER_BYTES 8192

/* All headers of an answer that the vhost's configuration, or the server, adds. */
#define PX_HTTP_HEADERS_MAX (PX_CONFIG_HEADER_BYTES + 512)

#define PX_RETRY_UNKNOWN_MS 5000
#define PX_RETRY_NEVER (-1)

/* A time to wait as Retry-After has it: whole seconds, at least one. */
static inline int64_t px_retry_seconds(int64_t wait_ms)
{
	return ((wait_ms > 0 ? wait_ms : PX_RETRY_UNKNOWN_MS) + 999) / 1000;
}

#endif

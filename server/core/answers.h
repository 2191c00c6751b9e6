/* SPDX-License-Identifier: MIT */
/*
 * Size limits of request and response headers, and the format of waiting times. Opened by whoever
 * reads or writes them, such as libwebsockets' context. It never writes anything.
 */
#ifndef PX_CORE_ANSWERS_H
#define PX_CORE_ANSWERS_H

#include "config/config.h"

#include <stdint.h>

/* Maximum length of a token in a header. */
#define PX_TOKEN_HEADER_BYTES 8192

/* All headers of an answer from the vhost's configuration and from the server. */
#define PX_HTTP_HEADERS_MAX (PX_CONFIG_HEADER_BYTES + 512)

#define PX_RETRY_UNKNOWN_MS 5000
#define PX_RETRY_NEVER (-1)

/* A waiting time for Retry-After: whole seconds, at least one. */
static inline int64_t px_retry_seconds(int64_t wait_ms)
{
	return ((wait_ms > 0 ? wait_ms : PX_RETRY_UNKNOWN_MS) + 999) / 1000;
}

#endif

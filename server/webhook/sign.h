/* SPDX-License-Identifier: MIT */
/*
 * The signature of a webhook request, which proves its origin and time.
 */
#ifndef PX_WEBHOOK_SIGN_H
#define PX_WEBHOOK_SIGN_H

#include <praxis/types.h>

/* "t=", 20 digits, ",v1=", 64 more and the terminator. */
#define PX_WEBHOOK_SIGNATURE_SIZE 96

/* "t=<time_s>,v1=<hex of HMAC-SHA256(secret, time_s "." body)>". -EIO. */
int px_webhook_sign(struct px_span secret, int64_t time_s, struct px_span body,
		char ret_signature[PX_WEBHOOK_SIGNATURE_SIZE]);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * See sign.h. Computed in pieces, so that a long body is not copied.
 */
#include "sign.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <praxis/hex.h>
#include <stdio.h>

#define MAC_BYTES 32

static bool compute(EVP_MAC_CTX *context, struct px_span secret, struct px_span stamp,
		struct px_span body, unsigned char ret_mac[MAC_BYTES])
{
	size_t len = 0;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){ "SHA256" }, 0),
		OSSL_PARAM_construct_end(),
	};
	return EVP_MAC_init(context, (const unsigned char *)secret.data, secret.len, params) &&
			EVP_MAC_update(context, (const unsigned char *)stamp.data, stamp.len) &&
			EVP_MAC_update(context, (const unsigned char *)body.data, body.len) &&
			EVP_MAC_final(context, ret_mac, &len, MAC_BYTES) && len == MAC_BYTES;
}

int px_webhook_sign(struct px_span secret, int64_t time_s, struct px_span body,
		char ret_signature[PX_WEBHOOK_SIGNATURE_SIZE])
{
	char stamp[24];
	unsigned char bytes[MAC_BYTES];
	(void)snprintf(stamp, sizeof(stamp), "%lld.", (long long)time_s);
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;
	bool done = context && compute(context, secret, px_span(stamp), body, bytes);
	EVP_MAC_CTX_free(context);
	EVP_MAC_free(mac);
	if (!done) {
		return -EIO;
	}
	int at = snprintf(ret_signature, PX_WEBHOOK_SIGNATURE_SIZE, "t=%lld,v1=", (long long)time_s);
	px_hex_write(bytes, MAC_BYTES, ret_signature + at);
	return 0;
}

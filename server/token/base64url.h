/* SPDX-License-Identifier: MIT */
/*
 * base64url without padding (RFC 7515 section 2, RFC 4648 section 5), in its one canonical
 * spelling.
 *
 * Strict, unlike every decoder at hand (liborcania's takes padding, white space and the
 * alphabet of plain base64; libcrypto knows only the latter): a signature is over spelled
 * bytes, and a token must not have a second spelling that passes for another token.
 */
#ifndef PX_BASE64URL_H
#define PX_BASE64URL_H

#include <praxis/types.h>

/* Room for what `len` characters decode to. */
#define PX_BASE64URL_DECODED(len) ((len) / 4 * 3 + 2)

/*
 * Into `bytes`, which has PX_BASE64URL_DECODED(text.len) at least. -EINVAL: a character
 * that does not belong, a length that cannot be, or bits left over that are not zero;
 * `bytes` is then undefined.
 */
int px_base64url_decode(struct px_span text, uint8_t *bytes, size_t *ret_len);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Minting tokens for operators and for development (`praxisctl token`): HS256, with the
 * secret that the server checks tokens with. Whoever holds that secret may be anybody, which
 * is why there is no way to ask the server for a token.
 */
#ifndef PX_TOOLS_TOKEN_H
#define PX_TOOLS_TOKEN_H

#include <praxis/types.h>

/* What the token says. Texts are UTF-8; NULL and 0 leave a claim out. */
struct px_mint {
	struct px_span secret;
	const char *kid;
	const char *user; /* "sub"; required */
	const char *role; /* staff, patient, service or admin; required */
	const char *name;
	const char *tenant;
	const char *issuer;
	const char *audience;
	const char *const *practices; /* integers become JSON numbers; "*" alone: all */
	size_t practice_count;
	const char *const *rooms;
	size_t room_count;
	int64_t now_s; /* since 1970 */
	int64_t ttl_s; /* 0: never expires */
};

/*
 * 0, and *ret_token is the caller's (free); -EINVAL, and *ret_wrong is what is missing or
 * wrong ("role"), static text; -ENOMEM.
 */
int px_mint_token(const struct px_mint *mint, char **ret_token, const char **ret_wrong);

/* "90s", "30m", "1h", "7d", into seconds. -EINVAL: not so, 0, or over ten years. */
int px_mint_parse_ttl(const char *text, int64_t *ret_s);

#endif

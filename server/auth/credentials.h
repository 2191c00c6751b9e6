/* SPDX-License-Identifier: MIT */
/*
 * The credentials of a request (docs/protocol.md, section 1), in order of precedence: the
 * Authorization header, a ticket among the subprotocols, the cookie and the query parameter that
 * the configuration permits.
 */
#ifndef PX_CREDENTIALS_H
#define PX_CREDENTIALS_H

#include "core/answers.h"

#include <praxis/types.h>

struct lws;
struct px_config_tokens;

#define PX_TICKET_BYTES 64

enum px_credential_kind {
	PX_CREDENTIAL_NONE,
	PX_CREDENTIAL_TOKEN,
	PX_CREDENTIAL_TICKET,
};

struct px_credentials {
	enum px_credential_kind kind;
	struct px_span text; /* the token or ticket */
	char *buffer;        /* contains it, and the rest of the header */
	size_t buffer_len;
};

/* Wipes and frees. */
void px_credentials_finish(struct px_credentials *credentials);

/*
 * `tokens` NULL: only a ticket. 0, also if there is none; -EINVAL: more than one Authorization
 * header, or one that is not a bearer token; -E2BIG; -ENOMEM.
 */
int px_credentials_read(struct lws *wsi, const struct px_config_tokens *tokens,
		struct px_credentials *ret_credentials);

/* Only the token of an Authorization header; -ENOENT without one; otherwise as above. */
int px_credentials_read_bearer(struct lws *wsi, struct px_credentials *ret_credentials);

/* The value of a cookie in the text of a Cookie header (RFC 6265 section 4.2); len 0: none. */
struct px_span px_cookie_find(struct px_span header, const char *name);

#endif

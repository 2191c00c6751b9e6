/* SPDX-License-Identifier: MIT */
/* The inside of the client: client.c makes it, client_request.c asks with it. */
#ifndef PX_TOOLS_CLIENT_INTERNAL_H
#define PX_TOOLS_CLIENT_INTERNAL_H

#include "client.h"

#include <curl/curl.h>

#define PX_CTL_URL_MAX 512

struct px_ctl_client {
	const struct px_ctl_target *target;
	CURL *easy;
	struct curl_slist *headers; /* of every request to the API */
	char base[PX_CTL_URL_MAX];
	char error[CURL_ERROR_SIZE];
	char *body;
	size_t len;
	size_t size;
	int status;
	bool has_token;
	bool is_minted;
	bool forgives_missing;

	/* While it follows an answer that goes on: */
	void (*begun)(void *user); /* while an answer goes on */
	int (*line)(void *user, struct px_span line); /* NULL: it does not */
	void *user;
	int line_code;    /* what `line` said last; -1: go on */
	int64_t heard_ms; /* when something came last */
};

/* One more line of a header; -ENOMEM. */
int px_ctl_header_add(struct curl_slist **headers, const char *name, struct px_span value);

/* Whether it is visible ASCII: a line end in a header would begin another one. */
bool px_ctl_is_visible(struct px_span text);

/* What curl hands the pieces of an answer to; `user` is the client. */
size_t px_ctl_client_take(char *data, size_t one, size_t len, void *user);

#endif

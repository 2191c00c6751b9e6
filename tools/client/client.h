/* SPDX-License-Identifier: MIT */
/*
 * A client of the server's API (docs/api.md). One connection, kept for the next
 * request; what goes wrong is said on standard error, once, and becomes an exit code.
 */
#ifndef PX_TOOLS_CLIENT_H
#define PX_TOOLS_CLIENT_H

#include "terminal/options.h"
#include "terminal/path.h"

struct json_object;
struct px_ctl_client;

struct px_ctl_request {
	const struct px_ctl_path *path; /* below /api/v1/ */
	struct px_span body;            /* len 0: it is a GET, else a POST of JSON */
	const char *idempotency_key;    /* NULL: none */
};

/* `object` is yours (json_object_put); `text` is as it came, good until the next request. */
struct px_ctl_answer {
	struct px_span text;
	struct json_object *object;
};

/* All return 0, or the exit code after saying why. */
int px_ctl_client_open(const struct px_ctl_target *target, struct px_ctl_client **ret_client);
/* The same without a token, for what needs none. */
int px_ctl_client_open_public(const struct px_ctl_target *target,
		struct px_ctl_client **ret_client);
void px_ctl_client_close(struct px_ctl_client *client);

/* The answer is a JSON object, or there is none. */
int px_ctl_client_ask(struct px_ctl_client *client, const struct px_ctl_request *request,
		struct px_ctl_answer *ret_answer);

/*
 * The same of an answer that goes on: `begun` is called when there is one, `line` gets each line,
 * and returns -1 for the next one, or the exit code to end with. An answer that ends by itself, or
 * falls silent, is PX_CTL_UNREACHABLE.
 */
int px_ctl_client_follow(struct px_ctl_client *client, const struct px_ctl_request *request,
		void (*begun)(void *user), int (*line)(void *user, struct px_span line), void *user);

/* Whether its token was made here, so that another client could have a newer one. */
bool px_ctl_client_is_minted(const struct px_ctl_client *client);

/* px_ctl_say() for whoever has the client. */
void px_ctl_client_say(const struct px_ctl_client *client, const char *sentence);

/* Whether the last refusal was a 404: it is not there. */
bool px_ctl_client_missed(const struct px_ctl_client *client);

/* Says nothing of errors of that kind from now on (404). */
void px_ctl_client_forgive_missing(struct px_ctl_client *client);

/*
 * GET of a path outside of the API, which needs no token; *ret_ms is from the request's last byte
 * to the answer's first. -1: it failed, *ret_why says so for people (static or the client's).
 */
int px_ctl_client_knock(struct px_ctl_client *client, const char *path, double *ret_ms,
		const char **ret_why);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Reasons why no new client can be let in.
 */
#ifndef PX_READINESS_H
#define PX_READINESS_H

#include <praxis/json.h>

struct px_server;

enum px_unready {
	PX_UNREADY_DRAINING,
	PX_UNREADY_AUDIT,       /* the audit log cannot be written, and on-full is refuse */
	PX_UNREADY_BUS,         /* no connection to what the servers share */
	PX_UNREADY_CONNECTIONS, /* max-connections */
	PX_UNREADY_DESCRIPTORS, /* not enough for another request */
	PX_UNREADY_COUNT,
};

extern const char *const px_unready_names[PX_UNREADY_COUNT];

bool px_unready_is(const struct px_server *server, enum px_unready what);

/* The first reason, as a sentence; NULL: the server is ready. */
const char *px_unready_sentence(const struct px_server *server, enum px_unready *ret_reason);

/* Writes two members with these keys: whether it is ready, and all reasons why not. */
void px_readiness_write(const struct px_server *server, struct px_json *json, const char *ready,
		const char *reasons);

#endif

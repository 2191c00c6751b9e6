/* SPDX-License-Identifier: MIT */
/*
 * The token that praxisctl asks a server with: given, or made for the moment with the secret
 * that the server checks tokens with, so that an operator on the machine needs no step before.
 * There is no way to give one on the command line: others can read that in /proc.
 */
#ifndef PX_TOOLS_BEARER_H
#define PX_TOOLS_BEARER_H

#include "terminal/options.h"

struct px_bearer {
	struct px_span token; /* len 0: there is none; allocated */
	bool minted;          /* another can be made when it has expired */
};

/* 0, also where there is none; else the exit code, and all was said. */
int px_bearer_find(const struct px_ctl_target *target, struct px_bearer *ret_bearer);
void px_bearer_free(struct px_bearer *bearer);

#endif

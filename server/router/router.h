/* SPDX-License-Identifier: MIT */
/*
 * Where a request goes: the hooks by which connections, requests and upgrades reach the areas that
 * answer them. Opened by the start of the process, which passes them in. It never answers itself
 * what another area can.
 */
#ifndef PX_ROUTER_ROUTER_H
#define PX_ROUTER_ROUTER_H

#include "core/hooks.h"

#include <praxis/host/adapter.h>

extern const struct px_hooks px_router_hooks;

/* Without their user, which is the server. */
extern const struct px_lws_hooks px_router_lws_hooks;

#endif

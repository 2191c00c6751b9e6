/* SPDX-License-Identifier: MIT */
/*
 * Routing: the hooks by which connections, requests and upgrades reach the areas that answer them.
 * Opened by the start of the process, which passes them in. It answers only what no other area can.
 */
#ifndef PX_ROUTER_ROUTER_H
#define PX_ROUTER_ROUTER_H

#include "core/hooks.h"

#include <praxis/host/adapter.h>

extern const struct px_hooks px_router_hooks;

/* Without their user pointer, which is the server. */
extern const struct px_lws_hooks px_router_lws_hooks;

#endif

/* SPDX-License-Identifier: MIT */
/*
 * From a request to a session: prechecks, the upgrade, and resuming. For the router only. It never
 * trusts a header whose length lws has not limited.
 */
#ifndef PX_ROUTER_UPGRADE_H
#define PX_ROUTER_UPGRADE_H

#include <libwebsockets.h>
#include <praxis/host/adapter.h>
#include <stdbool.h>

struct px_peer;
struct px_server;
struct px_session_params;

/*
 * router/precheck.c: 0: continue; 1: an answer was written; -1: drop the connection. `within`: see
 * http/lws_head.h
 */
int px_precheck_pass(struct lws *wsi, const void *within);

/* router/upgrade.c: hooks of the adapter */
int px_upgrade_decide(void *user, struct lws *wsi);
int px_upgrade_accept(void *user, struct lws *wsi, struct px_session_params *ret_params);
void px_upgrade_opened(void *user, struct lws *wsi, int rc);
/* Why a page, by its Origin and Host, may not connect; NULL: it may. */
const char *px_upgrade_page_fault(const struct px_peer *peer, struct lws *wsi);

/* resume_query.c: ?resume=…&received=… of an upgrade. -ENOMEM. */
int px_resume_query_read(struct px_peer *peer, struct lws *wsi);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Statistics for /stats, /metrics and operators. Opened by HTTP and the API. It never changes a
 * counter.
 */
#ifndef PX_METRICS_METRICS_H
#define PX_METRICS_METRICS_H

#include "core/counters.h"

#include <praxis/host/host.h>
#include <praxis/host/stats.h>

struct px_prometheus;
struct px_json;
struct px_operator;
struct px_server;
struct px_service;

/* metrics/config_view.c: the broker's hook; the operator's view of the host */
void px_describe(void *user, const struct px_operator *operator, enum px_description what,
		const struct px_service *service, struct px_json *json);

/* metrics/metrics.c: GET /metrics */
struct px_prometheus;
void px_metrics_write(struct px_server *server, struct px_prometheus *out);

/* metrics/stats.c: the members of GET /stats */
extern const char *const px_resume_names[PX_RESUME_COUNT];
extern const char *const px_handshake_names[PX_HANDSHAKE_COUNT];
extern const char *const px_auth_answer_names[PX_AUTH_ANSWERS];

/* Number of vhosts whose last request to auth-url failed. */
unsigned px_auth_url_failing(const struct px_server *server);
void px_stats_write(struct px_server *server, struct px_json *json);

/* metrics/stats_history.c: takes a sample if it is time */
void px_stats_history_take(struct px_server *server);

#endif

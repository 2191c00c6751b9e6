/* SPDX-License-Identifier: MIT */
/*
 * What the server counts, as /stats, /metrics and operators are shown it. Opened by HTTP and the
 * API. It never changes a figure.
 */
#ifndef PX_METRICS_METRICS_H
#define PX_METRICS_METRICS_H

#include <praxis/broker.h>

struct px_prometheus;
struct px_json;
struct px_operator;
struct px_server;
struct px_service;

/* metrics/config_view.c: the broker's hook; what an operator is shown of the host */
void px_describe(void *user, const struct px_operator *operator, enum px_description what,
		const struct px_service *service, struct px_json *json);

/* metrics/metrics.c: GET /metrics */
struct px_prometheus;
void px_metrics_write(struct px_server *server, struct px_prometheus *out);

#endif

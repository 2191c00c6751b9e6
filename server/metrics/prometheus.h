/* SPDX-License-Identifier: MIT */
/*
 * Prometheus' text format (exposition format 0.0.4): families with help and type, samples with
 * labels. Names and numbers come from the program; label values are escaped all the same.
 */
#ifndef PX_PROMETHEUS_H
#define PX_PROMETHEUS_H

#include "base/histogram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: empty. Remembers failed allocations. */
struct px_prometheus {
	char *text;
	size_t len;
	size_t size;
	bool failed;
	const char *name; /* of the family */
};

enum px_metric_type {
	PX_METRIC_COUNTER,
	PX_METRIC_GAUGE,
	PX_METRIC_HISTOGRAM,
};

/* Labels are pairs of name and value; NULL ends them. */
typedef const char *const px_labels[9];

void px_prometheus_family(struct px_prometheus *exposition, enum px_metric_type type,
		const char *name, const char *help);
/* `labels` may be NULL. */
void px_prometheus_sample(struct px_prometheus *exposition, px_labels labels, uint64_t value);
void px_prometheus_seconds(struct px_prometheus *exposition, uint64_t ns);
void px_prometheus_histogram(struct px_prometheus *exposition,
		const struct px_histogram *histogram);
void px_prometheus_finish(struct px_prometheus *exposition);

/* A family of one sample without labels. */
void px_prometheus_one(struct px_prometheus *exposition, enum px_metric_type type,
		const char *name, const char *help, uint64_t value);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The text format in which Prometheus reads metrics (exposition format 0.0.4): families with a
 * help and a type, samples with labels. What is written into it are numbers and names of the
 * program's own; label values are escaped all the same.
 */
#ifndef PX_EXPOSITION_H
#define PX_EXPOSITION_H

#include "histogram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: empty. Memory that was lacking is remembered. */
struct px_exposition {
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

/* Labels come in pairs, name and value; NULL ends them. */
typedef const char *const px_labels[9];

void px_exposition_family(struct px_exposition *exposition, enum px_metric_type type,
		const char *name, const char *help);
/* `labels` may be NULL. */
void px_exposition_sample(struct px_exposition *exposition, px_labels labels, uint64_t value);
void px_exposition_seconds(struct px_exposition *exposition, uint64_t ns);
void px_exposition_histogram(struct px_exposition *exposition,
		const struct px_histogram *histogram);
void px_exposition_finish(struct px_exposition *exposition);

/* A family of one sample without labels. */
void px_exposition_one(struct px_exposition *exposition, enum px_metric_type type,
		const char *name, const char *help, uint64_t value);

#endif

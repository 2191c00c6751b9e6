/* SPDX-License-Identifier: MIT */
/* See prometheus.h. */
#include "prometheus.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct px_prometheus *exposition, size_t more)
{
	size_t size = exposition->size ? exposition->size : 16384;
	if (exposition->failed || exposition->len + more <= exposition->size) {
		return !exposition->failed;
	}
	while (size < exposition->len + more) {
		size *= 2;
	}
	char *text = realloc(exposition->text, size);
	if (!text) {
		exposition->failed = true;
		return false;
	}
	exposition->text = text;
	exposition->size = size;
	return true;
}

static void put(struct px_prometheus *exposition, const char *format, ...)
		__attribute__((format(printf, 2, 3)));

static void put(struct px_prometheus *exposition, const char *format, ...)
{
	char piece[512];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(piece, sizeof(piece), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(piece)) {
		exposition->failed = true;
	} else if (reserve(exposition, (size_t)len)) {
		memcpy(exposition->text + exposition->len, piece, (size_t)len);
		exposition->len += (size_t)len;
	}
}

void px_prometheus_family(struct px_prometheus *exposition, enum px_metric_type type,
		const char *name, const char *help)
{
	static const char *const types[] = {
		[PX_METRIC_COUNTER] = "counter",
		[PX_METRIC_GAUGE] = "gauge",
		[PX_METRIC_HISTOGRAM] = "histogram",
	};
	exposition->name = name;
	put(exposition, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, types[type]);
}

static void put_value(struct px_prometheus *exposition, const char *value)
{
	for (; *value; value++) {
		if (*value == '"' || *value == '\\') {
			put(exposition, "\\%c", *value);
		} else if (*value == '\n') {
			put(exposition, "\\n");
		} else {
			put(exposition, "%c", *value);
		}
	}
}

void px_prometheus_sample(struct px_prometheus *exposition, px_labels labels, uint64_t value)
{
	put(exposition, "%s", exposition->name);
	for (size_t i = 0; labels && labels[i]; i += 2) {
		put(exposition, "%s%s=\"", i == 0 ? "{" : ",", labels[i]);
		put_value(exposition, labels[i + 1]);
		put(exposition, "\"");
	}
	put(exposition, "%s %" PRIu64 "\n", labels && labels[0] ? "}" : "", value);
}

void px_prometheus_seconds(struct px_prometheus *exposition, uint64_t ns)
{
	put(exposition, "%s %" PRIu64 ".%09" PRIu64 "\n", exposition->name, ns / 1000000000,
			ns % 1000000000);
}

void px_prometheus_histogram(struct px_prometheus *exposition,
		const struct px_histogram *histogram)
{
	const char *name = exposition->name;
	uint64_t count = 0;
	for (unsigned i = 0; i < PX_HISTOGRAM_BUCKETS - 1; i++) {
		count += histogram->buckets[i];
		put(exposition, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
				(double)px_histogram_bounds_us[i] / 1e6, count);
	}
	put(exposition, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, histogram->count);
	put(exposition, "%s_sum %" PRIu64 ".%09" PRIu64 "\n", name,
			histogram->sum_ns / 1000000000, histogram->sum_ns % 1000000000);
	put(exposition, "%s_count %" PRIu64 "\n", name, histogram->count);
}

void px_prometheus_finish(struct px_prometheus *exposition)
{
	free(exposition->text);
	*exposition = (struct px_prometheus){ 0 };
}

void px_prometheus_one(struct px_prometheus *exposition, enum px_metric_type type,
		const char *name, const char *help, uint64_t value)
{
	px_prometheus_family(exposition, type, name, help);
	px_prometheus_sample(exposition, NULL, value);
}

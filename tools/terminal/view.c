/* SPDX-License-Identifier: MIT */
/* See view.h. */
#include "view.h"
#include "exit_codes.h"

#include <errno.h>
#include <json-c/json.h>
#include <praxis/json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PLAIN_JSON (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

struct px_span px_view_text(struct json_object *value)
{
	if (json_object_is_type(value, json_type_string)) {
		return (struct px_span){ json_object_get_string(value),
			(size_t)json_object_get_string_len(value) };
	}
	if (json_object_is_type(value, json_type_boolean)) {
		return px_span(json_object_get_boolean(value) ? "yes" : "no");
	}
	/* A number beyond 64 bits has kept its digits: see strict_json.h. */
	return value ? px_span(json_object_to_json_string_ext(value, PLAIN_JSON)) :
			px_span(PX_VIEW_NONE);
}

static void add_array(struct px_grid *grid, struct json_object *array)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	for (size_t i = 0; out && i < json_object_array_length(array); i++) {
		struct px_span item = px_view_text(json_object_array_get_idx(array, i));
		fprintf(out, "%s%.*s", i > 0 ? "," : "", (int)item.len, item.data);
	}
	if (out) {
		(void)fclose(out);
	}
	px_grid_add(grid, text && len > 0 ? (struct px_span){ text, len } : px_span(PX_VIEW_NONE));
	free(text);
}

void px_view_add(struct px_grid *grid, struct json_object *object, const char *key)
{
	struct json_object *value = NULL;
	(void)json_object_object_get_ex(object, key, &value);
	if (json_object_is_type(value, json_type_array)) {
		add_array(grid, value);
	} else {
		px_grid_add(grid, px_view_text(value));
	}
}

void px_view_time(int64_t ms, char buf[32])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm local;
	if (!localtime_r(&seconds, &local) ||
			strftime(buf, 32, "%Y-%m-%d %H:%M:%S", &local) == 0) {
		strcpy(buf, PX_VIEW_NONE);
	}
}

void px_view_add_time(struct px_grid *grid, struct json_object *object, const char *key)
{
	char text[32] = PX_VIEW_NONE;
	int64_t ms;
	if (px_json_get_int(object, key, 0, INT64_MAX, &ms)) {
		px_view_time(ms, text);
	}
	px_grid_add(grid, px_span(text));
}

void px_view_duration(int64_t ms, char buf[32])
{
	const long long s = ms / 1000;
	if (s < 60) {
		(void)snprintf(buf, 32, "%lld s", s);
	} else if (s < 3600) {
		(void)snprintf(buf, 32, "%lld min %lld s", s / 60, s % 60);
	} else if (s < 86400) {
		(void)snprintf(buf, 32, "%lld h %lld min", s / 3600, s % 3600 / 60);
	} else {
		(void)snprintf(buf, 32, "%lld d %lld h", s / 86400, s % 86400 / 3600);
	}
}

int px_view_end(void)
{
	if (fflush(stdout) != 0) {
		fprintf(stderr, "praxisctl: standard output: %s\n", strerror(errno));
		return PX_CTL_USAGE;
	}
	return PX_CTL_FINE;
}

int px_view_print(const struct px_grid *grid, const char *nothing)
{
	if (px_grid_rows(grid) == 0) {
		fprintf(stderr, "%s\n", nothing);
	} else if (px_grid_print(grid, stdout) < 0) {
		fputs("praxisctl: out of memory\n", stderr);
		return PX_CTL_USAGE;
	}
	return px_view_end();
}

int px_view_print_json(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, PLAIN_JSON));
	return px_view_end();
}

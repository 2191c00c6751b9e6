/* SPDX-License-Identifier: MIT */
/*
 * `praxisctl stats`: the figures. People see those that are not 0, one a line, and not how
 * durations are spread; scripts get everything.
 */
#include "client/ask.h"
#include "commands.h"
#include "terminal/exit_codes.h"
#include "terminal/view.h"

#include <json-c/json.h>
#include <praxis/json.h>
#include <string.h>

#define NAME_MAX_BYTES 128

struct asked {
	struct px_ctl_target target;
};

static const struct px_ctl_usage usage = {
	.command = "stats",
	.arguments = "[options]",
	.about = "Prints statistics of the server, or of the token's practices.\n"
			"Values of 0 are left out; --json has all.\n",
};

static bool is_shown(const char *key, struct json_object *value)
{
	if (json_object_is_type(value, json_type_int)) {
		return json_object_get_int64(value) != 0;
	}
	return strcmp(key, "up_to_us") != 0; /* a histogram */
}

/* One line for each figure; of those in objects the name is "outer.inner". */
static void add_figures(struct px_grid *grid, const char *before, struct json_object *object)
{
	json_object_object_foreach(object, key, value) {
		char name[NAME_MAX_BYTES];
		(void)snprintf(name, sizeof(name), "%s%s%s", before, before[0] ? "." : "", key);
		if (!is_shown(key, value)) {
			continue;
		}
		if (json_object_is_type(value, json_type_object)) {
			if (strlen(name) < sizeof(name) - 1) {
				add_figures(grid, name, value);
			}
		} else {
			px_grid_add(grid, px_span(name));
			px_view_add(grid, object, key);
		}
	}
}

static void print_server(struct json_object *object)
{
	struct json_object *server = json_object_object_get(object, "server");
	struct px_span version = px_span("?");
	char uptime[32] = "?";
	bool draining = false;
	int64_t uptime_ms;
	(void)px_json_get_text(server, "version", &version);
	(void)px_json_get_bool(server, "draining", &draining);
	if (px_json_get_int(server, "uptimeMs", 0, INT64_MAX, &uptime_ms)) {
		px_view_duration(uptime_ms, uptime);
	}
	printf("Praxis %s, up %s%s\n", version.data, uptime, draining ? ", draining" : "");
}

static int print_totals(struct json_object *object)
{
	static const struct px_grid_column columns[] = { { NULL, false }, { NULL, true } };
	struct px_grid *grid = px_grid_create(columns, 2);
	if (!grid) {
		return PX_CTL_NO;
	}
	struct json_object *totals = json_object_object_get(object, "totals");
	add_figures(grid, "", totals ? totals : object);
	int code = px_view_print(grid, "No statistics yet.");
	px_grid_destroy(grid);
	return code;
}

/* Of a token that does not rule: practice by practice. */
static int print_practices(struct json_object *rows)
{
	static const struct px_grid_column columns[] = {
		{ "PRACTICE", false }, { "CLIENTS", true }, { "ROOMS", true }, { "PUBLISHED", true },
	};
	struct px_grid *grid = px_grid_create(columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; grid && i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		px_view_add(grid, row, "practiceId");
		px_view_add(grid, row, "clients");
		px_view_add(grid, row, "rooms");
		px_view_add(grid, row, "published");
	}
	int code = grid ? px_view_print(grid, "No practices.") : PX_CTL_NO;
	px_grid_destroy(grid);
	return code;
}

static int print(struct json_object *object, const void *user)
{
	(void)user;
	struct json_object *practices = json_object_object_get(object, "practices");
	print_server(object);
	return json_object_is_type(practices, json_type_array) ? print_practices(practices) :
			print_totals(object);
}

int px_ctl_stats(int argc, char **argv)
{
	struct asked asked = { .target.json = false };
	struct px_ctl_path path;
	int first;
	int code = px_ctl_read_options(&usage, argc, argv, &asked, &first);
	if (code >= 0) {
		return code;
	}
	px_ctl_path_begin(&path, "stats");
	return px_ctl_ask_once(&asked.target, &(struct px_ctl_request){ .path = &path }, print, NULL);
}

/* SPDX-License-Identifier: MIT */
/* `praxisctl services`, `enable` and `disable`: what a vhost has, and switching it. */
#include "client/ask.h"
#include "commands.h"
#include "terminal/exit_codes.h"
#include "terminal/view.h"

#include <json-c/json.h>
#include <praxis/json.h>

struct asked {
	struct px_ctl_target target;
};

static const struct px_ctl_usage services_usage = {
	.command = "services",
	.arguments = "[options]",
	.about = "Lists the services of the vhost. --json includes their messages and, for server\n"
			"administrators, their options.\n",
};

static const struct px_ctl_usage enable_usage = {
	.command = "enable",
	.arguments = "[options] NAME",
	.about = "Enables a service until the configuration is reloaded.\n",
	.arguments_min = 1,
	.arguments_max = 1,
};

static const struct px_ctl_usage disable_usage = {
	.command = "disable",
	.arguments = "[options] NAME",
	.about = "Disables a service until the configuration is reloaded. Its rooms and history are\n"
			"kept; its messages are refused meanwhile.\n",
	.arguments_min = 1,
	.arguments_max = 1,
};

static void add_messages(struct px_grid *grid, struct json_object *row)
{
	struct json_object *messages = json_object_object_get(row, "messages");
	char number[24];
	size_t count = json_object_is_type(messages, json_type_array) ?
			json_object_array_length(messages) : 0;
	(void)snprintf(number, sizeof(number), "%zu", count);
	px_grid_add(grid, px_span(number));
}

static int print_services(struct json_object *object, const void *user)
{
	(void)user;
	static const struct px_grid_column columns[] = {
		{ "NAME", false }, { "ENABLED", false }, { "LOADED", false }, { "MESSAGES", true },
		{ "SUMMARY", false },
	};
	struct px_grid *grid = px_grid_create(columns, sizeof(columns) / sizeof(columns[0]));
	struct json_object *rows = json_object_object_get(object, "services");
	for (size_t i = 0; grid && rows && i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		px_view_add(grid, row, "name");
		px_view_add(grid, row, "enabled");
		px_view_add(grid, row, "loaded");
		add_messages(grid, row);
		px_view_add(grid, row, "summary");
	}
	int code = grid ? px_view_print(grid, "No services.") : PX_CTL_NO;
	px_grid_destroy(grid);
	return code;
}

int px_ctl_services(int argc, char **argv)
{
	struct asked asked = { .target.json = false };
	struct px_ctl_path path;
	int first;
	int code = px_ctl_read_options(&services_usage, argc, argv, &asked, &first);
	if (code >= 0) {
		return code;
	}
	px_ctl_path_begin(&path, "services");
	return px_ctl_ask_once(&asked.target, &(struct px_ctl_request){ .path = &path },
			print_services, NULL);
}

/* ---- switching ---- */

static int print_switched(struct json_object *answer, const void *name)
{
	bool enabled = false;
	(void)px_json_get_bool(answer, "enabled", &enabled);
	printf("%s is %s\n", (const char *)name, enabled ? "enabled" : "disabled");
	return px_view_end();
}

static int switch_service(const struct px_ctl_usage *usage, const char *body, int argc, char **argv)
{
	struct asked asked = { .target.json = false };
	struct px_ctl_path path;
	int first;
	int code = px_ctl_read_options(usage, argc, argv, &asked, &first);
	if (code >= 0) {
		return code;
	}
	px_ctl_path_begin(&path, "services");
	px_ctl_path_element(&path, argv[first]);
	return px_ctl_ask_once(&asked.target, &(struct px_ctl_request){
		.path = &path,
		.body = px_span(body),
	}, print_switched, argv[first]);
}

int px_ctl_enable(int argc, char **argv)
{
	return switch_service(&enable_usage, "{\"enabled\":true}", argc, argv);
}

int px_ctl_disable(int argc, char **argv)
{
	return switch_service(&disable_usage, "{\"enabled\":false}", argc, argv);
}

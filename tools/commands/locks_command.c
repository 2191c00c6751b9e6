/* SPDX-License-Identifier: MIT */
/* `praxisctl locks` and `unlock`: addresses that too many guesses at tokens came from. */
#include "client/ask.h"
#include "commands.h"
#include "terminal/exit_codes.h"
#include "terminal/view.h"

#include <json-c/json.h>
#include <praxis/json.h>

struct asked {
	struct px_ctl_target target;
};

static const struct px_ctl_usage locks_usage = {
	.command = "locks",
	.arguments = "[options]",
	.about = "Lists addresses that are locked after too many guesses at tokens, latest first.\n"
			"Valid tokens from there are still accepted; guesses are refused until UNTIL.\n",
};

static const struct px_ctl_usage unlock_usage = {
	.command = "unlock",
	.arguments = "[options] ADDRESS",
	.about = "Unlocks an address. For an IPv6 network, give any address of it.\n",
	.arguments_min = 1,
	.arguments_max = 1,
};

static int print_locks(struct json_object *object, const void *user)
{
	static const struct px_grid_column columns[] = {
		{ "ADDRESS", false }, { "FAILURES", true }, { "CONNECTIONS", true }, { "SINCE", false },
		{ "UNTIL", false },
	};
	struct px_grid *grid = px_grid_create(columns, sizeof(columns) / sizeof(columns[0]));
	struct json_object *rows = json_object_object_get(object, "locks");
	(void)user;
	for (size_t i = 0; grid && rows && i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		px_view_add(grid, row, "address");
		px_view_add(grid, row, "failures");
		px_view_add(grid, row, "connections");
		px_view_add_time(grid, row, "lockedAt");
		px_view_add_time(grid, row, "until");
	}
	int code = grid ? px_view_print(grid, "No address is locked.") : PX_CTL_NO;
	px_grid_destroy(grid);
	return code;
}

int px_ctl_locks(int argc, char **argv)
{
	struct asked asked = { .target.json = false };
	struct px_ctl_path path;
	int first;
	int code = px_ctl_read_options(&locks_usage, argc, argv, &asked, &first);
	if (code >= 0) {
		return code;
	}
	px_ctl_path_begin(&path, "locks");
	return px_ctl_ask_once(&asked.target, &(struct px_ctl_request){ .path = &path },
			print_locks, NULL);
}

static int print_unlocked(struct json_object *answer, const void *address)
{
	(void)answer;
	printf("%s is unlocked\n", (const char *)address);
	return px_view_end();
}

int px_ctl_unlock(int argc, char **argv)
{
	struct asked asked = { .target.json = false };
	struct px_ctl_path path;
	struct px_json body;
	int first;
	int code = px_ctl_read_options(&unlock_usage, argc, argv, &asked, &first);
	if (code >= 0) {
		return code;
	}
	px_json_begin(&body, NULL);
	px_json_string(&body, "address", px_span(argv[first]));
	px_json_end(&body);
	px_ctl_path_begin(&path, "unlock");
	code = body.failed ? PX_CTL_NO : px_ctl_ask_once(&asked.target, &(struct px_ctl_request){
		.path = &path,
		.body = { body.data, body.len },
	}, print_unlocked, argv[first]);
	px_json_finish(&body);
	return code;
}

/* SPDX-License-Identifier: MIT */
/* `praxisctl rooms`: which rooms there are, and who is in them. */
#include "client/client.h"
#include "client/list.h"
#include "commands.h"
#include "terminal/exit_codes.h"
#include "terminal/view.h"

#include <json-c/json.h>

struct chosen {
	struct px_ctl_target target;
	const char *service;
	const char *practice;
};

#define AT(member) offsetof(struct chosen, member)

static const struct px_ctl_usage usage = {
	.command = "rooms",
	.arguments = "[options]",
	.about = "Lists occupied rooms, oldest first.\n",
	.options = (const struct px_ctl_option[]){
		{ 'p', "practice", "ID", AT(practice), "rooms of this practice" },
		{ 's', "service", "NAME", AT(service), "rooms of this service" },
		{ 0, NULL, NULL, 0, NULL },
	},
};

static int print(struct json_object *object)
{
	static const struct px_grid_column columns[] = {
		{ "SERVICE", false }, { "ROOM", false }, { "PRACTICE", false }, { "SINCE", false },
		{ "MEMBERS", true }, { "WAITING", true }, { "CLIENTS", false },
	};
	struct px_grid *grid = px_grid_create(columns, sizeof(columns) / sizeof(columns[0]));
	struct json_object *rows = json_object_object_get(object, "rooms");
	for (size_t i = 0; grid && i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		px_view_add(grid, row, "service");
		px_view_add(grid, row, "roomId");
		px_view_add(grid, row, "practiceId");
		px_view_add_time(grid, row, "openedAt");
		px_view_add(grid, row, "members");
		px_view_add(grid, row, "waiting");
		px_view_add(grid, row, "clients");
	}
	int code = grid ? px_view_print(grid, "No rooms.") : PX_CTL_NO;
	px_grid_destroy(grid);
	return code;
}

int px_ctl_rooms(int argc, char **argv)
{
	struct chosen chosen = { .service = NULL };
	struct px_ctl_client *client;
	struct json_object *object;
	int first;
	int code = px_ctl_read_options(&usage, argc, argv, &chosen, &first);
	if (code >= 0 || (code = px_ctl_client_open(&chosen.target, &client)) != 0) {
		return code;
	}
	code = px_ctl_list_all(client, &(struct px_ctl_list){
		.name = "rooms",
		.service = chosen.service,
		.practice = chosen.practice,
	}, &object);
	if (code == 0) {
		code = chosen.target.json ? px_view_print_json(object) : print(object);
		json_object_put(object);
	}
	px_ctl_client_close(client);
	return code;
}

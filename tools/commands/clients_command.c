/* SPDX-License-Identifier: MIT */
/* `praxisctl clients` and `praxisctl disconnect`: who is connected, and ending that. */
#include "client/client.h"
#include "client/list.h"
#include "commands.h"
#include "terminal/exit_codes.h"
#include "terminal/view.h"

#include <json-c/json.h>
#include <praxis/json.h>

struct chosen {
	struct px_ctl_target target;
	const char *service;
	const char *practice;
	const char *user;
	const char *reason;
	bool all;
};

#define AT(member) offsetof(struct chosen, member)

static int list_clients(struct px_ctl_client *client, const struct chosen *chosen,
		struct json_object **ret_object)
{
	return px_ctl_list_all(client, &(struct px_ctl_list){
		.name = "clients",
		.service = chosen->service,
		.practice = chosen->practice,
		.user = chosen->user,
	}, ret_object);
}

/* ---- clients ---- */

static const struct px_ctl_usage clients_usage = {
	.command = "clients",
	.arguments = "[options]",
	.about = "Lists clients that are connected or may return, oldest connection first.\n",
	.options = (const struct px_ctl_option[]){
		{ 'p', "practice", "ID", AT(practice), "clients of this practice" },
		{ 's', "service", "NAME", AT(service), "clients of this service" },
		{ 'U', "user", "ID", AT(user), "clients of this user" },
		{ 0, NULL, NULL, 0, NULL },
	},
};

static int print_clients(struct json_object *object)
{
	static const struct px_grid_column columns[] = {
		{ "CLIENT", false }, { "USER", false }, { "NAME", false }, { "ROLE", false },
		{ "PRACTICES", false }, { "SINCE", false }, { "ROOMS", true }, { "IN", true },
		{ "OUT", true }, { "QUEUED", true }, { "CONNECTED", false }, { "ADDRESS", false },
	};
	struct px_grid *grid = px_grid_create(columns, sizeof(columns) / sizeof(columns[0]));
	struct json_object *rows = json_object_object_get(object, "clients");
	for (size_t i = 0; grid && i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		px_view_add(grid, row, "clientId");
		px_view_add(grid, row, "userId");
		px_view_add(grid, row, "userName");
		px_view_add(grid, row, "role");
		px_view_add(grid, row, "practices");
		px_view_add_time(grid, row, "openedAt");
		px_view_add(grid, row, "rooms");
		px_view_add(grid, row, "messagesIn");
		px_view_add(grid, row, "messagesOut");
		px_view_add(grid, row, "queueBytes");
		px_view_add(grid, row, "connected");
		px_view_add(grid, row, "address");
	}
	int code = grid ? px_view_print(grid, "No clients.") : PX_CTL_NO;
	px_grid_destroy(grid);
	return code;
}

int px_ctl_clients(int argc, char **argv)
{
	struct chosen chosen = { .all = false };
	struct px_ctl_client *client;
	struct json_object *object;
	int first;
	int code = px_ctl_read_options(&clients_usage, argc, argv, &chosen, &first);
	if (code >= 0 || (code = px_ctl_client_open(&chosen.target, &client)) != 0) {
		return code;
	}
	code = list_clients(client, &chosen, &object);
	if (code == 0) {
		code = chosen.target.json ? px_view_print_json(object) : print_clients(object);
		json_object_put(object);
	}
	px_ctl_client_close(client);
	return code;
}

/* ---- disconnect ---- */

static const struct px_ctl_usage disconnect_usage = {
	.command = "disconnect",
	.arguments = "CLIENT | --user ID [--practice ID] | --practice ID --all",
	.about = "Ends the session of a client, of all clients of a user, or of all clients of a\n"
			"practice. Clients do not reconnect by themselves afterwards.\n",
	.options = (const struct px_ctl_option[]){
		{ 'U', "user", "ID", AT(user), "all clients of this user" },
		{ 'p', "practice", "ID", AT(practice), "with --user: only those of this practice" },
		{ 'a', "all", NULL, AT(all), "with --practice: all clients of the practice" },
		{ 'r', "reason", "TEXT", AT(reason), "reason that is sent to the client" },
		{ 0, NULL, NULL, 0, NULL },
	},
	.arguments_max = 1,
};

/* One more in the answer, unless it was gone already. */
static int end_one(struct px_ctl_client *client, const struct chosen *chosen, struct px_span id,
		struct json_object *ended)
{
	struct px_ctl_answer answer;
	struct px_ctl_path path;
	struct px_json json;
	px_ctl_path_begin(&path, "disconnect");
	px_json_begin(&json, NULL);
	px_json_string(&json, "clientId", id);
	if (chosen->reason) {
		px_json_text(&json, "reason", chosen->reason);
	}
	px_json_end(&json);
	int code = px_ctl_client_ask(client, &(struct px_ctl_request){
		.path = &path,
		.body = { json.data, json.len },
	}, &answer);
	px_json_finish(&json);
	if (code == 0) {
		json_object_array_add(ended, json_object_new_string_len(id.data, (int)id.len));
		json_object_put(answer.object);
	}
	return code;
}

/* All that are chosen; who went meanwhile is what was wanted, too. */
static int end_chosen(struct px_ctl_client *client, const struct chosen *chosen,
		struct json_object *ended)
{
	struct json_object *object;
	int code = list_clients(client, chosen, &object);
	if (code != 0) {
		return code;
	}
	px_ctl_client_forgive_missing(client);
	struct json_object *rows = json_object_object_get(object, "clients");
	for (size_t i = 0; code == 0 && i < json_object_array_length(rows); i++) {
		struct px_span id = { NULL, 0 };
		if (px_json_get_text(json_object_array_get_idx(rows, i), "clientId", &id)) {
			code = end_one(client, chosen, id, ended);
			code = code != 0 && px_ctl_client_missed(client) ? 0 : code;
		}
	}
	json_object_put(object);
	if (code == 0 && json_object_array_length(ended) == 0) {
		px_ctl_client_say(client, "there is no such client");
		code = PX_CTL_NO;
	}
	return code;
}

static int print_ended(const struct chosen *chosen, struct json_object *object)
{
	struct json_object *ended = json_object_object_get(object, "disconnected");
	if (chosen->target.json) {
		return px_view_print_json(object);
	}
	for (size_t i = 0; i < json_object_array_length(ended); i++) {
		printf("%s disconnected\n", json_object_get_string(json_object_array_get_idx(ended, i)));
	}
	return px_view_end();
}

static int disconnect(const struct chosen *chosen, const char *id, struct json_object *ended)
{
	struct px_ctl_client *client;
	int code = px_ctl_client_open(&chosen->target, &client);
	if (code != 0) {
		return code;
	}
	code = id ? end_one(client, chosen, px_span(id), ended) :
			end_chosen(client, chosen, ended);
	px_ctl_client_close(client);
	return code;
}

/* Who is meant is said in one way, and a whole practice in so many words. */
static bool is_clear(const struct chosen *chosen, const char *id)
{
	if (id) {
		return !chosen->user && !chosen->practice && !chosen->all;
	}
	return chosen->user ? !chosen->all : chosen->practice && chosen->all;
}

int px_ctl_disconnect(int argc, char **argv)
{
	struct chosen chosen = { .all = false };
	int first;
	int code = px_ctl_read_options(&disconnect_usage, argc, argv, &chosen, &first);
	if (code >= 0) {
		return code;
	}
	const char *id = first < argc ? argv[first] : NULL;
	if (!is_clear(&chosen, id)) {
		px_ctl_say(&chosen.target, "missing arguments: praxisctl disconnect %s",
				disconnect_usage.arguments);
		return PX_CTL_USAGE;
	}
	struct json_object *object = json_object_new_object();
	struct json_object *ended = json_object_new_array();
	json_object_object_add(object, "disconnected", ended);
	code = disconnect(&chosen, id, ended);
	/* What was done is told, also where the rest could not be. */
	if (json_object_array_length(ended) > 0) {
		int printed = print_ended(&chosen, object);
		code = code != 0 ? code : printed;
	}
	json_object_put(object);
	return code;
}

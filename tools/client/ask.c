/* SPDX-License-Identifier: MIT */
/* See ask.h. */
#include "ask.h"
#include "terminal/view.h"

#include <json-c/json.h>

int px_ctl_ask_once(const struct px_ctl_target *target, const struct px_ctl_request *request,
		int (*print)(struct json_object *answer, const void *user), const void *user)
{
	struct px_ctl_client *client;
	struct px_ctl_answer answer;
	int code = px_ctl_client_open(target, &client);
	if (code != 0) {
		return code;
	}
	code = px_ctl_client_ask(client, request, &answer);
	if (code == 0) {
		code = target->json ? px_view_print_json(answer.object) :
				print(answer.object, user);
		json_object_put(answer.object);
	}
	px_ctl_client_close(client);
	return code;
}

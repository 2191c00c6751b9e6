/* SPDX-License-Identifier: MIT */
/*
 * See list.h. Pages are as large as the server gives them; one may be short, or empty, and have a
 * next one all the same. The rows are taken out of the pages, so that a script sees one document
 * and never a cursor.
 */
#include "list.h"
#include "terminal/exit_codes.h"
#include "terminal/view.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <praxis/json.h>
#include <stdio.h>

#define PAGE "500" /* the most that the server gives */

static bool fits(const struct px_ctl_list *list, struct json_object *row)
{
	struct json_object *user = NULL;
	return !list->user || (json_object_object_get_ex(row, "userId", &user) &&
			px_span_equal(px_view_text(user), px_span(list->user)));
}

static bool take_rows(const struct px_ctl_list *list, struct json_object *page,
		struct json_object *rows)
{
	struct json_object *array;
	if (!json_object_object_get_ex(page, list->name, &array) ||
			!json_object_is_type(array, json_type_array)) {
		return false;
	}
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		struct json_object *row = json_object_array_get_idx(array, i);
		if (fits(list, row) && json_object_array_add(rows, json_object_get(row)) < 0) {
			json_object_put(row);
			return false;
		}
	}
	return true;
}

static int read_page(struct px_ctl_client *client, const struct px_ctl_list *list,
		int64_t *after, struct json_object *rows)
{
	struct px_ctl_path path;
	struct px_ctl_answer answer;
	char number[24];
	(void)snprintf(number, sizeof(number), "%" PRId64, *after);
	px_ctl_path_begin(&path, list->name);
	px_ctl_path_parameter(&path, "limit", PAGE);
	px_ctl_path_parameter(&path, "service", list->service);
	px_ctl_path_parameter(&path, "practiceId", list->practice);
	px_ctl_path_parameter(&path, "after", *after > 0 ? number : NULL);
	int code = px_ctl_client_ask(client, &(struct px_ctl_request){ .path = &path }, &answer);
	if (code != 0) {
		return code;
	}
	int64_t before = *after;
	bool more = px_json_get_int(answer.object, "next", before + 1, INT64_MAX, after);
	bool taken = take_rows(list, answer.object, rows);
	json_object_put(answer.object);
	if (!taken) {
		px_ctl_client_say(client, "the answer is malformed");
		return PX_CTL_NO;
	}
	*after = more ? *after : 0;
	return 0;
}

int px_ctl_list_all(struct px_ctl_client *client, const struct px_ctl_list *list,
		struct json_object **ret_object)
{
	struct json_object *object = json_object_new_object();
	struct json_object *rows = json_object_new_array();
	int64_t after = 0;
	int code = 0;
	if (!object || !rows || json_object_object_add(object, list->name, rows) < 0) {
		px_ctl_client_say(client, "out of memory");
		json_object_put(object);
		json_object_put(rows);
		return PX_CTL_NO;
	}
	do {
		code = read_page(client, list, &after, rows);
	} while (code == 0 && after > 0);
	if (code != 0) {
		json_object_put(object);
		return code;
	}
	*ret_object = object;
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* `praxisctl publish`: a message to a practice, or to a room of it, from the server itself. */
#include "client/ask.h"
#include "commands.h"
#include "terminal/exit_codes.h"
#include "terminal/view.h"

#include <errno.h>
#include <json-c/json.h>
#include <praxis/json.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX 65536 /* the server takes no more */

struct asked {
	struct px_ctl_target target;
	const char *practice;
	const char *type;
	const char *room;
	const char *data;
	const char *message;
	const char *key;
	const char *idempotency_key;
};

#define AT(member) offsetof(struct asked, member)

static const struct px_ctl_usage usage = {
	.command = "publish",
	.arguments = "--practice ID --type TYPE [options]",
	.about = "Publishes a message: whiteboard_update (with --data) to the practice, or\n"
			"telemedicine_chat_message (with --room and --message) to a room of it.\n"
			"Prints the number of recipients, and the message's seq, if it has one.\n",
	.options = (const struct px_ctl_option[]){
		{ 'p', "practice", "ID", AT(practice), "the practice" },
		{ 't', "type", "TYPE", AT(type), "the message's type" },
		{ 'R', "room", "ID", AT(room), "\"roomId\"" },
		{ 'd', "data", "JSON", AT(data), "\"data\"; \"-\": read from standard input" },
		{ 'm', "message", "TEXT", AT(message), "\"message\"; \"-\" likewise" },
		{ 'k', "key", "TEXT", AT(key), "\"key\": slow clients may get only the latest update\n"
				"with the same key" },
		{ 'i', "idempotency-key", "KEY", AT(idempotency_key),
				"publish once, even if repeated within five minutes" },
		{ 0, NULL, NULL, 0, NULL },
	},
};

/* All of standard input, without the line end at its end. The caller's; NULL: it was said why. */
static char *read_input(const struct px_ctl_target *target)
{
	char *text = calloc(1, INPUT_MAX + 2);
	size_t len = text ? fread(text, 1, INPUT_MAX + 1, stdin) : 0;
	if (!text || ferror(stdin) || len > INPUT_MAX) {
		px_ctl_say(target, "standard input: %s", len > INPUT_MAX ? "more than 64 KiB" :
				strerror(text ? errno : ENOMEM));
		free(text);
		return NULL;
	}
	if (len > 0 && text[len - 1] == '\n') {
		text[len - 1] = '\0';
	}
	return text;
}

static void add_id(struct px_json *json, const char *key, const char *text)
{
	struct px_span id = px_span(text);
	px_json_id(json, key, (struct px_id){ id, px_id_is_integer(id) });
}

static void write_message(const struct asked *asked, struct px_json *json)
{
	px_json_begin(json, asked->type);
	add_id(json, "practiceId", asked->practice);
	if (asked->room) {
		px_json_text(json, "roomId", asked->room);
	}
	if (asked->message) {
		px_json_text(json, "message", asked->message);
	}
	if (asked->key) {
		px_json_text(json, "key", asked->key);
	}
	if (asked->data) {
		px_json_raw(json, "data", px_span(asked->data));
	}
	px_json_end(json);
}

static int print(struct json_object *answer, const void *user)
{
	int64_t delivered = 0;
	int64_t seq;
	(void)user;
	(void)px_json_get_int(answer, "delivered", 0, INT64_MAX, &delivered);
	printf("sent to %lld client%s", (long long)delivered, delivered == 1 ? "" : "s");
	if (px_json_get_int(answer, "seq", 1, INT64_MAX, &seq)) {
		printf(", seq %lld", (long long)seq);
	}
	putchar('\n');
	return px_view_end();
}

static int check(const struct asked *asked)
{
	const char *wrong = !asked->practice ? "--practice is missing" :
			!asked->type ? "--type is missing" :
			asked->data && !px_json_is_value(px_span(asked->data)) ?
					"--data is not JSON (a string needs quotes of its own)" : NULL;
	if (wrong) {
		px_ctl_say(&asked->target, "%s", wrong);
	}
	return wrong ? PX_CTL_USAGE : 0;
}

static int publish(const struct asked *asked)
{
	struct px_ctl_path path;
	struct px_json json;
	int code = check(asked);
	if (code != 0) {
		return code;
	}
	write_message(asked, &json);
	px_ctl_path_begin(&path, "publish");
	code = px_ctl_ask_once(&asked->target, &(struct px_ctl_request){
		.path = &path,
		.body = { json.data, json.len },
		.idempotency_key = asked->idempotency_key,
	}, print, NULL);
	px_json_finish(&json);
	return code;
}

int px_ctl_publish(int argc, char **argv)
{
	struct asked asked = { .type = NULL };
	char *input = NULL;
	int first;
	int code = px_ctl_read_options(&usage, argc, argv, &asked, &first);
	if (code >= 0) {
		return code;
	}
	const char **piped = asked.data && strcmp(asked.data, "-") == 0 ? &asked.data :
			asked.message && strcmp(asked.message, "-") == 0 ? &asked.message : NULL;
	if (piped) {
		input = read_input(&asked.target);
		if (!input) {
			return PX_CTL_USAGE;
		}
		*piped = input;
	}
	code = publish(&asked);
	free(input);
	return code;
}

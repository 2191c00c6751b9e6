/* SPDX-License-Identifier: MIT */
/*
 * `praxisctl tail`: the headers of a practice's messages as they come and go. What they hold is not
 * in the answer, so there is nothing here that could show it.
 */
#include "client/client.h"
#include "commands.h"
#include "common/strict_json.h"
#include "terminal/exit_codes.h"
#include "terminal/plain.h"
#include "terminal/view.h"

#include <json-c/json.h>
#include <praxis/json.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN 100 /* no exit code: ask again */

struct tailing {
	struct px_ctl_target target;
	const char *practice;
	const char *service;
	const char *count;
	int64_t left; /* messages until it is over; 0: never */
	bool has_titles;
	bool has_begun;
	const struct px_ctl_client *client;
};

#define AT(member) offsetof(struct tailing, member)

static const struct px_ctl_usage usage = {
	.command = "tail",
	.arguments = "--practice ID [options]",
	.about = "Prints headers of a practice's messages as they arrive (in) and leave (out), without\n"
			"their contents: time, service, type, client or number of clients, bytes, error code.\n"
			"With --json each is one document on one line.\n",
	.options = (const struct px_ctl_option[]){
		{ 'p', "practice", "ID", AT(practice), "the practice" },
		{ 's', "service", "NAME", AT(service), "only messages of this service" },
		{ 'c', "count", "NUMBER", AT(count), "exit after this number of messages" },
		{ 0, NULL, NULL, 0, NULL },
	},
};

/* "08:45:11.845", local time. */
static void write_clock(int64_t ms, char buf[48])
{
	char text[32];
	px_view_time(ms, text);
	const char *space = strchr(text, ' ');
	(void)snprintf(buf, 48, "%s.%03d", space ? space + 1 : text, (int)(ms % 1000));
}

static void print_cell(struct json_object *object, const char *key, int width)
{
	struct json_object *value = NULL;
	(void)json_object_object_get_ex(object, key, &value);
	char *plain = px_plain(px_view_text(value));
	int columns = plain ? (int)px_plain_columns(plain) : 0;
	printf("  %s%*s", plain ? plain : "", columns < width ? width - columns : 0, "");
	free(plain);
}

/* The one client that sent or got it, or how many did. */
static void print_who(struct json_object *object)
{
	char text[48];
	int64_t receivers = 0;
	if (json_object_object_get_ex(object, "clientId", NULL)) {
		print_cell(object, "clientId", 17);
		return;
	}
	(void)px_json_get_int(object, "receivers", 0, INT64_MAX, &receivers);
	(void)snprintf(text, sizeof(text), "%lld client%s", (long long)receivers,
			receivers == 1 ? "" : "s");
	printf("  %-17s", text);
}

static void print_message(struct tailing *tailing, struct json_object *object, int64_t at_ms)
{
	char clock[48];
	int64_t bytes = 0;
	if (!tailing->has_titles) {
		tailing->has_titles = true;
		printf("%-12s  %-3s  %-12s  %-27s  %-17s  %6s\n", "TIME", "DIR", "SERVICE", "TYPE",
				"CLIENT", "BYTES");
	}
	write_clock(at_ms, clock);
	(void)px_json_get_int(object, "bytes", 0, INT64_MAX, &bytes);
	fputs(clock, stdout);
	print_cell(object, "direction", 3);
	print_cell(object, "service", 12);
	print_cell(object, "type", 27);
	print_who(object);
	printf("  %6lld", (long long)bytes);
	if (json_object_object_get_ex(object, "error", NULL)) {
		print_cell(object, "error", 0);
	}
	putchar('\n');
}

static int end(struct tailing *tailing, struct px_span reason)
{
	if (strcmp(reason.data, "reconfigured") == 0) {
		return AGAIN;
	}
	if (strcmp(reason.data, "token_expired") == 0) {
		if (px_ctl_client_is_minted(tailing->client)) {
			return AGAIN;
		}
		px_ctl_say(&tailing->target, "the token has expired");
		return PX_CTL_UNAUTHORISED;
	}
	px_ctl_say(&tailing->target, "the server is shutting down");
	return PX_CTL_UNREACHABLE;
}

/* -1: go on. Lines that say what time it is are for nobody to see. */
static int take(struct tailing *tailing, struct json_object *object, struct px_span line)
{
	struct px_span reason;
	int64_t missed = 0;
	int64_t at_ms = 0;
	bool message = json_object_object_get_ex(object, "direction", NULL);
	(void)px_json_get_int(object, "at", 0, INT64_MAX, &at_ms);
	if (px_json_get_text(object, "end", &reason)) {
		return end(tailing, reason);
	}
	if (!message && !px_json_get_int(object, "missed", 1, INT64_MAX, &missed)) {
		return -1;
	}
	if (tailing->target.json) {
		printf("%.*s\n", (int)line.len, line.data);
	} else if (message) {
		print_message(tailing, object, at_ms);
	} else {
		printf("%lld messages were omitted: too many at once\n", (long long)missed);
	}
	int code = px_view_end();
	return code != 0 ? code : message && --tailing->left == 0 ? PX_CTL_FINE : -1;
}

/* A practice may be silent for long: nobody is to wonder whether anything works. Once. */
static void on_begun(void *user)
{
	struct tailing *tailing = user;
	if (!tailing->has_begun) {
		tailing->has_begun = true;
		px_ctl_client_say(tailing->client, "connected, waiting for messages (Ctrl-C ends)");
	}
}

static int on_line(void *user, struct px_span line)
{
	struct tailing *tailing = user;
	struct json_object *object;
	if (px_strict_json_parse(line, &object) < 0) {
		px_ctl_say(&tailing->target, "the answer is malformed");
		return PX_CTL_NO;
	}
	int code = take(tailing, object, line);
	json_object_put(object);
	return code;
}

static int follow(struct tailing *tailing)
{
	struct px_span practice = px_span(tailing->practice);
	struct px_ctl_client *client;
	struct px_ctl_path path;
	struct px_json json;
	int code = px_ctl_client_open(&tailing->target, &client);
	if (code != 0) {
		return code;
	}
	tailing->client = client;
	px_ctl_path_begin(&path, "tail");
	px_json_begin(&json, NULL);
	px_json_id(&json, "practiceId", (struct px_id){ practice, px_id_is_integer(practice) });
	if (tailing->service) {
		px_json_text(&json, "service", tailing->service);
	}
	px_json_end(&json);
	code = px_ctl_client_follow(client, &(struct px_ctl_request){
		.path = &path,
		.body = { json.data, json.len },
	}, on_begun, on_line, tailing);
	px_json_finish(&json);
	px_ctl_client_close(client);
	return code;
}

int px_ctl_tail(int argc, char **argv)
{
	struct tailing tailing = { .left = 0 };
	int first;
	int code = px_ctl_read_options(&usage, argc, argv, &tailing, &first);
	if (code >= 0) {
		return code;
	}
	if (!tailing.practice) {
		px_ctl_say(&tailing.target, "--practice is missing");
		return PX_CTL_USAGE;
	}
	if (tailing.count && px_ctl_read_number(&tailing.target, "count", tailing.count, 1, INT64_MAX,
			&tailing.left) < 0) {
		return PX_CTL_USAGE;
	}
	do {
		code = follow(&tailing);
	} while (code == AGAIN);
	return code;
}

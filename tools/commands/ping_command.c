/* SPDX-License-Identifier: MIT */
/*
 * `praxisctl ping`: whether the server answers, and how fast. GET /health, on one connection: what
 * is measured is the way there and back and the server's loop, not the making of connections.
 */
#include "client/client.h"
#include "commands.h"
#include "terminal/exit_codes.h"
#include "terminal/view.h"

#include <praxis/json.h>
#include <time.h>

#define COUNT_MAX 1000000
#define INTERVAL_MS 200

struct asked {
	struct px_ctl_target target;
	const char *count;
	const char *interval;
};

#define AT(member) offsetof(struct asked, member)

static const struct px_ctl_usage usage = {
	.command = "ping",
	.arguments = "[options]",
	.about = "Sends requests to the server and measures how long the answers take. Needs no token.\n"
			"Exit code 0: all were answered; 1: not all, or none.\n",
	.options = (const struct px_ctl_option[]){
		{ 'c', "count", "NUMBER", AT(count), "number of requests (default 5)" },
		{ 'i', "interval", "SECONDS", AT(interval), "time between two requests (default 0.2)" },
		{ 0, NULL, NULL, 0, NULL },
	},
};

struct counts {
	int64_t sent;
	int64_t answered;
	double least_ms;
	double most_ms;
	double sum_ms;
};

static void note(struct counts *counts, double ms)
{
	counts->least_ms = counts->answered == 0 || ms < counts->least_ms ? ms : counts->least_ms;
	counts->most_ms = ms > counts->most_ms ? ms : counts->most_ms;
	counts->sum_ms += ms;
	counts->answered++;
}

static void ping_once(struct px_ctl_client *client, bool quiet, struct counts *counts)
{
	double ms;
	const char *why;
	counts->sent++;
	int rc = px_ctl_client_knock(client, "health", &ms, &why);
	if (rc == 0) {
		note(counts, ms);
	}
	if (rc == 0 && !quiet) {
		printf("%lld: %.3f ms\n", (long long)counts->sent, ms);
	} else if (rc < 0 && !quiet) {
		printf("%lld: %s\n", (long long)counts->sent, why);
	}
	(void)fflush(stdout);
}

static void rest(int64_t ms)
{
	const struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
	nanosleep(&time, NULL);
}

static void print(const struct counts *counts, bool json)
{
	double mean_ms = counts->answered > 0 ? counts->sum_ms / (double)counts->answered : 0;
	if (json) {
		printf("{\"sent\":%lld,\"answered\":%lld", (long long)counts->sent,
				(long long)counts->answered);
		if (counts->answered > 0) {
			printf(",\"minMs\":%.3f,\"avgMs\":%.3f,\"maxMs\":%.3f", counts->least_ms, mean_ms,
					counts->most_ms);
		}
		puts("}");
		return;
	}
	printf("%lld of %lld answered", (long long)counts->answered, (long long)counts->sent);
	if (counts->answered > 0) {
		printf("; min/avg/max %.3f/%.3f/%.3f ms", counts->least_ms, mean_ms, counts->most_ms);
	}
	putchar('\n');
}

static int read_numbers(const struct asked *asked, int64_t *count, int64_t *interval_ms)
{
	*count = 5;
	*interval_ms = INTERVAL_MS;
	if (asked->count && px_ctl_read_number(&asked->target, "count", asked->count, 1, COUNT_MAX,
			count) < 0) {
		return PX_CTL_USAGE;
	}
	if (asked->interval && px_ctl_read_seconds(&asked->target, "interval", asked->interval, 0,
			3600000, interval_ms) < 0) {
		return PX_CTL_USAGE;
	}
	return 0;
}

int px_ctl_ping(int argc, char **argv)
{
	struct asked asked = { .count = NULL };
	struct counts counts = { 0 };
	struct px_ctl_client *client;
	int64_t count;
	int64_t interval_ms;
	int first;
	int code = px_ctl_read_options(&usage, argc, argv, &asked, &first);
	if (code >= 0 || (code = read_numbers(&asked, &count, &interval_ms)) != 0 ||
			(code = px_ctl_client_open_public(&asked.target, &client)) != 0) {
		return code;
	}
	for (int64_t i = 0; i < count; i++) {
		if (i > 0) {
			rest(interval_ms);
		}
		ping_once(client, asked.target.json, &counts);
	}
	print(&counts, asked.target.json);
	px_ctl_client_close(client);
	code = px_view_end();
	return code != 0 ? code : counts.answered == counts.sent ? PX_CTL_FINE : PX_CTL_NO;
}

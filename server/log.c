/* SPDX-License-Identifier: MIT */
/* See log.h. The level is the one mutable global of the program: lws's emit has no user. */
#include "log.h"

#include <libwebsockets.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LWS_LINES_PER_SECOND 5

/* Of info and debug, which clients can cause at will. */
#define LINES_PER_SECOND 500

static int log_level = PX_LOG_NOTICE;

static const char *const level_names[] = {
	[PX_LOG_ERROR] = "error",
	[PX_LOG_WARNING] = "warning",
	[PX_LOG_NOTICE] = "notice",
	[PX_LOG_INFO] = "info",
	[PX_LOG_DEBUG] = "debug",
};

void px_log_set_level(int level)
{
	log_level = level;
}

/*
 * Whether a line that clients can cause may be written; what is left out is told when the next
 * second begins.
 */
static bool is_rationed(int level, time_t second)
{
	static time_t current;
	static unsigned lines;
	if (level <= PX_LOG_NOTICE) {
		return false;
	}
	if (second != current) {
		unsigned left_out = lines > LINES_PER_SECOND ? lines - LINES_PER_SECOND : 0;
		current = second;
		lines = 0;
		if (left_out > 0) {
			px_log(PX_LOG_NOTICE, "%u lines were left out of the log", left_out);
		}
	}
	return ++lines > LINES_PER_SECOND;
}

void px_log(int level, const char *format, ...)
{
	char line[1024];
	char date[32];
	struct timespec now;
	struct tm utc;
	va_list args;
	if (level > log_level) {
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	if (is_rationed(level, now.tv_sec)) {
		return;
	}
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	gmtime_r(&now.tv_sec, &utc);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
	fprintf(stderr, "%s.%03ldZ %s: %s\n", date, now.tv_nsec / 1000000, level_names[level], line);
}

/*
 * From 4.3 on lws begins a line with "[2026/01/31 23:59:59:1234] E: ", as its own output wants
 * it; ours has a time and a level already.
 */
static const char *skip_prefix(const char *text)
{
	size_t time_len = strspn(text + (text[0] == '['), "0123456789/: ");
	const char *at = text + 1 + time_len;
	if (text[0] != '[' || time_len < 19 || *at != ']') {
		return text;
	}
	at += strspn(at, "] ");
	return at[0] != '\0' && at[1] == ':' && at[2] == ' ' ? at + 3 : at;
}

void px_log_lws(int lws_level, const char *text)
{
	static time_t second;
	static unsigned lines;
	time_t now = time(NULL);
	if (now != second) {
		if (lines > LWS_LINES_PER_SECOND) {
			px_log(PX_LOG_INFO, "libwebsockets: %u more lines left out",
					lines - LWS_LINES_PER_SECOND);
		}
		second = now;
		lines = 0;
	}
	if (++lines > LWS_LINES_PER_SECOND) {
		return;
	}
	/* What lws calls an error is mostly a client's doing, and no concern of the operator. */
	int level = lws_level & (LLL_ERR | LLL_WARN) ? PX_LOG_INFO : PX_LOG_DEBUG;
	const char *words = skip_prefix(text);
	px_log(level, "libwebsockets: %.*s", (int)strcspn(words, "\n"), words);
}

int px_log_lws_levels(void)
{
	return log_level >= PX_LOG_INFO ? LLL_ERR | LLL_WARN : 0;
}

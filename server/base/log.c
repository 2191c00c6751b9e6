/* SPDX-License-Identifier: MIT */
/*
 * See log.h. Level and output are mutable globals of the program, since lws's emit function has no
 * user pointer.
 *
 * How to avoid blocking depends on stderr. A socket (journald's) is written with MSG_DONTWAIT. A
 * pipe or terminal is opened again, which gives a descriptor with flags of its own; if that is not
 * permitted (a pipe of another user), it is polled before each line, which works as long as nobody
 * else writes to it. A line is shorter than PIPE_BUF, so it is written whole or not at all.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define TEXT_SIZE 1024
#define LINE_SIZE (2 * TEXT_SIZE + 128) /* each byte escaped, with time, level and line ends */

#define LWS_LINES_PER_SECOND 5

/* Of levels info and debug, which clients can cause at will. */
#define LINES_PER_SECOND 500

enum output {
	OUTPUT_ASKED,   /* polled before each line */
	OUTPUT_SOCKET,
	OUTPUT_OF_OURS, /* opened by this process; nonblocking */
};

static int log_level = PX_LOG_NOTICE;
static enum px_log_format log_format = PX_LOG_TEXT;
static enum output output = OUTPUT_ASKED;
static int log_fd = STDERR_FILENO;
static bool is_torn; /* the last line has no line end */
static uint64_t dropped;
static uint64_t dropped_told;

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

void px_log_set_format(enum px_log_format format)
{
	log_format = format;
}

uint64_t px_log_dropped(void)
{
	return dropped;
}

/* ---- output ---- */

void px_log_open(void)
{
	struct stat about;
	int flags = fcntl(STDERR_FILENO, F_GETFL);
	if (flags < 0 || fstat(STDERR_FILENO, &about) < 0 || (flags & O_ACCMODE) == O_RDONLY) {
		return;
	}
	if (S_ISSOCK(about.st_mode)) {
		output = OUTPUT_SOCKET;
	} else if (S_ISFIFO(about.st_mode) || S_ISCHR(about.st_mode)) {
		int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
		if (fd >= 0) {
			output = OUTPUT_OF_OURS;
			log_fd = fd;
		}
	}
}

static ssize_t put(const char *text, size_t len)
{
	if (output == OUTPUT_SOCKET) {
		return send(log_fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	if (output == OUTPUT_ASKED) {
		struct pollfd fd = { .fd = log_fd, .events = POLLOUT };
		if (poll(&fd, 1, 0) != 1 || !(fd.revents & POLLOUT)) {
			errno = EAGAIN;
			return -1;
		}
	}
	return write(log_fd, text, len);
}

/* Writes a line with a line end before and behind it; the first one is for a torn line. */
static bool put_line(const char *line, size_t len)
{
	size_t skipped = is_torn ? 0 : 1;
	ssize_t n;
	do {
		n = put(line + skipped, len - skipped);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		is_torn = (size_t)n < len - skipped;
	}
	return n > 0 && !is_torn;
}

static int compose_text(int level, const char *date, const char *text, char line[LINE_SIZE])
{
	return snprintf(line, LINE_SIZE, "\n%s %s: %s\n", date, level_names[level], text);
}

/* journald adds the time. Priorities are those of syslog(3). */
static int compose_journald(int level, const char *text, char line[LINE_SIZE])
{
	static const int priorities[] = {
		[PX_LOG_ERROR] = LOG_ERR,
		[PX_LOG_WARNING] = LOG_WARNING,
		[PX_LOG_NOTICE] = LOG_NOTICE,
		[PX_LOG_INFO] = LOG_INFO,
		[PX_LOG_DEBUG] = LOG_DEBUG,
	};
	return snprintf(line, LINE_SIZE, "\n<%d>%s\n", priorities[level], text);
}

/* Escapes for a JSON string (RFC 8259). Bytes that are not text are omitted. */
static void escape(const char *text, char escaped[2 * TEXT_SIZE])
{
	bool is_text = px_span_is_text(px_span(text));
	size_t len = 0;
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;
		if (byte == '"' || byte == '\\') {
			escaped[len++] = '\\';
		}
		escaped[len++] = !is_text && (byte < 0x20 || byte > 0x7e) ? '?' : *text;
	}
	escaped[len] = '\0';
}

static int compose_json(int level, const char *date, const char *text, char line[LINE_SIZE])
{
	char escaped[2 * TEXT_SIZE];
	escape(text, escaped);
	return snprintf(line, LINE_SIZE, "\n{\"time\":\"%s\",\"level\":\"%s\",\"message\":\"%s\"}\n",
			date, level_names[level], escaped);
}

static int compose(int level, const char *date, const char *text, char line[LINE_SIZE])
{
	switch (log_format) {
	case PX_LOG_JSON:
		return compose_json(level, date, text, line);
	case PX_LOG_JOURNALD:
		return compose_journald(level, text, line);
	case PX_LOG_TEXT:
		break;
	}
	return compose_text(level, date, text, line);
}

static bool write_line(int level, const struct timespec *now, const char *text)
{
	char line[LINE_SIZE];
	char date[48];
	struct tm utc;
	gmtime_r(&now->tv_sec, &utc);
	size_t at = strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
	(void)snprintf(date + at, sizeof(date) - at, ".%03ldZ", now->tv_nsec / 1000000);
	int len = compose(level, date, text, line);
	return put_line(line, (size_t)len);
}

/* There may be room again: reports the lost lines first, or nothing. */
static bool tell_dropped(const struct timespec *now)
{
	char text[TEXT_SIZE];
	if (dropped == dropped_told) {
		return true;
	}
	(void)snprintf(text, sizeof(text), "%llu lines of the log were lost because they could not "
			"be written",
			(unsigned long long)(dropped - dropped_told));
	if (!write_line(PX_LOG_WARNING, now, text)) {
		return false;
	}
	dropped_told = dropped;
	return true;
}

/* ---- lines ---- */

/*
 * Whether a line that clients can cause may be written; the number of omitted lines is logged when
 * the next second begins.
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
			px_log(PX_LOG_NOTICE, "%u lines were omitted from the log", left_out);
		}
	}
	return ++lines > LINES_PER_SECOND;
}

void px_log(int level, const char *format, ...)
{
	char text[TEXT_SIZE];
	struct timespec now;
	va_list args;
	if (level > log_level) {
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	if (is_rationed(level, now.tv_sec)) {
		return;
	}
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!tell_dropped(&now) || !write_line(level, &now, text)) {
		dropped++;
	}
}

void px_log_plain(const char *format, ...)
{
	char line[LINE_SIZE] = "\n";
	va_list args;
	va_start(args, format);
	int len = vsnprintf(line + 1, TEXT_SIZE, format, args);
	va_end(args);
	len = len < TEXT_SIZE ? len : TEXT_SIZE - 1;
	line[1 + len] = '\n';
	if (len < 0 || !put_line(line, (size_t)len + 2)) {
		dropped++;
	}
}

/*
 * From 4.3 on, lws begins a line with "[2026/01/31 23:59:59:1234] E: "; time and level are added
 * here.
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
			px_log(PX_LOG_INFO, "libwebsockets: %u more lines omitted",
					lines - LWS_LINES_PER_SECOND);
		}
		second = now;
		lines = 0;
	}
	if (++lines > LWS_LINES_PER_SECOND) {
		return;
	}
	/* What lws calls an error is mostly caused by clients, and does not concern the operator. */
	int level = lws_level & (LLL_ERR | LLL_WARN) ? PX_LOG_INFO : PX_LOG_DEBUG;
	const char *words = skip_prefix(text);
	px_log(level, "libwebsockets: %.*s", (int)strcspn(words, "\n"), words);
}

int px_log_lws_levels(void)
{
	return log_level >= PX_LOG_INFO ? LLL_ERR | LLL_WARN : 0;
}

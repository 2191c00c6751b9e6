/* SPDX-License-Identifier: MIT */
/*
 * The log: one line for each event on stderr, where the container engine or systemd reads it. Time,
 * level, text, in one of three formats. Never a payload, a token or a name.
 *
 * Logging does not wait for a slow reader: a line that cannot be written at once is dropped and
 * counted, and the number is logged as soon as there is room again. (Rejected: a thread with a
 * queue: a stopped reader then only loses more lines. O_NONBLOCK on stderr itself, which is a flag
 * of a terminal or pipe that others share.) A file on a hanging disk does block, as every file
 * does.
 */
#ifndef PX_LOG_H
#define PX_LOG_H

#include <praxis/service.h>
#include <stdint.h>

/* From now on, lines go to the current stderr without blocking. */
void px_log_open(void);

/* Lines above this level are not written. Process-wide, like lws's log. */
void px_log_set_level(int level);

/* "log-format". */
enum px_log_format {
	PX_LOG_TEXT,     /* 2026-01-31T23:59:59.123Z warning: text */
	PX_LOG_JSON,     /* {"time":"…","level":"warning","message":"text"} */
	PX_LOG_JOURNALD, /* <4>text, as sd-daemon(3) has it: a priority and no time */
};

/* Process-wide, effective from the next line on. */
void px_log_set_format(enum px_log_format format);

void px_log(int level, const char *format, ...) PX_PRINTF(2, 3);

/* Writes a line without time and level: before the server starts. */
void px_log_plain(const char *format, ...) PX_PRINTF(1, 2);

/* Number of lines that could not be written. */
uint64_t px_log_dropped(void);

/*
 * Logs lws's lines, at most a few per second, since clients can cause them. `text` ends with a
 * newline.
 */
void px_log_lws(int lws_level, const char *text);

/* The levels for lws_set_log_level(). */
int px_log_lws_levels(void);

#endif

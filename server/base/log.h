/* SPDX-License-Identifier: MIT */
/*
 * The log: one line an event to stderr, where the container engine or systemd takes it.
 * Time, level, text, in one of three forms. Never a payload, a token or a name.
 *
 * Nobody waits for whoever reads it: a line that cannot be written at once is dropped and counted,
 * and how many that were is said as soon as there is room again. (Rejected: a thread that writes,
 * with a queue; a reader that has stopped has only more lines to lose then. And O_NONBLOCK on
 * stderr itself, which is a flag of the terminal or pipe that others share.) A file on a disk that
 * hangs is waited for, as for every file.
 */
#ifndef PX_LOG_H
#define PX_LOG_H

#include <praxis/service.h>
#include <stdint.h>

/* From here on lines go to what stderr is now. Without it to stderr, too, but see log.c. */
void px_log_open(void);

/* Lines above this level are not written. Process-wide, as lws's own log is. */
void px_log_set_level(int level);

/* "log-format": how a line is written. */
enum px_log_format {
	PX_LOG_TEXT,     /* 2026-01-31T23:59:59.123Z warning: text */
	PX_LOG_JSON,     /* {"time":"…","level":"warning","message":"text"} */
	PX_LOG_JOURNALD, /* <4>text, as sd-daemon(3) has it: a priority and no time */
};

/* Process-wide, from the next line on. */
void px_log_set_format(enum px_log_format format);

void px_log(int level, const char *format, ...) PX_PRINTF(2, 3);

/* A line as it is, without time and level: before there is a server. */
void px_log_plain(const char *format, ...) PX_PRINTF(1, 2);

/* Lines that could not be written, ever. */
uint64_t px_log_dropped(void);

/*
 * lws's lines, at most a few a second: clients can cause them at will. `text` ends in a
 * newline.
 */
void px_log_lws(int lws_level, const char *text);

/* The levels to give to lws_set_log_level(). */
int px_log_lws_levels(void);

#endif

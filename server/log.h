/* SPDX-License-Identifier: MIT */
/*
 * The log: one line an event to stderr, where the container engine or systemd takes it.
 * Time, level, text. Never a payload, a token or a name.
 */
#ifndef PX_LOG_H
#define PX_LOG_H

#include <praxis/service.h>

/* Lines above this level are not written. Process-wide, as lws's own log is. */
void px_log_set_level(int level);

void px_log(int level, const char *format, ...) PX_PRINTF(2, 3);

/*
 * lws's lines, at most a few a second: clients can cause them at will. `text` ends in a
 * newline.
 */
void px_log_lws(int lws_level, const char *text);

/* The levels to give to lws_set_log_level(). */
int px_log_lws_levels(void);

#endif

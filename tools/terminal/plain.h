/* SPDX-License-Identifier: MIT */
/*
 * Texts of strangers on an operator's terminal: what would move the cursor, change colours,
 * turn the direction of writing or begin a new line is shown, and not done.
 */
#ifndef PX_TOOLS_PLAIN_H
#define PX_TOOLS_PLAIN_H

#include <praxis/types.h>

/*
 * The text with control characters as \x1b, invisible and direction-turning ones as \u202e, and
 * bytes that are no UTF-8 as \xff; a backslash is \\. The caller's (free); NULL without memory.
 */
char *px_plain(struct px_span text);

/* How many columns of a terminal it takes up, what px_plain() made or another clean text. */
size_t px_plain_columns(const char *text);

#endif

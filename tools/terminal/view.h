/* SPDX-License-Identifier: MIT */
/* The server's JSON as cells of a table. */
#ifndef PX_TOOLS_VIEW_H
#define PX_TOOLS_VIEW_H

#include "grid.h"

struct json_object;

/* What stands where there is nothing. */
#define PX_VIEW_NONE "-"

/* A member as it is: a text, a number with all of its digits, an array of these with commas. */
void px_view_add(struct px_grid *grid, struct json_object *object, const char *key);

/* A member that is milliseconds since 1970, as the local time. */
void px_view_add_time(struct px_grid *grid, struct json_object *object, const char *key);

/* The text of a value that is neither object nor array; lives as long as it. */
struct px_span px_view_text(struct json_object *value);

/* "3 d 4 h", "12 min", "5 s": the two largest units of a duration. */
void px_view_duration(int64_t ms, char buf[32]);

/* "2026-11-23 08:21:48" in local time. */
void px_view_time(int64_t ms, char buf[32]);

/* Prints the grid, or where it is empty `nothing` on standard error; the exit code. */
int px_view_print(const struct px_grid *grid, const char *nothing);

/* Prints an object as one line; the exit code. */
int px_view_print_json(struct json_object *object);

/* Flushes what was printed; the exit code. */
int px_view_end(void);

#endif

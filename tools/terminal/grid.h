/* SPDX-License-Identifier: MIT */
/* Tables for people: columns as wide as what is in them, texts made harmless (plain.h). */
#ifndef PX_TOOLS_GRID_H
#define PX_TOOLS_GRID_H

#include <praxis/types.h>
#include <stdio.h>

struct px_grid;

struct px_grid_column {
	const char *title; /* NULL in the first: there is no line of titles */
	bool right;        /* numbers stand at the right */
};

/* NULL without memory. `columns` must outlive it. */
struct px_grid *px_grid_create(const struct px_grid_column *columns, size_t count);
void px_grid_destroy(struct px_grid *grid);

/* The next cell, row by row. Without memory: remembered, and told by px_grid_print(). */
void px_grid_add(struct px_grid *grid, struct px_span text);

size_t px_grid_rows(const struct px_grid *grid);

/* Two spaces between columns, none at the ends of lines. -ENOMEM: a cell is missing. */
int px_grid_print(const struct px_grid *grid, FILE *out);

#endif

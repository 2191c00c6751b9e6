/* SPDX-License-Identifier: MIT */
/* See grid.h. */
#include "grid.h"
#include "plain.h"

#include <errno.h>
#include <stdlib.h>

#define COLUMNS_MAX 16

struct px_grid {
	const struct px_grid_column *columns;
	size_t column_count;
	size_t widths[COLUMNS_MAX];
	char **cells;
	size_t count;
	size_t size;
	bool failed;
};

struct px_grid *px_grid_create(const struct px_grid_column *columns, size_t count)
{
	struct px_grid *grid = count > 0 && count <= COLUMNS_MAX ? calloc(1, sizeof(*grid)) : NULL;
	if (!grid) {
		return NULL;
	}
	grid->columns = columns;
	grid->column_count = count;
	for (size_t i = 0; i < count && columns[0].title; i++) {
		grid->widths[i] = px_plain_columns(columns[i].title);
	}
	return grid;
}

void px_grid_destroy(struct px_grid *grid)
{
	if (!grid) {
		return;
	}
	for (size_t i = 0; i < grid->count; i++) {
		free(grid->cells[i]);
	}
	free(grid->cells);
	free(grid);
}

void px_grid_add(struct px_grid *grid, struct px_span text)
{
	if (grid->count == grid->size) {
		size_t size = grid->size > 0 ? 2 * grid->size : 64;
		char **cells = realloc(grid->cells, size * sizeof(*cells));
		if (!cells) {
			grid->failed = true;
			return;
		}
		grid->cells = cells;
		grid->size = size;
	}
	char *plain = px_plain(text);
	if (!plain) {
		grid->failed = true;
		return;
	}
	size_t *width = &grid->widths[grid->count % grid->column_count];
	size_t columns = px_plain_columns(plain);
	*width = columns > *width ? columns : *width;
	grid->cells[grid->count++] = plain;
}

size_t px_grid_rows(const struct px_grid *grid)
{
	return grid->count / grid->column_count;
}

static void print_cell(const struct px_grid *grid, size_t column, const char *text, FILE *out)
{
	bool last = column + 1 == grid->column_count;
	int pad = (int)(grid->widths[column] - px_plain_columns(text));
	if (grid->columns[column].right) {
		fprintf(out, "%*s%s", pad, "", text);
	} else {
		fprintf(out, "%s%*s", text, last ? 0 : pad, "");
	}
	fputs(last ? "\n" : "  ", out);
}

int px_grid_print(const struct px_grid *grid, FILE *out)
{
	for (size_t i = 0; i < grid->column_count && grid->columns[0].title; i++) {
		print_cell(grid, i, grid->columns[i].title, out);
	}
	for (size_t i = 0; i < grid->count; i++) {
		print_cell(grid, i % grid->column_count, grid->cells[i], out);
	}
	return grid->failed ? -ENOMEM : 0;
}

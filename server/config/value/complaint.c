/* SPDX-License-Identifier: MIT */
/* What is wrong, said with the place; and arrays, whose growing is all that can fail otherwise. */
#include "reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *px_config_grow(void *array, size_t count, size_t size)
{
	char *grown = realloc(array, (count + 1) * size);
	if (grown) {
		memset(grown + count * size, 0, size);
	}
	return grown;
}

/* Keys and names of files come as they are: no line of the log may end where they want. */
static void make_printable(char *text)
{
	size_t at;
	while (!px_config_text_ok(text, strlen(text), &at)) {
		text[at] = '?';
	}
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f) {
			*text = '?';
		}
	}
}

void px_config_complain(struct px_config_reporter *reporter, enum px_config_level level,
		const struct px_config_file *file, unsigned line, const char *format, ...)
{
	if (level == PX_CONFIG_ERROR && ++reporter->error_count > PX_CONFIG_ERRORS_MAX) {
		return;
	}
	char text[2048];
	size_t used = 0;
	if (file && line > 0) {
		used = (size_t)snprintf(text, sizeof(text), "%.512s:%u: ", file->name, line);
	} else if (file) {
		used = (size_t)snprintf(text, sizeof(text), "%.512s: ", file->name);
	}
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text + used, sizeof(text) - used, format, args);
	va_end(args);
	make_printable(text);
	reporter->sink->on_complaint(reporter->sink->user, level, text);
}

void px_config_complain_end(struct px_config_reporter *reporter)
{
	if (reporter->error_count > PX_CONFIG_ERRORS_MAX) {
		char text[64];
		(void)snprintf(text, sizeof(text), "%u more errors are not shown",
				reporter->error_count - PX_CONFIG_ERRORS_MAX);
		reporter->sink->on_complaint(reporter->sink->user, PX_CONFIG_ERROR, text);
	}
}

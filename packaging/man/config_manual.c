/* SPDX-License-Identifier: MIT */
/*
 * Prints the manual page praxis.json(5): a template on standard input, in which a line "@table
 * NAME" stands for the options of that object ("file": what a file holds). They come from the
 * tables that the server itself checks with, so that the page cannot say anything else.
 */
#include "server/config/config.h"

#include <praxis/option.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 1024
#define MARK "@table "

/* Text for roff: a backslash, and a dot or quote that would begin a request. */
static void put_text(const char *text)
{
	if (*text == '.' || *text == '\'') {
		fputs("\\&", stdout);
	}
	for (; *text; text++) {
		if (*text == '\\') {
			fputs("\\e", stdout);
		} else {
			putchar(*text);
		}
	}
}

static void put_range(const struct px_option *option)
{
	if (option->min != 0 || option->max != 0) {
		printf(" of %lld to %lld", (long long)option->min, (long long)option->max);
	}
}

static void put_type(const struct px_option *option)
{
	switch (option->type) {
	case PX_OPTION_STRING:
		fputs(option->choices ? "one of " : "string", stdout);
		for (const char *p = option->choices; p && *p; p++) {
			fputs(*p == '|' ? ", " : (const char[]){ *p, '\0' }, stdout);
		}
		break;
	case PX_OPTION_INT:
		fputs("number", stdout);
		put_range(option);
		break;
	case PX_OPTION_BOOL:
		fputs("true or false", stdout);
		break;
	case PX_OPTION_JSON:
		fputs("JSON", stdout);
		break;
	}
}

static void put_option(const struct px_option *option)
{
	printf(".It Cm %s\n", option->key);
	put_text(option->help ? option->help : "");
	fputs(".\n(", stdout);
	put_type(option);
	if (option->fallback) {
		fputs("; default: ", stdout);
		put_text(option->fallback);
	}
	fputs(")\n", stdout);
}

static int put_table(const char *name)
{
	const struct px_option *option = px_config_table(strcmp(name, "file") == 0 ? "" : name);
	if (!option) {
		fprintf(stderr, "there is no table \"%s\"\n", name);
		return EXIT_FAILURE;
	}
	puts(".Bl -tag -width indent");
	for (; option->key; option++) {
		put_option(option);
	}
	puts(".El");
	return EXIT_SUCCESS;
}

int main(void)
{
	char line[LINE_SIZE];
	int code = EXIT_SUCCESS;
	while (code == EXIT_SUCCESS && fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, MARK, strlen(MARK)) == 0) {
			code = put_table(line + strlen(MARK));
		} else {
			puts(line);
		}
	}
	return code == EXIT_SUCCESS && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

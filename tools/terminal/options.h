/* SPDX-License-Identifier: MIT */
/*
 * Command lines as tables: one table says what a command takes, and the reading, the help and
 * (through the help) the completion of the shell follow from it.
 */
#ifndef PX_TOOLS_OPTIONS_H
#define PX_TOOLS_OPTIONS_H

#include <praxis/types.h>

/* What every command that speaks to a server can be told. Texts are argv's. */
struct px_ctl_target {
	const char *command; /* for complaints */
	const char *url;
	const char *token_file;
	const char *secret_file;
	const char *kid;
	const char *tenant;
	const char *issuer;
	const char *audience;
	const char *cacert;
	const char *timeout;
	int64_t timeout_ms;
	bool insecure;
	bool json;
};

struct px_ctl_option {
	char letter;       /* 0: only the word */
	const char *word;  /* NULL: the table's end */
	const char *value; /* what the help calls it; NULL: a flag, and the place is a bool */
	size_t at;         /* offset of the place, a const char * that is NULL before */
	const char *help;
};

struct px_ctl_usage {
	const char *command;
	const char *arguments; /* "[options] NAME" */
	const char *about;     /* lines of the help */
	const struct px_ctl_option *options;
	int arguments_min;
	int arguments_max;
};

/*
 * Reads the options into `values`, a struct of the command's that begins with its px_ctl_target.
 * -1: go on, with the arguments from argv[*ret_first] on; else the exit code, and all was said.
 */
int px_ctl_read_options(const struct px_ctl_usage *usage, int argc, char **argv, void *values,
		int *ret_first);

/* Says on standard error what is wrong, with the command's name before it. */
PX_PRINTF(2, 3)
void px_ctl_say(const struct px_ctl_target *target, const char *format, ...);

/* A whole number within bounds; -1: it is not, which was said. */
int px_ctl_read_number(const struct px_ctl_target *target, const char *word, const char *text,
		int64_t min, int64_t max, int64_t *ret_value);

/* Seconds, with a fraction if need be ("0.2"), as milliseconds; as above. */
int px_ctl_read_seconds(const struct px_ctl_target *target, const char *word, const char *text,
		int64_t min_ms, int64_t max_ms, int64_t *ret_ms);

#endif

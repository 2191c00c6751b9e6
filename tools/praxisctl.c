/* SPDX-License-Identifier: MIT */
/*
 * praxisctl: what operators do beside a running praxisd. One program with a table of commands,
 * not a program for each: there is one name to remember, and one `--help` that shows what
 * there is. A command is a row here and a function that takes its own options.
 */
#include "commands/commands.h"
#include "common/standard_fds.h"
#include "terminal/exit_codes.h"
#include "version.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct command {
	const char *group; /* NULL: the command is one word */
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv); /* argv[0] is the name; returns the exit code */
};

static const struct command commands[] = {
	{ "audit", "verify", "verify that an audit log was not changed", px_ctl_audit_verify },
	{ NULL, "clients", "list clients", px_ctl_clients },
	{ NULL, "disable", "disable a service", px_ctl_disable },
	{ NULL, "disconnect", "end the sessions of a client, a user or a practice", px_ctl_disconnect },
	{ NULL, "enable", "enable a service", px_ctl_enable },
	{ NULL, "locks", "list locked addresses", px_ctl_locks },
	{ NULL, "ping", "measure response times of the server", px_ctl_ping },
	{ "plugin", "check", "print what the file of a service is, and errors in it",
		px_ctl_plugin_check },
	{ NULL, "publish", "send a message to a practice or a room", px_ctl_publish },
	{ NULL, "rooms", "list rooms and their members", px_ctl_rooms },
	{ NULL, "services", "list services", px_ctl_services },
	{ NULL, "stats", "print statistics of the server", px_ctl_stats },
	{ NULL, "tail", "print headers of messages as they arrive and leave", px_ctl_tail },
	{ NULL, "token", "make a token, for development and for operators", px_ctl_token },
	{ NULL, "unlock", "unlock an address", px_ctl_unlock },
};

static void print_help(FILE *out)
{
	fputs("praxisctl " PX_VERSION ": tools for those who run praxisd\n"
			"\n"
			"Usage: praxisctl COMMAND [options]\n"
			"\n", out);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *command = &commands[i];
		int width = 16 - (command->group ? (int)strlen(command->group) + 1 : 0);
		fprintf(out, "  %s%s%-*s %s\n", command->group ? command->group : "",
				command->group ? " " : "", width, command->name, command->summary);
	}
	fputs("\n"
			"  -V, --version    print the version\n"
			"  -h, --help       print this; after a command: its options\n"
			"  help COMMAND     the same\n", out);
}

/* Looks up the command that argv begins with; *ret_words are the words of its name. */
static const struct command *find(int argc, char **argv, int *ret_words)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *command = &commands[i];
		int words = command->group ? 2 : 1;
		if (argc >= words && strcmp(argv[words - 1], command->name) == 0 &&
				(!command->group || strcmp(argv[0], command->group) == 0)) {
			*ret_words = words;
			return command;
		}
	}
	return NULL;
}

static bool is_option(const char *text, const char *letter, const char *word)
{
	return strcmp(text, letter) == 0 || strcmp(text, word) == 0;
}

static const struct command *find_or_say(int argc, char **argv, int *ret_words)
{
	const struct command *command = find(argc, argv, ret_words);
	if (!command) {
		fprintf(stderr, "praxisctl: there is no command \"%s%s%s\"; try praxisctl --help\n",
				argv[0], argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
	}
	return command;
}

/* `praxisctl help COMMAND`: as the command would say it itself. */
static int help(int argc, char **argv)
{
	char word[] = "--help";
	int words;
	if (argc == 0) {
		print_help(stdout);
		return PX_CTL_FINE;
	}
	const struct command *command = find_or_say(argc, argv, &words);
	if (!command) {
		return PX_CTL_USAGE;
	}
	char *arguments[] = { argv[words - 1], word, NULL };
	return command->run(2, arguments);
}

int main(int argc, char **argv)
{
	int words;
	if (px_standard_fds_open() < 0) {
		return PX_CTL_NO;
	}
	if (argc < 2) {
		print_help(stderr);
		return PX_CTL_USAGE;
	}
	if (is_option(argv[1], "-h", "--help") || strcmp(argv[1], "help") == 0) {
		return help(argv[1][0] == '-' ? 0 : argc - 2, argv + 2);
	}
	if (is_option(argv[1], "-V", "--version")) {
		puts("praxisctl " PX_VERSION);
		return PX_CTL_FINE;
	}
	const struct command *command = find_or_say(argc - 1, argv + 1, &words);
	return command ? command->run(argc - words, argv + words) : PX_CTL_USAGE;
}

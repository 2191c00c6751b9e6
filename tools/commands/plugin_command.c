/* SPDX-License-Identifier: MIT */
/*
 * `praxisctl plugin check`: what the file of a service is. Only praxisd can say so, since only it
 * has what loads services, so this runs it with --check-plugin. Rejected: the loader in here, with
 * libwebsockets and libpraxis behind it, for one command; praxisctl also runs where neither is.
 */
#include "commands.h"
#include "terminal/exit_codes.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SERVER "praxisd"

static const char help[] =
		"Usage: praxisctl plugin check [options] FILE\n"
		"\n"
		"Prints what the file of a service (praxis_svc_NAME.so) is, and errors in it: what a server\n"
		"would report when loading it. The file is loaded, and its constructors run: check only what\n"
		"you would run yourself. praxisd does it, the one beside praxisctl or else in PATH.\n"
		"\n"
		"  -c, --config PATH  configuration of a server: one of its services may have a prefix that\n"
		"                     the file wants\n"
		"  -h, --help         print this\n"
		"\n"
		"Exit codes: 0 the file is valid; 2 it is not, or the command line is invalid.\n";

struct arguments {
	char *config;
	char *file;
};

/* -1: go on; else the exit code. */
static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;
	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			arguments->config = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return PX_CTL_FINE;
		default:
			fputs("Try praxisctl plugin check --help.\n", stderr);
			return PX_CTL_USAGE;
		}
	}
	if (argc - optind != 1) {
		fprintf(stderr, "praxisctl plugin check: %s; try --help\n",
				optind == argc ? "no file is given" : "more than one file is given");
		return PX_CTL_USAGE;
	}
	arguments->file = argv[optind];
	return -1;
}

/* praxisd in the directory of this program; false: there is none. */
static bool find_beside(char path[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);
	if (len <= 0) {
		return false;
	}
	path[len] = '\0';
	char *base = strrchr(path, '/') + 1;
	if (base + sizeof(SERVER) > path + PATH_MAX) {
		return false;
	}
	memcpy(base, SERVER, sizeof(SERVER));
	return access(path, X_OK) == 0;
}

int px_ctl_plugin_check(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	char path[PATH_MAX];
	char name[] = SERVER;
	char check[] = "--check-plugin";
	char config[] = "--config";
	int code = read_arguments(argc, argv, &arguments);
	if (code >= 0) {
		return code;
	}
	char *words[] = { name, check, arguments.file, arguments.config ? config : NULL,
		arguments.config, NULL };
	if (find_beside(path)) {
		(void)execv(path, words);
	} else {
		(void)execvp(name, words);
	}
	fprintf(stderr, "praxisctl plugin check: " SERVER " cannot be run (searched beside praxisctl "
			"and in PATH): %s\n", strerror(errno));
	return PX_CTL_USAGE;
}

/* SPDX-License-Identifier: MIT */
/*
 * The command line of `praxisctl token`. The token goes to standard output, alone on its line,
 * so that it can stand in $(…); what is to be said about it goes to standard error.
 */
#include "client/secret.h"
#include "client/token.h"
#include "commands.h"
#include "terminal/exit_codes.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IDS_MAX 256
#define WEAK_BYTES 32 /* RFC 7518 section 3.2: not less than the hash */

static const char help[] =
		"Usage: praxisctl token --user ID --role ROLE [options]\n"
		"\n"
		"Prints a token (JWT, HS256), for development and for operators.\n"
		"\n"
		"  -u, --user ID           \"sub\"\n"
		"  -r, --role ROLE         staff, patient, service or admin\n"
		"  -p, --practice ID       may be given several times\n"
		"  -R, --room ID           only these rooms may be joined; may be given several times\n"
		"  -t, --ttl TIME          90s, 30m, 8h, 7d (default 1h), or \"never\"\n"
		"  -n, --name NAME         shown to others\n"
		"  -T, --tenant TENANT     tenant (default: the vhost's)\n"
		"  -i, --issuer TEXT       \"iss\"\n"
		"  -a, --audience TEXT     \"aud\"\n"
		"  -k, --kid ID            name of the secret\n"
		"  -s, --secret-file FILE  secret of praxisd (default: PRAXIS_TOKEN_SECRET, or the\n"
		"                          file named by PRAXIS_TOKEN_SECRET_FILE or\n"
		"                          PRAXIS_SECRET_FILE)\n"
		"  -h, --help              print this\n"
		"\n"
		"Exit codes: 0 success, 2 invalid options or secret.\n";

struct arguments {
	struct px_mint mint;
	const char *secret_file;
	const char *practices[IDS_MAX];
	const char *rooms[IDS_MAX];
	bool help;
};

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "praxisctl token: %s: %s\n", what, why);
	return PX_CTL_USAGE;
}

static int add_id(const char **ids, size_t *count, const char *id)
{
	if (*count == IDS_MAX) {
		return complain(id, "too many");
	}
	ids[(*count)++] = id;
	return 0;
}

static int take_ttl(struct px_mint *mint, const char *text)
{
	if (strcmp(text, "never") == 0) {
		mint->ttl_s = 0;
		return 0;
	}
	return px_mint_parse_ttl(text, &mint->ttl_s) < 0 ?
			complain(text, "expected a time like 90s, 30m, 8h or 7d, or \"never\"") : 0;
}

/* The options that are a text each. */
static const char **text_of(struct arguments *arguments, int option)
{
	switch (option) {
	case 'u': return &arguments->mint.user;
	case 'r': return &arguments->mint.role;
	case 'n': return &arguments->mint.name;
	case 'T': return &arguments->mint.tenant;
	case 'i': return &arguments->mint.issuer;
	case 'a': return &arguments->mint.audience;
	case 'k': return &arguments->mint.kid;
	case 's': return &arguments->secret_file;
	default: return NULL;
	}
}

static int take(struct arguments *arguments, int option, const char *text)
{
	const char **place = text_of(arguments, option);
	if (place) {
		*place = text;
		return 0;
	}
	switch (option) {
	case 'p':
		return add_id(arguments->practices, &arguments->mint.practice_count, text);
	case 'R':
		return add_id(arguments->rooms, &arguments->mint.room_count, text);
	case 't':
		return take_ttl(&arguments->mint, text);
	case 'h':
		arguments->help = true;
		return 0;
	default:
		fputs("Try praxisctl token --help.\n", stderr);
		return PX_CTL_USAGE;
	}
}

static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const struct option words[] = {
		{ "user", required_argument, NULL, 'u' },
		{ "role", required_argument, NULL, 'r' },
		{ "practice", required_argument, NULL, 'p' },
		{ "room", required_argument, NULL, 'R' },
		{ "ttl", required_argument, NULL, 't' },
		{ "name", required_argument, NULL, 'n' },
		{ "tenant", required_argument, NULL, 'T' },
		{ "issuer", required_argument, NULL, 'i' },
		{ "audience", required_argument, NULL, 'a' },
		{ "kid", required_argument, NULL, 'k' },
		{ "secret-file", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	static const char letters[] = "u:r:p:R:t:n:T:i:a:k:s:h";
	int rc = 0;
	int option;
	arguments->mint.ttl_s = 3600;
	while (rc == 0 && !arguments->help &&
			(option = getopt_long(argc, argv, letters, words, NULL)) != -1) {
		rc = take(arguments, option, optarg);
	}
	if (rc == 0 && !arguments->help && optind < argc) {
		rc = complain(argv[optind], "unexpected argument");
	}
	return rc;
}

static int find_secret(const char *wanted, struct px_span *ret_secret)
{
	const char *path;
	int rc = px_secret_find(wanted, ret_secret, &path);
	if (rc == -ENOENT && !path) {
		return complain("no secret", "give it with " PX_SECRET_PLACES);
	}
	if (rc < 0) {
		return complain(path ? path : "the secret",
				rc == -ENODATA ? "it contains no secret" : strerror(-rc));
	}
	return 0;
}

static int print_token(const struct px_mint *mint)
{
	char *token = NULL;
	const char *wrong = "";
	if (mint->secret.len < WEAK_BYTES) {
		fputs("praxisctl token: warning: a secret of under 32 bytes can be guessed\n",
				stderr);
	}
	if (mint->ttl_s == 0) {
		fputs("praxisctl token: warning: this token never expires\n", stderr);
	}
	int rc = px_mint_token(mint, &token, &wrong);
	if (rc < 0) {
		return rc == -EINVAL ? complain(wrong, "missing or invalid") :
				complain("cannot make the token", strerror(-rc));
	}
	puts(token);
	free(token);
	return fflush(stdout) == 0 ? PX_CTL_FINE : complain("standard output", strerror(errno));
}

int px_ctl_token(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	int rc = read_arguments(argc, argv, &arguments);
	if (rc != 0) {
		return rc;
	}
	if (arguments.help) {
		fputs(help, stdout);
		return PX_CTL_FINE;
	}
	arguments.mint.practices = arguments.practices;
	arguments.mint.rooms = arguments.rooms;
	arguments.mint.now_s = (int64_t)time(NULL);
	rc = find_secret(arguments.secret_file, &arguments.mint.secret);
	rc = rc != 0 ? rc : print_token(&arguments.mint);
	px_secret_free(arguments.mint.secret);
	return rc;
}

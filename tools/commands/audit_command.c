/* SPDX-License-Identifier: MIT */
/*
 * The command line of `praxisctl audit verify`: options, key files, and the files in their
 * order. Decompressing is left to zcat and a pipe; "-" is standard input.
 */
#include "audit_verify.h"
#include "client/secret.h"
#include "commands.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
		"Usage: praxisctl audit verify [options] FILE...\n"
		"\n"
		"Verifies the files of an audit log, oldest first, as one chain. Prints the first line\n"
		"that was changed, removed, inserted or moved. \"-\" is standard input:\n"
		"  zcat audit.jsonl.2.gz audit.jsonl.1.gz | praxisctl audit verify - audit.jsonl\n"
		"\n"
		"  -k, --key-file FILE     key of the log; repeat it for several keys\n"
		"  -e, --expect-head HASH  the last line must have this hash; detects truncation\n"
		"  -c, --contains HASH     some line must have it; the same for a log that continues\n"
		"  -a, --after HASH        the first line must follow the one with this hash\n"
		"  -g, --no-gaps           gaps that the log itself reports count as faults, too\n"
		"  -h, --help              print this\n"
		"\n"
		"Exit codes: 0 the chain is complete; 1 it is broken; 2 it could not be read, or not\n"
		"with these keys.\n";

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "praxisctl audit verify: %s: %s\n", what, why);
	return PX_AUDIT_UNKNOWN;
}

static int add_key(struct px_audit_verify_options *options, const char *path)
{
	if (options->key_count == PX_AUDIT_VERIFY_KEYS_MAX) {
		return complain(path, "too many keys");
	}
	int rc = px_secret_read(path, &options->keys[options->key_count]);
	if (rc < 0) {
		return complain(path, rc == -ENODATA ? "it contains no key" : strerror(-rc));
	}
	options->key_count++;
	return 0;
}

static int take_hash(const char **ret_hash, const char *text)
{
	bool fine = strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
	if (!fine) {
		return complain(text, "a hash has 64 digits of 0 to 9 and a to f");
	}
	*ret_hash = text;
	return 0;
}

/* -1: go on; else the exit code. */
static int read_options(int argc, char **argv, struct px_audit_verify_options *options)
{
	static const struct option words[] = {
		{ "key-file", required_argument, NULL, 'k' },
		{ "expect-head", required_argument, NULL, 'e' },
		{ "contains", required_argument, NULL, 'c' },
		{ "after", required_argument, NULL, 'a' },
		{ "no-gaps", no_argument, NULL, 'g' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;
	int rc = 0;
	while (rc == 0 && (option = getopt_long(argc, argv, "k:e:c:a:gh", words, NULL)) != -1) {
		switch (option) {
		case 'k':
			rc = add_key(options, optarg);
			break;
		case 'e':
			rc = take_hash(&options->expect_head, optarg);
			break;
		case 'c':
			rc = take_hash(&options->contains, optarg);
			break;
		case 'a':
			rc = take_hash(&options->after, optarg);
			break;
		case 'g':
			options->no_gaps = true;
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		default:
			fputs("Try praxisctl audit verify --help.\n", stderr);
			return PX_AUDIT_UNKNOWN;
		}
	}
	if (rc == 0 && optind == argc) {
		rc = complain("no files", "try --help");
	}
	return rc == 0 ? -1 : rc;
}

static int read_file(struct px_audit_verify *verify, const char *path)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(path, "re");
	if (!file) {
		return complain(path, strerror(errno));
	}
	int code = px_audit_verify_read(verify, file, is_stdin ? "(standard input)" : path);
	if (!is_stdin) {
		(void)fclose(file);
	}
	return code;
}

static int verify_files(const struct px_audit_verify_options *options, int count, char **paths)
{
	struct px_audit_verify *verify;
	int rc = px_audit_verify_create(options, stdout, &verify);
	if (rc < 0) {
		return complain("cannot begin", strerror(-rc));
	}
	int code = PX_AUDIT_GOOD;
	for (int i = 0; i < count && code == PX_AUDIT_GOOD; i++) {
		code = read_file(verify, paths[i]);
	}
	code = code == PX_AUDIT_GOOD ? px_audit_verify_end(verify) : code;
	px_audit_verify_destroy(verify);
	if (fflush(stdout) != 0) {
		return complain("standard output", strerror(errno));
	}
	return code;
}

int px_ctl_audit_verify(int argc, char **argv)
{
	struct px_audit_verify_options options = { 0 };
	int code = read_options(argc, argv, &options);
	if (code == -1) {
		code = verify_files(&options, argc - optind, argv + optind);
	}
	for (size_t i = 0; i < options.key_count; i++) {
		px_secret_free(options.keys[i]);
	}
	return code;
}

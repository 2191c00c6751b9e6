/* SPDX-License-Identifier: MIT */
/* See options.h. The reading itself is getopt_long()'s. */
#include "options.h"
#include "exit_codes.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX 32
#define WORD_FIRST 256 /* options are numbered from here, whether they have a letter or not */
#define TIMEOUT_MS 10000
#define TIMEOUT_MAX_MS 3600000

#define AT(member) offsetof(struct px_ctl_target, member)

static const struct px_ctl_option common[] = {
	{ 'j', "json", NULL, AT(json), "print the server's answer as JSON" },
	{ 0, "url", "URL", AT(url), "server (default: PRAXIS_URL, or\n"
			"http://127.0.0.1:9002; PRAXIS_PORT: another port)" },
	{ 0, "token-file", "FILE", AT(token_file), "token, \"-\": standard input (default:\n"
			"PRAXIS_TOKEN, or the file named by\n"
			"PRAXIS_TOKEN_FILE)" },
	{ 0, "secret-file", "FILE", AT(secret_file), "without a token: the server's secret, to make a\n"
			"token of role admin (default: PRAXIS_TOKEN_SECRET,\n"
			"or the file named by PRAXIS_TOKEN_SECRET_FILE or\n"
			"PRAXIS_SECRET_FILE)" },
	{ 0, "kid", "ID", AT(kid), "for such a token: name of the secret" },
	{ 0, "tenant", "TENANT", AT(tenant), "… tenant (default: the vhost's)" },
	{ 0, "issuer", "TEXT", AT(issuer), "… \"iss\"" },
	{ 0, "audience", "TEXT", AT(audience), "… \"aud\"" },
	{ 0, "cacert", "FILE", AT(cacert), "trusted certificates, instead of the system's" },
	{ 0, "insecure", NULL, AT(insecure), "accept any certificate: an attacker on the network\n"
			"could then read the token" },
	{ 0, "timeout", "SECONDS", AT(timeout), "time to wait for an answer (default 10)" },
	{ 'h', "help", NULL, 0, "print this" },
	{ 0, NULL, NULL, 0, NULL },
};

void px_ctl_say(const struct px_ctl_target *target, const char *format, ...)
{
	va_list args;
	fprintf(stderr, "praxisctl %s: ", target->command);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

int px_ctl_read_number(const struct px_ctl_target *target, const char *word, const char *text,
		int64_t min, int64_t max, int64_t *ret_value)
{
	size_t len = strlen(text);
	bool digits = len > 0 && len <= 18 && strspn(text, "0123456789") == len;
	int64_t value = digits ? strtoll(text, NULL, 10) : -1;
	if (!digits || value < min || value > max) {
		px_ctl_say(target, "--%s %s: expected a whole number from %lld to %lld", word, text,
				(long long)min, (long long)max);
		return -1;
	}
	*ret_value = value;
	return 0;
}

int px_ctl_read_seconds(const struct px_ctl_target *target, const char *word, const char *text,
		int64_t min_ms, int64_t max_ms, int64_t *ret_ms)
{
	size_t whole = strspn(text, "0123456789");
	size_t point = text[whole] == '.' ? 1 : 0;
	size_t part = point ? strspn(text + whole + 1, "0123456789") : 0;
	bool fine = whole + part > 0 && whole <= 9 && text[whole + point + part] == '\0';
	double ms = fine ? strtod(text, NULL) * 1000 : -1;
	if (ms < (double)min_ms || ms > (double)max_ms) {
		px_ctl_say(target, "--%s %s: expected seconds, from %g to %g", word, text,
				(double)min_ms / 1000, (double)max_ms / 1000);
		return -1;
	}
	*ret_ms = (int64_t)(ms + 0.5);
	return 0;
}

/* ---- the help ---- */

/* "  -p, --practice ID       help", a help of several lines under itself. */
static void print_option(const struct px_ctl_option *option)
{
	char head[64];
	char letter[5] = "   ";
	if (option->letter) {
		(void)snprintf(letter, sizeof(letter), "-%c,", option->letter);
	}
	(void)snprintf(head, sizeof(head), "  %s --%s%s%s", letter, option->word,
			option->value ? " " : "", option->value ? option->value : "");
	printf("%-31s ", head);
	for (const char *at = option->help; *at; at++) {
		putchar(*at);
		if (*at == '\n') {
			printf("%32s", "");
		}
	}
	putchar('\n');
}

static void print_options(const struct px_ctl_option *options)
{
	for (; options && options->word; options++) {
		print_option(options);
	}
}

static void print_help(const struct px_ctl_usage *usage)
{
	printf("Usage: praxisctl %s %s\n\n%s\n", usage->command, usage->arguments, usage->about);
	print_options(usage->options);
	print_options(common);
	fputs("\n"
			"Exit codes: 0 success; 1 the server refused or found nothing; 2 invalid command\n"
			"line; 3 no server, or no answer in time; 4 the token is not accepted, or not for\n"
			"this.\n", stdout);
}

/* ---- reading ---- */

/* Both tables as getopt_long() takes them. */
struct reading {
	const struct px_ctl_option *options[OPTIONS_MAX];
	struct option words[OPTIONS_MAX + 1];
	char letters[2 * OPTIONS_MAX + 1];
	int count;
};

static void add(struct reading *reading, const struct px_ctl_option *options)
{
	char *letters = reading->letters + strlen(reading->letters);
	for (; options && options->word && reading->count < OPTIONS_MAX; options++) {
		reading->options[reading->count] = options;
		reading->words[reading->count] = (struct option){
			.name = options->word,
			.has_arg = options->value ? required_argument : no_argument,
			.val = WORD_FIRST + reading->count,
		};
		if (options->letter) {
			*letters++ = options->letter;
			if (options->value) {
				*letters++ = ':';
			}
		}
		reading->count++;
	}
}

static const struct px_ctl_option *option_of(const struct reading *reading, int found)
{
	if (found >= WORD_FIRST) {
		return reading->options[found - WORD_FIRST];
	}
	for (int i = 0; i < reading->count; i++) {
		if (reading->options[i]->letter == found) {
			return reading->options[i];
		}
	}
	return NULL;
}

static bool is_common(const struct px_ctl_option *option)
{
	return option >= common && option < common + sizeof(common) / sizeof(common[0]);
}

static int take(const struct px_ctl_usage *usage, const struct px_ctl_option *option, char *values)
{
	if (!option) {
		fprintf(stderr, "Try praxisctl %s --help.\n", usage->command);
		return PX_CTL_USAGE;
	}
	if (is_common(option) && option->letter == 'h') {
		print_help(usage);
		return PX_CTL_FINE;
	}
	if (option->value) {
		memcpy(values + option->at, &optarg, sizeof(optarg));
	} else {
		const bool yes = true;
		memcpy(values + option->at, &yes, sizeof(yes));
	}
	return -1;
}

static int check(const struct px_ctl_usage *usage, struct px_ctl_target *target, int count,
		char **arguments)
{
	if (count > usage->arguments_max) {
		px_ctl_say(target, "%s: unexpected argument", arguments[usage->arguments_max]);
		return PX_CTL_USAGE;
	}
	if (count < usage->arguments_min) {
		px_ctl_say(target, "missing arguments: praxisctl %s %s", usage->command,
				usage->arguments);
		return PX_CTL_USAGE;
	}
	target->timeout_ms = TIMEOUT_MS;
	if (target->timeout && px_ctl_read_seconds(target, "timeout", target->timeout, 1,
			TIMEOUT_MAX_MS, &target->timeout_ms) < 0) {
		return PX_CTL_USAGE;
	}
	return -1;
}

int px_ctl_read_options(const struct px_ctl_usage *usage, int argc, char **argv, void *values,
		int *ret_first)
{
	struct reading reading = { .count = 0 };
	char name[64];
	int code = -1;
	int found;
	add(&reading, usage->options);
	add(&reading, common);
	(void)snprintf(name, sizeof(name), "praxisctl %s", usage->command);
	argv[0] = name; /* what getopt_long() begins its complaints with */
	while (code == -1 && (found = getopt_long(argc, argv, reading.letters, reading.words,
			NULL)) != -1) {
		code = take(usage, option_of(&reading, found), values);
	}
	argv[0] = (char *)(uintptr_t)usage->command;
	struct px_ctl_target *target = values;
	target->command = usage->command;
	*ret_first = optind;
	return code == -1 ? check(usage, target, argc - optind, argv + optind) : code;
}

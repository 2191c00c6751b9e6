/* SPDX-License-Identifier: MIT */
/*
 * Plugins that are odd in one way each, built from this file with -DODD_<WHAT> and -DODD_NAME=…:
 * the host names what is wrong with them, or lives with it. Never installed.
 */
#include <praxis/plugin.h>

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT_(name) #name
#define TEXT(name) TEXT_(name)
#define PLUGIN_(name) PX_SERVICE_PLUGIN(svc_##name, service)
#define PLUGIN(name) PLUGIN_(name)
#define COMMAND(rest) \
	{ .type = rest, .handle = handle, .roles = PX_ROLES_ALL, .anywhere = true }

static int handle(struct px_call *call)
{
	(void)call;
	return 0;
}

static const struct px_command commands[] = {
#if defined(ODD_UNSORTED)
	COMMAND(TEXT(ODD_NAME) "_later"),
	COMMAND(TEXT(ODD_NAME) "_earlier"),
#elif defined(ODD_STRANGER)
	COMMAND("other_say"),
#else
	COMMAND(TEXT(ODD_NAME) "_say"),
#endif
};

#if defined(ODD_RIVAL)
static const char *const prefixes[] = { "notification", NULL };
#elif defined(ODD_RESERVED)
static const char *const prefixes[] = { "server", NULL };
#endif

/* What runs before anybody has asked the file what it is. */
__attribute__((constructor)) static void construct(void)
{
#if defined(ODD_ABORTS)
	abort();
#elif defined(ODD_LEAVES)
	_exit(0);
#elif defined(ODD_HANGS)
	for (;;) {
		pause();
	}
#endif
}

static const struct px_service service = {
	.abi = PX_SERVICE_ABI,
#if defined(ODD_OLDER)
	/* Built before there were prefixes: what stands there is not the descriptor's. */
	.size = PX_SERVICE_SIZE_MIN,
	.prefixes = (const char *const *)(uintptr_t)8,
#elif defined(ODD_NEWER)
	/* Built with headers of later, in which there are more fields behind these. */
	.size = sizeof(struct px_service) + 64,
#else
	.size = sizeof(struct px_service),
#endif
	.name = TEXT(ODD_NAME),
	.summary = "exists to be tested",
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(commands[0]),
#if defined(ODD_RIVAL) || defined(ODD_RESERVED)
	.prefixes = prefixes,
#endif
};

PLUGIN(ODD_NAME);

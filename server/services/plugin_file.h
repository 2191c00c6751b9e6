/* SPDX-License-Identifier: MIT */
/*
 * One file of a service, from its path to its descriptor. Opened by the loader, and by
 * --check-plugin, so that both refuse the same files with the same words. It never knows a
 * configuration.
 */
#ifndef PX_SERVICES_PLUGIN_FILE_H
#define PX_SERVICES_PLUGIN_FILE_H

#include "private_copy.h"

#include <limits.h>
#include <praxis/types.h>

struct lws_protocols;
struct px_server;
struct px_service;

/* What precedes and follows the service's name in the name of its file. */
#define PX_PLUGIN_FILE_PREFIX "praxis_svc_"
#define PX_PLUGIN_FILE_SUFFIX ".so"

struct px_plugin_file {
	const char *name; /* of the service that is to be in it */
	char path[PATH_MAX];
	struct px_private_copy copy; /* .fd -1: none yet */

	/* Each message names the file. */
	void (*on_fault)(void *user, const char *text);
	void *user;

	/* NULL until px_plugin_file_open() has set it. */
	void *handle;
	const struct px_service *descriptor; /* only `abi` and `size` may be read */
	const struct px_service *service;    /* the same, once it is valid */
	const struct lws_protocols *protocol;
};

/* Reports an error of the file; -EINVAL. */
int px_plugin_file_complain(const struct px_plugin_file *file, const char *format, ...)
		PX_PRINTF(2, 3);

/* Copies the file, and compares its header with its length and this machine. -EINVAL */
int px_plugin_file_copy(struct px_plugin_file *file);

/*
 * Calls `attempt` in a process of its own first (trial.h), since the file's constructors run before
 * it can be examined. 0 also if no process can be started. -EINVAL
 */
int px_plugin_file_try(const struct px_plugin_file *file, void (*attempt)(void *user), void *user);

/* For an attempt, whose faults are reported when it is done again in earnest. */
extern const struct px_config_sink px_plugin_file_silence;

/* Loads the copy and checks the descriptor. -EINVAL; `handle` is the caller's in any case. */
int px_plugin_file_open(struct px_plugin_file *file);

/* Whether no other loaded service has one of its prefixes. -EINVAL */
int px_plugin_file_check_rivals(const struct px_plugin_file *file, const struct px_server *server);

#endif

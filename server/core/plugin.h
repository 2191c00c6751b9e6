/* SPDX-License-Identifier: MIT */
/*
 * A service that this process has loaded, as data. Opened by whoever lists the services of a
 * server. It never is unloaded while a session may have met it.
 */
#ifndef PX_CORE_PLUGIN_H
#define PX_CORE_PLUGIN_H

#include <stdbool.h>

struct lws_protocols;
struct px_options;
struct px_service;

/* A service that was loaded; stays until the process ends. */
struct px_plugin {
	char *name;
	void *handle;
	/* what the handle is of (services/private_copy.h), open as long as it is; -1: none */
	int copy_fd;
	const struct lws_protocols *protocol;
	const struct px_service *service;
	struct px_options *options; /* in force */
	unsigned index;             /* the broker's, once it is started */
	bool started;
};

/* Room for a service's name, which the broker has checked. */
#define PX_SERVICE_NAME_SIZE 33

#endif

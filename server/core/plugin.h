/* SPDX-License-Identifier: MIT */
/*
 * A loaded service as data. Opened by whoever lists a server's services. It is never unloaded while
 * a session may have used it.
 */
#ifndef PX_CORE_PLUGIN_H
#define PX_CORE_PLUGIN_H

#include <stdbool.h>

struct lws_protocols;
struct px_options;
struct px_service;

/* A loaded service; stays until the process ends. */
struct px_plugin {
	char *name;
	void *handle;
	/* of the handle (services/private_copy.h), open as long as it; -1: none */
	int copy_fd;
	const struct lws_protocols *protocol;
	const struct px_service *service;
	struct px_options *options; /* current */
	unsigned index;             /* the broker's, once it is started */
	bool started;
};

/* Size of a service's name, which the broker has checked. */
#define PX_SERVICE_NAME_SIZE 33

#endif

/* SPDX-License-Identifier: MIT */
#include "vhost.h"
#include "server.h"

#include <string.h>

struct px_vhost *px_vhost_find(const struct px_server *server, const char *name)
{
	for (size_t i = 0; i < server->vhost_count; i++) {
		if (strcmp(server->vhosts[i]->config->name, name) == 0) {
			return server->vhosts[i];
		}
	}
	return NULL;
}

/* SPDX-License-Identifier: MIT */
/*
 * Static files: the mounts of a vhost. Opened by the router alone. It never serves what no mount
 * names, and never chooses between a file and the API: the router does.
 */
#ifndef PX_FILES_FILES_H
#define PX_FILES_FILES_H

#include <libwebsockets.h>

struct px_config_mount;
struct px_server;
struct px_vhost;

/* 1: there is no such file here; 0: an answer goes out; -1: the connection is lost. */
int px_files_serve(struct px_server *server, struct px_vhost *vhost, struct lws *wsi,
		const char *path);

/* The same for one mount. */
int px_files_serve_mount(struct px_vhost *vhost, struct lws *wsi,
		const struct px_config_mount *mount, const char *path);

#endif

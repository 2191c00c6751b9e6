/* SPDX-License-Identifier: MIT */
/*
 * The administrators' dashboard: files that are built separately (with Node), and served by every
 * vhost with the service `admin`. They contain no secrets; their data requires a token.
 */
#include "core/server.h"
#include "base/log.h"
#include "core/vhost.h"
#include "files/files.h"
#include "http/http.h"
#include "request.h"
#include "services/services.h"

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#ifndef PX_DASHBOARD_DIR
#define PX_DASHBOARD_DIR "/usr/local/share/praxis/dashboard"
#endif
#define DASHBOARD "/admin/websocket-admin"

static bool has_admin(struct px_server *server, const struct px_vhost *vhost)
{
	const struct px_plugin *plugin = px_plugin_find(server, "admin");
	return plugin && plugin->started && vhost->realm.enabled & UINT32_C(1) << plugin->index;
}

static bool concerns(const char *path)
{
	size_t len = sizeof(DASHBOARD) - 1;
	return strncmp(path, DASHBOARD, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static bool is_page(const char *path)
{
	const char *rest = path + sizeof(DASHBOARD) - 1;
	return *rest == '\0' || strcmp(rest, "/") == 0 || strcmp(rest, "/index.html") == 0;
}

static int answer_unbuilt(struct px_server *server, struct lws *wsi, const char *directory)
{
	if (!server->missed_dashboard) {
		server->missed_dashboard = true; /* once: repeated requests must not fill the log */
		px_log(LOG_WARNING, "dashboard: none found in %s: it was not built, which requires Node "
				"and client/node_modules", directory);
	}
	return px_http_answer(wsi, 503, "text/html; charset=utf-8", px_span(
			"<!doctype html><html lang=\"en\"><title>Praxis: no dashboard</title><h1>The "
			"dashboard was not built</h1><p>The server itself works. Building the page requires "
			"Node: <code>npm --prefix client ci</code>, then <code>meson setup --reconfigure "
			"-Ddashboard=enabled build</code> and <code>ninja -C build</code>; or set "
			"PRAXIS_DASHBOARD_DIR to its directory.</p></html>\n"));
}

int px_dashboard_serve(struct px_server *server, struct px_vhost *vhost, struct lws *wsi,
		const char *path)
{
	/* Set by scripts/run and the image; overrides the compiled-in path. */
	char *directory = getenv("PRAXIS_DASHBOARD_DIR");
	char built_in[] = PX_DASHBOARD_DIR;
	char mountpoint[] = DASHBOARD;
	char index[] = "index.html";
	struct px_config_mount mount = {
		.mountpoint = mountpoint,
		.origin = directory && *directory != '\0' ? directory : built_in,
		.index = index,
	};
	if (!concerns(path) || !has_admin(server, vhost)) {
		return 1;
	}
	int rc = px_files_serve_mount(vhost, wsi, &mount, path);
	return rc == 1 && is_page(path) ? answer_unbuilt(server, wsi, mount.origin) : rc;
}

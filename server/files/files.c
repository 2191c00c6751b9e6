/* SPDX-License-Identifier: MIT */
/*
 * Static mounts: a directory under a path. Not served by lws's mounts, because lws selects a vhost,
 * and with it the mounts, by a prefix of the client's `Host`.
 */
#include "files.h"
#include "core/server.h"
#include "core/vhost.h"
#include "html.h"
#include "http/http.h"
#include "http/location.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static const struct {
	const char *ending;
	const char *type;
} types[] = {
	{ ".css", "text/css; charset=utf-8" },
	{ ".gif", "image/gif" },
	{ ".html", "text/html; charset=utf-8" },
	{ ".ico", "image/x-icon" },
	{ ".jpg", "image/jpeg" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".json", "application/json" },
	{ ".map", "application/json" },
	{ ".mjs", "text/javascript; charset=utf-8" },
	{ ".png", "image/png" },
	{ ".svg", "image/svg+xml" },
	{ ".txt", "text/plain; charset=utf-8" },
	{ ".wasm", "application/wasm" },
	{ ".webmanifest", "application/manifest+json" },
	{ ".woff2", "font/woff2" },
};

static const char *type_of(const char *path)
{
	size_t len = strlen(path);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		size_t ending = strlen(types[i].ending);
		if (len > ending && strcasecmp(path + len - ending, types[i].ending) == 0) {
			return types[i].type;
		}
	}
	return "application/octet-stream";
}

/* The rest of the path after the mountpoint; NULL: not under it. */
static const char *under(const char *path, const char *mountpoint)
{
	size_t len = strlen(mountpoint);
	while (len > 0 && mountpoint[len - 1] == '/') {
		len--;
	}
	if (strncmp(path, mountpoint, len) != 0 || (path[len] != '/' && path[len] != '\0')) {
		return NULL;
	}
	return path + len;
}

/*
 * Dot files are never served (.git, .env, .htpasswd), even through links; except those under
 * /.well-known/ (RFC 8615).
 */
static bool is_hidden(const char *path)
{
	static const char fine[] = "/.well-known/";
	if (strncmp(path, fine, strlen(fine)) == 0) {
		path += strlen(fine) - 1;
	}
	return path[0] == '.' || strstr(path, "/.");
}

/* The file's real path, if it is a regular file within the mount after resolving links. */
static bool find_file(const struct px_config_mount *mount, const char *rest, char file[PATH_MAX])
{
	char wanted[PATH_MAX];
	char root[PATH_MAX];
	struct stat status;
	size_t len = strlen(rest);
	bool directory = len == 0 || rest[len - 1] == '/';
	int n = snprintf(wanted, sizeof(wanted), "%s/%s%s", mount->origin, rest,
			directory ? mount->index : "");
	if (n >= (int)sizeof(wanted) || !realpath(mount->origin, root) || !realpath(wanted, file)) {
		return false;
	}
	size_t root_len = strlen(root);
	return strncmp(file, root, root_len) == 0 && file[root_len] == '/' &&
			!is_hidden(rest) && !is_hidden(file + root_len) &&
			stat(file, &status) == 0 && S_ISREG(status.st_mode);
}

/* Sends pages with placeholders; 1: it is not such a page. */
static int send_page(struct lws *wsi, const struct px_html_place *place, const char *caching,
		const char *file)
{
	size_t len;
	char *text = strncmp(type_of(file), "text/html", 9) == 0 ?
			px_html_fill(place, file, &len) : NULL;
	int rc = text ? px_http_answer_page(wsi, caching, (struct px_span){ text, len }) : 1;
	free(text);
	return rc;
}

static int send_file(struct lws *wsi, const struct px_vhost *vhost,
		const struct px_config_mount *mount, const struct px_html_place *place, const char *file)
{
	char headers[PX_HTTP_HEADERS_MAX];
	char caching[32];
	(void)snprintf(caching, sizeof(caching), "max-age=%u", mount->cache_max_age_s);
	int sent = send_page(wsi, place, caching, file);
	if (sent != 1) {
		return sent;
	}
	int len = px_http_headers(vhost, PX_HTTP_PAGE, caching, headers, sizeof(headers));
	if (len < 0) {
		return -1;
	}
	int n = lws_serve_http_file(wsi, file, type_of(file), headers, len);
	if (n < 0) {
		return -1;
	}
	return n > 0 ? px_http_done(NULL, wsi) : 0;
}

int px_files_serve_mount(struct px_vhost *vhost, struct lws *wsi,
		const struct px_config_mount *mount, const char *path)
{
	const char *rest = under(path, mount->mountpoint);
	char file[PATH_MAX];
	if (!rest || !find_file(mount, rest, file)) {
		return 1;
	}
	return send_file(wsi, vhost, mount, &(struct px_html_place){
		.path = path,
		.endpoint = vhost->config->path,
		.is_bare = *rest == '\0',
	}, file);
}

/* Whether the path is not a page, but would be one with a trailing slash. */
static bool lacks_slash(const struct px_config_mount *mount, const char *path)
{
	const char *rest = under(path, mount->mountpoint);
	char longer[PATH_MAX];
	char file[PATH_MAX];
	return rest && path[strlen(path) - 1] != '/' &&
			snprintf(longer, sizeof(longer), "%s/", rest) < (int)sizeof(longer) &&
			find_file(mount, longer, file);
}

/*
 * A directory without a trailing slash: the relative links of its page would be wrong. The new URL
 * is relative to the old one, since only that is right behind a proxy that strips a prefix.
 */
static int send_slash(struct lws *wsi, const char *path)
{
	struct px_location location = { .len = 0 };
	const char *name = strrchr(path, '/') + 1;
	px_location_add(&location, "./", 2); /* a colon in the name would make it a scheme */
	px_location_encode(&location, name, strlen(name), "!$&'()*,;=:@");
	px_location_add(&location, "/", 1);
	px_location_add_query(&location, wsi);
	return location.failed ? 1 : px_http_answer_moved(wsi, location.text);
}

int px_files_serve(struct px_server *server, struct px_vhost *vhost, struct lws *wsi,
		const char *path)
{
	(void)server;
	for (size_t i = 0; i < vhost->config->mount_count; i++) {
		const struct px_config_mount *mount = &vhost->config->mounts[i];
		int rc = lacks_slash(mount, path) ? send_slash(wsi, path) :
				px_files_serve_mount(vhost, wsi, mount, path);
		if (rc != 1) {
			return rc;
		}
	}
	return 1;
}

/* SPDX-License-Identifier: MIT */
/*
 * The host process as its files see it: one struct, and what each file does for the others.
 * main.c puts it together and takes it apart again; nothing here knows of rooms.
 */
#ifndef PX_SERVER_H
#define PX_SERVER_H

#include "config.h"

#include <libwebsockets.h>
#include <netinet/in.h>
#include <praxis/adapter.h>
#include <uv.h>

struct px_server;

/* A service that was loaded; stays until the process ends. */
struct px_plugin {
	char *name;
	void *handle;
	const struct lws_protocols *protocol;
	const struct px_service *service;
	struct px_options *options; /* in force */
	unsigned index;             /* the broker's, once it is started */
	bool started;
};

/* A listening socket of a vhost. */
struct px_listener {
	struct px_server *server;
	struct px_vhost *vhost;
	uv_poll_t poll;
	uv_timer_t pause; /* when there were no descriptors left */
	int fd;           /* -1: closed */
	char address[64];
};

/* A vhost in force. Its config is replaced by a reload; sessions hold on to its site. */
struct px_vhost {
	struct px_server *server;
	const struct px_config_vhost *config;
	struct px_site site;
	const char **disabled; /* behind site.disabled */
	struct px_listener *listeners;
	size_t listener_count;
};

/* One TCP connection; lws's opaque user data, from adoption to the end. */
struct px_peer {
	struct px_vhost *vhost;
	struct in6_addr address; /* IPv4 mapped */
	struct px_identity *identity; /* let in, not yet a session */
	int8_t service;
	bool versioned;
};

struct px_server {
	const char *config_path;
	struct px_config *config;

	uv_loop_t loop;
	uv_prepare_t prepare;    /* both end a turn: one that timers began … */
	uv_check_t check;        /* … and one that sockets began */
	uv_timer_t timer;        /* the broker's next deadline */
	uv_signal_t signals[3];
	uv_timer_t drain_timer;
	struct lws_context *context;
	struct lws_vhost *lws_vhost;
	struct lws_protocols protocols[PX_SERVICES_MAX + 2];
	struct lws_protocol_vhost_options pvos[PX_SERVICES_MAX + 1];
	struct px_lws *lws;
	struct px_broker *broker;

	struct px_plugin plugins[PX_SERVICES_MAX];
	size_t plugin_count;
	struct px_vhost *vhosts;
	size_t vhost_count;

	uint64_t connections;
	uint64_t max_connections;
	uint32_t max_message_bytes; /* as lws was started with */
	uint64_t refused;
	int64_t started_ms;
	int64_t deadline_ms;       /* the timer is set to */
	int64_t drain_end_ms;      /* the last client is asked to go */
	int64_t drain_deadline_ms; /* … and made to */
	bool draining;
};

/* loader.c: the plugins that a configuration names, their options checked; -EINVAL */
int px_plugins_load(struct px_server *server, const struct px_config *config,
		const struct px_config_sink *sink);
/* The options of a service, by its table and its own check; -EINVAL after complaints. */
int px_plugin_options(const struct px_service *service, const struct px_config_service *wanted,
		const struct px_config_sink *sink, struct px_options **ret_options);
int px_plugins_start(struct px_server *server);
void px_plugins_drop_unstarted(struct px_server *server);
struct px_plugin *px_plugin_find(struct px_server *server, const char *name);
void px_plugins_unload(struct px_server *server);

/* vhost.c: which services a vhost has, and in force as the configuration says */
int px_vhosts_create(struct px_server *server);
void px_vhosts_apply(struct px_server *server, const struct px_config *config);
void px_vhosts_destroy(struct px_server *server);

/* listener.c */
int px_listeners_open(struct px_server *server, const struct px_config_sink *sink);
void px_listeners_start(struct px_server *server);
void px_listeners_close(struct px_server *server);

/* lws.c: the one lws context and vhost */
int px_context_create(struct px_server *server);
void px_context_destroy(struct px_server *server);

/* upgrade.c: hooks of the adapter */
int px_upgrade_decide(void *user, struct lws *wsi);
int px_upgrade_accept(void *user, struct lws *wsi, struct px_session_params *ret_params);
void px_peer_gone(void *user, struct lws *wsi);

/* open_mode.c: an identity from the query. -EINVAL: it makes no sense. */
int px_open_mode_identify(struct px_vhost *vhost, struct lws *wsi,
		struct px_identity **ret_identity);

/* http.c: hooks of the adapter, and how answers look */
int px_http_request(void *user, struct lws *wsi, const char *path);
int px_http_done(void *user, struct lws *wsi);
int px_http_refuse(struct lws *wsi, int status, const char *code, const char *sentence);
#define PX_HTTP_HEADERS_MAX PX_CONFIG_HEADER_BYTES
int px_http_headers(const struct px_vhost *vhost, char *buf, size_t size);
int px_http_answer(struct lws *wsi, int status, const char *type, struct px_span body);

/* files.c: static mounts. 1: there is no such file here. */
int px_files_serve(struct px_server *server, struct px_vhost *vhost, struct lws *wsi,
		const char *path);

/* statistics.c: GET /stats as JSON; finish the writer. */
void px_statistics_write(struct px_server *server, struct px_json *json);

/* settings.c: what the configuration's global part means */
struct px_limits px_settings_limits(const struct px_config *config);
uint64_t px_settings_connections(const struct px_config *config);
void px_settings_log_complaint(void *user, enum px_config_level level, const char *text);

/* reload.c: on SIGHUP */
void px_server_reload(struct px_server *server);

/* drain.c: on SIGTERM and SIGINT */
void px_server_drain(struct px_server *server);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What stands between the world and the sessions, put together and taken apart: keys, tickets,
 * the back end that is asked, counts of addresses and users, the audit trail.
 */
#include "server.h"

#include "audit.h"
#include "authority.h"
#include "backend.h"
#include "log.h"
#include "tickets.h"
#include "tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Addresses and users that are remembered at once. */
#define ADDRESSES_MAX 200000
#define USERS_MAX 200000

/* How often key files are looked at. */
#define KEYS_EVERY_MS 5000

static void log_audit(void *user, int level, const char *line)
{
	(void)user;
	px_log(level, "%s", line);
}

static struct px_audit_settings audit_settings(const struct px_config_audit *config)
{
	return (struct px_audit_settings){
		.path = config->file,
		.sync = config->sync == PX_CONFIG_SYNC_LINE ? PX_AUDIT_SYNC_LINE : PX_AUDIT_SYNC_NONE,
		.on_full = config->on_full == PX_CONFIG_FULL_CONTINUE ? PX_AUDIT_CONTINUE :
				PX_AUDIT_REFUSE,
		.key = px_span(config->key),
		.head_every = 10000,
		.log = log_audit,
	};
}

static int open_audit(struct px_server *server)
{
	const struct px_config_audit *config = server->config->global.audit;
	if (!config) {
		return 0;
	}
	struct px_audit_settings settings = audit_settings(config);
	int rc = px_audit_create(&settings, &server->audit);
	return rc < 0 ? rc : px_trail_note(server, "started", "");
}

void px_security_authenticate(void *user, void *conn, const struct px_site *site,
		struct px_span token, struct px_authentication *ret_authentication)
{
	struct px_peer *peer = lws_get_opaque_user_data(px_lws_wsi(conn));
	(void)user;
	(void)site;
	if (peer) {
		px_authority_judge(peer, token, ret_authentication);
	} else {
		ret_authentication->verdict = PX_VERDICT_UNAVAILABLE;
	}
}

/* Whether its clients have to prove who they are. */
static bool wants_proof(const struct px_config_vhost *config)
{
	return config->tokens || config->auth_url;
}

static int make_authorities(const struct px_config *config, const struct px_config_sink *sink,
		struct px_authority **authorities)
{
	for (size_t i = 0; i < config->vhost_count; i++) {
		if (wants_proof(&config->vhosts[i])) {
			int rc = px_authority_create(&config->vhosts[i], sink, &authorities[i]);
			if (rc < 0) {
				return rc;
			}
		}
	}
	return 0;
}

static size_t config_index(const struct px_config *config, const char *name)
{
	size_t i = 0;
	while (strcmp(config->vhosts[i].name, name) != 0) {
		i++;
	}
	return i;
}

int px_security_check(const struct px_config *config, const struct px_config_sink *sink)
{
	struct px_authority **authorities = calloc(config->vhost_count, sizeof(*authorities));
	int rc = authorities ? make_authorities(config, sink, authorities) : -ENOMEM;
	for (size_t i = 0; authorities && i < config->vhost_count; i++) {
		px_authority_destroy(authorities[i]);
	}
	free(authorities);
	return rc < 0 ? rc : px_tls_check(config, sink);
}

/* All or nothing: the vhosts have the new authorities, or still the old ones. */
int px_security_apply(struct px_server *server, const struct px_config *config,
		const struct px_config_sink *sink)
{
	struct px_authority **authorities = calloc(config->vhost_count, sizeof(*authorities));
	int rc = authorities ? make_authorities(config, sink, authorities) : -ENOMEM;
	for (size_t i = 0; rc == 0 && i < server->vhost_count; i++) {
		struct px_vhost *vhost = &server->vhosts[i];
		size_t index = config_index(config, vhost->config->name);
		px_authority_destroy(vhost->authority);
		vhost->authority = authorities[index];
		authorities[index] = NULL;
	}
	for (size_t i = 0; authorities && i < config->vhost_count; i++) {
		px_authority_destroy(authorities[i]);
	}
	free(authorities);
	return rc;
}

void px_security_reload_audit(struct px_server *server, const struct px_config *config)
{
	if (!server->audit || !config->global.audit) {
		if (server->audit || config->global.audit) {
			px_log(PX_LOG_WARNING, "the audit trail is begun and ended with a restart only");
		}
		return;
	}
	struct px_audit_settings settings = audit_settings(config->global.audit);
	px_audit_configure(server->audit, &settings);
	(void)px_audit_reopen(server->audit);
}

static void on_keys_timer(uv_timer_t *timer)
{
	struct px_server *server = timer->data;
	for (size_t i = 0; i < server->vhost_count; i++) {
		if (server->vhosts[i].authority) {
			px_authority_refresh(server->vhosts[i].authority);
		}
	}
	px_tls_refresh(server);
}

int px_security_create(struct px_server *server, const struct px_config_sink *sink)
{
	int rc = px_tally_create(ADDRESSES_MAX, &server->addresses);
	rc = rc < 0 ? rc : px_tally_create(USERS_MAX, &server->users);
	rc = rc < 0 ? rc : px_tickets_create(&server->tickets);
	rc = rc < 0 ? rc : px_tls_apply(server, server->config, sink);
	return rc < 0 ? rc : px_security_apply(server, server->config, sink);
}

int px_security_start(struct px_server *server)
{
	int rc = open_audit(server);
	rc = rc < 0 ? rc : px_backend_create(&server->loop, &server->backend);
	if (rc < 0) {
		return rc;
	}
	uv_timer_init(&server->loop, &server->keys_timer);
	server->keys_timer.data = server;
	uv_timer_start(&server->keys_timer, on_keys_timer, KEYS_EVERY_MS, KEYS_EVERY_MS);
	return 0;
}

void px_security_stop(struct px_server *server)
{
	px_backend_destroy(server->backend);
	server->backend = NULL;
	uv_close((uv_handle_t *)&server->keys_timer, NULL);
}

void px_security_destroy(struct px_server *server)
{
	if (server->audit) {
		(void)px_trail_note(server, "stopped", "");
	}
	px_audit_destroy(server->audit);
	px_tickets_destroy(server->tickets);
	px_tally_destroy(server->addresses);
	px_tally_destroy(server->users);
	for (size_t i = 0; i < server->vhost_count; i++) {
		px_authority_destroy(server->vhosts[i].authority);
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * Everything that guards sessions, created and destroyed: keys, tickets, the back end's client,
 * counters of addresses and users, the audit log.
 */
#include "core/plan.h"
#include "api/idempotency.h"
#include "audit/audit.h"
#include "audit/audit_events.h"
#include "auth/authenticator.h"
#include "auth/tickets.h"
#include "base/log.h"
#include "core/peer.h"
#include "core/vhost.h"
#include "http_client/http_client.h"
#include "metrics/metrics.h"
#include "net/limiter.h"
#include "net/tls.h"
#include "security.h"
#include "webhook/webhook.h"

#include <errno.h>
#include <limits.h>
#include <praxis/host/adapter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How often key files are checked. */
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
		.refusals_per_s = config->refusals_per_s,
		.head_every = 10000,
		.log = log_audit,
	};
}

void px_security_authenticate(void *user, void *conn, const struct px_realm *realm,
		struct px_span token, struct px_authentication *ret_authentication)
{
	struct px_peer *peer = lws_get_opaque_user_data(px_lws_wsi(conn));
	(void)user;
	(void)realm;
	if (peer) {
		px_authenticator_judge(peer, token, ret_authentication);
	} else {
		ret_authentication->verdict = PX_VERDICT_UNAVAILABLE;
	}
}

/* Whether its clients must authenticate. */
static bool wants_proof(const struct px_config_vhost *config)
{
	return config->tokens || config->auth_url;
}

static int make_authorities(const struct px_config *config, const struct px_config_sink *sink,
		struct px_authenticator **authorities)
{
	for (size_t i = 0; i < config->vhost_count; i++) {
		if (wants_proof(&config->vhosts[i])) {
			int rc = px_authenticator_create(&config->vhosts[i], sink, &authorities[i]);
			if (rc < 0) {
				return rc;
			}
		}
	}
	return 0;
}

static void warn_of_certificates(const struct px_config_vhost *vhost, const char *key,
		const char *url, const char *missing, const struct px_config_sink *sink)
{
	char text[PATH_MAX + 512];
	if (!url || strncasecmp(url, "https:", strlen("https:")) != 0) {
		return;
	}
	(void)snprintf(text, sizeof(text), "%s:%u: vhost \"%s\": \"%s\": %s has no certificates: no "
			"https server will be trusted (install ca-certificates)",
			vhost->file->name, vhost->line, vhost->name, key, missing);
	sink->on_complaint(sink->user, PX_CONFIG_WARNING, text);
}

void px_security_warn(const struct px_config *config, const struct px_config_sink *sink)
{
	const char *missing = px_http_client_missing_certificates();
	for (size_t i = 0; missing && i < config->vhost_count; i++) {
		const struct px_config_vhost *vhost = &config->vhosts[i];
		warn_of_certificates(vhost, "auth-url", vhost->auth_url, missing, sink);
		warn_of_certificates(vhost, "webhook-url", vhost->webhook ? vhost->webhook->url : NULL,
				missing, sink);
	}
}

int px_security_check(const struct px_config *config, const struct px_config_sink *sink)
{
	struct px_authenticator **authorities = calloc(config->vhost_count, sizeof(*authorities));
	int rc = authorities ? make_authorities(config, sink, authorities) : -ENOMEM;
	for (size_t i = 0; authorities && i < config->vhost_count; i++) {
		px_authenticator_destroy(authorities[i]);
	}
	free(authorities);
	px_security_warn(config, sink);
	return rc < 0 ? rc : px_tls_check(config, sink);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static int complain_of_audit(const struct px_plan *plan, const char *sentence)
{
	plan->sink->on_complaint(plan->sink->user, PX_CONFIG_ERROR, sentence);
	return -EINVAL;
}

/* An audit log at another path begins, and records what happens from here on. */
static int open_audit(struct px_plan *plan)
{
	struct px_audit_settings settings = audit_settings(plan->config->global.audit);
	int rc = px_audit_create(&settings, &plan->audit);
	if (rc < 0) {
		return complain_of_audit(plan, "\"audit\": the audit log cannot be opened");
	}
	rc = px_audit_permit(plan->audit, &(struct px_audit_entry){
		.event = plan->old ? "reconfigured" : "started",
	});
	return rc < 0 ? complain_of_audit(plan, "\"audit\": the audit log cannot be written") : 0;
}

/* The same audit log: whether this reload may happen is decided by the new settings. */
static int note_reload(struct px_plan *plan)
{
	const struct px_config_audit *wanted = plan->config->global.audit;
	const struct px_config_audit *config = plan->old->global.audit;
	if (wanted && !same_text(wanted->key, config->key)) {
		return complain_of_audit(plan,
				"\"audit\": the key of an existing audit log cannot change: use a new file with "
				"a new key");
	}
	int rc = px_audit_write(plan->server->audit, &(struct px_audit_entry){
		.event = "reconfigured",
	});
	enum px_config_on_full on_full = wanted ? wanted->on_full : config->on_full;
	return rc < 0 && on_full == PX_CONFIG_FULL_REFUSE ?
			complain_of_audit(plan, "\"audit\": the audit log cannot be written") : 0;
}

int px_plan_prepare_audit(struct px_plan *plan)
{
	const struct px_config_audit *wanted = plan->config->global.audit;
	const struct px_config_audit *config = plan->old ? plan->old->global.audit : NULL;
	if (wanted && (!config || strcmp(wanted->file, config->file) != 0)) {
		int rc = open_audit(plan);
		if (rc < 0) {
			px_audit_destroy(plan->audit);
			plan->audit = NULL;
		}
		return rc;
	}
	return config ? note_reload(plan) : 0;
}

void px_plan_commit_audit(struct px_plan *plan)
{
	struct px_server *server = plan->server;
	const struct px_config_audit *wanted = plan->config->global.audit;
	if (server->audit && (plan->audit || !wanted)) {
		(void)px_audit_events_note(server, "stopped", "");
		px_audit_destroy(server->audit);
		server->audit = NULL;
	}
	if (plan->audit) {
		server->audit = plan->audit;
	} else if (wanted) {
		struct px_audit_settings settings = audit_settings(wanted);
		px_audit_configure(server->audit, &settings);
	}
}

static void on_keys_timer(uv_timer_t *timer)
{
	struct px_server *server = timer->data;
	for (size_t i = 0; i < server->vhost_count; i++) {
		if (server->vhosts[i]->authenticator) {
			px_authenticator_refresh(server->vhosts[i]->authenticator);
		}
	}
	px_tls_refresh(server);
	px_stats_history_take(server);
}

int px_security_create(struct px_server *server)
{
	int rc = px_limiter_create(0, &server->addresses);
	rc = rc < 0 ? rc : px_limiter_create(0, &server->users);
	rc = rc < 0 ? rc : px_tickets_create(&server->tickets);
	rc = rc < 0 ? rc : px_idempotency_create(&server->idempotency);
	rc = rc < 0 ? rc : px_http_client_create(&server->loop, &server->http_client);
	if (rc < 0) {
		return rc;
	}
	uv_timer_start(&server->keys_timer, on_keys_timer, KEYS_EVERY_MS, KEYS_EVERY_MS);
	return 0;
}

void px_security_stop(struct px_server *server)
{
	px_webhooks_stop(server);
	px_http_client_destroy(server->http_client);
	server->http_client = NULL;
}

void px_security_destroy(struct px_server *server)
{
	if (server->audit) {
		(void)px_audit_events_note(server, "stopped", "");
	}
	px_audit_destroy(server->audit);
	px_webhooks_destroy(server);
	px_tickets_destroy(server->tickets);
	px_idempotency_destroy(server->idempotency);
	px_limiter_destroy(server->addresses);
	px_limiter_destroy(server->users);
}

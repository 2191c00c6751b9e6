/* SPDX-License-Identifier: MIT */
/*
 * A vhost as data: current, or retiring with its last connection. Opened by whoever has a
 * connection or a session. It never serves anything; vhost/ creates and ends it.
 */
#ifndef PX_CORE_VHOST_H
#define PX_CORE_VHOST_H

#include "config/config.h"

#include <praxis/host/realm.h>
#include <stddef.h>

struct px_authenticator;
struct px_config;
struct px_config_vhost;
struct px_server;
struct px_realm;
struct px_tls;
struct px_webhook;

/*
 * A current vhost, or one that retires. A reload replaces its config; connections refer to it, and
 * sessions to its realm.
 */
struct px_vhost {
	struct px_server *server;
	const struct px_config_vhost *config;
	struct px_config *kept; /* retired: the configuration that contains `config`, held */
	struct px_vhost *next_retired;
	struct px_realm realm;
	const char **disabled; /* array of realm.disabled */
	struct px_authenticator *authenticator; /* NULL: open mode */
	struct px_tls *tls;             /* NULL: none */
	struct px_webhook *webhook;     /* NULL: never had one */
	uint64_t peers;
	int64_t auth_quiet_ms;  /* no log line about failing auth-url before that */
	uint64_t auth_unheard;  /* clients without an answer since it last answered */
	bool auth_failing;      /* the last request had no answer … */
	bool auth_failing_told; /* … and that was logged */
	bool is_retired;
	bool tightened; /* its sessions must be checked against its new configuration */
};

/* The current vhost with that name; NULL. */
struct px_vhost *px_vhost_find(const struct px_server *server, const char *name);

/* The vhost of a session's realm. */
static inline struct px_vhost *px_vhost_of(const struct px_realm *realm)
{
	return (struct px_vhost *)((char *)(uintptr_t)realm - offsetof(struct px_vhost, realm));
}

#endif

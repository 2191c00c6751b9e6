/* SPDX-License-Identifier: MIT */
/*
 * A vhost as data: in force, or retiring with its last connection. Opened by whoever has a
 * connection or a session in hand. It never serves anything itself; vhost/ makes it and ends it.
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
 * A vhost in force, or one that retires. Its config is replaced by a reload; peers point to
 * it, and sessions to its site.
 */
struct px_vhost {
	struct px_server *server;
	const struct px_config_vhost *config;
	struct px_config *kept; /* retired: the configuration that `config` is in, held on to */
	struct px_vhost *next_retired;
	struct px_realm realm;
	const char **disabled; /* behind site.disabled */
	struct px_authenticator *authenticator; /* NULL: open mode */
	struct px_tls *tls;             /* NULL: none */
	struct px_webhook *webhook;     /* NULL: never had one */
	uint64_t peers;
	int64_t auth_quiet_ms;  /* no line that auth-url fails before */
	uint64_t auth_unheard;  /* clients that it had no answer for, since it answered */
	bool auth_failing;      /* it had none for the last one … */
	bool auth_failing_told; /* … and the log has it */
	bool is_retired;
	bool tightened; /* its sessions are to be held against its new configuration */
};

/* The one in force of that name; NULL. */
struct px_vhost *px_vhost_find(const struct px_server *server, const char *name);

/* The vhost that a session's site is part of. */
static inline struct px_vhost *px_vhost_of(const struct px_realm *realm)
{
	return (struct px_vhost *)((char *)(uintptr_t)realm - offsetof(struct px_vhost, realm));
}

#endif

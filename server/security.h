/* SPDX-License-Identifier: MIT */
/*
 * Everything that guards sessions, created and destroyed. Opened by the start and the end of the
 * process. It never judges a token itself.
 */
#ifndef PX_SECURITY_H
#define PX_SECURITY_H

#include "config/config.h"

#include <praxis/host/authentication.h>

struct px_authentication;
struct px_config;
struct px_config_sink;
struct px_plan;
struct px_server;
struct px_realm;
struct px_span;

/* security.c: in the order of a process' life */
int px_security_check(const struct px_config *config, const struct px_config_sink *sink);
/*
 * Warnings of px_security_check() that are not errors: https is configured, and no server would be
 * trusted.
 */
void px_security_warn(const struct px_config *config, const struct px_config_sink *sink);
int px_security_create(struct px_server *server);
void px_security_stop(struct px_server *server);
void px_security_destroy(struct px_server *server);
void px_security_authenticate(void *user, void *conn, const struct px_realm *realm,
		struct px_span token, struct px_authentication *ret_authentication);

/* Steps of a plan: the audit log, with an entry about the reload. */
int px_plan_prepare_audit(struct px_plan *plan);
void px_plan_commit_audit(struct px_plan *plan);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * TLS of the vhosts that have it: what they show (certificate and key), and whom they believe
 * (the CA of client certificates). Connections are encrypted by frontend/stream.h.
 *
 * All of it is on the loop's thread. A connection keeps what it was negotiated with; what is
 * changed is for those that come later.
 */
#ifndef PX_TLS_H
#define PX_TLS_H

#include "core/vhost.h"

#include <stdbool.h>

struct px_config;
struct px_config_sink;
struct px_config_vhost;
struct px_peer;
struct px_server;
struct px_tls;
struct px_tls_material;
struct px_vhost;
struct ssl_ctx_st;

/* Whether the files of all vhosts are usable; -EINVAL after messages, -ENOMEM. */
int px_tls_check(const struct px_config *config, const struct px_config_sink *sink);

/*
 * Reads the files of a vhost with TLS; the caller owns the result until px_tls_put_in_force() or
 * px_tls_unload() takes it. -EINVAL after messages, -ENOMEM.
 */
int px_tls_load(const struct px_config_vhost *config, const struct px_config_sink *sink,
		struct px_tls_material **ret_material);

/* NULL is fine. */
void px_tls_unload(struct px_tls_material *material);

/*
 * One that no vhost has, made if need be; the caller's until px_tls_release(), the server's
 * memory. -ENOMEM.
 */
int px_tls_reserve(struct px_server *server, struct px_tls **ret_tls);

/* It must not have connections. NULL is permitted. */
void px_tls_release(struct px_tls *tls);

/* From now on it belongs to that vhost, with its configuration and this material. */
void px_tls_put_in_force(struct px_tls *tls, const struct px_vhost *vhost,
		struct px_tls_material *material);

/* What its connections are made of. */
struct ssl_ctx_st *px_tls_context(const struct px_tls *tls);

/* Loads renewed files; errors in them are logged once. */
void px_tls_refresh(struct px_server *server);

/* All that were ever made; after the connections. */
void px_tls_destroy(struct px_server *server);

/*
 * NULL: the connection was negotiated as its vhost requires, TLS or none; otherwise the sentence
 * for an answer with 421.
 */
const char *px_tls_fault(const struct px_vhost *vhost, const struct px_peer *peer);

#endif

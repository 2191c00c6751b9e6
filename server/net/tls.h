/* SPDX-License-Identifier: MIT */
/*
 * TLS of the vhosts that have it: what they show (certificate and key), whom they believe
 * (the CA of client certificates), and the lws vhost in which their connections live.
 *
 * All of it is on the loop's thread. A connection keeps what it was negotiated with; what is
 * changed is for those that come later.
 */
#ifndef PX_TLS_H
#define PX_TLS_H

#include "core/vhost.h"

#include <libwebsockets.h>
#include <stdbool.h>

struct px_config;
struct px_config_sink;
struct px_config_vhost;
struct px_server;
struct px_tls;
struct px_tls_material;
struct px_vhost;

/* Whether the files of every vhost can be used; -EINVAL after complaints, -ENOMEM. */
int px_tls_check(const struct px_config *config, const struct px_config_sink *sink);

/*
 * Reads the files of a vhost with TLS; they are the caller's until px_tls_put_in_force() or
 * px_tls_unload() takes them. -EINVAL after complaints, -ENOMEM.
 */
int px_tls_load(const struct px_config_vhost *config, const struct px_config_sink *sink,
		struct px_tls_material **ret_material);

/* NULL is fine. */
void px_tls_unload(struct px_tls_material *material);

/*
 * One that no vhost has, made if need be; the caller's until px_tls_release(), the server's
 * memory. `make` is px_context_create_vhost(), which calls this file. -ENOMEM, -EPROTO: lws does
 * not make another.
 */
int px_tls_reserve(struct px_server *server,
		int (*make)(struct px_server *server, struct px_tls *tls, struct lws_vhost **ret_vhost),
		struct px_tls **ret_tls);

/* No connection may be left in it. NULL is fine. */
void px_tls_release(struct px_tls *tls);

/* From now on it is that vhost's, serves as the vhost's configuration says, and shows this. */
void px_tls_put_in_force(struct px_tls *tls, const struct px_vhost *vhost,
		struct px_tls_material *material);

/* Where its connections are adopted into. */
struct lws_vhost *px_tls_vhost(const struct px_tls *tls);

/* Takes up the files that were renewed; what is wrong with them is logged, once. */
void px_tls_refresh(struct px_server *server);

/* All that were ever made; after the lws context is destroyed. */
void px_tls_destroy(struct px_server *server);

/*
 * Adds to `info` what makes a TLS vhost of it; its user becomes the px_tls. The vhost's
 * protocol 0 must have px_tls_callback(), by which lws hands over its SSL_CTX.
 */
void px_tls_describe(struct px_tls *tls, struct lws_context_creation_info *info);

/* After lws_create_vhost() with that: what lws would set otherwise. -EPROTO: no SSL_CTX came. */
int px_tls_settle(struct px_tls *tls);

/* px_lws_callback(), and the one callback that comes while a TLS vhost is made. */
int px_tls_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		size_t len);

/*
 * NULL: the connection was negotiated as its vhost demands, TLS or none; else the sentence
 * for an answer with 421.
 */
const char *px_tls_fault(const struct px_vhost *vhost, struct lws *wsi);

/* What the connection has read from its socket, encrypted; 0 without TLS. */
uint64_t px_tls_bytes_read(struct lws *wsi);

#endif

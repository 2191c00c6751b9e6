/* SPDX-License-Identifier: MIT */
/*
 * A connection from accept() until it becomes a WebSocket without TLS, or ends: TLS is taken off,
 * and its requests are read, one after the other; libwebsockets gets only what is well-formed.
 */
#ifndef PX_FRONTEND_H
#define PX_FRONTEND_H

struct px_frontend;
struct px_peer;
struct px_server;

/* On success, takes ownership of connection and descriptor; -ENOMEM, -errno. */
int px_frontend_begin(struct px_peer *peer, int fd);

/* The libwebsockets connection that answered a request of this peer is gone. */
void px_frontend_released(struct px_frontend *frontend);

/* Closes all of them. */
void px_frontends_drop(struct px_server *server);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * How the broker reaches a client: functions that the host passes in. Opened by transports, such as
 * the adapter, and by tests. It never knows a socket.
 */
#ifndef PRAXIS_HOST_TRANSPORT_H
#define PRAXIS_HOST_TRANSPORT_H

#include <praxis/types.h>

struct px_session;

/* How frames reach a client. `conn` is the transport's, one for each session. */
struct px_transport {
	/*
	 * Writes whole frames. 0: all were taken (and may still be buffered); -errno: the connection is
	 * lost, and px_session_lost() follows when the turn ends, unless the session was detached from
	 * it.
	 */
	int (*write)(void *conn, const uint8_t *bytes, size_t len);

	/* Whether it takes nothing now; if so, px_session_writable() follows when it does again. */
	bool (*busy)(void *conn);

	/*
	 * Closes with this code (RFC 6455 section 7), or cuts the connection if code is 0. Everything
	 * was written before, unless the reader was too slow. px_session_lost() follows, not from
	 * within this call.
	 */
	void (*close)(void *conn, uint16_t code);

	/*
	 * From now on the connection belongs to that session. NULL: to none; the broker is told nothing
	 * more about it, not even px_session_lost(). Used when a session is detached, and when it gets
	 * another connection.
	 */
	void (*bind)(void *conn, struct px_session *session);
};

#endif

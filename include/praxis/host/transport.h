/* SPDX-License-Identifier: MIT */
/*
 * How the broker reaches a client: functions that the host passes in. Opened by transports, as the
 * adapter, and by tests. It never knows a socket.
 */
#ifndef PRAXIS_HOST_TRANSPORT_H
#define PRAXIS_HOST_TRANSPORT_H

#include <praxis/types.h>

struct px_session;

/* How frames reach a client. `conn` is the transport's own, one per session. */
struct px_transport {
	/*
	 * Whole frames. 0: all were taken (and may be on their way still); -errno: the
	 * connection is lost, px_session_lost() follows when the turn is over, unless the
	 * session let go of it.
	 */
	int (*write)(void *conn, const uint8_t *bytes, size_t len);

	/* Whether it takes nothing now; px_session_writable() follows when it does again. */
	bool (*busy)(void *conn);

	/*
	 * Close with this code (RFC 6455 section 7), or cut where code is 0. All was written
	 * before, unless the reader was too slow. px_session_lost() follows, not from within.
	 */
	void (*close)(void *conn, uint16_t code);

	/*
	 * From now on the connection is that session's. NULL: no session's; the broker is told
	 * nothing more of it, not even px_session_lost(). How a session outlives a connection,
	 * or comes to have another one.
	 */
	void (*bind)(void *conn, struct px_session *session);
};

#endif

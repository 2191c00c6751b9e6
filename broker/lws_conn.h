/* SPDX-License-Identifier: MIT */
/*
 * A connection as lws_adapter.c, which alone includes this, knows it, and the two lists that it may
 * be in. Both are linked in both directions: a connection may end at any time, and in a turn in
 * which ten thousand do, none may look for itself among the others.
 */
#ifndef PX_LWS_CONN_H
#define PX_LWS_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lws;
struct px_lws;
struct px_session;

/* Lives in lws's per-session data: zeroed at first, gone after CLOSED. */
struct conn {
	struct lws *wsi;
	struct px_session *session;
	struct px_lws *lws;
	uint8_t *partial; /* of a message that is not complete, or put off; NULL: none */
	uint32_t partial_len;
	uint32_t partial_size;
	struct conn *next_reader;
	struct conn **reader_link; /* what points to it; NULL: nothing does */
	struct conn *next; /* of the closers, or of the late: who is closed is not heard any more */
	struct conn **link;
	uint16_t close_code;
	uint16_t read_bytes;    /* since it was last looked at: about what the socket gave */
	uint16_t largest_bytes; /* the largest piece among them */
	uint16_t frames;        /* of a message that is not complete */
	bool in_message;
	bool is_reader;
	bool is_closer;
	bool is_late;    /* its message is put off */
	bool is_paused;  /* and it is not read from */
	bool is_dropped; /* lws is closing it */
	bool is_killed;  /* we are, without a word */
};

/* Of the closers, or of the late. */
static inline void unlink_conn(struct conn *conn)
{
	*conn->link = conn->next;
	if (conn->next) {
		conn->next->link = conn->link;
	}
}

static inline void link_reader(struct conn **list, struct conn *conn)
{
	conn->next_reader = *list;
	conn->reader_link = list;
	if (conn->next_reader) {
		conn->next_reader->reader_link = &conn->next_reader;
	}
	*list = conn;
}

static inline void unlink_reader(struct conn *conn)
{
	if (conn->reader_link) {
		*conn->reader_link = conn->next_reader;
		if (conn->next_reader) {
			conn->next_reader->reader_link = conn->reader_link;
		}
		conn->reader_link = NULL;
	}
}

#endif

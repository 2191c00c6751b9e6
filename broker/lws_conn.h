/* SPDX-License-Identifier: MIT */
/*
 * A connection as seen by lws_adapter.c (which alone includes this), and its two lists. Both are
 * doubly linked: a connection may end at any time, and when ten thousand end in one turn, none may
 * search a list for itself.
 */
#ifndef PX_LWS_CONN_H
#define PX_LWS_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lws;
struct px_lws;
struct px_session;

/* In lws's per-session data: zeroed at first, freed after CLOSED. */
struct conn {
	struct lws *wsi;
	struct px_session *session;
	struct px_lws *lws;
	uint8_t *partial; /* of a message that is incomplete or deferred; NULL: none */
	uint32_t partial_len;
	uint32_t partial_size;
	struct conn *next_reader;
	struct conn **reader_link; /* the pointer to it in lws->readers; NULL: not listed */
	struct conn *next; /* in `closers` or `deferred`, never both: closing discards the message */
	struct conn **link;
	uint16_t close_code;
	uint16_t read_bytes;    /* since the socket was last polled: about what it delivered */
	uint16_t largest_bytes; /* the largest piece among them */
	uint16_t frames;        /* of a message that is incomplete */
	bool in_message;
	bool is_reader;
	bool is_closer;
	bool is_deferred;    /* its message is deferred */
	bool is_paused;  /* … and it is not read from */
	bool is_dropped; /* lws is closing it */
	bool is_killed;  /* the broker cuts it, without a close frame */
};

/* Unlinks from `closers` or `deferred`. */
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

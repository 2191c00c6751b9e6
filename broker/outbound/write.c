/* SPDX-License-Identifier: MIT */
/*
 * The write path. A message is queued, and its session put on the dirty list once. When the turn
 * ends, each dirty session's frames leave in as few writes as possible: a burst of sixteen messages
 * to a room of a hundred is a hundred system calls instead of sixteen hundred, and a message waits
 * no longer than the turn in which it was queued.
 *
 * If a turn would last too long, the rest of the list is left for the next one. The list is
 * processed from its head and grows at its end, so no session starves, and each session's messages
 * leave in the order in which they were queued.
 *
 * A queue has limits, by bytes and by age. If one is exceeded while the transport takes nothing,
 * the session is a slow consumer. If conflation does not help (slow_consumer.c), its queue is
 * dropped, and it is closed with 4408; other sessions are not held up.
 */
#include "core/message.h"
#include "core/broker.h"
#include "core/host.h"
#include "core/session.h"
#include "core/turn.h"
#include "replay_buffer.h"
#include "rights.h"
#include "slow_consumer.h"
#include "tap.h"
#include "write.h"

#include <praxis/host/session.h>

void px_session_mark_dirty(struct px_session *session)
{
	struct px_broker *broker = session->broker;
	if (session->is_dirty) {
		return;
	}
	session->is_dirty = true;
	session->next_dirty = NULL;
	*broker->dirty_end = session;
	broker->dirty_end = &session->next_dirty;
}

void px_session_mark_ending(struct px_session *session)
{
	if (!session->is_ending) {
		struct px_broker *broker = session->broker;
		session->is_ending = true;
		session->next_ending = NULL;
		*broker->ending_end = session;
		broker->ending_end = &session->next_ending;
	}
}

/* The transport took these messages. */
static void take_out(struct px_session *session, uint32_t count)
{
	struct px_broker *broker = session->broker;
	for (; count > 0; count--) {
		struct px_message *message = px_queue_pop(&session->queue, &broker->queue_pool);
		px_resume_wrote(session, message);
		px_message_unref(broker, message);
	}
}

/*
 * If a write fails, its messages may have arrived. A client with praxis.v1 tells by its count; for
 * others, they count as not written.
 */
static int write_some(struct px_session *session)
{
	struct px_broker *broker = session->broker;
	struct px_message *first = px_queue_peek(&session->queue);
	const uint8_t *bytes = first->frame;
	size_t len = first->len;
	uint32_t count = 1;
	if (session->queue.count > 1 && len <= PX_WRITE_BYTES) {
		/* A single frame is written in place. */
		len = px_queue_copy(&session->queue, broker->write_buffer, PX_WRITE_BYTES, &count);
		bytes = broker->write_buffer;
	}
	broker->stats.writes++;
	int rc = broker->transport.write(session->conn, bytes, len);
	if (rc == 0 || session->resume) {
		take_out(session, count);
	}
	return rc;
}

void px_session_drop_queue(struct px_session *session)
{
	struct px_broker *broker = session->broker;
	broker->stats.queue_bytes -= session->queue.bytes;
	px_queue_clear(&session->queue, &broker->queue_pool, broker);
}

/* The transport will report that the connection is lost, unless the session is detached from it. */
static void on_write_error(struct px_session *session)
{
	void *conn = session->conn;
	if (session->broker->outbound->detach(session, true)) {
		session->broker->transport.bind(conn, NULL);
	} else {
		session->phase = PX_SESSION_CLOSED;
		px_session_drop_queue(session);
	}
}

void px_session_flush(struct px_session *session)
{
	struct px_broker *broker = session->broker;
	if (broker->attaching) {
		px_session_drop_muted(session); /* the sweep may not have come here yet */
	}
	while (session->phase <= PX_SESSION_CLOSING && !px_queue_empty(&session->queue)) {
		if (broker->transport.busy(session->conn)) {
			broker->outbound->watch_queue(session);
			return; /* px_session_writable() comes */
		}
		uint32_t before = session->queue.bytes;
		int rc = write_some(session);
		uint32_t taken = before - session->queue.bytes;
		broker->stats.queue_bytes -= taken;
		if (rc < 0) {
			on_write_error(session);
		} else {
			broker->stats.bytes_out += taken;
		}
	}
	if (session->phase == PX_SESSION_CLOSING || session->phase == PX_SESSION_LOST) {
		px_session_mark_ending(session);
	}
}

static void flush(struct px_broker *broker)
{
	for (unsigned i = 1; broker->dirty; i++) {
		struct px_session *session = broker->dirty;
		broker->dirty = session->next_dirty;
		if (!broker->dirty) {
			broker->dirty_end = &broker->dirty;
		}
		session->is_dirty = false;
		px_session_flush(session);
		if (i % PX_SLICE == 0 && px_broker_over_budget(broker, PX_WORK_OUT)) {
			return;
		}
	}
}

void px_broker_flush(struct px_broker *broker)
{
	uint64_t began_ns = broker->dirty && broker->host.flushed ?
			broker->host.now_ns(broker->host.user) : 0;
	flush(broker);
	if (began_ns != 0) {
		broker->host.flushed(broker->host.user,
				broker->host.now_ns(broker->host.user) - began_ns);
	}
}

/* Closes early: what is queued cannot be delivered whole. */
static void give_up(struct px_session *session, enum px_close code)
{
	px_session_drop_queue(session);
	if (session->phase == PX_SESSION_CLOSING || session->phase == PX_SESSION_CLOSED) {
		session->close_code = (uint16_t)code; /* not 1012: it must not return after a restart */
		px_session_mark_ending(session);
	} else {
		session->broker->outbound->close(session, code);
	}
}

void px_session_part_slow(struct px_session *session, bool by_age)
{
	px_session_count_slow(session, by_age);
	give_up(session, PX_CLOSE_SLOW);
}

static bool fits(const struct px_session *session, const struct px_message *message)
{
	uint32_t limit = session->broker->limits.queue_bytes;
	return limit == 0 || session->queue.bytes == 0 ||
			(uint64_t)session->queue.bytes + message->len <= limit;
}

/* Whether there is room for the message; may flush or close a session with a connection. */
static bool make_room(struct px_session *session, const struct px_message *message)
{
	if (session->phase == PX_SESSION_DETACHED || session->is_opening ||
			fits(session, message)) {
		return true;
	}
	/* Many messages in one turn do not make a slow reader: write them first. */
	px_session_flush(session);
	if (!px_session_hears(session)) {
		return false;
	}
	if (session->phase != PX_SESSION_DETACHED && !fits(session, message) &&
			!(px_session_conflate_to_fit(session, message, session->broker->limits.queue_bytes) &&
			fits(session, message))) {
		px_session_part_slow(session, false);
		return false;
	}
	return true;
}

/* Keep-alives are not counted as messages. */
void px_session_count_out(struct px_session *session, const struct px_message *message)
{
	struct px_broker *broker = session->broker;
	if (!message->is_control) {
		px_traffic_goes(&broker->traffic, message->traffic, px_message_text(message).len);
	}
	if (message->is_keepalive) {
		broker->stats.keepalives_out++;
	} else {
		broker->stats.messages_out++;
		session->messages_out++;
	}
}

void px_session_send(struct px_session *session, struct px_message *message)
{
	if (!message || !px_session_hears(session) || px_session_mutes(session, message)) {
		return;
	}
	if (px_turn_catches_for(session)) {
		session->broker->turn_hooks->send(session, message);
	} else {
		px_session_push(session, message);
	}
}

void px_session_push(struct px_session *session, struct px_message *message)
{
	struct px_broker *broker = session->broker;
	if (!make_room(session, message)) {
		return;
	}
	if (px_queue_push(&session->queue, &broker->queue_pool, message) < 0) {
		give_up(session, PX_CLOSE_TRY_LATER);
		return;
	}
	broker->stats.queue_bytes += message->len;
	px_session_count_out(session, message);
	if (session == broker->acting) {
		broker->answered += message->len;
	}
	if (broker->taps && !broker->is_publishing && !message->is_control) {
		px_message_tap_went(session, message);
	}
	if (session->phase == PX_SESSION_DETACHED) {
		broker->outbound->trim(session);
	} else {
		px_session_mark_dirty(session);
	}
}

void px_session_send_json(struct px_session *session, struct px_json *json)
{
	struct px_message *message = px_message_from_json(session->broker, json);
	if (!message) {
		/* If there is no memory for an answer, closing is better than silence. */
		session->broker->outbound->close(session, PX_CLOSE_TRY_LATER);
		return;
	}
	px_session_send(session, message);
	px_message_unref(session->broker, message);
}

void px_session_writable(struct px_session *session)
{
	px_session_mark_dirty(session);
}

/* SPDX-License-Identifier: MIT */
/*
 * The project's only switch over lws's callback reasons. See include/praxis/host/adapter.h.
 *
 * Three properties of lws shape this file (all measured, see docs/architecture.md):
 * - It reads at most rx_buffer_size bytes per event, and allocates such a buffer for every idle
 *   connection. The host's may cost nothing while idle (server/base/rx_memory.h); a plugin's in
 *   lwsws is small. Sockets whose buffer was filled are polled again when the turn ends: a burst is
 *   still fanned out as one.
 * - Frames are written whole with LWS_WRITE_RAW, many in one write, and never while lws holds back
 *   part of an earlier write.
 * - A close frame is sent reliably only from outside of callbacks, with nothing buffered. So
 *   connections to be closed are listed, and closed when the turn ends.
 *
 * One property of libuv, too: it delivers what a thousand sockets have before anything else runs.
 * If these are messages to many receivers, a turn could last for seconds. So when QUEUED_PER_TURN
 * messages have entered queues, further ones are deferred: kept as they are, their connections not
 * read from, until those deferred before are handled. At most one message per connection is
 * deferred, and the order within a connection is kept. The limit is a number of queued messages,
 * not a time: deferring costs four system calls, too much for a message to few receivers. lws is
 * told at once to stop reading, and keeps what it has read beyond that message. Where lws does TLS
 * (in lwsws) it is told when the turn ends: if 4.1.6 is told so during a read, that read never
 * returns while OpenSSL has more of the same record.
 */
#include "lws_conn.h"

#include <praxis/host/adapter.h>
#include <praxis/plugin.h>
#include <praxis/utf8.h>

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/* A client's frame header with its mask, for payloads below 64 KiB. */
#define FRAME_OVERHEAD 8

/* Limit on the frames of one message: empty ones cost the sender next to nothing. */
#define FRAMES_MAX 1024

/* Read of one connection in one turn; then the others are read. */
#define READ_BYTES_PER_TURN (28 * 1024)

_Static_assert(sizeof(struct conn) <= PX_LWS_SESSION_BYTES, "lws allocates too little");

struct px_lws {
	struct px_broker *broker;
	struct px_lws_hooks hooks;
	size_t max_message_bytes;
	bool in_turn;
	bool is_stopped;
	struct conn *readers; /* were read from in this turn */
	struct conn *closers; /* to be closed when the turn ends */
	struct conn *deferred;    /* with a deferred message, oldest first */
	struct conn **deferred_end;
	struct conn *unpaused; /* the first that is still read from, as are all behind it */
	uint64_t deferred_count; /* since the start */
	uint64_t queued_before; /* px_broker_queued() when the turn began */
};

/* Messages that may enter queues in one turn: one to two milliseconds of work. */
#define QUEUED_PER_TURN 32768

/* Connections that are read from, or closed, between two checks of the time budget. */
#define SLICE 8

int px_lws_create(struct px_broker *broker, const struct px_lws_hooks *hooks,
		size_t max_message_bytes, struct px_lws **ret_lws)
{
	struct px_lws *lws = calloc(1, sizeof(*lws));
	if (!lws) {
		return -ENOMEM;
	}
	lws->broker = broker;
	lws->hooks = *hooks;
	lws->max_message_bytes = max_message_bytes;
	lws->deferred_end = &lws->deferred;
	*ret_lws = lws;
	return 0;
}

void px_lws_set_max_message_bytes(struct px_lws *lws, size_t max_message_bytes)
{
	lws->max_message_bytes = max_message_bytes;
}

void px_lws_stop(struct px_lws *lws)
{
	lws->is_stopped = true;
}

void px_lws_destroy(struct px_lws *lws)
{
	free(lws);
}

static void drop_partial(struct conn *conn)
{
	free(conn->partial);
	conn->partial = NULL;
	conn->partial_len = 0;
	conn->partial_size = 0;
}

static void link_closer(struct conn *conn)
{
	struct px_lws *lws = conn->lws;
	conn->is_closer = true;
	conn->next = lws->closers;
	conn->link = &lws->closers;
	if (conn->next) {
		conn->next->link = &conn->next;
	}
	lws->closers = conn;
}

static void unlink_late(struct conn *conn)
{
	struct px_lws *lws = conn->lws;
	unlink_conn(conn);
	if (!conn->next) {
		lws->deferred_end = conn->link;
	}
	if (lws->unpaused == conn) {
		lws->unpaused = conn->next;
	}
	conn->is_deferred = false;
}

static void stop_reading(struct conn *conn)
{
	if (!conn->is_paused) {
		conn->is_paused = true;
		lws_rx_flow_control(conn->wsi, 0);
	}
}

static void pause_late(struct px_lws *lws)
{
	for (; lws->unpaused; lws->unpaused = lws->unpaused->next) {
		stop_reading(lws->unpaused);
	}
}

static void read_on(struct conn *conn)
{
	if (conn->is_paused) {
		conn->is_paused = false;
		lws_rx_flow_control(conn->wsi, 1);
	}
}

static void transport_close(void *user, uint16_t code)
{
	struct conn *conn = user;
	conn->close_code = code;
	if (conn->is_deferred) {
		unlink_late(conn);
		drop_partial(conn);
	}
	read_on(conn); /* to hear the answer to a close frame */
	if (!conn->is_closer) {
		link_closer(conn);
	}
}

static int transport_write(void *user, const uint8_t *bytes, size_t len)
{
	struct conn *conn = user;
	/* lws neither masks nor frames raw writes: the bytes stay unchanged. */
	int n = lws_write(conn->wsi, (unsigned char *)(uintptr_t)bytes, len, LWS_WRITE_RAW);
	if (n < 0) {
		transport_close(conn, 0);
		return -EPIPE;
	}
	if (!conn->is_deferred && conn->session && !px_session_is_greeting(conn->session)) {
		read_on(conn); /* this was the greeting */
	}
	return 0;
}

static bool transport_busy(void *user)
{
	const struct conn *conn = user;
	return conn->is_dropped || lws_partial_buffered(conn->wsi) != 0;
}

static void transport_bind(void *user, struct px_session *session)
{
	struct conn *conn = user;
	conn->session = session;
	if (!session && conn->is_deferred) {
		unlink_late(conn);
		drop_partial(conn);
	}
}

const struct px_transport px_lws_transport = {
	.write = transport_write,
	.busy = transport_busy,
	.close = transport_close,
	.bind = transport_bind,
};

static void begin_turn(struct px_lws *lws)
{
	if (!lws->in_turn) {
		lws->in_turn = true;
		lws->queued_before = px_broker_queued(lws->broker);
		lws->hooks.begin_turn(lws->hooks.user);
	}
}

/* On failure, the identity is still the caller's. */
static int open_session(struct px_lws *lws, const struct px_session_params *params,
		struct px_session **ret_session)
{
	int rc = px_session_open(lws->broker, params, ret_session);
	if (rc < 0) {
		px_identity_destroy(lws->broker, params->identity);
	}
	return rc;
}

/* What it sends before its greeting would be answered before it. */
static void await_greeting(struct conn *conn)
{
	if (conn->session && !conn->is_closer && px_session_is_greeting(conn->session)) {
		stop_reading(conn);
	}
}

static int on_established(struct px_lws *lws, struct lws *wsi, struct conn *conn)
{
	struct px_session_params params = { .conn = conn };
	conn->wsi = wsi;
	conn->lws = lws;
	int rc = lws->hooks.accept(lws->hooks.user, wsi, &params);
	if (rc == -EINPROGRESS) {
		lws_rx_flow_control(wsi, 0);
		return 0;
	}
	rc = rc < 0 ? rc : open_session(lws, &params, &conn->session);
	lws->hooks.opened(lws->hooks.user, wsi, rc);
	if (rc < 0) {
		px_broker_count_close(lws->broker, PX_CLOSE_TRY_LATER);
		lws_close_reason(wsi, (enum lws_close_status)PX_CLOSE_TRY_LATER, NULL, 0);
		return -1;
	}
	await_greeting(conn);
	return 0;
}

struct lws *px_lws_wsi(void *conn)
{
	return ((struct conn *)conn)->wsi;
}

void px_lws_admit(struct lws *wsi, const struct px_session_params *params, enum px_close code)
{
	struct conn *conn = lws_wsi_user(wsi);
	struct px_session_params own = params ? *params : (struct px_session_params){ 0 };
	begin_turn(conn->lws);
	if (conn->is_dropped) {
		px_identity_destroy(conn->lws->broker, own.identity); /* no session owns it */
		return;
	}
	own.conn = conn;
	lws_rx_flow_control(wsi, 1); /* also to hear the answer to a close frame */
	int rc = params ? open_session(conn->lws, &own, &conn->session) : -EACCES;
	conn->lws->hooks.opened(conn->lws->hooks.user, wsi, rc);
	if (rc < 0) {
		uint16_t why = params ? PX_CLOSE_TRY_LATER : (uint16_t)code;
		px_broker_count_close(conn->lws->broker, why);
		transport_close(conn, why);
	}
	await_greeting(conn);
}

/* Keeps a piece of a message. Memory grows with what arrived, not with what was announced. */
static int keep_piece(struct conn *conn, const void *piece, size_t len)
{
	size_t need = conn->partial_len + len;
	if (need > conn->partial_size) {
		size_t size = conn->partial_size ? conn->partial_size : 1024;
		while (size < need) {
			size *= 2;
		}
		if (size > conn->lws->max_message_bytes) {
			size = conn->lws->max_message_bytes;
		}
		uint8_t *partial = realloc(conn->partial, size);
		if (!partial) {
			return -ENOMEM;
		}
		conn->partial = partial;
		conn->partial_size = (uint32_t)size;
	}
	memcpy(conn->partial + conn->partial_len, piece, len);
	conn->partial_len += (uint32_t)len;
	return 0;
}

static void refuse(struct conn *conn, enum px_close code)
{
	drop_partial(conn);
	px_session_close(conn->session, code);
}

static void mark_reader(struct conn *conn, size_t len)
{
	size_t piece = len + FRAME_OVERHEAD;
	if (!conn->is_reader) {
		conn->is_reader = true;
		conn->read_bytes = 0;
		conn->largest_bytes = 0;
		unlink_reader(conn);
		link_reader(&conn->lws->readers, conn);
	}
	conn->read_bytes += (uint16_t)piece;
	if (piece > conn->largest_bytes) {
		conn->largest_bytes = (uint16_t)piece;
	}
}

static bool over_budget(const struct px_lws *lws, enum px_work work)
{
	return lws->hooks.over_budget(lws->hooks.user, work);
}

static void put_off(struct conn *conn)
{
	struct px_lws *lws = conn->lws;
	lws->deferred_count++;
	conn->is_deferred = true;
	conn->next = NULL;
	conn->link = lws->deferred_end;
	*lws->deferred_end = conn;
	lws->deferred_end = &conn->next;
	if (!lws_is_ssl(conn->wsi)) {
		stop_reading(conn); /* lws keeps what it has read beyond this message */
	}
	if (!lws->unpaused) {
		lws->unpaused = conn;
	}
}

/* Handles the deferred message, and reads again. */
static void catch_up(struct conn *conn)
{
	unlink_late(conn);
	px_session_receive(conn->session, conn->partial, conn->partial_len);
	drop_partial(conn);
	read_on(conn);
}

/* At least one, so that each turn makes progress. */
static void catch_up_some(struct px_lws *lws)
{
	while (lws->deferred) {
		catch_up(lws->deferred);
		if (over_budget(lws, PX_WORK_IN)) {
			return;
		}
	}
}

/* Whether so many bytes are ASCII: as nearly all of a message is. */
#define ASCII_BYTES 32

static bool is_ascii(const uint8_t at[ASCII_BYTES])
{
	uint64_t words[ASCII_BYTES / sizeof(uint64_t)];
	memcpy(words, at, sizeof(words));
	uint64_t all = words[0] | words[1] | words[2] | words[3];
	return (all & UINT64_C(0x8080808080808080)) == 0;
}

static bool is_utf8(const uint8_t *at, size_t len)
{
	const uint8_t *end = at + len;
	while (at && at < end) {
		if (end - at >= ASCII_BYTES && is_ascii(at)) {
			at += ASCII_BYTES;
		} else {
			at = *at < 0x80 ? at + 1 : px_utf8_end(at, end);
		}
	}
	return at == end;
}

/* Returns -1 if lws is to close the connection. */
static int on_message(struct conn *conn, const void *piece, size_t len)
{
	const struct px_lws *lws = conn->lws;
	bool must_defer = lws->deferred ||
			px_broker_queued(lws->broker) - lws->queued_before > QUEUED_PER_TURN;
	if (must_defer || conn->partial) {
		if (len > 0 && keep_piece(conn, piece, len) < 0) {
			refuse(conn, PX_CLOSE_TRY_LATER);
			return 0;
		}
		piece = conn->partial;
		len = conn->partial_len;
	}
	if (!is_utf8(piece, len)) {
		drop_partial(conn);
		lws_close_reason(conn->wsi, LWS_CLOSE_STATUS_INVALID_PAYLOAD, NULL, 0);
		return -1;
	}
	if (must_defer) {
		put_off(conn);
	} else {
		px_session_receive(conn->session, piece, len);
		drop_partial(conn);
	}
	return 0;
}

/* Returns -1 if lws is to close the connection. */
static int on_receive(struct conn *conn, const void *piece, size_t len)
{
	struct lws *wsi = conn->wsi;
	bool complete = lws_is_final_fragment(wsi) != 0;
	if (conn->is_closer) {
		return 0;
	}
	if (conn->is_deferred) {
		catch_up(conn); /* lws had read it already */
		if (!conn->session || conn->is_closer) {
			return 0;
		}
	}
	size_t total = conn->partial_len + len + lws_remaining_packet_payload(wsi);
	mark_reader(conn, len);
	if (!conn->in_message && lws_frame_is_binary(wsi)) {
		refuse(conn, PX_CLOSE_BINARY);
		return 0;
	}
	if (total > conn->lws->max_message_bytes) {
		refuse(conn, PX_CLOSE_TOO_BIG);
		return 0;
	}
	conn->in_message = !complete;
	conn->frames += lws_remaining_packet_payload(wsi) == 0;
	if (conn->frames > FRAMES_MAX) {
		refuse(conn, PX_CLOSE_FLOODING);
		return 0;
	}
	conn->frames = complete ? 0 : conn->frames;
	if (complete) {
		return on_message(conn, piece, len);
	}
	if (len > 0 && keep_piece(conn, piece, len) < 0) {
		refuse(conn, PX_CLOSE_TRY_LATER);
	}
	return 0;
}

/* After this, lws must not be given anything to write for this connection. */
static void on_dropped(struct conn *conn, enum px_loss loss)
{
	conn->is_dropped = true;
	if (conn->is_deferred) {
		unlink_late(conn);
		px_session_receive(conn->session, conn->partial, conn->partial_len);
		drop_partial(conn);
	}
	struct px_session *session = conn->session;
	conn->session = NULL;
	if (session) {
		px_session_lost(session, loss);
	}
}

/* The kind of loss, from the client's close frame (code and reason: RFC 6455 section 5.5.1). */
static enum px_loss loss_of_frame(const uint8_t *payload, size_t len)
{
	unsigned code = len >= 2 ? (unsigned)payload[0] << 8 | payload[1] : 0;
	return code == PX_CLOSE_NORMAL || code == PX_CLOSE_GOING_AWAY ? PX_LOSS_GOODBYE :
			PX_LOSS_BROKEN;
}

/*
 * lws drops the connection: it broke, or the client violated the protocol (then lws sent a close
 * frame). Also called for connections that never became a WebSocket, for which lws must not be
 * asked.
 */
static enum px_loss loss_of_drop(const struct conn *conn)
{
	bool for_its_words = conn->session && conn->close_code == 0 &&
			lws_get_close_length(conn->wsi) > 0;
	return for_its_words ? PX_LOSS_GOODBYE : PX_LOSS_BROKEN;
}

/*
 * The rest of RFC 6455's closing handshake: lws would echo a close frame of one byte, codes from
 * 5000 on, and a reason that is not UTF-8. The answer is written into lws's frame, which it sends.
 */
static int answer_close(struct lws *wsi, uint8_t *payload, size_t len)
{
	if (len == 1) {
		lws_close_reason(wsi, LWS_CLOSE_STATUS_PROTOCOL_ERR, NULL, 0);
		return -1;
	}
	if (len >= 2 && (payload[0] << 8 | payload[1]) >= 5000) {
		payload[0] = LWS_CLOSE_STATUS_PROTOCOL_ERR >> 8;
		payload[1] = LWS_CLOSE_STATUS_PROTOCOL_ERR & 0xff;
	}
	if (len > 2 && !is_utf8(payload + 2, len - 2)) {
		lws_close_reason(wsi, LWS_CLOSE_STATUS_INVALID_PAYLOAD, NULL, 0);
		return -1;
	}
	return 0;
}

/*
 * If lws ends a connection without a close frame, although the client is there and Praxis did not
 * close it, the client sent a control frame of more than 125 bytes, or a length beyond 63 bits.
 * Then the client is sent 1002, as lws does for other violations.
 */
static void say_why(struct conn *conn)
{
	struct pollfd socket = { .fd = lws_get_socket_fd(conn->wsi), .events = POLLRDHUP };
	if (!conn->session || conn->close_code != 0 || conn->is_killed || conn->lws->is_stopped ||
			lws_get_close_length(conn->wsi) > 0 || lws_partial_buffered(conn->wsi)) {
		return;
	}
	/* A connection that broke or was shut down is a loss: its session may be resumed. */
	if (poll(&socket, 1, 0) == 0) {
		lws_close_reason(conn->wsi, LWS_CLOSE_STATUS_PROTOCOL_ERR, NULL, 0);
	}
}

static void on_closed(struct conn *conn)
{
	on_dropped(conn, PX_LOSS_BROKEN);
	drop_partial(conn);
	unlink_reader(conn); /* in any case: reading may end other connections, too */
	if (conn->is_closer) {
		unlink_conn(conn);
		conn->is_closer = false;
	}
}

static void on_pong(struct conn *conn)
{
	if (conn->session) {
		px_session_ponged(conn->session);
	}
}

static void on_writable(struct conn *conn)
{
	if (conn->session) {
		px_session_writable(conn->session);
	}
}

int px_lws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		size_t len)
{
	struct px_lws *lws = lws_context_user(lws_get_context(wsi));
	struct conn *conn = user;

	switch (reason) {
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		begin_turn(lws);
		return lws->hooks.upgrade(lws->hooks.user, wsi, in);
	case LWS_CALLBACK_ESTABLISHED:
		begin_turn(lws);
		return on_established(lws, wsi, conn);
	case LWS_CALLBACK_RECEIVE:
		begin_turn(lws);
		return conn->session ? on_receive(conn, in, len) : 0;
	case LWS_CALLBACK_RECEIVE_PONG:
		begin_turn(lws);
		on_pong(conn);
		return 0;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		begin_turn(lws);
		on_writable(conn);
		return 0;
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: /* ignores later frames: RFC 6455 5.5.1 */
		begin_turn(lws);
		on_dropped(conn, loss_of_frame(in, len));
		return answer_close(wsi, in, len);
	case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
		begin_turn(lws);
		say_why(conn);
		on_dropped(conn, loss_of_drop(conn));
		return 0;
	case LWS_CALLBACK_CLOSED:
		begin_turn(lws);
		on_closed(conn);
		return 0;
	case LWS_CALLBACK_HTTP:
		begin_turn(lws);
		return lws->hooks.http(lws->hooks.user, wsi, in);
	case LWS_CALLBACK_HTTP_BODY:
		return lws->hooks.http_body(lws->hooks.user, wsi, in, len);
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		begin_turn(lws);
		return lws->hooks.http_body_end(lws->hooks.user, wsi);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return lws->hooks.http_writable(lws->hooks.user, wsi);
	case LWS_CALLBACK_HTTP_FILE_COMPLETION:
		return lws->hooks.http_done(lws->hooks.user, wsi);
	case LWS_CALLBACK_WSI_DESTROY:
		lws->hooks.gone(lws->hooks.user, wsi);
		return 0;
	case LWS_CALLBACK_RAW_CONNECTED: /* a connection after CONNECT */
	case LWS_CALLBACK_RAW_ADOPT:
		return -1;
	default:
		return 0;
	}
}

/* What one read of lws may bring. */
static size_t read_size(const struct conn *conn)
{
	return lws_get_protocol(conn->wsi)->rx_buffer_size;
}

/*
 * Whether the socket may have more. A read that did not fill the buffer has emptied the socket,
 * which saves a poll. What lws keeps of a frame that the end of the buffer cut off is assumed to be
 * no larger than the frames before it. A wrong guess only delays until the next turn.
 */
static bool has_more(const struct conn *conn)
{
	int bytes = 0;
	if ((size_t)conn->read_bytes + conn->largest_bytes < read_size(conn)) {
		return false;
	}
	return ioctl(lws_get_socket_fd(conn->wsi), FIONREAD, &bytes) == 0 && bytes > 0;
}

/*
 * One round over the connections that were read in the previous round. Reading may close and free
 * any of them, which removes it from the list. Returns how much of one was read at most.
 */
static size_t read_round(struct px_lws *lws)
{
	struct conn *again = NULL;
	size_t most = 0;
	unsigned count = 0;
	while (lws->readers) {
		struct conn *conn = lws->readers;
		unlink_reader(conn);
		conn->is_reader = false;
		if (has_more(conn)) {
			link_reader(&again, conn);
		}
	}
	/* Connections that are read add themselves to lws->readers again. */
	while (again) {
		struct conn *conn = again;
		struct lws_pollfd fd = {
			.fd = lws_get_socket_fd(conn->wsi),
			.events = LWS_POLLIN,
			.revents = LWS_POLLIN,
		};
		most = read_size(conn) > most ? read_size(conn) : most;
		unlink_reader(conn);
		lws_service_fd(lws_get_context(conn->wsi), &fd);
		if (++count % SLICE == 0 && over_budget(lws, PX_WORK_IN)) {
			break; /* the sockets will be reported again */
		}
	}
	while (again) {
		unlink_reader(again);
	}
	return most;
}

static void read_rest(struct px_lws *lws)
{
	size_t bytes = 0;
	while (bytes < READ_BYTES_PER_TURN && lws->readers && !lws->deferred) {
		bytes += read_round(lws);
	}
	while (lws->readers) {
		lws->readers->is_reader = false;
		unlink_reader(lws->readers);
	}
}

/* Ends in DROP_PROTOCOL for that connection, and so in px_session_lost(). */
static void close_one(struct conn *conn)
{
	if (conn->is_dropped) {
		return; /* lws is closing it already */
	}
	conn->is_killed = conn->close_code == 0;
	if (conn->close_code != 0) {
		lws_close_reason(conn->wsi, conn->close_code, NULL, 0);
	}
	lws_set_timeout(conn->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
}

static void close_some(struct px_lws *lws)
{
	for (int i = 0; i < SLICE && lws->closers; i++) {
		struct conn *conn = lws->closers;
		unlink_conn(conn);
		conn->is_closer = false;
		close_one(conn); /* may free it */
	}
}

bool px_lws_end_turn(struct px_lws *lws)
{
	catch_up_some(lws);
	read_rest(lws);
	bool is_cut = px_broker_end_turn(lws->broker);
	while (lws->closers) {
		close_some(lws);
		is_cut = px_broker_end_turn(lws->broker);
		if (over_budget(lws, PX_WORK_OUT)) {
			break;
		}
	}
	pause_late(lws);
	lws->in_turn = false;
	return is_cut || lws->deferred || lws->closers;
}

uint64_t px_lws_deferred(const struct px_lws *lws)
{
	return lws->deferred_count;
}

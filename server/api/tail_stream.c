/* SPDX-License-Identifier: MIT */
/*
 * See tail_stream.h. The body of such an answer ends with the connection (RFC 9112 section 6.3),
 * which every client understands; its last line, {"end":…}, says that it is complete. A line with
 * the time comes every few seconds, so that silence means that the connection is lost.
 *
 * The request is a POST: it is an act, which the audit log records; and lws reads on behind a body,
 * so it notices at once when the client hangs up or sends more. (Behind a GET, until the
 * transaction is complete, the kernel reports unread data again and again.)
 *
 * Rejected: a WebSocket, which would make each line a message and each operator a session;
 * server-sent events, since EventSource cannot send a token.
 */
#include "tail_stream.h"
#include "api.h"
#include "core/clock.h"
#include "core/counters.h"
#include "core/peer.h"
#include "core/vhost.h"

#include <praxis/service.h>
#include <praxis/session.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TICK_MS 5000
#define END_BYTES 256 /* reserved for the last lines */

struct px_tail_stream {
	struct px_tail_stream *next;
	struct px_peer *peer;
	struct lws *wsi;
	struct px_message_tap *tap;
	int64_t expires_ms;
	int64_t since_ms; /* how long lines have been waiting, by the loop's clock */
	uint64_t missed;
	bool is_ending;
	size_t len;
	unsigned char buf[LWS_PRE + PX_TAIL_STREAM_BYTES];
};

static struct px_server *server_of(const struct px_tail_stream *stream)
{
	return stream->peer->vhost->server;
}

/* ---- lines ---- */

static void begin_line(struct px_json *json)
{
	px_json_begin(json, NULL);
	px_json_int(json, "at", px_server_wall_ms());
}

/* False: no room with `spare` bytes left. */
static bool add_line(struct px_tail_stream *stream, struct px_json *json, size_t spare)
{
	px_json_end(json);
	bool fits = !json->failed && json->len + 1 + spare <= PX_TAIL_STREAM_BYTES - stream->len;
	if (fits) {
		if (stream->len == 0) {
			stream->since_ms = (int64_t)uv_now(&server_of(stream)->loop);
		}
		memcpy(stream->buf + LWS_PRE + stream->len, json->data, json->len);
		stream->len += json->len;
		stream->buf[LWS_PRE + stream->len++] = '\n';
	}
	px_json_finish(json);
	return fits;
}

static void ask_to_write(const struct px_tail_stream *stream)
{
	lws_callback_on_writable(stream->wsi);
}

static void add_missed(struct px_tail_stream *stream, size_t spare)
{
	struct px_json json;
	begin_line(&json);
	px_json_int(&json, "missed", (int64_t)stream->missed);
	if (add_line(stream, &json, spare)) {
		stream->missed = 0;
	}
}

static void write_header(const struct px_header *header, struct px_json *json)
{
	px_json_text(json, "direction", header->direction == PX_CAME ? "in" : "out");
	if (header->service) {
		px_json_text(json, "service", header->service->name);
	}
	if (header->type) {
		px_json_text(json, "type", header->type);
	}
	if (header->session) {
		char client_id[PX_CLIENT_ID_SIZE];
		px_session_client_id(header->session, client_id);
		px_json_text(json, "clientId", client_id);
	}
	if (header->room.len > 0) {
		px_json_string(json, "roomId", header->room);
	}
	px_json_int(json, "bytes", (int64_t)header->bytes);
	if (header->direction == PX_WENT) {
		px_json_int(json, "receivers", header->receivers);
	}
	if (header->error != PX_E_COUNT) {
		px_json_text(json, "error", px_error_name(header->error));
	}
}

/* ---- writing ---- */

/* Writes what waits, if the socket takes it; -1: the connection is lost. */
static int flush(struct px_tail_stream *stream)
{
	if (stream->len == 0 || lws_partial_buffered(stream->wsi)) {
		return 0;
	}
	int n = lws_write(stream->wsi, stream->buf + LWS_PRE, stream->len, LWS_WRITE_HTTP);
	stream->len = 0;
	return n < 0 ? -1 : 0;
}

/*
 * Called during a publication: the line is buffered, and written when the turn ends; or at once, if
 * many come in one turn. After an omission, the stream continues when there is room for many lines.
 */
static void on_header(void *user, const struct px_header *header)
{
	struct px_tail_stream *stream = user;
	struct px_json json;
	if (stream->is_ending) {
		return;
	}
	if (stream->len > PX_TAIL_STREAM_BYTES / 2) {
		(void)flush(stream); /* lws will report it if the connection is lost */
	}
	if (stream->missed > 0 && stream->len <= PX_TAIL_STREAM_BYTES / 2) {
		add_missed(stream, END_BYTES);
	}
	begin_line(&json);
	write_header(header, &json);
	if (stream->missed > 0 || !add_line(stream, &json, END_BYTES)) {
		px_json_finish(&json);
		stream->missed++;
	}
	ask_to_write(stream);
}

int px_tail_stream_write(struct px_tail_stream *stream)
{
	if (stream->len == 0 && stream->missed == 0) {
		return stream->is_ending ? -1 : 0;
	}
	if (flush(stream) < 0) {
		return -1;
	}
	if (stream->missed > 0) {
		add_missed(stream, 0);
	}
	if (stream->len > 0 || stream->is_ending) {
		ask_to_write(stream);
	}
	return 0;
}

/* ---- ends ---- */

static void end(struct px_tail_stream *stream, const char *reason)
{
	struct px_json json;
	if (stream->is_ending) {
		return;
	}
	if (stream->missed > 0) {
		add_missed(stream, END_BYTES / 2);
	}
	begin_line(&json);
	px_json_text(&json, "end", reason);
	(void)add_line(stream, &json, 0);
	stream->is_ending = true;
	stream->missed = 0;
	/* At once, if possible: the process may be ending. */
	(void)flush(stream);
	ask_to_write(stream);
}

void px_tail_streams_end(struct px_server *server, const char *reason)
{
	for (struct px_tail_stream *each = server->tail_streams; each; each = each->next) {
		end(each, reason);
	}
}

/* Whether it has taken nothing for longer than a reader may. */
static bool is_stalled(const struct px_tail_stream *stream)
{
	const struct px_server *server = server_of(stream);
	int64_t waits_ms = (int64_t)uv_now(&server->loop) - stream->since_ms;
	int64_t age_ms = server->config->global.queue_age_ms;
	return age_ms > 0 && stream->len > 0 && waits_ms > age_ms;
}

static void on_tick(uv_timer_t *timer)
{
	struct px_server *server = timer->data;
	for (struct px_tail_stream *each = server->tail_streams; each; each = each->next) {
		struct px_json json;
		if (is_stalled(each)) {
			/* lws would wait until it has written the rest. */
			(void)shutdown(lws_get_socket_fd(each->wsi), SHUT_RDWR);
			continue;
		}
		if (each->expires_ms > 0 && px_server_wall_ms() >= each->expires_ms) {
			end(each, "token_expired");
			continue;
		}
		begin_line(&json);
		if (!each->is_ending) {
			(void)add_line(each, &json, END_BYTES);
		}
		px_json_finish(&json);
		ask_to_write(each);
	}
}

void px_tail_stream_drop(struct px_tail_stream *stream)
{
	if (!stream) {
		return;
	}
	struct px_server *server = server_of(stream);
	struct px_tail_stream **at = &server->tail_streams;
	while (*at != stream) {
		at = &(*at)->next;
	}
	*at = stream->next;
	server->tail_stream_count--;
	if (!server->tail_streams) {
		uv_timer_stop(&server->tail_stream_timer);
	}
	px_message_tap_close(stream->tap);
	free(stream);
}

/* ---- the beginning ---- */

static int deny(struct px_error_detail *detail, const char *sentence)
{
	*detail = (struct px_error_detail){ PX_E_UNAVAILABLE, NULL, sentence };
	return -1;
}

int px_tail_stream_begin(struct px_peer *peer, struct lws *wsi, const struct px_operator *operator,
		const struct px_message_tap_filter *wish, int64_t expires_ms,
		struct px_tail_stream **ret_stream, struct px_error_detail *ret_detail)
{
	struct px_server *server = peer->vhost->server;
	struct px_message_tap_filter own = *wish;
	if (server->tail_stream_count >= server->config->global.max_tails) {
		server->limits[PX_LIMIT_TAILS]++;
		return deny(ret_detail, "Too many tail requests are running.");
	}
	struct px_tail_stream *stream = calloc(1, sizeof(*stream));
	if (!stream) {
		return deny(ret_detail, "The server is out of memory.");
	}
	own.note = on_header;
	own.user = stream;
	stream->peer = peer;
	stream->wsi = wsi;
	stream->expires_ms = expires_ms;
	if (px_message_tap_open(operator, &own, &stream->tap, ret_detail) < 0) {
		free(stream);
		return -1;
	}
	stream->next = server->tail_streams;
	server->tail_streams = stream;
	server->tail_stream_count++;
	*ret_stream = stream;
	lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0); /* the request's timeout ends with its answer */
	if (!uv_is_active((uv_handle_t *)&server->tail_stream_timer)) {
		uv_timer_start(&server->tail_stream_timer, on_tick, TICK_MS, TICK_MS);
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * See tail_stream.h. The body of such an answer ends with the connection (RFC 9112 section 6.3), which
 * every client understands; that it is whole is said by its last line, {"end":…}. A line that says
 * what time it is comes every few seconds, so that silence means that the connection is lost.
 *
 * The request is a POST: it is an act, which the trail has; and lws reads on behind a body, so that one
 * that hangs up, or goes on talking, is gone at once. (Behind a GET, until the transaction is
 * complete, it is told by the kernel again and again of what it does not read.)
 *
 * Rejected: a WebSocket, which would make a message of each line and a session of each operator;
 * and server-sent events, since EventSource can send no token.
 */
#include "tail_stream.h"
#include "api.h"
#include "net/limits.h"
#include "net/lws.h"
#include "net/peer.h"
#include "vhost/vhost.h"

#include <praxis/service.h>
#include <praxis/session.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TICK_MS 5000
#define END_BYTES 256 /* kept free for the last lines */

struct px_onlooker {
	struct px_onlooker *next;
	struct px_peer *peer;
	struct lws *wsi;
	struct px_tail *tail;
	int64_t expires_ms;
	int64_t since_ms; /* when what waits began to wait, by the loop's clock */
	uint64_t missed;
	bool is_ending;
	size_t len;
	unsigned char buf[LWS_PRE + PX_ONLOOKER_BYTES];
};

static struct px_server *server_of(const struct px_onlooker *onlooker)
{
	return onlooker->peer->vhost->server;
}

/* ---- lines ---- */

static void begin_line(struct px_json *json)
{
	px_json_begin(json, NULL);
	px_json_int(json, "at", px_server_wall_ms());
}

/* False: there was no room, with `spare` bytes left over. */
static bool add_line(struct px_onlooker *onlooker, struct px_json *json, size_t spare)
{
	px_json_end(json);
	bool fits = !json->failed && json->len + 1 + spare <= PX_ONLOOKER_BYTES - onlooker->len;
	if (fits) {
		if (onlooker->len == 0) {
			onlooker->since_ms = (int64_t)uv_now(&server_of(onlooker)->loop);
		}
		memcpy(onlooker->buf + LWS_PRE + onlooker->len, json->data, json->len);
		onlooker->len += json->len;
		onlooker->buf[LWS_PRE + onlooker->len++] = '\n';
	}
	px_json_finish(json);
	return fits;
}

static void ask_to_write(const struct px_onlooker *onlooker)
{
	lws_callback_on_writable(onlooker->wsi);
}

static void add_missed(struct px_onlooker *onlooker, size_t spare)
{
	struct px_json json;
	begin_line(&json);
	px_json_int(&json, "missed", (int64_t)onlooker->missed);
	if (add_line(onlooker, &json, spare)) {
		onlooker->missed = 0;
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

/* What waits, if the socket takes it; -1: the connection is lost. */
static int flush(struct px_onlooker *onlooker)
{
	if (onlooker->len == 0 || lws_partial_buffered(onlooker->wsi)) {
		return 0;
	}
	int n = lws_write(onlooker->wsi, onlooker->buf + LWS_PRE, onlooker->len, LWS_WRITE_HTTP);
	onlooker->len = 0;
	return n < 0 ? -1 : 0;
}

/*
 * It is in the middle of a publication: the line is kept, and written when the turn is over; or at once,
 * where many come in one turn. Who has missed something goes on when there is room for many.
 */
static void on_header(void *user, const struct px_header *header)
{
	struct px_onlooker *onlooker = user;
	struct px_json json;
	if (onlooker->is_ending) {
		return;
	}
	if (onlooker->len > PX_ONLOOKER_BYTES / 2) {
		(void)flush(onlooker); /* lws will say so itself if the connection is lost */
	}
	if (onlooker->missed > 0 && onlooker->len <= PX_ONLOOKER_BYTES / 2) {
		add_missed(onlooker, END_BYTES);
	}
	begin_line(&json);
	write_header(header, &json);
	if (onlooker->missed > 0 || !add_line(onlooker, &json, END_BYTES)) {
		px_json_finish(&json);
		onlooker->missed++;
	}
	ask_to_write(onlooker);
}

int px_onlooker_writable(void *user, struct lws *wsi)
{
	const struct px_peer *peer = lws_get_opaque_user_data(wsi);
	struct px_onlooker *onlooker = peer ? px_request_onlooker(peer) : NULL;
	(void)user;
	if (!onlooker) {
		return 0;
	}
	if (onlooker->len == 0 && onlooker->missed == 0) {
		return onlooker->is_ending ? -1 : 0;
	}
	if (flush(onlooker) < 0) {
		return -1;
	}
	if (onlooker->missed > 0) {
		add_missed(onlooker, 0);
	}
	if (onlooker->len > 0 || onlooker->is_ending) {
		ask_to_write(onlooker);
	}
	return 0;
}

/* ---- ends ---- */

static void end(struct px_onlooker *onlooker, const char *reason)
{
	struct px_json json;
	if (onlooker->is_ending) {
		return;
	}
	if (onlooker->missed > 0) {
		add_missed(onlooker, END_BYTES / 2);
	}
	begin_line(&json);
	px_json_text(&json, "end", reason);
	(void)add_line(onlooker, &json, 0);
	onlooker->is_ending = true;
	onlooker->missed = 0;
	/* At once, where that can be: the process may be about to end. */
	(void)flush(onlooker);
	ask_to_write(onlooker);
}

void px_onlookers_end(struct px_server *server, const char *reason)
{
	for (struct px_onlooker *each = server->onlookers; each; each = each->next) {
		end(each, reason);
	}
}

/* Whether it takes nothing, for longer than any reader may. */
static bool is_stalled(const struct px_onlooker *onlooker)
{
	const struct px_server *server = server_of(onlooker);
	int64_t waits_ms = (int64_t)uv_now(&server->loop) - onlooker->since_ms;
	int64_t age_ms = server->config->global.queue_age_ms;
	return age_ms > 0 && onlooker->len > 0 && waits_ms > age_ms;
}

static void on_tick(uv_timer_t *timer)
{
	struct px_server *server = timer->data;
	for (struct px_onlooker *each = server->onlookers; each; each = each->next) {
		struct px_json json;
		if (is_stalled(each)) {
			/* lws itself would wait for what it has still to write. */
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

void px_onlooker_drop(struct px_onlooker *onlooker)
{
	if (!onlooker) {
		return;
	}
	struct px_server *server = server_of(onlooker);
	struct px_onlooker **at = &server->onlookers;
	while (*at != onlooker) {
		at = &(*at)->next;
	}
	*at = onlooker->next;
	server->onlooker_count--;
	if (!server->onlookers) {
		uv_timer_stop(&server->onlooker_timer);
	}
	px_tail_close(onlooker->tail);
	free(onlooker);
}

/* ---- the beginning ---- */

static int deny(struct px_denial *denial, const char *sentence)
{
	*denial = (struct px_denial){ PX_E_UNAVAILABLE, NULL, sentence };
	return -1;
}

int px_onlooker_begin(struct px_peer *peer, struct lws *wsi, const struct px_operator *operator,
		const struct px_tail_wish *wish, int64_t expires_ms,
		struct px_onlooker **ret_onlooker, struct px_denial *ret_denial)
{
	struct px_server *server = peer->vhost->server;
	struct px_tail_wish own = *wish;
	if (server->onlooker_count >= server->config->global.max_tails) {
		server->limits[PX_LIMIT_TAILS]++;
		return deny(ret_denial, "Too many look on already.");
	}
	struct px_onlooker *onlooker = calloc(1, sizeof(*onlooker));
	if (!onlooker) {
		return deny(ret_denial, "The server is out of memory.");
	}
	own.note = on_header;
	own.user = onlooker;
	onlooker->peer = peer;
	onlooker->wsi = wsi;
	onlooker->expires_ms = expires_ms;
	if (px_tail_open(operator, &own, &onlooker->tail, ret_denial) < 0) {
		free(onlooker);
		return -1;
	}
	onlooker->next = server->onlookers;
	server->onlookers = onlooker;
	server->onlooker_count++;
	*ret_onlooker = onlooker;
	lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0); /* that of a request ends with its answer */
	if (!uv_is_active((uv_handle_t *)&server->onlooker_timer)) {
		uv_timer_start(&server->onlooker_timer, on_tick, TICK_MS, TICK_MS);
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Restarting without loss: a server that ends saves its state for the next one on this machine. The
 * file is used once: it is moved away before any client is accepted, since a server that crashed
 * and loaded it again would contradict what clients have seen, with the same epochs and numbers.
 *
 * A file that cannot be used is kept under another name (only the latest one), and the server
 * starts without it.
 */
#include "core/server.h"
#include "base/log.h"
#include "core/clock.h"
#include "core/peer.h"
#include "core/vhost.h"
#include "net/peer.h"
#include "state.h"
#include "state_file.h"
#include "state_vhost.h"
#include "webhook/webhook.h"

#include <errno.h>
#include <praxis/host/state.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRAFT ".draft"     /* being written */
#define LOADING ".loading" /* being read: must not be read again, whatever happens */
#define REFUSED ".refused"

/* ---- saving ---- */

/* Written last, and left out first if there is no room: clients need the rest to resume. */
static int write_webhooks(struct px_server *server, const struct px_state_writer *writer)
{
	int rc = px_webhooks_save(server, writer);
	if (rc != -EFBIG) {
		return rc;
	}
	px_log(PX_LOG_ERROR, "the waiting webhook events do not fit into the state; some are lost");
	return 0;
}

static int write_state(struct px_server *server, uint64_t *ret_lines)
{
	const struct px_config_global *global = &server->config->global;
	struct px_state_file file;
	int rc = px_state_file_begin(&file, global->state_file, global->state_max_bytes,
			px_server_wall_ms());
	if (rc < 0) {
		return rc;
	}
	struct px_state_writer writer = { &file, px_state_file_line };
	for (size_t i = 0; rc == 0 && i < server->vhost_count; i++) {
		rc = px_state_vhost_write(server->vhosts[i]->config, &writer);
	}
	rc = rc < 0 ? rc : px_broker_save(server->broker, &writer);
	rc = rc < 0 ? rc : write_webhooks(server, &writer);
	*ret_lines = file.lines;
	return px_state_file_end(&file, rc);
}

int px_server_save_state(struct px_server *server)
{
	/* A server that never served leaves the previous state untouched. */
	const char *path = server->config ? server->config->global.state_file : NULL;
	uint64_t lines = 0;
	if (!path) {
		return 0;
	}
	int rc = write_state(server, &lines);
	if (rc < 0) {
		px_log(PX_LOG_ERROR, "the state could not be written to %s: %s; clients will reload "
				"their data", path,
				rc == -EFBIG ? "it is larger than state-max-bytes or the system permits" : strerror(-rc));
		return rc;
	}
	px_log(PX_LOG_NOTICE, "state: saved %llu lines for the next server",
			(unsigned long long)lines);
	server->handed_on = true;
	return 0;
}

/* ---- loading ---- */

struct loading {
	struct px_server *server;
	struct px_state_text *text;
	int64_t elapsed_ms;
	uint64_t lost; /* lines of webhooks */
	struct px_span vhosts; /* their lines */
};

/* The next line for the broker; lines of webhooks follow them, and are loaded on the way. */
static int next_line(void *user, struct px_span *ret_line)
{
	struct loading *loading = user;
	while (px_state_text_line(loading->text, ret_line)) {
		if (!px_webhooks_owns(*ret_line)) {
			return 1;
		}
		loading->lost += px_webhooks_load(loading->server, *ret_line,
				loading->elapsed_ms) < 0;
	}
	return 0;
}

/* Whether the vhost is still the same, according to the first lines. */
static bool goes_on(const struct loading *loading, const struct px_vhost *vhost)
{
	struct px_state_text vhosts = { .lines = loading->vhosts };
	struct px_span line;
	while (px_state_text_line(&vhosts, &line)) {
		if (px_state_vhost_goes_on(line, vhost->config)) {
			return true;
		}
	}
	return false;
}

/* Sessions of a vhost that was replaced cannot be resumed: as after a reload. */
static struct px_realm *find_realm(void *user, struct px_span name)
{
	const struct loading *loading = user;
	const struct px_server *server = loading->server;
	for (size_t i = 0; i < server->vhost_count; i++) {
		struct px_vhost *vhost = server->vhosts[i];
		if (px_span_equal(px_span(vhost->config->name), name)) {
			return goes_on(loading, vhost) ? &vhost->realm : NULL;
		}
	}
	return NULL;
}

/* Separates the lines of vhosts from the others; returns their number. */
static uint64_t take_vhosts(struct px_state_text *text, struct px_span *ret_vhosts)
{
	const char *begin = text->lines.data;
	struct px_state_text rest = *text;
	struct px_span line;
	uint64_t count = 0;
	while (px_state_text_line(&rest, &line) && px_state_vhost_owns(line)) {
		text->lines = rest.lines;
		count++;
	}
	*ret_vhosts = (struct px_span){ begin, (size_t)(text->lines.data - begin) };
	return count;
}

static void count_user(void *user, const struct px_session *session)
{
	px_user_hold(user, session, NULL);
}

static int load(struct px_server *server, struct px_state_text *text, int64_t elapsed_ms)
{
	struct px_state_counts counts;
	struct loading loading = {
		.server = server,
		.text = text,
		.elapsed_ms = elapsed_ms > 0 ? elapsed_ms : 0,
	};
	struct px_state_reader reader = {
		.user = &loading,
		.lines_before = take_vhosts(text, &loading.vhosts),
		.line = next_line,
		.realm = find_realm,
		.elapsed_ms = loading.elapsed_ms,
	};
	px_broker_set_time(server->broker, (int64_t)uv_now(&server->loop), px_server_wall_ms());
	int rc = px_broker_load(server->broker, &reader, &counts);
	while (rc < 0 && next_line(&loading, &(struct px_span){ 0 }) == 1) {
		/* The broker did not load its lines; waiting webhook events are loaded all the same. */
	}
	if (loading.lost > 0) {
		px_log(PX_LOG_ERROR, "state: %llu lines for webhooks are lost and will not be delivered",
				(unsigned long long)loading.lost);
	}
	if (rc < 0) {
		return rc;
	}
	px_broker_visit_detached(server->broker, count_user, server);
	px_log(PX_LOG_NOTICE, "state: loaded what was saved %lld s ago: %llu channels, %llu updates, "
			"%llu sessions", (long long)(elapsed_ms / 1000),
			(unsigned long long)counts.channels, (unsigned long long)counts.updates,
			(unsigned long long)counts.sessions);
	if (counts.dropped_channels + counts.dropped_sessions + counts.dropped_members > 0) {
		px_log(PX_LOG_WARNING, "state: dropped %llu channels, %llu sessions, %llu members that "
				"exceed the current limits", (unsigned long long)counts.dropped_channels,
				(unsigned long long)counts.dropped_sessions,
				(unsigned long long)counts.dropped_members);
	}
	return 0;
}

/* Why an intact file is of no use; NULL. */
static const char *age_fault(const struct px_server *server, int64_t elapsed_ms)
{
	int64_t max_ms = server->config->global.state_max_age_ms;
	if (elapsed_ms > max_ms) {
		return "it is older than state-max-age-s";
	}
	return elapsed_ms < -max_ms ? "its time is in the future; is the clock right?" : NULL;
}

/*
 * Moves the file away, then reads it: 0, or -errno, perhaps with a sentence. *ret_suffix is the end
 * of its name then.
 */
static int take(struct px_server *server, const char *path, const char **ret_fault,
		const char **ret_suffix)
{
	struct px_state_text text;
	int rc = px_state_file_read(path, server->config->global.state_max_bytes, &text, ret_fault);
	if (rc < 0) {
		return rc;
	}
	int64_t elapsed_ms = px_server_wall_ms() - text.saved_ms;
	*ret_fault = age_fault(server, elapsed_ms);
	rc = *ret_fault ? -EINVAL : px_state_file_move(path, "", LOADING);
	if (rc == 0) {
		*ret_suffix = LOADING;
		rc = load(server, &text, elapsed_ms);
		*ret_fault = rc == -EINVAL ? "its content is invalid" : NULL;
	}
	free(text.data);
	return rc;
}

/* If it cannot even be moved, nothing may load it later. */
static void put_aside(const char *path, const char *suffix)
{
	int rc = px_state_file_move(path, suffix, REFUSED);
	if (rc < 0 && *suffix == '\0' && truncate(path, 0) < 0) {
		px_log(PX_LOG_ERROR, "… and it cannot be moved aside: %s. Remove it.", strerror(-rc));
	}
}

void px_server_load_state(struct px_server *server)
{
	const char *path = server->config->global.state_file;
	const char *fault = NULL;
	const char *suffix = "";
	if (!path) {
		return;
	}
	/* Of a server that was killed while saving; patients' data must not be left behind. */
	(void)px_state_file_remove(path, DRAFT);
	(void)px_state_file_remove(path, LOADING);
	int rc = take(server, path, &fault, &suffix);
	if (rc == 0) {
		(void)px_state_file_remove(path, LOADING);
	} else if (rc != -ENOENT) {
		px_log(PX_LOG_ERROR, "the state in %s was not loaded: %s; clients will reload their data",
				path, fault ? fault : strerror(-rc));
		put_aside(path, suffix);
	}
}

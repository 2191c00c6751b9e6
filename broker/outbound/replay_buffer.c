/* SPDX-License-Identifier: MIT */
/*
 * Resume tokens, message numbers, and the replay buffer of a session with praxis.v1. See
 * replay_buffer.h.
 */
#include "replay_buffer.h"

#include "core/message.h"
#include "rights.h"
#include "core/broker.h"
#include "core/session.h"

#include <errno.h>
#include <praxis/hex.h>
#include <stdlib.h>
#include <string.h>

static void make_secret(struct px_session *session)
{
	struct px_broker_host *host = &session->broker->host;
	host->random(host->user, session->resume->secrets.now, PX_RESUME_SECRET);
}

int px_resume_create(struct px_session *session)
{
	struct px_resume *resume = calloc(1, sizeof(*resume));
	if (!resume) {
		return -ENOMEM;
	}
	resume->session = session;
	session->resume = resume;
	make_secret(session);
	return 0;
}

static void drop_kept(struct px_broker *broker, struct px_resume *resume)
{
	struct px_message *message = px_queue_pop(&resume->kept, &broker->queue_pool);
	broker->stats.kept_messages--;
	broker->stats.kept_bytes -= message->len;
	px_message_unref(broker, message);
}

void px_resume_destroy(struct px_session *session)
{
	struct px_broker *broker = session->broker;
	struct px_resume *resume = session->resume;
	if (!resume) {
		return;
	}
	while (!px_queue_empty(&resume->kept)) {
		drop_kept(broker, resume);
	}
	if (!session->versioned) {
		px_table_remove(&broker->reattachable, &resume->link);
	}
	explicit_bzero(&resume->secrets, sizeof(resume->secrets));
	free(resume);
	session->resume = NULL;
}

/* ---- resume tokens ---- */

void px_resume_write_secret(const uint8_t secret[PX_RESUME_SECRET],
		char text[PX_RESUME_SECRET_SIZE])
{
	px_hex_write(secret, PX_RESUME_SECRET, text);
}

bool px_resume_read_secret(struct px_span text, uint8_t ret_secret[PX_RESUME_SECRET])
{
	if (text.len != PX_RESUME_SECRET_SIZE - 1) {
		return false;
	}
	for (size_t i = 0; i < PX_RESUME_SECRET; i++) {
		int high = px_hex_lower(text.data[2 * i]);
		int low = px_hex_lower(text.data[2 * i + 1]);
		if (high < 0 || low < 0) {
			return false;
		}
		ret_secret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static void write_token(const struct px_session *session, const uint8_t secret[PX_RESUME_SECRET],
		char token[PX_RESUME_TOKEN_SIZE])
{
	px_session_client_id(session, token);
	px_resume_write_secret(secret, token + strlen(token));
}

void px_resume_write(const struct px_session *session, struct px_json *json)
{
	char token[PX_RESUME_TOKEN_SIZE];
	write_token(session, session->resume->secrets.now, token);
	px_json_open_object(json, "resume");
	px_json_text(json, "token", token);
	px_json_int(json, "graceMs", session->broker->limits.grace_ms);
	px_json_close_object(json);
}

/* In constant time. */
static bool is_token(const struct px_session *session, const uint8_t secret[PX_RESUME_SECRET],
		struct px_span token)
{
	char own[PX_RESUME_TOKEN_SIZE];
	unsigned char difference = 0;
	write_token(session, secret, own);
	for (size_t i = 0; i < PX_RESUME_TOKEN_SIZE - 1; i++) {
		difference |= (unsigned char)(own[i] ^ token.data[i]);
	}
	return difference == 0;
}

/* The client id in a token is not secret, so looking it up need not take constant time. */
struct px_session *px_resume_find(struct px_broker *broker, const struct px_realm *realm,
		struct px_span token)
{
	if (token.len != PX_RESUME_TOKEN_SIZE - 1) {
		return NULL;
	}
	struct px_session *session = px_session_find(broker,
			(struct px_span){ token.data, PX_CLIENT_ID_SIZE - 1 });
	if (!session || !session->versioned || !session->resume || session->realm != realm) {
		return NULL;
	}
	const struct px_resume_secrets *secrets = &session->resume->secrets;
	bool is_good = is_token(session, secrets->now, token) ||
			(px_resume_has_former(secrets) && is_token(session, secrets->former, token));
	return is_good ? session : NULL;
}

void px_resume_renew(struct px_session *session, struct px_span token)
{
	struct px_resume_secrets *secrets = &session->resume->secrets;
	if (is_token(session, secrets->now, token)) {
		memcpy(secrets->former, secrets->now, sizeof(secrets->former));
	}
	make_secret(session);
}

/* ---- message numbers ---- */

static bool is_over(const struct px_resume *resume, const struct px_limits *limits)
{
	return (limits->resume_messages && resume->kept.count > limits->resume_messages) ||
			(limits->resume_bytes && resume->kept.bytes > limits->resume_bytes);
}

void px_resume_wrote(struct px_session *session, struct px_message *message)
{
	struct px_broker *broker = session->broker;
	struct px_resume *resume = session->resume;
	if (!resume || message->uncounted) {
		return;
	}
	resume->sent++;
	if (px_queue_push(&resume->kept, &broker->queue_pool, message) < 0) {
		/* A gap could not be told from confirmed messages: so nothing is kept. */
		while (!px_queue_empty(&resume->kept)) {
			drop_kept(broker, resume);
		}
		return;
	}
	broker->stats.kept_messages++;
	broker->stats.kept_bytes += message->len;
	while (is_over(resume, &broker->limits)) {
		drop_kept(broker, resume);
	}
}

int px_resume_confirm(struct px_session *session, uint64_t n)
{
	struct px_resume *resume = session->resume;
	if (n > resume->sent) {
		return -ERANGE;
	}
	while (resume->sent - resume->kept.count < n) {
		drop_kept(session->broker, resume);
	}
	return 0;
}

bool px_resume_covers(const struct px_session *session, uint64_t n)
{
	const struct px_resume *resume = session->resume;
	return n <= resume->sent && n >= resume->sent - resume->kept.count;
}

void px_resume_drop_oldest(struct px_session *session)
{
	drop_kept(session->broker, session->resume);
}

void px_resume_rewind(struct px_session *session, struct px_queue *first)
{
	struct px_broker *broker = session->broker;
	struct px_resume *resume = session->resume;
	resume->sent -= resume->kept.count;
	broker->stats.kept_messages -= resume->kept.count;
	broker->stats.kept_bytes -= resume->kept.bytes;
	broker->stats.queue_bytes += resume->kept.bytes;
	px_queue_append(first, &resume->kept);
	px_queue_append(first, &session->queue);
	session->queue = *first;
	px_session_drop_muted(session);
}

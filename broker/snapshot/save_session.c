/* SPDX-License-Identifier: MIT */
/*
 * Writes detached sessions as lines (the rest is in save.c):
 *
 *   {"session":"c…","site":"default","service":"whiteboard","noticed":false,
 *    "identity":{…},"opened":["whiteboard"],"versioned":true,"age":5000,
 *    "secret":"…","former":"…","sent":12,"received":4}
 *                                                `site`: the realm; `service`: the only one; the
 *                                                last four with praxis.v1 only, `former` if valid
 *   {"kept":"…","service":"…","tenant":"…","practice":"…","room":"…"}
 *                                                written and not confirmed, oldest first, and the
 *                                                message's origin; "" is a service that is gone
 *   {"queued":"…", …}                            not written yet
 *   {"member":"telemedicine","kind":"room","practice":"1","name":"r","order":3,"heard":0,
 *    "state":{…}}
 *   {"saved":"admin","state":{…}}                a service's own state
 */
#include "core/message.h"
#include "channel/channel.h"
#include "core/broker.h"
#include "core/practice.h"
#include "core/session.h"
#include "outbound/replay_buffer.h"
#include "session/session.h"
#include "snapshot.h"

#include <errno.h>
#include <praxis/host/session.h>
#include <praxis/service.h>
#include <stdlib.h>
#include <string.h>

static void write_resume(struct px_json *json, const struct px_resume *resume)
{
	char secret[PX_RESUME_SECRET_SIZE];
	px_resume_write_secret(resume->secrets.now, secret);
	px_json_text(json, "secret", secret);
	if (px_resume_has_former(&resume->secrets)) {
		/* `resumed` may have been lost before the server ended, so the former token stays valid. */
		px_resume_write_secret(resume->secrets.former, secret);
		px_json_text(json, "former", secret);
	}
	px_json_int(json, "sent", (int64_t)resume->sent);
	px_json_int(json, "received", (int64_t)resume->received);
	explicit_bzero(secret, sizeof(secret));
}

static int save_itself(const struct px_session *session, struct px_state_save *save)
{
	struct px_json json;
	px_json_begin(&json, NULL);
	px_state_write_session(&json, session, NULL);
	px_json_bool(&json, "versioned", session->versioned);
	px_json_int(&json, "age", session->broker->timers.now_ms - session->opened_ms);
	if (session->versioned) {
		write_resume(&json, session->resume);
	}
	return px_state_put(save, &json);
}

/* Messages without a number were for the lost connection. */
static int save_queue(const struct px_queue *queue, const char *key,
		struct px_state_save *save)
{
	int rc = 0;
	for (const struct px_queue_block *block = queue->head; block; block = block->next) {
		for (uint8_t i = block->first; rc == 0 && i < block->last; i++) {
			struct px_json json;
			if (block->messages[i]->uncounted) {
				continue;
			}
			px_json_begin(&json, NULL);
			px_state_put_message(save, &json, key, block->messages[i]);
			rc = px_state_put(save, &json);
		}
	}
	return rc;
}

static int save_member(struct px_member *member, struct px_state_save *save)
{
	const struct px_channel *channel = member->channel;
	struct px_json json;
	if (!px_snapshot_ops_of(channel->service, px_span(channel->kind->name))) {
		return 0;
	}
	px_json_begin(&json, NULL);
	px_state_write_member(&json, member);
	return px_state_put(save, &json);
}

/* A session's memberships are listed latest first; loading restores that order. */
static int save_members(struct px_member *member, struct px_state_save *save)
{
	size_t count = 0;
	for (struct px_member *at = member; at; at = at->next) {
		count++;
	}
	struct px_member **list = calloc(count, sizeof(struct px_member *));
	if (!list && count > 0) {
		return -ENOMEM;
	}
	for (size_t i = count; i > 0; member = member->next) {
		list[--i] = member;
	}
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = save_member(list[i], save);
	}
	free(list);
	return rc;
}

static int save_states(const struct px_session *session, struct px_state_save *save)
{
	int rc = 0;
	for (unsigned i = 0; rc == 0 && i < session->broker->service_count; i++) {
		const struct px_service_slot *slot = &session->broker->services[i];
		struct px_json json;
		if (!(session->opened & UINT32_C(1) << i) || !slot->service->save_session) {
			continue;
		}
		px_json_begin(&json, NULL);
		px_json_text(&json, "saved", slot->service->name);
		px_json_open_object(&json, "state");
		slot->service->save_session(slot->state, session, px_session_state(session, i),
				&json);
		px_json_close_object(&json);
		rc = px_state_put(save, &json);
	}
	return rc;
}

static int save_session(const struct px_session *session, struct px_state_save *save)
{
	int rc = save_itself(session, save);
	if (session->versioned) {
		rc = rc < 0 ? rc : save_queue(&session->resume->kept, "kept", save);
		rc = rc < 0 ? rc : save_queue(&session->queue, "queued", save);
	}
	rc = rc < 0 ? rc : save_members(session->members, save);
	return rc < 0 ? rc : save_states(session, save);
}

int px_state_save_sessions(struct px_state_save *save)
{
	int rc = 0;
	for (struct px_session *session = save->broker->oldest; rc == 0 && session;
			session = session->newer) {
		if (session->phase == PX_SESSION_DETACHED && !session->realm->retired) {
			rc = save_session(session, save);
		}
	}
	return rc;
}

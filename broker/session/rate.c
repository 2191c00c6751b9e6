/* SPDX-License-Identifier: MIT */
/*
 * Rate limits of a session. A message is charged before it is parsed, since parsing an unreadable
 * message is work, too. Its answer is charged once its size is known: a request of a hundred bytes
 * may be answered with a history of 256 KiB. Acts, which are written to the audit log and reported
 * to webhooks, have a rate of their own, much lower than that of relayed messages.
 *
 * Rejected: a separate bucket for answers: a session that only asks would get twice as much as one
 * that works.
 */
#include "core/session.h"
#include "core/broker.h"
#include "dispatch.h"

#include <praxis/host/session.h>
#include <praxis/session.h>

/* Answers up to this length are included in the price of the message: receipts, errors, pongs. */
#define ANSWER_FREE_BYTES 512

/* After an answer, however large, its receiver waits no longer than this. */
#define DEBT_MAX_MS 30000

/* Messages over the rate that are tolerated within FLOOD_WINDOW_MS. */
#define FLOOD_MAX 100
#define FLOOD_WINDOW_MS 10000

int64_t px_session_take(struct px_session *session, size_t bytes)
{
	const struct px_limits *limits = &session->broker->limits;
	int64_t now_ms = session->broker->timers.now_ms;
	int64_t wait_ms = px_bucket_take(&session->messages, limits->messages_per_s,
			limits->messages_burst, 1, now_ms);
	if (wait_ms == 0) {
		wait_ms = px_bucket_take(&session->bytes, limits->bytes_per_s, limits->bytes_burst,
				(uint32_t)bytes, now_ms);
		session->broker->stats.limited_by_bytes += wait_ms > 0;
	}
	return wait_ms;
}

static int64_t take_act(const struct px_session *session, struct px_bucket *bucket)
{
	const struct px_limits *limits = &session->broker->limits;
	return px_bucket_take(bucket, limits->acts_per_s, limits->acts_burst, 1,
			session->broker->timers.now_ms);
}

int64_t px_session_act_wait(const struct px_session *session)
{
	struct px_bucket left = session->acts;
	int64_t wait_ms = take_act(session, &left);
	session->broker->stats.acts_limited += wait_ms > 0;
	return wait_ms;
}

void px_session_acted(struct px_session *session)
{
	(void)take_act(session, &session->acts);
}

void px_session_charge(struct px_session *session, uint64_t answered)
{
	const struct px_limits *limits = &session->broker->limits;
	if (answered > ANSWER_FREE_BYTES) {
		px_bucket_owe(&session->bytes, limits->bytes_per_s, limits->bytes_burst,
				answered - ANSWER_FREE_BYTES, DEBT_MAX_MS,
				session->broker->timers.now_ms);
	}
}

void px_session_count_flood(struct px_session *session)
{
	uint32_t now_ms = (uint32_t)session->broker->timers.now_ms;
	session->broker->stats.rate_limited++;
	if (session->floods == 0 || now_ms - session->floods_since_ms >= FLOOD_WINDOW_MS) {
		session->floods_since_ms = now_ms;
		session->floods = 0;
	}
	if (++session->floods > FLOOD_MAX) {
		px_session_close(session, PX_CLOSE_FLOODING);
	}
}

/* Pongs may be unsolicited (RFC 6455 section 5.5.3), so they are charged. */
void px_session_ponged(struct px_session *session)
{
	px_session_alive(session);
	if (session->phase == PX_SESSION_OPEN && px_session_take(session, 0) > 0) {
		px_session_count_flood(session);
	}
}

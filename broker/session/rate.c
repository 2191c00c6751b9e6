/* SPDX-License-Identifier: MIT */
/*
 * What a session may cost. A message takes its place in the buckets before anything looks at it,
 * for reading what nobody can read is work, too. What it is answered with is charged when it is
 * known: a question of a hundred bytes may be worth a history of 256 KiB. Acts, which the
 * audit trail and webhooks are told of for good, have a bucket of their own, far slower than
 * what is only relayed.
 *
 * Rejected: charging answers to a bucket of their own. Then one who asks and says nothing else
 * has twice as much as one who works.
 */
#include "core/session.h"
#include "core/broker.h"
#include "dispatch.h"

#include <praxis/host/session.h>
#include <praxis/session.h>

/* An answer as long as that is in the price of its question: receipts, errors, pongs. */
#define ANSWER_FREE_BYTES 512

/* However much came as an answer, its receiver may speak again after that. */
#define DEBT_MAX_MS 30000

/* Messages over its rate that a session is forgiven in a window of this length. */
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

/* Anybody may send pongs that nobody asked for (RFC 6455 section 5.5.3), as many as he likes. */
void px_session_ponged(struct px_session *session)
{
	px_session_alive(session);
	if (session->phase == PX_SESSION_OPEN && px_session_take(session, 0) > 0) {
		px_session_count_flood(session);
	}
}

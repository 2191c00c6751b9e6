/* SPDX-License-Identifier: MIT */
/*
 * Slow consumers. Before one is closed, updates in its queue that a later one with the same key
 * replaces are removed, in one pass. A pass must free an eighth of the queue's limit, or the
 * consumer is closed. So for each byte that is looked at again, an eighth was newly queued,
 * whatever is sent.
 *
 * Rejected: replacing when a message is queued, which every reader would pay for.
 */
#include "core/message.h"
#include "conflation.h"
#include "core/broker.h"
#include "core/session.h"
#include "slow_consumer.h"

#define WORTH 8

static void add(void *user, const struct px_message *message)
{
	px_conflation_add(user, message);
}

static bool keep(void *user, const struct px_message *message)
{
	return px_conflation_is(user, message);
}

uint32_t px_session_conflate(struct px_session *session, const struct px_message *next)
{
	struct px_broker *broker = session->broker;
	struct px_queue *queue = &session->queue;
	struct px_conflation conflation;
	uint32_t before = queue->bytes;
	if (px_conflation_begin(&conflation, broker, (size_t)queue->count + 1) < 0) {
		return 0;
	}
	px_queue_visit(queue, add, &conflation);
	if (next) {
		px_conflation_add(&conflation, next);
	}
	broker->stats.replaced += px_queue_filter(queue, &broker->queue_pool, broker, keep,
			&conflation);
	px_conflation_finish(&conflation);
	uint32_t freed = before - queue->bytes;
	broker->stats.queue_bytes -= freed;
	broker->stats.replaced_bytes += freed;
	return freed;
}

bool px_session_conflate_to_fit(struct px_session *session, const struct px_message *next,
		uint32_t limit)
{
	uint32_t freed = px_session_conflate(session, next);
	return px_queue_empty(&session->queue) || (uint64_t)freed * WORTH >= limit;
}

void px_session_count_slow(struct px_session *session, bool by_age)
{
	struct px_stats *stats = &session->broker->stats;
	stats->slow_readers++;
	stats->slow_by_age += by_age;
	stats->dropped += session->queue.count;
	stats->dropped_bytes += session->queue.bytes;
}

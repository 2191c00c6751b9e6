/* SPDX-License-Identifier: MIT */
/*
 * A session's outbound queue: references to shared messages, first in, first out. It is
 * made of small blocks from a pool, so that an idle session holds no memory for it and a
 * busy one asks the allocator for none.
 */
#ifndef PX_QUEUE_H
#define PX_QUEUE_H

#include <praxis/message.h>

#define PX_QUEUE_BLOCK 14

/* Holds its own bounds, so that one queue can be appended to another as it is. */
struct px_queue_block {
	struct px_queue_block *next;
	uint8_t first;
	uint8_t last;   /* index behind the last */
	uint32_t at_ms; /* first message queued, or the one before it taken: see px_queue_age_ms() */
	struct px_message *messages[PX_QUEUE_BLOCK];
};

/* Zeroed: empty. Blocks beyond its limit are freed. */
struct px_queue_pool {
	struct px_queue_block *free;
	uint32_t count;
	uint32_t now_ms; /* the low bits of the clock, set by the owner */
};

/* Zeroed: empty. */
struct px_queue {
	struct px_queue_block *head;
	struct px_queue_block *tail;
	uint32_t bytes; /* of all frames in it */
	uint32_t count;
};

void px_queue_pool_finish(struct px_queue_pool *pool);

static inline bool px_queue_empty(const struct px_queue *queue)
{
	return queue->count == 0;
}

/* Takes a reference of its own. -ENOMEM: the queue is unchanged. */
int px_queue_push(struct px_queue *queue, struct px_queue_pool *pool, struct px_message *message);

/* The first message, which stays in the queue; NULL if empty. */
struct px_message *px_queue_peek(const struct px_queue *queue);

/* Removes the first message; the caller gets its reference. The queue must not be empty. */
struct px_message *px_queue_pop(struct px_queue *queue, struct px_queue_pool *pool);

/*
 * Copies as many whole frames as fit, starting with the first; returns their bytes, and their
 * number. They stay in the queue.
 */
size_t px_queue_copy(const struct px_queue *queue, uint8_t *buf, size_t size,
		uint32_t *ret_count);

/* Whether this message (the same pointer) is in the queue. */
bool px_queue_holds(const struct px_queue *queue, const struct px_message *message);

/* Appends all messages of `from` to `queue`; cannot fail. */
void px_queue_append(struct px_queue *queue, struct px_queue *from);

/*
 * How long the first message has waited, 0 if there is none. A lower bound: counted at most since
 * the message before it was taken.
 */
uint32_t px_queue_age_ms(const struct px_queue *queue, const struct px_queue_pool *pool);

/* Restarts the waiting time of all messages. */
void px_queue_touch(struct px_queue *queue, const struct px_queue_pool *pool);

/* Calls `visit` for each message, in order. */
void px_queue_visit(const struct px_queue *queue,
		void (*visit)(void *user, const struct px_message *message), void *user);

/* Drops the messages for which `keep` returns false; returns their number. */
size_t px_queue_filter(struct px_queue *queue, struct px_queue_pool *pool,
		struct px_broker *broker,
		bool (*keep)(void *user, const struct px_message *message), void *user);

/* Replaces the messages for which `keep` returns false; returns their number. */
size_t px_queue_replace(struct px_queue *queue, struct px_broker *broker,
		bool (*keep)(void *user, const struct px_message *message), void *user,
		struct px_message *other);

/* Drops all messages; returns their number. */
size_t px_queue_clear(struct px_queue *queue, struct px_queue_pool *pool,
		struct px_broker *broker);

#endif

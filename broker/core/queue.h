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

/* Holds its own ends, so that one queue can be hung behind another as it is. */
struct px_queue_block {
	struct px_queue_block *next;
	uint8_t first;
	uint8_t last;   /* one behind the last */
	uint32_t at_ms; /* when the first came, or the one before it was taken out: not earlier */
	struct px_message *messages[PX_QUEUE_BLOCK];
};

/* Zeroed: empty. Blocks beyond its bound go back to the allocator. */
struct px_queue_pool {
	struct px_queue_block *free;
	uint32_t count;
	uint32_t now_ms; /* the low bits of the clock, for its owner to set */
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

/* Takes a reference of its own. -ENOMEM: the queue is as it was. */
int px_queue_push(struct px_queue *queue, struct px_queue_pool *pool, struct px_message *message);

/* The first message, which stays in the queue; NULL if empty. */
struct px_message *px_queue_peek(const struct px_queue *queue);

/* Takes out the first; the reference becomes the caller's. The queue must not be empty. */
struct px_message *px_queue_pop(struct px_queue *queue, struct px_queue_pool *pool);

/*
 * Copies as many whole frames as fit, from the first on; returns their bytes, and how many they
 * are. They stay in the queue.
 */
size_t px_queue_copy(const struct px_queue *queue, uint8_t *buf, size_t size,
		uint32_t *ret_count);

/* Whether that very message is in it. */
bool px_queue_holds(const struct px_queue *queue, const struct px_message *message);

/* Moves all that is in `from` behind what is in `queue`; cannot fail. */
void px_queue_append(struct px_queue *queue, struct px_queue *from);

/*
 * How long the first message has waited; 0 where there is none. It may have waited longer, but
 * not since the one before it was taken out.
 */
uint32_t px_queue_age_ms(const struct px_queue *queue, const struct px_queue_pool *pool);

/* As if all of it had come just now. */
void px_queue_touch(struct px_queue *queue, const struct px_queue_pool *pool);

/* Shows each message to `visit`, in order. */
void px_queue_visit(const struct px_queue *queue,
		void (*visit)(void *user, const struct px_message *message), void *user);

/* Drops those that `keep` says no to; returns how many. */
size_t px_queue_filter(struct px_queue *queue, struct px_queue_pool *pool,
		struct px_broker *broker,
		bool (*keep)(void *user, const struct px_message *message), void *user);

/* Puts another in the place of those that `keep` says no to; returns how many. */
size_t px_queue_replace(struct px_queue *queue, struct px_broker *broker,
		bool (*keep)(void *user, const struct px_message *message), void *user,
		struct px_message *other);

/* Drops all that is in it; returns how many messages. */
size_t px_queue_clear(struct px_queue *queue, struct px_queue_pool *pool,
		struct px_broker *broker);

#endif

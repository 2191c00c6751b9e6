/* SPDX-License-Identifier: MIT */
/* See queue.h. */
#include "queue.h"

#include "message.h"

#include <errno.h>
#include <stdlib.h>

/* Half a megabyte; more than any one turn needs for a thousand readers. */
#define POOL_MAX 4096

void px_queue_pool_finish(struct px_queue_pool *pool)
{
	while (pool->free) {
		struct px_queue_block *block = pool->free;
		pool->free = block->next;
		free(block);
	}
	pool->count = 0;
}

static struct px_queue_block *block_get(struct px_queue_pool *pool)
{
	struct px_queue_block *block = pool->free;
	if (block) {
		pool->free = block->next;
		pool->count--;
	} else {
		block = malloc(sizeof(*block));
	}
	return block;
}

static void block_put(struct px_queue_pool *pool, struct px_queue_block *block)
{
	if (pool->count >= POOL_MAX) {
		free(block);
		return;
	}
	block->next = pool->free;
	pool->free = block;
	pool->count++;
}

int px_queue_push(struct px_queue *queue, struct px_queue_pool *pool, struct px_message *message)
{
	if (!queue->tail || queue->last == PX_QUEUE_BLOCK) {
		struct px_queue_block *block = block_get(pool);
		if (!block) {
			return -ENOMEM;
		}
		block->next = NULL;
		if (queue->tail) {
			queue->tail->next = block;
		} else {
			queue->head = block;
			queue->first = 0;
		}
		queue->tail = block;
		queue->last = 0;
	}
	queue->tail->messages[queue->last++] = px_message_ref(message);
	queue->bytes += message->len;
	return 0;
}

struct px_message *px_queue_peek(const struct px_queue *queue)
{
	return px_queue_empty(queue) ? NULL : queue->head->messages[queue->first];
}

struct px_message *px_queue_pop(struct px_queue *queue, struct px_queue_pool *pool)
{
	struct px_queue_block *block = queue->head;
	struct px_message *message = block->messages[queue->first++];
	queue->bytes -= message->len;
	if (block == queue->tail ? queue->first == queue->last : queue->first == PX_QUEUE_BLOCK) {
		queue->head = block->next;
		queue->first = 0;
		if (!queue->head) {
			queue->tail = NULL;
			queue->last = 0;
		}
		block_put(pool, block);
	}
	return message;
}

size_t px_queue_clear(struct px_queue *queue, struct px_queue_pool *pool,
		struct px_broker *broker)
{
	size_t count = 0;
	while (!px_queue_empty(queue)) {
		px_message_unref(broker, px_queue_pop(queue, pool));
		count++;
	}
	return count;
}

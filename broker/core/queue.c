/* SPDX-License-Identifier: MIT */
/* See queue.h. */
#include "queue.h"

#include "message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Half a megabyte: more than one turn needs for a thousand readers. */
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
	if (!queue->tail || queue->tail->last == PX_QUEUE_BLOCK) {
		struct px_queue_block *block = block_get(pool);
		if (!block) {
			return -ENOMEM;
		}
		block->next = NULL;
		block->first = 0;
		block->last = 0;
		block->at_ms = pool->now_ms;
		if (queue->tail) {
			queue->tail->next = block;
		} else {
			queue->head = block;
		}
		queue->tail = block;
	}
	queue->tail->messages[queue->tail->last++] = px_message_ref(message);
	queue->bytes += message->len;
	queue->count++;
	return 0;
}

struct px_message *px_queue_peek(const struct px_queue *queue)
{
	return px_queue_empty(queue) ? NULL : queue->head->messages[queue->head->first];
}

struct px_message *px_queue_pop(struct px_queue *queue, struct px_queue_pool *pool)
{
	struct px_queue_block *block = queue->head;
	struct px_message *message = block->messages[block->first++];
	queue->bytes -= message->len;
	queue->count--;
	block->at_ms = pool->now_ms;
	if (block->first == block->last) {
		queue->head = block->next;
		if (!queue->head) {
			queue->tail = NULL;
		}
		block_put(pool, block);
	}
	return message;
}

size_t px_queue_copy(const struct px_queue *queue, uint8_t *buf, size_t size,
		uint32_t *ret_count)
{
	size_t len = 0;
	*ret_count = 0;
	for (const struct px_queue_block *block = queue->head; block; block = block->next) {
		for (uint8_t i = block->first; i < block->last; i++) {
			const struct px_message *message = block->messages[i];
			if (len + message->len > size) {
				return len;
			}
			memcpy(buf + len, message->frame, message->len);
			len += message->len;
			(*ret_count)++;
		}
	}
	return len;
}

bool px_queue_holds(const struct px_queue *queue, const struct px_message *message)
{
	for (const struct px_queue_block *block = queue->head; block; block = block->next) {
		for (uint8_t i = block->first; i < block->last; i++) {
			if (block->messages[i] == message) {
				return true;
			}
		}
	}
	return false;
}

void px_queue_append(struct px_queue *queue, struct px_queue *from)
{
	if (px_queue_empty(from)) {
		return;
	}
	if (queue->tail) {
		queue->tail->next = from->head;
	} else {
		queue->head = from->head;
	}
	queue->tail = from->tail;
	queue->bytes += from->bytes;
	queue->count += from->count;
	*from = (struct px_queue){ 0 };
}

uint32_t px_queue_age_ms(const struct px_queue *queue, const struct px_queue_pool *pool)
{
	return px_queue_empty(queue) ? 0 : pool->now_ms - queue->head->at_ms;
}

void px_queue_touch(struct px_queue *queue, const struct px_queue_pool *pool)
{
	for (struct px_queue_block *block = queue->head; block; block = block->next) {
		block->at_ms = pool->now_ms;
	}
}

void px_queue_visit(const struct px_queue *queue,
		void (*visit)(void *user, const struct px_message *message), void *user)
{
	for (const struct px_queue_block *block = queue->head; block; block = block->next) {
		for (uint8_t i = block->first; i < block->last; i++) {
			visit(user, block->messages[i]);
		}
	}
}

/* Compacts a block: the messages that stay move together. */
static void filter_block(struct px_queue *queue, struct px_queue_block *block,
		struct px_broker *broker,
		bool (*keep)(void *user, const struct px_message *message), void *user)
{
	uint8_t to = block->first;
	for (uint8_t i = block->first; i < block->last; i++) {
		struct px_message *message = block->messages[i];
		if (keep(user, message)) {
			block->messages[to++] = message;
		} else {
			queue->bytes -= message->len;
			queue->count--;
			px_message_unref(broker, message);
		}
	}
	block->last = to;
}

size_t px_queue_filter(struct px_queue *queue, struct px_queue_pool *pool,
		struct px_broker *broker,
		bool (*keep)(void *user, const struct px_message *message), void *user)
{
	struct px_queue_block **at = &queue->head;
	uint32_t before = queue->count;
	queue->tail = NULL;
	while (*at) {
		struct px_queue_block *block = *at;
		filter_block(queue, block, broker, keep, user);
		if (block->first == block->last) {
			*at = block->next;
			block_put(pool, block);
		} else {
			queue->tail = block;
			at = &block->next;
		}
	}
	return before - queue->count;
}

size_t px_queue_replace(struct px_queue *queue, struct px_broker *broker,
		bool (*keep)(void *user, const struct px_message *message), void *user,
		struct px_message *other)
{
	size_t count = 0;
	for (struct px_queue_block *block = queue->head; block; block = block->next) {
		for (uint8_t i = block->first; i < block->last; i++) {
			struct px_message *message = block->messages[i];
			if (message == other || keep(user, message)) {
				continue;
			}
			queue->bytes += other->len - message->len;
			block->messages[i] = px_message_ref(other);
			px_message_unref(broker, message);
			count++;
		}
	}
	return count;
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

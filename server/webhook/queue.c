/* SPDX-License-Identifier: MIT */
/*
 * See queue.h. An event is in its partition's list. A partition is found by its key in libc's
 * search tree, and is in one of three states: ready, in a list in the order in which they became
 * ready; waiting, in a heap by due time; in flight. Besides, a partition with events that are not
 * being sent is in a heap by the first of these, for finding the oldest event of all. Empty
 * partitions are freed. Nothing here walks all partitions or events, except px_webhook_queue_each()
 * and destroying a queue.
 */
#include "queue.h"

#include "base/heap.h"

#include <praxis/json.h>

#include <errno.h>
#include <search.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct event {
	struct px_webhook_batch *partition;
	struct event *next; /* in its partition */
	uint64_t number;
	int64_t came_ms;
	size_t len;
	char text[];
};

struct partitions {
	struct px_webhook_batch *first;
	struct px_webhook_batch *last;
};

/* A partition; while it is in flight, the batch at its head. */
struct px_webhook_batch {
	struct px_webhook_batch *next; /* in the list of ready ones */
	struct px_webhook_batch *prev;
	bool is_ready;
	struct px_heap_node due; /* waiting: when it is due */
	struct px_heap_node age; /* by the first event that is not being sent */
	struct event *first;
	struct event *last;
	struct event *last_sent; /* the last event of the batch; NULL: not in flight */
	uint32_t count;
	uint32_t sending;
	uint64_t bytes;
	unsigned failures;
	size_t key_len;
	const char *key; /* behind this struct, or a caller's during a search */
};

struct px_webhook_queue {
	struct px_webhook_bounds bounds;
	void *tree;
	size_t partition_count;
	struct partitions ready;
	struct px_heap waiting;
	struct px_heap by_age;
	int64_t paused_until_ms;
	uint64_t last_number;
	uint64_t sending;       /* events, and … */
	uint64_t sending_bytes; /* … their cost */
	struct px_webhook_counts counts;
};

static uint64_t cost_of(const struct event *event)
{
	return sizeof(*event) + event->len;
}

/* ---- partitions ---- */

static int compare(const void *one, const void *other)
{
	const struct px_webhook_batch *a = one;
	const struct px_webhook_batch *b = other;
	if (a->key_len != b->key_len) {
		return a->key_len < b->key_len ? -1 : 1;
	}
	return a->key_len == 0 ? 0 : memcmp(a->key, b->key, a->key_len);
}

/* Makes it neither ready nor waiting. */
static void unlink_partition(struct px_webhook_queue *queue, struct px_webhook_batch *partition)
{
	struct partitions *ready = &queue->ready;
	px_heap_remove(&queue->waiting, &partition->due);
	if (partition->is_ready) {
		*(partition->prev ? &partition->prev->next : &ready->first) = partition->next;
		*(partition->next ? &partition->next->prev : &ready->last) = partition->prev;
		partition->is_ready = false;
	}
}

static void make_ready(struct px_webhook_queue *queue, struct px_webhook_batch *partition)
{
	struct partitions *ready = &queue->ready;
	unlink_partition(queue, partition);
	partition->is_ready = true;
	partition->prev = ready->last;
	partition->next = NULL;
	*(ready->last ? &ready->last->next : &ready->first) = partition;
	ready->last = partition;
}

static void make_wait(struct px_webhook_queue *queue, struct px_webhook_batch *partition,
		int64_t due_ms)
{
	unlink_partition(queue, partition);
	px_heap_put(&queue->waiting, &partition->due, due_ms);
}

static struct px_webhook_batch *first_waiting(const struct px_webhook_queue *queue)
{
	struct px_heap_node *node = px_heap_first(&queue->waiting);
	return node ? (struct px_webhook_batch *)((char *)node -
			offsetof(struct px_webhook_batch, due)) : NULL;
}

static struct px_webhook_batch *partition_of_age(const struct px_heap_node *node)
{
	return (struct px_webhook_batch *)((char *)(uintptr_t)node -
			offsetof(struct px_webhook_batch, age));
}

/* NULL: all are being sent. */
static struct event *first_unsent(const struct px_webhook_batch *partition)
{
	return partition->last_sent ? partition->last_sent->next : partition->first;
}

/* To be called after its first event that is not being sent may have changed. */
static void settle_age(struct px_webhook_queue *queue, struct px_webhook_batch *partition)
{
	const struct event *first = first_unsent(partition);
	if (first) {
		px_heap_put(&queue->by_age, &partition->age, (int64_t)first->number);
	} else {
		px_heap_remove(&queue->by_age, &partition->age);
	}
}

/* The oldest of all that are not being sent; NULL: none. */
static struct event *oldest(const struct px_webhook_queue *queue)
{
	const struct px_heap_node *node = px_heap_first(&queue->by_age);
	return node ? first_unsent(partition_of_age(node)) : NULL;
}

/* Reserves room in both heaps, so that handling a failed delivery needs no memory. */
static int reserve_partition(struct px_webhook_queue *queue)
{
	int rc = px_heap_reserve(&queue->waiting, queue->partition_count + 1);
	return rc < 0 ? rc : px_heap_reserve(&queue->by_age, queue->partition_count + 1);
}

static struct px_webhook_batch *get_partition(struct px_webhook_queue *queue, struct px_span key)
{
	struct px_webhook_batch probe = { .key = key.data, .key_len = key.len };
	struct px_webhook_batch **found = tfind(&probe, &queue->tree, compare);
	if (found) {
		return *found;
	}
	struct px_webhook_batch *partition = reserve_partition(queue) == 0 ?
			calloc(1, sizeof(*partition) + key.len) : NULL;
	if (!partition) {
		return NULL;
	}
	if (key.len > 0) {
		memcpy(partition + 1, key.data, key.len);
	}
	partition->key = (const char *)(partition + 1);
	partition->key_len = key.len;
	if (!tsearch(partition, &queue->tree, compare)) {
		free(partition);
		return NULL;
	}
	queue->partition_count++;
	make_ready(queue, partition);
	return partition;
}

static void drop_if_empty(struct px_webhook_queue *queue, struct px_webhook_batch *partition)
{
	if (partition->count == 0) {
		unlink_partition(queue, partition);
		px_heap_remove(&queue->by_age, &partition->age);
		tdelete(partition, &queue->tree, compare);
		queue->partition_count--;
		free(partition);
	}
}

/* ---- events ---- */

/* Frees the first event of its partition, which was being sent. */
static void free_first(struct px_webhook_queue *queue, struct px_webhook_batch *partition)
{
	struct event *event = partition->first;
	uint64_t cost = cost_of(event);
	partition->first = event->next;
	if (!partition->first) {
		partition->last = NULL;
	}
	partition->count--;
	partition->bytes -= cost;
	queue->counts.events--;
	queue->counts.bytes -= cost;
	free(event);
}

/* Drops the oldest event of the partition that is not being sent, if there is one. */
static bool drop_oldest_of(struct px_webhook_queue *queue, struct px_webhook_batch *partition)
{
	struct event **link =
			partition->last_sent ? &partition->last_sent->next : &partition->first;
	struct event *event = *link;
	if (!event) {
		return false;
	}
	uint64_t cost = cost_of(event);
	*link = event->next;
	if (partition->last == event) {
		partition->last = partition->last_sent;
	}
	partition->count--;
	partition->bytes -= cost;
	queue->counts.events--;
	queue->counts.bytes -= cost;
	free(event);
	settle_age(queue, partition);
	return true;
}

static bool drop_oldest(struct px_webhook_queue *queue)
{
	struct event *event = oldest(queue);
	if (!event) {
		return false;
	}
	struct px_webhook_batch *partition = event->partition;
	(void)drop_oldest_of(queue, partition);
	drop_if_empty(queue, partition);
	return true;
}

/* ---- adding ---- */

static bool is_over(const struct px_webhook_bounds *bounds, uint64_t part, uint64_t events,
		uint64_t bytes)
{
	return events > (bounds->events + part - 1) / part || bytes > bounds->bytes / part;
}

/* Before `partition` gets another event. False: no room can be made, and nothing was dropped. */
static bool make_room(struct px_webhook_queue *queue, struct px_webhook_batch *partition,
		uint64_t cost)
{
	const struct px_webhook_bounds *bounds = &queue->bounds;
	if (queue->sending_bytes + cost > bounds->bytes || queue->sending >= bounds->events) {
		return false;
	}
	while (is_over(bounds, 2, partition->count + UINT64_C(1), partition->bytes + cost) &&
			drop_oldest_of(queue, partition)) {
		queue->counts.overflowed++;
	}
	partition->count++; /* so that it is not freed with its last event */
	bool fits = false;
	do {
		fits = !is_over(bounds, 1, queue->counts.events + 1, queue->counts.bytes + cost);
	} while (!fits && drop_oldest(queue) && ++queue->counts.overflowed);
	partition->count--;
	return fits;
}

static struct event *create_event(struct px_span text, int64_t came_ms)
{
	struct event *event = malloc(sizeof(*event) + text.len);
	if (event) {
		*event = (struct event){ .came_ms = came_ms, .len = text.len };
		memcpy(event->text, text.data, text.len);
	}
	return event;
}

int px_webhook_queue_push(struct px_webhook_queue *queue, struct px_span key,
		struct px_span text, int64_t came_ms)
{
	struct px_webhook_batch *partition = get_partition(queue, key);
	struct event *event = partition ? create_event(text, came_ms) : NULL;
	bool fits = event && make_room(queue, partition, cost_of(event));
	if (!fits) {
		queue->counts.overflowed++;
		if (partition) {
			drop_if_empty(queue, partition);
		}
		int rc = event ? -ENOSPC : -ENOMEM;
		free(event);
		return rc;
	}
	event->partition = partition;
	event->number = ++queue->last_number;
	*(partition->last ? &partition->last->next : &partition->first) = event;
	partition->last = event;
	partition->count++;
	partition->bytes += cost_of(event);
	queue->counts.events++;
	queue->counts.bytes += cost_of(event);
	settle_age(queue, partition);
	return 0;
}

void px_webhook_queue_miss(struct px_webhook_queue *queue)
{
	queue->counts.overflowed++;
}

/* ---- removing ---- */

static void wake(struct px_webhook_queue *queue, int64_t now_ms)
{
	struct px_webhook_batch *partition;
	while ((partition = first_waiting(queue)) && partition->due.key <= now_ms) {
		make_ready(queue, partition);
	}
}

struct px_webhook_batch *px_webhook_queue_take(struct px_webhook_queue *queue, int64_t now_ms)
{
	const struct px_webhook_bounds *bounds = &queue->bounds;
	wake(queue, now_ms);
	struct px_webhook_batch *partition = queue->ready.first;
	if (!partition || now_ms < queue->paused_until_ms ||
			queue->counts.in_flight >= bounds->in_flight) {
		return NULL;
	}
	unlink_partition(queue, partition);
	size_t len = 0;
	struct event *event = partition->first;
	while (event && partition->sending < bounds->batch &&
			(len == 0 || len + event->len <= PX_WEBHOOK_BATCH_BYTES)) {
		len += event->len;
		queue->sending++;
		queue->sending_bytes += cost_of(event);
		partition->last_sent = event;
		partition->sending++;
		event = event->next;
	}
	settle_age(queue, partition);
	queue->counts.in_flight++;
	return partition;
}

void px_webhook_batch_write(const struct px_webhook_batch *batch, struct px_json *json)
{
	const struct event *event = batch->first;
	for (uint32_t i = 0; i < batch->sending; i++, event = event->next) {
		px_json_raw(json, NULL, (struct px_span){ event->text, event->len });
	}
}

/* A batch is not in flight any more. */
static void land(struct px_webhook_queue *queue, struct px_webhook_batch *partition,
		const struct event *event)
{
	partition->sending--;
	queue->sending--;
	queue->sending_bytes -= cost_of(event);
}

void px_webhook_queue_delivered(struct px_webhook_queue *queue, struct px_webhook_batch *batch)
{
	queue->counts.in_flight--;
	queue->counts.delivered += batch->sending;
	while (batch->sending > 0) {
		land(queue, batch, batch->first);
		free_first(queue, batch);
	}
	batch->last_sent = NULL;
	batch->failures = 0;
	make_ready(queue, batch);
	drop_if_empty(queue, batch);
}

/* Makes the events of a batch waiting ones again. */
static void recall(struct px_webhook_queue *queue, struct px_webhook_batch *partition)
{
	for (struct event *event = partition->first; partition->sending > 0; event = event->next) {
		land(queue, partition, event);
	}
	partition->last_sent = NULL;
	settle_age(queue, partition);
	queue->counts.in_flight--;
}

static int64_t back_off_ms(unsigned failures, uint32_t random)
{
	int64_t ms = PX_WEBHOOK_RETRY_MS;
	for (unsigned i = 1; i < failures && ms < PX_WEBHOOK_RETRY_MAX_MS; i++) {
		ms *= 2;
	}
	ms = ms < PX_WEBHOOK_RETRY_MAX_MS ? ms : PX_WEBHOOK_RETRY_MAX_MS;
	return ms - (int64_t)((uint64_t)(ms / 2) * random / UINT32_MAX);
}

void px_webhook_queue_failed(struct px_webhook_queue *queue, struct px_webhook_batch *batch,
		int64_t now_ms, int64_t retry_after_ms, uint32_t random)
{
	int64_t give_up_ms = queue->bounds.give_up_ms;
	recall(queue, batch);
	if (retry_after_ms > 0) {
		queue->paused_until_ms = now_ms +
				(retry_after_ms < give_up_ms ? retry_after_ms : give_up_ms);
	}
	while (batch->first && batch->first->came_ms + give_up_ms <= now_ms) {
		(void)drop_oldest_of(queue, batch);
		queue->counts.given_up++;
	}
	batch->failures += batch->failures < 16;
	int64_t due_ms = now_ms + back_off_ms(batch->failures, random);
	/* The last attempt comes shortly before the event expires. */
	if (batch->first && batch->first->came_ms + give_up_ms < due_ms) {
		due_ms = batch->first->came_ms + give_up_ms;
	}
	make_wait(queue, batch, due_ms);
	drop_if_empty(queue, batch);
}

void px_webhook_queue_put_back(struct px_webhook_queue *queue, struct px_webhook_batch *batch)
{
	recall(queue, batch);
	make_ready(queue, batch);
}

void px_webhook_queue_flush_now(struct px_webhook_queue *queue)
{
	queue->paused_until_ms = 0;
	wake(queue, INT64_MAX);
}

void px_webhook_queue_give_up(struct px_webhook_queue *queue)
{
	while (drop_oldest(queue)) {
		queue->counts.given_up++;
	}
}

int64_t px_webhook_queue_due_ms(const struct px_webhook_queue *queue)
{
	const struct px_webhook_batch *partition = first_waiting(queue);
	int64_t at_ms = partition ? partition->due.key : INT64_MAX;
	if (queue->counts.in_flight >= queue->bounds.in_flight) {
		return INT64_MAX;
	}
	at_ms = queue->ready.first ? 0 : at_ms;
	return at_ms < queue->paused_until_ms ? queue->paused_until_ms : at_ms;
}

/* ---- the whole ---- */

int px_webhook_queue_create(struct px_webhook_queue **ret_queue)
{
	*ret_queue = calloc(1, sizeof(**ret_queue));
	return *ret_queue ? 0 : -ENOMEM;
}

static void free_partition(void *node)
{
	struct px_webhook_batch *partition = node;
	while (partition->first) {
		struct event *event = partition->first;
		partition->first = event->next;
		free(event);
	}
	free(partition);
}

void px_webhook_queue_destroy(struct px_webhook_queue *queue)
{
	if (queue) {
		tdestroy(queue->tree, free_partition);
		px_heap_finish(&queue->waiting);
		px_heap_finish(&queue->by_age);
		free(queue);
	}
}

void px_webhook_queue_set_bounds(struct px_webhook_queue *queue,
		const struct px_webhook_bounds *bounds)
{
	queue->bounds = *bounds;
}

void px_webhook_queue_counts(const struct px_webhook_queue *queue,
		struct px_webhook_counts *ret_counts)
{
	const struct event *event = oldest(queue);
	*ret_counts = queue->counts;
	ret_counts->oldest_ms = event ? event->came_ms : INT64_MAX;
}

static int by_number(const void *one, const void *other)
{
	const struct event *a = *(const struct event *const *)one;
	const struct event *b = *(const struct event *const *)other;
	return a->number < b->number ? -1 : a->number > b->number;
}

/* The events that are not being sent, oldest first; *ret_count of them. NULL. */
static const struct event **list_unsent(const struct px_webhook_queue *queue, size_t *ret_count)
{
	size_t count = 0;
	const struct event **events = malloc((queue->counts.events + 1) * sizeof(*events));
	for (uint32_t i = 0; events && i < queue->by_age.count; i++) {
		const struct event *event = first_unsent(partition_of_age(queue->by_age.nodes[i]));
		for (; event; event = event->next) {
			events[count++] = event;
		}
	}
	if (events) {
		qsort(events, count, sizeof(*events), by_number);
	}
	*ret_count = count;
	return events;
}

int px_webhook_queue_each(const struct px_webhook_queue *queue,
		int (*each)(void *user, struct px_span partition, struct px_span text,
				int64_t came_ms),
		void *user)
{
	size_t count;
	const struct event **events = list_unsent(queue, &count);
	int rc = events ? 0 : -ENOMEM;
	for (size_t i = 0; rc >= 0 && i < count; i++) {
		const struct event *event = events[i];
		rc = each(user,
				(struct px_span){ event->partition->key,
						event->partition->key_len },
				(struct px_span){ event->text, event->len }, event->came_ms);
	}
	free(events);
	return rc;
}

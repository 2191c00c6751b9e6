/* SPDX-License-Identifier: MIT */
/*
 * See webhook_queue.h. An event is in two lists: its lane's, and, while it is not being sent, the
 * list of all by age. A lane is found by its key in libc's search tree, and is in one of two lists or in
 * none: ready, in the order in which they became so; waiting, by when they are due; in flight.
 * A lane without events is not kept.
 */
#include "webhook_queue.h"

#include <praxis/json.h>

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

struct event {
	struct px_webhook_batch *lane;
	struct event *next; /* in its lane */
	struct event *older;
	struct event *newer;
	uint64_t number;
	int64_t came_ms;
	size_t len;
	char text[];
};

struct lanes {
	struct px_webhook_batch *first;
	struct px_webhook_batch *last;
};

/* A lane; while it is in flight, the batch at its head. */
struct px_webhook_batch {
	struct px_webhook_batch *next;
	struct px_webhook_batch *prev;
	struct lanes *list; /* NULL: in flight */
	struct event *first;
	struct event *last;
	struct event *last_sent; /* the last of the batch; NULL: not in flight */
	uint32_t count;
	uint32_t sending;
	uint64_t bytes;
	int64_t due_ms;
	unsigned failures;
	size_t key_len;
	const char *key; /* behind this struct, or a caller's while it is searched for */
};

struct px_webhook_queue {
	struct px_webhook_bounds bounds;
	void *tree;
	struct lanes ready;
	struct lanes waiting;
	struct event *oldest;
	struct event *newest;
	int64_t paused_until_ms;
	uint64_t last_number;
	uint64_t sending;       /* events, and … */
	uint64_t sending_bytes; /* … what they cost */
	struct px_webhook_counts counts;
};

static uint64_t cost_of(const struct event *event)
{
	return sizeof(*event) + event->len;
}

/* ---- lanes ---- */

static int compare(const void *one, const void *other)
{
	const struct px_webhook_batch *a = one;
	const struct px_webhook_batch *b = other;
	if (a->key_len != b->key_len) {
		return a->key_len < b->key_len ? -1 : 1;
	}
	return a->key_len == 0 ? 0 : memcmp(a->key, b->key, a->key_len);
}

static void unlink_lane(struct px_webhook_batch *lane)
{
	struct lanes *list = lane->list;
	if (list) {
		*(lane->prev ? &lane->prev->next : &list->first) = lane->next;
		*(lane->next ? &lane->next->prev : &list->last) = lane->prev;
		lane->list = NULL;
	}
}

/* Behind `before`, or first. */
static void link_lane(struct lanes *list, struct px_webhook_batch *before,
		struct px_webhook_batch *lane)
{
	lane->list = list;
	lane->prev = before;
	lane->next = before ? before->next : list->first;
	*(lane->next ? &lane->next->prev : &list->last) = lane;
	*(before ? &before->next : &list->first) = lane;
}

static void make_ready(struct px_webhook_queue *queue, struct px_webhook_batch *lane)
{
	unlink_lane(lane);
	link_lane(&queue->ready, queue->ready.last, lane);
}

/* From the end, since most wait the longest time there is. */
static void make_wait(struct px_webhook_queue *queue, struct px_webhook_batch *lane)
{
	struct px_webhook_batch *before = queue->waiting.last;
	while (before && before->due_ms > lane->due_ms) {
		before = before->prev;
	}
	link_lane(&queue->waiting, before, lane);
}

static struct px_webhook_batch *get_lane(struct px_webhook_queue *queue, struct px_span key)
{
	struct px_webhook_batch probe = { .key = key.data, .key_len = key.len };
	struct px_webhook_batch **found = tfind(&probe, &queue->tree, compare);
	if (found) {
		return *found;
	}
	struct px_webhook_batch *lane = calloc(1, sizeof(*lane) + key.len);
	if (!lane) {
		return NULL;
	}
	if (key.len > 0) {
		memcpy(lane + 1, key.data, key.len);
	}
	lane->key = (const char *)(lane + 1);
	lane->key_len = key.len;
	if (!tsearch(lane, &queue->tree, compare)) {
		free(lane);
		return NULL;
	}
	link_lane(&queue->ready, queue->ready.last, lane);
	return lane;
}

static void drop_if_empty(struct px_webhook_queue *queue, struct px_webhook_batch *lane)
{
	if (lane->count == 0) {
		unlink_lane(lane);
		tdelete(lane, &queue->tree, compare);
		free(lane);
	}
}

/* ---- events ---- */

/* Into the list by age; from its end, where almost all belong. */
static void link_event(struct px_webhook_queue *queue, struct event *newer, struct event *event)
{
	struct event *older = newer ? newer->older : queue->newest;
	event->older = older;
	event->newer = newer;
	*(older ? &older->newer : &queue->oldest) = event;
	*(newer ? &newer->older : &queue->newest) = event;
}

static void unlink_event(struct px_webhook_queue *queue, struct event *event)
{
	*(event->older ? &event->older->newer : &queue->oldest) = event->newer;
	*(event->newer ? &event->newer->older : &queue->newest) = event->older;
}

/* The first of its lane, and in no other list any more. */
static void free_first(struct px_webhook_queue *queue, struct px_webhook_batch *lane)
{
	struct event *event = lane->first;
	uint64_t cost = cost_of(event);
	lane->first = event->next;
	if (!lane->first) {
		lane->last = NULL;
	}
	lane->count--;
	lane->bytes -= cost;
	queue->counts.events--;
	queue->counts.bytes -= cost;
	free(event);
}

/* The oldest of the lane that is not being sent, if there is one. */
static bool drop_oldest_of(struct px_webhook_queue *queue, struct px_webhook_batch *lane)
{
	struct event **link = lane->last_sent ? &lane->last_sent->next : &lane->first;
	struct event *event = *link;
	if (!event) {
		return false;
	}
	uint64_t cost = cost_of(event);
	unlink_event(queue, event);
	*link = event->next;
	if (lane->last == event) {
		lane->last = lane->last_sent;
	}
	lane->count--;
	lane->bytes -= cost;
	queue->counts.events--;
	queue->counts.bytes -= cost;
	free(event);
	return true;
}

static bool drop_oldest(struct px_webhook_queue *queue)
{
	struct px_webhook_batch *lane = queue->oldest ? queue->oldest->lane : NULL;
	if (!lane) {
		return false;
	}
	(void)drop_oldest_of(queue, lane);
	drop_if_empty(queue, lane);
	return true;
}

/* ---- coming ---- */

static bool is_over(const struct px_webhook_bounds *bounds, uint64_t part, uint64_t events,
		uint64_t bytes)
{
	return events > (bounds->events + part - 1) / part || bytes > bounds->bytes / part;
}

/* Before `lane` gets one more. False: nothing can be done, and nothing was dropped for it. */
static bool make_room(struct px_webhook_queue *queue, struct px_webhook_batch *lane, uint64_t cost)
{
	const struct px_webhook_bounds *bounds = &queue->bounds;
	if (queue->sending_bytes + cost > bounds->bytes || queue->sending >= bounds->events) {
		return false;
	}
	while (is_over(bounds, 2, lane->count + UINT64_C(1), lane->bytes + cost) &&
			drop_oldest_of(queue, lane)) {
		queue->counts.overflowed++;
	}
	lane->count++; /* not to be dropped with its last event */
	bool fits = false;
	do {
		fits = !is_over(bounds, 1, queue->counts.events + 1, queue->counts.bytes + cost);
	} while (!fits && drop_oldest(queue) && ++queue->counts.overflowed);
	lane->count--;
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
	struct px_webhook_batch *lane = get_lane(queue, key);
	struct event *event = lane ? create_event(text, came_ms) : NULL;
	bool fits = event && make_room(queue, lane, cost_of(event));
	if (!fits) {
		queue->counts.overflowed++;
		if (lane) {
			drop_if_empty(queue, lane);
		}
		int rc = event ? -ENOSPC : -ENOMEM;
		free(event);
		return rc;
	}
	event->lane = lane;
	event->number = ++queue->last_number;
	*(lane->last ? &lane->last->next : &lane->first) = event;
	lane->last = event;
	lane->count++;
	lane->bytes += cost_of(event);
	queue->counts.events++;
	queue->counts.bytes += cost_of(event);
	link_event(queue, NULL, event);
	return 0;
}

void px_webhook_queue_miss(struct px_webhook_queue *queue)
{
	queue->counts.overflowed++;
}

/* ---- going ---- */

static void wake(struct px_webhook_queue *queue, int64_t now_ms)
{
	while (queue->waiting.first && queue->waiting.first->due_ms <= now_ms) {
		make_ready(queue, queue->waiting.first);
	}
}

struct px_webhook_batch *px_webhook_queue_take(struct px_webhook_queue *queue, int64_t now_ms)
{
	const struct px_webhook_bounds *bounds = &queue->bounds;
	wake(queue, now_ms);
	struct px_webhook_batch *lane = queue->ready.first;
	if (!lane || now_ms < queue->paused_until_ms ||
			queue->counts.in_flight >= bounds->in_flight) {
		return NULL;
	}
	unlink_lane(lane);
	size_t len = 0;
	struct event *event = lane->first;
	while (event && lane->sending < bounds->batch &&
			(len == 0 || len + event->len <= PX_WEBHOOK_BATCH_BYTES)) {
		len += event->len;
		unlink_event(queue, event);
		queue->sending++;
		queue->sending_bytes += cost_of(event);
		lane->last_sent = event;
		lane->sending++;
		event = event->next;
	}
	queue->counts.in_flight++;
	return lane;
}

void px_webhook_batch_write(const struct px_webhook_batch *batch, struct px_json *json)
{
	const struct event *event = batch->first;
	for (uint32_t i = 0; i < batch->sending; i++, event = event->next) {
		px_json_raw(json, NULL, (struct px_span){ event->text, event->len });
	}
}

/* One that is not being sent any more. */
static void land(struct px_webhook_queue *queue, struct px_webhook_batch *lane,
		const struct event *event)
{
	lane->sending--;
	queue->sending--;
	queue->sending_bytes -= cost_of(event);
}

void px_webhook_queue_delivered(struct px_webhook_queue *queue, struct px_webhook_batch *lane)
{
	queue->counts.in_flight--;
	queue->counts.delivered += lane->sending;
	while (lane->sending > 0) {
		land(queue, lane, lane->first);
		free_first(queue, lane);
	}
	lane->last_sent = NULL;
	lane->failures = 0;
	make_ready(queue, lane);
	drop_if_empty(queue, lane);
}

/* Those that were being sent are among all again, where they belong by their numbers. */
static void recall(struct px_webhook_queue *queue, struct px_webhook_batch *lane)
{
	struct event *newer = queue->oldest;
	struct event *event = lane->first;
	for (; lane->sending > 0; event = event->next) {
		land(queue, lane, event);
		while (newer && newer->number < event->number) {
			newer = newer->newer;
		}
		link_event(queue, newer, event);
	}
	lane->last_sent = NULL;
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

void px_webhook_queue_failed(struct px_webhook_queue *queue, struct px_webhook_batch *lane,
		int64_t now_ms, int64_t retry_after_ms, uint32_t random)
{
	int64_t give_up_ms = queue->bounds.give_up_ms;
	recall(queue, lane);
	if (retry_after_ms > 0) {
		queue->paused_until_ms = now_ms +
				(retry_after_ms < give_up_ms ? retry_after_ms : give_up_ms);
	}
	while (lane->first && lane->first->came_ms + give_up_ms <= now_ms) {
		(void)drop_oldest_of(queue, lane);
		queue->counts.given_up++;
	}
	lane->failures += lane->failures < 16;
	lane->due_ms = now_ms + back_off_ms(lane->failures, random);
	/* Its last try is not long before its end. */
	if (lane->first && lane->first->came_ms + give_up_ms < lane->due_ms) {
		lane->due_ms = lane->first->came_ms + give_up_ms;
	}
	make_wait(queue, lane);
	drop_if_empty(queue, lane);
}

void px_webhook_queue_put_back(struct px_webhook_queue *queue, struct px_webhook_batch *lane)
{
	recall(queue, lane);
	make_ready(queue, lane);
}

void px_webhook_queue_hurry(struct px_webhook_queue *queue)
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
	int64_t at_ms = queue->waiting.first ? queue->waiting.first->due_ms : INT64_MAX;
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

static void free_lane(void *node)
{
	struct px_webhook_batch *lane = node;
	while (lane->first) {
		struct event *event = lane->first;
		lane->first = event->next;
		free(event);
	}
	free(lane);
}

void px_webhook_queue_destroy(struct px_webhook_queue *queue)
{
	if (queue) {
		tdestroy(queue->tree, free_lane);
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
	*ret_counts = queue->counts;
	ret_counts->oldest_ms = queue->oldest ? queue->oldest->came_ms : INT64_MAX;
}

int px_webhook_queue_each(const struct px_webhook_queue *queue,
		int (*each)(void *user, struct px_span lane, struct px_span text, int64_t came_ms),
		void *user)
{
	int rc = 0;
	for (const struct event *event = queue->oldest; rc >= 0 && event; event = event->newer) {
		rc = each(user, (struct px_span){ event->lane->key, event->lane->key_len },
				(struct px_span){ event->text, event->len }, event->came_ms);
	}
	return rc;
}

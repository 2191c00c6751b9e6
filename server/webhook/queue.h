/* SPDX-License-Identifier: MIT */
/*
 * Events on their way to the application's back end. Each belongs to a partition, its practice's:
 * events of a partition are sent in order, one batch at a time, and a failed batch is retried
 * before anything behind it. Partitions do not wait for each other: a back end that fails on one
 * practice's events still gets those of the others.
 *
 * Events that could not be delivered for too long are dropped, as are events for which there is no
 * room: the oldest of a partition that takes more than half of the room, otherwise the oldest of
 * all. The latest are kept because they describe the current state: the event about a room's end
 * contains everybody who was in it.
 *
 * No clock and no sockets here. `now_ms` is the caller's, and never goes back.
 */
#ifndef PX_WEBHOOK_QUEUE_H
#define PX_WEBHOOK_QUEUE_H

#include <praxis/types.h>

struct px_json;

/* The delay of the first retry, and the maximum delay. */
#define PX_WEBHOOK_RETRY_MS 1000
#define PX_WEBHOOK_RETRY_MAX_MS 60000

/* Maximum size of a batch, unless its first event is longer. */
#define PX_WEBHOOK_BATCH_BYTES (256 * 1024)

struct px_webhook_queue;

/*
 * The events at the head of a partition that are being sent; owned by the queue until one of the
 * calls below.
 */
struct px_webhook_batch;

struct px_webhook_bounds {
	uint32_t events;
	uint64_t bytes;     /* of their texts, plus a fixed cost each */
	uint32_t batch;     /* events; at least 1 */
	uint32_t in_flight; /* batches; at least 1 */
	int64_t give_up_ms; /* maximum age of an event: then a failure is its last */
};

struct px_webhook_counts {
	uint64_t events, bytes, in_flight;         /* current */
	uint64_t delivered, given_up, overflowed;  /* events, since the start */
	int64_t oldest_ms; /* when the oldest one that is not being sent was added; INT64_MAX: none */
};

/* -ENOMEM. */
int px_webhook_queue_create(struct px_webhook_queue **ret_queue);

/* With all batches. NULL is fine. */
void px_webhook_queue_destroy(struct px_webhook_queue *queue);

/* What exceeds new limits stays until something is added. */
void px_webhook_queue_set_bounds(struct px_webhook_queue *queue,
		const struct px_webhook_bounds *bounds);

/*
 * Copies key (any bytes, may be empty) and text, a JSON object. `came_ms` may be earlier than now.
 * -ENOMEM; -ENOSPC: there is no room besides what is being sent. Either counts as an overflow.
 */
int px_webhook_queue_push(struct px_webhook_queue *queue, struct px_span key,
		struct px_span text, int64_t came_ms);

/* An event that could not be composed: counts as an overflow. */
void px_webhook_queue_miss(struct px_webhook_queue *queue);

/* A batch that is due; NULL: none, or the maximum number is in flight. */
struct px_webhook_batch *px_webhook_queue_take(struct px_webhook_queue *queue, int64_t now_ms);

/* Writes its events as elements of an open array. */
void px_webhook_batch_write(const struct px_webhook_batch *batch, struct px_json *json);

/* The three results of a batch. Delivered: frees its events. */
void px_webhook_queue_delivered(struct px_webhook_queue *queue, struct px_webhook_batch *batch);

/*
 * Failed: drops events that are too old; the others wait twice as long as the last time, less up to
 * half of that by `random` (any number). If `retry_after_ms` is not 0, the whole queue waits that
 * long, but not longer than give_up_ms.
 */
void px_webhook_queue_failed(struct px_webhook_queue *queue, struct px_webhook_batch *batch,
		int64_t now_ms, int64_t retry_after_ms, uint32_t random);

/* Unknown: it is due again, as if it had not been taken. */
void px_webhook_queue_put_back(struct px_webhook_queue *queue, struct px_webhook_batch *batch);

/* Makes everything due now. */
void px_webhook_queue_flush_now(struct px_webhook_queue *queue);

/* Drops everything that is not being sent. */
void px_webhook_queue_give_up(struct px_webhook_queue *queue);

/* When px_webhook_queue_take() may return a batch; 0: now; INT64_MAX: only after another call. */
int64_t px_webhook_queue_due_ms(const struct px_webhook_queue *queue);

void px_webhook_queue_counts(const struct px_webhook_queue *queue,
		struct px_webhook_counts *ret_counts);

/*
 * Calls `each` for every event that is not being sent, oldest first; ends when it returns less than
 * 0. -ENOMEM.
 */
int px_webhook_queue_each(const struct px_webhook_queue *queue,
		int (*each)(void *user, struct px_span partition, struct px_span text,
				int64_t came_ms),
		void *user);

#endif

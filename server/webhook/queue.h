/* SPDX-License-Identifier: MIT */
/*
 * Events on their way to the application's back end. Each goes by a lane, its practice's: what
 * is in a lane goes out in the order in which it came, one batch at a time, and what failed is
 * tried again before anything behind it. Lanes do not wait for each other: a back end that
 * chokes on one practice's events gets those of the others.
 *
 * What has failed for too long is given up, and what there is no room for, too: of a lane that
 * has more than half of the room its own oldest, else the oldest of all. The latest are kept
 * because they say how things stand: who reads of a room's end knows all who were in it.
 *
 * Neither a clock nor a socket in here. `now_ms` is the caller's, and never goes back.
 */
#ifndef PX_WEBHOOK_QUEUE_H
#define PX_WEBHOOK_QUEUE_H

#include <praxis/types.h>

struct px_json;

/* The first try after a failure, and the longest time between two. */
#define PX_WEBHOOK_RETRY_MS 1000
#define PX_WEBHOOK_RETRY_MAX_MS 60000

/* A batch ends before that, unless its first event is longer. */
#define PX_WEBHOOK_BATCH_BYTES (256 * 1024)

struct px_webhook_queue;

/* The events at the head of a lane that are being sent; the queue's until one of the ends below. */
struct px_webhook_batch;

struct px_webhook_bounds {
	uint32_t events;
	uint64_t bytes;     /* of their texts, and what each costs besides */
	uint32_t batch;     /* events; at least 1 */
	uint32_t in_flight; /* batches; at least 1 */
	int64_t give_up_ms; /* after an event's coming: a failure is its last */
};

struct px_webhook_counts {
	uint64_t events, bytes, in_flight;         /* now */
	uint64_t delivered, given_up, overflowed;  /* events, ever */
	int64_t oldest_ms; /* when the oldest came that is not being sent; INT64_MAX: none */
};

/* -ENOMEM. */
int px_webhook_queue_create(struct px_webhook_queue **ret_queue);

/* With all batches. NULL is fine. */
void px_webhook_queue_destroy(struct px_webhook_queue *queue);

/* What is over new bounds stays until something comes. */
void px_webhook_queue_set_bounds(struct px_webhook_queue *queue,
		const struct px_webhook_bounds *bounds);

/*
 * Copies key (any bytes, may be empty) and text, a JSON object. `came_ms` may be earlier than now.
 * -ENOMEM; -ENOSPC: there is no room besides what is being sent. Either counts as an overflow.
 */
int px_webhook_queue_push(struct px_webhook_queue *queue, struct px_span key,
		struct px_span text, int64_t came_ms);

/* One that could not even be put into words: it counts as an overflow. */
void px_webhook_queue_miss(struct px_webhook_queue *queue);

/* A batch that is due; NULL: none is, or as many are in flight as may be. */
struct px_webhook_batch *px_webhook_queue_take(struct px_webhook_queue *queue, int64_t now_ms);

/* Its events as elements of an array that is open. */
void px_webhook_batch_write(const struct px_webhook_batch *batch, struct px_json *json);

/* The three ends of a batch. It arrived: its events are gone. */
void px_webhook_queue_delivered(struct px_webhook_queue *queue, struct px_webhook_batch *batch);

/*
 * It did not. What is too old is given up, the rest waits: twice as long as the last time, less
 * up to half of that by `random` (any number). The whole queue waits for `retry_after_ms`, where
 * that is not 0, but not longer than give_up_ms.
 */
void px_webhook_queue_failed(struct px_webhook_queue *queue, struct px_webhook_batch *batch,
		int64_t now_ms, int64_t retry_after_ms, uint32_t random);

/* Nobody knows: it is due again, as if it had not been taken. */
void px_webhook_queue_put_back(struct px_webhook_queue *queue, struct px_webhook_batch *batch);

/* Everything that waits is due now. */
void px_webhook_queue_flush_now(struct px_webhook_queue *queue);

/* All that is not being sent is given up. */
void px_webhook_queue_give_up(struct px_webhook_queue *queue);

/* When px_webhook_queue_take() may have something; 0: now; INT64_MAX: not by itself. */
int64_t px_webhook_queue_due_ms(const struct px_webhook_queue *queue);

void px_webhook_queue_counts(const struct px_webhook_queue *queue,
		struct px_webhook_counts *ret_counts);

/*
 * Every event that is not being sent, in the order of their coming; ends with `each` below 0.
 * -ENOMEM.
 */
int px_webhook_queue_each(const struct px_webhook_queue *queue,
		int (*each)(void *user, struct px_span partition, struct px_span text,
				int64_t came_ms),
		void *user);

#endif

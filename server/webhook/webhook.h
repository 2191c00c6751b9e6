/* SPDX-License-Identifier: MIT */
/*
 * Telling the application's back end what happens (`webhook-url`, docs/webhooks.md):
 * each vhost that has a URL tells of its own sessions.
 *
 * An event becomes JSON when it happens (event.c) and waits in its vhost's queue
 * (queue.c); from a timer batches are signed and sent through http_client/http_client.c
 * (webhook.c). What is left when the server ends goes to the next one with the state (state.c).
 */
#ifndef PX_WEBHOOK_H
#define PX_WEBHOOK_H

#include "queue.h"
#include "rooms.h"

struct px_config;
struct px_config_webhook;
struct px_event;
struct px_outgoing;
struct px_plan;
struct px_server;
struct px_state_writer;

enum px_webhook_result {
	PX_WEBHOOK_TAKEN,   /* a status of 2xx */
	PX_WEBHOOK_REFUSED, /* another one */
	PX_WEBHOOK_FAILED,  /* none */
	PX_WEBHOOK_RESULTS,
};

/* One request under way. */
struct px_webhook_sending {
	struct px_webhook *webhook;
	struct px_webhook_batch *batch;
	struct px_outgoing *outgoing;
	struct px_webhook_sending *next;
	struct px_webhook_sending **link; /* what points to it */
};

/*
 * Whom a vhost tells. Goes by the vhost's name and tenant, and stays when that retires: nobody is
 * told what happened to another tenant's sessions.
 */
struct px_webhook {
	struct px_server *server;
	struct px_webhook *next;
	char *name;
	char *tenant;
	const struct px_config_webhook *config; /* NULL: nobody is told now */
	struct px_config *kept;                 /* that `config` is in, held on to */
	uint64_t mark;    /* its events' ids begin with it; no other process has it … */
	uint64_t numbers; /* … and end with one of these */
	struct px_webhook_queue *queue;
	struct px_webhook_rooms *rooms;
	struct px_webhook_sending *sending;     /* all that are under way */
	uint64_t results[PX_WEBHOOK_RESULTS];
	bool failing;               /* not everything has been delivered since something was not … */
	bool failing_told;          /* … and the log has it */
	int64_t failure_quiet_ms;   /* no line of a failure before */
	int64_t loss_quiet_ms;      /* … of what was lost before */
	uint64_t losses_told;       /* events */
};

/* All vhosts together. */
struct px_webhook_totals {
	uint64_t events, bytes, in_flight;
	uint64_t delivered, given_up, overflowed;
	uint64_t results[PX_WEBHOOK_RESULTS];
	uint64_t failing; /* vhosts */
	int64_t oldest_ms; /* how long the oldest event has been waiting; 0: none is */
};

extern const char *const px_webhook_result_names[PX_WEBHOOK_RESULTS];

/* ---- webhook.c ---- */

/* A clock that goes on until px_webhooks_stop(). */
int64_t px_webhook_now_ms(const struct px_server *server);

void px_webhook_totals(const struct px_server *server, struct px_webhook_totals *ret_totals);

/* Copies an event's text; what it costs is counted, and sent when this turn is over. */
void px_webhook_push(struct px_webhook *webhook, struct px_span partition, struct px_span text,
		int64_t came_ms);

/* What waits is tried at once. */
void px_webhooks_flush_now(struct px_server *server);

/* Whether nothing is left, or nothing of it will be tried before that time of the loop. */
bool px_webhooks_idle(const struct px_server *server, int64_t until_ms);

/* Nothing is sent any more; what was under way is in the queue again. */
void px_webhooks_stop(struct px_server *server);

/* What is left is lost, unless the next server has it; then nobody is left to be told. */
void px_webhooks_destroy(struct px_server *server);

/* ---- event.c ---- */

/* Something happened; `was_nobody`: to a session that had not authenticated until now. */
void px_webhooks_event(const struct px_event *event, bool was_unauthenticated);

/* Whoever was in that room before a restart, and is not any more, has left it. */
void px_webhook_settle(struct px_webhook *webhook, struct px_webhook_room *room);

/* ---- state.c ---- */

/* -errno, as the writer's. */
int px_webhooks_save(struct px_server *server, const struct px_state_writer *writer);

/* Whether the line is one of these, for px_webhooks_load(). */
bool px_webhooks_owns(struct px_span line);

/* Of one line. -ENOENT: that vhost tells nobody now; -EINVAL: it makes no sense; -ENOMEM. */
int px_webhooks_load(struct px_server *server, struct px_span text, int64_t elapsed_ms);

/* ---- webhook.c: steps of a plan; what is prepared stays, used or not ---- */

int px_plan_prepare_webhooks(struct px_plan *plan);
void px_plan_commit_webhooks(struct px_plan *plan);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Reporting events to the application's back end (`webhook-url`, docs/webhooks.md): each vhost with
 * a URL reports its own sessions.
 *
 * An event becomes JSON when it happens (event.c) and waits in its vhost's queue (queue.c); batches
 * are signed and sent from a timer through http_client/http_client.c (webhook.c). What is left when
 * the server ends is saved in the state for the next one (state.c).
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

/* A request in progress. */
struct px_webhook_sending {
	struct px_webhook *webhook;
	struct px_webhook_batch *batch;
	struct px_outgoing *outgoing;
	struct px_webhook_sending *next;
	struct px_webhook_sending **link; /* the pointer to it */
};

/*
 * A vhost's webhook, identified by the vhost's name and tenant; stays when the vhost retires: no
 * receiver gets events of another tenant's sessions.
 */
struct px_webhook {
	struct px_server *server;
	struct px_webhook *next;
	char *name;
	char *tenant;
	const struct px_config_webhook *config; /* NULL: no events are reported now */
	struct px_config *kept;                 /* the configuration that contains `config`, held */
	uint64_t mark;    /* prefix of its events' ids, unique to this process … */
	uint64_t numbers; /* … followed by one of these */
	struct px_webhook_queue *queue;
	struct px_webhook_rooms *rooms;
	struct px_webhook_sending *sending;     /* all in progress */
	uint64_t results[PX_WEBHOOK_RESULTS];
	bool failing;               /* a delivery failed, and not everything was delivered since … */
	bool failing_told;          /* … and that was logged */
	int64_t failure_quiet_ms;   /* no log line about failures before that */
	int64_t loss_quiet_ms;      /* … and none about losses */
	uint64_t losses_told;       /* events that were logged as lost */
};

/* All vhosts together. */
struct px_webhook_totals {
	uint64_t events, bytes, in_flight;
	uint64_t delivered, given_up, overflowed;
	uint64_t results[PX_WEBHOOK_RESULTS];
	uint64_t failing; /* vhosts */
	int64_t oldest_ms; /* age of the oldest event; 0: none */
};

extern const char *const px_webhook_result_names[PX_WEBHOOK_RESULTS];

/* ---- webhook.c ---- */

/* A clock that runs until px_webhooks_stop(). */
int64_t px_webhook_now_ms(const struct px_server *server);

void px_webhook_totals(const struct px_server *server, struct px_webhook_totals *ret_totals);

/* Copies an event's text; it is counted, and sent when this turn is over. */
void px_webhook_push(struct px_webhook *webhook, struct px_span partition, struct px_span text,
		int64_t came_ms);

/* Retries waiting events at once. */
void px_webhooks_flush_now(struct px_server *server);

/* Whether nothing is left, or nothing will be retried before that time of the loop. */
bool px_webhooks_idle(const struct px_server *server, int64_t until_ms);

/* Stops sending; requests in progress are queued again. */
void px_webhooks_stop(struct px_server *server);

/* Frees everything; what is left is lost unless it was saved. */
void px_webhooks_destroy(struct px_server *server);

/* ---- event.c ---- */

/* An event; `was_unauthenticated`: of a session that had not authenticated until now. */
void px_webhooks_event(const struct px_event *event, bool was_unauthenticated);

/* Participants from before a restart who did not return leave their rooms. */
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

/* SPDX-License-Identifier: MIT */
/*
 * See webhook.h. Requests begin and end in the loop's own callbacks, never where an event happens:
 * an event costs its text and a place in the queue, whatever the receiver does.
 *
 * Neither a URL nor a text is logged: both may contain secrets.
 */
#include "webhook.h"
#include "base/log.h"
#include "core/clock.h"
#include "core/plan.h"
#include "core/vhost.h"
#include "http_client/http_client.h"
#include "sign.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Minimum time between two log lines with the same text about one vhost. */
#define FAILURE_QUIET_MS 60000
#define LOSS_QUIET_MS 10000

const char *const px_webhook_result_names[PX_WEBHOOK_RESULTS] = {
	[PX_WEBHOOK_TAKEN] = "taken",
	[PX_WEBHOOK_REFUSED] = "refused",
	[PX_WEBHOOK_FAILED] = "failed",
};

/* The loop's time, which ends with the loop. */
int64_t px_webhook_now_ms(const struct px_server *server)
{
	return server->webhooks_stopped_ms != 0 ? server->webhooks_stopped_ms :
			(int64_t)uv_now(&server->loop);
}

/* ---- log ---- */

static struct px_webhook_counts counts_of(const struct px_webhook *webhook)
{
	struct px_webhook_counts counts;
	px_webhook_queue_counts(webhook->queue, &counts);
	return counts;
}

static uint64_t losses_of(const struct px_webhook *webhook)
{
	struct px_webhook_counts counts = counts_of(webhook);
	return counts.given_up + counts.overflowed;
}

static void tell_losses(struct px_webhook *webhook)
{
	struct px_webhook_counts counts = counts_of(webhook);
	uint64_t lost = losses_of(webhook);
	int64_t now_ms = px_webhook_now_ms(webhook->server);
	if (lost == webhook->losses_told || now_ms < webhook->loss_quiet_ms) {
		return;
	}
	px_log(PX_LOG_ERROR, "webhook of vhost %s: events lost: %llu (in total, expired: %llu, "
			"queue full: %llu)", webhook->name,
			(unsigned long long)(lost - webhook->losses_told),
			(unsigned long long)counts.given_up, (unsigned long long)counts.overflowed);
	webhook->losses_told = lost;
	webhook->loss_quiet_ms = now_ms + LOSS_QUIET_MS;
}

static void tell_failure(struct px_webhook *webhook, const char *fault, int status)
{
	int64_t now_ms = px_webhook_now_ms(webhook->server);
	webhook->failing = true;
	if (now_ms < webhook->failure_quiet_ms) {
		return;
	}
	webhook->failing_told = true;
	webhook->failure_quiet_ms = now_ms + FAILURE_QUIET_MS;
	if (fault) {
		px_log(PX_LOG_WARNING, "webhook of vhost %s: %s; will retry", webhook->name,
				fault);
	} else {
		px_log(PX_LOG_WARNING, "webhook of vhost %s: the answer is %d; will retry",
				webhook->name, status);
	}
}

static void tell_success(struct px_webhook *webhook)
{
	if (!webhook->failing || counts_of(webhook).events > 0) {
		return;
	}
	webhook->failing = false;
	if (webhook->failing_told) {
		webhook->failing_told = false;
		px_log(PX_LOG_NOTICE, "webhook of vhost %s: delivering again",
				webhook->name);
	}
}

/* ---- sending ---- */

static void on_time(uv_timer_t *timer);

static void schedule(struct px_server *server)
{
	int64_t now_ms = px_webhook_now_ms(server);
	int64_t at_ms = INT64_MAX;
	if (server->webhooks_stopped_ms != 0) {
		return;
	}
	for (struct px_webhook *each = server->webhooks; each; each = each->next) {
		int64_t due_ms = each->config ? px_webhook_queue_due_ms(each->queue) : INT64_MAX;
		if (losses_of(each) != each->losses_told && each->loss_quiet_ms < due_ms) {
			due_ms = each->loss_quiet_ms;
		}
		at_ms = due_ms < at_ms ? due_ms : at_ms;
	}
	if (at_ms == INT64_MAX) {
		uv_timer_stop(&server->webhook_timer);
	} else {
		uv_timer_start(&server->webhook_timer, on_time,
				at_ms > now_ms ? (uint64_t)(at_ms - now_ms) : 0, 0);
	}
}

static void link_sending(struct px_webhook *webhook, struct px_webhook_sending *sending)
{
	sending->next = webhook->sending;
	sending->link = &webhook->sending;
	if (sending->next) {
		sending->next->link = &sending->next;
	}
	webhook->sending = sending;
}

static void unlink_sending(struct px_webhook_sending *sending)
{
	*sending->link = sending->next;
	if (sending->next) {
		sending->next->link = sending->link;
	}
}

static void fail(struct px_webhook *webhook, struct px_webhook_batch *batch,
		int64_t retry_after_ms)
{
	uint32_t random = 0;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random)) {
		random = 0; /* then all retries come at once, which is harmless */
	}
	px_webhook_queue_failed(webhook->queue, batch, px_webhook_now_ms(webhook->server),
			retry_after_ms, random);
	tell_losses(webhook);
}

static int64_t to_ms(int64_t seconds)
{
	return seconds > INT64_MAX / 1000 ? INT64_MAX : seconds * 1000;
}

static void on_answer(void *user, const struct px_http_client_answer *answer)
{
	struct px_webhook_sending *sending = user;
	struct px_webhook *webhook = sending->webhook;
	bool taken = answer->status >= 200 && answer->status < 300;
	px_turn_begin(&webhook->server->turn, uv_hrtime());
	unlink_sending(sending);
	webhook->results[taken ? PX_WEBHOOK_TAKEN : answer->status != 0 ? PX_WEBHOOK_REFUSED :
			PX_WEBHOOK_FAILED]++;
	if (taken) {
		px_webhook_queue_delivered(webhook->queue, sending->batch);
		tell_success(webhook);
	} else {
		tell_failure(webhook, answer->fault, answer->status);
		fail(webhook, sending->batch, to_ms(answer->retry_after_s));
	}
	free(sending);
	schedule(webhook->server);
}

static int ask(struct px_webhook_sending *sending, struct px_span body)
{
	struct px_webhook *webhook = sending->webhook;
	const struct px_config_webhook *config = webhook->config;
	char signature[PX_WEBHOOK_SIGNATURE_SIZE];
	int rc = px_webhook_sign(px_span(config->secret), px_server_wall_ms() / 1000, body, signature);
	return rc < 0 ? rc :
			px_http_client_ask(webhook->server->http_client, &(struct px_http_client_request){
				.url = config->url,
				.body = body,
				.signature = px_span(signature),
				.timeout_ms = (long)config->timeout_ms,
				.max_in_flight = UINT_MAX, /* the queue limits them */
				.done = on_answer,
				.user = sending,
			}, &sending->outgoing);
}

static int send_out(struct px_webhook_sending *sending)
{
	struct px_json json;
	px_json_begin(&json, NULL);
	px_json_int(&json, "sentAt", px_server_wall_ms());
	px_json_open_array(&json, "events");
	px_webhook_batch_write(sending->batch, &json);
	px_json_close_array(&json);
	px_json_end(&json);
	int rc = json.failed ? -ENOMEM : ask(sending, (struct px_span){ json.data, json.len });
	px_json_finish(&json);
	return rc;
}

/* Without memory, it counts as if the receiver had not answered. */
static void begin(struct px_webhook *webhook, struct px_webhook_batch *batch)
{
	struct px_webhook_sending *sending = calloc(1, sizeof(*sending));
	if (sending) {
		sending->webhook = webhook;
		sending->batch = batch;
		if (send_out(sending) == 0) {
			link_sending(webhook, sending);
			return;
		}
		free(sending);
	}
	webhook->results[PX_WEBHOOK_FAILED]++;
	tell_failure(webhook, "out of memory for the request", 0);
	fail(webhook, batch, 0);
}

/* Requests may be long and many: at least one per turn, the rest in the following turns. */
static void on_time(uv_timer_t *timer)
{
	struct px_server *server = timer->data;
	int64_t now_ms = px_webhook_now_ms(server);
	bool over_budget = false;
	px_turn_begin(&server->turn, uv_hrtime());
	for (struct px_webhook *each = server->webhooks; each; each = each->next) {
		struct px_webhook_batch *batch;
		while (each->config && !over_budget &&
				(batch = px_webhook_queue_take(each->queue, now_ms))) {
			begin(each, batch);
			over_budget = px_server_over_budget(server, PX_WORK_IN);
		}
		tell_losses(each);
	}
	schedule(server);
}

void px_webhook_push(struct px_webhook *webhook, struct px_span partition, struct px_span text,
		int64_t came_ms)
{
	(void)px_webhook_queue_push(webhook->queue, partition, text, came_ms);
	if (webhook->server->webhooks_stopped_ms == 0) {
		uv_timer_start(&webhook->server->webhook_timer, on_time, 0, 0);
	}
}

/* ---- configuration ---- */

static struct px_webhook *find(const struct px_server *server, const struct px_config_vhost *vhost)
{
	struct px_webhook *each = server->webhooks;
	while (each && (strcmp(each->name, vhost->name) != 0 ||
			strcmp(each->tenant, vhost->tenant) != 0)) {
		each = each->next;
	}
	return each;
}

static void destroy(struct px_webhook *webhook)
{
	px_webhook_queue_destroy(webhook->queue);
	px_webhook_rooms_destroy(webhook->rooms);
	px_config_destroy(webhook->kept);
	free(webhook->name);
	free(webhook->tenant);
	free(webhook);
}

static int create(struct px_server *server, const struct px_config_vhost *vhost)
{
	struct px_webhook *webhook = calloc(1, sizeof(*webhook));
	if (!webhook) {
		return -ENOMEM;
	}
	webhook->server = server;
	webhook->name = strdup(vhost->name);
	webhook->tenant = strdup(vhost->tenant);
	if (getrandom(&webhook->mark, sizeof(webhook->mark), 0) != sizeof(webhook->mark) ||
			!webhook->name || !webhook->tenant ||
			px_webhook_queue_create(&webhook->queue) < 0 ||
			px_webhook_rooms_create(&webhook->rooms) < 0) {
		destroy(webhook);
		return -ENOMEM;
	}
	webhook->next = server->webhooks;
	server->webhooks = webhook;
	return 0;
}

int px_plan_prepare_webhooks(struct px_plan *plan)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < plan->config->vhost_count; i++) {
		const struct px_config_vhost *vhost = &plan->config->vhosts[i];
		if (vhost->webhook && !find(plan->server, vhost)) {
			rc = create(plan->server, vhost);
		}
	}
	return rc;
}

/* Requests in progress are queued again. */
static void recall(struct px_webhook *webhook)
{
	while (webhook->sending) {
		struct px_webhook_sending *sending = webhook->sending;
		px_http_client_cancel(sending->outgoing);
		px_webhook_queue_put_back(webhook->queue, sending->batch);
		unlink_sending(sending);
		free(sending);
	}
}

/* A vhost without a webhook does not report later what happens in between. */
static void switch_off(struct px_webhook *webhook)
{
	recall(webhook);
	px_webhook_queue_give_up(webhook->queue);
	struct px_webhook_room *room;
	while ((room = px_webhook_rooms_take(webhook->rooms))) {
		px_webhook_room_destroy(room);
	}
	px_config_destroy(webhook->kept);
	webhook->kept = NULL;
	webhook->config = NULL;
	webhook->failing = webhook->failing_told = false;
	tell_losses(webhook);
}

static void configure(struct px_webhook *webhook, struct px_config *config,
		const struct px_config_webhook *wanted)
{
	px_config_share(config);
	px_config_destroy(webhook->kept);
	webhook->kept = config;
	webhook->config = wanted;
	px_webhook_queue_set_bounds(webhook->queue, &(struct px_webhook_bounds){
		.events = wanted->queue_events,
		.bytes = wanted->queue_bytes,
		.batch = wanted->batch,
		.in_flight = wanted->max,
		.give_up_ms = wanted->give_up_ms,
	});
	px_webhook_rooms_set_bound(webhook->rooms, wanted->queue_bytes);
}

/* A replaced vhost keeps its webhook: its sessions are only disconnected now. */
void px_plan_commit_webhooks(struct px_plan *plan)
{
	for (size_t i = 0; i < plan->config->vhost_count; i++) {
		const struct px_config_vhost *vhost = &plan->config->vhosts[i];
		struct px_webhook *webhook = find(plan->server, vhost);
		plan->in_force[i]->webhook = webhook;
		if (webhook && vhost->webhook) {
			configure(webhook, plan->config, vhost->webhook);
		} else if (webhook && webhook->config) {
			switch_off(webhook);
		}
	}
	/* A new URL need not wait for the old one's failures; the same one loses little. */
	px_webhooks_flush_now(plan->server);
}

/* ---- all webhooks ---- */

void px_webhook_totals(const struct px_server *server, struct px_webhook_totals *ret_totals)
{
	int64_t now_ms = px_webhook_now_ms(server);
	*ret_totals = (struct px_webhook_totals){ 0 };
	for (const struct px_webhook *each = server->webhooks; each; each = each->next) {
		struct px_webhook_counts counts = counts_of(each);
		ret_totals->events += counts.events;
		ret_totals->bytes += counts.bytes;
		ret_totals->in_flight += counts.in_flight;
		ret_totals->delivered += counts.delivered;
		ret_totals->given_up += counts.given_up;
		ret_totals->overflowed += counts.overflowed;
		ret_totals->failing += each->failing;
		for (int i = 0; i < PX_WEBHOOK_RESULTS; i++) {
			ret_totals->results[i] += each->results[i];
		}
		if (counts.oldest_ms < now_ms - ret_totals->oldest_ms) {
			ret_totals->oldest_ms = now_ms - counts.oldest_ms;
		}
	}
}

void px_webhooks_flush_now(struct px_server *server)
{
	for (struct px_webhook *each = server->webhooks; each; each = each->next) {
		px_webhook_queue_flush_now(each->queue);
	}
	schedule(server);
}

bool px_webhooks_idle(const struct px_server *server, int64_t until_ms)
{
	for (const struct px_webhook *each = server->webhooks; each; each = each->next) {
		if (each->config && (each->sending ||
				px_webhook_queue_due_ms(each->queue) < until_ms)) {
			return false;
		}
	}
	return true;
}

void px_webhooks_stop(struct px_server *server)
{
	server->webhooks_stopped_ms = px_webhook_now_ms(server);
	uv_timer_stop(&server->webhook_timer);
	for (struct px_webhook *each = server->webhooks; each; each = each->next) {
		recall(each);
	}
}

void px_webhooks_destroy(struct px_server *server)
{
	while (server->webhooks) {
		struct px_webhook *webhook = server->webhooks;
		server->webhooks = webhook->next;
		if (!server->handed_on) {
			px_webhook_queue_give_up(webhook->queue);
			webhook->loss_quiet_ms = 0;
			tell_losses(webhook);
		}
		destroy(webhook);
	}
}

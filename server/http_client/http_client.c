/* SPDX-License-Identifier: MIT */
/*
 * Requests to the back end, from start to answer. Every answer, fetched or cached, is delivered in
 * the next turn of the loop, when no other code is running. So `done` may do anything, and neither
 * this nor curl is re-entered. Rejected: answering when curl reports the end of a transfer; a turn
 * of the loop costs less than the cases in which that must not be done.
 */
#include "http_client_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Idle connections that are kept. */
#define CONNECTIONS_MAX 32

#define HANDLES 3

static void list_add(struct px_outgoing_list *list, struct px_outgoing *outgoing)
{
	outgoing->list = list;
	outgoing->next = NULL;
	outgoing->prev = list->last;
	*(list->last ? &list->last->next : &list->first) = outgoing;
	list->last = outgoing;
	list->count++;
}

static void list_remove(struct px_outgoing *outgoing)
{
	struct px_outgoing_list *list = outgoing->list;
	if (!list) {
		return;
	}
	*(outgoing->prev ? &outgoing->prev->next : &list->first) = outgoing->next;
	*(outgoing->next ? &outgoing->next->prev : &list->last) = outgoing->prev;
	list->count--;
	outgoing->list = NULL;
}

/* The requester has nothing to cancel any more. */
static void part(struct px_outgoing *outgoing)
{
	if (outgoing->owner) {
		*outgoing->owner = NULL;
		outgoing->owner = NULL;
	}
}

/* ---- requests in flight to one URL ---- */

static struct px_http_client_target *find_target(const struct px_http_client *http_client,
		const char *url)
{
	struct px_http_client_target *each = http_client->targets;
	while (each && strcmp(each->url, url) != 0) {
		each = each->next;
	}
	return each;
}

static int count_in(struct px_outgoing *outgoing, const char *url)
{
	struct px_http_client *http_client = outgoing->http_client;
	struct px_http_client_target *target = find_target(http_client, url);
	size_t size = strlen(url) + 1;
	if (!target) {
		target = malloc(sizeof(*target) + size);
		if (!target) {
			return -ENOMEM;
		}
		target->in_flight = 0;
		memcpy(target->url, url, size);
		target->next = http_client->targets;
		http_client->targets = target;
	}
	target->in_flight++;
	outgoing->target = target;
	return 0;
}

static void count_out(struct px_outgoing *outgoing)
{
	struct px_http_client_target *target = outgoing->target;
	struct px_http_client_target **link = &outgoing->http_client->targets;
	outgoing->target = NULL;
	if (!target || --target->in_flight > 0) {
		return;
	}
	while (*link != target) {
		link = &(*link)->next;
	}
	*link = target->next;
	free(target);
}

/* ---- the end of a request ---- */

static void destroy(struct px_outgoing *outgoing)
{
	struct px_http_client *http_client = outgoing->http_client;
	if (outgoing->list == &http_client->in_flight) {
		curl_multi_remove_handle(http_client->multi, outgoing->easy);
	}
	part(outgoing);
	list_remove(outgoing);
	count_out(outgoing);
	px_outgoing_hang_up(outgoing);
	px_outgoing_forget(outgoing);
	free(outgoing);
}

static void on_idle(uv_idle_t *idle)
{
	struct px_http_client *http_client = idle->data;
	/* Only those that are there now: a requester that always asks again must not stall the loop. */
	for (size_t n = http_client->answered.count; n > 0 && http_client->answered.first; n--) {
		struct px_outgoing *outgoing = http_client->answered.first;
		list_remove(outgoing);
		part(outgoing);
		outgoing->done(outgoing->user, &outgoing->answer);
		destroy(outgoing);
	}
	if (!http_client->answered.first) {
		uv_idle_stop(&http_client->idle);
	}
}

static void answer(struct px_outgoing *outgoing)
{
	struct px_http_client *http_client = outgoing->http_client;
	list_add(&http_client->answered, outgoing);
	uv_idle_start(&http_client->idle, on_idle);
}

static void on_sweep(uv_timer_t *sweeper)
{
	struct px_http_client *http_client = sweeper->data;
	int64_t now_ms = (int64_t)uv_now(http_client->loop);
	int64_t next_ms = px_http_client_cache_sweep(&http_client->cache, now_ms);
	if (next_ms != INT64_MAX) {
		uv_timer_start(sweeper, on_sweep, (uint64_t)(next_ms - now_ms), 0);
	}
}

/* Caches only decisions of the back end; no failures or redirects. */
static void keep(struct px_outgoing *outgoing)
{
	struct px_http_client *http_client = outgoing->http_client;
	int status = outgoing->answer.status;
	if (outgoing->cache_s == 0 || (status != 200 && status != 401 && status != 403)) {
		return;
	}
	int64_t until_ms = (int64_t)uv_now(http_client->loop) + (int64_t)outgoing->cache_s * 1000;
	(void)px_http_client_cache_store(&http_client->cache, outgoing->key, &outgoing->answer,
			until_ms);
	on_sweep(&http_client->sweeper);
}

/* The transfer has ended: the request is answered. */
static void end(struct px_outgoing *outgoing, CURLcode code)
{
	px_outgoing_judge(outgoing, code);
	curl_multi_remove_handle(outgoing->http_client->multi, outgoing->easy);
	list_remove(outgoing);
	count_out(outgoing);
	/* Not later: `done` may destroy the client, and curl with it. */
	px_outgoing_hang_up(outgoing);
	keep(outgoing);
	answer(outgoing);
}

/* 1: answered; 0: the back end must be asked; -ENOMEM. */
static int look_up(struct px_outgoing *outgoing, const struct px_http_client_request *request)
{
	struct px_http_client *http_client = outgoing->http_client;
	if (outgoing->cache_s == 0) {
		return 0;
	}
	int rc = px_http_client_key(request, outgoing->key);
	if (rc < 0) {
		return rc;
	}
	const struct px_http_client_entry *entry = px_http_client_cache_find(&http_client->cache,
			outgoing->key, (int64_t)uv_now(http_client->loop));
	if (!entry) {
		return 0;
	}
	rc = px_outgoing_reserve(outgoing, entry->body_len);
	if (rc < 0) {
		return rc;
	}
	if (entry->body_len > 0) {
		memcpy(outgoing->body, entry->body, entry->body_len);
	}
	outgoing->answer.status = entry->status;
	outgoing->answer.body.len = entry->body_len;
	outgoing->answer.cached = true;
	answer(outgoing);
	return 1;
}

/* By URL: one practice's hanging back end must not keep others' clients out. */
static bool is_busy(const struct px_http_client *http_client,
		const struct px_http_client_request *request)
{
	const struct px_http_client_target *target = find_target(http_client, request->url);
	return (target ? target->in_flight : 0) >= request->max_in_flight;
}

static int send_out(struct px_outgoing *outgoing, const struct px_http_client_request *request)
{
	struct px_http_client *http_client = outgoing->http_client;
	if (is_busy(http_client, request)) {
		return -EBUSY;
	}
	int rc = count_in(outgoing, request->url);
	rc = rc < 0 ? rc : px_outgoing_prepare(outgoing, request);
	if (rc < 0) {
		return rc;
	}
	if (curl_multi_add_handle(http_client->multi, outgoing->easy) != CURLM_OK) {
		return -ENOMEM;
	}
	list_add(&http_client->in_flight, outgoing);
	return 0;
}

int px_http_client_ask(struct px_http_client *http_client,
		const struct px_http_client_request *request, struct px_outgoing **ret_outgoing)
{
	int rc = px_http_client_check(request);
	if (rc < 0) {
		return rc;
	}
	struct px_outgoing *outgoing = calloc(1, sizeof(*outgoing));
	if (!outgoing) {
		return -ENOMEM;
	}
	outgoing->http_client = http_client;
	outgoing->done = request->done;
	outgoing->user = request->user;
	outgoing->cache_s = request->cache_s;
	outgoing->tells = request->body.data != NULL;
	rc = look_up(outgoing, request);
	rc = rc == 0 ? send_out(outgoing, request) : rc;
	if (rc < 0) {
		destroy(outgoing);
		return rc;
	}
	outgoing->owner = ret_outgoing;
	*ret_outgoing = outgoing;
	return 0;
}

void px_http_client_cancel(struct px_outgoing *outgoing)
{
	if (outgoing) {
		destroy(outgoing);
	}
}

int px_http_client_create(uv_loop_t *loop, struct px_http_client **ret_backend)
{
	struct px_http_client *http_client = calloc(1, sizeof(*http_client));
	if (!http_client || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(http_client);
		return -ENOMEM;
	}
	http_client->multi = curl_multi_init();
	if (!http_client->multi) {
		curl_global_cleanup();
		free(http_client);
		return -ENOMEM;
	}
	http_client->loop = loop;
	uv_timer_init(loop, &http_client->timer);
	uv_timer_init(loop, &http_client->sweeper);
	uv_idle_init(loop, &http_client->idle);
	http_client->open_handles = HANDLES;
	http_client->timer.data = http_client;
	http_client->sweeper.data = http_client;
	http_client->idle.data = http_client;
	/* The sweep must not keep the loop alive. */
	uv_unref((uv_handle_t *)&http_client->sweeper);
	curl_multi_setopt(http_client->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_MAX);
	px_http_client_loop_attach(http_client, end);
	*ret_backend = http_client;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct px_http_client *http_client = handle->data;
	if (--http_client->open_handles == 0) {
		free(http_client);
	}
}

void px_http_client_destroy(struct px_http_client *http_client)
{
	if (!http_client) {
		return;
	}
	while (http_client->in_flight.first) {
		destroy(http_client->in_flight.first);
	}
	while (http_client->answered.first) {
		destroy(http_client->answered.first);
	}
	(void)px_http_client_cache_sweep(&http_client->cache, INT64_MAX);
	/* May still call on_socket() and on_timer(): before the handles close. */
	curl_multi_cleanup(http_client->multi);
	px_http_client_loop_detach(http_client);
	curl_global_cleanup();
	uv_close((uv_handle_t *)&http_client->timer, on_closed);
	uv_close((uv_handle_t *)&http_client->sweeper, on_closed);
	uv_close((uv_handle_t *)&http_client->idle, on_closed);
}

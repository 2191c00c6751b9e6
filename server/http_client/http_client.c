/* SPDX-License-Identifier: MIT */
/*
 * Questions to the back end, from being asked to being answered. Every answer, fetched or
 * cached, takes the same last step: it waits in a list for the next turn of the loop, where
 * nobody is in the middle of anything. So `done` may do what it likes, and neither asking nor
 * curl is ever entered twice. Rejected: answering from where curl tells the end of a transfer;
 * a turn of the loop costs less than the cases in which that must not be done.
 */
#include "http_client_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Idle connections that are kept open. */
#define CONNECTIONS_MAX 32

#define HANDLES 3

static void list_add(struct px_inquiry_list *list, struct px_inquiry *inquiry)
{
	inquiry->list = list;
	inquiry->next = NULL;
	inquiry->prev = list->last;
	*(list->last ? &list->last->next : &list->first) = inquiry;
	list->last = inquiry;
	list->count++;
}

static void list_remove(struct px_inquiry *inquiry)
{
	struct px_inquiry_list *list = inquiry->list;
	if (!list) {
		return;
	}
	*(inquiry->prev ? &inquiry->prev->next : &list->first) = inquiry->next;
	*(inquiry->next ? &inquiry->next->prev : &list->last) = inquiry->prev;
	list->count--;
	inquiry->list = NULL;
}

/* Whoever asked has nothing to cancel any more. */
static void part(struct px_inquiry *inquiry)
{
	if (inquiry->owner) {
		*inquiry->owner = NULL;
		inquiry->owner = NULL;
	}
}

/* ---- how many are in flight to one URL ---- */

static struct px_backend_target *find_target(const struct px_backend *backend, const char *url)
{
	struct px_backend_target *each = backend->targets;
	while (each && strcmp(each->url, url) != 0) {
		each = each->next;
	}
	return each;
}

static int count_in(struct px_inquiry *inquiry, const char *url)
{
	struct px_backend *backend = inquiry->backend;
	struct px_backend_target *target = find_target(backend, url);
	size_t size = strlen(url) + 1;
	if (!target) {
		target = malloc(sizeof(*target) + size);
		if (!target) {
			return -ENOMEM;
		}
		target->in_flight = 0;
		memcpy(target->url, url, size);
		target->next = backend->targets;
		backend->targets = target;
	}
	target->in_flight++;
	inquiry->target = target;
	return 0;
}

static void count_out(struct px_inquiry *inquiry)
{
	struct px_backend_target *target = inquiry->target;
	struct px_backend_target **link = &inquiry->backend->targets;
	inquiry->target = NULL;
	if (!target || --target->in_flight > 0) {
		return;
	}
	while (*link != target) {
		link = &(*link)->next;
	}
	*link = target->next;
	free(target);
}

/* ---- the end of a question ---- */

static void destroy(struct px_inquiry *inquiry)
{
	struct px_backend *backend = inquiry->backend;
	if (inquiry->list == &backend->in_flight) {
		curl_multi_remove_handle(backend->multi, inquiry->easy);
	}
	part(inquiry);
	list_remove(inquiry);
	count_out(inquiry);
	px_inquiry_hang_up(inquiry);
	px_inquiry_forget(inquiry);
	free(inquiry);
}

static void on_idle(uv_idle_t *idle)
{
	struct px_backend *backend = idle->data;
	/* Those only that are there now: who always asks again must not stop the loop. */
	for (size_t n = backend->answered.count; n > 0 && backend->answered.first; n--) {
		struct px_inquiry *inquiry = backend->answered.first;
		list_remove(inquiry);
		part(inquiry);
		inquiry->done(inquiry->user, &inquiry->answer);
		destroy(inquiry);
	}
	if (!backend->answered.first) {
		uv_idle_stop(&backend->idle);
	}
}

static void answer(struct px_inquiry *inquiry)
{
	struct px_backend *backend = inquiry->backend;
	list_add(&backend->answered, inquiry);
	uv_idle_start(&backend->idle, on_idle);
}

static void on_sweep(uv_timer_t *sweeper)
{
	struct px_backend *backend = sweeper->data;
	int64_t now_ms = (int64_t)uv_now(backend->loop);
	int64_t next_ms = px_backend_cache_sweep(&backend->cache, now_ms);
	if (next_ms != INT64_MAX) {
		uv_timer_start(sweeper, on_sweep, (uint64_t)(next_ms - now_ms), 0);
	}
}

/* Only what the back end decided; not that it was ill, nor where it would rather be asked. */
static void keep(struct px_inquiry *inquiry)
{
	struct px_backend *backend = inquiry->backend;
	int status = inquiry->answer.status;
	if (inquiry->cache_s == 0 || (status != 200 && status != 401 && status != 403)) {
		return;
	}
	int64_t until_ms = (int64_t)uv_now(backend->loop) + (int64_t)inquiry->cache_s * 1000;
	(void)px_backend_cache_store(&backend->cache, inquiry->key, &inquiry->answer, until_ms);
	on_sweep(&backend->sweeper);
}

void px_inquiry_end(struct px_inquiry *inquiry, CURLcode code)
{
	px_inquiry_judge(inquiry, code);
	curl_multi_remove_handle(inquiry->backend->multi, inquiry->easy);
	list_remove(inquiry);
	count_out(inquiry);
	/* Not later: `done` may destroy the back end, and curl with it. */
	px_inquiry_hang_up(inquiry);
	keep(inquiry);
	answer(inquiry);
}

/* 1: it is answered; 0: the back end must be asked; -ENOMEM. */
static int look_up(struct px_inquiry *inquiry, const struct px_backend_request *request)
{
	struct px_backend *backend = inquiry->backend;
	if (inquiry->cache_s == 0) {
		return 0;
	}
	int rc = px_backend_key(request, inquiry->key);
	if (rc < 0) {
		return rc;
	}
	const struct px_backend_entry *entry = px_backend_cache_find(&backend->cache, inquiry->key,
			(int64_t)uv_now(backend->loop));
	if (!entry) {
		return 0;
	}
	rc = px_inquiry_reserve(inquiry, entry->body_len);
	if (rc < 0) {
		return rc;
	}
	if (entry->body_len > 0) {
		memcpy(inquiry->body, entry->body, entry->body_len);
	}
	inquiry->answer.status = entry->status;
	inquiry->answer.body.len = entry->body_len;
	inquiry->answer.cached = true;
	answer(inquiry);
	return 1;
}

/* By URL: one practice's back end that hangs must not keep the others' clients out. */
static bool is_busy(const struct px_backend *backend, const struct px_backend_request *request)
{
	const struct px_backend_target *target = find_target(backend, request->url);
	return (target ? target->in_flight : 0) >= request->max_in_flight;
}

static int send_out(struct px_inquiry *inquiry, const struct px_backend_request *request)
{
	struct px_backend *backend = inquiry->backend;
	if (is_busy(backend, request)) {
		return -EBUSY;
	}
	int rc = count_in(inquiry, request->url);
	rc = rc < 0 ? rc : px_inquiry_prepare(inquiry, request);
	if (rc < 0) {
		return rc;
	}
	if (curl_multi_add_handle(backend->multi, inquiry->easy) != CURLM_OK) {
		return -ENOMEM;
	}
	list_add(&backend->in_flight, inquiry);
	return 0;
}

int px_backend_ask(struct px_backend *backend, const struct px_backend_request *request,
		struct px_inquiry **ret_inquiry)
{
	int rc = px_backend_check(request);
	if (rc < 0) {
		return rc;
	}
	struct px_inquiry *inquiry = calloc(1, sizeof(*inquiry));
	if (!inquiry) {
		return -ENOMEM;
	}
	inquiry->backend = backend;
	inquiry->done = request->done;
	inquiry->user = request->user;
	inquiry->cache_s = request->cache_s;
	inquiry->tells = request->body.data != NULL;
	rc = look_up(inquiry, request);
	rc = rc == 0 ? send_out(inquiry, request) : rc;
	if (rc < 0) {
		destroy(inquiry);
		return rc;
	}
	inquiry->owner = ret_inquiry;
	*ret_inquiry = inquiry;
	return 0;
}

void px_backend_cancel(struct px_inquiry *inquiry)
{
	if (inquiry) {
		destroy(inquiry);
	}
}

int px_backend_create(uv_loop_t *loop, struct px_backend **ret_backend)
{
	struct px_backend *backend = calloc(1, sizeof(*backend));
	if (!backend || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(backend);
		return -ENOMEM;
	}
	backend->multi = curl_multi_init();
	if (!backend->multi) {
		curl_global_cleanup();
		free(backend);
		return -ENOMEM;
	}
	backend->loop = loop;
	uv_timer_init(loop, &backend->timer);
	uv_timer_init(loop, &backend->sweeper);
	uv_idle_init(loop, &backend->idle);
	backend->open_handles = HANDLES;
	backend->timer.data = backend;
	backend->sweeper.data = backend;
	backend->idle.data = backend;
	/* Nobody waits for a sweep. */
	uv_unref((uv_handle_t *)&backend->sweeper);
	curl_multi_setopt(backend->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_MAX);
	px_backend_loop_attach(backend);
	*ret_backend = backend;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct px_backend *backend = handle->data;
	if (--backend->open_handles == 0) {
		free(backend);
	}
}

void px_backend_destroy(struct px_backend *backend)
{
	if (!backend) {
		return;
	}
	while (backend->in_flight.first) {
		destroy(backend->in_flight.first);
	}
	while (backend->answered.first) {
		destroy(backend->answered.first);
	}
	(void)px_backend_cache_sweep(&backend->cache, INT64_MAX);
	/* May still call on_socket() and on_timer(): before the handles close. */
	curl_multi_cleanup(backend->multi);
	px_backend_loop_detach(backend);
	curl_global_cleanup();
	uv_close((uv_handle_t *)&backend->timer, on_closed);
	uv_close((uv_handle_t *)&backend->sweeper, on_closed);
	uv_close((uv_handle_t *)&backend->idle, on_closed);
}

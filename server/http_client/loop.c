/* SPDX-License-Identifier: MIT */
/*
 * curl's transfers on the server's loop: curl tells which descriptors it waits for and how long,
 * the loop tells when they are ready. Callbacks must not return errors, which would make curl give
 * up the multi handle with all its requests; a transfer that cannot be polled for lack of memory
 * ends at its time limit. Rejected: a blocking thread for each request. It is simpler, but needs a
 * lock for every answer, and a stack for each request that a hanging back end collects.
 */
#include "http_client_internal.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

/* Frees itself when the loop has released it, so it may outlive the client. */
struct px_http_client_watch {
	uv_poll_t poll;
	struct px_http_client *http_client;
	struct px_http_client_watch *next;
	struct px_http_client_watch **link; /* what points to it */
	curl_socket_t fd;
};

static void collect(struct px_http_client *http_client)
{
	CURLMsg *message;
	int left;
	while ((message = curl_multi_info_read(http_client->multi, &left))) {
		if (message->msg == CURLMSG_DONE) {
			CURLcode code = message->data.result;
			struct px_outgoing *outgoing = NULL;
			curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &outgoing);
			http_client->on_end(outgoing, code); /* and the message is invalid now */
		}
	}
}

/*
 * curl may start a thread here, which resolves a name and may outlive everything else. Signals of
 * the process must not be delivered to it, so that the loop's thread can block them at the end.
 */
static void act(struct px_http_client *http_client, curl_socket_t fd, int events)
{
	sigset_t all;
	sigset_t before;
	int running;
	sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	(void)curl_multi_socket_action(http_client->multi, fd, events, &running);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	collect(http_client);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct px_http_client_watch *watch = poll->data;
	int flags = status < 0 ? CURL_CSELECT_ERR : 0;
	flags |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
	flags |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
	act(watch->http_client, watch->fd, flags);
}

static void on_timeout(uv_timer_t *timer)
{
	act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static struct px_http_client_watch *open_watch(struct px_http_client *http_client, curl_socket_t fd)
{
	struct px_http_client_watch *watch = calloc(1, sizeof(*watch));
	if (!watch || uv_poll_init(http_client->loop, &watch->poll, fd) < 0) {
		free(watch);
		return NULL;
	}
	watch->poll.data = watch;
	watch->http_client = http_client;
	watch->fd = fd;
	watch->next = http_client->watches;
	watch->link = &http_client->watches;
	if (watch->next) {
		watch->next->link = &watch->next;
	}
	http_client->watches = watch;
	curl_multi_assign(http_client->multi, fd, watch);
	return watch;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void close_watch(struct px_http_client_watch *watch)
{
	*watch->link = watch->next;
	if (watch->next) {
		watch->next->link = watch->link;
	}
	uv_close((uv_handle_t *)&watch->poll, on_closed);
}

/* curl asks for REMOVE before it closes a descriptor; the loop would abort() on a closed one. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *socket_user)
{
	struct px_http_client *http_client = user;
	struct px_http_client_watch *watch = socket_user;
	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watch) {
			close_watch(watch);
		}
		return 0;
	}
	if (!watch) {
		watch = open_watch(http_client, fd);
	}
	if (watch) {
		int events = (what & CURL_POLL_IN ? UV_READABLE : 0) |
				(what & CURL_POLL_OUT ? UV_WRITABLE : 0);
		uv_poll_start(&watch->poll, events, on_poll);
	}
	return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *user)
{
	struct px_http_client *http_client = user;
	(void)multi;
	if (timeout_ms < 0) {
		uv_timer_stop(&http_client->timer);
	} else {
		uv_timer_start(&http_client->timer, on_timeout, (uint64_t)timeout_ms, 0);
	}
	return 0;
}

void px_http_client_loop_attach(struct px_http_client *http_client,
		void (*on_end)(struct px_outgoing *outgoing, CURLcode code))
{
	http_client->on_end = on_end;
	curl_multi_setopt(http_client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(http_client->multi, CURLMOPT_SOCKETDATA, http_client);
	curl_multi_setopt(http_client->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(http_client->multi, CURLMOPT_TIMERDATA, http_client);
}

void px_http_client_loop_detach(struct px_http_client *http_client)
{
	while (http_client->watches) {
		close_watch(http_client->watches);
	}
}

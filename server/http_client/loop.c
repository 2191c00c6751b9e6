/* SPDX-License-Identifier: MIT */
/*
 * curl's transfers on the server's loop: curl says which descriptors it waits for and how long,
 * the loop says when that came about. Nothing here can fail loudly: a callback that returns an
 * error makes curl give up the multi handle, and with it every question ever after; a transfer
 * that is not watched for want of memory only ends at its own time limit.
 * Rejected: a thread that blocks for each question. It is simpler, and is a lock on every
 * answer, and a stack for each of the questions that a hanging back end collects.
 */
#include "http_client_internal.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

/* Frees itself when the loop has let go of it, so it may outlive the back end. */
struct px_backend_watch {
	uv_poll_t poll;
	struct px_backend *backend;
	struct px_backend_watch *next;
	struct px_backend_watch **link; /* what points to it */
	curl_socket_t fd;
};

static void collect(struct px_backend *backend)
{
	CURLMsg *message;
	int left;
	while ((message = curl_multi_info_read(backend->multi, &left))) {
		if (message->msg == CURLMSG_DONE) {
			CURLcode code = message->data.result;
			struct px_inquiry *inquiry = NULL;
			curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &inquiry);
			px_inquiry_end(inquiry, code); /* and the message is gone */
		}
	}
}

/*
 * curl may begin a thread here, which looks up a name and may outlive all the rest. No signal of the
 * process is to be delivered to it: the loop's thread can then hold them back when it ends.
 */
static void act(struct px_backend *backend, curl_socket_t fd, int events)
{
	sigset_t all;
	sigset_t before;
	int running;
	sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	(void)curl_multi_socket_action(backend->multi, fd, events, &running);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	collect(backend);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct px_backend_watch *watch = poll->data;
	int flags = status < 0 ? CURL_CSELECT_ERR : 0;
	flags |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
	flags |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
	act(watch->backend, watch->fd, flags);
}

static void on_timeout(uv_timer_t *timer)
{
	act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static struct px_backend_watch *open_watch(struct px_backend *backend, curl_socket_t fd)
{
	struct px_backend_watch *watch = calloc(1, sizeof(*watch));
	if (!watch || uv_poll_init(backend->loop, &watch->poll, fd) < 0) {
		free(watch);
		return NULL;
	}
	watch->poll.data = watch;
	watch->backend = backend;
	watch->fd = fd;
	watch->next = backend->watches;
	watch->link = &backend->watches;
	if (watch->next) {
		watch->next->link = &watch->next;
	}
	backend->watches = watch;
	curl_multi_assign(backend->multi, fd, watch);
	return watch;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void close_watch(struct px_backend_watch *watch)
{
	*watch->link = watch->next;
	if (watch->next) {
		watch->next->link = watch->link;
	}
	uv_close((uv_handle_t *)&watch->poll, on_closed);
}

/* curl asks for REMOVE before it closes a descriptor; the loop would abort() on a dead one. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *socket_user)
{
	struct px_backend *backend = user;
	struct px_backend_watch *watch = socket_user;
	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watch) {
			close_watch(watch);
		}
		return 0;
	}
	if (!watch) {
		watch = open_watch(backend, fd);
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
	struct px_backend *backend = user;
	(void)multi;
	if (timeout_ms < 0) {
		uv_timer_stop(&backend->timer);
	} else {
		uv_timer_start(&backend->timer, on_timeout, (uint64_t)timeout_ms, 0);
	}
	return 0;
}

void px_backend_loop_attach(struct px_backend *backend)
{
	curl_multi_setopt(backend->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(backend->multi, CURLMOPT_SOCKETDATA, backend);
	curl_multi_setopt(backend->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(backend->multi, CURLMOPT_TIMERDATA, backend);
}

void px_backend_loop_detach(struct px_backend *backend)
{
	while (backend->watches) {
		close_watch(backend->watches);
	}
}

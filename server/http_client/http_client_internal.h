/* SPDX-License-Identifier: MIT */
/*
 * Shared by the files of the HTTP client only.
 *
 * The way of a request: http_client.c takes it and looks for an answer in cache.c; otherwise
 * request.c makes a transfer, loop.c runs it, request.c interprets the result, and http_client.c
 * delivers it in the next turn of the loop.
 */
#ifndef PX_HTTP_CLIENT_INTERNAL_H
#define PX_HTTP_CLIENT_INTERNAL_H

#include "http_client.h"

#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>

/* SHA-256 of a request. */
#define PX_HTTP_CLIENT_KEY_SIZE 32

#define PX_HTTP_CLIENT_SLOTS 1024

struct px_http_client_entry {
	struct px_http_client_entry *next;   /* in its slot */
	struct px_http_client_entry *sooner; /* in the order in which they end */
	struct px_http_client_entry *later;
	unsigned char key[PX_HTTP_CLIENT_KEY_SIZE];
	int64_t until_ms;
	int status;
	size_t body_len;
	char body[];
};

/* Zeroed: empty. */
struct px_http_client_cache {
	struct px_http_client_entry *slots[PX_HTTP_CLIENT_SLOTS];
	struct px_http_client_entry *first; /* ends next */
	struct px_http_client_entry *last;
	size_t count;
	size_t body_bytes;
};

struct px_outgoing_list {
	struct px_outgoing *first;
	struct px_outgoing *last;
	size_t count;
};

/* A URL with requests in flight. Their number is limited by the configuration. */
struct px_http_client_target {
	struct px_http_client_target *next;
	size_t in_flight;
	char url[];
};

/* A descriptor of curl's (loop.c). */
struct px_http_client_watch;

struct px_outgoing {
	struct px_http_client *http_client;
	struct px_http_client_target *target; /* where it is counted; NULL: nowhere */
	struct px_outgoing **owner;        /* the requester's pointer to this; NULL: none any more */
	struct px_outgoing_list *list; /* in flight or answered; NULL: in neither */
	struct px_outgoing *next;
	struct px_outgoing *prev;
	void (*done)(void *user, const struct px_http_client_answer *answer);
	void *user;
	unsigned cache_s;
	bool tells; /* a POST */
	unsigned char key[PX_HTTP_CLIENT_KEY_SIZE]; /* if cache_s is not 0 */

	CURL *easy; /* NULL: nothing in progress */
	struct curl_slist *headers;
	size_t header_bytes; /* received */
	size_t body_bytes;   /* received, stored or not */
	bool too_large;
	bool head_open;      /* the header is not complete */
	char *body;
	size_t body_size;
	struct px_http_client_answer answer;
};

struct px_http_client {
	uv_loop_t *loop;
	CURLM *multi;
	void (*on_end)(struct px_outgoing *outgoing, CURLcode code);
	uv_timer_t timer;   /* curl's */
	uv_timer_t sweeper; /* drops expired cache entries */
	uv_idle_t idle;     /* active while answers wait to be delivered */
	unsigned open_handles;
	struct px_http_client_watch *watches;
	struct px_http_client_target *targets;
	struct px_outgoing_list in_flight;
	struct px_outgoing_list answered;
	struct px_http_client_cache cache;
};

/* ---- request.c ---- */

/* 0 or -EINVAL, as px_http_client_ask(). */
int px_http_client_check(const struct px_http_client_request *request);

/* -ENOMEM. */
int px_http_client_key(const struct px_http_client_request *request,
		unsigned char ret_key[PX_HTTP_CLIENT_KEY_SIZE]);

/* Makes the transfer. -ENOMEM: it may be incomplete, call px_outgoing_hang_up(). */
int px_outgoing_prepare(struct px_outgoing *outgoing, const struct px_http_client_request *request);

/* Makes room for a body of that size, keeping what there is. -ENOMEM. */
int px_outgoing_reserve(struct px_outgoing *outgoing, size_t size);

/* Fills in the answer from what arrived and how it ended. */
void px_outgoing_judge(struct px_outgoing *outgoing, CURLcode code);

/* Frees the transfer, which backend->multi must no longer have, and wipes what was sent. */
void px_outgoing_hang_up(struct px_outgoing *outgoing);

/* Wipes and frees the body. */
void px_outgoing_forget(struct px_outgoing *outgoing);

/* ---- certificates.c ---- */

/* As px_http_client_missing_certificates(), for a file or a directory; either may be NULL. */
const char *px_http_client_lacking(const char *file, const char *directory);

/* ---- loop.c ---- */

/* Lets the loop run the transfers of http_client->multi. Each that is over goes to `on_end`. */
void px_http_client_loop_attach(struct px_http_client *http_client,
		void (*on_end)(struct px_outgoing *outgoing, CURLcode code));

/* curl's leftovers do not call back any more. */
void px_http_client_loop_detach(struct px_http_client *http_client);

/* ---- cache.c ---- */

/* NULL: none, or expired. Valid until the next store or sweep. */
const struct px_http_client_entry *px_http_client_cache_find(
		const struct px_http_client_cache *cache,
		const unsigned char key[PX_HTTP_CLIENT_KEY_SIZE], int64_t now_ms);

/* Replaces the entry with that key; drops others to make room. -ENOMEM. */
int px_http_client_cache_store(struct px_http_client_cache *cache,
		const unsigned char key[PX_HTTP_CLIENT_KEY_SIZE],
		const struct px_http_client_answer *answer, int64_t until_ms);

/* Drops expired entries. Returns when the next one expires; INT64_MAX: there is none. */
int64_t px_http_client_cache_sweep(struct px_http_client_cache *cache, int64_t now_ms);

#endif

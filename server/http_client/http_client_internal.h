/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the back end's client share. Nobody else includes this.
 *
 * The way of a question: http_client.c takes it and looks whether cache.c has the answer;
 * else request.c makes a transfer of it, loop.c runs that, request.c
 * says what came of it, and http_client.c hands that over in the next turn of the loop.
 */
#ifndef PX_BACKEND_INTERNAL_H
#define PX_BACKEND_INTERNAL_H

#include "http_client.h"

#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>

/* SHA-256 of a request. */
#define PX_BACKEND_KEY_SIZE 32

#define PX_BACKEND_SLOTS 1024

struct px_backend_entry {
	struct px_backend_entry *next;   /* in its slot */
	struct px_backend_entry *sooner; /* in the order in which they end */
	struct px_backend_entry *later;
	unsigned char key[PX_BACKEND_KEY_SIZE];
	int64_t until_ms;
	int status;
	size_t body_len;
	char body[];
};

/* Zeroed: empty. */
struct px_backend_cache {
	struct px_backend_entry *slots[PX_BACKEND_SLOTS];
	struct px_backend_entry *first; /* ends next */
	struct px_backend_entry *last;
	size_t count;
	size_t body_bytes;
};

struct px_inquiry_list {
	struct px_inquiry *first;
	struct px_inquiry *last;
	size_t count;
};

/* A URL with questions in flight. There are as many as the configuration has URLs. */
struct px_backend_target {
	struct px_backend_target *next;
	size_t in_flight;
	char url[];
};

/* A descriptor of curl's (loop.c). */
struct px_backend_watch;

struct px_inquiry {
	struct px_backend *backend;
	struct px_backend_target *target; /* where it is counted; NULL: nowhere */
	struct px_inquiry **owner;        /* the asker's pointer to this; NULL: none any more */
	struct px_inquiry_list *list; /* in flight or answered; NULL: in none */
	struct px_inquiry *next;
	struct px_inquiry *prev;
	void (*done)(void *user, const struct px_backend_answer *answer);
	void *user;
	unsigned cache_s;
	bool tells; /* a POST */
	unsigned char key[PX_BACKEND_KEY_SIZE]; /* where cache_s is not 0 */

	CURL *easy; /* NULL: nothing is under way */
	struct curl_slist *headers;
	size_t header_bytes; /* that came */
	size_t body_bytes;   /* that came, kept or not */
	bool too_large;
	bool head_open;      /* its last line is still to come */
	char *body;
	size_t body_size;
	struct px_backend_answer answer;
};

struct px_backend {
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t timer;   /* curl's */
	uv_timer_t sweeper; /* drops from the cache what is over */
	uv_idle_t idle;     /* active while something is answered: hands it over */
	unsigned open_handles;
	struct px_backend_watch *watches;
	struct px_backend_target *targets;
	struct px_inquiry_list in_flight;
	struct px_inquiry_list answered;
	struct px_backend_cache cache;
};

/* ---- http_client.c ---- */

/* The transfer is over: the question is answered. */
void px_inquiry_end(struct px_inquiry *inquiry, CURLcode code);

/* ---- request.c ---- */

/* 0 or -EINVAL, as px_backend_ask() says. */
int px_backend_check(const struct px_backend_request *request);

/* -ENOMEM. */
int px_backend_key(const struct px_backend_request *request,
		unsigned char ret_key[PX_BACKEND_KEY_SIZE]);

/* Makes the transfer. -ENOMEM: some of it may be made, and is px_inquiry_hang_up()'s. */
int px_inquiry_prepare(struct px_inquiry *inquiry, const struct px_backend_request *request);

/* Room for a body of that size, keeping what there is. -ENOMEM. */
int px_inquiry_reserve(struct px_inquiry *inquiry, size_t size);

/* Fills in the answer, from what came and how it ended. */
void px_inquiry_judge(struct px_inquiry *inquiry, CURLcode code);

/* Frees the transfer, which backend->multi must no longer have, and wipes what was sent. */
void px_inquiry_hang_up(struct px_inquiry *inquiry);

/* Wipes and frees the body. */
void px_inquiry_forget(struct px_inquiry *inquiry);

/* ---- loop.c ---- */

/* Lets the loop run the transfers of backend->multi. */
void px_backend_loop_attach(struct px_backend *backend);

/* Nothing that curl may have left behind calls back any more. */
void px_backend_loop_detach(struct px_backend *backend);

/* ---- cache.c ---- */

/* NULL: none, or it is over. What is returned stays until the next store or sweep. */
const struct px_backend_entry *px_backend_cache_find(const struct px_backend_cache *cache,
		const unsigned char key[PX_BACKEND_KEY_SIZE], int64_t now_ms);

/* In place of what may be there for that key; others go to make room. -ENOMEM. */
int px_backend_cache_store(struct px_backend_cache *cache,
		const unsigned char key[PX_BACKEND_KEY_SIZE],
		const struct px_backend_answer *answer, int64_t until_ms);

/* Drops what is over. When the next one will be; INT64_MAX: there is none. */
int64_t px_backend_cache_sweep(struct px_backend_cache *cache, int64_t now_ms);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the back end's client share. Nobody else includes this.
 *
 * The way of a question: http_client.c takes it and looks whether cache.c has the answer;
 * else request.c makes a transfer of it, loop.c runs that, request.c
 * says what came of it, and http_client.c hands that over in the next turn of the loop.
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

/* A URL with questions in flight. There are as many as the configuration has URLs. */
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
	struct px_outgoing **owner;        /* the asker's pointer to this; NULL: none any more */
	struct px_outgoing_list *list; /* in flight or answered; NULL: in none */
	struct px_outgoing *next;
	struct px_outgoing *prev;
	void (*done)(void *user, const struct px_http_client_answer *answer);
	void *user;
	unsigned cache_s;
	bool tells; /* a POST */
	unsigned char key[PX_HTTP_CLIENT_KEY_SIZE]; /* where cache_s is not 0 */

	CURL *easy; /* NULL: nothing is under way */
	struct curl_slist *headers;
	size_t header_bytes; /* that came */
	size_t body_bytes;   /* that came, kept or not */
	bool too_large;
	bool head_open;      /* its last line is still to come */
	char *body;
	size_t body_size;
	struct px_http_client_answer answer;
};

struct px_http_client {
	uv_loop_t *loop;
	CURLM *multi;
	void (*on_end)(struct px_outgoing *outgoing, CURLcode code);
	uv_timer_t timer;   /* curl's */
	uv_timer_t sweeper; /* drops from the cache what is over */
	uv_idle_t idle;     /* active while something is answered: hands it over */
	unsigned open_handles;
	struct px_http_client_watch *watches;
	struct px_http_client_target *targets;
	struct px_outgoing_list in_flight;
	struct px_outgoing_list answered;
	struct px_http_client_cache cache;
};

/* ---- request.c ---- */

/* 0 or -EINVAL, as px_http_client_ask() says. */
int px_http_client_check(const struct px_http_client_request *request);

/* -ENOMEM. */
int px_http_client_key(const struct px_http_client_request *request,
		unsigned char ret_key[PX_HTTP_CLIENT_KEY_SIZE]);

/* Makes the transfer. -ENOMEM: some of it may be made, and is px_outgoing_hang_up()'s. */
int px_outgoing_prepare(struct px_outgoing *outgoing, const struct px_http_client_request *request);

/* Room for a body of that size, keeping what there is. -ENOMEM. */
int px_outgoing_reserve(struct px_outgoing *outgoing, size_t size);

/* Fills in the answer, from what came and how it ended. */
void px_outgoing_judge(struct px_outgoing *outgoing, CURLcode code);

/* Frees the transfer, which backend->multi must no longer have, and wipes what was sent. */
void px_outgoing_hang_up(struct px_outgoing *outgoing);

/* Wipes and frees the body. */
void px_outgoing_forget(struct px_outgoing *outgoing);

/* ---- certificates.c ---- */

/* As px_http_client_missing_certificates(), of a file or a directory; either may be NULL. */
const char *px_http_client_lacking(const char *file, const char *directory);

/* ---- loop.c ---- */

/* Lets the loop run the transfers of http_client->multi. Each that is over goes to `on_end`. */
void px_http_client_loop_attach(struct px_http_client *http_client,
		void (*on_end)(struct px_outgoing *outgoing, CURLcode code));

/* Nothing that curl may have left behind calls back any more. */
void px_http_client_loop_detach(struct px_http_client *http_client);

/* ---- cache.c ---- */

/* NULL: none, or it is over. What is returned stays until the next store or sweep. */
const struct px_http_client_entry *px_http_client_cache_find(
		const struct px_http_client_cache *cache,
		const unsigned char key[PX_HTTP_CLIENT_KEY_SIZE], int64_t now_ms);

/* In place of what may be there for that key; others go to make room. -ENOMEM. */
int px_http_client_cache_store(struct px_http_client_cache *cache,
		const unsigned char key[PX_HTTP_CLIENT_KEY_SIZE],
		const struct px_http_client_answer *answer, int64_t until_ms);

/* Drops what is over. When the next one will be; INT64_MAX: there is none. */
int64_t px_http_client_cache_sweep(struct px_http_client_cache *cache, int64_t now_ms);

#endif

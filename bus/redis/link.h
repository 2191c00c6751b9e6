/* SPDX-License-Identifier: MIT */
/*
 * One connection to Redis, for commands and for what is published: with RESP3 both come over one,
 * in the order in which Redis did them. Everything is sent without waiting for answers.
 *
 * Each connection begins with who we are, what the server is, the scripts and the subscriptions,
 * and with a sign of life; then it is up, and what was asked for before and has no answer is asked
 * again. Any answer that makes no sense, and any error that concerns more than one practice, ends
 * the connection: all of it is asked again on the next one.
 *
 * This is the module as data. link.c has the connection's life, conn.c its bytes, jobs.c what the
 * broker asks for, nodes.c who lives.
 */
#ifndef PX_REDIS_LINK_H
#define PX_REDIS_LINK_H

#include "keys.h"
#include "resp.h"

#include <praxis/host/bus_module.h>
#include <praxis/service.h>
#include <openssl/ssl.h>
#include <uv.h>

/* What is put into bytes before Redis takes it. The rest waits as it was asked for. */
#define PX_REDIS_WINDOW_BYTES (1024 * 1024)
/* What is told to nodes cannot wait elsewhere. */
#define PX_REDIS_OUT_BYTES (16 * 1024 * 1024)
/* Commands without an answer. */
#define PX_REDIS_EXPECT_MAX (1024 * 1024)
#define PX_REDIS_NODES_MAX 1024
/* Before the next attempt to connect, at first. */
#define PX_REDIS_RETRY_MS 100
/* Generations and revisions, which scripts compute with. */
#define PX_REDIS_NUMBER_MAX (UINT64_C(1) << 53)
/* Of what is written. A practice of a newer one is not claimed. */
#define PX_REDIS_VERSION 1

enum px_redis_script {
	PX_SCRIPT_COMMIT,
	PX_SCRIPT_CLAIM,
	PX_SCRIPT_FETCH,
	PX_SCRIPT_BEAT,
	PX_SCRIPT_BURY,
	PX_SCRIPT_COUNT,
};

/* What the next answer is to. */
enum px_expect_kind {
	PX_EXPECT_HELLO,
	PX_EXPECT_DATABASE,
	PX_EXPECT_MEMORY,
	PX_EXPECT_SCRIPT, /* number: which */
	PX_EXPECT_READY,  /* everything before it was done */
	PX_EXPECT_BEAT,
	PX_EXPECT_BURY,   /* node */
	PX_EXPECT_HOMES,  /* node */
	PX_EXPECT_JOB,    /* the first that has none */
	PX_EXPECT_TELL,   /* node */
};

struct px_expect {
	enum px_expect_kind kind;
	uint64_t number;
};

enum px_link_state {
	PX_LINK_WAITING, /* for the next attempt */
	PX_LINK_CONNECTING,
	PX_LINK_GREETING, /* the server is asked what it is */
	PX_LINK_UP,
};

/* Another node. */
struct px_redis_node {
	uint64_t id;
	uint64_t beats;     /* its count, as last seen */
	int64_t silent_ms;  /* without a change of it, as far as this node was watching */
	bool was_listed;    /* among the nodes of this epoch */
	bool is_listed;     /* in the latest answer */
	bool is_dead;
};

struct px_bus_link {
	struct px_bus_setup setup;
	struct px_bus_owner owner;
	uint64_t node;
	uv_timer_t tick;
	SSL_CTX *tls; /* NULL: none */
	bool is_stopped;
	bool is_deposed; /* and not renewed yet */
	bool has_left;

	/* the connection: link.c */
	enum px_link_state state;
	struct px_conn *conn; /* NULL: none */
	unsigned attempts;
	int64_t began_ms;
	int64_t retry_at_ms;
	int64_t retry_ms;
	char server[64];  /* "Redis 7.0.15" */
	char fault[200];  /* empty: none */
	char told[200];   /* the one that the log has */
	char shas[PX_SCRIPT_COUNT][41];
	struct px_resp_out out;
	char *in;
	size_t in_len;
	size_t in_size;
	struct px_resp_scan scan;
	struct px_expect *expects; /* a ring; its size is a power of two */
	size_t expect_first;
	size_t expect_count;
	size_t expect_size;
	struct px_name names[4];

	/* jobs.c: a list by px_bus_job.data, in the order in which they were asked */
	struct px_bus_job *first;
	struct px_bus_job *last;
	struct px_bus_job *unsent; /* the first that this connection has not sent */

	/* nodes.c */
	char epoch[PX_REDIS_NODE_LEN + 1]; /* of the hash of nodes; empty: none is known */
	uint64_t beats;     /* that were sent */
	uint64_t echo;      /* the latest that came back */
	int64_t beat_ms;    /* the latest was sent */
	int64_t waits_ms;   /* since when something of a beat is missing; 0: nothing is */
	int64_t answer_ms;  /* of the latest; 0: none on this connection */
	bool is_beating;    /* it has no answer yet */
	int64_t tick_ms;    /* the latest */
	bool is_asked;      /* somebody asks for a node that nobody knows */
	struct px_redis_node *nodes;
	size_t node_count;

	struct px_bus_link_stats stats;
};

/* ---- conn.c ---- */

/* Begins to connect; link.c hears how it ends. NULL: no memory. */
struct px_conn *px_conn_open(struct px_bus_link *link);
/* Nothing is heard of it any more. NULL is fine. */
void px_conn_drop(struct px_conn *conn);
/* Sends what can be sent of link->out. */
void px_conn_write(struct px_conn *conn);
int px_redis_tls_create(struct px_bus_link *link);

/* ---- link.c ---- */

void px_link_opened(struct px_bus_link *link);
/* False: the connection was dropped meanwhile. */
bool px_link_received(struct px_bus_link *link, const char *data, size_t len);
/* The connection is at its end; why, as a sentence. */
void px_link_fail(struct px_bus_link *link, const char *format, ...) PX_PRINTF(2, 3);
/* The next begins with the next tick. Inside a turn. */
void px_link_close(struct px_bus_link *link);
void px_link_fail_for(struct px_bus_link *link, struct px_span error);
void px_link_flush(struct px_bus_link *link);
void px_link_on_tick(uv_timer_t *tick);
/* The first sign of life was answered. */
void px_link_is_up(struct px_bus_link *link);
void px_link_expect(struct px_bus_link *link, enum px_expect_kind kind, uint64_t number);
/* Begins a call of a script. */
void px_link_call(struct px_bus_link *link, enum px_redis_script script, const struct px_name *key,
		size_t arguments);
void px_link_log(const struct px_bus_link *link, int level, const char *format, ...)
		PX_PRINTF(3, 4);
int64_t px_link_now_ms(const struct px_bus_link *link);

/* ---- jobs.c ---- */

void px_jobs_add(struct px_bus_link *link, struct px_bus_job *job);
/* All that have no answer are to be sent again. */
void px_jobs_rewind(struct px_bus_link *link);
void px_jobs_send(struct px_bus_link *link);
void px_jobs_cancel(struct px_bus_link *link);
void px_jobs_answered(struct px_bus_link *link, struct px_resp resp);
/* An error that concerns this job alone. */
void px_jobs_failed(struct px_bus_link *link);
void px_jobs_tell(struct px_bus_link *link, uint64_t node, struct px_span frame);
void px_jobs_told(struct px_bus_link *link, uint64_t node, struct px_resp resp);

/* ---- nodes.c ---- */

void px_nodes_begin(struct px_bus_link *link); /* a connection */
void px_nodes_beat(struct px_bus_link *link);
void px_nodes_tick(struct px_bus_link *link, int64_t now_ms);
void px_nodes_beaten(struct px_bus_link *link, struct px_resp resp);
void px_nodes_buried(struct px_bus_link *link, uint64_t id, struct px_resp resp);
void px_nodes_orphans(struct px_bus_link *link, uint64_t id, struct px_resp resp);
void px_nodes_heard(struct px_bus_link *link, struct px_span text); /* on the channel of all */
bool px_nodes_is_dead(struct px_bus_link *link, uint64_t id);
void px_nodes_leave(struct px_bus_link *link);

#endif

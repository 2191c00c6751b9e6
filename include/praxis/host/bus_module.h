/* SPDX-License-Identifier: MIT */
/*
 * A module that is a bus (praxis/host/bus.h) on a store that several servers share: a shared
 * object, loaded by a host whose configuration names one. So a server that is alone needs nothing
 * of it.
 *
 * It exports PX_BUS_MODULE_SYMBOL, a struct px_bus_module. Everything is called on the thread of
 * the loop. The module calls the broker from the loop, each time after `begin_turn`.
 */
#ifndef PRAXIS_HOST_BUS_MODULE_H
#define PRAXIS_HOST_BUS_MODULE_H

#include <praxis/host/bus.h>

#define PX_BUS_MODULE_ABI 1
#define PX_BUS_MODULE_SYMBOL "px_bus_module"

struct uv_loop_s;

/* Where the store is. Texts live as long as the link. */
struct px_bus_setup {
	const char *host;
	uint16_t port;
	bool is_tls;
	unsigned database;
	const char *user;     /* NULL: the store's default one */
	const char *password; /* NULL: none */
	const char *ca_file;  /* NULL: those that the system trusts */
	const char *prefix;   /* what all keys begin with */
	int64_t node_timeout_ms; /* a node without a sign of life for so long is dead */
};

/* Who has it. */
struct px_bus_owner {
	void *user;
	struct uv_loop_s *loop;
	struct px_broker *broker;
	void (*begin_turn)(void *user);
	void (*random)(void *user, void *buf, size_t len);
	/* A line; PX_LOG_ERROR … of praxis/service.h. Without a payload, a name or a secret. */
	void (*log)(void *user, int level, const char *line);
	/* As of struct px_bus; may be NULL. */
	struct px_realm *(*realm)(void *user, struct px_span name);
	/* This node was declared dead, and the broker knows. See renew(). */
	void (*deposed)(void *user);
};

struct px_bus_link_stats {
	bool is_up;
	const char *fault; /* why not, as a sentence without address; NULL: it is up, or begins */
	uint64_t nodes;    /* that give signs of life, this one included */
	uint64_t buried;   /* nodes that were declared dead, as far as this one knows */
	uint64_t connects; /* connections that came up */
	uint64_t lost;     /* of these, that were lost */
	uint64_t bad;      /* answers and frames that made no sense, and jobs that failed for it */
	uint64_t bytes_out;
	uint64_t bytes_in;
};

struct px_bus_link;

struct px_bus_module {
	uint32_t abi;

	/* Begins to connect with the next turn of the loop. -ENOMEM; -EINVAL: the CA's file. */
	int (*create)(const struct px_bus_setup *setup, const struct px_bus_owner *owner,
			struct px_bus_link **ret_link);

	/* For px_broker_set_bus(): this node's number, and the bus. */
	uint64_t (*bus)(struct px_bus_link *link, struct px_bus *ret_bus);

	/* At the end of each turn: what was asked for is sent. */
	void (*flush)(struct px_bus_link *link);

	/* After `deposed`, without jobs: another node's number. The bus has to be set anew. */
	void (*renew)(struct px_bus_link *link);

	/* This node ends: it is as good as dead, and its practices may be claimed at once. */
	void (*leave)(struct px_bus_link *link);

	void (*stats)(const struct px_bus_link *link, struct px_bus_link_stats *ret_stats);

	/* Answers all jobs with -ECANCELED and closes what it has in the loop, which must then run. */
	void (*stop)(struct px_bus_link *link);

	/* After that. NULL is fine. */
	void (*destroy)(struct px_bus_link *link);
};

#endif

/* SPDX-License-Identifier: MIT */
/*
 * In the place of the broker: keeps what a bus answers and tells it, as text that can be compared.
 * With it a real link and the simulated one can be in one program.
 */
#ifndef FAKE_BROKER_H
#define FAKE_BROKER_H

#include <praxis/host/bus_module.h>

#define DEAD_MAX 16

struct px_broker {
	struct px_bus bus;
	uint64_t node;
	bool is_up;
	unsigned ups;
	unsigned downs;
	char *heard; /* frames, each with a line end; NULL: none */
	char *orphans;
	unsigned unheard;
	uint64_t unheard_node; /* the latest */
	uint64_t dead[DEAD_MAX];
	unsigned dead_count;
	unsigned deposed;
	unsigned unanswered;
};

/* A job with its answer. */
struct asked {
	union {
		struct px_bus_job job;
		struct px_bus_commit commit;
		struct px_bus_claim claim;
		struct px_bus_fetch fetch;
	};
	bool is_answered;
	int rc;
	char *answer; /* what else it has; NULL: nothing */
};

void fake_ask(struct px_broker *broker, struct asked *asked);
void fake_forget(struct px_broker *broker); /* what was heard */
void fake_finish(struct px_broker *broker);

/* Adds to a text on the heap. */
void add_text(char **text, const char *format, ...) PX_PRINTF(2, 3);
void add_bytes(char **text, struct px_span bytes);

#endif

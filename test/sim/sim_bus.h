/* SPDX-License-Identifier: MIT */
/*
 * A journal in memory, for simulations and unit tests: it does what include/praxis/host/bus.h asks
 * of one, and what goes wrong with a real one is at the hands of the test: when a job is carried
 * out, when it is answered, when the connection is lost in between, what the journal loses, and
 * when a frame arrives. Frames of one sender arrive in order; those of several in any.
 */
#ifndef SIM_BUS_H
#define SIM_BUS_H

#include <praxis/host/bus.h>

/* Commits and claims that sim_store_lose() can take back. */
#define SIM_UNDO 64

/* Connections to one journal. */
#define SIM_LINKS 8

/* Their numbers are lower. */
#define SIM_NODES 16384

struct sim_record {
	enum px_bus_table table;
	uint64_t seq;
	char *key;
	char *value;
	size_t key_len;
	size_t value_len;
};

/* What a revision had for a node; or a frame on its way there. */
struct sim_frame {
	uint64_t rev;  /* of an output that is kept */
	uint64_t node; /* whom it is for; of one on its way, who sent it */
	char *text;
	size_t len;
};

struct sim_frames {
	struct sim_frame *list;
	size_t count;
	size_t size;
};

/* A practice, as it is kept. */
struct sim_place {
	struct sim_place *next;
	char *name; /* tenant, a slash, practice */
	uint64_t gen; /* 0: nothing is known of it */
	uint64_t home;
	uint64_t rev;
	struct sim_record *records;
	size_t count;
	size_t size;
	struct sim_frames outputs; /* of the latest revisions */
	uint64_t trimmed;          /* of this one and earlier ones they may be missing */
	struct sim_place *draft; /* with the parts of a revision that is not whole yet; NULL: none */
	uint32_t parts;          /* of a draft: how many */
};

struct sim_undo {
	struct sim_place *place; /* NULL: none */
	struct sim_place before;
};

struct sim_store {
	struct sim_place *places;
	struct sim_undo undo[SIM_UNDO];
	struct sim_link *links[SIM_LINKS]; /* NULL: a free place */
	uint64_t writes;
	uint64_t parts; /* of these, parts of a revision */
	size_t commit_bytes; /* of each bus; 0: as it is by default */
	uint64_t alive; /* nodes of lower numbers are dead */
	bool dead[SIM_NODES];
	/* A record was written; may be NULL. */
	void (*wrote)(const struct sim_place *place, const struct sim_record *record);
};

struct sim_job {
	struct px_bus_job *job; /* NULL: a frame to be told */
	bool is_done;
	int rc;
	struct sim_place found; /* of a claim or a fetch: a copy, for its answer */
	struct px_bus_record *records;
	struct px_span *frames;
	struct sim_frame told; /* its node: whom it is for */
};

/* A broker's connection. */
struct sim_link {
	struct sim_store *store;
	struct px_broker *broker;
	struct px_realm *realm; /* of all sessions in the journal; the test sets it; NULL: none */
	uint64_t node;
	bool dead[SIM_NODES]; /* that it was told of */
	bool is_up;
	struct sim_job *jobs; /* in the order in which they were asked */
	size_t count;
	size_t size;
	struct sim_frames inbox; /* on their way to the broker */
	uint64_t twice; /* jobs that were carried out again */
	uint64_t lost;  /* frames for this node that were lost with the connection */
};

void sim_store_finish(struct sim_store *store);
/* Of "tenant/practice"; NULL: nothing was ever written of it. */
struct sim_place *sim_store_find(const struct sim_store *store, const char *name);
/* It has forgotten the last `writes`, as far as they can be taken back; or everything. */
void sim_store_lose(struct sim_store *store, unsigned writes);
void sim_store_lose_all(struct sim_store *store);

/* The broker gets a bus, which is up. */
void sim_link_begin(struct sim_link *link, struct sim_store *store, struct px_broker *broker,
		uint64_t node);
/* Nothing of it is carried out any more; the broker has no bus then. */
void sim_link_end(struct sim_link *link);

/* The node was declared dead; the broker is told so, once. */
void sim_link_bury(struct sim_link *link, uint64_t node);

/* Carries out the next job; false: there is none. */
bool sim_link_execute(struct sim_link *link);
/* Answers the next job, if it was carried out. */
bool sim_link_answer(struct sim_link *link);
/* The broker hears a frame, the first of a sender that `dice` picks; false: there is none. */
bool sim_link_hear(struct sim_link *link, unsigned dice);
/* All three, until there is nothing to do; the broker's turns are ended by `turn`. */
void sim_link_run(struct sim_link *link, void (*turn)(void *user), void *user);

/* The connection is lost, with all answers and frames; it is there again, and jobs are repeated. */
void sim_link_cut(struct sim_link *link);
void sim_link_mend(struct sim_link *link);

#endif

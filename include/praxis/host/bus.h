/* SPDX-License-Identifier: MIT */
/*
 * The journal of practices that several servers share, and how they reach each other. In
 * construction: docs/architecture.md says what exists. The broker decides what is written, the
 * host decides where: it implements struct px_bus. The broker never sees a key or a connection of,
 * say, Redis, and a test implements the bus in memory.
 *
 * One node at a time is the home of a practice and runs its services. A claim gives it a
 * generation of its own. Each turn of a practice is a revision. Only the home writes a revision,
 * and only right after the one before it; both are checked in the same atomic step as the writing.
 * So nothing depends on clocks, or on which node is believed to be dead.
 *
 * Everything here is for the broker's thread, between px_broker_set_time() and
 * px_broker_end_turn(), and not inside a service's function.
 */
#ifndef PRAXIS_HOST_BUS_H
#define PRAXIS_HOST_BUS_H

#include <praxis/types.h>

struct px_broker;
struct px_realm;

/* Which practice. */
struct px_bus_place {
	struct px_span tenant;
	struct px_span practice;
};

enum px_bus_table {
	PX_BUS_CHANNELS,
	PX_BUS_HISTORY,  /* of channels, under their keys, ordered by seq */
	PX_BUS_SESSIONS,
	PX_BUS_MEMBERS,
	PX_BUS_EDGES, /* of nodes: what each said up to that number is in the journal */
	PX_BUS_VALUES, /* of channels; each has a key that begins with its channel's */
};

/* Its key is unique in its table; of history, together with its seq. */
struct px_bus_record {
	enum px_bus_table table;
	struct px_span key;   /* without control characters but for newlines */
	uint64_t seq;         /* of history; else 0 */
	struct px_span value; /* one JSON object */
};

enum px_bus_change {
	PX_BUS_SET,
	PX_BUS_DELETE, /* there may be none */
	PX_BUS_TRIM,   /* of the history of that key: all whose seq is lower */
};

struct px_bus_op {
	enum px_bus_change change;
	struct px_bus_record record;
};

enum px_bus_job_kind {
	PX_BUS_COMMIT,
	PX_BUS_CLAIM,
	PX_BUS_FETCH,
};

/*
 * What nodes send each other: opaque to the bus, and self-contained (it names its practice). A
 * larger one is sent as several.
 */
#define PX_BUS_FRAME_BYTES (256 * 1024)

/* For another node. What a turn sends to sessions of its own node stays there. */
struct px_bus_output {
	uint64_t node;
	struct px_span frame;
};

/* The latest revisions of a practice whose outputs are kept for px_bus.fetch(). */
#define PX_BUS_OUTPUTS_KEPT 64

/*
 * The beginning of a commit, a claim or a fetch. The broker owns it; the bus may use it until it
 * answers.
 */
struct px_bus_job {
	enum px_bus_job_kind kind;
	struct px_bus_place place;
	void *data; /* the bus's own */
};

/*
 * A revision. It is carried out if `node` and `gen` are those of the home, and the practice's
 * latest revision is `prev`. With `is_whole` it is also carried out if that is any up to `rev`, if
 * the journal has a lower generation, or if it knows nothing of the practice. The answers:
 *
 *   0           it was carried out, now or before: the home's revision is at least `rev`
 *   -ESTALE     somebody else is the home
 *   -ENODATA    revisions before it are missing: what was written has been lost
 *   -ECANCELED  it was not carried out, and will not be: the bus comes to its end
 *
 * A revision with many operations comes as several commits, `part` 0, 1 and so on, so that no
 * single one holds up other practices. All but the last have `is_part`: their operations are kept
 * apart, for that generation and revision, in place of any that were kept before. The last one
 * carries out all of them in one step, in order, and then its own. A part, or the last one, is
 * -ENODATA if not all parts before it are there, and 0 if it is there itself. Whatever else is
 * carried out for the practice discards what is kept apart, and no claim is given any of it.
 *
 * When the whole revision is carried out, its outputs (those of its parts first) are handed to
 * their nodes in the same step: there px_broker_bus_heard() is called, in the order of revisions
 * and of the outputs in one. They are also kept, with those of the PX_BUS_OUTPUTS_KEPT latest
 * revisions of the practice that have outputs. A commit that was carried out before hands over
 * nothing. With `is_whole` the outputs that were kept are deleted, too.
 */
struct px_bus_commit {
	struct px_bus_job job;
	uint64_t node;
	uint64_t gen;
	uint64_t prev;
	uint64_t rev;
	uint32_t part;
	bool is_part;
	bool is_whole; /* everything else that is kept of the practice is deleted */
	bool is_last;  /* from now on it has no home, and whoever claims it is that */
	const struct px_bus_op *ops;
	size_t op_count;
	const struct px_bus_output *outputs;
	size_t output_count;
};

/*
 * To be the practice's home, with a new generation above all before. The answers:
 *
 *   0           `gen`, `rev` and `records` are filled in; the records live during the answer
 *   -EBUSY      `home` is it, and not `dead`; `gen` and `rev` are its
 *   -ENODATA    there was a generation `known_gen`, and what is kept is older: wait for its home.
 *               With `is_sure` it is waited for no more: `gen` is above `known_gen`, and `rev` not
 *               below `known_rev`
 *   -ENOTSUP    a newer version has written it
 *   -ECANCELED  as of a commit
 */
struct px_bus_claim {
	struct px_bus_job job;
	uint64_t node;
	uint64_t known_gen; /* 0: none */
	uint64_t known_rev;
	uint64_t dead;      /* a home that need not be asked; 0: none */
	bool is_sure;

	uint64_t home;
	uint64_t gen;
	uint64_t rev;
	const struct px_bus_record *records;
	size_t record_count;
};

/*
 * Who is the practice's home, and what a node may have missed of it. The answers:
 *
 *   0           `home` (0: nobody), `gen`, `rev` and `frames` are filled in: what revisions after
 *               `after` had for `node`, in order; they live during the answer
 *   -ENODATA    the same, but revisions after `after` may have had outputs that are no longer kept;
 *               without frames, or with those that are
 *   -ENOENT     nothing is known of the practice
 *   -ECANCELED  as of a commit
 */
struct px_bus_fetch {
	struct px_bus_job job;
	uint64_t node;
	uint64_t after;

	uint64_t home;
	uint64_t gen;
	uint64_t rev;
	const struct px_span *frames;
	size_t frame_count;
};

/*
 * commit(), claim() and fetch() return at once. Each job is answered once, by
 * px_broker_bus_answer(), never before the call has returned. Jobs of one practice are carried out
 * and answered in the order of the calls. After a lost connection the bus repeats all jobs that
 * were not answered, in that order; so a job may be carried out twice, with the same effect as
 * once. It reads a claim again then: px_broker_bus_down() makes it one that is not granted.
 */
struct px_bus {
	void *user;
	void (*commit)(void *user, struct px_bus_commit *commit);
	void (*claim)(void *user, struct px_bus_claim *claim);
	void (*fetch)(void *user, struct px_bus_fetch *fetch);

	/*
	 * Copies the frame and hands it to that node, in order with the other frames from here. It may
	 * get lost with a connection, and never comes twice.
	 */
	void (*tell)(void *user, uint64_t node, struct px_span frame);

	/* Whether that node is dead, so that what it is the home of may be claimed. */
	bool (*is_dead)(void *user, uint64_t node);

	/* Keys and values of one commit, at most, unless one record is larger. 0: 256 KiB. */
	size_t commit_bytes;

	/* The realm of that name; NULL: there is none. May be NULL itself. */
	struct px_realm *(*realm)(void *user, struct px_span name);
};

/*
 * From now on practices are journaled. The broker must have neither sessions nor channels; *bus is
 * copied. `node` is not 0, and names this process and no other before or after it. The bus is down
 * until px_broker_bus_up(). NULL ends it; all jobs must have been answered. -ENOMEM.
 */
PX_PUBLIC int px_broker_set_bus(struct px_broker *broker, const struct px_bus *bus, uint64_t node);

/* `rc` is one of the answers above. From then on the bus does not use the job. */
PX_PUBLIC void px_broker_bus_answer(struct px_broker *broker, struct px_bus_job *job, int rc);

/* The connection to the journal is established, or lost. */
PX_PUBLIC void px_broker_bus_up(struct px_broker *broker);
PX_PUBLIC void px_broker_bus_down(struct px_broker *broker);

/* A frame for this node. What makes no sense is counted and dropped. */
PX_PUBLIC void px_broker_bus_heard(struct px_broker *broker, struct px_span frame);

/* A hint: a frame for that node, from here, reached nobody. */
PX_PUBLIC void px_broker_bus_unheard(struct px_broker *broker, uint64_t node);

/*
 * That node was declared dead: is_dead() is true of it from now on. Called on every node that
 * lives, once for each that is dead.
 */
PX_PUBLIC void px_broker_bus_dead(struct px_broker *broker, uint64_t node);

/*
 * After px_broker_bus_dead(), on one node, for each practice that the dead one was the home of: it
 * is claimed, so that the sessions of the dead node leave it even if nobody else is there.
 */
PX_PUBLIC void px_broker_bus_orphan(struct px_broker *broker, const struct px_bus_place *place,
		uint64_t node);

/*
 * This node itself was declared dead. Its homes are dropped, and its sessions closed with 1012.
 * The host goes on under another number, with px_broker_set_bus(), when they are gone.
 */
PX_PUBLIC void px_broker_bus_deposed(struct px_broker *broker);

/* What the journal has come to. */
struct px_bus_stats {
	uint64_t homes;       /* practices that this node is the home of, or wants to be */
	uint64_t unconfirmed; /* commits without an answer */
	uint64_t waiting;     /* what sessions said and the journal does not have yet */
	uint64_t turns;       /* accepted */
	uint64_t claims;      /* accepted */
	uint64_t deposed;     /* practices given up, mostly because another node had claimed them */
	uint64_t rebased;     /* practices written anew, since revisions were lost */
	uint64_t refused;     /* messages that could not wait */
	uint64_t heard;       /* frames from other nodes */
	uint64_t bad;         /* of these, or of what is in them, made no sense */
	uint64_t lost;        /* times that sessions ended since outputs were no longer kept */
	uint64_t guests;      /* sessions of other nodes, in the practices of this one */
};

/* Zeroes without a bus. */
PX_PUBLIC void px_broker_bus_stats(const struct px_broker *broker, struct px_bus_stats *ret_stats);

#endif

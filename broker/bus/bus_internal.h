/* SPDX-License-Identifier: MIT */
/*
 * Inside the journal: a home for each practice that this node runs or is about to run, and its
 * turns. bus.c ties them to the broker; turn.c keeps what a turn sends; record.c finds out what it
 * changed; home.c claims, adopts and drops; waiting.c has what cannot run yet.
 */
#ifndef PX_BUS_INTERNAL_H
#define PX_BUS_INTERNAL_H

#include "core/broker.h"
#include "core/practice.h"
#include "core/session.h"
#include "core/turn.h"

#include <praxis/host/bus.h>

/* Keys and values of one commit, where the host names no number. */
#define PX_BUS_COMMIT_BYTES (256 * 1024)

/* Commits of one practice that are asked for and not answered: then its messages wait. */
#define PX_BUS_PIPELINE 64

/* What waits, at most: messages of a session, their bytes, and the bytes of all sessions. */
#define PX_BUS_SESSION_WAITING 64
#define PX_BUS_SESSION_WAITING_BYTES (256 * 1024)
#define PX_BUS_WAITING_BYTES (16 * 1024 * 1024)

/* After the connection was lost for so long, messages are refused instead of kept. */
#define PX_BUS_HOLD_MS 1000

/* Between two claims that were answered with anything but 0. */
#define PX_BUS_RETRY_MS 300

/* Sent in a turn. */
struct px_output {
	struct px_message *message; /* counted; NULL: the session is closed with `code` */
	uint64_t client_id;
	uint16_t code;
	uint16_t refusal;    /* as px_broker.refusal was; likewise: */
	bool is_publication;
	bool is_concerned; /* its practice was the message's in hand */
	const struct px_service *concern;
};

/* Asked for, or still open. Or a part of the one after it, which has the operations then. */
struct px_turn {
	struct px_bus_commit commit; /* first: its job is what the bus answers */
	struct px_turn *next;        /* of the same home, asked for after it */
	struct px_broker *broker;
	struct px_home *home;        /* NULL: it is answered to nobody */
	struct px_practice *practice; /* counted */
	struct px_deferred *deferred; /* the latest first */
	struct px_output *outputs;
	size_t output_count;
	size_t output_size;
	struct px_bus_op *ops; /* keys and values are one allocation each, from the key on */
	size_t op_count;
	size_t op_size;
};

/* What is journaled of a channel, a session or a membership, or is about to be. */
struct px_entry {
	struct px_table_link link;
	struct px_entry *next_marked;
	void *item;      /* px_channel, px_session or px_member; NULL: gone */
	uint64_t digest; /* of the record that is kept */
	uint64_t seq;    /* of a channel: its history is kept up to that … */
	uint64_t first;  /* … and from that on */
	uint32_t members; /* of a session: its memberships in the practice */
	uint8_t table;   /* enum px_bus_table */
	bool is_marked : 1;
	bool is_kept : 1; /* there is a record */
	bool is_anew : 1; /* of a channel: what is kept of its history was another's of that key */
	uint32_t key_len;
	char key[];
};

struct px_waiting {
	struct px_waiting *next;
	uint64_t client_id;
	size_t len; /* 0: the session arrives in the practice */
	char text[];
};

struct px_home {
	struct px_home *next;
	struct px_home *previous;
	struct px_home *next_changed;
	struct px_broker *broker;
	struct px_practice *practice; /* counted */
	struct px_bus_claim claim;
	uint64_t gen; /* the latest that is known */
	uint64_t rev; /* asked for */
	uint64_t owner; /* who is the home instead; 0: not known */
	bool is_claiming : 1; /* the claim is asked for */
	bool is_running : 1;  /* this node is the home */
	bool is_lost : 1;     /* the latest revisions are missing in the journal */
	bool is_leaving : 1;  /* the last turn is asked for */
	bool is_changed : 1;  /* on the bus's list */
	bool is_draining : 1; /* what waited runs now */
	bool is_discarding : 1; /* what is said of the practice, and changes, is forgotten */
	bool is_whole : 1;    /* the next turn replaces everything */
	bool is_broken : 1;   /* for want of memory it is not known what changed */
	bool must_check : 1;  /* the next turn is asked for even if it is empty */
	struct px_turn *open; /* NULL: nothing was sent yet */
	struct px_turn *asked; /* the oldest */
	struct px_turn **asked_end;
	struct px_turn *unanswered; /* the oldest of these that has no answer */
	unsigned unanswered_count;
	struct px_table entries;
	struct px_entry *marked;
	struct px_waiting *waiting;
	struct px_waiting **waiting_end;
};

struct px_bus_state {
	struct px_bus bus;
	struct px_broker *broker;
	uint64_t node;
	int64_t down_since_ms;
	bool is_up;
	struct px_home *homes;
	struct px_home *sweep;   /* whether it is still wanted is asked next */
	struct px_home *changed; /* to be looked at when the loop turn ends */
	struct px_timer retry;
	size_t waiting_bytes;
	struct px_bus_stats stats;
};

/* ---- home.c ---- */

/* The practice's, a new one if there is none. NULL without memory. */
struct px_home *px_home_get(struct px_broker *broker, struct px_practice *practice);
/* Forgets it, with what is in it; nothing of it is asked for. */
void px_home_free(struct px_home *home);
/* To be looked at when the loop turn ends. */
void px_home_changed(struct px_home *home);
/* Asks for the practice, unless that is done or not needed. */
void px_home_seek(struct px_home *home);
void px_home_claimed(struct px_home *home, int rc);
/*
 * Another node is the home, or has to be: what is in memory goes, with all turns that were not
 * accepted, and nobody is told. Sessions that were members are closed, to begin anew.
 */
void px_home_deposed(struct px_home *home);
bool px_home_is_idle(const struct px_home *home);

/* ---- turn.c ---- */

void px_turn_send(struct px_session *session, struct px_message *message);
void px_turn_close(struct px_session *session, enum px_close code);
void px_turn_defer(struct px_practice *practice, struct px_deferred *deferred);
/* The open turn, a new one if there is none. NULL without memory. */
struct px_turn *px_turn_get(struct px_home *home);
/* Asks for the open turn, if it has anything to say. */
void px_turn_ask(struct px_home *home);
void px_turn_answered(struct px_turn *turn, int rc);
void px_turn_free(struct px_turn *turn); /* NULL is fine */
/* Adds an operation; the text of the value is copied. -ENOMEM. */
int px_turn_add(struct px_turn *turn, enum px_bus_change change,
		const struct px_bus_record *record);

/* ---- record.c ---- */

void px_entry_channel_changed(struct px_channel *channel);
void px_entry_channel_gone(struct px_channel *channel);
void px_entry_member_changed(struct px_member *member);
void px_entry_member_gone(struct px_member *member);
void px_entry_session_changed(struct px_session *session);
/* Whether that is the key of a channel's, a session's or a membership's record. */
bool px_entry_is_keyed(enum px_bus_table table, const void *item, struct px_span key);
/* Writes what changed into the turn. -ENOMEM: it is still to be written. */
int px_entries_write(struct px_home *home, struct px_turn *turn);
/* What is in memory now is what is kept. */
void px_entries_adopt(struct px_home *home);
/* Nothing of what is in memory is kept: all of it is to be written. */
void px_entries_reset(struct px_home *home);
/* Finds all that is in memory; is_broken is false then, unless memory was short again. */
void px_entries_remake(struct px_home *home);
void px_entries_finish(struct px_home *home);

/* ---- adopt.c ---- */

/*
 * Reads what is kept of the practice into memory; sessions of nodes that are gone leave at once.
 * -EINVAL, -ENOMEM: some of it may be there, for px_home_deposed() to drop.
 */
int px_home_adopt(struct px_home *home, const struct px_bus_claim *claim);

/* ---- waiting.c ---- */

int px_waiting_admit(struct px_session *session, struct px_practice *practice,
		struct px_span text);
bool px_waiting_is_home(struct px_broker *broker, struct px_practice *practice);
/* Runs what waited, as far as it can run now; true: there is more that could. */
bool px_waiting_run(struct px_home *home);
void px_waiting_finish(struct px_home *home);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Inside the journal: a home for each practice that this node runs, is about to run, or is an edge
 * of; and its turns. bus.c ties them to the broker; home.c claims and drops; adopt.c reads what is
 * kept; turn.c keeps what a turn sends; record.c finds out what it changed; stream.c has what the
 * node's own sessions say to a practice; edge.c takes that to a home elsewhere, and what comes back
 * to the sessions; guest.c has the sessions of other nodes, at the home.
 */
#ifndef PX_BUS_INTERNAL_H
#define PX_BUS_INTERNAL_H

#include "core/broker.h"
#include "core/practice.h"
#include "core/session.h"
#include "core/turn.h"
#include "frame.h"

#include <praxis/host/bus.h>

struct px_session_params;

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

/* Between two attempts at whatever did not succeed. */
#define PX_BUS_RETRY_MS 300

/* After the first frame that reached nobody, another one says that the home need not be asked. */
#define PX_BUS_SUSPECT_MS 250

/* After a connection was lost and is there again, nothing is claimed for so long. */
#define PX_BUS_CALM_MS 2000

/* More than any generation: a claim that knows it is never granted. */
#define PX_BUS_WITHDRAWN ((UINT64_C(1) << 53) - 1)

/* For so long, with a connection, the home of what the journal has lost may put it back. */
#define PX_BUS_LOST_MS 10000

/* A node with guests gets a turn at least every so many revisions: so it can fetch the rest. */
#define PX_BUS_QUIET_REVS (PX_BUS_OUTPUTS_KEPT / 2)

/* Sent in a turn. */
struct px_output {
	struct px_message *message; /* counted; NULL: the session is closed with `code` */
	uint64_t client_id;
	uint64_t node;       /* of a guest; 0: this one */
	uint16_t code;
	uint16_t refusal;    /* as px_broker.refusal was; likewise: */
	bool is_publication;
	bool is_concerned; /* its practice was the message's in hand */
	const struct px_service *concern;
};

/* A frame that a commit hands over. */
struct px_turn_frame {
	uint64_t node;
	struct px_bytes bytes;
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
	uint64_t own;    /* what the node's sessions said up to that number is in it */
	struct px_turn_frame *frames;
	size_t frame_count;
	size_t frame_size;
	struct px_bus_output *handed; /* the frames, with those of turns that a whole one puts back */
};

/* What is journaled of a channel, a session or a membership, or is about to be. */
struct px_entry {
	struct px_table_link link;
	struct px_entry *next_marked;
	void *item;      /* px_channel, px_session, px_member or px_value; NULL: gone */
	uint64_t digest; /* of the record that is kept */
	uint64_t seq;    /* of a channel: its history is kept up to that … */
	uint64_t first;  /* … and from that on */
	uint32_t members; /* of a session: its memberships in the practice */
	uint8_t table;   /* enum px_bus_table */
	bool is_marked : 1;
	bool is_kept : 1; /* there is a record */
	bool is_inside : 1; /* of a session: it has entered, even if it is nowhere a member */
	bool is_anew : 1; /* of a channel: what is kept of its history was another's of that key */
	uint32_t key_len;
	char key[];
};

/* What a session of this node said to a practice. */
struct px_item {
	struct px_item *next;
	uint64_t prev;   /* the number before it */
	uint64_t number;
	uint64_t client_id;
	uint8_t kind;    /* enum px_said_kind */
	uint8_t reason;  /* of leaving */
	bool is_counted; /* in its session's numbers of what waits */
	bool is_part;    /* of a visit, which is freed with it */
	size_t len;
	char text[];
};

/* A session of this node is in the practice. */
struct px_visit {
	struct px_table_link link;
	bool is_gone;         /* that it left is on the way */
	bool is_said;         /* a home may know of it */
	bool is_known;        /* the journal has it, or had it */
	struct px_item *leave; /* allocated beforehand: leaving cannot fail */
};

/* Bytes that come in several frames. */
struct px_parts {
	uint64_t number; /* which */
	uint32_t next;   /* part */
	struct px_bytes bytes;
};

/* At the home: another node whose sessions are guests. */
struct px_edge {
	struct px_edge *next;
	uint64_t node;
	uint64_t applied; /* what it said up to that number is in memory … */
	uint64_t written; /* … in the journal; 0: it has no record */
	uint64_t told;    /* … told it with a turn */
	uint64_t rev;     /* the latest that had something for it; 0: not known */
	uint32_t guests;
	bool is_asking;   /* it gets a turn, even an empty one */
	bool is_missed;   /* what it said could not be taken */
	bool is_dead;
	struct px_parts parts;
};

struct px_guest {
	struct px_session session; /* first */
	struct px_home *home;
	struct px_edge *edge;
};

struct px_home {
	struct px_home *next;
	struct px_home *previous;
	struct px_home *next_changed;
	struct px_broker *broker;
	struct px_practice *practice; /* counted */
	struct px_bus_claim claim;
	uint64_t gen; /* the latest that is known */
	uint64_t rev; /* asked for; of an edge: all of it up to there has come */
	uint64_t base; /* the revision that this generation began with */
	uint64_t accepted; /* the latest that the journal has of this generation */
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
	bool is_unfit : 1;    /* for want of memory a guest was not told something */
	bool must_check : 1;  /* the next turn is asked for even if it is empty */
	struct px_turn *open; /* NULL: nothing was sent yet */
	struct px_turn *asked; /* the oldest */
	struct px_turn **asked_end;
	struct px_turn *unanswered; /* the oldest of these that has no answer */
	unsigned unanswered_count;
	struct px_table entries;
	struct px_entry *marked;

	/* Of this node's sessions, wherever the home is. */
	struct px_item *items; /* the oldest that is not in the journal */
	struct px_item **items_end;
	struct px_item *next_item; /* the first that neither ran nor was sent */
	uint64_t last_number;
	uint64_t applied; /* of these, ran here … */
	uint64_t written; /* … in the journal */
	struct px_table visits;

	/* Of other nodes, at the home. */
	struct px_table guests;
	struct px_edge *edges;

	/* Of an edge. */
	struct px_bus_fetch fetch;
	uint64_t heard; /* of revisions up to this one something came … */
	uint64_t asked_for; /* … when the latest fetch was asked for */
	int64_t suspect_ms; /* since when the home seems not to be there; 0: it is */
	uint64_t stuck;     /* that was the oldest at the last attempt, too */
	int64_t lost_ms;    /* since when the journal lacks what is known; 0: it does not */
	bool is_resting : 1; /* before it is claimed again */
	bool is_fetching : 1;
	bool is_behind : 1; /* there is something to be fetched */
	bool is_unsure : 1; /* … but may be no longer kept */
	bool is_fresh : 1;  /* nobody of this node was there, who could miss something */
	bool is_hinted : 1; /* the claim names a home that only seems to be dead */
	struct px_parts parts;
};

struct px_bus_state {
	struct px_bus bus;
	struct px_broker *broker;
	uint64_t node;
	int64_t down_since_ms;
	int64_t calm_until_ms; /* until then nothing is claimed */
	bool was_up;
	bool is_up;
	struct px_home *homes;
	struct px_home *sweep;   /* whether it is still wanted is asked next */
	struct px_home *changed; /* to be looked at when the loop turn ends */
	struct px_timer retry;
	size_t waiting_bytes;
	uint64_t last_number; /* of what sessions said, to any practice */
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
 * accepted, and nobody is told. The node is an edge from now on.
 */
void px_home_deposed(struct px_home *home);
bool px_home_is_idle(const struct px_home *home);
/*
 * A journal that restarts may have lost something, and cuts off everybody. Homes put that back as
 * soon as they are connected; until then nobody may take the journal at its word.
 */
bool px_bus_is_calm(const struct px_bus_state *bus);
bool px_bus_is_dead(const struct px_bus_state *bus, uint64_t node);
/* Looks at everything again after PX_BUS_RETRY_MS. */
void px_bus_retry(struct px_bus_state *bus);
struct px_bus_place px_home_place(const struct px_home *home);

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
/* An output for a client of another node that is no guest. False: no memory. */
bool px_turn_close_client(struct px_home *home, uint64_t node, uint64_t client_id,
		enum px_close code);
/* Another frame of the turn, empty. NULL without memory. */
struct px_turn_frame *px_turn_add_frame(struct px_turn *turn, uint64_t node);
/* Adds an operation; the text of the value is copied. -ENOMEM. */
int px_turn_add(struct px_turn *turn, enum px_bus_change change,
		const struct px_bus_record *record);

/* ---- record.c ---- */

void px_entry_value_changed(struct px_value *value);
void px_entry_value_gone(struct px_value *value);
void px_entry_channel_changed(struct px_channel *channel);
void px_entry_channel_gone(struct px_channel *channel);
void px_entry_member_changed(struct px_member *member);
void px_entry_member_gone(struct px_member *member);
/* It is in the practice, or has another identity there. */
void px_entry_session_changed(struct px_home *home, struct px_session *session);
void px_entry_session_gone(struct px_home *home, uint64_t client_id);
bool px_entry_has_session(const struct px_home *home, uint64_t client_id);
/* Whether that is the key of such an item's record. */
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

/* ---- stream.c ---- */

int px_stream_admit(struct px_session *session, struct px_practice *practice,
		struct px_span text);
bool px_stream_is_home(struct px_broker *broker, struct px_practice *practice);
void px_stream_session_changed(struct px_session *session, const struct px_identity *old);
void px_stream_session_gone(struct px_session *session);
bool px_stream_is_away(const struct px_session *session);
/* Runs what waited, as far as it can run now; true: there is more that could. */
bool px_stream_run(struct px_home *home);
/* What was said up to that number is in the journal. */
void px_stream_confirm(struct px_home *home, uint64_t number);
/* All of it was sent. */
void px_stream_sent(struct px_home *home);
/* Whether a home may know that the session is there. */
bool px_stream_is_said(const struct px_home *home, const struct px_session *session);
/* Sessions that the journal does not have any more: another home took them for dead. */
void px_stream_expel(struct px_home *home);
/* All that is not in the journal is to be said again. */
void px_stream_rewind(struct px_home *home);
void px_stream_finish(struct px_home *home);
/* Whether the practice can run now. */
bool px_home_can_run(const struct px_home *home);
/* The session of this node with that id; NULL. */
struct px_session *px_bus_session(const struct px_broker *broker, uint64_t client_id);
/* The same, if it is in the practice, and has not left it. */
struct px_session *px_home_visitor(const struct px_home *home, uint64_t client_id);
/* Calls `visit` for each session of this node that is in the practice. */
void px_home_visit(struct px_home *home,
		void (*visit)(struct px_home *home, struct px_session *session));

/* ---- edge.c ---- */

/* Sends what was said and not sent, if the home is known. */
void px_edge_send(struct px_home *home);
void px_edge_fetch(struct px_home *home);
void px_edge_fetched(struct px_home *home, int rc);
void px_edge_turn(struct px_home *home, const struct px_frame *frame);
void px_edge_again(struct px_home *home, const struct px_frame *frame);
void px_edge_not_home(struct px_home *home, const struct px_frame *frame);
/* A frame for the home reached nobody. */
void px_edge_unheard(struct px_home *home);
/* Sends a body in as many frames as it takes. False: no memory; some may have been sent. */
bool px_bus_tell(struct px_home *home, uint64_t node, struct px_frame *frame, struct px_span body);
/* Adds a frame's part. 1: the body is whole; 0: more is to come; -EINVAL: out of order; -ENOMEM. */
int px_parts_add(struct px_parts *parts, uint64_t number, const struct px_frame *frame);
void px_parts_finish(struct px_parts *parts);

/* ---- guest.c ---- */

struct px_guest *px_guest_find(const struct px_home *home, uint64_t client_id);
/* The node's, a new one if there is none. NULL without memory. */
struct px_edge *px_edge_get(struct px_home *home, uint64_t node);
/* A guest of that edge; takes over the identity. -ENOMEM. */
int px_guest_create(struct px_home *home, struct px_edge *edge,
		const struct px_session_params *params, uint64_t client_id,
		struct px_guest **ret_guest);
void px_guest_end(struct px_guest *guest, enum px_leave_reason reason);
/* Those of nodes that are dead leave. */
void px_guests_bury(struct px_home *home);
void px_guest_said(struct px_home *home, const struct px_frame *frame);
/* It can run again: asks for what could not be taken. */
void px_guests_ask_again(struct px_home *home);
/* Whether an edge has to be told something with the next turn. */
bool px_guests_have_news(const struct px_home *home, const struct px_turn *turn);
/* Adds records and frames to the turn, which will be `rev`. -ENOMEM: nothing is lost. */
int px_guests_write(struct px_home *home, struct px_turn *turn, uint64_t rev);
/* The turn is asked for. */
void px_guests_asked(struct px_home *home, const struct px_turn *turn);
/* Without a word. */
void px_guests_finish(struct px_home *home);

#endif

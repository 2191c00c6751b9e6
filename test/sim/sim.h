/* SPDX-License-Identifier: MIT */
/*
 * The simulation: a seeded random walk over the whole broker, with the real services, and a
 * model beside it that says what every client must receive.
 *
 *   main.c     options, the walk, reporting a failure
 *   talk*.c    what clients say: each message goes to the broker and to the model
 *   say.c      … put together field by field
 *   world.c    what happens to them: coming, going, full sockets, clocks, switches
 *   resume.c   connections that break, and sessions that go on with others
 *   model.c    practices' boards, rooms and halls, and who must hear what
 *   waiting.c  … and the waiting rooms
 *   values.c   … what boards keep, and presence.c who looks at them
 *   rights.c   … and who may not hear it any more
 *   lines.c    messages as one line of text, made by the model and of a frame
 *   checks.c   after each action and each turn: are both still of one opinion
 *   operate.c  what operators are shown
 *   probe.c    a service of our own, for what the real ones do not do
 *
 * The model knows the contracts (docs/protocol.md, include/praxis/) and nothing of how they
 * are kept. It looks into the broker for four things only: whether a session was found too
 * slow, the epoch of a new channel, in what order an ended channel loses its members, and how
 * large a value of a board is.
 * What was replaced by a later message with the same key it learns from what does not come;
 * it knows where that may be.
 *
 * Every expected message is a line like "type="ack" id=5 seq=3". A client's lines must come
 * in just that order, and none else; only what several sessions that end in one turn leave
 * behind may come in any order among itself (it has the same `batch`).
 */
#ifndef SIM_H
#define SIM_H

#include "../unit/fake.h"
#include "core/session.h"

enum {
	TENANTS = 3,
	PRACTICES = 5,
	PLACES = TENANTS * PRACTICES, /* (tenant, practice) */
	PEERS = 28,
	REALMS = 2,
	HELD = 4,        /* practices of one identity */
	CHANNELS = 64,
	HISTORY = 12,    /* updates that a board keeps */
	CHATS = 4,       /* messages that a room's chat keeps */
	ROOM_MEMBERS = 4,
	WAITING_MAX = 2,
	VALUES = 4,      /* keys of which a board keeps a value, at most */
	PERSONS = 64,    /* present in one practice, or held a moment longer */
	PRESENT_LISTED = 3,
	RAW = 48,        /* an id or name as it stands in a message */
};

#define HISTORY_AGE_MS 60000
#define BOARD_AGE_MS 100000
#define BOARD_PART_BYTES (48 * 1024)
#define PRESENT_DELAY_MS 200
#define PRESENT_DELAY_EACH_MS 20
#define SEEN_DELAY_MS 500
#define SEEN_DELAY_EACH_MS 10
#define PRESENT_HOLD_MS 5000
#define WAITING_MS 40000
#define LIST_DELAY_MS 100
#define LIST_DELAY_EACH_MS 10
#define HEARTBEAT_MS 25000
#define SLOW_CLOSE_MS 5000
#define GRACE_MS 20000
#define QUEUE_BYTES 6000
#define AUTH_MS 10000
#define AUTH_NOTICE_MS 20000
#define RATE_PER_S 5
#define RATE_BURST 40
#define QUEUE_AGE_MS 20000
#define CHANNEL_LIMIT 40
#define ROOMS_LIMIT 3

enum service_index { WHITEBOARD, TELEMEDICINE, PROBE, SERVICES };
enum kind { BOARD, ROOM, HALL, WAITING, PRESENCE };

/* A message as it must be, shared by all who must get it. */
struct line {
	unsigned refs;
	size_t bytes_max; /* of its frame, at most */
	bool uncounted;   /* has no number in a session */
	int service;      /* what it is of; -1: nothing, and everybody may hear it */
	int practice;     /* index of its id; -1: none */
	bool is_gone;     /* stands for one that must not be given again */
	char key[RAW];    /* the board's place and the key; "": it has none */
	char text[];
};

struct expected {
	struct line *line;
	unsigned batch; /* 0: strictly in its place */
	bool may_skip;  /* its queue was over its limit when a newer one with its key was in it */
	int64_t at_ms;
};

struct held {
	unsigned practice; /* index of its id */
	bool number;
};

/* A session as the model sees it. */
struct peer {
	struct fake_conn *conn; /* NULL: the place is free; of a detached one: the last it had */
	struct px_session *session;
	unsigned tenant;
	unsigned realm;
	int service; /* -1: all */
	enum px_role role;
	bool authenticated;
	int64_t opened_ms;
	int64_t expires_ms; /* of its token; 0: never */
	bool is_noticed;    /* was told so */
	int64_t due_ms;     /* since then its token is to be spoken of; -1: it is not */
	int64_t spent_until_ms; /* when it has saved up all again that it may send */
	unsigned flood_count;
	int64_t flood_since_ms;
	bool has_rooms; /* all that there are; else a patient's token names none */
	struct held held[HELD];
	unsigned held_count;
	char user[RAW]; /* JSON; "" if unknown */
	char name[RAW]; /* JSON */
	enum px_session_phase phase;
	int close_code;    /* that it must be told */
	bool returns;      /* was told to come back: 1012 */
	bool has_left;     /* its memberships, before it is lost */
	bool is_told;      /* its close was seen, or its failure */
	uint32_t opened;
	uint32_t missed;   /* services of which it was not sent something, being off */
	int64_t alive_ms;
	int64_t pinged_ms; /* -1: not since */
	int64_t cut_ms;    /* its last chance as a slow reader ends; -1 */
	unsigned pings_due;
	int64_t ping_ms;   /* the first of them was */
	unsigned bad_count;
	int64_t bad_since_ms;
	size_t queued;     /* bytes, when last looked at */
	size_t added;      /* and at most added since */
	uint64_t writes;   /* its transport had taken, when last looked at */
	int64_t wrote_ms;
	uint64_t bytes_in;
	struct expected *queue;
	size_t first, count, size;

	/* see resume.c */
	bool versioned;
	bool is_back;      /* in this turn, with all that was kept for it */
	bool is_blurred;   /* it did not get all that was written */
	char token[64];
	char former[64];   /* the token that it came back with last … */
	bool is_former_good; /* … while it has shown no sign of life since */
	uint64_t taken;    /* of its messages by the server */
	uint64_t got;      /* of the server's, with a number */
	struct line **kept; /* the latest of them, not confirmed */
	size_t kept_count, kept_size;
	int64_t end_ms;    /* detached: the grace is over */
	uint64_t detached; /* who was earlier has less */
};

struct member {
	struct peer *peer;
	uint64_t order;
	bool is_host;     /* of a hall: its leaving ends it */
	bool audio, video, screen;
	bool typing;
	int64_t typing_next_ms;
	uint64_t has_from; /* of a board: it was sent all after this one, or they are its own */
	uint64_t heard;    /* … of one that is detached, without praxis.v1 */
	uint64_t missed;   /* … and since it is back: it may lack what is before */
	int64_t since_ms; /* of one who waits */
	int64_t until_ms;
	uint64_t place;   /* … in the line */
	char room[RAW];   /* as it spelled the room when it joined */
	char user[RAW];
	char name[RAW];
};

struct entry {
	struct line *line;
	uint64_t seq;
	int64_t at_ms;
	char by[PX_CLIENT_ID_SIZE];
};

/* What a board keeps of a key. */
struct value {
	struct line *line;
	char key[RAW];
	uint64_t seq;
	int64_t at_ms;
	uint64_t bytes; /* of memory */
	size_t len;     /* of its text */
};

/* A user who is present, or was a moment ago. */
struct person {
	bool has_id;
	char id[RAW];   /* JSON; without one: its session's */
	char name[RAW]; /* JSON */
	enum px_role role;
	unsigned sessions;
	int64_t since_ms, gone_ms;
	uint64_t seq;
	bool has_seen;
};

struct channel {
	bool exists;
	enum kind kind;
	unsigned place;
	char name[RAW];
	struct member members[PEERS];
	unsigned member_count;
	uint64_t seq;
	char epoch[17];
	struct entry history[HISTORY];
	unsigned history_count;
	struct line *chat[CHATS];
	char chat_item[CHATS][64]; /* as a room's list of it has it */
	unsigned chat_count;
	int64_t list_ms; /* of a room: when its team is told who waits; 0: not */
	struct value values[VALUES]; /* the oldest first */
	unsigned value_count;
	struct person *persons; /* of PRESENCE; who came first first */
	unsigned person_count;
	int64_t seen_ms; /* … and list_ms: when all are told; 0: not */
};

struct sim {
	struct fake *fake;
	struct px_realm realms[REALMS];
	struct peer peers[PEERS];
	struct channel channels[CHANNELS];
	char last_epoch[PLACES][17]; /* of the board's life before */
	uint64_t dice;
	uint64_t seed;
	uint64_t step;
	uint64_t turn;
	int64_t turn_ms; /* the latest ended */
	uint64_t tag;   /* of the latest message; each has its own */
	bool waiting;   /* patients wait to be let in */
	struct px_options *calls[2]; /* options of telemedicine: without and with */
	unsigned board;              /* which limits of what boards keep */
	struct px_options *boards[3];
	uint64_t order;
	unsigned batch; /* of what is expected now; 0: strict */
	uint64_t errors[PX_E_COUNT];
	uint64_t closes[65536];
	uint64_t cuts, unsure;
	uint64_t unsure_expired; /* full in this turn: before they were told, or by it */
	uint64_t messages_in, bytes_in, opened, slow, silent, limited;
	uint64_t detached;    /* ever */
	uint64_t resumes[PX_RESUME_COUNT];
	uint64_t takeovers, reattached, replayed;
	uint64_t skipped;     /* lines that newer ones replaced */
	uint64_t may_skipped; /* … or may have, of clients that were given up */
	uint64_t done[64]; /* how often each action was taken, and each outcome */
};

extern struct sim sim;

_Noreturn void sim_fail(const char *format, ...) PX_PRINTF(1, 2);

/* ---- dice ---- */

unsigned dice(unsigned sides); /* 0 to sides - 1 */
bool chance(unsigned percent);

/* ---- lines.c ---- */

/* Writes a line word by word; the words must come in the order of line_of_frame(). */
struct words {
	char text[16384];
	size_t len;
};

struct words *words_begin(const char *type);
void words_add(struct words *words, const char *key, const char *format, ...) PX_PRINTF(3, 4);
void words_add_if(struct words *words, const char *key, const char *value); /* unless "" */
struct line *words_line(const struct words *words, size_t bytes_max);

struct line *line_ref(struct line *line);
void line_unref(struct line *line);

/* The same of a frame; lives until the next call. */
const char *line_of_frame(const char *text, size_t len);

/* ---- model.c ---- */

extern const char *const practice_ids[PRACTICES];

unsigned place_of(const struct peer *peer, unsigned practice);
/* A user's id as the server writes it: the proven one, in the spelling of whoever said the same. */
const char *told_user(const struct peer *peer, const char *said);
const char *spell_practice(const struct peer *peer, unsigned place, char buf[RAW]);
int find_held(const struct peer *peer, unsigned practice); /* index, or -1 */

/* The peer must get that line; takes the reference. */
void expect_line(struct peer *peer, struct line *line);
void expect_error(struct peer *peer, enum px_error code, const char *ref, const char *field,
		const char *id);
void expect_ack(struct peer *peer, const char *id, uint64_t seq);

/* To all members but `except`. */
void expect_all(const struct channel *channel, const struct peer *except, struct line *line);

struct channel *find_channel(enum kind kind, unsigned place, const char *name);

/* As px_channel_join(): 0 or -errno; *ret_new NULL: do not care. */
int model_join(struct peer *peer, enum kind kind, unsigned place, const char *name,
		struct channel **ret_channel, bool *ret_new);
struct member *find_member(const struct channel *channel, const struct peer *peer);

/* The same, of one who has to be there. */
struct member *the_member(const struct channel *channel, const struct peer *peer);

/* The membership in a room or hall of that name; place < 0: of any, the latest first. */
struct channel *find_membership(const struct peer *peer, enum kind kind, int place,
		const char *name);

void model_leave(struct channel *channel, struct peer *peer, const char *reason);
void model_leave_all(struct peer *peer);
void model_end_room(struct channel *channel);
void model_publish(struct channel *channel, struct line *line, const struct peer *except);
void model_keep_chat(struct channel *channel, struct line *line, const char *item);
void model_expire(void);

/* The services that it may use now are opened, and entered with its practices. */
uint32_t model_services(const struct peer *peer); /* that may and will have it now */
void model_attach(struct peer *peer);

/* ---- rights.c ---- */

/* The peer does without the line's service now, and so without the line. */
bool model_mutes(struct peer *peer, const struct line *line);
/* What waits for it of such services is not sent any more. */
void model_drop_muted(struct peer *peer);
/* What waits for it and only the old identity may hear, neither. */
void model_drop_lost(struct peer *peer, const struct peer *token);

void model_enter(struct peer *peer, unsigned practice, uint32_t services);
void model_close(struct peer *peer, int code);
void model_clear(struct peer *peer); /* it must get nothing more */
void model_free(struct peer *peer);

/* ---- values.c ---- */

struct board_limits {
	unsigned values;
	uint64_t bytes;
};

extern const struct board_limits board_limits[3];

/* What exceeds the limits of now is dropped. */
void model_limit_values(struct channel *board);
void model_expire_values(struct channel *board);
void model_forget_values(struct channel *board);
void model_drop_value(struct channel *board, const char *key);

/*
 * Its update is to be kept, and would have this number: whether the broker has done so, and whether
 * it may have, and must. Then it is kept here, too.
 */
bool model_keep_value(struct channel *board, const struct peer *peer, const char *key,
		struct line *line, uint64_t seq);
void model_tell_values(struct peer *peer, const struct channel *board);
uint64_t model_extra_values(const struct channel *board); /* which are in no history any more */
void check_values(const struct px_channel *real, const struct channel *board);

/* ---- presence.c ---- */

void model_left_presence(struct channel *channel, struct peer *peer);
void model_wake_presence(void);
bool is_present(const struct peer *peer);

/* ---- waiting.c ---- */

/* Of those in the line, after one has left it: `member` is it, out of the channel already. */
/* Another session of the same user that waits there; NULL. */
struct member *find_twin(struct channel *waiting, const struct peer *peer);
void model_left_waiting(struct channel *waiting, const struct member *member, const char *reason);

/* What time has brought: lists, and those who have waited too long. */
void model_wake(void);

/* The list, to one who has just joined, if anybody waits. */
void model_tell_waiting(struct channel *room, struct member *member);

/* ---- tokens.c ---- */

/* Texts that a struct fake_who points to. */
struct who_words {
	char practices[64];
	char name[RAW];
};

void tokens_begin(void);
/* Makes up another token of the same user; and what becomes of its session with it. */
void tokens_invent(struct peer *token);
void tokens_become(struct peer *peer, const struct peer *token, bool tells);
void tokens_who(const struct peer *peer, struct who_words *words, struct fake_who *ret_who);
void tokens_pick_expiry(struct peer *peer);
void tokens_pass_time(struct peer *peer); /* that is open */
/* ---- resume.c ---- */

/* Whether what is sent to it will reach it, now or later. */
bool model_hears(const struct peer *peer);

/* The line has arrived, and its frame. */
void model_got(struct peer *peer, struct line *line, const char *frame);

/* Whether the session outlives its connection; then: it does. `deaf`: as px_session_detach(). */
bool model_may_live(const struct peer *peer);
void model_mark(struct peer *peer); /* it hears nothing of what is published from now on */
void model_detach(struct peer *peer, bool deaf);

/* The client has got so many. */
void model_confirm(struct peer *peer, uint64_t n);

/* A client without praxis.v1 that waits for just this user, longest; NULL. */
struct peer *find_reattachable(const struct peer *like);
void reattach(struct peer *peer);
/* The place of the unauthenticated one is free then. */
void reattach_by_auth(struct peer *peer, struct peer *unauthenticated);
void reconnect(void);

/* ---- talk.c, world.c ---- */

void talk(void);
void happen(void);

/* Its identity connects; the broker decides to which session. */
struct fake_conn *connect_as(const struct peer *peer, const char *token, int64_t received,
		bool unauthenticated);
void expect_greeting(struct peer *peer, bool not_resumed);
void pass_time(void);

/* The whole end of the walk: all are lost. */
void lose_all(void);

/* ---- checks.c ---- */

/* After each action: who failed, who was too slow. */
void check_action(void);

/* Ends the turn in the broker and the model; then everything. */
void check_turn(void);
void check_end(void);

/* ---- operate.c ---- */

/* Somebody who operates looks in, between two turns. */
void check_operating(void);

/* ---- probe.c ---- */

extern const struct px_service probe_service;
extern unsigned probe_opened, probe_closed;

/* What a handler of ours tries to reach, and must not. */
extern struct px_practice *probe_foreign_practice;
extern struct px_channel *probe_foreign_channel;
extern uint64_t probe_crossings;

#endif

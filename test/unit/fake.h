/* SPDX-License-Identifier: MIT */
/*
 * A host for the broker that has no sockets: what the unit tests, the simulation and the
 * fuzzer run it on. The transport takes frames apart as strictly as a browser does and
 * keeps their payloads; it is made busy, or made to fail, by hand. Clock and random are
 * the test's.
 *
 * Whatever the broker does that its contract forbids (a write to a busy or closed
 * connection, half a frame, a second close) ends the process at once, in the call that
 * did it. fake_destroy() asserts that nothing is left: no test can forget to.
 *
 * Rejected: check's own assertions in here. The simulation and the fuzzer have no check.
 */
#ifndef FAKE_H
#define FAKE_H

#include "run.h"

#include <praxis/host/broker.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

enum {
	FAKE_TEXT = 1,
	FAKE_PING = 9,
};

/* Not told to close yet. */
#define FAKE_OPEN (-1)

struct fake_frame {
	unsigned opcode;
	size_t at; /* in the connection's data; terminated there */
	size_t len;
};

/* One connection: what its client would see. */
struct fake_conn {
	struct fake *fake;
	struct fake_conn *next;
	struct px_session *session; /* NULL from fake_lose() on */
	bool busy;          /* takes nothing; see fake_unblock() */
	bool fails;         /* the next write is an error */
	bool failed;        /* a write was */
	unsigned busy_after; /* becomes busy with the write of that number; 0: never */
	int close_code;     /* FAKE_OPEN, or what it was told; 0: cut */
	uint64_t writes;
	uint64_t bytes;
	struct fake_frame *frames;
	size_t frame_count;
	size_t frame_size;
	size_t next_frame;  /* the first that the test has not read */
	char *data;
	size_t data_len;
	size_t data_size;
	char client_id[PX_CLIENT_ID_SIZE];
	char token[64];     /* to resume it with, once the greeting was read; "": none */
};

struct fake {
	struct px_broker *broker;
	struct px_realm realm;
	struct fake_conn *conns;
	struct px_options *options[PX_SERVICES_MAX];
	unsigned option_count;
	int64_t mono_ms;
	int64_t wall_ms;
	uint64_t random;
	uint64_t bytes_out; /* all that the connections took */
	bool over_budget;   /* finds every turn too long: fake_turn() does as little as can be */
	unsigned log_count;
	char log[512];      /* the latest line */
	struct json_object *json; /* what fake_expect() returned last */
};

/* Who connects. Zeroed: staff of practice 1 of tenant "t", not authenticated, unified. */
struct fake_who {
	const char *tenant;
	const char *practices; /* "1 \"2\" x": a number, and two strings. "": none */
	const char *user;      /* as a practice is written */
	const char *name;
	enum px_role role;
	bool unauthenticated;  /* of no role: has yet to authenticate */
	bool authenticated;
	bool all_practices;
	const char *rooms;     /* as practices; NULL: a token that does not speak of rooms */
	int64_t expires_ms;
	const char *service;   /* the only one */
	struct px_realm *realm;
	bool versioned;        /* offers praxis.v1 */
	const char *resume;    /* the token of a session, and what it has of it */
	int64_t received;
	const char *address;
};

#define WHO(...) (&(const struct fake_who){ __VA_ARGS__ })

/* Says what is wrong, and aborts. */
_Noreturn void fake_fault(const char *format, ...) PX_PRINTF(1, 2);

/* The next of a deterministic sequence; the state must not be 0. */
uint64_t fake_random(uint64_t *state);

/* `limits` NULL: generous ones. */
struct fake *fake_create(const struct px_limits *limits);
struct px_limits fake_limits(void);

/*
 * Loses all connections, lets a day go by so that histories expire, and asserts that the
 * broker holds nothing more.
 */
void fake_destroy(struct fake *fake);

/* The same, but for what history keeps: ending that is left to px_broker_destroy(). */
void fake_abandon(struct fake *fake);

/* Adds a service with options (JSON text, NULL: none) and enables it; its index. */
unsigned fake_add_service(struct fake *fake, const struct px_service *service,
		const char *options);

/* The options alone, checked; fake_destroy() frees them. */
struct px_options *fake_options(struct fake *fake, const struct px_option *table,
		const char *text);

int fake_identity(struct fake *fake, const struct fake_who *who, struct px_identity **ret_identity);

/* Connects; the greeting is still to be read. */
struct fake_conn *fake_connect(struct fake *fake, const struct fake_who *who);

/* Connects, ends the turn and reads the greeting. */
struct fake_conn *fake_open(struct fake *fake, const struct fake_who *who);

/* The same for one that resumes a session; reads `resumed`. */
struct fake_conn *fake_resume(struct fake *fake, const struct fake_who *who);

/* The client sends that; the turn is not ended. */
void fake_send(struct fake_conn *conn, const char *text);
void fake_send_bytes(struct fake_conn *conn, const void *bytes, size_t len);

/* Both: sends, and ends the turn. */
void fake_say(struct fake_conn *conn, const char *text);

/* A message of the server's own, of about that many bytes; nothing is written yet. */
void fake_give(struct fake_conn *conn, unsigned number, size_t bytes);

/* True: there is work left. */
bool fake_turn(struct fake *fake);

/* The connection breaks, or its close is through; the turn is not ended. */
void fake_lose(struct fake_conn *conn);

/* The client says goodbye. */
void fake_leave(struct fake_conn *conn);

/* Gives back one that was lost, after the end of that turn. */
void fake_forget_conn(struct fake_conn *conn);

/* Ends turns until every connection that was told to close is lost. */
void fake_settle(struct fake *fake);

void fake_unblock(struct fake_conn *conn);
void fake_advance(struct fake *fake, int64_t ms);

struct px_stats fake_stats(const struct fake *fake);

/* The next frame that was not read yet; NULL: there is none. */
const struct fake_frame *fake_next(struct fake_conn *conn);
const char *fake_frame_text(const struct fake_conn *conn, const struct fake_frame *frame);

/* The next text message as it is; "" where there is none. Pings are skipped. */
const char *fake_text(struct fake_conn *conn);

/* Forgets the frames that were read. */
void fake_forget(struct fake_conn *conn);

/*
 * Reads the next text message, which must have all that `pattern` has, with the same
 * values; it may have more. Patterns may use single quotes. Aborts where it does not fit.
 * What is returned lives until the next call for the same fake.
 */
struct json_object *fake_expect(struct fake_conn *conn, const char *pattern);

/* Nothing more has come. */
void fake_expect_nothing(struct fake_conn *conn);

/* A member of an object as text; "" where there is none. */
const char *fake_member(struct json_object *object, const char *key);

#endif

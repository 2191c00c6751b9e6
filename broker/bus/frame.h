/* SPDX-License-Identifier: MIT */
/*
 * What nodes send each other about a practice, as bytes. A frame has a head and a part of a body;
 * a large body comes in several frames. Reading trusts nothing: a frame or an entry of a body is
 * either whole and within its bounds, or refused. It knows neither brokers nor sessions.
 *
 * Numbers are big-endian. The version comes first; what a newer one sends is refused as a whole.
 */
#ifndef PX_BUS_FRAME_H
#define PX_BUS_FRAME_H

#include <praxis/host/bus.h>
#include <praxis/types.h>

/* Of a body, as it is put together from its parts. */
#define PX_FRAME_BODY_MAX (32 * 1024 * 1024)

/* Of one frame's part of it: with the longest head that is less than PX_BUS_FRAME_BYTES. */
#define PX_FRAME_PART_BYTES (PX_BUS_FRAME_BYTES - 1024)

enum px_frame_kind {
	/*
	 * From an edge: what its sessions said. `number`: all up to that one was accepted before;
	 * `rev`: a number of the body, the same in all of its frames.
	 */
	PX_FRAME_SAID = 1,
	/*
	 * From the home: the revision `rev` as that edge gets it. `prev`: the one before it that had
	 * something for this edge; 0: not known. `base`: the revision that this generation began with.
	 * `number`: what the edge said up to that one was accepted.
	 */
	PX_FRAME_TURN,
	/* From the home: something is missing after `number`. */
	PX_FRAME_AGAIN,
	/* From one that is not the home. */
	PX_FRAME_NOT_HOME,
};

struct px_frame {
	enum px_frame_kind kind;
	struct px_bus_place place;
	uint64_t from; /* node */
	uint64_t gen;  /* as the sender knows it */
	uint64_t rev;
	uint64_t prev;
	uint64_t base;
	uint64_t number;
	uint16_t part;  /* of the body: 0, 1 and so on */
	bool is_last;   /* of its parts */
	bool is_asking; /* an edge wants a turn, to know where it stands */
	struct px_span body;
};

enum px_said_kind {
	PX_SAID_ENTER = 1, /* the session is there, or has changed; text: its record */
	PX_SAID_LEAVE,
	PX_SAID_CALL,      /* text: the message */
	PX_SAID_NOTHING,   /* only a number: the session is gone */
};

/* An entry of a SAID body. */
struct px_said {
	enum px_said_kind kind;
	uint64_t prev; /* the number before it */
	uint64_t number;
	uint64_t client_id;
	uint8_t reason; /* of leaving */
	struct px_span text;
};

enum px_given_kind {
	PX_GIVEN_MESSAGE = 1,
	PX_GIVEN_CLOSE, /* the clients are closed with `code` */
};

/* An entry of a TURN body. */
struct px_given {
	enum px_given_kind kind;
	uint16_t code; /* of a close, or the refusal that the message is */
	bool is_of_practice;
	bool is_publication;
	bool is_concerned;
	struct px_span service; /* names; len 0: none */
	struct px_span type;
	struct px_span room;
	struct px_span key;
	struct px_span concern;
	struct px_span text;
	struct px_span clients; /* px_given_client() reads it */
};

/* Grows as it is written. Zeroed: empty. */
struct px_bytes {
	char *data;
	size_t len;
	size_t size;
	bool has_failed; /* for want of memory; what is in it is of no use */
};

void px_bytes_add(struct px_bytes *bytes, const void *data, size_t len);
void px_bytes_finish(struct px_bytes *bytes);

void px_frame_write(struct px_bytes *bytes, const struct px_frame *frame);
/* False: it is not one. Spans point into the bytes. */
bool px_frame_read(struct px_span bytes, struct px_frame *ret_frame);

void px_said_write(struct px_bytes *body, const struct px_said *said);
/* Takes the first entry off the body: 1; 0: it is empty; -EINVAL. */
int px_said_read(struct px_span *body, struct px_said *ret_said);

/* `clients` is written by px_given_add_client(), once for each. */
void px_given_write(struct px_bytes *body, const struct px_given *given, size_t clients);
void px_given_add_client(struct px_bytes *body, uint64_t client_id);
int px_given_read(struct px_span *body, struct px_given *ret_given);
size_t px_given_clients(const struct px_given *given);
uint64_t px_given_client(const struct px_given *given, size_t index);

#endif

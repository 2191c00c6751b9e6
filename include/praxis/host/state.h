/* SPDX-License-Identifier: MIT */
/*
 * What a broker hands to the one that comes after it on the same machine: practices' numbers
 * and histories, rooms, and the sessions that may be resumed, as lines of JSON. Where they
 * are written to and whether they can be trusted is the host's business; here is neither a
 * file nor a clock.
 *
 * Times are written as ages, so that they survive a clock that began anew; what a limit or
 * an option says is that of the broker which loads.
 */
#ifndef PRAXIS_HOST_STATE_H
#define PRAXIS_HOST_STATE_H

#include <praxis/types.h>

struct px_broker;
struct px_realm;

/* Grows when what was written before can no longer be read. */
#define PX_STATE_FORMAT 2

/* No line is longer, whoever writes it. */
#define PX_STATE_LINE_MAX (256 * 1024 * 1024)

struct px_state_writer {
	void *user;
	/* One line, without its end; lives during the call. -errno ends the saving. */
	int (*line)(void *user, struct px_span line);
};

struct px_state_reader {
	void *user;
	/* The next line; it must live until the next call. 1; 0: there are no more; -errno. */
	int (*line)(void *user, struct px_span *ret_line);
	/* The realm of that name; NULL: there is none any more. */
	struct px_realm *(*realm)(void *user, struct px_span name);
	int64_t elapsed_ms; /* since it was saved; from 0 on */
	uint64_t lines_before; /* the host's own; by them the log counts */
};

/* What a load brought, and what had no place any more. */
struct px_state_counts {
	uint64_t channels, updates, sessions, members;
	uint64_t dropped_channels, dropped_sessions, dropped_members;
};

/*
 * From now on channels with a seq outlive their last member, however old their history is:
 * their clients come back to the next broker and ask what they missed. For a broker that is
 * about to be saved.
 */
PX_PUBLIC void px_broker_hold(struct px_broker *broker);

/* Writes all that is to be kept; changes nothing. -ENOMEM, or what `line` returned. */
PX_PUBLIC int px_broker_save(struct px_broker *broker, const struct px_state_writer *writer);

/*
 * Takes up what was saved, into a broker that has its services and the time, and no session
 * yet. All or nothing: -EINVAL (it is no state of this format; the log says where), -ENOMEM,
 * or what `line` returned, and the broker is as it was. What the services and limits of now
 * have no place for is left out; members that stay are notified as if it had left.
 */
PX_PUBLIC int px_broker_load(struct px_broker *broker, const struct px_state_reader *reader,
		struct px_state_counts *ret_counts);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What a broker leaves for its successor on the same machine: sequence numbers and histories,
 * rooms, and the sessions that may be resumed, as lines of JSON. The host decides where they are
 * written and whether they can be trusted; this uses neither a file nor a clock.
 *
 * Times are written as ages, so that they survive a clock that starts anew. Limits and options are
 * those of the broker that loads.
 */
#ifndef PRAXIS_HOST_STATE_H
#define PRAXIS_HOST_STATE_H

#include <praxis/types.h>

struct px_broker;
struct px_realm;

/* Incremented when older states can no longer be read. */
#define PX_STATE_FORMAT 2

/* Maximum length of a line. */
#define PX_STATE_LINE_MAX (256 * 1024 * 1024)

struct px_state_writer {
	void *user;
	/*
	 * Writes one line, without its end; the span is valid during the call. -errno ends the saving.
	 */
	int (*line)(void *user, struct px_span line);
};

struct px_state_reader {
	void *user;
	/*
	 * Reads the next line, which must stay valid until the next call. 1; 0: no more lines; -errno.
	 */
	int (*line)(void *user, struct px_span *ret_line);
	/* The realm with that name; NULL: it does not exist any more. */
	struct px_realm *(*realm)(void *user, struct px_span name);
	int64_t elapsed_ms; /* since it was saved, in milliseconds; at least 0 */
	uint64_t lines_before; /* lines of the host's own before these, for line numbers in the log */
};

/* What a load restored, and what was dropped. */
struct px_state_counts {
	uint64_t channels, updates, sessions, members;
	uint64_t dropped_channels, dropped_sessions, dropped_members;
};

/*
 * From now on channels with a history outlive their last member, regardless of the history's age:
 * their clients will ask the next broker what they missed. For a broker that is about to be saved.
 */
PX_PUBLIC void px_broker_hold(struct px_broker *broker);

/* Writes everything that survives a restart; changes nothing. -ENOMEM, or the error of `line`. */
PX_PUBLIC int px_broker_save(struct px_broker *broker, const struct px_state_writer *writer);

/*
 * Loads a state into a broker that has its services and the time, and no session yet. All or
 * nothing: -EINVAL (not a state of this format; the log names the line), -ENOMEM, or the error of
 * `line` leave the broker unchanged. What exceeds the current services and limits is dropped;
 * remaining members are notified as if it had left.
 */
PX_PUBLIC int px_broker_load(struct px_broker *broker, const struct px_state_reader *reader,
		struct px_state_counts *ret_counts);

#endif

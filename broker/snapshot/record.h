/* SPDX-License-Identifier: MIT */
/*
 * Records: a channel, one of its updates or values, a session, a membership, each as one JSON
 * object. Opened by whoever keeps state outside of memory: the state file (save.c, load.c) writes
 * all of them when a server ends, a journal those that changed. It never decides when something is
 * written.
 *
 * A writer adds members to an object that is open, and leaves out what only time changes: so equal
 * state makes equal text, and a journal can tell by comparing whether there is anything to write.
 * Whoever writes adds `age` (milliseconds since it began; not of a membership) before the object
 * ends. A reader trusts nothing: -EINVAL for what is no such record, -ENOMEM; and what it took up
 * until then stays, for the caller to discard.
 */
#ifndef PX_STATE_RECORD_H
#define PX_STATE_RECORD_H

#include "channel/channel.h"

#include <praxis/host/state.h>
#include <praxis/json.h>

struct json_object;
struct px_session_params;
struct json_tokener;

/* Older than any limit on age; far from where adding to it could overflow. */
#define PX_STATE_AGE_MAX_MS (INT64_C(1) << 50)

/* What records are read into. */
struct px_state_load {
	struct px_broker *broker;
	const struct px_state_reader *reader; /* realm() and elapsed_ms are asked of it */
	struct px_state_counts *counts;
	struct json_tokener *tokener;
	struct px_channel *channel; /* of the updates and values that follow; NULL: dropped */
	struct px_session *session; /* the same, of memberships */
	uint64_t order;
	/* Makes the session; NULL: px_session_restore(), whose errors it has. */
	int (*restore)(struct px_state_load *load, const struct px_session_params *params,
			uint64_t client_id, struct px_session **ret_session);
	struct px_message **messages; /* whose texts were read, each held until the end */
	struct px_practice **practices; /* … and what it is of; NULL: none */
	size_t message_count;
	size_t message_size;
};

/* How channels of that kind are kept; NULL: they are not. */
const struct px_snapshot_ops *px_snapshot_ops_of(const struct px_service *service,
		struct px_span kind);

/* The channel and the membership must be of a kind that is kept. */
void px_state_write_channel(struct px_json *json, struct px_channel *channel);
void px_state_write_member(struct px_json *json, struct px_member *member);

/* All but the text; see message.c for why that is the caller's. */
void px_state_write_update(struct px_json *json, const struct px_history_entry *entry);
void px_state_write_value(struct px_json *json, const struct px_value *value);

/*
 * Who it is and what it was opened with; neither its secrets nor its queue. With a practice, its
 * identity is written as if it held that one alone, and without services that `operate`.
 */
void px_state_write_session(struct px_json *json, const struct px_session *session,
		const struct px_practice *only);

/*
 * A channel that there is not yet, pinned for the caller to unpin; in `load->channel`. Or NULL
 * there: no service of now keeps channels of that kind.
 */
int px_state_read_channel(struct px_state_load *load, struct json_object *line);
/* An update of that channel, which must come right after the one before it. */
int px_state_read_update(struct px_state_load *load, struct json_object *line);
/* A value of that channel, in any order; *ret_value NULL: its channel was dropped. */
int px_state_read_value(struct px_state_load *load, struct json_object *line,
		const struct px_value **ret_value);
/* A session that there is not yet, detached; in `load->session`, or NULL: its service is gone. */
int px_state_read_session(struct px_state_load *load, struct json_object *line);
/* A membership of that session, in a channel that there is. */
int px_state_read_member(struct px_state_load *load, struct json_object *line);

/* The tokener of a load has this depth: the record, the service's object, and what it may hold. */
#define PX_STATE_DEPTH 16

/* Parses one record, which must be the whole text, and passes it to `reader`. */
int px_state_read_text(struct px_state_load *load, struct px_span text,
		int (*reader)(struct px_state_load *load, struct json_object *line));

/* All channels, ordered by key; free() it. NULL without memory (or channels). */
struct px_channel **px_state_channels(const struct px_broker *broker, size_t *ret_count);

/*
 * Ends what exceeds the limits of now: channels, and of each the latest members. Those of the list
 * are pinned; one that is ended is unpinned, and NULL from then on. `kept`: other channels.
 */
void px_state_fit_channels(struct px_state_load *load, struct px_channel **list, size_t count,
		uint64_t kept);

/* Gives back what reading held. */
void px_state_load_finish(struct px_state_load *load);

#endif

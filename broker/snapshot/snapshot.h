/* SPDX-License-Identifier: MIT */
/*
 * Internals of saving and loading. The format of the lines is at the top of save.c.
 */
#ifndef PX_SNAPSHOT_H
#define PX_SNAPSHOT_H

#include "channel/channel.h"

#include <praxis/host/state.h>
#include <praxis/json.h>

struct json_object;
struct json_tokener;

/* State of a save. */
struct px_state_save {
	const struct px_broker *broker;
	const struct px_state_writer *writer;
	struct px_table numbered; /* messages whose texts were written and may occur again */
	uint64_t message_count;   /* number of texts written */
};

/* State of a load. */
struct px_state_load {
	struct px_broker *broker;
	const struct px_state_reader *reader;
	struct px_state_counts *counts;
	struct json_tokener *tokener;
	struct px_channel *channel; /* of the lines that follow; NULL: dropped */
	struct px_session *session; /* of the lines that follow; NULL: dropped */
	uint64_t order;
	struct px_message **messages; /* by number of text, each held until the end */
	struct px_practice **practices; /* … with their practices; NULL: none */
	size_t message_count;
	size_t message_size;
};

/* Longer than any limit on age, and far from overflowing. */
#define PX_STATE_AGE_MAX_MS (INT64_C(1) << 50)

/* All channels, ordered by key; NULL without memory (or channels). */
struct px_channel **px_state_channels(const struct px_broker *broker, size_t *ret_count);

/* The kind's snapshot functions; NULL: its channels are not saved. */
const struct px_snapshot_ops *px_snapshot_ops_of(const struct px_service *service,
		struct px_span kind);

/* The service's own state. */
void *px_state_of(const struct px_broker *broker, const struct px_service *service);

/* Ends a line and passes it to the writer; frees the line. */
int px_state_put(const struct px_state_save *save, struct px_json *json);

/* message.c: messages with their origin; an update's origin is its channel */
void px_state_put_update(struct px_state_save *save, struct px_json *json,
		const struct px_message *message);
void px_state_put_message(struct px_state_save *save, struct px_json *json, const char *key,
		const struct px_message *message);
void px_state_save_finish(struct px_state_save *save);
/* The load keeps the reference: take one of your own. -EINVAL, -ENOMEM. */
int px_state_get_message(struct px_state_load *load, struct json_object *line, const char *key,
		struct px_message **ret_message);
void px_state_load_finish(struct px_state_load *load);

/* load.c: lines; -EINVAL, -ENOMEM */
int px_state_load_channel(struct px_state_load *load, struct json_object *line);
int px_state_load_update(struct px_state_load *load, struct json_object *line);

/* load_session.c */
int px_state_load_session(struct px_state_load *load, struct json_object *line);
int px_state_load_kept(struct px_state_load *load, struct json_object *line);
int px_state_load_queued(struct px_state_load *load, struct json_object *line);
int px_state_load_member(struct px_state_load *load, struct json_object *line);
int px_state_load_saved(struct px_state_load *load, struct json_object *line);

/* save_session.c */
int px_state_save_sessions(struct px_state_save *save);

/* fit.c: removes what exceeds the limits, and notifies. -ENOMEM. */
int px_state_fit(struct px_state_load *load);

#endif

/* SPDX-License-Identifier: MIT */
/* The inside of saving and loading; the form of the lines is at the top of save.c. */
#ifndef PX_STATE_H
#define PX_STATE_H

#include "channel/channel.h"

#include <praxis/host/state.h>
#include <praxis/json.h>

struct json_object;
struct json_tokener;

/* A saving under way. */
struct px_state_save {
	const struct px_broker *broker;
	const struct px_state_writer *writer;
	struct px_table numbered; /* messages that were written and may come again */
	uint64_t message_count;   /* texts that were written */
};

/* A load under way. */
struct px_state_load {
	struct px_broker *broker;
	const struct px_state_reader *reader;
	struct px_state_counts *counts;
	struct json_tokener *tokener;
	struct px_channel *channel; /* that the lines which follow belong to; NULL: dropped */
	struct px_session *session; /* the same */
	uint64_t order;
	struct px_message **messages; /* whose texts were read, each held until the end */
	struct px_practice **practices; /* … and what it is of; NULL: none */
	size_t message_count;
	size_t message_size;
};

/* Older than any limit on age; far from where adding to it could overflow. */
#define PX_STATE_AGE_MAX_MS (INT64_C(1) << 50)

/* All channels, ordered by what they are called; NULL without memory (or channels). */
struct px_channel **px_state_channels(const struct px_broker *broker, size_t *ret_count);

/* How channels of that kind are kept; NULL: they are not. */
const struct px_snapshot_ops *px_snapshot_ops_of(const struct px_service *service,
		struct px_span kind);

/* The service's own state. */
void *px_state_of(const struct px_broker *broker, const struct px_service *service);

/* Ends a line and hands it to the writer; the line is given back. */
int px_state_put(const struct px_state_save *save, struct px_json *json);

/* message.c: with what it is of, but for an update, which is its channel's */
void px_state_put_update(struct px_state_save *save, struct px_json *json,
		const struct px_message *message);
void px_state_put_message(struct px_state_save *save, struct px_json *json, const char *key,
		const struct px_message *message);
void px_state_save_finish(struct px_state_save *save);
/* The load's reference: take one to keep it. -EINVAL, -ENOMEM. */
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

/* fit.c: what has no place now goes, and those who stay are told. -ENOMEM. */
int px_state_fit(struct px_state_load *load);

#endif

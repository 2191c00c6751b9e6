/* SPDX-License-Identifier: MIT */
/*
 * Internals of saving and loading. The format of the lines is at the top of save.c.
 */
#ifndef PX_SNAPSHOT_H
#define PX_SNAPSHOT_H

#include "record.h"

/* State of a save. */
struct px_state_save {
	const struct px_broker *broker;
	const struct px_state_writer *writer;
	struct px_table numbered; /* messages whose texts were written and may occur again */
	uint64_t message_count;   /* number of texts written */
};

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

/* load_session.c: the lines that only a state file has; -EINVAL, -ENOMEM */
int px_state_load_kept(struct px_state_load *load, struct json_object *line);
int px_state_load_queued(struct px_state_load *load, struct json_object *line);
int px_state_load_saved(struct px_state_load *load, struct json_object *line);

/* save_session.c */
int px_state_save_sessions(struct px_state_save *save);

/* fit.c: removes what exceeds the limits, and notifies. -ENOMEM. */
int px_state_fit(struct px_state_load *load);

#endif

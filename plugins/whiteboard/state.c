/* SPDX-License-Identifier: MIT */
/*
 * The board's state: of each key the latest update that was marked `keep`. The broker keeps these
 * messages as values of the channel; here they are told as a whole. All parts of an answer are
 * queued in one turn, so no update comes between them, and those after it are later ones.
 */
#include "whiteboard.h"

/* Texts of values in one message; a longer value has a message of its own. */
#define PART_BYTES (48 * 1024)

/* The first value of the next part; NULL: this is the last. `values` NULL: only asked for that. */
static const struct px_value *write_part(const struct px_value *value, struct px_json *values)
{
	size_t bytes = 0;
	while (value) {
		struct px_span text = px_message_text(px_value_message(value));
		if (bytes > 0 && bytes + text.len > PART_BYTES) {
			break;
		}
		if (values) {
			px_json_raw(values, NULL, text);
		}
		bytes += text.len;
		value = px_value_next(value);
	}
	return value;
}

static int count_parts(struct px_channel *channel)
{
	const struct px_value *value = px_channel_first_value(channel);
	int parts = 0;
	do {
		value = write_part(value, NULL);
		parts++;
	} while (value);
	return parts;
}

void whiteboard_tell_state(const struct px_call *call, struct px_channel *channel)
{
	int parts = count_parts(channel);
	const struct px_value *value = px_channel_first_value(channel);
	for (int part = 1; part <= parts; part++) {
		struct px_json json;
		px_json_begin(&json, "whiteboard_state");
		px_session_stamp(call->session, call->practice, &json);
		px_json_text(&json, "epoch", px_channel_epoch(channel));
		px_json_int(&json, "seq", (int64_t)px_channel_seq(channel));
		px_json_int(&json, "part", part);
		px_json_int(&json, "parts", parts);
		px_json_open_array(&json, "values");
		value = write_part(value, &json);
		px_json_close_array(&json);
		px_json_end(&json);
		px_session_send_json(call->session, &json);
	}
}

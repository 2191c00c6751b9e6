/* SPDX-License-Identifier: MIT */
/*
 * Updates: of clients, and of the application. One with `keep` true is also kept as the value of
 * its key; with `keep` false, nothing is kept of that key any more.
 *
 * Updates with and without `keep` never replace each other on the way to a slow reader, since one
 * without would take a value from the reader's copy of the board. So the keys of those with `keep`
 * have a byte before them. The value of a key is found by that longer key.
 */
#include "whiteboard.h"

#include <errno.h>
#include <string.h>

#define KEPT_MARK '\001'

/* With the mark before it. */
#define KEY_SIZE (1 + PX_NAME_MAX + 1)

struct update {
	bool has_keep;
	bool keep;
	char text[KEY_SIZE];
	struct px_span key; /* empty: none */
};

/* Why an update is refused. */
struct refusal {
	enum px_error code;
	const char *field;
	const char *sentence;
};

/* Whether what was read is fine. The types of client's fields have been checked. */
static bool read_update(const struct whiteboard *whiteboard, const struct px_envelope *message,
		struct update *update, struct refusal *ret_refusal)
{
	size_t len = 0;
	enum px_kind kind = px_envelope_kind(message, "keep");
	update->has_keep = kind != PX_ABSENT;
	update->keep = px_envelope_bool(message, "keep");
	update->key = (struct px_span){ NULL, 0 };
	if (update->has_keep && kind != PX_BOOL) {
		*ret_refusal = (struct refusal){ PX_E_BAD_MESSAGE, "keep",
			"This field must be true or false." };
		return false;
	}
	if (px_envelope_kind(message, "key") != PX_ABSENT &&
			px_envelope_string(message, "key", update->text + 1, PX_NAME_MAX + 1, &len) < 0) {
		*ret_refusal = (struct refusal){ PX_E_BAD_MESSAGE, "key",
			"This field must be a string of at most 256 bytes." };
		return false;
	}
	if (update->has_keep && len == 0) {
		*ret_refusal = (struct refusal){ PX_E_BAD_MESSAGE, "key",
			"An update with the field keep needs a key." };
		return false;
	}
	if (update->has_keep && whiteboard->value_limits.count == 0) {
		*ret_refusal = (struct refusal){ PX_E_SERVICE_DISABLED, "keep",
			"This server keeps no boards." };
		return false;
	}
	update->text[0] = KEPT_MARK;
	if (update->has_keep) {
		update->key = (struct px_span){ update->text, len + 1 };
	} else if (len > 0 && update->text[1] != KEPT_MARK) {
		update->key = (struct px_span){ update->text + 1, len };
	}
	return true;
}

/*
 * Before it is published. 0, or why it cannot be. The limits may have changed since the last
 * subscriber came.
 */
static int keep(const struct whiteboard *whiteboard, const struct update *update,
		struct px_channel *channel, struct px_message *message, struct refusal *ret_refusal)
{
	int rc = update->keep ?
			px_channel_limit_values(channel, &whiteboard->value_limits) : 0;
	if (rc == 0 && update->keep) {
		rc = px_channel_keep_value(channel, message);
	} else if (rc == 0 && update->has_keep) {
		(void)px_channel_drop_value(channel, update->key);
	}
	if (rc < 0) {
		*ret_refusal = (struct refusal){ PX_E_UNAVAILABLE, rc == -ENOSPC ? "keep" : NULL,
			rc == -ENOSPC ? "The board is full." : "The server is out of memory." };
	}
	return rc;
}

static int fail(struct px_call *call, const struct refusal *refusal)
{
	return px_call_fail(call, refusal->code, refusal->field, refusal->sentence);
}

static int publish(struct px_call *call, const struct update *update, struct px_channel *channel)
{
	uint64_t seq = px_channel_seq(channel) + 1;
	struct refusal refusal;
	call->key = update->key;
	struct px_message *message = px_call_forward(call, seq);
	if (!message) {
		return px_call_fail(call, PX_E_UNAVAILABLE, NULL, "The server is out of memory.");
	}
	int rc = keep(call->service_state, update, channel, message, &refusal);
	if (rc < 0) {
		fail(call, &refusal);
	} else {
		/* Cannot fail: it is a subscriber. */
		(void)px_channel_publish(channel, call->session, message, call->session);
		call->seq = seq;
	}
	px_message_unref(px_session_broker(call->session), message);
	return rc < 0 ? -1 : 0;
}

/* One who unsubscribed may still write; being a member meanwhile keeps the channel alive. */
int whiteboard_handle_update(struct px_call *call)
{
	struct px_member *member;
	struct update update;
	struct refusal refusal;
	if (!read_update(call->service_state, call->message, &update, &refusal)) {
		return fail(call, &refusal);
	}
	bool guest = !px_session_member(call->session, &whiteboard_kind, call->practice,
			px_span(""));
	int rc = whiteboard_subscribe(call->service_state, call->session, call->practice, &member);
	if (rc < 0) {
		return whiteboard_fail_join(call, rc);
	}
	rc = publish(call, &update, px_member_channel(member));
	if (guest) {
		px_member_leave(member, PX_LEFT);
	}
	return rc;
}

/*
 * Where nobody listens and nothing is kept there is nothing to number, either; what is to be kept
 * makes a channel. *ret_channel NULL: there is none.
 */
static int find_channel(const struct whiteboard *whiteboard, const struct update *update,
		const struct px_publication *publication, struct px_channel **ret_channel)
{
	*ret_channel = px_publication_channel(publication, px_span(""));
	if (*ret_channel || !update->keep) {
		return 0;
	}
	return px_publication_open(publication, &whiteboard_kind, px_span(""),
			&whiteboard->limits, ret_channel);
}

static int refuse(struct px_publication *publication, const struct refusal *refusal)
{
	return px_publication_fail(publication, refusal->code, refusal->field, refusal->sentence);
}

static int announce(const struct whiteboard *whiteboard, const struct update *update,
		struct px_publication *publication, struct px_channel *channel)
{
	uint64_t seq = px_channel_seq(channel) + 1;
	struct refusal refusal;
	struct px_message *message = px_publication_message(publication, seq);
	if (!message) {
		return px_publication_fail(publication, PX_E_UNAVAILABLE, NULL,
				"The server is out of memory.");
	}
	int rc = keep(whiteboard, update, channel, message, &refusal);
	if (rc < 0) {
		refuse(publication, &refusal);
	} else {
		px_publication_announce(publication, channel, message);
		publication->seq = seq;
	}
	px_message_unref(publication->broker, message);
	return rc < 0 ? -1 : 0;
}

int whiteboard_take(void *state, struct px_publication *publication)
{
	struct update update;
	struct refusal refusal;
	struct px_channel *channel;
	if (strcmp(publication->type, "whiteboard_update") != 0) {
		return px_publication_fail(publication, PX_E_UNKNOWN_TYPE, "type",
				"Only whiteboard_update can be published for this service.");
	}
	if (!read_update(state, publication->message, &update, &refusal)) {
		return refuse(publication, &refusal);
	}
	publication->key = update.key;
	if (find_channel(state, &update, publication, &channel) < 0) {
		return px_publication_fail(publication, PX_E_UNAVAILABLE, NULL,
				"The server is at its limit.");
	}
	return channel ? announce(state, &update, publication, channel) : 0;
}

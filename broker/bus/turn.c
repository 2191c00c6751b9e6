/* SPDX-License-Identifier: MIT */
/*
 * Turns: what a practice's services send is kept here, until the journal has accepted what they
 * changed. Recipients are kept as client ids: a session may be gone when the answer comes. What is
 * for sessions of other nodes goes with the commit (guest.c).
 *
 * Turns are asked for one behind the other, without waiting for answers. So memory may be ahead of
 * the journal, but nothing that was sent is. An answer that revisions are missing is never followed
 * by success of a later one; when all are answered, one turn replaces everything, and then all that
 * waited for the missing ones is accepted.
 *
 * A large turn is asked for in parts, which the journal keeps apart until the last of them. Half of
 * a turn is never adopted: records of one turn need each other, as a channel needs its updates.
 */
#include "bus_internal.h"

#include "channel/channel.h"
#include "core/identity.h"
#include "core/message.h"
#include "outbound/write.h"
#include "session/session.h"

#include <errno.h>
#include <praxis/host/session.h>
#include <stdlib.h>
#include <string.h>

static struct px_turn *create(struct px_home *home)
{
	struct px_turn *turn = calloc(1, sizeof(*turn));
	if (turn) {
		turn->broker = home->broker;
		turn->home = home;
		turn->practice = px_practice_ref(home->practice);
	}
	return turn;
}

struct px_turn *px_turn_get(struct px_home *home)
{
	if (!home->open) {
		home->open = create(home);
	}
	return home->open;
}

static void free_ops(struct px_turn *turn)
{
	for (size_t i = 0; i < turn->op_count; i++) {
		free((char *)turn->ops[i].record.key.data);
	}
	turn->op_count = 0;
}

static void free_frames(struct px_turn *turn)
{
	for (size_t i = 0; i < turn->frame_count; i++) {
		px_bytes_finish(&turn->frames[i].bytes);
	}
	turn->frame_count = 0;
	free(turn->handed);
	turn->handed = NULL;
}

static void settle(struct px_turn *turn, bool accepted)
{
	struct px_deferred *in_order = NULL;
	while (turn->deferred) {
		struct px_deferred *deferred = turn->deferred;
		turn->deferred = deferred->next;
		deferred->next = in_order;
		in_order = deferred;
	}
	while (in_order) {
		struct px_deferred *deferred = in_order;
		in_order = deferred->next;
		deferred->settle(deferred, accepted);
	}
}

void px_turn_free(struct px_turn *turn)
{
	if (!turn) {
		return;
	}
	settle(turn, false);
	for (size_t i = 0; i < turn->output_count; i++) {
		px_message_unref(turn->broker, turn->outputs[i].message);
	}
	free_ops(turn);
	free_frames(turn);
	free(turn->ops);
	free(turn->frames);
	free(turn->outputs);
	px_practice_unref(turn->broker, turn->practice);
	free(turn);
}

struct px_turn_frame *px_turn_add_frame(struct px_turn *turn, uint64_t node)
{
	if (turn->frame_count == turn->frame_size) {
		size_t size = turn->frame_size ? 2 * turn->frame_size : 4;
		struct px_turn_frame *frames = realloc(turn->frames, size * sizeof(*frames));
		if (!frames) {
			return NULL;
		}
		turn->frames = frames;
		turn->frame_size = size;
	}
	struct px_turn_frame *frame = &turn->frames[turn->frame_count++];
	*frame = (struct px_turn_frame){ .node = node };
	return frame;
}

int px_turn_add(struct px_turn *turn, enum px_bus_change change,
		const struct px_bus_record *record)
{
	if (turn->op_count == turn->op_size) {
		size_t size = turn->op_size ? 2 * turn->op_size : 8;
		struct px_bus_op *ops = realloc(turn->ops, size * sizeof(*ops));
		if (!ops) {
			return -ENOMEM;
		}
		turn->ops = ops;
		turn->op_size = size;
	}
	char *copy = malloc(record->key.len + record->value.len + 1);
	if (!copy) {
		return -ENOMEM;
	}
	memcpy(copy, record->key.data, record->key.len);
	if (record->value.len > 0) {
		memcpy(copy + record->key.len, record->value.data, record->value.len);
	}
	struct px_bus_op *op = &turn->ops[turn->op_count++];
	*op = (struct px_bus_op){ change, *record };
	op->record.key.data = copy;
	op->record.value.data = copy + record->key.len;
	return 0;
}

/* ---- sending ---- */

static struct px_output *add_output(struct px_home *home)
{
	struct px_turn *turn = px_turn_get(home);
	if (!turn) {
		return NULL;
	}
	if (turn->output_count == turn->output_size) {
		size_t size = turn->output_size ? 2 * turn->output_size : 4;
		struct px_output *outputs = realloc(turn->outputs, size * sizeof(*outputs));
		if (!outputs) {
			return NULL;
		}
		turn->outputs = outputs;
		turn->output_size = size;
	}
	px_home_changed(home);
	return &turn->outputs[turn->output_count++];
}

/*
 * Without memory for what it is to hear, the session cannot go on: it must not miss anything. A
 * guest's connection is elsewhere, and to be told that needs memory as well: the practice begins
 * anew.
 */
static void give_up(struct px_session *session)
{
	if (session->phase == PX_SESSION_GUEST) {
		((struct px_guest *)session)->home->is_unfit = true;
		return;
	}
	struct px_practice *at = px_turn_begin(session->broker, NULL);
	px_session_close(session, PX_CLOSE_TRY_LATER);
	px_turn_end(session->broker, at);
}

/* Of the practice whose services run. NULL: nothing of it is kept any more, or no memory. */
static struct px_output *output_to(struct px_session *session)
{
	const struct px_practice *at = session->broker->at;
	struct px_home *home = at ? at->home : ((struct px_guest *)session)->home;
	if (!home || home->is_discarding) {
		return NULL;
	}
	struct px_output *output = add_output(home);
	if (!output) {
		give_up(session);
	}
	return output;
}

static uint64_t node_of(const struct px_session *session)
{
	return session->phase == PX_SESSION_GUEST ? ((const struct px_guest *)session)->edge->node : 0;
}

void px_turn_send(struct px_session *session, struct px_message *message)
{
	struct px_broker *broker = session->broker;
	struct px_output *output = output_to(session);
	if (!output) {
		return;
	}
	*output = (struct px_output){
		.message = px_message_ref(message),
		.client_id = px_session_own_id(session),
		.node = node_of(session),
		.refusal = (uint16_t)broker->refusal,
		.is_publication = broker->is_publishing,
		.is_concerned = broker->concern.practice == broker->at,
		.concern = broker->concern.service,
	};
	if (session == broker->acting) {
		broker->answered += message->len;
	}
}

void px_turn_close(struct px_session *session, enum px_close code)
{
	struct px_output *output = output_to(session);
	if (!output) {
		return;
	}
	*output = (struct px_output){
		.client_id = px_session_own_id(session),
		.node = node_of(session),
		.code = (uint16_t)code,
	};
}

bool px_turn_close_client(struct px_home *home, uint64_t node, uint64_t client_id,
		enum px_close code)
{
	struct px_output *output = add_output(home);
	if (output) {
		*output = (struct px_output){ .client_id = client_id, .node = node,
			.code = (uint16_t)code };
	}
	return output;
}

void px_turn_defer(struct px_practice *practice, struct px_deferred *deferred)
{
	struct px_turn *turn = practice->home ? px_turn_get(practice->home) : NULL;
	if (!turn) {
		deferred->settle(deferred, false);
		return;
	}
	deferred->next = turn->deferred;
	turn->deferred = deferred;
	px_home_changed(practice->home);
}

/* The session may have lost the practice since. */
static bool may_hear(const struct px_session *session, const struct px_turn *turn,
		const struct px_message *message)
{
	return message->practice_number != turn->practice->number ||
			px_identity_holds(session->identity, turn->practice);
}

static void release_one(const struct px_turn *turn, const struct px_output *output)
{
	struct px_broker *broker = turn->broker;
	struct px_session *session =
			output->node == 0 ? px_bus_session(broker, output->client_id) : NULL;
	if (!session) {
		return;
	}
	px_session_arrived(session);
	if (!output->message) {
		px_session_close(session, (enum px_close)output->code);
	} else if (may_hear(session, turn, output->message)) {
		broker->refusal = (enum px_error)output->refusal;
		broker->is_publishing = output->is_publication;
		broker->concern.practice = output->is_concerned ? turn->practice : NULL;
		broker->concern.service = output->concern;
		px_session_send(session, output->message);
		broker->concern = (struct px_concern){ NULL, NULL };
		broker->is_publishing = false;
		broker->refusal = PX_E_COUNT;
	}
}

static void release(struct px_turn *turn)
{
	for (size_t i = 0; i < turn->output_count; i++) {
		release_one(turn, &turn->outputs[i]);
	}
	settle(turn, true);
}

/* ---- asking ---- */

static bool has_news(const struct px_home *home, const struct px_turn *turn)
{
	return turn->op_count > 0 || turn->output_count > 0 || turn->deferred ||
			home->must_check || home->is_whole || px_guests_have_news(home, turn);
}

/* The last turn, after which nobody is the home. */
static bool is_last(const struct px_home *home, const struct px_turn *turn)
{
	return turn->output_count == 0 && turn->op_count == 0 && !turn->deferred &&
			px_home_is_idle(home);
}

/* Where the commit ends whose first operation is that one. */
static size_t end_of_part(const struct px_turn *turn, size_t at)
{
	size_t bytes = 0;
	size_t end = at;
	while (end < turn->op_count) {
		const struct px_bus_record *record = &turn->ops[end].record;
		bytes += record->key.len + record->value.len;
		if (bytes > turn->broker->bus->bus.commit_bytes && end > at) {
			break;
		}
		end++;
	}
	return end;
}

static void free_parts(struct px_turn *part, const struct px_turn *turn)
{
	while (part != turn) {
		struct px_turn *next = part->next;
		px_turn_free(part);
		part = next;
	}
}

/* Cuts parts off until the rest is one commit; the first of all. NULL without memory. */
static struct px_turn *cut(struct px_home *home, struct px_turn *turn)
{
	struct px_turn *first = turn;
	struct px_turn **last = &first;
	size_t at = 0;
	for (size_t end; (end = end_of_part(turn, at)) < turn->op_count; at = end) {
		struct px_turn *part = create(home);
		if (!part) {
			free_parts(first, turn);
			return NULL;
		}
		part->commit.is_part = true;
		part->commit.ops = turn->ops + at;
		part->commit.op_count = end - at;
		part->next = turn;
		*last = part;
		last = &part->next;
	}
	turn->commit.ops = turn->op_count > 0 ? turn->ops + at : NULL;
	turn->commit.op_count = turn->op_count - at;
	return first;
}

/* Its frames; with a whole one those of all turns that it puts back. */
static size_t list_frames(const struct px_home *home, const struct px_turn *turn, bool is_whole,
		struct px_bus_output *list)
{
	size_t count = 0;
	for (const struct px_turn *at = is_whole ? home->asked : turn; at; at = at->next) {
		for (size_t i = 0; i < at->frame_count; i++) {
			const struct px_turn_frame *frame = &at->frames[i];
			if (list) {
				list[count] = (struct px_bus_output){ frame->node,
					{ frame->bytes.data, frame->bytes.len } };
			}
			count++;
		}
	}
	return count;
}

/* After those that were asked for before. -ENOMEM. */
static int hand_frames(const struct px_home *home, struct px_turn *turn)
{
	size_t before = home->is_whole ? list_frames(home, home->asked, true, NULL) : 0;
	turn->handed = calloc(before + turn->frame_count + 1, sizeof(*turn->handed));
	if (!turn->handed) {
		return -ENOMEM;
	}
	turn->commit.outputs = turn->handed;
	turn->commit.output_count = before + turn->frame_count;
	if (home->is_whole) {
		(void)list_frames(home, home->asked, true, turn->handed);
	}
	(void)list_frames(home, turn, false, turn->handed + before);
	return 0;
}

static void ask_one(struct px_home *home, struct px_turn *turn, uint32_t part)
{
	const struct px_bus *bus = &home->broker->bus->bus;
	struct px_bus_commit *commit = &turn->commit;
	commit->job.place = px_home_place(home);
	commit->node = home->broker->bus->node;
	commit->gen = home->gen;
	commit->prev = home->rev - 1;
	commit->rev = home->rev;
	commit->part = part;
	commit->is_last = home->is_leaving;
	home->unanswered_count++;
	home->broker->bus->stats.unconfirmed++;
	bus->commit(bus->user, commit);
}

/* The turn, after its parts. */
static void ask(struct px_home *home, struct px_turn *first, struct px_turn *turn)
{
	uint32_t part = 0;
	home->rev++;
	home->open = NULL;
	*home->asked_end = first;
	home->asked_end = &turn->next;
	home->unanswered = home->unanswered ? home->unanswered : first;
	for (struct px_turn *at = first; at; at = at->next) {
		at->commit.is_whole = home->is_whole;
		ask_one(home, at, part++);
	}
	px_guests_asked(home, turn);
	home->is_whole = home->must_check = false;
}

/* What was taken out of the list of changes is to be written again. */
static void ask_later(struct px_home *home, struct px_turn *turn)
{
	free_ops(turn);
	free_frames(turn);
	home->is_lost = true;
	home->is_leaving = false;
	px_home_changed(home);
}

static void begin_whole(struct px_home *home)
{
	px_entries_reset(home);
	home->written = 0;
	for (struct px_edge *edge = home->edges; edge; edge = edge->next) {
		edge->written = 0;
	}
	home->is_whole = true;
	home->is_lost = false;
}

/* There is nothing to say: what its sessions said has come to nothing, and is done with. */
static void say_nothing(struct px_home *home, struct px_turn *turn)
{
	home->open = NULL;
	px_turn_free(turn);
	if (!home->asked) {
		px_stream_confirm(home, home->applied);
	}
}

void px_turn_ask(struct px_home *home)
{
	if (!home->broker->bus->is_up || !home->is_running || home->is_leaving ||
			(home->is_lost && home->unanswered)) {
		return;
	}
	if (home->is_unfit) {
		px_home_deposed(home);
		return;
	}
	if (home->is_lost) {
		begin_whole(home);
	}
	struct px_turn *turn = px_turn_get(home);
	if (!turn) {
		px_home_changed(home);
		return;
	}
	int rc = px_entries_write(home, turn);
	home->is_leaving = rc == 0 && is_last(home, turn) && !home->asked;
	if (rc == 0 && !has_news(home, turn) && !home->is_leaving) {
		say_nothing(home, turn);
		return;
	}
	rc = rc < 0 ? rc : px_guests_write(home, turn, home->rev + 1);
	rc = rc < 0 ? rc : hand_frames(home, turn);
	struct px_turn *first = rc == 0 ? cut(home, turn) : NULL;
	if (first) {
		ask(home, first, turn);
	} else {
		ask_later(home, turn);
	}
}

/* ---- answers ---- */

static struct px_turn *take_asked(struct px_home *home)
{
	struct px_turn *turn = home->asked;
	home->asked = turn->next;
	if (!home->asked) {
		home->asked_end = &home->asked;
	}
	return turn;
}

/* With it all before it, which a whole turn has put back. */
static void accept_up_to(struct px_home *home, const struct px_turn *turn)
{
	bool is_that = false;
	while (!is_that) {
		struct px_turn *accepted = take_asked(home);
		is_that = accepted == turn;
		home->broker->bus->stats.turns += !accepted->commit.is_part;
		home->accepted = accepted->commit.rev;
		px_stream_confirm(home, accepted->own);
		release(accepted);
		px_turn_free(accepted);
	}
}

/* Nobody needs it any more, or somebody does again. */
static void left(struct px_home *home)
{
	home->is_running = home->is_leaving = false;
	if (px_home_is_idle(home)) {
		px_home_free(home);
	} else {
		px_home_seek(home);
	}
}

void px_turn_answered(struct px_turn *turn, int rc)
{
	struct px_home *home = turn->home;
	if (!home) {
		px_turn_free(turn);
		return;
	}
	struct px_bus_stats *stats = &home->broker->bus->stats;
	bool is_part = turn->commit.is_part;
	bool is_whole = turn->commit.is_whole && !is_part;
	bool was_last = turn->commit.is_last;
	stats->unconfirmed--;
	home->unanswered = turn->next;
	home->unanswered_count--;
	px_home_changed(home);
	if (rc == -ESTALE) {
		px_home_deposed(home);
	} else if (rc == 0 && (is_whole || home->asked == turn)) {
		stats->rebased += is_whole;
		accept_up_to(home, turn);
		if (was_last) {
			left(home);
		}
	} else if (rc != 0 || !is_part) {
		/* It stays on the list: the whole that puts back what is missing accepts it, too. */
		home->is_lost = true;
		home->is_leaving = false;
	}
}

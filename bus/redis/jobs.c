/* SPDX-License-Identifier: MIT */
/*
 * What the broker asks for. Jobs stay the broker's memory until they are answered, and are written
 * down for Redis only when it takes them: what waits for a lost connection costs nothing here.
 */
#include "link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Keys of each table in commit.lua and claim.lua. */
static const char table_letters[] = {
	[PX_BUS_CHANNELS] = 'c',
	[PX_BUS_HISTORY] = 'h',
	[PX_BUS_SESSIONS] = 's',
	[PX_BUS_MEMBERS] = 'r',
	[PX_BUS_EDGES] = 'e',
	[PX_BUS_VALUES] = 'v',
};

/* What scripts answer first. */
enum answer {
	ANSWER_DONE,
	ANSWER_STALE,
	ANSWER_NO_DATA,
	ANSWER_BUSY,
	ANSWER_NEWER,
	ANSWER_NOTHING,
};

static const int codes[] = {
	[ANSWER_DONE] = 0,
	[ANSWER_STALE] = -ESTALE,
	[ANSWER_NO_DATA] = -ENODATA,
	[ANSWER_BUSY] = -EBUSY,
	[ANSWER_NEWER] = -ENOTSUP,
	[ANSWER_NOTHING] = -ENOENT,
};

/* ---- asking ---- */

void px_jobs_add(struct px_bus_link *link, struct px_bus_job *job)
{
	job->data = NULL;
	if (link->last) {
		link->last->data = job;
	} else {
		link->first = job;
	}
	link->last = job;
	if (!link->unsent) {
		link->unsent = job;
	}
}

void px_jobs_rewind(struct px_bus_link *link)
{
	link->unsent = link->first;
}

static void put_node(struct px_resp_out *out, uint64_t node)
{
	char text[PX_REDIS_NODE_LEN + 1] = "";
	if (node != 0) {
		px_node_text(node, text);
	}
	px_resp_put(out, (struct px_span){ text, strlen(text) });
}

static void put_op(struct px_resp_out *out, const struct px_bus_op *op)
{
	static const char changes[] = {
		[PX_BUS_SET] = 'S',
		[PX_BUS_DELETE] = 'D',
		[PX_BUS_TRIM] = 'T',
	};
	char what[2] = { changes[op->change], table_letters[op->record.table] };
	px_resp_put(out, (struct px_span){ what, sizeof(what) });
	px_resp_put(out, op->record.key);
	px_resp_put_number(out, op->record.seq);
	px_resp_put(out, op->record.value);
}

/* The three names that scripts of a practice use. */
static void name_place(struct px_bus_link *link, const struct px_bus_place *place)
{
	const char *prefix = link->setup.prefix;
	px_name_meta(&link->names[0], prefix, place);
	px_name_shard(&link->names[1], prefix, px_redis_partition(place));
	px_name_member(&link->names[2], place);
}

static void send_commit(struct px_bus_link *link, const struct px_bus_commit *commit)
{
	struct px_resp_out *out = &link->out;
	char flags[4];
	size_t len = 0;
	flags[len++] = '-';
	if (commit->is_part) {
		flags[len++] = 'p';
	}
	if (commit->is_whole) {
		flags[len++] = 'w';
	}
	if (commit->is_last) {
		flags[len++] = 'l';
	}
	px_link_call(link, PX_SCRIPT_COMMIT, &link->names[0],
			10 + 4 * commit->op_count + 2 * commit->output_count);
	put_node(out, commit->node);
	px_resp_put_number(out, commit->gen);
	px_resp_put_number(out, commit->prev);
	px_resp_put_number(out, commit->rev);
	px_resp_put(out, (struct px_span){ flags, len });
	px_resp_put_number(out, commit->part);
	px_resp_put(out, px_name_text(&link->names[1]));
	px_resp_put(out, px_name_text(&link->names[2]));
	px_resp_put_number(out, PX_REDIS_VERSION);
	px_resp_put_number(out, commit->op_count);
	for (size_t i = 0; i < commit->op_count; i++) {
		put_op(out, &commit->ops[i]);
	}
	for (size_t i = 0; i < commit->output_count; i++) {
		put_node(out, commit->outputs[i].node);
		px_resp_put(out, commit->outputs[i].frame);
	}
}

static void send_claim(struct px_bus_link *link, const struct px_bus_claim *claim)
{
	struct px_resp_out *out = &link->out;
	px_link_call(link, PX_SCRIPT_CLAIM, &link->names[0], 8);
	put_node(out, claim->node);
	px_resp_put_number(out, claim->known_gen);
	put_node(out, claim->dead);
	px_resp_put(out, px_name_text(&link->names[1]));
	px_resp_put(out, px_name_text(&link->names[2]));
	px_resp_put_number(out, PX_REDIS_VERSION);
	px_resp_put_number(out, claim->known_rev);
	px_resp_put_number(out, claim->is_sure);
}

static void send_fetch(struct px_bus_link *link, const struct px_bus_fetch *fetch)
{
	px_link_call(link, PX_SCRIPT_FETCH, &link->names[0], 2);
	put_node(&link->out, fetch->node);
	px_resp_put_number(&link->out, fetch->after);
}

static void send_one(struct px_bus_link *link, const struct px_bus_job *job)
{
	name_place(link, &job->place);
	switch (job->kind) {
	case PX_BUS_COMMIT: send_commit(link, (const struct px_bus_commit *)job); break;
	case PX_BUS_CLAIM: send_claim(link, (const struct px_bus_claim *)job); break;
	case PX_BUS_FETCH: send_fetch(link, (const struct px_bus_fetch *)job); break;
	}
	px_link_expect(link, PX_EXPECT_JOB, 0);
}

void px_jobs_send(struct px_bus_link *link)
{
	while (link->unsent && link->out.len < PX_REDIS_WINDOW_BYTES && !link->out.failed) {
		send_one(link, link->unsent);
		link->unsent = link->unsent->data;
	}
}

/* ---- answers ---- */

static struct px_bus_job *take_first(struct px_bus_link *link)
{
	struct px_bus_job *job = link->first;
	link->first = job->data;
	if (!link->first) {
		link->last = NULL;
	}
	if (link->unsent == job) {
		link->unsent = link->first;
	}
	job->data = NULL;
	return job;
}

static void answer(struct px_bus_link *link, int rc)
{
	px_broker_bus_answer(link->owner.broker, take_first(link), rc);
}

void px_jobs_cancel(struct px_bus_link *link)
{
	while (link->first) {
		answer(link, -ECANCELED);
	}
}

/* What Redis has of it cannot be used: nobody else is kept waiting for that. */
void px_jobs_failed(struct px_bus_link *link)
{
	static const int rcs[] = {
		[PX_BUS_COMMIT] = -ESTALE,
		[PX_BUS_CLAIM] = -ENOTSUP,
		[PX_BUS_FETCH] = -ENODATA,
	};
	if (link->stats.bad++ == 0) {
		px_link_log(link, PX_LOG_ERROR, "bus: what is kept of a practice cannot be used: "
				"is there another program's data under the prefix?");
	}
	answer(link, rcs[link->first->kind]);
}

struct records {
	struct px_bus_record *list;
	size_t count;
	size_t size;
};

static struct px_bus_record *add_record(struct records *records)
{
	if (records->count == records->size) {
		size_t size = records->size ? 2 * records->size : 64;
		struct px_bus_record *grown = realloc(records->list, size * sizeof(*grown));
		if (!grown) {
			return NULL;
		}
		records->list = grown;
		records->size = size;
	}
	records->list[records->count] = (struct px_bus_record){ 0 };
	return &records->list[records->count++];
}

static bool is_array(struct px_resp *resp, uint64_t *ret_count)
{
	struct px_resp_value value = px_resp_next(resp);
	*ret_count = value.count;
	return value.type == PX_RESP_ARRAY;
}

/* Keys and values in turn. -EBADMSG; -ENOMEM. */
static int read_table(struct px_resp *resp, enum px_bus_table table, struct records *records)
{
	uint64_t count;
	if (!is_array(resp, &count) || count % 2 != 0) {
		return -EBADMSG;
	}
	for (uint64_t i = 0; i < count; i += 2) {
		struct px_bus_record *record = add_record(records);
		if (!record) {
			return -ENOMEM;
		}
		record->table = table;
		record->key = px_resp_text(resp);
		record->value = px_resp_text(resp);
	}
	return 0;
}

/* "17-0": an id of a stream. */
static bool read_seq(struct px_span id, uint64_t *ret_seq)
{
	return id.len > 2 && memcmp(id.data + id.len - 2, "-0", 2) == 0 &&
			px_resp_digits((struct px_span){ id.data, id.len - 2 }, ret_seq);
}

/* An entry of a stream: its id, and one field with its value. */
static bool read_entry(struct px_resp *resp, struct px_bus_record *record)
{
	uint64_t count;
	if (!is_array(resp, &count) || count != 2 || !read_seq(px_resp_text(resp), &record->seq) ||
			!is_array(resp, &count) || count != 2) {
		return false;
	}
	px_resp_skip(resp);
	record->value = px_resp_text(resp);
	return true;
}

/* Keys and streams in turn. */
static int read_histories(struct px_resp *resp, struct records *records)
{
	uint64_t count, entries;
	if (!is_array(resp, &count) || count % 2 != 0) {
		return -EBADMSG;
	}
	for (uint64_t i = 0; i < count; i += 2) {
		struct px_span key = px_resp_text(resp);
		if (!is_array(resp, &entries)) {
			return -EBADMSG;
		}
		for (uint64_t e = 0; e < entries; e++) {
			struct px_bus_record *record = add_record(records);
			if (!record || !read_entry(resp, record)) {
				return record ? -EBADMSG : -ENOMEM;
			}
			record->table = PX_BUS_HISTORY;
			record->key = key;
		}
	}
	return 0;
}

static bool read_numbers(struct px_resp *resp, uint64_t *ret_gen, uint64_t *ret_rev)
{
	return px_resp_number(resp, ret_gen) && px_resp_number(resp, ret_rev) &&
			*ret_gen <= PX_REDIS_NUMBER_MAX && *ret_rev <= PX_REDIS_NUMBER_MAX;
}

static int read_claim(struct px_resp *resp, struct px_bus_claim *claim, struct records *records)
{
	if (!read_numbers(resp, &claim->gen, &claim->rev)) {
		return -EBADMSG;
	}
	int rc = read_table(resp, PX_BUS_CHANNELS, records);
	rc = rc < 0 ? rc : read_table(resp, PX_BUS_SESSIONS, records);
	rc = rc < 0 ? rc : read_table(resp, PX_BUS_MEMBERS, records);
	rc = rc < 0 ? rc : read_table(resp, PX_BUS_EDGES, records);
	rc = rc < 0 ? rc : read_table(resp, PX_BUS_VALUES, records);
	rc = rc < 0 ? rc : read_histories(resp, records);
	claim->records = records->list;
	claim->record_count = records->count;
	return rc;
}

/* An empty text is nobody. */
static bool read_home(struct px_resp *resp, uint64_t *ret_node)
{
	struct px_span text = px_resp_text(resp);
	*ret_node = 0;
	return text.len == 0 || px_node_read(text, ret_node);
}

static void claim_answered(struct px_bus_link *link, int rc, struct px_resp *resp)
{
	struct px_bus_claim *claim = (struct px_bus_claim *)link->first;
	struct records records = { .list = NULL };
	int read = 0;
	if (rc == -EBUSY && (!read_home(resp, &claim->home) || claim->home == 0 ||
			!read_numbers(resp, &claim->gen, &claim->rev))) {
		read = -EBADMSG;
	} else if (rc == 0) {
		read = read_claim(resp, claim, &records);
	}
	if (read == -EBADMSG) {
		px_jobs_failed(link);
	} else if (read == -ENOMEM) {
		px_link_fail(link, "not enough memory for a practice");
	} else {
		answer(link, rc);
	}
	free(records.list);
}

static int read_frames(struct px_resp *resp, uint64_t count, struct px_bus_fetch *fetch,
		struct px_span **ret_frames)
{
	struct px_span *frames = calloc(count + 1, sizeof(*frames));
	if (!frames) {
		return -ENOMEM;
	}
	for (uint64_t i = 0; i < count; i++) {
		frames[i] = px_resp_text(resp);
	}
	fetch->frames = *ret_frames = frames;
	fetch->frame_count = count;
	return 0;
}

/* `count`: of values that follow. */
static void fetch_answered(struct px_bus_link *link, int rc, struct px_resp *resp, uint64_t count)
{
	struct px_bus_fetch *fetch = (struct px_bus_fetch *)link->first;
	struct px_span *frames = NULL;
	fetch->frames = NULL;
	fetch->frame_count = 0;
	if (rc != -ENOENT && (count < 3 || !read_home(resp, &fetch->home) ||
			!read_numbers(resp, &fetch->gen, &fetch->rev))) {
		px_jobs_failed(link);
		return;
	}
	if (rc != -ENOENT && read_frames(resp, count - 3, fetch, &frames) < 0) {
		px_link_fail(link, "not enough memory for what was missed");
		return;
	}
	answer(link, rc);
	free(frames);
}

/* Nodes that did not get their output. */
static void commit_answered(struct px_bus_link *link, int rc, struct px_resp *resp, uint64_t count)
{
	answer(link, rc);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t node;
		if (px_node_read(px_resp_text(resp), &node)) {
			px_broker_bus_unheard(link->owner.broker, node);
		}
	}
}

void px_jobs_answered(struct px_bus_link *link, struct px_resp resp)
{
	uint64_t count, code;
	if (!is_array(&resp, &count) || count == 0 || !px_resp_number(&resp, &code) ||
			code > ANSWER_NOTHING) {
		px_jobs_failed(link);
		return;
	}
	switch (link->first->kind) {
	case PX_BUS_COMMIT: commit_answered(link, codes[code], &resp, count - 1); break;
	case PX_BUS_CLAIM: claim_answered(link, codes[code], &resp); break;
	case PX_BUS_FETCH: fetch_answered(link, codes[code], &resp, count - 1); break;
	}
}

/* ---- telling ---- */

void px_jobs_tell(struct px_bus_link *link, uint64_t node, struct px_span frame)
{
	struct px_resp_out *out = &link->out;
	if (link->state != PX_LINK_UP) {
		return; /* it is lost with the connection */
	}
	if (out->len + frame.len > PX_REDIS_OUT_BYTES) {
		out->failed = true; /* in order, or not at all: the connection ends with px_link_flush() */
		return;
	}
	px_name_inbox(&link->names[0], link->setup.prefix, node);
	px_resp_command(out, 3);
	px_resp_put(out, (struct px_span){ "SPUBLISH", 8 });
	px_resp_put(out, px_name_text(&link->names[0]));
	px_resp_put(out, frame);
	px_link_expect(link, PX_EXPECT_TELL, node);
}

void px_jobs_told(struct px_bus_link *link, uint64_t node, struct px_resp resp)
{
	uint64_t receivers;
	if (!px_resp_number(&resp, &receivers)) {
		link->stats.bad++;
	} else if (receivers == 0) {
		px_broker_bus_unheard(link->owner.broker, node);
	}
}

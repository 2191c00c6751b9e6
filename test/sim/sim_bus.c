/* SPDX-License-Identifier: MIT */
/* See sim_bus.h. */
#include "sim_bus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *memory)
{
	if (!memory) {
		abort();
	}
	return memory;
}

static char *copy_of(const char *data, size_t len)
{
	char *copy = must(malloc(len + 1));
	memcpy(copy, data, len);
	copy[len] = '\0';
	return copy;
}

/* ---- frames ---- */

static void add_frame(struct sim_frames *frames, uint64_t rev, uint64_t node, struct px_span text)
{
	if (frames->count == frames->size) {
		frames->size = frames->size ? 2 * frames->size : 16;
		frames->list = must(realloc(frames->list, frames->size * sizeof(*frames->list)));
	}
	frames->list[frames->count++] = (struct sim_frame){ rev, node,
		copy_of(text.len > 0 ? text.data : "", text.len), text.len };
}

static void drop_frame(struct sim_frames *frames, size_t at)
{
	free(frames->list[at].text);
	frames->count--;
	memmove(frames->list + at, frames->list + at + 1,
			(frames->count - at) * sizeof(*frames->list));
}

static void clear_frames(struct sim_frames *frames)
{
	for (size_t i = 0; i < frames->count; i++) {
		free(frames->list[i].text);
	}
	free(frames->list);
	*frames = (struct sim_frames){ .list = NULL };
}

static struct px_span text_of(const struct sim_frame *frame)
{
	return (struct px_span){ frame->text, frame->len };
}

static void copy_frames(struct sim_frames *to, const struct sim_frames *from)
{
	*to = (struct sim_frames){ .list = NULL };
	for (size_t i = 0; i < from->count; i++) {
		add_frame(to, from->list[i].rev, from->list[i].node, text_of(&from->list[i]));
	}
}

/* ---- records ---- */

static void free_record(struct sim_record *record)
{
	free(record->key);
	free(record->value);
}

static void drop_draft(struct sim_place *place);

static void clear(struct sim_place *place)
{
	drop_draft(place);
	for (size_t i = 0; i < place->count; i++) {
		free_record(&place->records[i]);
	}
	free(place->records);
	place->records = NULL;
	place->count = place->size = 0;
	clear_frames(&place->outputs);
}

static void drop_draft(struct sim_place *place)
{
	if (place->draft) {
		clear(place->draft);
		free(place->draft);
		place->draft = NULL;
	}
}

static void grow(struct sim_place *place)
{
	if (place->count == place->size) {
		place->size = place->size ? 2 * place->size : 16;
		place->records = must(realloc(place->records,
				place->size * sizeof(*place->records)));
	}
}

static void copy_place(struct sim_place *to, const struct sim_place *from)
{
	*to = *from;
	to->records = NULL;
	to->count = to->size = 0;
	to->draft = NULL;
	copy_frames(&to->outputs, &from->outputs);
	if (from->draft) {
		to->draft = must(calloc(1, sizeof(*to->draft)));
		copy_place(to->draft, from->draft);
	}
	for (size_t i = 0; i < from->count; i++) {
		struct sim_record record = from->records[i];
		record.key = copy_of(record.key, record.key_len);
		record.value = copy_of(record.value, record.value_len);
		grow(to);
		to->records[to->count++] = record;
	}
}

static bool is_it(const struct sim_record *record, const struct px_bus_record *wanted)
{
	return record->table == wanted->table && record->seq == wanted->seq &&
			record->key_len == wanted->key.len &&
			memcmp(record->key, wanted->key.data, wanted->key.len) == 0;
}

static void drop(struct sim_place *place, size_t at)
{
	free_record(&place->records[at]);
	place->records[at] = place->records[--place->count];
}

static void delete(struct sim_place *place, const struct px_bus_record *record)
{
	for (size_t i = place->count; i > 0; i--) {
		if (is_it(&place->records[i - 1], record)) {
			drop(place, i - 1);
		}
	}
}

static void trim(struct sim_place *place, const struct px_bus_record *record)
{
	for (size_t i = place->count; i > 0; i--) {
		const struct sim_record *at = &place->records[i - 1];
		struct px_bus_record wanted = *record;
		wanted.seq = at->seq;
		if (at->seq < record->seq && is_it(at, &wanted)) {
			drop(place, i - 1);
		}
	}
}

static void set(struct sim_store *store, struct sim_place *place,
		const struct px_bus_record *record)
{
	delete(place, record);
	grow(place);
	place->records[place->count++] = (struct sim_record){
		.table = record->table,
		.seq = record->seq,
		.key = copy_of(record->key.data, record->key.len),
		.key_len = record->key.len,
		.value = copy_of(record->value.data, record->value.len),
		.value_len = record->value.len,
	};
	if (store->wrote) {
		store->wrote(place, &place->records[place->count - 1]);
	}
}

/* ---- the store ---- */

static struct sim_place *find(const struct sim_store *store, const char *name)
{
	struct sim_place *place = store->places;
	while (place && strcmp(place->name, name) != 0) {
		place = place->next;
	}
	return place;
}

struct sim_place *sim_store_find(const struct sim_store *store, const char *name)
{
	return find(store, name);
}

static struct sim_place *get(struct sim_store *store, const struct px_bus_place *where)
{
	char name[512];
	(void)snprintf(name, sizeof(name), "%.*s/%.*s", (int)where->tenant.len,
			where->tenant.data, (int)where->practice.len, where->practice.data);
	struct sim_place *place = find(store, name);
	if (!place) {
		place = must(calloc(1, sizeof(*place)));
		place->name = copy_of(name, strlen(name));
		place->next = store->places;
		store->places = place;
	}
	return place;
}

static void remember(struct sim_store *store, struct sim_place *place)
{
	struct sim_undo *undo = &store->undo[store->writes++ % SIM_UNDO];
	if (undo->place) {
		clear(&undo->before);
	}
	undo->place = place;
	copy_place(&undo->before, place);
}

static void take_back(struct sim_undo *undo)
{
	struct sim_place *place = undo->place;
	clear(place);
	place->gen = undo->before.gen;
	place->home = undo->before.home;
	place->rev = undo->before.rev;
	place->records = undo->before.records;
	place->count = undo->before.count;
	place->size = undo->before.size;
	place->outputs = undo->before.outputs;
	place->trimmed = undo->before.trimmed;
	place->draft = undo->before.draft;
	*undo = (struct sim_undo){ .place = NULL };
}

void sim_store_lose(struct sim_store *store, unsigned writes)
{
	for (; writes > 0 && store->writes > 0; writes--) {
		struct sim_undo *undo = &store->undo[(store->writes - 1) % SIM_UNDO];
		if (!undo->place) {
			return;
		}
		take_back(undo);
		store->writes--;
	}
}

void sim_store_lose_all(struct sim_store *store)
{
	for (struct sim_place *place = store->places; place; place = place->next) {
		clear(place);
		place->gen = place->home = place->rev = place->trimmed = 0;
	}
}

void sim_store_finish(struct sim_store *store)
{
	for (size_t i = 0; i < SIM_UNDO; i++) {
		clear(&store->undo[i].before);
	}
	while (store->places) {
		struct sim_place *place = store->places;
		store->places = place->next;
		clear(place);
		free(place->name);
		free(place);
	}
}

/* ---- jobs ---- */

static bool may_be_put_back(const struct sim_place *place, const struct px_bus_commit *commit)
{
	return commit->is_whole && (place->gen < commit->gen || (place->gen == commit->gen &&
			place->home == commit->node && place->rev <= commit->rev));
}

/* 1: it is to be carried out. */
static int judge(const struct sim_place *place, const struct px_bus_commit *commit)
{
	bool is_home = place->gen == commit->gen && place->home == commit->node;
	if (place->gen == commit->gen && place->rev >= commit->rev &&
			(is_home || (commit->is_last && place->home == 0))) {
		return 0; /* it was before */
	}
	if (may_be_put_back(place, commit)) {
		return 1;
	}
	if (place->gen < commit->gen) {
		return -ENODATA;
	}
	if (!is_home) {
		return -ESTALE;
	}
	return place->rev == commit->prev ? 1 : -ENODATA;
}

static void move_records(struct sim_place *to, struct sim_place *from)
{
	to->records = from->records;
	to->count = from->count;
	to->size = from->size;
	to->outputs = from->outputs;
	to->trimmed = from->trimmed;
	from->records = NULL;
	from->count = from->size = 0;
	from->outputs = (struct sim_frames){ .list = NULL };
}

/* How many parts of that revision are there. */
static uint32_t parts_of(const struct sim_place *place, const struct px_bus_commit *commit)
{
	const struct sim_place *draft = place->draft;
	return draft && draft->gen == commit->gen && draft->home == commit->node &&
			draft->rev == commit->rev ? draft->parts : 0;
}

/* What the first part begins with: all that is kept, unless it is replaced. */
static void begin_draft(struct sim_place *place, const struct px_bus_commit *commit)
{
	struct sim_place *draft = must(calloc(1, sizeof(*draft)));
	drop_draft(place);
	draft->name = place->name;
	if (!commit->is_whole && commit->is_part) {
		copy_place(draft, place);
	} else if (!commit->is_whole) {
		move_records(draft, place);
	} else {
		draft->trimmed = commit->rev - 1;
	}
	draft->gen = commit->gen;
	draft->home = commit->node;
	draft->rev = commit->rev;
	draft->parts = 0;
	place->draft = draft;
}

static void carry_out(struct sim_store *store, struct sim_place *place,
		const struct px_bus_commit *commit)
{
	for (size_t i = 0; i < commit->op_count; i++) {
		const struct px_bus_op *op = &commit->ops[i];
		switch (op->change) {
		case PX_BUS_SET: set(store, place, &op->record); break;
		case PX_BUS_DELETE: delete(place, &op->record); break;
		case PX_BUS_TRIM: trim(place, &op->record); break;
		}
	}
	for (size_t i = 0; i < commit->output_count; i++) {
		add_frame(&place->outputs, commit->rev, commit->outputs[i].node,
				commit->outputs[i].frame);
	}
}

static struct sim_link *link_of(const struct sim_store *store, uint64_t node)
{
	for (size_t i = 0; i < SIM_LINKS; i++) {
		if (store->links[i] && store->links[i]->node == node) {
			return store->links[i];
		}
	}
	return NULL;
}

/* False: nobody is there to hear it. */
static bool hand_over(const struct sim_store *store, uint64_t from, uint64_t to,
		struct px_span text)
{
	struct sim_link *link = link_of(store, to);
	if (!link || !link->is_up) {
		return false;
	}
	add_frame(&link->inbox, 0, from, text);
	return true;
}

/* Those of the latest revisions that have any stay. */
static void trim_outputs(struct sim_place *place)
{
	const struct sim_frames *outputs = &place->outputs;
	unsigned revs = 0;
	for (size_t i = outputs->count; i > 0; i--) {
		revs += i == outputs->count || outputs->list[i - 1].rev != outputs->list[i].rev;
		if (revs > PX_BUS_OUTPUTS_KEPT) {
			place->trimmed = outputs->list[i - 1].rev;
			break;
		}
	}
	while (place->outputs.count > 0 && place->outputs.list[0].rev <= place->trimmed) {
		drop_frame(&place->outputs, 0);
	}
}

/* Carried out as a whole: what is for other nodes reaches them. */
static void publish_outputs(struct sim_store *store, struct sim_place *place, uint64_t from)
{
	for (size_t i = 0; i < place->outputs.count; i++) {
		const struct sim_frame *output = &place->outputs.list[i];
		if (output->rev == place->rev) {
			(void)hand_over(store, from, output->node, text_of(output));
		}
	}
	trim_outputs(place);
}

static void publish_draft(struct sim_place *place)
{
	struct sim_place *draft = place->draft;
	place->draft = NULL;
	clear(place);
	move_records(place, draft);
	free(draft);
}

static int commit(struct sim_store *store, const struct px_bus_commit *commit)
{
	struct sim_place *place = get(store, &commit->job.place);
	int rc = judge(place, commit);
	uint32_t parts = parts_of(place, commit);
	if (rc <= 0) {
		return rc;
	}
	if (parts != commit->part && !(commit->is_part && parts > commit->part)) {
		return -ENODATA;
	}
	if (parts > commit->part) {
		return 0; /* it is there */
	}
	remember(store, place);
	if (commit->part == 0) {
		begin_draft(place, commit);
	}
	carry_out(store, place->draft, commit);
	place->draft->parts++;
	store->parts += commit->is_part;
	if (!commit->is_part) {
		publish_draft(place);
		place->gen = commit->gen;
		place->home = commit->is_last ? 0 : commit->node;
		place->rev = commit->rev;
		publish_outputs(store, place, commit->node);
	}
	return 0;
}

static int claim(struct sim_store *store, struct sim_job *job)
{
	struct px_bus_claim *claim = (struct px_bus_claim *)job->job;
	struct sim_place *place = get(store, &claim->job.place);
	if (place->gen < claim->known_gen && !claim->is_sure) {
		return -ENODATA;
	}
	if (place->home != 0 && place->home != claim->node && place->home != claim->dead) {
		claim->home = place->home;
		claim->gen = place->gen;
		claim->rev = place->rev;
		return -EBUSY;
	}
	remember(store, place);
	drop_draft(place);
	if (place->gen < claim->known_gen) {
		place->gen = claim->known_gen;
		place->rev = place->rev > claim->known_rev ? place->rev : claim->known_rev;
	}
	place->gen++;
	place->home = claim->node;
	claim->gen = place->gen;
	claim->rev = place->rev;
	copy_place(&job->found, place);
	return 0;
}

static int fetch(const struct sim_store *store, struct sim_job *job)
{
	struct px_bus_fetch *fetch = (struct px_bus_fetch *)job->job;
	const struct sim_place *place = get((struct sim_store *)store, &fetch->job.place);
	if (place->gen == 0) {
		return -ENOENT;
	}
	fetch->home = place->home;
	fetch->gen = place->gen;
	fetch->rev = place->rev;
	for (size_t i = 0; i < place->outputs.count; i++) {
		const struct sim_frame *output = &place->outputs.list[i];
		if (output->node == fetch->node && output->rev > fetch->after) {
			add_frame(&job->found.outputs, output->rev, output->node, text_of(output));
		}
	}
	return fetch->after < place->trimmed ? -ENODATA : 0;
}

/* ---- a connection ---- */

static void forget_result(struct sim_job *job)
{
	clear(&job->found);
	free(job->records);
	free(job->frames);
	job->records = NULL;
	job->frames = NULL;
	job->is_done = false;
}

static struct sim_job *ask(struct sim_link *link, struct px_bus_job *job)
{
	if (link->count == link->size) {
		link->size = link->size ? 2 * link->size : 16;
		link->jobs = must(realloc(link->jobs, link->size * sizeof(*link->jobs)));
	}
	link->jobs[link->count] = (struct sim_job){ .job = job };
	return &link->jobs[link->count++];
}

static void on_commit(void *user, struct px_bus_commit *asked)
{
	(void)ask(user, &asked->job);
}

static void on_claim(void *user, struct px_bus_claim *asked)
{
	(void)ask(user, &asked->job);
}

static void on_fetch(void *user, struct px_bus_fetch *asked)
{
	(void)ask(user, &asked->job);
}

static void on_tell(void *user, uint64_t node, struct px_span frame)
{
	struct sim_link *link = user;
	if (link->is_up) {
		ask(link, NULL)->told = (struct sim_frame){ .node = node,
			.text = copy_of(frame.data, frame.len), .len = frame.len };
	}
}

static bool is_dead(void *user, uint64_t node)
{
	const struct sim_link *link = user;
	return node < link->store->alive || link->dead[node % SIM_NODES];
}

void sim_link_bury(struct sim_link *link, uint64_t node)
{
	link->store->dead[node % SIM_NODES] = true;
	if (!link->dead[node % SIM_NODES]) {
		link->dead[node % SIM_NODES] = true;
		px_broker_bus_dead(link->broker, node);
	}
}

static struct px_realm *find_realm(void *user, struct px_span name)
{
	const struct sim_link *link = user;
	(void)name;
	return link->realm;
}

void sim_link_begin(struct sim_link *link, struct sim_store *store, struct px_broker *broker,
		uint64_t node)
{
	struct px_bus bus = { .user = link, .commit = on_commit, .claim = on_claim,
		.fetch = on_fetch, .tell = on_tell, .realm = find_realm, .is_dead = is_dead,
		.commit_bytes = store->commit_bytes };
	size_t place = 0;
	*link = (struct sim_link){ .store = store, .broker = broker, .node = node };
	memcpy(link->dead, store->dead, sizeof(link->dead));
	while (place < SIM_LINKS && store->links[place]) {
		place++;
	}
	if (place == SIM_LINKS) {
		abort();
	}
	store->links[place] = link;
	if (px_broker_set_bus(broker, &bus, node) < 0) {
		abort();
	}
	sim_link_mend(link);
}

static struct sim_job take_first(struct sim_link *link)
{
	struct sim_job job = link->jobs[0];
	memmove(link->jobs, link->jobs + 1, --link->count * sizeof(*link->jobs));
	return job;
}

void sim_link_end(struct sim_link *link)
{
	sim_link_cut(link);
	while (link->count > 0) {
		struct sim_job job = take_first(link);
		px_broker_bus_answer(link->broker, job.job, -ECANCELED);
	}
	(void)px_broker_set_bus(link->broker, NULL, 0);
	free(link->jobs);
	for (size_t i = 0; i < SIM_LINKS; i++) {
		if (link->store->links[i] == link) {
			link->store->links[i] = NULL;
		}
	}
	*link = (struct sim_link){ .store = NULL };
}

bool sim_link_execute(struct sim_link *link)
{
	size_t at = 0;
	while (at < link->count && link->jobs[at].is_done) {
		at++;
	}
	if (!link->is_up || at == link->count) {
		return false;
	}
	struct sim_job *job = &link->jobs[at];
	job->is_done = true;
	if (!job->job) {
		job->rc = hand_over(link->store, link->node, job->told.node,
				text_of(&job->told)) ? 0 : -EPIPE;
	} else if (job->job->kind == PX_BUS_CLAIM) {
		job->rc = claim(link->store, job);
	} else if (job->job->kind == PX_BUS_FETCH) {
		job->rc = fetch(link->store, job);
	} else {
		job->rc = commit(link->store, (const struct px_bus_commit *)job->job);
	}
	return true;
}

/* The frames of a fetch, where only the answer sees them. */
static void fill_in_frames(struct sim_job *job)
{
	struct px_bus_fetch *fetch = (struct px_bus_fetch *)job->job;
	const struct sim_frames *found = &job->found.outputs;
	job->frames = must(calloc(found->count + 1, sizeof(*job->frames)));
	for (size_t i = 0; i < found->count; i++) {
		job->frames[i] = text_of(&found->list[i]);
	}
	fetch->frames = job->frames;
	fetch->frame_count = found->count;
}

/* The records of a claim. */
static void fill_in(struct sim_job *job)
{
	struct px_bus_claim *claim = (struct px_bus_claim *)job->job;
	job->records = must(calloc(job->found.count + 1, sizeof(*job->records)));
	for (size_t i = 0; i < job->found.count; i++) {
		const struct sim_record *record = &job->found.records[i];
		job->records[i] = (struct px_bus_record){
			.table = record->table,
			.key = { record->key, record->key_len },
			.seq = record->seq,
			.value = { record->value, record->value_len },
		};
	}
	claim->records = job->records;
	claim->record_count = job->found.count;
}

bool sim_link_answer(struct sim_link *link)
{
	if (!link->is_up || link->count == 0 || !link->jobs[0].is_done) {
		return false;
	}
	struct sim_job job = take_first(link);
	if (!job.job) {
		if (job.rc < 0) {
			px_broker_bus_unheard(link->broker, job.told.node);
		}
		free(job.told.text);
		return true;
	}
	if (job.job->kind == PX_BUS_CLAIM && job.rc == 0) {
		fill_in(&job);
	} else if (job.job->kind == PX_BUS_FETCH) {
		fill_in_frames(&job);
	}
	px_broker_bus_answer(link->broker, job.job, job.rc);
	forget_result(&job);
	return true;
}

/* Of the same sender as the frame of that number, the first. */
static size_t first_of(const struct sim_frames *inbox, unsigned dice)
{
	size_t at = dice % inbox->count;
	for (size_t i = 0; i < at; i++) {
		if (inbox->list[i].node == inbox->list[at].node) {
			return i;
		}
	}
	return at;
}

bool sim_link_hear(struct sim_link *link, unsigned dice)
{
	struct sim_frames *inbox = &link->inbox;
	if (!link->is_up || inbox->count == 0) {
		return false;
	}
	size_t at = first_of(inbox, dice);
	struct sim_frame frame = inbox->list[at];
	inbox->list[at].text = NULL;
	drop_frame(inbox, at);
	px_broker_bus_heard(link->broker, text_of(&frame));
	free(frame.text);
	return true;
}

void sim_link_run(struct sim_link *link, void (*turn)(void *user), void *user)
{
	turn(user);
	while (sim_link_execute(link) || sim_link_answer(link) || sim_link_hear(link, 0)) {
		turn(user);
	}
}

void sim_link_cut(struct sim_link *link)
{
	if (link->is_up) {
		link->is_up = false;
		px_broker_bus_down(link->broker);
	}
	size_t kept = 0;
	for (size_t i = 0; i < link->count; i++) {
		if (!link->jobs[i].job) {
			free(link->jobs[i].told.text);
			continue;
		}
		link->twice += link->jobs[i].is_done;
		forget_result(&link->jobs[i]);
		link->jobs[kept++] = link->jobs[i];
	}
	link->count = kept;
	link->lost += link->inbox.count;
	clear_frames(&link->inbox);
}

void sim_link_mend(struct sim_link *link)
{
	if (!link->is_up) {
		link->is_up = true;
		px_broker_bus_up(link->broker);
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of what a Redis answers and publishes. The first byte chooses where the connection is,
 * and in pieces of which size the rest arrives. A broker in name only looks at every byte that it
 * is given.
 */
#include "link.h"

#include <stdlib.h>
#include <string.h>

struct px_broker {
	uint64_t sum;
	unsigned unanswered;
};

static uv_loop_t loop;
static struct px_broker broker;
static char connection; /* what stands for one */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct px_conn *px_conn_open(struct px_bus_link *link)
{
	(void)link;
	return NULL;
}

void px_conn_drop(struct px_conn *conn)
{
	(void)conn;
}

void px_conn_write(struct px_conn *conn)
{
	(void)conn;
}

static void look_at(struct px_span span)
{
	for (size_t i = 0; i < span.len; i++) {
		broker.sum += (unsigned char)span.data[i];
	}
}

void px_broker_bus_answer(struct px_broker *to, struct px_bus_job *job, int rc)
{
	to->unanswered--;
	if (job->kind == PX_BUS_CLAIM && rc == 0) {
		const struct px_bus_claim *claim = (struct px_bus_claim *)job;
		for (size_t i = 0; i < claim->record_count; i++) {
			look_at(claim->records[i].key);
			look_at(claim->records[i].value);
		}
	} else if (job->kind == PX_BUS_FETCH && rc == 0) {
		const struct px_bus_fetch *fetch = (struct px_bus_fetch *)job;
		for (size_t i = 0; i < fetch->frame_count; i++) {
			look_at(fetch->frames[i]);
		}
	}
}

void px_broker_bus_up(struct px_broker *to)
{
	to->sum++;
}

void px_broker_bus_down(struct px_broker *to)
{
	to->sum++;
}

void px_broker_bus_heard(struct px_broker *to, struct px_span frame)
{
	(void)to;
	look_at(frame);
}

void px_broker_bus_unheard(struct px_broker *to, uint64_t node)
{
	to->sum += node;
}

void px_broker_bus_dead(struct px_broker *to, uint64_t node)
{
	to->sum += node;
}

void px_broker_bus_orphan(struct px_broker *to, const struct px_bus_place *place, uint64_t node)
{
	to->sum += node;
	look_at(place->tenant);
	look_at(place->practice);
}

void px_broker_bus_deposed(struct px_broker *to)
{
	to->sum++;
}

static void on_begin_turn(void *user)
{
	(void)user;
}

static void on_random(void *user, void *buf, size_t len)
{
	(void)user;
	memset(buf, 1, len);
}

static void on_log(void *user, int level, const char *line)
{
	(void)user;
	(void)level;
	look_at((struct px_span){ line, strlen(line) });
}

static void on_deposed(void *user)
{
	(void)user;
}

static void ask(struct px_bus_link *link, struct px_bus_job *job)
{
	broker.unanswered++;
	px_jobs_add(link, job);
}

static void begin(struct px_bus_link *link, bool is_up)
{
	link->conn = (struct px_conn *)(void *)&connection;
	if (is_up) {
		link->state = PX_LINK_UP;
		px_nodes_begin(link);
		px_jobs_tell(link, 7, (struct px_span){ "x", 1 });
		px_link_expect(link, PX_EXPECT_HOMES, 7);
		px_link_expect(link, PX_EXPECT_BURY, 7);
		px_link_flush(link);
	} else {
		px_link_opened(link);
	}
}

static void finish(struct px_bus_link *link)
{
	px_jobs_cancel(link);
	if (broker.unanswered != 0) {
		abort();
	}
	for (size_t i = 0; i < sizeof(link->names) / sizeof(link->names[0]); i++) {
		px_name_finish(&link->names[i]);
	}
	px_resp_out_finish(&link->out);
	free(link->nodes);
	free(link->expects);
	free(link->in);
	free(link);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct px_bus_place place = { { "t", 1 }, { "p", 1 } };
	struct px_bus_claim claim = { .job = { .kind = PX_BUS_CLAIM, .place = place } };
	struct px_bus_commit commit = { .job = { .kind = PX_BUS_COMMIT, .place = place } };
	struct px_bus_fetch fetch = { .job = { .kind = PX_BUS_FETCH, .place = place } };
	struct px_bus_link *link = calloc(1, sizeof(*link));
	if (!link || size == 0) {
		free(link);
		return 0;
	}
	if (!loop.data) {
		uv_loop_init(&loop);
		loop.data = &loop;
	}
	link->setup = (struct px_bus_setup){ .host = "h", .port = 1, .prefix = "px",
		.node_timeout_ms = 1000 };
	link->owner = (struct px_bus_owner){ .loop = &loop, .broker = &broker,
		.begin_turn = on_begin_turn, .random = on_random, .log = on_log, .deposed = on_deposed };
	link->node = 1;
	ask(link, &claim.job);
	ask(link, &commit.job);
	ask(link, &fetch.job);
	begin(link, data[0] & 1);
	size_t piece = 1 + (data[0] >> 1);
	for (size_t at = 1; at < size && link->conn; at += piece) {
		size_t len = size - at < piece ? size - at : piece;
		(void)px_link_received(link, (const char *)data + at, len);
	}
	finish(link);
	return 0;
}

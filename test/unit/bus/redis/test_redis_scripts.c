/* SPDX-License-Identifier: MIT */
/*
 * The scripts do what test/sim/sim_bus.c does, on which the broker is simulated: the same random
 * jobs on both, with connections lost before and after Redis had carried out what was asked, and
 * all answers, what is kept, and what other nodes hear compared.
 */
#include "../../../sim/sim_bus.h"
#include "run.h"
#include "world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACES 3
#define BATCH 8
#define ROUNDS 1500

static const char *const places[PLACES][2] = {
	{ "default", "12" }, { "a b/\xc3\xa4", ":{x}%" }, { "default", "34" },
};
static const char *const keys[] = { "whiteboard\nboard", "a", "x:y {z}", "" };

static struct node one, two;
static struct sim_store store;
static struct sim_link sim_one, sim_two;
static struct px_broker sim_broker_one, sim_broker_two;

/* What the generator thinks of a place: that all it asked for is carried out. */
struct guess {
	uint64_t gen;
	uint64_t home;
	uint64_t rev;
	uint32_t parts;
};
static struct guess guesses[PLACES];

/* One job twice, with what it points to. */
struct pair {
	struct asked real;
	struct asked sim;
	struct px_bus_op ops[8];
	struct px_bus_output outputs[4];
	char *texts[16];
	size_t text_count;
};

static struct px_bus_place place_of(unsigned at)
{
	return (struct px_bus_place){ { places[at][0], strlen(places[at][0]) },
		{ places[at][1], strlen(places[at][1]) } };
}

static struct px_span random_text(struct pair *pair, size_t most)
{
	size_t len = dice((uint32_t)most);
	char *text = malloc(len + 1);
	for (size_t i = 0; i < len; i++) {
		text[i] = (char)dice(256);
	}
	pair->texts[pair->text_count++] = text;
	return (struct px_span){ text, len };
}

static uint64_t random_node(void)
{
	uint32_t side = dice(20);
	return side < 16 ? one.broker.node : side < 19 ? two.broker.node : 77;
}

static uint64_t near(uint64_t number)
{
	uint32_t side = dice(24);
	return side == 0 ? number + 1 : side == 1 && number > 0 ? number - 1 : number;
}

static struct px_bus_op random_op(struct pair *pair)
{
	static uint64_t seq = 1;
	struct px_bus_op op = { .change = dice(4) == 0 ? PX_BUS_DELETE : PX_BUS_SET };
	const char *key = keys[dice(4)];
	op.record.table = (enum px_bus_table)dice(6);
	op.record.key = (struct px_span){ key, strlen(key) };
	if (op.record.table == PX_BUS_HISTORY) {
		seq += dice(2);
		op.record.seq = dice(4) == 0 && seq > 20 ? seq - dice(20) : seq;
		op.change = dice(6) == 0 ? PX_BUS_TRIM : op.change;
	}
	op.record.value = op.change == PX_BUS_SET ? random_text(pair, dice(9) == 0 ? 3000 : 60) :
			(struct px_span){ "", 0 };
	return op;
}

static void random_commit(struct pair *pair, struct guess *guess)
{
	struct px_bus_commit *commit = &pair->real.commit;
	commit->job.kind = PX_BUS_COMMIT;
	commit->node = guess->home && dice(12) ? guess->home : random_node();
	commit->gen = near(guess->gen);
	commit->prev = near(guess->rev);
	commit->rev = commit->prev + 1 + (dice(12) == 0 ? dice(3) : 0);
	commit->part = (uint32_t)near(guess->parts);
	commit->is_part = dice(5) == 0;
	commit->is_whole = dice(9) == 0;
	commit->is_last = !commit->is_part && dice(12) == 0;
	commit->ops = pair->ops;
	commit->op_count = dice(7);
	for (size_t i = 0; i < commit->op_count; i++) {
		pair->ops[i] = random_op(pair);
	}
	commit->outputs = pair->outputs;
	commit->output_count = dice(4) == 0 ? dice(4) : 0;
	for (size_t i = 0; i < commit->output_count; i++) {
		pair->outputs[i] = (struct px_bus_output){ random_node(), random_text(pair, 100) };
	}
	guess->parts = commit->is_part ? commit->part + 1 : 0;
	guess->rev = commit->is_part ? guess->rev : commit->rev;
}

static void random_claim(struct pair *pair, struct guess *guess)
{
	struct px_bus_claim *claim = &pair->real.claim;
	claim->job.kind = PX_BUS_CLAIM;
	claim->node = random_node();
	claim->known_gen = dice(3) ? 0 : near(guess->gen);
	claim->known_rev = near(guess->rev);
	claim->is_sure = dice(3) == 0;
	claim->dead = dice(2) ? guess->home : dice(2) ? random_node() : 0;
	guess->gen++;
	guess->home = claim->node;
	guess->parts = 0;
}

static void random_job(struct pair *pair)
{
	unsigned at = dice(PLACES);
	uint32_t side = dice(10);
	if (side < 7) {
		random_commit(pair, &guesses[at]);
	} else if (side < 9) {
		random_claim(pair, &guesses[at]);
	} else {
		pair->real.fetch.job.kind = PX_BUS_FETCH;
		pair->real.fetch.node = random_node();
		uint64_t rev = guesses[at].rev;
		pair->real.fetch.after = rev > 80 ? rev - dice(80) : 0;
	}
	pair->real.job.place = place_of(at);
	pair->sim = pair->real;
}

static void forget(struct pair *pair)
{
	for (size_t i = 0; i < pair->text_count; i++) {
		free(pair->texts[i]);
	}
	free(pair->real.answer);
	free(pair->sim.answer);
	*pair = (struct pair){ .text_count = 0 };
}

static void guess_anew(void)
{
	for (unsigned i = 0; i < PLACES; i++) {
		char name[64];
		(void)snprintf(name, sizeof(name), "%s/%s", places[i][0], places[i][1]);
		const struct sim_place *place = sim_store_find(&store, name);
		guesses[i] = place ? (struct guess){ place->gen, place->home, place->rev,
			place->draft ? place->draft->parts : 0 } : (struct guess){ 0 };
	}
}

static void on_turn(void *user)
{
	(void)user;
}

/* All that was published before has arrived at `two`. */
static void fence(void)
{
	static const char text[] = "fence";
	char *before = two.broker.heard ? strdup(two.broker.heard) : NULL;
	size_t len = before ? strlen(before) : 0;
	two.broker.bus.tell(two.link, two.broker.node, (struct px_span){ text, 5 });
	node_flush(&two);
	WAIT_UNTIL(two.broker.heard && strlen(two.broker.heard) >= 6 &&
			strcmp(two.broker.heard + strlen(two.broker.heard) - 6, "fence\n") == 0);
	ck_assert_uint_ge(strlen(two.broker.heard), len + 6);
	two.broker.heard[strlen(two.broker.heard) - 6] = '\0';
	free(before);
}

static bool is_same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static void compare(const struct pair *pair, unsigned round)
{
	ck_assert_msg(pair->real.rc == pair->sim.rc, "round %u, job of kind %d: %d, should be %d", round,
			pair->real.job.kind, pair->real.rc, pair->sim.rc);
	ck_assert_msg(is_same(pair->real.answer, pair->sim.answer), "round %u:\n%s\nshould be\n%s", round,
			pair->real.answer, pair->sim.answer);
}

static unsigned executed(void)
{
	const char *line = strstr(redis_ask(&redis, "INFO commandstats"), "cmdstat_evalsha:calls=");
	return line ? (unsigned)strtoul(strchr(line, '=') + 1, NULL, 10) : 0;
}

static void forget_heard(void)
{
	fake_forget(&one.broker);
	fake_forget(&two.broker);
	fake_forget(&sim_broker_one);
	fake_forget(&sim_broker_two);
}

/* Only `one` and the test itself are not connected. */
static bool is_cut(void)
{
	unsigned clients = 0;
	for (const char *at = redis_ask(&redis, "CLIENT LIST"); (at = strstr(at, "addr=")); at++) {
		clients += at[-1] == ' '; /* and not laddr */
	}
	return clients == 2;
}

/*
 * The connection is lost somewhere in what was asked. The sign of life of the next one is the one
 * script that is no job.
 */
static void cut(unsigned asked)
{
	unsigned answered = asked - one.broker.unanswered;
	px_link_fail(one.link, "cut by the test");
	one.link->retry_at_ms = INT64_MAX;
	turn_loop();
	while (!is_cut()) {
		turn_loop();
	}
	unsigned done = executed();
	ck_assert_uint_le(done, asked);
	for (unsigned i = 0; i < done; i++) {
		ck_assert(sim_link_execute(&sim_one));
	}
	for (unsigned i = 0; i < answered; i++) {
		ck_assert(sim_link_answer(&sim_one));
	}
	sim_link_cut(&sim_one);
	sim_link_mend(&sim_one);
	one.link->retry_at_ms = 0;
	px_link_on_tick(&one.link->tick);
}

static void run_batch(struct pair *pairs, unsigned count, bool is_lossy)
{
	for (unsigned i = 0; i < count; i++) {
		random_job(&pairs[i]);
		fake_ask(&one.broker, &pairs[i].real);
		fake_ask(&sim_broker_one, &pairs[i].sim);
	}
	(void)redis_ask(&redis, "CONFIG RESETSTAT");
	node_flush(&one);
	if (is_lossy) {
		for (unsigned i = dice(4); i > 0; i--) {
			turn_loop();
		}
		cut(count);
	}
	WAIT_UNTIL(one.broker.unanswered == 0 && one.broker.is_up);
	sim_link_run(&sim_one, on_turn, NULL);
	sim_link_run(&sim_two, on_turn, NULL);
	fence();
}

START_TEST(do_what_the_simulated_journal_does)
{
	static struct pair pairs[BATCH];
	node_begin(&one);
	node_begin(&two);
	WAIT_UNTIL(one.broker.is_up && two.broker.is_up);
	one.link->is_deposed = two.link->is_deposed = true; /* no signs of life among the scripts */
	sim_link_begin(&sim_one, &store, &sim_broker_one, one.broker.node);
	sim_link_begin(&sim_two, &store, &sim_broker_two, two.broker.node);
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned count = 1 + dice(BATCH);
		bool is_lossy = dice(8) == 0;
		guess_anew();
		run_batch(pairs, count, is_lossy);
		for (unsigned i = 0; i < count; i++) {
			compare(&pairs[i], round);
			forget(&pairs[i]);
		}
		ck_assert_msg(is_same(two.broker.heard, sim_broker_two.heard), "round %u:\n%s\nshould be\n%s",
				round, two.broker.heard, sim_broker_two.heard);
		ck_assert(is_lossy || is_same(one.broker.heard, sim_broker_one.heard));
		forget_heard();
	}
	ck_assert_uint_gt(one.broker.downs, ROUNDS / 20);
	ck_assert_uint_gt(sim_one.twice, 10);
	ck_assert_uint_gt(store.parts, 100);
	ck_assert_uint_eq(one.link->stats.bad, 0);
	sim_link_end(&sim_one);
	sim_link_end(&sim_two);
	sim_store_finish(&store);
	fake_finish(&sim_broker_one);
	fake_finish(&sim_broker_two);
	node_end(&one);
	node_end(&two);
}
END_TEST

RUN_REDIS_TESTS("redis/scripts", do_what_the_simulated_journal_does);

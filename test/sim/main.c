/* SPDX-License-Identifier: MIT */
/*
 * The walk: a turn is one to five things that happen, with time passing before them. Whatever
 * goes wrong, here, in the fake transport, in an assertion or under a sanitizer, the seed and
 * the step are told, and the same seed leads to the same step again.
 *
 *     sim [--seed N] [--steps N] [--verbose]
 */
#include "sim.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <praxis/plugin.h>

struct sim sim;
static bool verbose;

/* The services' descriptors, as the host finds them. */
extern const lws_plugin_protocol_t svc_whiteboard;
extern const lws_plugin_protocol_t svc_telemedicine;

/* Of the sanitizers, where there is one. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void tell_where(void)
{
	char text[128];
	int len = snprintf(text, sizeof(text), "sim: failed with --seed %llu at step %llu\n",
			(unsigned long long)sim.seed, (unsigned long long)sim.step);
	if (write(STDERR_FILENO, text, (size_t)len) < 0) {
		return; /* there is nobody left to tell */
	}
}

/* Also what never ends is a failure of that step. */
static void on_signal(int number)
{
	tell_where();
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

void sim_fail(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)fputs("sim: ", stderr);
	(void)vfprintf(stderr, format, args);
	(void)fputc('\n', stderr);
	va_end(args);
	abort();
}

unsigned dice(unsigned sides)
{
	return (unsigned)(fake_random(&sim.dice) >> 33) % sides;
}

bool chance(unsigned percent)
{
	return dice(100) < percent;
}

static void add(const struct px_service *service, const char *options)
{
	(void)fake_add_service(sim.fake, service, options);
}

static void begin(uint64_t seed)
{
	char board[200];
	const struct px_service *boards = svc_whiteboard.protocols[0].user;
	char room[160];
	const struct px_service *calls = svc_telemedicine.protocols[0].user;
	struct px_limits limits = {
		.queue_bytes = QUEUE_BYTES,
		.queue_age_ms = QUEUE_AGE_MS,
		.rooms_per_session = ROOMS_LIMIT,
		.channels = CHANNEL_LIMIT,
		.message_bytes = 65536,
		.heartbeat_ms = HEARTBEAT_MS,
		.slow_close_ms = SLOW_CLOSE_MS,
		.auth_notice_ms = AUTH_NOTICE_MS,
		.messages_per_s = RATE_PER_S,
		.messages_burst = RATE_BURST,
		.grace_ms = GRACE_MS,
	};
	sim.seed = seed;
	sim.dice = seed * 2 + 1;
	for (int i = 0; i < 8; i++) {
		(void)fake_random(&sim.dice);
	}
	sim.fake = fake_create(&limits);
	sim.fake->random = sim.dice;
	for (int i = 2; i >= 0; i--) {
		(void)snprintf(board, sizeof(board), "{\"history\":%d,\"history-age-s\":%d,"
				"\"board-values\":%u,\"board-bytes\":%llu,\"board-age-s\":%d,"
				"\"presence-listed\":%d}", HISTORY, HISTORY_AGE_MS / 1000,
				board_limits[i].values, (unsigned long long)board_limits[i].bytes,
				BOARD_AGE_MS / 1000, PRESENT_LISTED);
		sim.boards[i] = fake_options(sim.fake, boards->options, board);
	}
	for (int i = 0; i < 2; i++) {
		(void)snprintf(room, sizeof(room), "{\"room-members\":%d,\"chat-history\":%d,"
				"\"waiting-max\":%d,\"waiting-timeout\":%d,\"waiting-room\":%d}",
				ROOM_MEMBERS, CHATS, WAITING_MAX, WAITING_MS / 1000, i);
		sim.calls[i] = fake_options(sim.fake, calls->options, room);
	}
	add(boards, board);
	add(calls, room);
	sim.waiting = true;
	add(&probe_service, NULL);
	sim.realms[0].enabled = sim.realms[1].enabled = (1u << SERVICES) - 1;
	sim.realms[0].auth_ms = sim.realms[1].auth_ms = AUTH_MS;
	tokens_begin();
}

static void walk(uint64_t steps)
{
	for (sim.step = 1; sim.step <= steps; sim.step++) {
		pass_time();
		check_action();
		for (unsigned i = 1 + dice(5); i > 0; i--) {
			if (chance(75)) {
				talk();
			} else {
				happen();
			}
			check_action();
		}
		check_turn();
		if (sim.step % 1024 == 0) {
			(void)alarm(60);
		}
	}
	check_end();
}

static void report(double seconds)
{
	uint64_t all = 0;
	for (unsigned i = 0; i < PX_E_COUNT; i++) {
		all += sim.errors[i];
	}
	(void)printf("seed %llu, %llu steps in %.1f s: %llu sessions, %llu messages in, "
			"%llu errors, %llu slow, %llu left out, %llu silent, %llu crossings refused, %llu of %llu "
			"subscriptions recovered, %llu let in, %llu denied, %llu waited too long, %llu replaced, %llu too many, "
			"%llu renewed, %llu became somebody, %llu expired, %llu remained unauthenticated, "
			"%llu over their rate\n", (unsigned long long)sim.seed,
			(unsigned long long)sim.step - 1, seconds, (unsigned long long)sim.opened,
			(unsigned long long)sim.messages_in, (unsigned long long)all,
			(unsigned long long)sim.slow, (unsigned long long)sim.skipped,
			(unsigned long long)sim.silent,
			(unsigned long long)probe_crossings, (unsigned long long)sim.done[41],
			(unsigned long long)(sim.done[40] + sim.done[41]),
			(unsigned long long)sim.done[50], (unsigned long long)sim.done[51],
			(unsigned long long)sim.done[52], (unsigned long long)sim.done[53],
			(unsigned long long)sim.done[54],
			(unsigned long long)sim.done[55], (unsigned long long)sim.done[56],
			(unsigned long long)sim.done[57], (unsigned long long)sim.done[58],
			(unsigned long long)sim.limited);
	(void)printf("%llu detached, %llu resumed (%llu of an open connection), %llu lines again, "
			"%llu not resumed, %llu reattached\n", (unsigned long long)sim.detached,
			(unsigned long long)sim.resumes[PX_RESUME_DONE],
			(unsigned long long)sim.takeovers, (unsigned long long)sim.replayed,
			(unsigned long long)(sim.resumes[PX_RESUME_UNKNOWN] +
			sim.resumes[PX_RESUME_BEHIND] + sim.resumes[PX_RESUME_BAD_COUNT] +
			sim.resumes[PX_RESUME_OTHER_USER]), (unsigned long long)sim.reattached);
	(void)printf("%llu values kept, %llu refused, %llu dropped, %llu states told (%llu in parts), "
			"%llu lists of who is present, %llu of what was seen\n",
			(unsigned long long)sim.done[43], (unsigned long long)sim.done[44],
			(unsigned long long)sim.done[45], (unsigned long long)sim.done[46],
			(unsigned long long)sim.done[47], (unsigned long long)sim.done[48],
			(unsigned long long)sim.done[49]);
	for (unsigned i = 0; verbose && i < PX_E_COUNT; i++) {
		(void)printf("  %-18s %llu\n", px_error_name(i), (unsigned long long)sim.errors[i]);
	}
	for (unsigned i = 0; verbose && i < PX_CLOSES_COUNT; i++) {
		(void)printf("  closed with %-6u %llu\n", px_close_code(i),
				(unsigned long long)sim.closes[px_close_code(i)]);
	}
}

int main(int argc, char **argv)
{
	struct timespec start, end;
	uint64_t seed = (uint64_t)time(NULL);
	uint64_t steps = 200000;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--verbose") == 0) {
			verbose = true;
		} else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
			seed = strtoull(argv[++i], NULL, 10);
		} else if (strcmp(argv[i], "--steps") == 0 && i + 1 < argc) {
			steps = strtoull(argv[++i], NULL, 10);
		} else {
			(void)fprintf(stderr, "usage: sim [--seed N] [--steps N] [--verbose]\n");
			return 2;
		}
	}
	(void)signal(SIGABRT, on_signal);
	(void)signal(SIGALRM, on_signal);
	if (__sanitizer_set_death_callback) {
		__sanitizer_set_death_callback(tell_where);
	}
	(void)printf("seed %llu\n", (unsigned long long)seed);
	(void)fflush(stdout);
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	begin(seed);
	walk(steps);
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	report((double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9);
	fake_destroy(sim.fake);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * bench-load: puts a server under one scenario's load, checks every delivery and prints one line
 * of JSON.
 *
 * It runs one scenario against one server and knows nothing of comparing: run.mjs does that. The
 * warm-up and the measured window are both drained, so that the server's CPU time is read while it
 * has nothing to do and belongs to exactly the deliveries counted. Reading it in full flight, which
 * needs no draining, was rejected: what is under way at both ends is then guessed.
 *
 * The connections stay until standard input ends, so that the server can be asked for figures
 * before thousands of clients leave it at once.
 *
 * Exit codes: 0 all checked, 1 a check failed (said on stderr), 2 wrong usage or no such process.
 */
#define _GNU_SOURCE 1
#include "traffic.h"

#include <getopt.h>
#include <sys/resource.h>
#include <time.h>

struct scenario {
	const char *name;
	enum room_kind kind;
	unsigned rooms;
	unsigned members;
	unsigned in_flight;
	unsigned idle;
	bool apart;         /* rooms are in practices of their own */
	unsigned calls;     /* rooms of two besides, for chat */
	unsigned text_bytes;
	double per_second;  /* messages; 0: as fast as they are received */
	bool receipts;
};

static const struct scenario scenarios[] = {
	{ "fanout", ROOM_CHAT, 1, 100, 1, .idle = 0 },
	{ "rooms", ROOM_CHAT, 100, 10, 16, .idle = 0 },
	{ "pairs", ROOM_CHAT, 500, 2, 1, .idle = 0 },
	{ "idle", ROOM_CHAT, 1, 2, 1, .idle = 10000 },
	{ "practice", ROOM_BOARD, 1, 5000, 1, .idle = 0 },
	{ "handshakes", ROOM_CHAT, 0, 2, 1, .idle = 0 },
	{ "signal", ROOM_SIGNAL, 500, 2, 1, .text_bytes = 4096 },
	{ "board", ROOM_BOARD, 100, 10, 16, .text_bytes = 1024, .apart = true,
		.receipts = true },
	{ "day", ROOM_BOARD, 2000, 5, 64, .apart = true, .calls = 300, .per_second = 50,
		.text_bytes = 512 },
};

struct options {
	struct scenario scenario;
	const struct dialect *dialect;
	uint16_t port;
	long pid;
	double seconds;
	double warmup_seconds;
	uint64_t messages;
	double visitors; /* a second, besides the rooms' traffic */
	bool tls;
	int tls_version; /* 0: the newest */
	bool resumes;
};

/* What one window cost. */
struct window {
	double seconds;
	uint64_t server_cpu_ns;
	uint64_t load_cpu_ns;
};

static const char usage[] =
		"usage: bench-load --server NAME --port PORT --pid PID --scenario NAME\n"
		"                  [--rooms N] [--members N] [--in-flight N] [--idle N] [--bytes N]\n"
		"                  [--rate N] [--seconds S | --messages N] [--warmup S]\n"
		"                  [--tokens FILE] [--visitors N] [--tls 1.2|1.3] [--resume]\n"
		"servers: floor, praxis, node, nchan, mosquitto\n"
		"with --tokens (one a line) clients bring one each; --visitors come and go beside the\n"
		"rooms' traffic, so many a second; --bytes of a message's text (99 at least)\n"
		"scenarios, whose figures the options after --scenario change:\n"
		"  fanout  1 room of 100, 1 in flight\n"
		"  rooms   100 rooms of 10, 16 in flight in each\n"
		"  pairs   500 rooms of 2, ping-pong\n"
		"  signal  the same with offers, whose SDP has 4 KB\n"
		"  board   100 practices of 10, updates of 1 KB with receipts, 16 in flight in each\n"
		"  idle    a pair alone, then the same pair among 10000 idle clients\n"
		"  practice  5000 members of one practice, updates of its whiteboard\n"
		"  day     2000 practices of 5 and 300 calls, 50 messages a second in all\n"
		"  handshakes  clients that come, are greeted and go, 32 at a time\n";

static void usage_error(const char *what)
{
	fprintf(stderr, "bench-load: %s\n%s", what, usage);
	exit(2);
}

static double number(const char *text, double least, double most)
{
	char *rest;
	double value = strtod(text, &rest);

	if (rest == text || *rest != '\0' || !(value >= least && value <= most)) {
		fprintf(stderr, "bench-load: %s is not from %g to %g\n", text, least, most);
		exit(2);
	}
	return value;
}

static struct scenario scenario_find(const char *name)
{
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(*scenarios); i++) {
		if (strcmp(scenarios[i].name, name) == 0) {
			return scenarios[i];
		}
	}
	usage_error("no such scenario");
	return scenarios[0];
}

static void option_set(struct options *o, int option, const char *value)
{
	struct scenario *s = &o->scenario;

	switch (option) {
	case 'S':
		o->dialect = dialect_find(value);
		if (o->dialect == NULL) {
			usage_error("no such server");
		}
		break;
	case 'b': s->text_bytes = (unsigned)number(value, 1, 8192); break;
	case 'R': s->per_second = number(value, 1, 1e6); break;
	case 'x': o->resumes = true; break;
	case 'L':
		o->tls = true;
		o->tls_version = strcmp(value, "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
		break;
	case 'p': o->port = (uint16_t)number(value, 1, 65535); break;
	case 'P': o->pid = (long)number(value, 1, 1e9); break;
	case 's': *s = scenario_find(value); break;
	case 'r': s->rooms = (unsigned)number(value, 1, 10000); break;
	case 'm': s->members = (unsigned)number(value, 2, 20000); break;
	case 'f': s->in_flight = (unsigned)number(value, 1, 1024); break;
	case 'i': s->idle = (unsigned)number(value, 1, 100000); break;
	case 't': o->seconds = number(value, 0.01, 600); break;
	case 'w': o->warmup_seconds = number(value, 0, 60); break;
	case 'T': tokens_read(value); break;
	case 'v': o->visitors = number(value, 1, 100000); break;
	case 'n': o->messages = (uint64_t)number(value, 1, 1e9); break;
	default: usage_error("unknown option");
	}
}

static void options_read(struct options *o, int argc, char **argv)
{
	static const struct option known[] = {
		{ "server", required_argument, NULL, 'S' },
		{ "port", required_argument, NULL, 'p' },
		{ "pid", required_argument, NULL, 'P' },
		{ "scenario", required_argument, NULL, 's' },
		{ "rooms", required_argument, NULL, 'r' },
		{ "members", required_argument, NULL, 'm' },
		{ "in-flight", required_argument, NULL, 'f' },
		{ "idle", required_argument, NULL, 'i' },
		{ "seconds", required_argument, NULL, 't' },
		{ "warmup", required_argument, NULL, 'w' },
		{ "messages", required_argument, NULL, 'n' },
		{ "tokens", required_argument, NULL, 'T' },
		{ "visitors", required_argument, NULL, 'v' },
		{ "bytes", required_argument, NULL, 'b' },
		{ "rate", required_argument, NULL, 'R' },
		{ "tls", required_argument, NULL, 'L' },
		{ "resume", no_argument, NULL, 'x' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		option_set(o, option, optarg);
	}
	if (optind < argc || o->port == 0 || o->pid == 0 || o->scenario.name == NULL ||
			o->dialect == NULL) {
		usage_error("--server, --port, --pid and --scenario are required");
	}
}

static uint64_t own_cpu_ns(void)
{
	struct timespec spent;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
	return (uint64_t)spent.tv_sec * UINT64_C(1000000000) + (uint64_t)spent.tv_nsec;
}

/* The server has answered all; two milliseconds later it sleeps, and its CPU time is up to date. */
static void settle(void)
{
	const struct timespec pause = { .tv_nsec = 2000000 };

	nanosleep(&pause, NULL);
}

static struct window measure(struct traffic *t, const struct options *o)
{
	struct window w;
	uint64_t start_ns;

	if (o->warmup_seconds > 0) {
		traffic_run(t, o->warmup_seconds, 0);
	}
	settle();
	w.server_cpu_ns = process_cpu_ns(o->pid);
	w.load_cpu_ns = own_cpu_ns();
	start_ns = clock_ns();
	traffic_run(t, o->seconds, o->messages);
	w.seconds = (double)(clock_ns() - start_ns) / 1e9;
	w.load_cpu_ns = own_cpu_ns() - w.load_cpu_ns;
	settle();
	w.server_cpu_ns = process_cpu_ns(o->pid) - w.server_cpu_ns;
	return w;
}

static void print_start(const struct options *o)
{
	const struct scenario *s = &o->scenario;

	printf("{\"server\":\"%s\",\"scenario\":\"%s\",\"rooms\":%u,\"members\":%u,"
			"\"in_flight\":%u", o->dialect->name, s->name, s->rooms,
			s->members, s->in_flight);
}

static void print_latency(const char *name, const struct histogram *h)
{
	printf(",\"%s_p50_us\":%.1f,\"%s_p99_us\":%.1f,\"%s_p999_us\":%.1f", name,
			histogram_us(h, 0.5), name, histogram_us(h, 0.99), name,
			histogram_us(h, 0.999));
}

static void run_rooms(struct traffic *t, const struct options *o)
{
	struct window w = measure(t, o);

	visitors_end(&t->visitors);
	traffic_fence(t);
	print_start(o);
	printf(",\"messages\":%llu,\"deliveries\":%llu,\"seconds\":%.3f",
			(unsigned long long)t->messages, (unsigned long long)t->deliveries,
			w.seconds);
	printf(",\"cpu_ns_per_delivery\":%.1f,\"wire_bytes\":%.0f",
			(double)w.server_cpu_ns / (double)t->deliveries,
			(double)t->wire_bytes / (double)t->deliveries);
	print_latency("latency", &t->latency);
	printf(",\"visitors\":%llu,\"server_cpu_share\":%.3f,\"load_cpu_share\":%.3f}\n",
			(unsigned long long)t->visitors.greeted,
			(double)w.server_cpu_ns / 1e9 / w.seconds,
			(double)w.load_cpu_ns / 1e9 / w.seconds);
}

/* So many, or for so long, and until the last one has gone. */
static uint64_t run_visitors(struct visitors *v, double seconds, uint64_t count)
{
	uint64_t before = v->greeted, end_ns;

	v->loop->now_ns = clock_ns();
	end_ns = v->loop->now_ns + (uint64_t)(seconds * 1e9);
	v->left = count > 0 ? count : UINT64_MAX;
	memset(&v->handshake, 0, sizeof(v->handshake));
	while (v->left > 0 && (count > 0 || v->loop->now_ns < end_ns)) {
		visitors_come(v);
		loop_turn(v->loop);
	}
	visitors_end(v);
	return v->greeted - before;
}

static void run_handshakes(struct traffic *t, const struct options *o)
{
	struct visitors *v = &t->visitors;
	uint64_t start_ns, cpu_ns, count;
	double seconds;

	if (o->warmup_seconds > 0) {
		run_visitors(v, o->warmup_seconds, 0);
	}
	settle();
	cpu_ns = process_cpu_ns(o->pid);
	start_ns = clock_ns();
	count = run_visitors(v, o->seconds, o->messages);
	seconds = (double)(clock_ns() - start_ns) / 1e9;
	settle();
	cpu_ns = process_cpu_ns(o->pid) - cpu_ns;
	print_start(o);
	printf(",\"visitors\":%llu,\"deliveries\":%llu,\"seconds\":%.3f,\"per_second\":%.1f,"
			"\"cpu_us_per_handshake\":%.2f,\"resumed\":%llu",
			(unsigned long long)v->greeted, (unsigned long long)count, seconds,
			(double)count / seconds, (double)cpu_ns / 1e3 / (double)count,
			(unsigned long long)t->loop.resumed);
	print_latency("handshake", &v->handshake);
	printf(",\"server_cpu_share\":%.3f}\n", (double)cpu_ns / 1e9 / seconds);
	if (t->loop.resumes && t->loop.resumed + v->slot_count < count) {
		check_failed("only %llu of %llu handshakes resumed a session",
				(unsigned long long)t->loop.resumed, (unsigned long long)count);
	}
}

static int on_turn(void *user)
{
	return traffic_wait_ms(user);
}

/* What is kept of a pair's window, until the line is printed as a whole. */
struct pair {
	uint64_t deliveries;
	double cpu_ns_per_delivery;
	double p50_us;
	double p99_us;
};

static struct pair measure_pair(struct traffic *t, const struct options *o)
{
	struct window w = measure(t, o);
	struct pair p = { .deliveries = t->deliveries,
		.cpu_ns_per_delivery = (double)w.server_cpu_ns / (double)t->deliveries,
		.p50_us = histogram_us(&t->round_trip, 0.5),
		.p99_us = histogram_us(&t->round_trip, 0.99) };

	traffic_fence(t);
	return p;
}

static void print_pair(const char *name, const struct pair *p)
{
	printf(",\"%s\":{\"cpu_ns_per_delivery\":%.1f,\"round_trip_p50_us\":%.2f,"
			"\"round_trip_p99_us\":%.2f}", name, p->cpu_ns_per_delivery, p->p50_us,
			p->p99_us);
}

static void run_idle(struct traffic *t, const struct options *o)
{
	struct pair alone = measure_pair(t, o), among;
	struct memory before = process_memory(o->pid), after;
	double idle = o->scenario.idle;

	entry_connect(t, t->member_count, t->idle_count);
	traffic_fence(t);
	settle();
	after = process_memory(o->pid);
	among = measure_pair(t, o);
	print_start(o);
	print_pair("alone", &alone);
	print_pair("among", &among);
	printf(",\"idle\":%u,\"rss_bytes_per_connection\":%.0f,\"pss_bytes_per_connection\":%.0f,"
			"\"deliveries\":%llu}\n", o->scenario.idle,
			(double)(after.rss_bytes - before.rss_bytes) / idle,
			(double)(after.pss_bytes - before.pss_bytes) / idle,
			(unsigned long long)(alone.deliveries + among.deliveries));
}

static void traffic_plan(struct traffic *t, const struct options *o)
{
	const struct scenario *s = &o->scenario;
	const struct room_plan plans[] = {
		{ s->kind, s->rooms, s->members, s->apart },
		{ ROOM_CHAT, s->calls, 2, s->apart },
	};

	t->dialect = o->dialect;
	t->flight_count = s->in_flight;
	t->idle_count = s->idle;
	t->text_bytes = s->text_bytes;
	t->receipts = s->receipts;
	t->per_second = s->per_second;
	loop_init(&t->loop, o->port);
	if (o->tls) {
		loop_use_tls(&t->loop, o->tls_version);
		t->loop.resumes = o->resumes;
	}
	traffic_init(t, plans, sizeof(plans) / sizeof(*plans));
	if (s->rooms == 0 || o->visitors > 0) {
		visitors_init(&t->visitors, &t->loop, o->dialect,
				o->visitors > 0 ? VISITORS_MAX : 32,
				t->member_count + t->idle_count + 1);
		t->visitors.per_second = o->visitors;
	}
	t->loop.on_turn = on_turn;
}

int main(int argc, char **argv)
{
	static struct traffic t;
	struct options o = { .seconds = 2, .warmup_seconds = 0.5 };
	struct rlimit files;

	options_read(&o, argc, argv);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	traffic_plan(&t, &o);
	entry_connect(&t, 0, t.member_count);
	entry_join(&t);
	if (t.room_count == 0) {
		run_handshakes(&t, &o);
	} else if (t.idle_count > 0) {
		run_idle(&t, &o);
	} else {
		run_rooms(&t, &o);
	}
	fflush(stdout);
	while (getchar() != EOF) {
	}
	return 0;
}

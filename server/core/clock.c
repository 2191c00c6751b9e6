/* SPDX-License-Identifier: MIT */
#include "clock.h"
#include "server.h"

#include <praxis/host/broker.h>
#include <praxis/host/registry.h>
#include <time.h>

int64_t px_server_wall_ms(void)
{
	struct timespec wall;
	clock_gettime(CLOCK_REALTIME, &wall);
	return (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000;
}

void px_server_begin_turn(struct px_server *server)
{
	px_turn_begin(&server->turn, uv_hrtime());
	px_broker_set_time(server->broker, (int64_t)uv_now(&server->loop), px_server_wall_ms());
}

uint64_t px_server_now_ns(void *user)
{
	(void)user;
	return uv_hrtime();
}

void px_server_flushed(void *user, uint64_t ns)
{
	struct px_server *server = user;
	px_histogram_add(&server->flushes, ns);
}

bool px_server_over_budget(void *user, enum px_work work)
{
	struct px_server *server = user;
	return px_turn_over_budget(&server->turn, work, uv_hrtime());
}

int64_t px_server_ends_in_ms(const struct px_server *server)
{
	int64_t now_ms = (int64_t)uv_now(&server->loop);
	int64_t end_ms = server->drain_end_ms > now_ms ? server->drain_end_ms :
			server->drain_deadline_ms;
	return end_ms > now_ms ? end_ms - now_ms : 1;
}

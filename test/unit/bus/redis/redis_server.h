/* SPDX-License-Identifier: MIT */
/* A real redis-server for one test, on a free port of the loopback address, and a client of it. */
#ifndef REDIS_SERVER_H
#define REDIS_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct redis_server {
	char dir[64];
	uint16_t port;
	pid_t pid; /* 0: none */
	bool keeps; /* writes an append-only file */
	int fd;    /* of the client; -1: none */
	char answer[65536];
};

/* Whether there is one to be run. */
bool redis_server_exists(void);

/* Each fails the test if it cannot be done. */
void redis_server_begin(struct redis_server *redis, bool keeps);
void redis_server_start(struct redis_server *redis);
void redis_server_kill(struct redis_server *redis); /* -9 */
void redis_server_end(struct redis_server *redis);

/* The answer as it came, valid until the next. Words are separated by a blank each. */
const char *redis_ask(struct redis_server *redis, const char *format, ...)
		__attribute__((format(printf, 2, 3)));

#endif

/* SPDX-License-Identifier: MIT */
/* See redis_server.h. */
#include "redis_server.h"

#include "resp.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <ftw.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 3000 /* of 10 ms */

bool redis_server_exists(void)
{
	const char *path = getenv("PATH");
	while (path && *path) {
		char file[512];
		int len = (int)strcspn(path, ":");
		(void)snprintf(file, sizeof(file), "%.*s/redis-server", len, path);
		if (access(file, X_OK) == 0) {
			return true;
		}
		path += len + (path[len] == ':');
	}
	return false;
}

static struct sockaddr_in address_of(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static uint16_t free_port(void)
{
	struct sockaddr_in address = address_of(0);
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static void be_redis(const struct redis_server *redis)
{
	char port[8];
	int log = chdir(redis->dir) == 0 ? open("log", O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
	(void)snprintf(port, sizeof(port), "%u", redis->port);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (log < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0) {
		_exit(1);
	}
	execlp("redis-server", "redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "",
			"--appendonly", redis->keeps ? "yes" : "no", "--appendfsync", "always", NULL);
	_exit(1);
}

static bool try_to_connect(struct redis_server *redis)
{
	struct sockaddr_in address = address_of(redis->port);
	redis->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(redis->fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
		return true;
	}
	close(redis->fd);
	redis->fd = -1;
	return false;
}

static bool is_ready(struct redis_server *redis)
{
	for (unsigned i = 0; i < PATIENCE; i++) {
		if (waitpid(redis->pid, NULL, WNOHANG) == redis->pid) {
			redis->pid = 0; /* the port is another's */
			return false;
		}
		if (try_to_connect(redis)) {
			if (strncmp(redis_ask(redis, "PING"), "+PONG", 5) == 0) {
				return true;
			}
			close(redis->fd);
		}
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	return false;
}

void redis_server_start(struct redis_server *redis)
{
	redis->pid = fork();
	ck_assert_int_ge(redis->pid, 0);
	if (redis->pid == 0) {
		be_redis(redis);
	}
	ck_assert_msg(is_ready(redis), "redis-server does not start: see %s/log", redis->dir);
}

void redis_server_begin(struct redis_server *redis, bool keeps)
{
	*redis = (struct redis_server){ .fd = -1, .keeps = keeps, .dir = "/tmp/praxis-redis-XXXXXX" };
	ck_assert_ptr_nonnull(mkdtemp(redis->dir));
	redis->port = free_port();
	redis_server_start(redis);
}

void redis_server_kill(struct redis_server *redis)
{
	close(redis->fd);
	redis->fd = -1;
	if (redis->pid > 0) {
		kill(redis->pid, SIGKILL);
		waitpid(redis->pid, NULL, 0);
		redis->pid = 0;
	}
}

static int on_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void redis_server_end(struct redis_server *redis)
{
	redis_server_kill(redis);
	ck_assert_int_eq(nftw(redis->dir, on_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

const char *redis_ask(struct redis_server *redis, const char *format, ...)
{
	char words[4096];
	struct px_resp_out out = { .data = NULL };
	struct px_resp_scan scan = { 0 };
	size_t len = 0;
	va_list args;
	va_start(args, format);
	(void)vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	px_resp_words(&out, words);
	ck_assert_int_eq(send(redis->fd, out.data, out.len, MSG_NOSIGNAL), (ssize_t)out.len);
	px_resp_out_finish(&out);
	do {
		ssize_t got = read(redis->fd, redis->answer + len, sizeof(redis->answer) - 1 - len);
		ck_assert_int_gt(got, 0);
		len += (size_t)got;
	} while (px_resp_scan(&scan, redis->answer, len) == 0);
	redis->answer[len] = '\0';
	return redis->answer;
}

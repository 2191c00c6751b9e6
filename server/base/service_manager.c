/* SPDX-License-Identifier: MIT */
/* See service_manager.h. */
#include "service_manager.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define STATES_MAX 512

/* Parses a path, or an abstract name, which begins with @. -EINVAL: neither. */
static int read_address(const char *name, struct sockaddr_un *ret_address, socklen_t *ret_len)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	if ((name[0] != '/' && name[0] != '@') || len < 2 || len >= sizeof(address.sun_path)) {
		return -EINVAL;
	}
	memcpy(address.sun_path, name, len);
	if (name[0] == '@') {
		address.sun_path[0] = '\0';
	}
	*ret_address = address;
	*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (name[0] == '/'));
	return 0;
}

static int open_socket(const char *name, int *ret_fd)
{
	const struct timeval patience = { .tv_sec = 1 };
	struct sockaddr_un address;
	socklen_t len;
	int rc = read_address(name, &address, &len);
	if (rc < 0) {
		return rc;
	}
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
			connect(fd, (const struct sockaddr *)&address, len) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	*ret_fd = fd;
	return 0;
}

/* A positive integer; 0: it is not one. */
static uint64_t number_of(const char *text)
{
	char *end;
	errno = 0;
	unsigned long long number = text ? strtoull(text, &end, 10) : 0;
	return text && errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' ? number : 0;
}

static int64_t read_watchdog(void)
{
	const char *pid = getenv("WATCHDOG_PID");
	uint64_t ms = number_of(getenv("WATCHDOG_USEC")) / 1000;
	bool is_ours = !pid || number_of(pid) == (uint64_t)getpid();
	return is_ours && ms <= INT32_MAX ? (int64_t)ms : 0;
}

int px_service_manager_open(struct px_service_manager *ret_manager)
{
	const char *name = getenv("NOTIFY_SOCKET");
	*ret_manager = (struct px_service_manager){ .fd = -1 };
	int rc = name ? open_socket(name, &ret_manager->fd) : 0;
	ret_manager->watchdog_ms = ret_manager->fd < 0 ? 0 : read_watchdog();
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return rc;
}

void px_service_manager_tell(const struct px_service_manager *manager, const char *format, ...)
{
	char states[STATES_MAX];
	va_list arguments;
	if (manager->fd < 0) {
		return;
	}
	va_start(arguments, format);
	int len = vsnprintf(states, sizeof(states), format, arguments);
	va_end(arguments);
	if (len > 0 && (size_t)len < sizeof(states)) {
		(void)send(manager->fd, states, (size_t)len, MSG_NOSIGNAL);
	}
}

void px_service_manager_alive(const struct px_service_manager *manager, const char *status)
{
	char states[STATES_MAX];
	int len = snprintf(states, sizeof(states), "WATCHDOG=1\nSTATUS=%s", status);
	if (manager->fd >= 0 && len > 0 && (size_t)len < sizeof(states)) {
		(void)send(manager->fd, states, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}

void px_service_manager_close(struct px_service_manager *manager)
{
	if (manager->fd >= 0) {
		close(manager->fd);
	}
	manager->fd = -1;
}

/* SPDX-License-Identifier: MIT */
/*
 * What the service manager is told that started the process, systemd as a rule: sd_notify(3).
 * Opened by main.c, reload and drain. It never waits for an answer, and does nothing where no
 * manager asked to be told.
 *
 * Rejected: libsystemd. The protocol is one datagram a state, its manual page says that programs
 * may speak it themselves, and the image would carry a library for nothing.
 */
#ifndef PX_SERVICE_MANAGER_H
#define PX_SERVICE_MANAGER_H

#include <praxis/types.h>

struct px_service_manager {
	int fd;               /* -1: nobody asked */
	int64_t watchdog_ms;  /* at least this often PX_MANAGER_ALIVE is awaited; 0: never */
};

/*
 * Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and takes them out of the environment: a
 * child of ours is not the service. -errno: a manager asked and cannot be told; *ret_manager is as
 * if none had asked.
 */
int px_service_manager_open(struct px_service_manager *ret_manager);

/*
 * Sends states as sd_notify(3) has them, a line each ("READY=1\nSTATUS=…"). What the manager does
 * not take within a second is lost.
 */
void px_service_manager_tell(const struct px_service_manager *manager, const char *format, ...)
		PX_PRINTF(2, 3);

/* The same for what is said again and again: lost at once where there is no room. */
void px_service_manager_alive(const struct px_service_manager *manager, const char *status);

void px_service_manager_close(struct px_service_manager *manager);

#endif

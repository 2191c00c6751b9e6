/* SPDX-License-Identifier: MIT */
/*
 * Notifying the service manager, usually systemd: sd_notify(3). Opened by main.c, reload and drain.
 * It never waits for an answer, and does nothing without a service manager.
 *
 * Rejected: libsystemd. The protocol is one datagram for each state, its manual page says that
 * programs may implement it, and the image would contain a library for that.
 */
#ifndef PX_SERVICE_MANAGER_H
#define PX_SERVICE_MANAGER_H

#include <praxis/types.h>

struct px_service_manager {
	int fd;               /* -1: no service manager */
	int64_t watchdog_ms;  /* interval at which PX_MANAGER_ALIVE is expected; 0: never */
};

/*
 * Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and removes them from the environment: child
 * processes are not the service. -errno: the service manager cannot be notified; *ret_manager is as
 * without one.
 */
int px_service_manager_open(struct px_service_manager *ret_manager);

/*
 * Sends states as in sd_notify(3), one per line ("READY=1\nSTATUS=…"). They are lost if the service
 * manager does not take them within a second.
 */
void px_service_manager_tell(const struct px_service_manager *manager, const char *format, ...)
		PX_PRINTF(2, 3);

/* The same for repeated states: lost at once if there is no room. */
void px_service_manager_alive(const struct px_service_manager *manager, const char *status);

void px_service_manager_close(struct px_service_manager *manager);

#endif

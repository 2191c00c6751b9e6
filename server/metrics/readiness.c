/* SPDX-License-Identifier: MIT */
/*
 * Whether new clients can be let in, determined on request (GET /ready, statistics, the dashboard).
 * A stored state would be as old as the last refused client, and a proxy that keeps clients away
 * because of it would never see it change.
 */
#include "readiness.h"

#include "audit/audit.h"
#include "bus/bus.h"
#include "core/server.h"
#include "net/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

const char *const px_unready_names[PX_UNREADY_COUNT] = {
	[PX_UNREADY_DRAINING] = "draining",
	[PX_UNREADY_AUDIT] = "audit",
	[PX_UNREADY_BUS] = "bus",
	[PX_UNREADY_CONNECTIONS] = "connections",
	[PX_UNREADY_DESCRIPTORS] = "descriptors",
};

static const char *const sentences[PX_UNREADY_COUNT] = {
	[PX_UNREADY_DRAINING] = "The server is shutting down.",
	[PX_UNREADY_AUDIT] = "The audit log cannot be written, and on-full refuses clients.",
	[PX_UNREADY_BUS] = "The server is not connected to Redis.",
	[PX_UNREADY_CONNECTIONS] = "The server has too many connections.",
	[PX_UNREADY_DESCRIPTORS] = "The server has no file descriptors left.",
};

static bool is_one_left(void)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0) {
		close(fd);
	}
	return fd >= 0 || (errno != EMFILE && errno != ENFILE);
}

bool px_unready_is(const struct px_server *server, enum px_unready what)
{
	switch (what) {
	case PX_UNREADY_DRAINING:
		return server->draining;
	case PX_UNREADY_AUDIT:
		return !px_audit_takes(server->audit);
	case PX_UNREADY_BUS:
		return px_bus_fault(server) != NULL;
	case PX_UNREADY_CONNECTIONS:
		return server->connections >= server->max_connections;
	case PX_UNREADY_DESCRIPTORS:
		return !px_has_descriptors(server) || !is_one_left();
	case PX_UNREADY_COUNT:
		break;
	}
	return false;
}

const char *px_unready_sentence(const struct px_server *server, enum px_unready *ret_reason)
{
	for (unsigned i = 0; i < PX_UNREADY_COUNT; i++) {
		if (px_unready_is(server, i)) {
			*ret_reason = i;
			return i == PX_UNREADY_BUS ? px_bus_fault(server) : sentences[i];
		}
	}
	return NULL;
}

void px_readiness_write(const struct px_server *server, struct px_json *json, const char *ready,
		const char *reasons)
{
	enum px_unready first;
	px_json_bool(json, ready, !px_unready_sentence(server, &first));
	px_json_open_array(json, reasons);
	for (unsigned i = 0; i < PX_UNREADY_COUNT; i++) {
		if (px_unready_is(server, i)) {
			px_json_text(json, NULL, px_unready_names[i]);
		}
	}
	px_json_close_array(json);
}

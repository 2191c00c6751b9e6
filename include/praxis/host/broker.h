/* SPDX-License-Identifier: MIT */
/*
 * The broker as its host sees it: a machine without sockets, clock or threads of its own. The host
 * passes in what arrived and what time it is; the broker writes through a transport. So the server
 * runs it on libuv, a unit test directly, and the simulation with a virtual clock.
 *
 * One turn of the host's loop: px_broker_set_time(), any number of events, then
 * px_broker_end_turn(), which writes queues, closes sessions and frees what has ended. Everything
 * runs on one thread. If the host says that a turn has lasted long enough
 * (px_broker_host.over_budget), the rest of the work is done in the following turns.
 *
 * It includes the other headers of this folder, one for each noun. None of them is for services.
 */
#ifndef PRAXIS_HOST_BROKER_H
#define PRAXIS_HOST_BROKER_H

#include <praxis/host/authentication.h>
#include <praxis/host/drain.h>
#include <praxis/host/event.h>
#include <praxis/host/host.h>
#include <praxis/host/identity.h>
#include <praxis/host/limits.h>
#include <praxis/host/realm.h>
#include <praxis/host/registry.h>
#include <praxis/host/session.h>
#include <praxis/host/stats.h>
#include <praxis/host/transport.h>
#include <praxis/operate.h>
#include <praxis/service.h>

struct px_broker;

PX_PUBLIC int px_broker_create(const struct px_transport *transport,
		const struct px_broker_host *host, const struct px_limits *limits,
		struct px_broker **ret_broker);

/*
 * All sessions must have ended: px_broker_end_detached() and px_broker_end_turn() after the last
 * px_session_lost().
 */
PX_PUBLIC void px_broker_destroy(struct px_broker *broker);

PX_PUBLIC void px_broker_set_limits(struct px_broker *broker, const struct px_limits *limits);

/* Sets monotonic and wall-clock time, in milliseconds. Fires due timers. */
PX_PUBLIC void px_broker_set_time(struct px_broker *broker, int64_t mono_ms, int64_t wall_ms);

/*
 * When px_broker_set_time() must be called at the latest, in mono_ms; INT64_MAX: never. Not later
 * than now if timers were left because the turn was over budget.
 */
PX_PUBLIC int64_t px_broker_deadline(const struct px_broker *broker);

/* True: there is work left, and the next turn must follow at once. */
PX_PUBLIC bool px_broker_end_turn(struct px_broker *broker);

#endif

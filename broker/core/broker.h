/* SPDX-License-Identifier: MIT */
/*
 * The broker's state in one struct, for all areas of the broker; it contains no logic. Ownership:
 * the broker owns services, sessions, practices and channels; a session owns its identity, its
 * queue and its memberships; a channel owns its array of members and its history; messages are
 * reference-counted.
 */
#ifndef PX_CORE_BROKER_H
#define PX_CORE_BROKER_H

#include <praxis/host/host.h>
#include <praxis/host/limits.h>
#include <praxis/host/realm.h>
#include <praxis/host/stats.h>
#include <praxis/host/transport.h>

#include "base/paged_index.h"
#include "base/table.h"
#include "base/timer.h"
#include "base/traffic.h"
#include "message.h"
#include "message/envelope.h"
#include "queue.h"
#include "service.h"

/* Frames of one session that go out in one write. */
#define PX_WRITE_BYTES 65536

/* Units of work between two checks of the time budget: each may cost a system call. */
#define PX_SLICE 8

struct px_broadcast;
struct px_bus_state;
struct px_outbound_hooks;
struct px_practice;
struct px_message_tap;
struct px_turn_hooks;
struct px_admin_feed;

/* Whose message is being handled. */
struct px_concern {
	struct px_practice *practice; /* NULL: none */
	const struct px_service *service;
};

struct px_broker {
	struct px_transport transport;
	struct px_broker_host host;
	struct px_limits limits;
	struct px_hash_key hash_key;
	const struct px_outbound_hooks *outbound; /* session/'s */

	int64_t wall_ms;
	struct px_timers timers;

	struct px_service_slot services[PX_SERVICES_MAX];
	unsigned service_count;

	struct px_session *oldest; /* all sessions, oldest connection first */
	struct px_session *newest;
	struct px_paged_index sessions;   /* the same, for lists */
	struct px_table clients;   /* … and by client id */
	struct px_paged_index practice_index;
	struct px_broadcast *broadcast; /* the one in progress */
	struct px_admin_feed *watch;    /* NULL: no service has `operates` */
	struct px_paged_index rooms;      /* all rooms and waiting rooms */
	struct px_session *dirty;   /* sessions that have something to write */
	struct px_session **dirty_end;
	struct px_session *ending;  /* to be closed or freed when the turn ends */
	struct px_session **ending_end;
	/* session/session_sweep.c: the next session that may get a service; NULL: none */
	struct px_session *attaching;
	const struct px_realm *attaching_realm; /* … only sessions of that realm; NULL: of any */
	struct px_session *telling;   /* … the next that is told that the server drains */
	struct px_session *arming;    /* … the next whose deadlines changed */
	int64_t drain_spread_ms;
	struct px_session *draining;  /* … the next that may belong to a draining realm */

	struct px_session *detached_oldest; /* ordered by when they lost their connections */
	struct px_session *detached_newest;
	uint64_t detach_order;
	struct px_table reattachable; /* detached ones without praxis.v1, by realm and user */

	struct px_table practices;
	struct px_table channels;
	uint64_t member_order;
	struct px_realm nowhere; /* for restored sessions whose vhost is gone */
	int64_t restore_until_ms; /* until then, restored sessions wait for their clients */
	bool is_holding; /* about to be saved: see px_broker_hold() */
	struct px_member *walk;    /* cursor of an iteration over a session's memberships */
	struct px_session *acting; /* whose message is being handled … */
	uint64_t answered;         /* … and the bytes that were sent to it meanwhile */

	struct px_message *ping;
	struct px_message *gone; /* replaces a message that must not be sent again: outbound/rights.h */
	uint32_t muted;          /* services that some realm has, or had, disabled */
	struct px_practice *at;  /* whose services run now; NULL: none. See turn.h */
	const struct px_turn_hooks *turn_hooks; /* NULL: no journal */
	struct px_bus_state *bus; /* bus/'s; NULL: no journal */
	struct px_origin in_hand; /* origin of what services send now */
	struct px_queue_pool queue_pool;
	struct px_envelope envelope; /* of the message being handled */
	struct px_envelope publication; /* of the message being published */
	uint8_t *write_buffer;       /* PX_WRITE_BYTES */
	struct px_stats stats;
	struct px_traffic traffic;
	struct px_type_slot types[PX_TRAFFIC_TYPES];
	uint16_t traffic_place; /* of the message being handled */

	struct px_message_tap *taps; /* open message taps; NULL: none, and messages are not described */
	struct px_concern concern;
	enum px_error refusal; /* of the error being sent; PX_E_COUNT: none */
	bool is_publishing;    /* deliveries are reported to taps once for all receivers */
};

#endif

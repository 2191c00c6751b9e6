/* SPDX-License-Identifier: MIT */
/*
 * The state of the broker: its one struct. Opened by whoever works on it. It never does anything:
 * what is done with it is its areas'. Order of ownership: the broker owns services, sessions,
 * practices and channels; a session owns its identity, its queue and its memberships; a channel
 * owns its members' array and its history; a message belongs to whoever counts it.
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

/* Pieces of work between two looks at the clock: each may cost a system call. */
#define PX_SLICE 8

struct px_broadcast;
struct px_outbound_hooks;
struct px_practice;
struct px_message_tap;
struct px_watch;

/* Whose message is in hand. */
struct px_concern {
	struct px_practice *practice; /* NULL: none's */
	const struct px_service *service;
};

struct px_broker {
	struct px_transport transport;
	struct px_broker_host host;
	struct px_limits limits;
	struct px_hash_key hash_key;
	const struct px_outbound_hooks *outbound; /* of session/ */

	int64_t wall_ms;
	struct px_timers timers;

	struct px_service_slot services[PX_SERVICES_MAX];
	unsigned service_count;

	struct px_session *oldest; /* all sessions, in the order of their coming */
	struct px_session *newest;
	struct px_paged_index sessions;   /* the same, for lists */
	struct px_table clients;   /* … and by client id */
	struct px_paged_index practice_index;
	struct px_broadcast *broadcast; /* the one that is on its way */
	struct px_watch *watch;    /* NULL: no service operates */
	struct px_paged_index rooms;      /* all counted channels */
	struct px_session *dirty;   /* have something to write */
	struct px_session **dirty_end;
	struct px_session *ending;  /* to be closed or freed when the turn ends */
	struct px_session **ending_end;
	/* session/session_sweep.c: the next that may get a service; NULL: none */
	struct px_session *attaching;
	const struct px_realm *attaching_realm; /* … of that site; NULL: of any */
	struct px_session *telling;   /* … that is told that the server drains */
	struct px_session *arming;    /* … whose next pulse is at another time now */
	int64_t drain_spread_ms;
	struct px_session *draining;  /* … that may be of a site that drains */

	struct px_session *detached_oldest; /* in the order of their connections' ends */
	struct px_session *detached_newest;
	uint64_t detach_order;
	struct px_table reattachable; /* detached ones without praxis.v1, by site and user */

	struct px_table practices;
	struct px_table channels;
	uint64_t member_order;
	struct px_realm nowhere; /* of sessions that were saved, and whose vhost is gone */
	int64_t reunion_ms; /* until then those that were saved come back */
	bool is_holding; /* is about to be saved: see px_broker_hold() */
	struct px_member *walk;    /* where a walk over a session's memberships goes on */
	struct px_session *acting; /* whose message is being handled … */
	uint64_t answered;         /* … and the bytes that it was sent meanwhile */

	struct px_message *ping;
	struct px_message *gone; /* stands for one that is not to be given again: outbound/rights.h */
	uint32_t muted;          /* services that some site does without, or did */
	struct px_origin in_hand; /* what a service is busy with: what it sends now is of that */
	struct px_queue_pool queue_pool;
	struct px_envelope envelope; /* of the message being handled */
	struct px_envelope publication; /* of the message being published */
	uint8_t *write_buffer;       /* PX_WRITE_BYTES */
	struct px_stats stats;
	struct px_traffic traffic;
	uint16_t traffic_place; /* of the message being handled */

	struct px_message_tap *taps; /* who looks on; NULL: nobody, and the rest is not kept */
	struct px_concern concern;
	enum px_error refusal; /* that is being sent; PX_E_COUNT: none */
	bool is_publishing;    /* what is sent is told of once for all */
};

#endif

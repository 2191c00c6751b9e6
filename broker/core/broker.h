/* SPDX-License-Identifier: MIT */
/*
 * The inside of the broker: its one struct, and what its files tell each other. Order of
 * ownership: the broker owns services, sessions, practices and channels; a session owns
 * its identity, its queue and its memberships; a channel owns its members' array and its
 * history; a message belongs to whoever counts it.
 */
#ifndef PX_BROKER_H
#define PX_BROKER_H

#include <praxis/broker.h>

#include "base/paged_index.h"
#include "base/table.h"
#include "base/timer.h"
#include "base/traffic.h"
#include "message.h"
#include "message/envelope.h"
#include "queue.h"

/* Frames of one session that go out in one write. */
#define PX_WRITE_BYTES 65536

/* Pieces of work between two looks at the clock: each may cost a system call. */
#define PX_SLICE 8

struct px_practice {
	struct px_table_link link;
	uint32_t refs; /* identities and channels */
	char *tenant;  /* both behind the struct */
	char *id;
	size_t id_len;
	uint32_t rooms;     /* and waiting rooms, as the limit counts them */
	uint32_t waiting_rooms; /* of these */
	uint64_t number;    /* on the roll */
	uint32_t clients;   /* sessions whose identity holds it */
	uint64_t published; /* messages, to all of its channels */
};

struct px_service_slot {
	unsigned roles;    /* that may send any of its messages; all, where it has none */
	uint16_t *traffic; /* places of its commands' types */
	const struct px_service *service;
	void *state;
};

struct px_broadcast;
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
	struct px_session *attaching; /* session/session_sweep.c: the next that may get a service; NULL: none */
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

/* Whether the turn has lasted long enough; see px_broker_host. */
static inline bool px_broker_over_budget(const struct px_broker *broker, enum px_work work)
{
	return broker->host.over_budget && broker->host.over_budget(broker->host.user, work);
}

/* Returns what was in hand before, to be put back. */
static inline struct px_origin px_broker_turn_to(struct px_broker *broker, struct px_origin origin)
{
	struct px_origin before = broker->in_hand;
	broker->in_hand = origin;
	return before;
}

/* Tells the host; 0 if it has nothing against it. */
int px_broker_tell(struct px_broker *broker, const struct px_event *event);

/* Ends all channels, whatever keeps them. */
void px_broker_end_channels(struct px_broker *broker);

/* service.c: name and prefixes as an array "prefixes" */
void px_service_write_prefixes(const struct px_service *service, struct px_json *json);

/* core/practice.c */
int px_practice_get(struct px_broker *broker, struct px_span tenant, struct px_span id,
		struct px_practice **ret_practice);
/* Without a reference; NULL: nobody is in it. */
struct px_practice *px_practice_find(const struct px_broker *broker, struct px_span tenant,
		struct px_span id);
struct px_practice *px_practice_ref(struct px_practice *practice);
/* A session begins, or ceases, to hold it; its identity has a reference meanwhile. */
void px_practice_add_client(struct px_broker *broker, struct px_practice *practice);
void px_practice_remove_client(struct px_broker *broker, struct px_practice *practice);
void px_practice_unref(struct px_broker *broker, struct px_practice *practice);

#endif

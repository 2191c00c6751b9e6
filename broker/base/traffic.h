/* SPDX-License-Identifier: MIT */
/*
 * Traffic: messages and bytes by type, in both directions. Types are the names of the services'
 * commands and of the server's own messages, never names that a client sent, so their number is
 * limited. A message carries the index of its type, so counting a delivery is an increment.
 */
#ifndef PX_TRAFFIC_H
#define PX_TRAFFIC_H

#include <praxis/host/stats.h>

#define PX_TRAFFIC_TYPES 256
#define PX_TRAFFIC_SLOTS 1024 /* a power of two, and much larger */

#define PX_TRAFFIC_NAME 68

/* The index for everything else: unreadable messages, and types beyond the limit. */
#define PX_TRAFFIC_OTHER 0

/* Zeroed: empty, except for PX_TRAFFIC_OTHER. */
struct px_traffic {
	struct px_traffic_count counts[PX_TRAFFIC_TYPES];
	uint16_t slots[PX_TRAFFIC_SLOTS]; /* by hash; 0: free */
	uint16_t last;
	char names[PX_TRAFFIC_TYPES][PX_TRAFFIC_NAME]; /* copies: services may be unloaded */
};

/* The index of a type, which is added if needed. NULL: PX_TRAFFIC_OTHER. */
uint16_t px_traffic_place(struct px_traffic *traffic, const char *type);

/* The same for any text, terminated; adds nothing. PX_TRAFFIC_OTHER: it is not there. */
uint16_t px_traffic_find(const struct px_traffic *traffic, const char *type, size_t len);

static inline void px_traffic_came(struct px_traffic *traffic, uint16_t place, size_t bytes)
{
	traffic->counts[place].messages_in++;
	traffic->counts[place].bytes_in += bytes;
}

static inline void px_traffic_goes(struct px_traffic *traffic, uint16_t place, size_t bytes)
{
	traffic->counts[place].messages_out++;
	traffic->counts[place].bytes_out += bytes;
}

#endif

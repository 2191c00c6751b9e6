/* SPDX-License-Identifier: MIT */
/*
 * Traffic: messages and bytes by type, in both directions. Types are those of the services'
 * commands and of what the server itself sends: names out of the program, never a client's,
 * so there are few, and none can be made up. A message carries the place of its type, so that
 * counting a delivery is an increment.
 */
#ifndef PX_TRAFFIC_H
#define PX_TRAFFIC_H

#include <praxis/host/stats.h>

#define PX_TRAFFIC_TYPES 256
#define PX_TRAFFIC_SLOTS 1024 /* a power of two, and much larger */

#define PX_TRAFFIC_NAME 68

/* The place of all that has no other: what nobody could read, and types beyond the bound. */
#define PX_TRAFFIC_OTHER 0

/* Zeroed: empty, but for PX_TRAFFIC_OTHER. */
struct px_traffic {
	struct px_traffic_count counts[PX_TRAFFIC_TYPES];
	uint16_t slots[PX_TRAFFIC_SLOTS]; /* by hash; 0: free */
	uint16_t last;
	char names[PX_TRAFFIC_TYPES][PX_TRAFFIC_NAME]; /* services may go, with their texts */
};

/* The place of a type, which is given one if it has none. NULL: PX_TRAFFIC_OTHER. */
uint16_t px_traffic_place(struct px_traffic *traffic, const char *type);

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

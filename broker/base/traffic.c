/* SPDX-License-Identifier: MIT */
/* See traffic.h. */
#include "traffic.h"

#include <string.h>

/*
 * Of the first, middle and last eight bytes: types are names from the program, so clients cannot
 * cause collisions.
 */
static uint32_t hash_of(const char *type, size_t len)
{
	uint64_t head = 0;
	uint64_t middle = 0;
	uint64_t tail = 0;
	if (len >= 8) {
		memcpy(&head, type, 8);
		memcpy(&middle, type + (len - 8) / 2, 8);
		memcpy(&tail, type + len - 8, 8);
	} else {
		memcpy(&head, type, len);
	}
	uint64_t sum = head ^ middle * UINT64_C(0x9e3779b97f4a7c15) ^
			tail * UINT64_C(0xc2b2ae3d27d4eb4f) ^ len;
	return (uint32_t)(sum * UINT64_C(0xd6e8feb86659fd93) >> 32);
}

/* Where in `slots` the type is, or would be. */
static uint32_t slot_of(const struct px_traffic *traffic, const char *type, size_t len)
{
	uint32_t at = hash_of(type, len) & (PX_TRAFFIC_SLOTS - 1);
	while (traffic->slots[at] != 0 &&
			strcmp(traffic->counts[traffic->slots[at]].type, type) != 0) {
		at = (at + 1) & (PX_TRAFFIC_SLOTS - 1);
	}
	return at;
}

uint16_t px_traffic_find(const struct px_traffic *traffic, const char *type, size_t len)
{
	return traffic->slots[slot_of(traffic, type, len)];
}

uint16_t px_traffic_place(struct px_traffic *traffic, const char *type)
{
	if (!type) {
		return PX_TRAFFIC_OTHER;
	}
	size_t len = strlen(type);
	uint32_t at = slot_of(traffic, type, len);
	if (traffic->slots[at] != 0) {
		return traffic->slots[at];
	}
	if (traffic->last == PX_TRAFFIC_TYPES - 1 || len >= PX_TRAFFIC_NAME) {
		return PX_TRAFFIC_OTHER;
	}
	traffic->slots[at] = ++traffic->last;
	strcpy(traffic->names[traffic->last], type);
	traffic->counts[traffic->last].type = traffic->names[traffic->last];
	return traffic->last;
}

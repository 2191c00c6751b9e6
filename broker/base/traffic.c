/* SPDX-License-Identifier: MIT */
/* See traffic.h. */
#include "traffic.h"

#include <string.h>

/* FNV-1a: types are names from the program, so clients cannot cause collisions. */
static uint32_t hash_of(const char *type)
{
	uint32_t hash = 2166136261u;
	for (; *type; type++) {
		hash = (hash ^ (unsigned char)*type) * 16777619u;
	}
	return hash;
}

uint16_t px_traffic_place(struct px_traffic *traffic, const char *type)
{
	if (!type) {
		return PX_TRAFFIC_OTHER;
	}
	uint32_t at = hash_of(type) & (PX_TRAFFIC_SLOTS - 1);
	while (traffic->slots[at] != 0) {
		if (strcmp(traffic->counts[traffic->slots[at]].type, type) == 0) {
			return traffic->slots[at];
		}
		at = (at + 1) & (PX_TRAFFIC_SLOTS - 1);
	}
	if (traffic->last == PX_TRAFFIC_TYPES - 1 || strlen(type) >= PX_TRAFFIC_NAME) {
		return PX_TRAFFIC_OTHER;
	}
	traffic->slots[at] = ++traffic->last;
	strcpy(traffic->names[traffic->last], type);
	traffic->counts[traffic->last].type = traffic->names[traffic->last];
	return traffic->last;
}

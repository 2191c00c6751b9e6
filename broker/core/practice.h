/* SPDX-License-Identifier: MIT */
/*
 * Practices, interned: one struct for each (tenant, id), so isolation is a comparison of pointers.
 * Opened by whoever holds one, or counts what is in it. It never decides who may reach one:
 * may_reach() in channel/channel.c and operate/ do.
 */
#ifndef PX_CORE_PRACTICE_H
#define PX_CORE_PRACTICE_H

#include "broker.h"

struct px_home;

struct px_practice {
	struct px_table_link link;
	uint32_t refs; /* identities and channels */
	char *tenant;  /* both stored behind the struct */
	char *id;
	size_t id_len;
	uint32_t rooms;     /* including waiting rooms, as the limit counts them */
	uint32_t waiting_rooms; /* of these, the waiting rooms */
	uint64_t number;    /* in the broker's paged index */
	uint32_t clients;   /* sessions whose identity holds it */
	uint64_t published; /* messages, in all of its channels */
	struct px_home *home; /* bus/'s; NULL without a journal */
};

/* The caller gets a reference. -ENOMEM; -ENOSPC: the limit on practices. */
int px_practice_get(struct px_broker *broker, struct px_span tenant, struct px_span id,
		struct px_practice **ret_practice);
/* Without a reference; NULL: no such practice. */
struct px_practice *px_practice_find(const struct px_broker *broker, struct px_span tenant,
		struct px_span id);
struct px_practice *px_practice_ref(struct px_practice *practice);
/* A session gets or loses the practice; its identity holds a reference meanwhile. */
void px_practice_add_client(struct px_broker *broker, struct px_practice *practice);
void px_practice_remove_client(struct px_broker *broker, struct px_practice *practice);
void px_practice_unref(struct px_broker *broker, struct px_practice *practice);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Practices, interned: one for each (tenant, id), so that isolation is a comparison of pointers.
 * Opened by whoever holds one, or counts what is in it. It never says who may reach one:
 * may_reach() in channel/channel.c and operate/ do.
 */
#ifndef PX_CORE_PRACTICE_H
#define PX_CORE_PRACTICE_H

#include "broker.h"

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

/* -ENOMEM; -ENOSPC: the limit on practices. The caller has a reference. */
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

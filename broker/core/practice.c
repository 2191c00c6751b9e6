/* SPDX-License-Identifier: MIT */
/*
 * Practices: one struct for each (tenant, id). Two sessions belong to the same practice if and only
 * if they point to the same struct, so isolation is a comparison of pointers, and practice 1 of two
 * tenants cannot be confused.
 */
#include "broker.h"
#include "practice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(const struct px_broker *broker, struct px_span tenant, struct px_span id)
{
	return px_hash(broker->hash_key, tenant.data, tenant.len) * 31 +
			px_hash(broker->hash_key, id.data, id.len);
}

static struct px_practice *find(const struct px_broker *broker, struct px_span tenant,
		struct px_span id, uint64_t hash)
{
	struct px_table_link *link = px_table_find(&broker->practices, hash);
	for (; link; link = link->next) {
		struct px_practice *practice = (struct px_practice *)link;
		if (link->hash == hash && px_span_equal(px_span(practice->tenant), tenant) &&
				px_span_equal((struct px_span){ practice->id, practice->id_len }, id)) {
			return practice;
		}
	}
	return NULL;
}

struct px_practice *px_practice_find(const struct px_broker *broker, struct px_span tenant,
		struct px_span id)
{
	return find(broker, tenant, id, hash_of(broker, tenant, id));
}

int px_practice_get(struct px_broker *broker, struct px_span tenant, struct px_span id,
		struct px_practice **ret_practice)
{
	uint64_t hash = hash_of(broker, tenant, id);
	struct px_practice *practice = find(broker, tenant, id, hash);
	if (practice) {
		*ret_practice = px_practice_ref(practice);
		return 0;
	}
	if (broker->limits.practices && broker->practices.count >= broker->limits.practices) {
		broker->stats.bounds[PX_LIMIT_KIND_PRACTICES]++;
		return -ENOSPC;
	}
	practice = malloc(sizeof(*practice) + tenant.len + id.len + 2);
	if (!practice) {
		return -ENOMEM;
	}
	practice->refs = 1;
	practice->rooms = 0;
	practice->waiting_rooms = 0;
	practice->clients = 0;
	practice->published = 0;
	practice->home = NULL;
	practice->tenant = (char *)(practice + 1);
	practice->id = practice->tenant + tenant.len + 1;
	practice->id_len = id.len;
	memcpy(practice->tenant, tenant.data, tenant.len);
	practice->tenant[tenant.len] = '\0';
	memcpy(practice->id, id.data, id.len);
	practice->id[id.len] = '\0';
	if (px_paged_index_add(&broker->practice_index, practice, &practice->number) < 0) {
		free(practice);
		return -ENOMEM;
	}
	if (px_table_insert(&broker->practices, &practice->link, hash) < 0) {
		px_paged_index_remove(&broker->practice_index, practice->number);
		free(practice);
		return -ENOMEM;
	}
	*ret_practice = practice;
	return 0;
}

struct px_practice *px_practice_ref(struct px_practice *practice)
{
	practice->refs++;
	return practice;
}

/* A practice that only a history, an operator or an unused token refers to has no clients. */
void px_practice_add_client(struct px_broker *broker, struct px_practice *practice)
{
	broker->stats.practices += practice->clients++ == 0;
}

void px_practice_remove_client(struct px_broker *broker, struct px_practice *practice)
{
	broker->stats.practices -= --practice->clients == 0;
}

void px_practice_unref(struct px_broker *broker, struct px_practice *practice)
{
	if (--practice->refs == 0) {
		px_table_remove(&broker->practices, &practice->link);
		px_paged_index_remove(&broker->practice_index, practice->number);
		free(practice);
	}
}

const char *px_practice_id(const struct px_practice *practice)
{
	return practice->id;
}

const char *px_practice_tenant(const struct px_practice *practice)
{
	return practice->tenant;
}

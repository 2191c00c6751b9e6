/* SPDX-License-Identifier: MIT */
/*
 * See idempotency.h. Keys and bodies are stored as SHA-256, so entries have a fixed size and
 * contain nothing of what was published. All entries have the same lifetime, so the oldest expires
 * first.
 */
#include "idempotency.h"

#include <errno.h>
#include <openssl/evp.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST 32
#define EXPIRED_AT_ONCE 8

struct tenant {
	unsigned char name[DIGEST]; /* first: compared by the tree */
	uint32_t count;
};

struct remembered {
	unsigned char key[DIGEST]; /* of tenant, practice and key; first: compared by the tree */
	unsigned char body[DIGEST];
	struct tenant *tenant;
	struct px_published published;
	int64_t expires_ms;
	struct remembered *newer;
	struct remembered *older;
};

struct px_idempotency {
	void *entries;
	void *tenants;
	struct remembered *newest;
	struct remembered *oldest;
	uint64_t count;
	uint32_t most;
};

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, DIGEST);
}

int px_idempotency_create(struct px_idempotency **ret_idempotency)
{
	*ret_idempotency = calloc(1, sizeof(**ret_idempotency));
	return *ret_idempotency ? 0 : -ENOMEM;
}

static void drop(struct px_idempotency *idempotency, struct remembered *entry)
{
	*(entry->newer ? &entry->newer->older : &idempotency->newest) = entry->older;
	*(entry->older ? &entry->older->newer : &idempotency->oldest) = entry->newer;
	tdelete(entry, &idempotency->entries, compare);
	idempotency->count--;
	if (--entry->tenant->count == 0) {
		tdelete(entry->tenant, &idempotency->tenants, compare);
		free(entry->tenant);
	}
	free(entry);
}

/* At most `most`: a request must not wait until a hundred thousand expired entries are freed. */
static void expire(struct px_idempotency *idempotency, int64_t now_ms, size_t most)
{
	for (; most > 0 && idempotency->oldest && idempotency->oldest->expires_ms <= now_ms; most--) {
		drop(idempotency, idempotency->oldest);
	}
}

void px_idempotency_destroy(struct px_idempotency *idempotency)
{
	if (idempotency) {
		expire(idempotency, INT64_MAX, SIZE_MAX);
		free(idempotency);
	}
}

void px_idempotency_set_limit(struct px_idempotency *idempotency, uint32_t most)
{
	idempotency->most = most;
}

uint64_t px_idempotency_count(const struct px_idempotency *idempotency)
{
	return idempotency->count;
}

/* Each part is preceded by its length, so that different lists of parts have different texts. */
static bool digest(const struct px_span *parts, size_t count, unsigned char out[DIGEST])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool fine = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;
	for (size_t i = 0; fine && i < count; i++) {
		fine = EVP_DigestUpdate(context, &parts[i].len, sizeof(parts[i].len)) == 1 &&
				EVP_DigestUpdate(context, parts[i].data, parts[i].len) == 1;
	}
	fine = fine && EVP_DigestFinal_ex(context, out, NULL) == 1;
	EVP_MD_CTX_free(context);
	return fine;
}

static bool digest_key(const struct px_idempotent_act *act, unsigned char out[DIGEST])
{
	return digest((struct px_span[]){ act->tenant, act->practice, act->key }, 3, out);
}

static struct remembered *find(const struct px_idempotency *idempotency,
		const struct px_idempotent_act *act)
{
	unsigned char key[DIGEST];
	struct remembered **found = digest_key(act, key) ?
			tfind(key, &idempotency->entries, compare) : NULL;
	return found ? *found : NULL;
}

static struct tenant *get_tenant(struct px_idempotency *idempotency, struct px_span name)
{
	unsigned char wanted[DIGEST];
	if (!digest(&name, 1, wanted)) {
		return NULL;
	}
	struct tenant **found = tfind(wanted, &idempotency->tenants, compare);
	if (found) {
		return *found;
	}
	struct tenant *tenant = calloc(1, sizeof(*tenant));
	if (!tenant) {
		return NULL;
	}
	memcpy(tenant->name, wanted, DIGEST);
	if (!tsearch(tenant, &idempotency->tenants, compare)) {
		free(tenant);
		return NULL;
	}
	return tenant;
}

static void release(struct px_idempotency *idempotency, struct tenant *tenant)
{
	if (tenant && tenant->count == 0) {
		tdelete(tenant, &idempotency->tenants, compare);
		free(tenant);
	}
}

static int add(struct px_idempotency *idempotency, const struct px_idempotent_act *act,
		int64_t now_ms)
{
	struct tenant *tenant = get_tenant(idempotency, act->tenant);
	struct remembered *entry = calloc(1, sizeof(*entry));
	if (!tenant || !entry || idempotency->count >= idempotency->most ||
			tenant->count >= (idempotency->most + 1) / 2 || !digest_key(act, entry->key) ||
			!digest(&act->body, 1, entry->body) ||
			!tsearch(entry, &idempotency->entries, compare)) {
		free(entry);
		release(idempotency, tenant);
		return -ENOSPC;
	}
	entry->tenant = tenant;
	entry->expires_ms = now_ms + PX_IDEMPOTENCY_TTL_MS;
	entry->older = idempotency->newest;
	*(idempotency->newest ? &idempotency->newest->newer : &idempotency->oldest) = entry;
	idempotency->newest = entry;
	idempotency->count++;
	tenant->count++;
	return 0;
}

enum px_idempotency_answer px_idempotency_find(struct px_idempotency *idempotency,
		const struct px_idempotent_act *act, int64_t now_ms,
		struct px_published *ret_published)
{
	unsigned char body[DIGEST];
	expire(idempotency, now_ms, EXPIRED_AT_ONCE);
	struct remembered *entry = find(idempotency, act);
	if (entry && entry->expires_ms <= now_ms) {
		drop(idempotency, entry);
		entry = NULL;
	}
	if (!entry && add(idempotency, act, now_ms) == 0) {
		return PX_IDEMPOTENCY_NEW;
	}
	if (!entry) {
		/* Not if only expired entries are in the way. */
		expire(idempotency, now_ms, SIZE_MAX);
		return add(idempotency, act, now_ms) < 0 ? PX_IDEMPOTENCY_FULL : PX_IDEMPOTENCY_NEW;
	}
	if (!digest(&act->body, 1, body) || memcmp(body, entry->body, DIGEST) != 0) {
		return PX_IDEMPOTENCY_OTHER;
	}
	*ret_published = entry->published;
	return PX_IDEMPOTENCY_DONE;
}

void px_idempotency_keep(struct px_idempotency *idempotency, const struct px_idempotent_act *act,
		const struct px_published *published)
{
	struct remembered *entry = find(idempotency, act);
	if (entry) {
		entry->published = *published;
	}
}

void px_idempotency_forget(struct px_idempotency *idempotency,
		const struct px_idempotent_act *act)
{
	struct remembered *entry = find(idempotency, act);
	if (entry) {
		drop(idempotency, entry);
	}
}

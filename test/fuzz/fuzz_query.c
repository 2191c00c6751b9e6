/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of the query: lines are the pairs that lws would hand out (decoded, so that any byte
 * may be in them). Whatever they say, the identity is of the vhost's tenant, of one role, of
 * one practice at most, not proven, and its texts are texts; a token is what stands behind its
 * name.
 */
#include "auth/query.h"

#include "../unit/fake.h"
#include "core/identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_value(struct px_span pair)
{
	static const char name[] = "access_token";
	struct px_span value = px_query_value(pair, name);
	bool is_it = pair.len >= sizeof(name) && memcmp(pair.data, "access_token=", 13) == 0;
	if (is_it != (value.data != NULL) || (is_it && (value.data != pair.data + sizeof(name) ||
			value.len != pair.len - sizeof(name)))) {
		abort();
	}
}

static int note_all(struct px_query_identity *query, const uint8_t *data, size_t size)
{
	int rc = 0;
	while (size > 0 && rc == 0) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t len = end ? (size_t)(end - data) : size;
		/* Copied to its exact size, so that a byte too far is seen. */
		char *copy = malloc(len > 0 ? len : 1);
		if (!copy) {
			abort();
		}
		memcpy(copy, data, len);
		check_value((struct px_span){ copy, len });
		rc = px_query_note(query, (struct px_span){ copy, len });
		free(copy);
		data += len + (end ? 1 : 0);
		size -= len + (end ? 1 : 0);
	}
	return rc;
}

static void check_identity(const struct px_identity *identity)
{
	struct px_id user = px_identity_user(identity);
	bool one_role = identity->role != 0 && (identity->role & (identity->role - 1)) == 0;
	if (!one_role || !(identity->role & PX_ROLES_ALL) || identity->authenticated ||
			identity->all_practices || identity->practice_count > 1 ||
			!px_span_equal(px_identity_tenant(identity), px_span("t"))) {
		abort();
	}
	if (!px_span_is_text(user.text) || user.text.len > PX_ID_MAX ||
			user.number != px_id_is_integer(user.text) ||
			!px_span_is_text(px_identity_name(identity))) {
		abort();
	}
	for (uint32_t i = 0; i < identity->practice_count; i++) {
		struct px_span id = px_span(px_practice_id(identity->practices[i].practice));
		if (id.len == 0 || id.len > PX_ID_MAX || !px_span_is_text(id) ||
				identity->practices[i].number != px_id_is_integer(id)) {
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fake *fake;
	struct px_query_identity query = { .given = { { NULL, 0 } } };
	struct px_claims claims = { .tenant = px_span("t") };
	struct px_identity *identity;
	struct px_id practice;
	if (!fake) {
		fake = fake_create(NULL);
	}
	int rc = note_all(&query, data, size);
	if (rc == 0) {
		rc = px_query_claims(&query, &claims, &practice);
	}
	if (rc == 0) {
		claims.practices = &practice;
		claims.practice_count = practice.text.len > 0 ? 1 : 0;
		rc = px_identity_create(fake->broker, &claims, &identity);
	}
	if (rc == 0) {
		check_identity(identity);
		px_identity_destroy(fake->broker, identity);
	} else if (rc != -EINVAL) {
		abort();
	}
	if (fake_stats(fake).practices != 0) {
		abort();
	}
	return 0;
}

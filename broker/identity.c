/* SPDX-License-Identifier: MIT */
/*
 * Identities: immutable but for px_identity_bind(), one allocation each, since there is
 * one for every connection.
 */
#include "identity.h"

#include "broker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool id_fits(struct px_span id)
{
	return id.len > 0 && id.len <= PX_ID_MAX && px_span_is_text(id);
}

static bool claims_fit(const struct px_claims *claims)
{
	if (!id_fits(claims->tenant) ||
			(claims->user.text.len > 0 && !id_fits(claims->user.text)) ||
			claims->name.len > PX_NAME_MAX || !px_span_is_text(claims->name) ||
			claims->practice_count > PX_PRACTICES_MAX) {
		return false;
	}
	for (size_t i = 0; i < claims->practice_count; i++) {
		if (!id_fits(claims->practices[i].text)) {
			return false;
		}
	}
	return true;
}

static char *put(char *at, struct px_span text)
{
	if (text.len > 0) {
		memcpy(at, text.data, text.len);
	}
	return at + text.len;
}

static struct px_identity *allocate(const struct px_claims *claims)
{
	size_t count = claims->practice_count > 0 ? claims->practice_count : 1;
	size_t array = count * sizeof(struct px_held);
	struct px_identity *identity = malloc(sizeof(*identity) + array + claims->user.text.len +
			claims->name.len + claims->tenant.len);
	if (!identity) {
		return NULL;
	}
	*identity = (struct px_identity){
		.role = claims->role,
		.authenticated = claims->authenticated,
		.user_is_number = claims->user.number,
		.user_len = (uint16_t)claims->user.text.len,
		.name_len = (uint16_t)claims->name.len,
		.tenant_len = (uint16_t)claims->tenant.len,
	};
	char *text = (char *)identity->practices + array;
	identity->text = text;
	put(put(put(text, claims->user.text), claims->name), claims->tenant);
	return identity;
}

static struct px_span tenant_of(const struct px_identity *identity)
{
	return (struct px_span){ identity->text + identity->user_len + identity->name_len,
		identity->tenant_len };
}

static int hold(struct px_broker *broker, struct px_identity *identity, struct px_id id)
{
	struct px_practice *practice;
	if (px_identity_find(identity, id.text)) {
		return 0; /* a token may name one twice */
	}
	int rc = px_practice_get(broker, tenant_of(identity), id.text, &practice);
	if (rc < 0) {
		return rc;
	}
	identity->practices[identity->practice_count++] =
			(struct px_held){ .practice = practice, .number = id.number };
	return 0;
}

int px_identity_create(struct px_broker *broker, const struct px_claims *claims,
		struct px_identity **ret_identity)
{
	if (!claims_fit(claims)) {
		return -EINVAL;
	}
	struct px_identity *identity = allocate(claims);
	if (!identity) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < claims->practice_count; i++) {
		int rc = hold(broker, identity, claims->practices[i]);
		if (rc < 0) {
			px_identity_destroy(broker, identity);
			return rc;
		}
	}
	*ret_identity = identity;
	return 0;
}

void px_identity_destroy(struct px_broker *broker, struct px_identity *identity)
{
	if (!identity) {
		return;
	}
	for (uint32_t i = 0; i < identity->practice_count; i++) {
		px_practice_unref(broker, identity->practices[i].practice);
	}
	free(identity);
}

int px_identity_bind(struct px_broker *broker, struct px_identity *identity, struct px_id id)
{
	if (identity->practice_count > 0 || identity->authenticated) {
		return -EACCES;
	}
	return id_fits(id.text) ? hold(broker, identity, id) : -EINVAL;
}

const struct px_held *px_identity_holds(const struct px_identity *identity,
		const struct px_practice *practice)
{
	for (uint32_t i = 0; i < identity->practice_count; i++) {
		if (identity->practices[i].practice == practice) {
			return &identity->practices[i];
		}
	}
	return NULL;
}

const struct px_held *px_identity_find(const struct px_identity *identity, struct px_span id)
{
	for (uint32_t i = 0; i < identity->practice_count; i++) {
		const struct px_practice *practice = identity->practices[i].practice;
		if (px_span_equal((struct px_span){ practice->id, practice->id_len }, id)) {
			return &identity->practices[i];
		}
	}
	return NULL;
}

struct px_id px_identity_user(const struct px_identity *identity)
{
	return (struct px_id){ { identity->text, identity->user_len }, identity->user_is_number };
}

struct px_span px_identity_name(const struct px_identity *identity)
{
	return (struct px_span){ identity->text + identity->user_len, identity->name_len };
}

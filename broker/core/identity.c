/* SPDX-License-Identifier: MIT */
/*
 * Identities: immutable except for px_identity_bind(). One allocation each, since there is one per
 * connection.
 */
#include "identity.h"

#include "broker.h"
#include "practice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Practices that an identity with all_practices can name in one session. */
#define WILDCARD_PRACTICES 64

static bool id_fits(struct px_span id)
{
	return id.len > 0 && id.len <= PX_ID_MAX && px_span_is_text(id);
}

static bool ids_fit(const struct px_id *ids, size_t count, size_t max)
{
	if (count > max) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (!id_fits(ids[i].text)) {
			return false;
		}
	}
	return true;
}

static bool claims_fit(const struct px_claims *claims)
{
	return id_fits(claims->tenant) &&
			(claims->user.text.len == 0 || id_fits(claims->user.text)) &&
			claims->address.len <= PX_ADDRESS_MAX &&
			claims->name.len <= PX_NAME_MAX && px_span_is_text(claims->name) &&
			ids_fit(claims->practices, claims->practice_count, PX_PRACTICES_MAX) &&
			ids_fit(claims->rooms, claims->room_count, PX_ROOMS_MAX);
}

static char *put(char *at, struct px_span text)
{
	if (text.len > 0) {
		memcpy(at, text.data, text.len);
	}
	return at + text.len;
}

static size_t rooms_size(const struct px_claims *claims)
{
	size_t size = 0;
	for (size_t i = 0; i < claims->room_count; i++) {
		size += claims->rooms[i].text.len + 1;
	}
	return size;
}

static size_t array_size(size_t practices)
{
	return practices * (sizeof(struct px_held) + sizeof(uint16_t));
}

static struct px_identity *allocate(const struct px_claims *claims)
{
	size_t count = claims->practice_count > 0 ? claims->practice_count : 1;
	if (claims->all_practices && count < WILDCARD_PRACTICES) {
		count = WILDCARD_PRACTICES;
	}
	size_t array = array_size(count);
	struct px_identity *identity = malloc(sizeof(*identity) + array + claims->user.text.len +
			claims->name.len + claims->tenant.len + claims->address.len + rooms_size(claims));
	if (!identity) {
		return NULL;
	}
	*identity = (struct px_identity){
		.role = claims->role,
		.authenticated = claims->authenticated,
		.all_practices = claims->all_practices,
		.has_rooms = claims->has_rooms,
		.user_is_number = claims->user.number,
		.user_len = (uint16_t)claims->user.text.len,
		.name_len = (uint16_t)claims->name.len,
		.tenant_len = (uint16_t)claims->tenant.len,
		.address_len = (uint8_t)claims->address.len,
		.practice_size = (uint32_t)count,
		.room_count = (uint32_t)claims->room_count,
		.leeway_ms = claims->leeway_ms,
		.expires_ms = claims->expires_ms,
	};
	char *at = px_identity_text(identity);
	at = put(put(put(at, claims->user.text), claims->name), claims->tenant);
	at = put(at, claims->address);
	for (size_t i = 0; i < claims->room_count; i++) {
		at = put(at, claims->rooms[i].text);
		*at++ = '\0';
	}
	return identity;
}

static size_t own_rooms_size(const struct px_identity *identity)
{
	const char *at = px_identity_rooms(identity);
	for (uint32_t i = 0; i < identity->room_count; i++) {
		at += px_span(at).len + 1;
	}
	return (size_t)(at - px_identity_rooms(identity));
}

int px_identity_move(const struct px_identity *identity, struct px_span address,
		struct px_identity **ret_identity)
{
	size_t array = array_size(identity->practice_size);
	size_t text = identity->user_len + (size_t)identity->name_len + identity->tenant_len;
	size_t rooms = own_rooms_size(identity);
	struct px_identity *moved = malloc(sizeof(*moved) + array + text + address.len + rooms);
	if (!moved) {
		return -ENOMEM;
	}
	memcpy(moved, identity, sizeof(*moved) + array);
	moved->address_len = (uint8_t)address.len;
	for (uint32_t i = 0; i < identity->practice_count; i++) {
		px_practice_ref(moved->practices[i].practice);
	}
	char *at = px_identity_text(moved);
	at = put(put(at, (struct px_span){ px_identity_text(identity), text }), address);
	(void)put(at, (struct px_span){ px_identity_rooms(identity), rooms });
	*ret_identity = moved;
	return 0;
}

static struct px_span tenant_of(const struct px_identity *identity)
{
	return (struct px_span){ px_identity_text(identity) + identity->user_len + identity->name_len,
		identity->tenant_len };
}

/* The position of that id in the sort order, or where it would be inserted. */
static uint32_t place_of(const struct px_identity *identity, struct px_span id, bool *ret_there)
{
	const uint16_t *order = px_identity_order(identity);
	uint32_t low = 0;
	uint32_t high = identity->practice_count;
	*ret_there = false;
	while (low < high && !*ret_there) {
		uint32_t middle = low + (high - low) / 2;
		const struct px_practice *practice = identity->practices[order[middle]].practice;
		int side = px_span_compare(id, (struct px_span){ practice->id, practice->id_len });
		if (side > 0) {
			low = middle + 1;
		} else {
			high = middle;
			*ret_there = side == 0;
		}
	}
	return high;
}

static int hold(struct px_broker *broker, struct px_identity *identity, struct px_id id)
{
	bool is_there;
	uint32_t place = place_of(identity, id.text, &is_there);
	if (is_there) {
		return 0; /* a token may name a practice twice */
	}
	struct px_practice *practice;
	int rc = px_practice_get(broker, tenant_of(identity), id.text, &practice);
	if (rc < 0) {
		return rc;
	}
	uint16_t *order = px_identity_order(identity);
	memmove(&order[place + 1], &order[place],
			(identity->practice_count - place) * sizeof(*order));
	order[place] = (uint16_t)identity->practice_count;
	identity->practices[identity->practice_count++] =
			(struct px_held){ .practice = practice, .number = id.number };
	return 0;
}

/*
 * When to send the expiry notice: a fifth of the token's remaining life before it expires, at most
 * auth_notice_ms. A fixed time would warn at once about a short token, and about its replacement. A
 * token that is valid only through its leeway is announced in the last fifth of that.
 */
static int64_t notice_of(const struct px_broker *broker, const struct px_claims *claims)
{
	int64_t left_ms = claims->expires_ms - broker->wall_ms;
	int64_t late_ms = left_ms > 0 ? 0 : claims->leeway_ms;
	int64_t before_ms = (left_ms + late_ms) / 5;
	if (before_ms > broker->limits.auth_notice_ms) {
		before_ms = broker->limits.auth_notice_ms;
	}
	return claims->expires_ms + late_ms - before_ms;
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
	identity->notice_ms = notice_of(broker, claims);
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

void px_identity_take_up(struct px_broker *broker, const struct px_identity *identity)
{
	for (uint32_t i = 0; i < identity->practice_count; i++) {
		px_practice_add_client(broker, identity->practices[i].practice);
	}
}

void px_identity_put_down(struct px_broker *broker, const struct px_identity *identity)
{
	for (uint32_t i = 0; i < identity->practice_count; i++) {
		px_practice_remove_client(broker, identity->practices[i].practice);
	}
}

int px_identity_bind(struct px_broker *broker, struct px_identity *identity, struct px_id id)
{
	bool first = identity->practice_count == 0 && !identity->authenticated &&
			identity->role != 0;
	if (!first && !identity->all_practices) {
		return -EACCES;
	}
	if (identity->practice_count == identity->practice_size) {
		return -EDQUOT;
	}
	return id_fits(id.text) ? hold(broker, identity, id) : -EINVAL;
}

void px_identity_unbind(struct px_broker *broker, struct px_identity *identity,
		struct px_practice *practice)
{
	uint32_t last = identity->practice_count - 1;
	if (identity->practice_count == 0 || identity->practices[last].practice != practice) {
		return;
	}
	uint16_t *order = px_identity_order(identity);
	uint32_t place = 0;
	while (order[place] != last) {
		place++;
	}
	memmove(&order[place], &order[place + 1], (last - place) * sizeof(*order));
	identity->practice_count--;
	px_practice_remove_client(broker, practice);
	px_practice_unref(broker, practice);
}

const struct px_held *px_identity_holds(const struct px_identity *identity,
		const struct px_practice *practice)
{
	const struct px_held *held = px_identity_find(identity,
			(struct px_span){ practice->id, practice->id_len });
	return held && held->practice == practice ? held : NULL;
}

const struct px_held *px_identity_find(const struct px_identity *identity, struct px_span id)
{
	bool is_there;
	uint32_t place = place_of(identity, id, &is_there);
	return is_there ? &identity->practices[px_identity_order(identity)[place]] : NULL;
}

bool px_identity_lacks_proof(const struct px_identity *identity, const struct px_realm *realm)
{
	return realm->wants_proof && identity->role != 0 && !identity->authenticated;
}

enum px_role px_identity_role(const struct px_identity *identity)
{
	return identity->role;
}

struct px_id px_identity_user(const struct px_identity *identity)
{
	return (struct px_id){ { px_identity_text(identity), identity->user_len },
			identity->user_is_number };
}

struct px_span px_identity_name(const struct px_identity *identity)
{
	return (struct px_span){ px_identity_text(identity) + identity->user_len, identity->name_len };
}

bool px_identity_admits(const struct px_identity *identity, struct px_span room)
{
	if (!identity->has_rooms) {
		return !identity->authenticated || identity->role != PX_ROLE_PATIENT;
	}
	const char *at = px_identity_rooms(identity);
	for (uint32_t i = 0; i < identity->room_count; i++) {
		struct px_span name = px_span(at);
		if (px_span_equal(name, room)) {
			return true;
		}
		at += name.len + 1;
	}
	return false;
}

bool px_identity_is_user(const struct px_identity *identity, struct px_span tenant,
		struct px_span user)
{
	return px_span_equal(px_identity_user(identity).text, user) &&
			px_span_equal(tenant_of(identity), tenant);
}

bool px_identity_same_user(const struct px_identity *a, const struct px_identity *b)
{
	return px_identity_is_user(a, tenant_of(b), px_identity_user(b).text);
}

struct px_span px_identity_tenant(const struct px_identity *identity)
{
	return tenant_of(identity);
}

struct px_span px_identity_address(const struct px_identity *identity)
{
	struct px_span tenant = tenant_of(identity);
	return (struct px_span){ tenant.data + tenant.len, identity->address_len };
}

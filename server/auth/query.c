/* SPDX-License-Identifier: MIT */
/* See query.h. The identity checks what ids and names are made of (px_identity_create). */
#include "query.h"

#include <errno.h>
#include <string.h>

enum { PRACTICE, USER, NAME, ROLE };

struct px_span px_query_value(struct px_span pair, const char *name)
{
	size_t len = strlen(name);
	if (pair.len <= len || memcmp(pair.data, name, len) != 0 || pair.data[len] != '=') {
		return (struct px_span){ NULL, 0 };
	}
	return (struct px_span){ pair.data + len + 1, pair.len - len - 1 };
}

int px_query_note(struct px_query_identity *query, struct px_span pair)
{
	const struct {
		const char *name;
		char *buf;
		size_t size;
	} places[] = {
		[PRACTICE] = { "practiceId", query->practice, sizeof(query->practice) },
		[USER] = { "userId", query->user, sizeof(query->user) },
		[NAME] = { "userName", query->name, sizeof(query->name) },
		[ROLE] = { "role", query->role, sizeof(query->role) },
	};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct px_span value = px_query_value(pair, places[i].name);
		if (!value.data || query->given[i].data) {
			continue;
		}
		if (value.len > places[i].size) {
			return -EINVAL;
		}
		memcpy(places[i].buf, value.data, value.len);
		query->given[i] = (struct px_span){ places[i].buf, value.len };
	}
	return 0;
}

/* The query has no types: whatever is spelled like an integer is one. */
static struct px_id id_of(struct px_span text)
{
	return (struct px_id){ text, px_id_is_integer(text) };
}

int px_query_claims(const struct px_query_identity *query, struct px_claims *claims,
		struct px_id *ret_practice)
{
	struct px_span role = query->given[ROLE];
	*ret_practice = id_of(query->given[PRACTICE]);
	claims->user = id_of(query->given[USER]);
	claims->name = query->given[NAME];
	claims->role = role.len > 0 ? px_role_parse(role) : PX_ROLE_STAFF;
	return claims->role != 0 ? 0 : -EINVAL;
}

/* SPDX-License-Identifier: MIT */
/*
 * A session's memberships: a list, which is enough for most. A token may hold a thousand practices,
 * each of which is a membership; beyond LIST_MAX they are also in a tree (libc's), so that entering
 * n practices takes O(n log n). The tree is only an index: without memory for it, the list is used.
 */
#include "channel.h"

#include "core/session.h"
#include "core/broker.h"

#include <search.h>

/* Up to this many, walking the list is as fast. */
#define LIST_MAX 16

static int compare_pointers(const void *a, const void *b)
{
	return (uintptr_t)a < (uintptr_t)b ? -1 : (uintptr_t)a > (uintptr_t)b;
}

/* By kind, practice and name: unique among one session's channels. */
static int compare(const void *one, const void *other)
{
	const struct px_channel *a = ((const struct px_member *)one)->channel;
	const struct px_channel *b = ((const struct px_member *)other)->channel;
	int side = compare_pointers(a->kind, b->kind);
	if (side == 0) {
		side = compare_pointers(a->practice, b->practice);
	}
	if (side == 0) {
		side = px_span_compare(px_channel_name(a), px_channel_name(b));
	}
	return side;
}

static void forget_node(void *node)
{
	(void)node;
}

static void drop_tree(struct px_session *session)
{
	tdestroy(session->member_tree, forget_node);
	session->member_tree = NULL;
}

static void plant_tree(struct px_session *session)
{
	for (struct px_member *member = session->members; member; member = member->next) {
		if (!tsearch(member, &session->member_tree, compare)) {
			drop_tree(session);
			return;
		}
	}
}

void px_membership_link(struct px_member *member)
{
	struct px_session *session = member->session;
	member->next = session->members;
	if (member->next) {
		member->next->previous = member;
	}
	session->members = member;
	session->member_count++;
	if (session->member_tree) {
		if (!tsearch(member, &session->member_tree, compare)) {
			drop_tree(session);
		}
	} else if (session->member_count == LIST_MAX + 1) {
		plant_tree(session);
	}
}

void px_membership_unlink(struct px_member *member)
{
	struct px_session *session = member->session;
	struct px_broker *broker = session->broker;
	if (session->member_tree) {
		tdelete(member, &session->member_tree, compare);
	}
	if (member->previous) {
		member->previous->next = member->next;
	} else {
		session->members = member->next;
	}
	if (member->next) {
		member->next->previous = member->previous;
	}
	if (broker->walk == member) {
		broker->walk = member->next;
	}
	if (--session->member_count == LIST_MAX) {
		drop_tree(session);
	}
}

static bool is_it(const struct px_channel *channel, const struct px_channel_kind *kind,
		const struct px_practice *practice, struct px_span name)
{
	return channel->kind == kind && (!practice || channel->practice == practice) &&
			px_span_equal(px_channel_name(channel), name);
}

struct px_member *px_session_member(const struct px_session *session,
		const struct px_channel_kind *kind, const struct px_practice *practice,
		struct px_span name)
{
	if (practice && session->member_tree) {
		struct px_channel channel = {
			.kind = kind,
			.practice = (struct px_practice *)practice,
			.name = (char *)name.data,
			.name_len = name.len,
		};
		const struct px_member probe = { .channel = &channel };
		struct px_member **found = tfind(&probe, &session->member_tree, compare);
		return found ? *found : NULL;
	}
	struct px_member *member = session->members;
	while (member && !is_it(member->channel, kind, practice, name)) {
		member = member->next;
	}
	return member;
}

void px_session_leave_all(struct px_session *session, enum px_leave_reason reason)
{
	while (session->members) {
		px_member_leave(session->members, reason);
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * Events of channels for the audit log: rooms and their waiting rooms. A practice's whiteboard is
 * not reported: its sessions are.
 */
#include "channel.h"
#include "core/broker.h"
#include "core/host.h"

static const char *const reason_names[] = {
	[PX_LEFT] = "left",
	[PX_DISCONNECTED] = "disconnected",
	[PX_REMOVED] = "removed",
	[PX_ENDED] = "ended",
	[PX_ADMITTED] = "admitted",
	[PX_DENIED] = "denied",
	[PX_EXPIRED] = "expired",
	[PX_REPLACED] = "replaced",
};

const char *px_leave_reason_name(enum px_leave_reason reason)
{
	return reason_names[reason];
}

static int tell(const struct px_member *member, enum px_event_kind kind,
		enum px_leave_reason reason, const struct px_session *actor)
{
	const struct px_channel *channel = member->channel;
	if (!channel->kind->is_room) {
		return 0;
	}
	return px_broker_tell(channel->broker, &(struct px_event){
		.kind = kind,
		.session = member->session,
		.actor = actor,
		.channel = channel,
		.reason = reason,
	});
}

int px_member_tell_joined(const struct px_member *member)
{
	const struct px_session *acting = member->channel->broker->acting;
	if (member->channel->kind->waiting) {
		return tell(member, PX_EVENT_WAITING, PX_LEFT, NULL);
	}
	/* Only an admission by staff joins a session other than the sender's own. */
	bool admitted = acting && acting != member->session;
	return tell(member, admitted ? PX_EVENT_ADMITTED : PX_EVENT_JOINED, PX_LEFT,
			admitted ? acting : NULL);
}

void px_member_tell_left(const struct px_member *member, enum px_leave_reason reason)
{
	enum px_event_kind kind = !member->channel->kind->waiting ? PX_EVENT_LEFT :
			reason == PX_DENIED ? PX_EVENT_DENIED : PX_EVENT_WAITED;
	bool by_somebody = reason == PX_REMOVED || reason == PX_ENDED || reason == PX_DENIED;
	/* Admission was reported when the session joined the room. */
	if (reason != PX_ADMITTED) {
		(void)tell(member, kind, reason,
				by_somebody ? member->channel->broker->acting : NULL);
	}
}

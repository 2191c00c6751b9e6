/* SPDX-License-Identifier: MIT */
/* See message_tap.h. */
#include "message_tap.h"

#include "channel/channel.h"
#include "core/message.h"
#include "operate.h"
#include "core/session.h"

#include <stdlib.h>
#include <string.h>

struct px_message_tap {
	struct px_message_tap *next;
	struct px_broker *broker;
	struct px_practice *practice;
	const struct px_service *service; /* NULL: all */
	void (*note)(void *user, const struct px_header *header);
	void *user;
};

static int check(const struct px_operator *operator, const struct px_message_tap_filter *wish,
		const struct px_service **ret_service, struct px_error_detail *ret_detail)
{
	*ret_service = NULL;
	if (wish->service.len > 0) {
		*ret_service = px_broker_find_service(operator->broker, wish->service, NULL);
		if (!*ret_service) {
			return px_deny(ret_detail, PX_E_NOT_FOUND, "service",
					"There is no service of that name.");
		}
	}
	if (!px_operator_may_name(operator, wish->practice)) {
		return px_deny(ret_detail, PX_E_FORBIDDEN, "practiceId",
				"That practice is none of yours.");
	}
	return 0;
}

int px_message_tap_open(const struct px_operator *operator,
		const struct px_message_tap_filter * wish, struct px_message_tap **ret_tap,
		struct px_error_detail *ret_detail)
{
	struct px_broker *broker = operator->broker;
	const struct px_service *service;
	struct px_practice *practice;
	if (check(operator, wish, &service, ret_detail) < 0) {
		return -1;
	}
	struct px_message_tap *tap = calloc(1, sizeof(*tap));
	/* Nobody need be in the practice yet. */
	if (!tap || px_practice_get(broker, px_identity_tenant(operator->identity), wish->practice,
			&practice) < 0) {
		free(tap);
		return px_deny(ret_detail, PX_E_UNAVAILABLE, NULL, "The server is at its limit.");
	}
	if (px_operator_tell(operator, &(struct px_event){
			.act = "tail",
			.practice = practice,
			.service = service,
		}, ret_detail) < 0) {
		px_practice_unref(broker, practice);
		free(tap);
		return -1;
	}
	*tap = (struct px_message_tap){
		.next = broker->taps,
		.broker = broker,
		.practice = practice,
		.service = service,
		.note = wish->note,
		.user = wish->user,
	};
	broker->taps = tap;
	*ret_tap = tap;
	return 0;
}

void px_message_tap_close(struct px_message_tap *tap)
{
	if (!tap) {
		return;
	}
	struct px_message_tap **at = &tap->broker->taps;
	while (*at != tap) {
		at = &(*at)->next;
	}
	*at = tap->next;
	px_practice_unref(tap->broker, tap->practice);
	free(tap);
}

static void show(const struct px_broker *broker, const struct px_practice *practice,
		const struct px_header *header)
{
	for (const struct px_message_tap *tap = broker->taps; tap; tap = tap->next) {
		if (tap->practice == practice &&
				(!tap->service || tap->service == header->service)) {
			tap->note(tap->user, header);
		}
	}
}

void px_message_tap_came(struct px_session *session, struct px_practice *practice,
		const struct px_service *service, const char *type, size_t bytes)
{
	struct px_broker *broker = session->broker;
	const struct px_identity *identity = session->identity;
	if (!practice && identity->practice_count == 1 && !identity->all_practices) {
		practice = identity->practices[0].practice;
	}
	service = service ? service : px_broker_service_of_type(broker, px_span(type), NULL);
	broker->concern = (struct px_concern){ practice, service };
	if (practice) {
		show(broker, practice, &(struct px_header){
			.direction = PX_CAME,
			.service = service,
			.type = type,
			.session = session,
			.bytes = bytes,
			.error = PX_E_COUNT,
		});
	}
}

/* Types of what is sent are the program's own. */
static struct px_header header_of(const struct px_broker *broker, const struct px_message *message)
{
	return (struct px_header){
		.direction = PX_WENT,
		.type = broker->traffic.counts[message->traffic].type,
		.bytes = px_message_text(message).len,
		.error = PX_E_COUNT,
	};
}

void px_message_tap_went(const struct px_session *session, const struct px_message *message)
{
	const struct px_broker *broker = session->broker;
	struct px_header header = header_of(broker, message);
	if (!broker->concern.practice) {
		return;
	}
	header.service = broker->concern.service;
	header.session = session;
	header.receivers = 1;
	header.error = broker->refusal;
	show(broker, broker->concern.practice, &header);
}

void px_message_tap_published(const struct px_channel *channel, const struct px_message *message,
		uint32_t receivers)
{
	const struct px_broker *broker = channel->broker;
	struct px_header header = header_of(broker, message);
	header.service = channel->service;
	header.room = channel->kind->is_room ? px_channel_name(channel) : header.room;
	header.receivers = receivers;
	show(broker, channel->practice, &header);
}

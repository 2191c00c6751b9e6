/* SPDX-License-Identifier: MIT */
/* See tap.h. */
#include "tap.h"

#include "core/message.h"
#include "core/practice.h"
#include "core/service.h"
#include "core/broker.h"
#include "core/identity.h"
#include "core/session.h"

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

/* Types of outgoing messages are names from the program. */
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

void px_message_tap_published(const struct px_broker *broker, struct px_practice *practice,
		const struct px_service *service, struct px_span room,
		const struct px_message *message, uint32_t receivers)
{
	struct px_header header = header_of(broker, message);
	header.service = service;
	header.room = room;
	header.receivers = receivers;
	show(broker, practice, &header);
}

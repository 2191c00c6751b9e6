/* SPDX-License-Identifier: MIT */
/* See message_tap.h. */

#include "channel/channel.h"
#include "core/broker.h"
#include "core/message.h"
#include "core/practice.h"
#include "core/session.h"
#include "operate.h"
#include "outbound/tap.h"

#include <stdlib.h>
#include <string.h>

static int check(const struct px_operator *operator, const struct px_message_tap_filter *wish,
		const struct px_service **ret_service, struct px_error_detail *ret_detail)
{
	*ret_service = NULL;
	if (wish->service.len > 0) {
		*ret_service = px_broker_find_service(operator->broker, wish->service, NULL);
		if (!*ret_service) {
			return px_deny(ret_detail, PX_E_NOT_FOUND, "service",
					"There is no service with this name.");
		}
	}
	if (!px_operator_may_name(operator, wish->practice)) {
		return px_deny(ret_detail, PX_E_FORBIDDEN, "practiceId",
				"You have no access to this practice.");
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
	/* The practice may have no clients yet. */
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

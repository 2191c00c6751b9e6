/* SPDX-License-Identifier: MIT */
/*
 * Broadcasting: one message, published to each practice of an administrator that has clients. A
 * tenant may have very many practices, so each turn of the loop handles some of them. One broadcast
 * runs at a time, for as long as the session that requested it exists.
 */
#include "operate.h"

#include "core/session.h"
#include "core/broker.h"
#include "core/practice.h"
#include "core/identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Practices that are visited in one turn. */
#define PRACTICES_PER_TURN 200

struct px_broadcast {
	struct px_timer timer; /* first: on_timer() gets it */
	struct px_broker *broker;
	char client_id[PX_CLIENT_ID_SIZE];
	void (*done)(struct px_session *session, const struct px_broadcasted *result);
	struct px_broadcasted result;
	uint64_t after; /* practices up to this number are done */
	uint64_t last;  /* … the latest practice when it began */
	size_t len;
	char text[];
};

void px_broadcast_drop(struct px_broker *broker)
{
	if (broker->broadcast) {
		px_timer_stop(&broker->timers, &broker->broadcast->timer);
		free(broker->broadcast);
		broker->broadcast = NULL;
	}
}

static void publish(struct px_broadcast *broadcast, const struct px_operator *operator,
		const struct px_practice *practice)
{
	struct px_span text = { broadcast->text, broadcast->len };
	struct px_id id = { { practice->id, practice->id_len }, false };
	struct px_published published;
	struct px_error_detail detail;
	id.number = px_id_is_integer(id.text);
	if (px_operate_publish(operator, &id, text, &published, &detail) == 0) {
		broadcast->result.practices++;
		broadcast->result.delivered += published.delivered;
	} else {
		broadcast->result.failed++;
	}
}

/* Publishes to some practices; true: there are more. */
static bool step(struct px_broadcast *broadcast, const struct px_operator *operator)
{
	const struct px_paged_index *paged = &broadcast->broker->practice_index;
	for (int i = 0; i < PRACTICES_PER_TURN; i++) {
		size_t at = px_paged_index_seek(paged, broadcast->after);
		if (at == paged->count || paged->entries[at].number > broadcast->last) {
			return false;
		}
		broadcast->after = paged->entries[at].number;
		const struct px_practice *practice = paged->entries[at].item;
		if (practice && px_operator_has(operator, practice)) {
			publish(broadcast, operator, practice);
		}
	}
	return true;
}

static void on_timer(struct px_timer *timer)
{
	struct px_broadcast *broadcast = (struct px_broadcast *)timer;
	struct px_broker *broker = broadcast->broker;
	struct px_session *session = px_session_find(broker, px_span(broadcast->client_id));
	if (!session || !(session->identity->role & PX_ROLE_ADMIN)) {
		px_broadcast_drop(broker);
		return;
	}
	struct px_operator operator = px_session_operator(session);
	if (step(broadcast, &operator) &&
			px_timer_arm(&broker->timers, timer, broker->timers.now_ms) == 0) {
		return;
	}
	broadcast->done(session, &broadcast->result);
	px_broadcast_drop(broker);
}

static int begin(const struct px_operator *operator, struct px_span text,
		void (*done)(struct px_session *session, const struct px_broadcasted *result))
{
	struct px_broker *broker = operator->broker;
	struct px_broadcast *broadcast = calloc(1, sizeof(*broadcast) + text.len);
	if (!broadcast) {
		return -ENOMEM;
	}
	broadcast->timer.fire = on_timer;
	broadcast->broker = broker;
	broadcast->done = done;
	broadcast->last = broker->practice_index.last;
	broadcast->len = text.len;
	memcpy(broadcast->text, text.data, text.len);
	px_session_client_id(operator->session, broadcast->client_id);
	broker->broadcast = broadcast;
	return px_timer_arm(&broker->timers, &broadcast->timer, broker->timers.now_ms);
}

int px_operate_broadcast(const struct px_operator *operator, const struct px_service *service,
		struct px_span text,
		void (*done)(struct px_session *session, const struct px_broadcasted *result),
		struct px_error_detail *ret_detail)
{
	struct px_broker *broker = operator->broker;
	if (broker->broadcast) {
		return px_deny(ret_detail, PX_E_UNAVAILABLE, NULL,
				"Another broadcast is in progress; try again in a moment.");
	}
	if (px_operator_tell(operator, &(struct px_event){
			.act = "broadcast",
			.service = service,
		}, ret_detail) < 0) {
		return -1;
	}
	if (begin(operator, text, done) < 0) {
		px_broadcast_drop(broker);
		return px_deny(ret_detail, PX_E_UNAVAILABLE, NULL, "The server is out of memory.");
	}
	return 0;
}

int px_operate_broadcast_to(const struct px_operator *operator, const struct px_service *service,
		const struct px_id *practice, struct px_span text,
		struct px_broadcasted *ret_result, struct px_error_detail *ret_detail)
{
	struct px_published published;
	if (!px_operator_may_name(operator, practice->text)) {
		return px_deny(ret_detail, PX_E_FORBIDDEN, "practiceId",
				"You have no access to this practice.");
	}
	if (px_operator_tell(operator, &(struct px_event){
			.act = "broadcast",
			.service = service,
			.practice = px_operator_find(operator, practice->text),
		}, ret_detail) < 0 ||
			px_operate_publish(operator, practice, text, &published, ret_detail) < 0) {
		return -1;
	}
	*ret_result = (struct px_broadcasted){ .practices = 1, .delivered = published.delivered };
	return 0;
}

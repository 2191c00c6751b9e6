/* SPDX-License-Identifier: MIT */
/*
 * See admin_feed.h. Numbers start at the time of the first event, in microseconds, and grow by one.
 * So they grow across restarts, and a watcher that saw number n can ask a new server for what came
 * after it.
 */
#include "admin_feed.h"

#include "core/session.h"
#include "core/broker.h"
#include "core/practice.h"
#include "core/message.h"
#include "core/identity.h"
#include "operate.h"

#include <stdlib.h>
#include <string.h>

/* Messages per second for each watcher, in the long run; and the burst. */
#define PER_SECOND 100
#define BURST 300

static struct px_admin_feed *watch_of(struct px_broker *broker)
{
	return broker->watch;
}

static void drop_first(struct px_broker *broker)
{
	struct px_admin_feed *watch = watch_of(broker);
	struct px_kept_event *event = &watch->kept[watch->first];
	for (unsigned i = 0; i < event->practice_count; i++) {
		px_practice_unref(broker, event->practices[i]);
	}
	px_message_unref(broker, event->message);
	free(event->tenant);
	watch->first = (watch->first + 1) % PX_EVENTS_KEPT;
	watch->count--;
}

void px_admin_feed_finish(struct px_broker *broker)
{
	struct px_admin_feed *watch = watch_of(broker);
	while (watch && watch->count > 0) {
		drop_first(broker);
	}
	if (watch) {
		free(watch->kept);
		free(watch);
	}
	broker->watch = NULL;
}

static bool may_see(const struct px_operator *operator, const struct px_kept_event *event)
{
	for (unsigned i = 0; i < event->practice_count; i++) {
		if (px_operator_has(operator, event->practices[i])) {
			return true;
		}
	}
	if (event->practice_count > 0 || !operator->identity->all_practices) {
		return false;
	}
	return px_span_equal(px_span(event->tenant), px_identity_tenant(operator->identity));
}

static void say_missed(struct px_watcher *watcher)
{
	struct px_json json;
	px_json_begin(&json, "admin_events");
	px_json_int(&json, "missed", (int64_t)watcher->missed);
	px_json_end(&json);
	watcher->missed = 0;
	px_session_send_json(watcher->session, &json);
}

static void show(struct px_watcher *watcher, const struct px_kept_event *event)
{
	struct px_operator operator = px_session_operator(watcher->session);
	if (!(watcher->session->identity->role & PX_ROLE_ADMIN) || !may_see(&operator, event)) {
		return;
	}
	if (px_bucket_take(&watcher->rate, PER_SECOND, BURST, 1,
			operator.broker->timers.now_ms) > 0) {
		watcher->missed++;
		return;
	}
	if (watcher->missed > 0) {
		say_missed(watcher);
	}
	px_session_send(watcher->session, event->message);
}

/* The numbered message. NULL without memory. */
static struct px_message *compose(struct px_broker *broker, struct px_span entry, uint64_t number)
{
	struct px_json json;
	px_json_begin(&json, "admin_event");
	px_json_int(&json, "n", (int64_t)number);
	px_json_int(&json, "at", broker->wall_ms);
	px_json_raw(&json, "entry", entry);
	px_json_end(&json);
	return px_message_from_json(broker, &json);
}

static void name_practices(const struct px_sighting *sighting, struct px_kept_event *event)
{
	if (sighting->practice) {
		event->practices[event->practice_count++] =
				px_practice_ref((struct px_practice *)(uintptr_t)sighting->practice);
		return;
	}
	const struct px_identity *identity = sighting->session ? sighting->session->identity :
			NULL;
	for (uint32_t i = 0; identity && i < identity->practice_count &&
			event->practice_count < PX_EVENT_PRACTICES; i++) {
		event->practices[event->practice_count++] =
				px_practice_ref(identity->practices[i].practice);
	}
}

/* A new entry; NULL without memory. */
static struct px_kept_event *add(struct px_broker *broker)
{
	struct px_admin_feed *watch = watch_of(broker);
	if (!watch->kept) {
		watch->kept = calloc(PX_EVENTS_KEPT, sizeof(*watch->kept));
		watch->last = (uint64_t)broker->wall_ms * 1000;
	}
	if (!watch->kept) {
		return NULL;
	}
	if (watch->count == PX_EVENTS_KEPT) {
		drop_first(broker);
	}
	return &watch->kept[(watch->first + watch->count) % PX_EVENTS_KEPT];
}

/* Not strndup(): it may read beyond the end of a span. */
static char *copy(struct px_span span)
{
	char *text = malloc(span.len + 1);
	if (text) {
		memcpy(text, span.data, span.len);
		text[span.len] = '\0';
	}
	return text;
}

void px_broker_show(struct px_broker *broker, const struct px_sighting *sighting)
{
	struct px_admin_feed *watch = watch_of(broker);
	struct px_kept_event *event = watch ? add(broker) : NULL;
	if (!event) {
		return; /* no watchers possible */
	}
	*event = (struct px_kept_event){ .number = ++watch->last };
	event->message = compose(broker, sighting->entry, event->number);
	event->tenant = copy(sighting->tenant);
	if (!event->message || !event->tenant) {
		px_message_unref(broker, event->message);
		free(event->tenant);
		return; /* watchers see a gap in the numbers */
	}
	name_practices(sighting, event);
	watch->count++;
	for (unsigned i = 0; i < watch->watcher_count; i++) {
		show(&watch->watchers[i], event);
	}
}

static struct px_watcher *find(struct px_admin_feed *watch, const struct px_session *session)
{
	for (unsigned i = 0; i < watch->watcher_count; i++) {
		if (watch->watchers[i].session == session) {
			return &watch->watchers[i];
		}
	}
	return NULL;
}

static void begin(struct px_watcher *watcher, const struct px_admin_feed *watch, bool wanted,
		uint64_t since)
{
	uint64_t oldest = watch->count > 0 ? watch->kept[watch->first].number : watch->last + 1;
	struct px_json json;
	px_json_begin(&json, "admin_events");
	px_json_int(&json, "n", (int64_t)watch->last);
	if (wanted) {
		px_json_bool(&json, "complete", since + 1 >= oldest);
	}
	px_json_end(&json);
	px_session_send_json(watcher->session, &json);
	for (uint32_t i = 0; wanted && i < watch->count; i++) {
		const struct px_kept_event *event =
				&watch->kept[(watch->first + i) % PX_EVENTS_KEPT];
		struct px_operator operator = px_session_operator(watcher->session);
		if (event->number > since && may_see(&operator, event)) {
			px_session_send(watcher->session, event->message);
		}
	}
}

int px_operate_watch(struct px_session *session, const uint64_t *since,
		struct px_error_detail *ret_detail)
{
	struct px_admin_feed *watch = watch_of(session->broker);
	struct px_watcher *watcher = watch ? find(watch, session) : NULL;
	if (!watcher) {
		if (!watch || watch->watcher_count == PX_WATCHERS_MAX) {
			return px_deny(ret_detail, PX_E_UNAVAILABLE, NULL,
					"Too many administrators are watching events.");
		}
		watcher = &watch->watchers[watch->watcher_count++];
		*watcher = (struct px_watcher){ .session = session };
	}
	begin(watcher, watch, since != NULL, since ? *since : 0);
	return 0;
}

void px_operate_unwatch(const struct px_session *session)
{
	struct px_admin_feed *watch = watch_of(session->broker);
	struct px_watcher *watcher = watch ? find(watch, session) : NULL;
	if (watcher) {
		*watcher = watch->watchers[--watch->watcher_count];
	}
}

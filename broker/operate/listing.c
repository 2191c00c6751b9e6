/* SPDX-License-Identifier: MIT */
/*
 * Lists of clients and rooms, page by page. A page visits at most PX_PAGE_LOOKS entries, so that a
 * request cannot hold up the loop.
 */
#include "channel/channel.h"
#include "core/broker.h"
#include "core/identity.h"
#include "core/session.h"
#include "operate.h"

/* Members of a room that are listed; their number is always given. */
#define CLIENTS_SHOWN 32

/* Comparing the practices of two tokens is expensive if both have many. */
#define COMPARISONS_PER_LOOK 64

struct listing {
	const struct px_operator *operator;
	const struct px_practice *practice; /* if the request named one; NULL: all */
	const struct px_service *service;
	unsigned service_index;
	bool unauthenticated; /* the named practice has no clients */
	struct px_json *json;
};

static int begin(struct listing *listing, const struct px_page *page,
		struct px_error_detail *ret_detail)
{
	const struct px_operator *operator = listing->operator;
	if (page->service.len > 0) {
		listing->service = px_broker_find_service(operator->broker, page->service,
				&listing->service_index);
		if (!listing->service) {
			return px_deny(ret_detail, PX_E_NOT_FOUND, "service",
					"There is no service with this name.");
		}
	}
	if (page->practice.len > 0) {
		if (!px_operator_may_name(operator, page->practice)) {
			return px_deny(ret_detail, PX_E_FORBIDDEN, "practiceId",
					"You have no access to this practice.");
		}
		listing->practice = px_operator_find(operator, page->practice);
		listing->unauthenticated = !listing->practice;
	}
	return 0;
}

/* Whether the session has the service, and its role may use it. */
static bool uses(const struct px_session *session, unsigned service)
{
	return session->opened & px_session_services(session) & UINT32_C(1) << service &&
			px_session_may_use(session, service);
}

static bool fits_session(const struct listing *listing, const struct px_session *session)
{
	if (session->phase != PX_SESSION_OPEN && session->phase != PX_SESSION_DETACHED) {
		return false;
	}
	if (listing->service && !uses(session, listing->service_index)) {
		return false;
	}
	return listing->practice ? px_identity_holds(session->identity, listing->practice) != NULL :
			px_operator_sees(listing->operator, session);
}

static void write_who(const struct listing *listing, const struct px_session *session)
{
	const struct px_identity *identity = session->identity;
	struct px_json *json = listing->json;
	if (identity->user_len > 0) {
		px_json_id(json, "userId", px_identity_user(identity));
	}
	if (identity->name_len > 0) {
		px_json_string(json, "userName", px_identity_name(identity));
	}
	px_json_text(json, "role", px_role_name(identity->role));
	px_json_bool(json, "authenticated", identity->authenticated);
	px_json_open_array(json, "practices");
	for (uint32_t i = 0; i < identity->practice_count; i++) {
		const struct px_practice *practice = identity->practices[i].practice;
		if (px_operator_has(listing->operator, practice)) {
			px_json_id(json, NULL, px_session_practice_id(session, practice));
		}
	}
	px_json_close_array(json);
}

static void write_session(const struct listing *listing, const struct px_session *session)
{
	const struct px_broker *broker = session->broker;
	struct px_json *json = listing->json;
	char client_id[PX_CLIENT_ID_SIZE];
	px_session_client_id(session, client_id);
	px_json_open_object(json, NULL);
	px_json_text(json, "clientId", client_id);
	write_who(listing, session);
	px_json_open_array(json, "services");
	for (unsigned i = 0; i < broker->service_count; i++) {
		if (uses(session, i)) {
			px_json_text(json, NULL, broker->services[i].service->name);
		}
	}
	px_json_close_array(json);
	px_json_bool(json, "connected", session->phase == PX_SESSION_OPEN);
	px_json_string(json, "address", px_identity_address(session->identity));
	px_json_int(json, "openedAt", broker->wall_ms -
			(broker->timers.now_ms - session->opened_ms));
	px_json_int(json, "rooms", session->rooms - session->waits);
	px_json_int(json, "queueBytes", session->queue.bytes);
	px_json_int(json, "messagesIn", session->messages_in);
	px_json_int(json, "messagesOut", session->messages_out);
	px_json_close_object(json);
}

/*
 * A room is listed together with its waiting room; if only the waiting room exists, it stands for
 * the room.
 */
static const struct px_channel *stands_for(const struct px_channel *channel)
{
	const struct px_channel *room = px_channel_awaited(channel);
	return room && room->member_count > 0 ? room : channel;
}

static bool fits_channel(const struct listing *listing, const struct px_channel *channel)
{
	if (channel->member_count == 0 || stands_for(channel) != channel ||
			(listing->service && channel->service != listing->service)) {
		return false;
	}
	return listing->practice ? channel->practice == listing->practice :
			px_operator_has(listing->operator, channel->practice);
}

static void write_channel(const struct listing *listing, const struct px_channel *channel)
{
	const struct px_broker *broker = channel->broker;
	const struct px_session *first = channel->members[0]->session;
	const struct px_channel *waiting = channel->kind->waiting ? channel :
			px_channel_waiting(channel);
	uint32_t members = channel->kind->waiting ? 0 : channel->member_count;
	struct px_json *json = listing->json;
	px_json_open_object(json, NULL);
	px_json_text(json, "service", channel->service->name);
	px_json_string(json, "roomId", px_channel_name(channel));
	px_json_id(json, "practiceId", px_session_practice_id(first, channel->practice));
	px_json_int(json, "openedAt", broker->wall_ms -
			(broker->timers.now_ms - channel->opened_ms));
	px_json_int(json, "members", members);
	px_json_int(json, "waiting", waiting ? waiting->member_count : 0);
	px_json_open_array(json, "clients");
	for (uint32_t i = 0; i < members && i < CLIENTS_SHOWN; i++) {
		char client_id[PX_CLIENT_ID_SIZE];
		px_session_client_id(channel->members[i]->session, client_id);
		px_json_text(json, NULL, client_id);
	}
	px_json_close_array(json);
	px_json_close_object(json);
}

/* Cost of visiting one session, out of PX_PAGE_LOOKS. */
static size_t cost_of(const struct listing *listing, const struct px_session *session)
{
	return 1 + (size_t)session->identity->practice_count *
			listing->operator->identity->practice_count / COMPARISONS_PER_LOOK;
}

static bool add(const struct listing *listing, const void *item, bool rooms)
{
	if (rooms ? !fits_channel(listing, item) : !fits_session(listing, item)) {
		return false;
	}
	if (rooms) {
		write_channel(listing, item);
	} else {
		write_session(listing, item);
	}
	return true;
}

static void write_page(const struct listing *listing, const struct px_paged_index *paged,
		const struct px_page *page, bool rooms)
{
	struct px_json *json = listing->json;
	uint32_t limit = page->limit == 0 ? PX_PAGE_DEFAULT : page->limit;
	size_t begun = json->len;
	size_t looks = 0;
	uint32_t rows = 0;
	size_t i = px_paged_index_seek(paged, page->after);
	limit = limit > PX_PAGE_MAX ? PX_PAGE_MAX : limit;
	px_json_open_array(json, rooms ? "rooms" : "clients");
	for (; i < paged->count && !listing->unauthenticated && rows < limit &&
			looks < PX_PAGE_LOOKS && json->len - begun < PX_PAGE_BYTES;
			i++) {
		const void *item = paged->entries[i].item;
		looks += item && !rooms ? cost_of(listing, item) : 1;
		rows += item && add(listing, item, rooms);
	}
	px_json_close_array(json);
	if (i < paged->count && !listing->unauthenticated) {
		px_json_int(json, "next", (int64_t)paged->entries[i].number - 1);
	}
}

int px_operate_clients(const struct px_operator *operator, const struct px_page *page,
		struct px_json *json, struct px_error_detail *ret_detail)
{
	struct listing listing = { .operator = operator, .json = json };
	if (begin(&listing, page, ret_detail) < 0) {
		return -1;
	}
	write_page(&listing, &operator->broker->sessions, page, false);
	return 0;
}

int px_operate_rooms(const struct px_operator *operator, const struct px_page *page,
		struct px_json *json, struct px_error_detail *ret_detail)
{
	struct listing listing = { .operator = operator, .json = json };
	if (begin(&listing, page, ret_detail) < 0) {
		return -1;
	}
	write_page(&listing, &operator->broker->rooms, page, true);
	return 0;
}

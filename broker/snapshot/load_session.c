/* SPDX-License-Identifier: MIT */
/*
 * Loads the lines of save_session.c. A session that cannot stay (its vhost is gone, its token has
 * expired) is loaded all the same and ended by fit.c, so that members of its rooms are notified.
 * Only a session of a service that is gone is skipped: its rooms are gone, too.
 */
#include "core/message.h"
#include "channel/channel.h"
#include "core/broker.h"
#include "core/identity.h"
#include "core/session.h"
#include "outbound/replay_buffer.h"
#include "session/session.h"
#include "snapshot.h"

#include <errno.h>
#include <json-c/json.h>
#include <praxis/host/registry.h>
#include <praxis/host/session.h>
#include <praxis/operate.h>
#include <praxis/service.h>
#include <stdlib.h>
#include <string.h>

/* ---- identities ---- */

static bool read_id(struct json_object *value, struct px_id *ret_id)
{
	if (!json_object_is_type(value, json_type_string)) {
		return false;
	}
	const char *text = json_object_get_string(value);
	size_t len = (size_t)json_object_get_string_len(value);
	if (len == 0 || (text[0] != 'n' && text[0] != 's')) {
		return false;
	}
	*ret_id = (struct px_id){ { text + 1, len - 1 }, text[0] == 'n' };
	return !ret_id->number || px_id_is_integer(ret_id->text);
}

static bool read_text(struct json_object *value, struct px_id *ret_id)
{
	if (!json_object_is_type(value, json_type_string)) {
		return false;
	}
	*ret_id = (struct px_id){ { json_object_get_string(value),
		(size_t)json_object_get_string_len(value) }, false };
	return true;
}

/* Reads an array of ids; *ret_ids is the caller's to free(). -EINVAL, -ENOMEM. */
static int read_ids(struct json_object *array, bool (*get)(struct json_object *, struct px_id *),
		struct px_id **ret_ids, size_t *ret_count)
{
	if (!json_object_is_type(array, json_type_array)) {
		return -EINVAL;
	}
	size_t count = json_object_array_length(array);
	struct px_id *ids = calloc(count + 1, sizeof(*ids));
	if (!ids) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		if (!get(json_object_array_get_idx(array, i), &ids[i])) {
			free(ids);
			return -EINVAL;
		}
	}
	*ret_ids = ids;
	*ret_count = count;
	return 0;
}

static bool read_plain_claims(struct json_object *saved, struct px_claims *claims)
{
	struct json_object *user;
	struct px_span role;
	int64_t leeway_ms;
	if (!px_json_get_text(saved, "tenant", &claims->tenant) ||
			!px_json_get_text(saved, "name", &claims->name) ||
			!px_json_get_text(saved, "address", &claims->address) ||
			!px_json_get_text(saved, "role", &role) ||
			!px_json_get_bool(saved, "authenticated", &claims->authenticated) ||
			!px_json_get_bool(saved, "allPractices", &claims->all_practices) ||
			!px_json_get_int(saved, "expiresAt", 0, INT64_MAX / 2, &claims->expires_ms) ||
			!px_json_get_int(saved, "leeway", 0, UINT32_MAX, &leeway_ms) ||
			!json_object_object_get_ex(saved, "user", &user)) {
		return false;
	}
	claims->leeway_ms = (uint32_t)leeway_ms;
	claims->role = px_role_parse(role);
	claims->has_rooms = json_object_object_get_ex(saved, "rooms", NULL);
	/* An unknown user has no text, so it is not a number either. */
	return claims->role != 0 && px_span_is_text(claims->address) &&
			read_id(user, &claims->user);
}

static int load_identity(struct px_state_load *load, struct json_object *line,
		struct px_identity **ret_identity)
{
	struct json_object *saved = NULL;
	struct json_object *array = NULL;
	struct px_claims claims = { 0 };
	struct px_id *practices = NULL;
	struct px_id *rooms = NULL;
	json_object_object_get_ex(line, "identity", &saved);
	if (!json_object_is_type(saved, json_type_object) || !read_plain_claims(saved, &claims)) {
		return -EINVAL;
	}
	json_object_object_get_ex(saved, "practices", &array);
	int rc = read_ids(array, read_id, &practices, &claims.practice_count);
	if (rc == 0 && claims.has_rooms) {
		json_object_object_get_ex(saved, "rooms", &array);
		rc = read_ids(array, read_text, &rooms, &claims.room_count);
	}
	claims.practices = practices;
	claims.rooms = rooms;
	rc = rc < 0 ? rc : px_identity_create(load->broker, &claims, ret_identity);
	int64_t notice_ms;
	if (rc == 0 && px_json_get_int(saved, "noticeAt", 0, INT64_MAX / 2, &notice_ms)) {
		(*ret_identity)->notice_ms = notice_ms;
	}
	free(practices);
	free(rooms);
	return rc;
}

/* ---- sessions ---- */

static int load_resume(struct px_session *session, struct json_object *line)
{
	struct px_resume_secrets *secrets = &session->resume->secrets;
	struct px_span secret;
	int64_t sent;
	int64_t received;
	if (!px_json_get_text(line, "secret", &secret) ||
			!px_json_get_int(line, "sent", 0, INT64_MAX / 2, &sent) ||
			!px_json_get_int(line, "received", 0, INT64_MAX / 2, &received) ||
			!px_resume_read_secret(secret, secrets->now)) {
		return -EINVAL;
	}
	if (json_object_object_get_ex(line, "former", NULL) && (!px_json_get_text(line, "former", &secret) ||
			!px_resume_read_secret(secret, secrets->former))) {
		return -EINVAL;
	}
	session->resume->sent = (uint64_t)sent;
	session->resume->received = (uint64_t)received;
	return 0;
}

/* Opens the services that the session had, without entering practices. */
static int open_services(struct px_session *session, struct json_object *line)
{
	struct json_object *opened = NULL;
	json_object_object_get_ex(line, "opened", &opened);
	if (!json_object_is_type(opened, json_type_array)) {
		return -EINVAL;
	}
	size_t count = json_object_array_length(opened);
	for (size_t i = 0; i < count; i++) {
		struct px_id name;
		unsigned index;
		if (!read_text(json_object_array_get_idx(opened, i), &name)) {
			return -EINVAL;
		}
		if (px_broker_find_service(session->broker, name.text, &index)) {
			px_session_reopen_service(session, index);
		}
	}
	return 0;
}

/* Reads realm, service and options of the session. */
static int read_params(struct px_state_load *load, struct json_object *line,
		struct px_session_params *params, uint64_t *ret_client_id, bool *ret_gone)
{
	struct px_broker *broker = load->broker;
	struct px_span client;
	struct px_span realm;
	struct px_span service;
	unsigned index;
	if (!px_json_get_text(line, "session", &client) ||
			!px_client_id_read(client, ret_client_id) ||
			px_session_find(broker, client) ||
			!px_json_get_text(line, "site", &realm) ||
			!px_json_get_bool(line, "versioned", &params->versioned)) {
		return -EINVAL;
	}
	struct px_realm *found = load->reader->realm(load->reader->user, realm);
	params->realm = found ? found : &broker->nowhere;
	params->service = -1;
	*ret_gone = false;
	if (px_json_get_text(line, "service", &service)) {
		*ret_gone = !px_broker_find_service(broker, service, &index);
		params->service = *ret_gone ? -1 : (int)index;
	}
	return 0;
}

int px_state_read_session(struct px_state_load *load, struct json_object *line)
{
	struct px_session_params params = { 0 };
	uint64_t client_id;
	int64_t age_ms;
	bool gone;
	load->session = NULL;
	load->channel = NULL;
	int rc = read_params(load, line, &params, &client_id, &gone);
	rc = px_json_get_int(line, "age", 0, PX_STATE_AGE_MAX_MS, &age_ms) ? rc : -EINVAL;
	if (rc < 0 || gone) {
		load->counts->dropped_sessions += rc == 0;
		return rc;
	}
	rc = load_identity(load, line, &params.identity);
	if (rc < 0) {
		return rc;
	}
	if (px_identity_lacks_proof(params.identity, params.realm)) {
		params.realm = &load->broker->nowhere;
	}
	rc = load->restore ? load->restore(load, &params, client_id, &load->session) :
			px_session_restore(load->broker, &params, client_id, &load->session);
	if (rc < 0) {
		px_identity_destroy(load->broker, params.identity);
		return rc;
	}
	load->counts->sessions++;
	load->session->opened_ms =
			load->broker->timers.now_ms - load->reader->elapsed_ms - age_ms;
	bool noticed;
	load->session->is_noticed = px_json_get_bool(line, "noticed", &noticed) && noticed;
	rc = params.versioned ? load_resume(load->session, line) : 0;
	return rc < 0 ? rc : open_services(load->session, line);
}

/* ---- messages and memberships ---- */

int px_state_load_kept(struct px_state_load *load, struct json_object *line)
{
	struct px_session *session = load->session;
	struct px_broker *broker = load->broker;
	struct px_message *message;
	int rc = px_state_get_message(load, line, "kept", &message);
	if (rc < 0 || !session) {
		return rc;
	}
	if (!session->versioned || session->resume->kept.count >= session->resume->sent) {
		return -EINVAL;
	}
	rc = px_queue_push(&session->resume->kept, &broker->queue_pool, message);
	if (rc == 0) {
		broker->stats.kept_messages++;
		broker->stats.kept_bytes += message->len;
	}
	return rc;
}

int px_state_load_queued(struct px_state_load *load, struct json_object *line)
{
	struct px_session *session = load->session;
	struct px_broker *broker = load->broker;
	struct px_message *message;
	int rc = px_state_get_message(load, line, "queued", &message);
	if (rc < 0 || !session) {
		return rc;
	}
	rc = session->versioned ? px_queue_push(&session->queue, &broker->queue_pool, message) :
			-EINVAL;
	broker->stats.queue_bytes += rc == 0 ? message->len : 0;
	return rc;
}

/* A member's line. */
struct membership {
	struct px_span service;
	struct px_span kind;
	struct px_span practice;
	struct px_span name;
	int64_t order;
	int64_t heard;
	struct json_object *state;
};

static bool read_membership(struct json_object *line, struct membership *membership)
{
	return px_json_get_text(line, "member", &membership->service) &&
			px_json_get_text(line, "kind", &membership->kind) &&
			px_json_get_text(line, "practice", &membership->practice) &&
			px_json_get_text(line, "name", &membership->name) &&
			px_json_get_int(line, "order", 1, INT64_MAX - 1, &membership->order) &&
			px_json_get_int(line, "heard", 0, INT64_MAX - 1, &membership->heard) &&
			json_object_object_get_ex(line, "state", &membership->state) &&
			json_object_is_type(membership->state, json_type_object);
}

/*
 * Finds the membership's channel. Isolation is checked here as well: only practices of the
 * identity.
 */
static int find_channel(const struct px_state_load *load, const struct membership *membership,
		const struct px_service *service, const struct px_snapshot_ops *ops,
		struct px_channel **ret_channel)
{
	const struct px_session *session = load->session;
	const struct px_held *held = px_identity_find(session->identity, membership->practice);
	if (!held || px_session_member(session, ops->kind, held->practice, membership->name)) {
		return -EINVAL;
	}
	*ret_channel = px_channel_find_kind(load->broker, held->practice, service,
			membership->name, ops->kind->waiting);
	/* Kinds of one service share its names: another kind has another state. */
	return *ret_channel && (*ret_channel)->kind == ops->kind ? 0 : -EINVAL;
}

int px_state_read_member(struct px_state_load *load, struct json_object *line)
{
	struct membership membership = { 0 };
	struct px_channel *channel;
	struct px_member *member;
	unsigned index;
	if (!load->session) {
		return 0;
	}
	if (!read_membership(line, &membership)) {
		return -EINVAL;
	}
	const struct px_service *service =
			px_broker_find_service(load->broker, membership.service, &index);
	const struct px_snapshot_ops *ops =
			service ? px_snapshot_ops_of(service, membership.kind) : NULL;
	if (!ops) {
		load->counts->dropped_members++;
		return 0;
	}
	int rc = find_channel(load, &membership, service, ops, &channel);
	if (rc == 0 && (uint64_t)membership.heard > channel->seq) {
		rc = -EINVAL; /* more than were published */
	}
	rc = rc < 0 ? rc : px_channel_add_member(channel, load->session, &member);
	if (rc < 0) {
		return rc;
	}
	member->order = (uint64_t)membership.order;
	member->mark_seq = (uint32_t)membership.heard;
	load->counts->members++;
	return ops->restore_member ? ops->restore_member(load->broker->services[index].state,
			member, membership.state) : 0;
}

/* Restores a service's state in the session. Comes last, since it may send messages. */
int px_state_load_saved(struct px_state_load *load, struct json_object *line)
{
	struct px_session *session = load->session;
	struct px_span name;
	struct json_object *state = NULL;
	unsigned index;
	json_object_object_get_ex(line, "state", &state);
	if (!px_json_get_text(line, "saved", &name) ||
			!json_object_is_type(state, json_type_object)) {
		return -EINVAL;
	}
	const struct px_service *service = px_broker_find_service(load->broker, name, &index);
	if (!session || !service || !service->restore_session ||
			!(session->opened & UINT32_C(1) << index)) {
		return 0;
	}
	return service->restore_session(load->broker->services[index].state, session,
			px_session_state(session, index), state);
}

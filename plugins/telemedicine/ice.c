/* SPDX-License-Identifier: MIT */
/*
 * STUN and TURN servers for the clients. TURN credentials are made anew each time and soon
 * expire, after the TURN REST API draft (draft-uberti-behave-turn-rest-00), which coturn
 * knows as use-auth-secret: username "<unix expiry>:<user>", password the base64 of
 * HMAC-SHA1(secret, username).
 */
#include "telemedicine.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *to_text(struct json_object *value)
{
	return strdup(json_object_to_json_string_ext(value,
			JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* A string of several, with spaces or commas between them, becomes the array that clients need. */
static char *urls_text(struct json_object *urls)
{
	static const char separators[] = ", \t";
	const char *at = json_object_is_type(urls, json_type_string) ?
			json_object_get_string(urls) : "";
	if (at[strcspn(at, separators)] == '\0') {
		return to_text(urls);
	}
	struct json_object *array = json_object_new_array();
	bool failed = !array;
	for (at += strspn(at, separators); !failed && *at != '\0'; at += strspn(at, separators)) {
		size_t len = strcspn(at, separators);
		struct json_object *url = json_object_new_string_len(at, (int)len);
		failed = !url || json_object_array_add(array, url) < 0;
		if (failed) {
			json_object_put(url);
		}
		at += len;
	}
	char *text = failed ? NULL : to_text(array);
	json_object_put(array);
	return text;
}

/* Whether it is what RTCIceServer.urls may be: a string, or an array of them, not empty. */
static bool are_urls(struct json_object *urls)
{
	if (json_object_is_type(urls, json_type_string)) {
		const char *text = json_object_get_string(urls);
		return text[strspn(text, ", \t")] != '\0';
	}
	if (!json_object_is_type(urls, json_type_array)) {
		return false;
	}
	for (size_t i = 0; i < json_object_array_length(urls); i++) {
		if (!json_object_is_type(json_object_array_get_idx(urls, i), json_type_string)) {
			return false;
		}
	}
	return json_object_array_length(urls) > 0;
}

static bool are_servers(struct json_object *servers)
{
	struct json_object *urls;
	if (!json_object_is_type(servers, json_type_array)) {
		return false;
	}
	for (size_t i = 0; i < json_object_array_length(servers); i++) {
		struct json_object *server = json_object_array_get_idx(servers, i);
		if (!json_object_object_get_ex(server, "urls", &urls) || !are_urls(urls)) {
			return false;
		}
	}
	return true;
}

const char *telemedicine_ice_check(const struct px_options *options, const char **ret_key)
{
	struct json_object *turn_urls = px_options_json(options, "turn-urls");
	*ret_key = "ice-servers";
	if (!are_servers(px_options_json(options, "ice-servers"))) {
		return "must be an array of objects with urls, a string or an array of strings";
	}
	*ret_key = "turn-urls";
	if (turn_urls && !are_urls(turn_urls)) {
		return "must be a string or an array of strings";
	}
	*ret_key = turn_urls ? "turn-urls" : "turn-secret";
	if (!turn_urls != !px_options_string(options, "turn-secret")) {
		return "turn-urls and turn-secret must be set together";
	}
	return NULL;
}

int telemedicine_ice_init(struct ice *ice, const struct px_options *options)
{
	struct json_object *turn_urls = px_options_json(options, "turn-urls");
	ice->turn_ttl_s = px_options_int(options, "turn-ttl");
	ice->servers = to_text(px_options_json(options, "ice-servers"));
	if (!ice->servers) {
		return -ENOMEM;
	}
	/* Without its brackets, to stand in a longer array. */
	size_t len = strlen(ice->servers);
	ice->servers[len - 1] = '\0';
	memmove(ice->servers, ice->servers + 1, len - 1);
	if (turn_urls) {
		ice->turn_urls = urls_text(turn_urls);
		ice->turn_secret = strdup(px_options_string(options, "turn-secret"));
	}
	return !turn_urls || (ice->turn_urls && ice->turn_secret) ? 0 : -ENOMEM;
}

void telemedicine_ice_finish(struct ice *ice)
{
	free(ice->servers);
	free(ice->turn_urls);
	free(ice->turn_secret);
	*ice = (struct ice){ 0 };
}

static void write_turn(const struct telemedicine *telemedicine, struct px_span user,
		int64_t expires_s, struct px_json *json)
{
	const struct ice *ice = &telemedicine->ice;
	char username[PX_ID_MAX + 32];
	char credential[29];
	int len = snprintf(username, sizeof(username), "%lld:%.*s", (long long)expires_s,
			(int)user.len, user.data);
	struct px_span name = { username, (size_t)len };
	if (px_broker_hmac_sha1(telemedicine->broker, px_span(ice->turn_secret), name,
			credential) < 0) {
		return;
	}
	px_json_open_object(json, NULL);
	px_json_raw(json, "urls", px_span(ice->turn_urls));
	px_json_string(json, "username", name);
	px_json_text(json, "credential", credential);
	px_json_close_object(json);
}

int64_t telemedicine_write_ice(const struct telemedicine *telemedicine, struct px_span user,
		struct px_json *json)
{
	const struct ice *ice = &telemedicine->ice;
	int64_t expires_s = px_broker_wall_ms(telemedicine->broker) / 1000 + ice->turn_ttl_s;
	px_json_open_array(json, "iceServers");
	if (ice->servers[0] != '\0') {
		px_json_raw(json, NULL, px_span(ice->servers));
	}
	if (ice->turn_urls) {
		write_turn(telemedicine, user, expires_s, json);
	}
	px_json_close_array(json);
	return expires_s * 1000;
}

int telemedicine_handle_ice_servers(struct px_call *call)
{
	struct px_span user = px_session_user(call->session).text;
	char client_id[PX_CLIENT_ID_SIZE];
	struct px_json json;
	const struct px_field *room = px_envelope_field(call->message, "roomId");
	if (user.len == 0) {
		px_session_client_id(call->session, client_id);
		user = px_span(client_id);
	}
	px_json_begin(&json, "telemedicine_ice_servers");
	if (room) {
		px_json_raw(&json, "roomId", room->value);
	}
	int64_t expires_ms = telemedicine_write_ice(call->service_state, user, &json);
	px_json_int(&json, "expiresAt", expires_ms);
	px_json_end(&json);
	px_session_send_json(call->session, &json);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Requests, answers, and what to say where there is none. See client.h. */
#include "client_internal.h"
#include "common/strict_json.h"
#include "terminal/exit_codes.h"
#include "terminal/plain.h"

#include <errno.h>
#include <json-c/json.h>
#include <praxis/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ANSWER_MAX (16 * 1024 * 1024)
#define SILENCE_MS 20000 /* the server says what time it is every five seconds */

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Hands on the lines that are whole. False: enough. */
static bool hand_on(struct px_ctl_client *client)
{
	size_t at = 0;
	char *end;
	while (client->line_code == -1 && at < client->len &&
			(end = memchr(client->body + at, '\n', client->len - at)) != NULL) {
		size_t len = (size_t)(end - client->body) - at;
		client->line_code = client->line(client->user,
				(struct px_span){ client->body + at, len });
		at += len + 1;
	}
	memmove(client->body, client->body + at, client->len - at);
	client->len -= at;
	return client->line_code == -1;
}

size_t px_ctl_client_take(char *data, size_t one, size_t len, void *user)
{
	struct px_ctl_client *client = user;
	long status = 0;
	(void)one;
	client->heard_ms = now_ms();
	if (len > ANSWER_MAX - client->len) {
		return 0;
	}
	if (client->len + len > client->size) {
		size_t size = client->size > 0 ? client->size : 4096;
		while (size < client->len + len) {
			size *= 2;
		}
		char *body = realloc(client->body, size);
		if (!body) {
			return 0;
		}
		client->body = body;
		client->size = size;
	}
	memcpy(client->body + client->len, data, len);
	client->len += len;
	if (client->line) {
		curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
	}
	return status == 200 && !hand_on(client) ? 0 : len;
}

/* ---- what goes wrong ---- */

static const char *why(const struct px_ctl_client *client, CURLcode rc)
{
	long number = 0;
	if (rc == CURLE_COULDNT_CONNECT) {
		curl_easy_getinfo(client->easy, CURLINFO_OS_ERRNO, &number);
	}
	if (number != 0) {
		return strerror((int)number); /* which curl keeps to itself */
	}
	return rc == CURLE_OPERATION_TIMEDOUT || rc == CURLE_ABORTED_BY_CALLBACK ?
			"no answer in time" :
			client->error[0] ? client->error : curl_easy_strerror(rc);
}

static int blame_transport(const struct px_ctl_client *client, CURLcode rc)
{
	const struct px_ctl_target *target = client->target;
	switch (rc) {
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_SSL_CACERT_BADFILE:
		px_ctl_say(target, "%s: %s", client->base, why(client, rc));
		return PX_CTL_USAGE;
	case CURLE_PEER_FAILED_VERIFICATION:
		px_ctl_say(target, "%s: %s (use --cacert for its certificate's issuer)",
				client->base, why(client, rc));
		return PX_CTL_UNREACHABLE;
	case CURLE_WRITE_ERROR:
		px_ctl_say(target, "%s: the answer is too large", client->base);
		return PX_CTL_NO;
	default:
		px_ctl_say(target, "cannot reach %s: %s", client->base, why(client, rc));
		return PX_CTL_UNREACHABLE;
	}
}

static int code_of(int status)
{
	return status == 401 || status == 403 ? PX_CTL_UNAUTHORISED : PX_CTL_NO;
}

/* The error that an answer holds, in words. */
static void say_refusal(const struct px_ctl_client *client, struct json_object *error)
{
	struct px_span message = px_span("");
	struct px_span name = px_span("");
	struct px_span field = { NULL, 0 };
	(void)px_json_get_text(error, "message", &message);
	(void)px_json_get_text(error, "code", &name);
	(void)px_json_get_text(error, "field", &field);
	char *plain = px_plain(message);
	px_ctl_say(client->target, "%s (%d %s%s%s)", plain ? plain : "", client->status, name.data,
			field.data ? ", " : "", field.data ? field.data : "");
	free(plain);
}

static int blame_server(const struct px_ctl_client *client, struct json_object *object)
{
	struct json_object *error = NULL;
	if (client->forgives_missing && client->status == 404) {
		return PX_CTL_NO;
	}
	if (!json_object_object_get_ex(object, "error", &error)) {
		px_ctl_say(client->target, "%s answers, but not like praxisd (%d): is the address right?",
				client->base, client->status);
		return code_of(client->status);
	}
	if (client->target->json) {
		fprintf(stderr, "%.*s\n", (int)client->len, client->body);
	} else {
		say_refusal(client, error);
	}
	if (client->status == 401) {
		px_ctl_say(client->target, client->has_token ?
				"The server does not accept this token: it has expired, or was signed with "
				"another secret or for another issuer." :
				"No token: give one with --token-file, or the server's secret with "
				"--secret-file; see --help.");
	}
	return code_of(client->status);
}

/* ---- requests ---- */

/* The handle's next transfer; curl's result. */
static CURLcode perform(struct px_ctl_client *client, const char *path)
{
	char url[PX_CTL_URL_MAX + PX_CTL_PATH_MAX + 16];
	long status = 0;
	(void)snprintf(url, sizeof(url), "%s/%s", client->base, path);
	client->len = 0;
	client->error[0] = '\0';
	curl_easy_setopt(client->easy, CURLOPT_URL, url);
	CURLcode rc = curl_easy_perform(client->easy);
	curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
	client->status = (int)status;
	return rc;
}

static int copy_headers(const struct px_ctl_client *client, const struct px_ctl_request *request,
		struct curl_slist **ret_headers)
{
	int rc = 0;
	for (const struct curl_slist *at = client->headers; at && rc == 0; at = at->next) {
		rc = px_ctl_header_add(ret_headers, at->data, px_span(""));
	}
	if (rc == 0 && request->body.len > 0) {
		rc = px_ctl_header_add(ret_headers, "Content-Type: application/json", px_span(""));
		rc = rc < 0 ? rc : px_ctl_header_add(ret_headers, "Expect:", px_span(""));
	}
	if (rc == 0 && request->idempotency_key) {
		rc = px_ctl_header_add(ret_headers, "Idempotency-Key: ", px_span(request->idempotency_key));
	}
	return rc;
}

static CURLcode transfer(struct px_ctl_client *client, const struct px_ctl_request *request)
{
	struct curl_slist *headers = NULL;
	char path[PX_CTL_PATH_MAX + 16];
	CURLcode rc = CURLE_OUT_OF_MEMORY;
	(void)snprintf(path, sizeof(path), "api/v1/%s", request->path->text);
	if (copy_headers(client, request, &headers) == 0) {
		if (request->body.len > 0) {
			curl_easy_setopt(client->easy, CURLOPT_POSTFIELDSIZE, (long)request->body.len);
			curl_easy_setopt(client->easy, CURLOPT_POSTFIELDS, request->body.data);
		} else {
			curl_easy_setopt(client->easy, CURLOPT_HTTPGET, 1L);
		}
		curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, headers);
		rc = perform(client, path);
		curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, NULL);
	}
	curl_slist_free_all(headers);
	return rc;
}

int px_ctl_client_ask(struct px_ctl_client *client, const struct px_ctl_request *request,
		struct px_ctl_answer *ret_answer)
{
	const char *key = request->idempotency_key;
	if (request->path->failed || (key && (key[0] == '\0' || !px_ctl_is_visible(px_span(key))))) {
		px_ctl_say(client->target, "%s", request->path->failed ? "an argument is too long" :
				"an idempotency key is 1 to 128 visible ASCII characters");
		return PX_CTL_USAGE;
	}
	struct json_object *object = NULL;
	CURLcode rc = transfer(client, request);
	if (rc != CURLE_OK) {
		return blame_transport(client, rc);
	}
	const struct px_span text = { client->body, client->len };
	(void)px_strict_json_parse(text, &object);
	if (client->status != 200 || !object) {
		int code = blame_server(client, object);
		json_object_put(object);
		return code;
	}
	*ret_answer = (struct px_ctl_answer){ text, object };
	return 0;
}

int px_ctl_client_knock(struct px_ctl_client *client, const char *path, double *ret_ms,
		const char **ret_why)
{
	static const char other[] = "a server answers, but not like praxisd";
	double asked_s = 0;
	double answered_s = 0;
	curl_easy_setopt(client->easy, CURLOPT_HTTPGET, 1L);
	CURLcode rc = perform(client, path);
	if (rc != CURLE_OK || client->status != 200) {
		*ret_why = rc != CURLE_OK ? why(client, rc) : other;
		return -1;
	}
	curl_easy_getinfo(client->easy, CURLINFO_PRETRANSFER_TIME, &asked_s);
	curl_easy_getinfo(client->easy, CURLINFO_STARTTRANSFER_TIME, &answered_s);
	*ret_ms = (answered_s - asked_s) * 1000;
	return 0;
}

/* ---- answers that go on ---- */

/*
 * Called about once a second, and whenever something happens. 1: it has been silent for too long.
 */
static int on_progress(void *user, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
		curl_off_t up)
{
	const struct px_ctl_client *client = user;
	int64_t limit_ms = client->target->timeout_ms;
	(void)down_all;
	(void)up_all;
	(void)up;
	if (down > 0 && limit_ms < SILENCE_MS) {
		limit_ms = SILENCE_MS;
	}
	return now_ms() - client->heard_ms > limit_ms;
}

/* The empty line behind the head of an answer that is one. */
static size_t on_header(char *data, size_t one, size_t len, void *user)
{
	struct px_ctl_client *client = user;
	long status = 0;
	(void)one;
	curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200 && len <= 2 && data[0] == '\r') {
		client->begun(client->user);
	}
	return len;
}

static void set_following(struct px_ctl_client *client, bool follows)
{
	CURL *easy = client->easy;
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, follows ? 0L : (long)client->target->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, follows ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, client);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, follows ? on_header : NULL);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, follows ? client : NULL);
}

int px_ctl_client_follow(struct px_ctl_client *client, const struct px_ctl_request *request,
		void (*begun)(void *user), int (*line)(void *user, struct px_span line), void *user)
{
	struct json_object *object = NULL;
	client->begun = begun;
	client->line = line;
	client->user = user;
	client->line_code = -1;
	client->heard_ms = now_ms();
	set_following(client, true);
	CURLcode rc = transfer(client, request);
	set_following(client, false);
	client->line = NULL;
	if (client->line_code != -1) {
		return client->line_code;
	}
	if (rc != CURLE_OK) {
		return blame_transport(client, rc);
	}
	if (client->status == 200) {
		px_ctl_client_say(client, "the connection was lost");
		return PX_CTL_UNREACHABLE;
	}
	(void)px_strict_json_parse((struct px_span){ client->body, client->len }, &object);
	int code = blame_server(client, object);
	json_object_put(object);
	return code;
}

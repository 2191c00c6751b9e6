/* SPDX-License-Identifier: MIT */
/*
 * See client.h. curl is told to be a client for one server and nothing else: no redirects, no
 * proxies or passwords from the environment (the token would go along), no compression.
 */
#include "client.h"

#include "bearer.h"
#include "commands.h"
#include "plain.h"
#include "strict_json.h"
#include "version.h"

#include <curl/curl.h>
#include <errno.h>
#include <json-c/json.h>
#include <praxis/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ANSWER_MAX (16 * 1024 * 1024)
#define URL_MAX 512
#define DEFAULT_PORT "9002"

struct px_ctl_client {
	const struct px_ctl_target *target;
	CURL *easy;
	struct curl_slist *headers; /* of every request to the API */
	char base[URL_MAX];
	char error[CURL_ERROR_SIZE];
	char *body;
	size_t len;
	size_t size;
	int status;
	bool has_token;
	bool forgives_missing;
};

/* ---- the connection ---- */

static size_t on_body(char *data, size_t one, size_t len, void *user)
{
	struct px_ctl_client *client = user;
	(void)one;
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
	return len;
}

static bool is_http(const char *url)
{
	return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);
	return value && value[0] != '\0' ? value : NULL;
}

static int find_base(struct px_ctl_client *client)
{
	const struct px_ctl_target *target = client->target;
	const char *url = target->url ? target->url : variable("PRAXIS_URL");
	const char *port = variable("PRAXIS_PORT");
	int len = url ? snprintf(client->base, sizeof(client->base), "%s", url) :
			snprintf(client->base, sizeof(client->base), "http://127.0.0.1:%s",
					port ? port : DEFAULT_PORT);
	while (len > 0 && len < URL_MAX && client->base[len - 1] == '/') {
		client->base[--len] = '\0';
	}
	if (len >= URL_MAX || !is_http(client->base) || strpbrk(client->base, "?# ")) {
		px_ctl_say(target, "%s: expected an address like http://127.0.0.1:9002",
				url ? url : client->base);
		return PX_CTL_USAGE;
	}
	return 0;
}

static int add_header(struct curl_slist **headers, const char *name, struct px_span value)
{
	size_t name_len = strlen(name);
	char *line = malloc(name_len + value.len + 1);
	if (!line) {
		return -ENOMEM;
	}
	memcpy(line, name, name_len);
	memcpy(line + name_len, value.data, value.len);
	line[name_len + value.len] = '\0';
	struct curl_slist *longer = curl_slist_append(*headers, line);
	explicit_bzero(line, name_len + value.len);
	free(line);
	*headers = longer ? longer : *headers;
	return longer ? 0 : -ENOMEM;
}

/* A line end in a token would begin a header of somebody's choice. */
static bool is_clean(struct px_span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] <= ' ' || text.data[i] > '~') {
			return false;
		}
	}
	return true;
}

static int take_token(struct px_ctl_client *client)
{
	struct px_bearer bearer;
	int code = px_bearer_find(client->target, &bearer);
	if (code == 0 && !is_clean(bearer.token)) {
		px_ctl_say(client->target, "what was given as a token is none");
		code = PX_CTL_USAGE;
	} else if (code == 0 && bearer.token.len > 0) {
		client->has_token = true;
		if (add_header(&client->headers, "Authorization: Bearer ", bearer.token) < 0) {
			px_ctl_say(client->target, "out of memory");
			code = PX_CTL_USAGE;
		}
	}
	px_bearer_free(&bearer);
	return code;
}

static void set_up(struct px_ctl_client *client)
{
	const struct px_ctl_target *target = client->target;
	CURL *easy = client->easy;
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "praxisctl/" PX_VERSION);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, client->error);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)target->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)target->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, client);
	if (target->cacert) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, target->cacert);
	}
	if (target->insecure) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

static int open_client(const struct px_ctl_target *target, bool needs_token,
		struct px_ctl_client **ret_client)
{
	struct px_ctl_client *client = calloc(1, sizeof(*client));
	if (!client) {
		px_ctl_say(target, "out of memory");
		return PX_CTL_USAGE;
	}
	client->target = target;
	int code = find_base(client);
	code = code != 0 || !needs_token ? code : take_token(client);
	if (code == 0) {
		client->easy = curl_easy_init();
	}
	if (code == 0 && !client->easy) {
		px_ctl_say(target, "curl does not start");
		code = PX_CTL_USAGE;
	}
	if (code != 0) {
		px_ctl_client_close(client);
		return code;
	}
	set_up(client);
	*ret_client = client;
	return 0;
}

int px_ctl_client_open(const struct px_ctl_target *target, struct px_ctl_client **ret_client)
{
	return open_client(target, true, ret_client);
}

int px_ctl_client_open_public(const struct px_ctl_target *target,
		struct px_ctl_client **ret_client)
{
	return open_client(target, false, ret_client);
}

void px_ctl_client_close(struct px_ctl_client *client)
{
	if (client) {
		curl_easy_cleanup(client->easy);
		curl_slist_free_all(client->headers);
		free(client->body);
		free(client);
	}
}

void px_ctl_client_say(const struct px_ctl_client *client, const char *sentence)
{
	px_ctl_say(client->target, "%s", sentence);
}

bool px_ctl_client_missed(const struct px_ctl_client *client)
{
	return client->status == 404;
}

void px_ctl_client_forgive_missing(struct px_ctl_client *client)
{
	client->forgives_missing = true;
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
	return rc == CURLE_OPERATION_TIMEDOUT ? "no answer in time" :
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
		px_ctl_say(target, "%s: %s (its certificate's issuer can be named with --cacert)",
				client->base, why(client, rc));
		return PX_CTL_UNREACHABLE;
	case CURLE_WRITE_ERROR:
		px_ctl_say(target, "%s: the answer is too large", client->base);
		return PX_CTL_NO;
	default:
		px_ctl_say(target, "%s can not be reached: %s", client->base, why(client, rc));
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
		px_ctl_say(client->target, "%s answers, but not as praxisd does (%d): is that its "
				"address?", client->base, client->status);
		return code_of(client->status);
	}
	if (client->target->json) {
		fprintf(stderr, "%.*s\n", (int)client->len, client->body);
	} else {
		say_refusal(client, error);
	}
	if (client->status == 401) {
		px_ctl_say(client->target, client->has_token ?
				"The server does not take this token: it has expired, or was signed "
				"with another secret or for another issuer." :
				"No token: give one with --token-file, or the server's secret with "
				"--secret-file; see --help.");
	}
	return code_of(client->status);
}

/* ---- requests ---- */

/* The handle's next transfer; curl's result. */
static CURLcode perform(struct px_ctl_client *client, const char *path)
{
	char url[URL_MAX + PX_CTL_PATH_MAX + 16];
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
		rc = add_header(ret_headers, at->data, px_span(""));
	}
	if (rc == 0 && request->body.len > 0) {
		rc = add_header(ret_headers, "Content-Type: application/json", px_span(""));
		rc = rc < 0 ? rc : add_header(ret_headers, "Expect:", px_span(""));
	}
	if (rc == 0 && request->idempotency_key) {
		rc = add_header(ret_headers, "Idempotency-Key: ", px_span(request->idempotency_key));
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
	if (request->path->failed || (key && (key[0] == '\0' || !is_clean(px_span(key))))) {
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
	static const char other[] = "something answers, but not as praxisd does";
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

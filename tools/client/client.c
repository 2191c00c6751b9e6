/* SPDX-License-Identifier: MIT */
/*
 * See client.h. curl is told to be a client for one server and nothing else: no redirects, no
 * proxies or passwords from the environment (the token would go along), no compression.
 */
#include "bearer.h"
#include "client_internal.h"
#include "terminal/exit_codes.h"
#include "version.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_PORT "9002"

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
	while (len > 0 && len < PX_CTL_URL_MAX && client->base[len - 1] == '/') {
		client->base[--len] = '\0';
	}
	if (len >= PX_CTL_URL_MAX || !is_http(client->base) || strpbrk(client->base, "?# ")) {
		px_ctl_say(target, "%s: expected an address like http://127.0.0.1:9002",
				url ? url : client->base);
		return PX_CTL_USAGE;
	}
	return 0;
}

int px_ctl_header_add(struct curl_slist **headers, const char *name, struct px_span value)
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

bool px_ctl_is_visible(struct px_span text)
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
	if (code == 0 && !px_ctl_is_visible(bearer.token)) {
		px_ctl_say(client->target, "the given token is malformed");
		code = PX_CTL_USAGE;
	} else if (code == 0 && bearer.token.len > 0) {
		client->has_token = true;
		client->is_minted = bearer.minted;
		if (px_ctl_header_add(&client->headers, "Authorization: Bearer ", bearer.token) < 0) {
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
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, px_ctl_client_take);
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

bool px_ctl_client_is_minted(const struct px_ctl_client *client)
{
	return client->is_minted;
}

bool px_ctl_client_missed(const struct px_ctl_client *client)
{
	return client->status == 404;
}

void px_ctl_client_forgive_missing(struct px_ctl_client *client)
{
	client->forgives_missing = true;
}

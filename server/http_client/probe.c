/* SPDX-License-Identifier: MIT */
/*
 * One blocking request, for a process that does nothing else: `praxisd --health` asks the server
 * beside it. Over TLS no certificate is verified: the question is whether a server answers, on an
 * address of this machine, and the request contains no secret.
 */
#include "http_client_internal.h"

#include <errno.h>
#include <stdio.h>

static size_t drop(char *data, size_t one, size_t len, void *user)
{
	(void)data;
	(void)one;
	(void)user;
	return len;
}

static void set_options(CURL *easy, const struct px_http_client_probe *probe)
{
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
		{ CURLOPT_FOLLOWLOCATION, 0 },
		{ CURLOPT_NETRC, CURL_NETRC_IGNORED },
		{ CURLOPT_SSL_VERIFYPEER, 0 },
		{ CURLOPT_SSL_VERIFYHOST, 0 },
		{ CURLOPT_TIMEOUT_MS, probe->timeout_ms },
		{ CURLOPT_HAPROXYPROTOCOL, probe->says_proxy },
	};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		(void)curl_easy_setopt(easy, numbers[i].option, numbers[i].value);
	}
	(void)curl_easy_setopt(easy, CURLOPT_URL, probe->url);
	(void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
}

/* A server that refuses clients without a certificate has answered. */
static bool wants_certificate(const struct px_http_client_probe *probe, CURLcode code)
{
	return probe->may_want_certificate && (code == CURLE_SSL_CONNECT_ERROR ||
			code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR ||
			code == CURLE_GOT_NOTHING);
}

int px_http_client_probe(const struct px_http_client_probe *probe, int *ret_status, char *fault,
		size_t size)
{
	long status = 0;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		return -ENOMEM;
	}
	CURL *easy = curl_easy_init();
	CURLcode code = CURLE_FAILED_INIT;
	if (easy) {
		set_options(easy, probe);
		code = curl_easy_perform(easy);
		(void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	}
	curl_easy_cleanup(easy);
	curl_global_cleanup();
	if (code != CURLE_OK && !wants_certificate(probe, code)) {
		(void)snprintf(fault, size, "%s", curl_easy_strerror(code));
		return -EIO;
	}
	*ret_status = (int)status;
	return 0;
}

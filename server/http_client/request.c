/* SPDX-License-Identifier: MIT */
/*
 * One request as a transfer of curl's: what is sent, what is accepted, and how its end is
 * interpreted. curl is restricted to a single GET or POST, with the system's certificates only, and
 * without redirects (the client's cookie would go along), proxies or passwords from the
 * environment, HTTP/0.9, and compression (64 KiB that expand to a gigabyte).
 */
#include "http_client_internal.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_http(const char *url)
{
	return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
}

/* A line end in a value would begin a header, or a request, chosen by the client. */
static bool is_clean(struct px_span value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char byte = (unsigned char)value.data[i];
		if (byte < ' ' || byte == 0x7f) {
			return false;
		}
	}
	return true;
}

int px_http_client_check(const struct px_http_client_request *request)
{
	bool fine = is_http(request->url) && is_clean(px_span(request->url)) &&
			is_clean(request->cookie) && is_clean(request->authorization) &&
			is_clean(request->origin) && is_clean(px_span(request->address)) &&
			is_clean(request->signature) && request->timeout_ms > 0 &&
			(!request->body.data || request->cache_s == 0);
	return fine ? 0 : -EINVAL;
}

/* Preceded by its length, so that parts cannot run into each other. */
static bool digest(EVP_MD_CTX *context, struct px_span part)
{
	return EVP_DigestUpdate(context, &part.len, sizeof(part.len)) &&
			EVP_DigestUpdate(context, part.data, part.len);
}

/* Over everything that is sent: the back end may decide by address and origin, too. */
int px_http_client_key(const struct px_http_client_request *request,
		unsigned char ret_key[PX_HTTP_CLIENT_KEY_SIZE])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool done = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) &&
			digest(context, px_span(request->url)) &&
			digest(context, request->cookie) &&
			digest(context, request->authorization) &&
			digest(context, request->origin) &&
			digest(context, px_span(request->address)) &&
			EVP_DigestFinal_ex(context, ret_key, NULL);
	EVP_MD_CTX_free(context);
	return done ? 0 : -ENOMEM;
}

static int add_line(struct px_outgoing *outgoing, const char *line)
{
	struct curl_slist *headers = curl_slist_append(outgoing->headers, line);
	if (!headers) {
		return -ENOMEM;
	}
	outgoing->headers = headers;
	return 0;
}

static int add_header(struct px_outgoing *outgoing, const char *name, struct px_span value)
{
	size_t name_len = strlen(name);
	if (value.len == 0) {
		return 0;
	}
	char *line = malloc(name_len + value.len + 1);
	if (!line) {
		return -ENOMEM;
	}
	memcpy(line, name, name_len);
	memcpy(line + name_len, value.data, value.len);
	line[name_len + value.len] = '\0';
	int rc = add_line(outgoing, line);
	explicit_bzero(line, name_len + value.len);
	free(line);
	return rc;
}

static int add_headers(struct px_outgoing *outgoing, const struct px_http_client_request *request)
{
	int rc = add_header(outgoing, "Accept: ", px_span("application/json"));
	rc = rc < 0 ? rc : add_header(outgoing, "Cookie: ", request->cookie);
	rc = rc < 0 ? rc : add_header(outgoing, "Authorization: ", request->authorization);
	rc = rc < 0 ? rc : add_header(outgoing, "Origin: ", request->origin);
	rc = rc < 0 ? rc : add_header(outgoing, "X-Forwarded-For: ", px_span(request->address));
	rc = rc < 0 ? rc : add_header(outgoing, "Praxis-Signature: ", request->signature);
	if (rc < 0 || !outgoing->tells) {
		return rc;
	}
	rc = add_line(outgoing, "Content-Type: application/json");
	/* Otherwise curl first asks whether it may send a long body, and waits for an answer. */
	return rc < 0 ? rc : add_line(outgoing, "Expect:");
}

int px_outgoing_reserve(struct px_outgoing *outgoing, size_t size)
{
	if (size <= outgoing->body_size) {
		return 0;
	}
	/* Not realloc(), which may leave a copy behind. */
	char *body = malloc(size);
	if (!body) {
		return -ENOMEM;
	}
	if (outgoing->answer.body.len > 0) {
		memcpy(body, outgoing->body, outgoing->answer.body.len);
	}
	px_outgoing_forget(outgoing);
	outgoing->body = body;
	outgoing->body_size = size;
	outgoing->answer.body.data = body;
	return 0;
}

static size_t on_header(char *data, size_t one, size_t len, void *user)
{
	struct px_outgoing *outgoing = user;
	(void)one;
	if (len > 5 && memcmp(data, "HTTP/", 5) == 0) {
		outgoing->head_open = true;
	} else if (data[0] == '\r' || data[0] == '\n') {
		outgoing->head_open = false;
	}
	outgoing->header_bytes += len;
	outgoing->too_large = outgoing->header_bytes > PX_HTTP_CLIENT_ANSWER_MAX;
	return outgoing->too_large ? 0 : len; /* 0 aborts, and closes the connection */
}

static size_t on_body(char *data, size_t one, size_t len, void *user)
{
	struct px_outgoing *outgoing = user;
	struct px_span *body = &outgoing->answer.body;
	long status = 0;
	(void)one;
	outgoing->body_bytes += len;
	outgoing->too_large = outgoing->body_bytes > PX_HTTP_CLIENT_ANSWER_MAX;
	if (outgoing->too_large) {
		return 0;
	}
	curl_easy_getinfo(outgoing->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200 || outgoing->tells) {
		return len;
	}
	/* Doubled: a slow back end would otherwise have everything copied for each byte. */
	size_t size = outgoing->body_size > 0 ? outgoing->body_size : 1024;
	while (size < body->len + len) {
		size *= 2;
	}
	if (px_outgoing_reserve(outgoing, size) < 0) {
		return 0;
	}
	memcpy(outgoing->body + body->len, data, len);
	body->len += len;
	return len;
}

static const struct {
	CURLoption option;
	long value;
} numbers[] = {
	{ CURLOPT_NOSIGNAL, 1 },
	/* Without it, a hanging lookup is waited for on this thread when its time is up. */
	{ CURLOPT_QUICK_EXIT, 1 },
	{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
	{ CURLOPT_HTTP09_ALLOWED, 0 },
	{ CURLOPT_FOLLOWLOCATION, 0 },
	{ CURLOPT_NETRC, CURL_NETRC_IGNORED },
	{ CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
	{ CURLOPT_SSL_VERIFYPEER, 1 },
	{ CURLOPT_SSL_VERIFYHOST, 2 },
	/* Refuses an announced length; on_body() refuses others. */
	{ CURLOPT_MAXFILESIZE, PX_HTTP_CLIENT_ANSWER_MAX },
	/* Connections are reused for a limited time: back ends move. */
	{ CURLOPT_MAXAGE_CONN, 30 },
	{ CURLOPT_MAXLIFETIME_CONN, 300 },
};

static const struct {
	CURLoption option;
	const char *value;
} strings[] = {
	{ CURLOPT_USERAGENT, "praxisd" },
	{ CURLOPT_PROTOCOLS_STR, "http,https" },
	{ CURLOPT_PROXY, "" },
	/*
	 * Debian sets file and directory, with the same content; curl caches only a file, and reading
	 * takes longer than everything else.
	 */
	{ CURLOPT_CAPATH, NULL },
};

static CURLcode set_body(CURL *easy, struct px_span body)
{
	/* An announced length would end the answer before its Retry-After is read. */
	curl_easy_setopt(easy, CURLOPT_MAXFILESIZE, 0L);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
	return curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body.data);
}

static int set_options(struct px_outgoing *outgoing, const struct px_http_client_request *request)
{
	CURL *easy = outgoing->easy;
	CURLcode code = CURLE_OK;
	for (size_t i = 0; code == CURLE_OK && i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		code = curl_easy_setopt(easy, numbers[i].option, numbers[i].value);
	}
	for (size_t i = 0; code == CURLE_OK && i < sizeof(strings) / sizeof(strings[0]); i++) {
		code = curl_easy_setopt(easy, strings[i].option, strings[i].value);
	}
	if (code == CURLE_OK) {
		code = curl_easy_setopt(easy, CURLOPT_URL, request->url);
	}
	if (code == CURLE_OK && outgoing->tells) {
		code = set_body(easy, request->body);
	}
	/* These only store pointers. */
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, request->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, outgoing->headers);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, outgoing);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, outgoing);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, outgoing);
	return code == CURLE_OK ? 0 : -ENOMEM;
}

int px_outgoing_prepare(struct px_outgoing *outgoing, const struct px_http_client_request *request)
{
	int rc = add_headers(outgoing, request);
	if (rc < 0) {
		return rc;
	}
	outgoing->easy = curl_easy_init();
	return outgoing->easy ? set_options(outgoing, request) : -ENOMEM;
}

static const char *fault_of(const struct px_outgoing *outgoing, CURLcode code)
{
	static const struct {
		CURLcode code;
		const char *fault;
	} faults[] = {
		{ CURLE_OPERATION_TIMEDOUT, "the back end does not answer in time" },
		{ CURLE_COULDNT_RESOLVE_HOST, "the back end's name cannot be resolved" },
		{ CURLE_COULDNT_CONNECT, "the back end cannot be reached" },
		{ CURLE_FILESIZE_EXCEEDED, "the back end's answer is too large" },
		{ CURLE_PARTIAL_FILE, "the back end's answer is incomplete" },
		{ CURLE_GOT_NOTHING, "the back end closes the connection without an answer" },
		{ CURLE_RECV_ERROR, "the connection to the back end broke" },
		{ CURLE_SEND_ERROR, "the connection to the back end broke" },
		{ CURLE_UNSUPPORTED_PROTOCOL, "the back end's answer is not HTTP" },
		{ CURLE_WEIRD_SERVER_REPLY, "the back end's answer is not HTTP" },
		{ CURLE_PEER_FAILED_VERIFICATION, "the back end's certificate is not trusted" },
		{ CURLE_SSL_CONNECT_ERROR, "the TLS handshake with the back end failed" },
		{ CURLE_SSL_CACERT_BADFILE, "the system's certificates cannot be read" },
		{ CURLE_URL_MALFORMAT, "the back end's URL is invalid" },
		{ CURLE_WRITE_ERROR, "out of memory for the back end's answer" },
		/* Also a header that is too long for curl; CURLE_TOO_LARGE from 8.6 on. */
		{ CURLE_OUT_OF_MEMORY, "the back end's answer is too large, or memory is exhausted" },
		{ (CURLcode)100, "the back end's answer is too large" },
	};
	if (outgoing->too_large) {
		code = CURLE_FILESIZE_EXCEEDED;
	}
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		if (faults[i].code == code) {
			return faults[i].fault;
		}
	}
	return "the request to the back end failed";
}

void px_outgoing_judge(struct px_outgoing *outgoing, CURLcode code)
{
	long status = 0;
	curl_off_t retry_after_s = 0;
	curl_easy_getinfo(outgoing->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(outgoing->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
	if (outgoing->tells && status >= 200 && !outgoing->head_open) {
		code = CURLE_OK;
	}
	/* For curl, half a head and a close are an answer without a body. */
	if (code == CURLE_OK && (outgoing->head_open || status <= 0)) {
		code = CURLE_PARTIAL_FILE;
	}
	if (code != CURLE_OK) {
		outgoing->answer.fault = fault_of(outgoing, code);
		outgoing->answer.body.len = 0;
	} else {
		outgoing->answer.status = (int)status;
		outgoing->answer.retry_after_s = retry_after_s > 0 ? retry_after_s : 0;
	}
}

void px_outgoing_hang_up(struct px_outgoing *outgoing)
{
	curl_easy_cleanup(outgoing->easy);
	for (struct curl_slist *at = outgoing->headers; at; at = at->next) {
		explicit_bzero(at->data, strlen(at->data));
	}
	curl_slist_free_all(outgoing->headers);
	outgoing->easy = NULL;
	outgoing->headers = NULL;
}

void px_outgoing_forget(struct px_outgoing *outgoing)
{
	if (outgoing->body) {
		explicit_bzero(outgoing->body, outgoing->body_size);
		free(outgoing->body);
	}
	outgoing->body = NULL;
	outgoing->body_size = 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * A request's head: what is taken, what it means, why the rest is refused, and what lws gets of it.
 */
#include "http/http_head.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

#define HOST "Host: a.example\r\n"

static struct px_http_head head;
static struct px_http_fault fault;

/*
 * In a block of just its size, so that a sanitizer sees a step past the end. Lives until the next.
 */
static int parse_bytes(const char *bytes, size_t len)
{
	static char *block;
	free(block);
	block = malloc(len > 0 ? len : 1);
	ck_assert_ptr_nonnull(block);
	memcpy(block, bytes, len);
	fault = (struct px_http_fault){ 0 };
	return px_http_head_parse(block, len, &head, &fault);
}

static int parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static void assert_span(struct px_span span, const char *wanted)
{
	ck_assert_uint_eq(span.len, strlen(wanted));
	ck_assert(memcmp(span.data, wanted, span.len) == 0);
}

static void assert_refused(const char *text, int status)
{
	int rc = parse(text);
	ck_assert_msg(rc == -EPROTO && fault.status == status, "%s: %d, %d", text, rc, fault.status);
	ck_assert_ptr_nonnull(fault.code);
	ck_assert_ptr_nonnull(fault.sentence);
}

START_TEST(a_request_is_read)
{
	const char *text = "GET /a/b.c?d=e&f=%20 HTTP/1.1\r\n" HOST "X-Other:  1 \r\n\r\nGET";
	ck_assert_int_eq(parse(text), 0);
	ck_assert_uint_eq(head.len, strlen(text) - 3);
	assert_span(head.method, "GET");
	assert_span(head.path, "/a/b.c");
	assert_span(head.query, "d=e&f=%20");
	assert_span(head.fields, HOST "X-Other:  1 \r\n");
	ck_assert(!head.closes && !head.upgrades && !head.is_10 && !head.is_head);
	ck_assert_uint_eq(head.content_length, 0);
}
END_TEST

START_TEST(one_that_is_not_there_yet_is_awaited)
{
	const char *text = "POST /api/v1/x HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n";
	for (size_t len = 0; len < strlen(text); len++) {
		ck_assert_int_eq(parse_bytes(text, len), -EAGAIN);
	}
	ck_assert_int_eq(parse(text), 0);
	ck_assert_uint_eq(head.content_length, 10);
}
END_TEST

START_TEST(paths_have_one_spelling)
{
	static const char *const others[] = {
		"//health", "/x/../health", "/./health", "/health/.", "/health/..", "/%68ealth",
		"/x//y", "/%2e%2e/health", "/x%2fhealth", "/x%5chealth", "/x\\health", "/%2E/health",
		"/..", "/.", "/a%7Eb", "/x/%2e",
	};
	static const char *const fine[] = {
		"/", "/health", "/x/", "/.well-known/x", "/a..b/...", "/a%20b", "/J%c3%b6rg", "/a:b@c",
		"/..;/x", "/%25",
	};
	char text[256];
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		(void)snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" HOST "\r\n", others[i]);
		assert_refused(text, 404);
	}
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		(void)snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" HOST "\r\n", fine[i]);
		ck_assert_msg(parse(text) == 0, "%s: %s", text, fault.sentence);
		assert_span(head.path, fine[i]);
	}
}
END_TEST

START_TEST(targets_that_are_none_are_refused)
{
	static const char *const bad[] = {
		"health", "*", "/%", "/%4", "/%zz", "/%00", "/?a=%00", "/?a=%0", "/a#b", "/\xc3\xb6",
		"http:///x", "http://a b/x", "http://user@a/x", "ftp://a/x", "http://[::1/x", "http://",
	};
	char text[256];
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" HOST "\r\n", bad[i]);
		assert_refused(text, 400);
	}
	char nul[] = "GET /?a=0b HTTP/1.1\r\n" HOST "\r\n";
	nul[8] = '\0';
	ck_assert_int_eq(parse_bytes(nul, sizeof(nul) - 1), -EPROTO);
	ck_assert_int_eq(fault.status, 400);
}
END_TEST

START_TEST(the_absolute_form_is_read)
{
	char text[256];
	ck_assert_int_eq(parse("GET HTTP://b.example:80/x?y HTTP/1.1\r\n" HOST "A: 1\r\n\r\n"), 0);
	assert_span(head.path, "/x");
	size_t len = px_http_head_write(&head, text, sizeof(text));
	assert_span((struct px_span){ text, len },
			"GET /x?y HTTP/1.1\r\nHost: b.example:80\r\nA: 1\r\n\r\n");
	ck_assert_int_eq(parse("GET http://[::1]:9?y HTTP/1.1\r\n" HOST "\r\n"), 0);
	assert_span(head.path, "/");
	assert_span(head.query, "y");
}
END_TEST

START_TEST(methods)
{
	assert_refused("BREW /health HTTP/1.1\r\n" HOST "\r\n", 405);
	assert_span(head.path, "/health");
	assert_refused("get /health HTTP/1.1\r\n" HOST "\r\n", 405);
	assert_refused("CONNECT a:80 HTTP/1.1\r\n" HOST "\r\n", 405);
	assert_refused("TRACE / HTTP/1.1\r\n" HOST "\r\n", 405);
	assert_refused("G(T / HTTP/1.1\r\n" HOST "\r\n", 400);
	assert_refused(" / HTTP/1.1\r\n" HOST "\r\n", 400);
}
END_TEST

START_TEST(first_lines_that_are_none)
{
	assert_refused("GET /\r\n" HOST "\r\n", 400);
	assert_refused("GET  / HTTP/1.1\r\n" HOST "\r\n", 400);
	assert_refused("GET / HTTP/1.1 \r\n" HOST "\r\n", 400);
	assert_refused("GET / http/1.1\r\n" HOST "\r\n", 400);
	assert_refused("GET / HTTP/1.10\r\n" HOST "\r\n", 400);
	assert_refused("GET / HTTP/2.0\r\n" HOST "\r\n", 505);
	assert_refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
	assert_refused("GET / HTTP/1.1\n" HOST "\r\n", 400);
	assert_refused("\x16\x03\x01", 400); /* TLS; at once, not when a line has ended */
	ck_assert_int_eq(parse("GET / HTTP/1.0\r\n\r\n"), 0);
	ck_assert(head.is_10 && head.closes);
	ck_assert_int_eq(parse("GET / HTTP/1.3\r\n" HOST "\r\n"), 0);
	ck_assert(!head.is_10);
}
END_TEST

START_TEST(fields_that_are_none)
{
	assert_refused("GET / HTTP/1.1\r\n" HOST "A : 1\r\n\r\n", 400);
	assert_refused("GET / HTTP/1.1\r\n" HOST "A\r\n\r\n", 400);
	assert_refused("GET / HTTP/1.1\r\n" HOST ": 1\r\n\r\n", 400);
	assert_refused("GET / HTTP/1.1\r\n" HOST "A: 1\r\n B\r\n\r\n", 400);
	assert_refused("GET / HTTP/1.1\r\n" HOST "A: 1\rB\r\n\r\n", 400);
	assert_refused("GET / HTTP/1.1\r\n" HOST "A: 1\nB: 2\r\n\r\n", 400);
	assert_refused("GET / HTTP/1.1\r\n" HOST "A: \x01\r\n\r\n", 400);
	ck_assert_int_eq(parse("GET / HTTP/1.1\r\n" HOST "A:\t\xc3\xb6\r\nB:\r\n\r\n"), 0);
}
END_TEST

START_TEST(there_is_one_host)
{
	assert_refused("GET / HTTP/1.1\r\n\r\n", 400);
	assert_refused("GET / HTTP/1.1\r\nHost:\r\n\r\n", 400);
	assert_refused("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400);
	assert_refused("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400);
	assert_refused("GET / HTTP/1.1\r\nHost: a:x\r\n\r\n", 400);
	assert_refused("GET / HTTP/1.1\r\n" HOST "hOST: a.example\r\n\r\n", 400);
	assert_refused("GET / HTTP/1.0\r\n" HOST HOST "\r\n", 400);
	assert_refused("GET http://a/ HTTP/1.1\r\n\r\n", 400);
	ck_assert_int_eq(parse("GET / HTTP/1.1\r\nHost: [::1]:9000\r\n\r\n"), 0);
}
END_TEST

START_TEST(bodies_have_a_place_and_a_length)
{
	static const char *const none[] = { "GET", "HEAD", "DELETE", "OPTIONS" };
	static const char *const some[] = { "POST", "PUT", "PATCH" };
	static const char *const wrong[] = { "", "+1", "-1", "-0", "0x1", "1,1", "1 1", "a", "1.0" };
	char text[256];
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		const char *format = "%s / HTTP/1.1\r\n" HOST "%s\r\n\r\n";
		(void)snprintf(text, sizeof(text), format, none[i], "Content-Length: 1");
		assert_refused(text, 400);
		(void)snprintf(text, sizeof(text), format, none[i], "Transfer-Encoding: chunked");
		assert_refused(text, 400);
		(void)snprintf(text, sizeof(text), format, none[i], "Content-Length: 00");
		ck_assert_int_eq(parse(text), 0);
	}
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		const char *format = "%s / HTTP/1.1\r\n" HOST "%s\r\n\r\n";
		(void)snprintf(text, sizeof(text), format, some[i], "Transfer-Encoding: gzip, chunked");
		assert_refused(text, 411);
		(void)snprintf(text, sizeof(text), format, some[i],
				"Transfer-Encoding: chunked\r\nContent-Length: 1");
		assert_refused(text, 400);
		(void)snprintf(text, sizeof(text), format, some[i],
				"Content-Length: 1\r\nContent-Length: 1");
		assert_refused(text, 400);
		(void)snprintf(text, sizeof(text), format, some[i],
				"Content-Length: 99999999999999999999");
		assert_refused(text, 413);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		(void)snprintf(text, sizeof(text), "POST / HTTP/1.1\r\n" HOST "Content-Length: %s\r\n\r\n",
				wrong[i]);
		assert_refused(text, 400);
	}
	ck_assert_int_eq(parse("POST / HTTP/1.1\r\n" HOST "Content-Length: 7\t\r\n\r\n"), 0);
	ck_assert_uint_eq(head.content_length, 7);
	/* The most that is counted, and one more. */
	ck_assert_int_eq(parse("POST / HTTP/1.1\r\n" HOST
			"Content-Length: 9223372036854775799\r\n\r\n"), 0);
	ck_assert_uint_eq(head.content_length, UINT64_C(9223372036854775799));
	assert_refused("POST / HTTP/1.1\r\n" HOST
			"Content-Length: 9223372036854775800\r\n\r\n", 413);
}
END_TEST

START_TEST(other_upgrades_are_no_concern)
{
	static const char *const offers[] = { "h2c", "TLS/1.0", "foo, h2c", "websocketx", "" };
	char text[512];
	char out[512];
	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
		(void)snprintf(text, sizeof(text), "GET /health HTTP/1.1\r\n" HOST
				"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: %s\r\n"
				"HTTP2-Settings: AAMAAABkAAQAAP__\r\nAccept: x\r\n\r\n", offers[i]);
		ck_assert_int_eq(parse(text), 0);
		ck_assert(!head.upgrades && !head.closes);
		size_t len = px_http_head_write(&head, out, sizeof(out));
		assert_span((struct px_span){ out, len },
				"GET /health HTTP/1.1\r\n" HOST "Accept: x\r\n\r\n");
	}
}
END_TEST

START_TEST(a_websocket_is_asked_for)
{
	ck_assert_int_eq(parse("GET /ws HTTP/1.1\r\n" HOST
			"Connection: keep-alive, upgrade\r\nUpgrade: WebSocket\r\n\r\n"), 0);
	ck_assert(head.upgrades);
	/* Without Connection it is an offer to somebody on the way. */
	ck_assert_int_eq(parse("GET /ws HTTP/1.1\r\n" HOST "Upgrade: websocket\r\n\r\n"), 0);
	ck_assert(!head.upgrades);
	assert_refused("GET /ws HTTP/1.0\r\n" HOST
			"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n", 400);
	assert_refused("POST /ws HTTP/1.1\r\n" HOST "Connection: upgrade\r\n"
			"Upgrade: websocket\r\nContent-Length: 1\r\n\r\n", 400);
}
END_TEST

/* RFC 9110 section 7.8: the server takes what it knows; lws is shown that alone. */
START_TEST(a_websocket_may_be_one_of_several_offers)
{
	static const char *const offers[] = { "h2c, websocket", "websocket,h2c", "foo/1, WebSocket",
		"websocket,", "websocket\r\nUpgrade: h2c", "h2c\r\nUpgrade: websocket" };
	char text[512];
	ck_assert_int_eq(parse("GET /ws HTTP/1.1\r\n" HOST
			"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"), 0);
	ck_assert(head.upgrades && !head.offers_more);
	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
		(void)snprintf(text, sizeof(text), "GET /ws?a HTTP/1.1\r\n" HOST
				"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMA\r\n"
				"Upgrade: %s\r\nSec-WebSocket-Version: 13\r\n\r\n", offers[i]);
		ck_assert_int_eq(parse(text), 0);
		ck_assert(head.upgrades && head.offers_more);
		char written[512];
		size_t len = px_http_head_write(&head, written, sizeof(written));
		assert_span((struct px_span){ written, len }, "GET /ws?a HTTP/1.1\r\n" HOST
				"Sec-WebSocket-Version: 13\r\n"
				"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
		ck_assert_uint_eq(px_http_head_write(&head, written, len - 1), 0);
	}
}
END_TEST

START_TEST(connections_and_expectations)
{
	ck_assert_int_eq(parse("GET / HTTP/1.1\r\n" HOST "Connection: a ,CLOSE\r\n\r\n"), 0);
	ck_assert(head.closes);
	ck_assert_int_eq(parse("POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\n\r\n"), 0);
	assert_refused("GET / HTTP/1.1\r\n" HOST "Expect: tea\r\n\r\n", 417);
	ck_assert_int_eq(parse("GET / HTTP/1.0\r\nExpect: tea\r\n\r\n"), 0);
}
END_TEST

/* One of `len` bytes that never ends. */
static int parse_long(const char *begin, size_t len)
{
	static char text[2 * PX_HTTP_HEAD_MAX];
	memset(text, 'a', sizeof(text));
	memcpy(text, begin, strlen(begin));
	return parse_bytes(text, len);
}

START_TEST(size_has_bounds)
{
	char text[8192] = "GET / HTTP/1.1\r\n" HOST;
	ck_assert_int_eq(parse_long("GET /", PX_HTTP_HEAD_MAX - 1), -EAGAIN);
	ck_assert_int_eq(parse_long("GET /", PX_HTTP_HEAD_MAX), -EPROTO);
	ck_assert_int_eq(fault.status, 414);
	ck_assert_int_eq(parse_long("GET / HTTP/1.1\r\nA: ", 2 * PX_HTTP_HEAD_MAX), -EPROTO);
	ck_assert_int_eq(fault.status, 431);
	for (int i = 0; i < PX_HTTP_FIELDS_MAX - 1; i++) {
		strcat(text, "A: 1\r\n");
	}
	strcat(text, "\r\n");
	ck_assert_int_eq(parse(text), 0);
	strcpy(text + strlen(text) - 2, "A: 1\r\n\r\n");
	assert_refused(text, 431);
	assert_refused("GET /?1&2;3&4&5&6&7&8&9&10&11&12&13&14&15&16&17 HTTP/1.1\r\n" HOST "\r\n", 400);
}
END_TEST

RUN_TESTS("http_head", a_request_is_read, one_that_is_not_there_yet_is_awaited,
		paths_have_one_spelling, targets_that_are_none_are_refused,
		the_absolute_form_is_read, methods, first_lines_that_are_none,
		fields_that_are_none, there_is_one_host, bodies_have_a_place_and_a_length,
		other_upgrades_are_no_concern, a_websocket_is_asked_for,
		a_websocket_may_be_one_of_several_offers,
		connections_and_expectations, size_has_bounds);

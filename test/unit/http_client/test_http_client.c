/* SPDX-License-Identifier: MIT */
/*
 * Requests to the back end: a client that trusts nothing, against a server that can do anything. In
 * every test a timer ticks along, and end() asserts that nothing ever held it up: that is what
 * clients of the running server would notice.
 */
#include "http_client/http_client_internal.h"

#include "fake.h"
#include "test_http_server.h"

#include <check.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>

#define TICK_MS 5
/* Fifty threads under valgrind on a busy machine may hold it up for so long. */
#define TICK_LATE_MS 3000
#define LIMIT_MS 1200

/* What became of a question. */
struct result {
	atomic_int calls;
	struct px_http_client_answer answer; /* body: below */
	char body[PX_HTTP_CLIENT_ANSWER_MAX + 1];
	void (*then)(struct result *result);
	struct px_outgoing *outgoing;
};

static uv_loop_t loop;
static uv_timer_t ticker;
static uint64_t ticked_at;
static uint64_t latest_tick_ms;
static int ticks;
static struct px_http_client *http_client;
static atomic_int answers;

/* ---- names that are looked up; libcurl calls this one instead of libc's ---- */

static pthread_mutex_t names_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t names_found = PTHREAD_COND_INITIALIZER;
static pthread_cond_t names_gone = PTHREAD_COND_INITIALIZER;
static bool names_work;
static atomic_int lookups;

PX_PUBLIC int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **ret_list)
{
	(void)service;
	(void)hints;
	(void)ret_list;
	pthread_mutex_lock(&names_lock);
	lookups++;
	while (strcmp(node, "slow.test") == 0 && !names_work) {
		pthread_cond_wait(&names_found, &names_lock);
	}
	lookups--;
	pthread_cond_broadcast(&names_gone);
	pthread_mutex_unlock(&names_lock);
	return EAI_NONAME;
}

/* Lets the lookups go that hang, and waits until they went. */
static void end_lookups(void)
{
	pthread_mutex_lock(&names_lock);
	names_work = true;
	pthread_cond_broadcast(&names_found);
	while (lookups > 0) {
		pthread_cond_wait(&names_gone, &names_lock);
	}
	pthread_mutex_unlock(&names_lock);
}

/* ---- the loop ---- */

static void on_tick(uv_timer_t *timer)
{
	uint64_t now = uv_hrtime();
	uint64_t gap_ms = (now - ticked_at) / 1000000;
	(void)timer;
	latest_tick_ms = gap_ms > latest_tick_ms ? gap_ms : latest_tick_ms;
	ticked_at = now;
	ticks++;
}

static void begin(void)
{
	signal(SIGPIPE, SIG_IGN);
	/* Nobody's environment decides where cookies go. */
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	server_start();
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	ck_assert_int_eq(px_http_client_create(&loop, &http_client), 0);
	uv_timer_init(&loop, &ticker);
	uv_timer_start(&ticker, on_tick, TICK_MS, TICK_MS);
	ticked_at = uv_hrtime();
}

static void run_for(int ms)
{
	uint64_t until = uv_hrtime() + (uint64_t)ms * 1000000;
	while (uv_hrtime() < until) {
		uv_run(&loop, UV_RUN_ONCE);
	}
}

static void run_until(atomic_int *count, int wanted)
{
	uint64_t until = uv_hrtime() + 30000000000;
	while (*count < wanted && uv_hrtime() < until) {
		uv_run(&loop, UV_RUN_ONCE);
	}
	ck_assert_int_ge(*count, wanted);
}

static void end(void)
{
	px_http_client_destroy(http_client);
	uv_close((uv_handle_t *)&ticker, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	ck_assert_uint_lt(latest_tick_ms, TICK_LATE_MS);
	end_lookups();
	server_stop();
}

/* ---- asking ---- */

static void on_done(void *user, const struct px_http_client_answer *answer)
{
	struct result *result = user;
	result->calls++;
	result->answer = *answer;
	ck_assert_uint_le(answer->body.len, PX_HTTP_CLIENT_ANSWER_MAX);
	if (answer->body.len > 0) {
		memcpy(result->body, answer->body.data, answer->body.len);
	}
	result->body[answer->body.len] = '\0';
	/* Either an answer or a fault; and a body only with 200. */
	ck_assert_int_eq(answer->status == 0, answer->fault != NULL);
	ck_assert(answer->status == 200 || answer->body.len == 0);
	answers++;
	if (result->then) {
		result->then(result);
	}
}

static const char *url_of(const char *path)
{
	static char url[256];
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", server.port, path);
	return url;
}

static struct px_http_client_request request_of(const char *path, struct result *result)
{
	return (struct px_http_client_request){
		.url = path[0] == '/' ? url_of(path) : path,
		.cookie = px_span("session=4711"),
		.address = "192.0.2.1",
		.timeout_ms = 20000,
		.max_in_flight = 64,
		.done = on_done,
		.user = result,
	};
}

static int send_request(const struct px_http_client_request *request)
{
	struct result *result = request->user;
	int calls = result->calls;
	int rc = px_http_client_ask(http_client, request, &result->outgoing);
	ck_assert_int_eq(result->calls, calls);
	return rc;
}

/* Asks, and waits for the answer. */
static const struct result *ask_as(const struct px_http_client_request *request)
{
	struct result *result = request->user;
	int calls = result->calls;
	ck_assert_int_eq(send_request(request), 0);
	run_until(&result->calls, calls + 1);
	return result;
}

static const struct result *ask(const char *path)
{
	static struct result result;
	struct px_http_client_request request = request_of(path, &result);
	return ask_as(&request);
}

static int status_of(const char *path)
{
	return ask(path)->answer.status;
}

static void assert_fault(const struct result *result, const char *part)
{
	ck_assert_int_eq(result->answer.status, 0);
	ck_assert_msg(strstr(result->answer.fault, part), "%s", result->answer.fault);
	ck_assert_ptr_null(strstr(result->answer.fault, "4711"));
	ck_assert_ptr_null(strstr(result->answer.fault, "127.0.0.1"));
}

/* ---- the tests ---- */

START_TEST(it_asks_in_the_name_of_the_client)
{
	static struct result result;
	begin();
	struct px_http_client_request request = request_of("/echo", &result);
	request.authorization = px_span("Bearer abc.def");
	request.origin = px_span("https://app.example.org");
	request.cookie = px_span("a=1; b=\"\xc3\xa4\"; b=2");
	ask_as(&request);
	ck_assert_int_eq(result.answer.status, 200);
	ck_assert_int_eq(strncmp(result.body, "GET /echo HTTP/1.1\r\n", 20), 0);
	ck_assert_ptr_nonnull(strstr(result.body, "\r\nCookie: a=1; b=\"\xc3\xa4\"; b=2\r\n"));
	ck_assert_ptr_nonnull(strstr(result.body, "\r\nAuthorization: Bearer abc.def\r\n"));
	ck_assert_ptr_nonnull(strstr(result.body, "\r\nOrigin: https://app.example.org\r\n"));
	ck_assert_ptr_nonnull(strstr(result.body, "\r\nX-Forwarded-For: 192.0.2.1\r\n"));
	ck_assert_ptr_nonnull(strstr(result.body, "\r\nAccept: application/json\r\n"));
	ck_assert_ptr_nonnull(strstr(result.body, "\r\nUser-Agent: praxisd\r\n"));
	ck_assert_ptr_null(strstr(result.body, "Accept-Encoding"));

	request.cookie = (struct px_span){ NULL, 0 };
	request.authorization = px_span("");
	request.origin = px_span(NULL);
	request.address = NULL;
	ask_as(&request);
	ck_assert_ptr_null(strstr(result.body, "Cookie"));
	ck_assert_ptr_null(strstr(result.body, "Authorization"));
	ck_assert_ptr_null(strstr(result.body, "Origin"));
	ck_assert_ptr_null(strstr(result.body, "Forwarded"));
	end();
}
END_TEST

START_TEST(answers_come_whole)
{
	static const char *const whole[] = { "/ok", "/chunked", "/old" };
	begin();
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		const struct result *result = ask(whole[i]);
		ck_assert_int_eq(result->answer.status, 200);
		ck_assert_str_eq(result->body, "{\"sub\":\"anna\"}");
		ck_assert(!result->answer.cached);
	}
	ck_assert_int_eq(status_of("/nothing"), 200);
	ck_assert_int_eq(status_of("/none"), 204);
	ck_assert_int_eq(status_of("/denied"), 401);
	ck_assert_int_eq(status_of("/forbidden"), 403);
	ck_assert_int_eq(status_of("/ill"), 500);
	ck_assert_int_eq(status_of("/elsewhere"), 404);
	end();
}
END_TEST

START_TEST(redirects_are_not_followed)
{
	begin();
	ck_assert_int_eq(status_of("/moved"), 302);
	ck_assert_int_eq(server.requests, 1);
	end();
}
END_TEST

START_TEST(a_back_end_that_hangs_or_drips_runs_out_of_time)
{
	static const char *const paths_of_sloth[] = { "/hang", "/drip" };
	begin();
	for (int i = 0; i < 2; i++) {
		static struct result result;
		struct px_http_client_request request = request_of(paths_of_sloth[i], &result);
		request.timeout_ms = LIMIT_MS;
		uint64_t asked = uv_hrtime();
		int ticked = ticks;
		assert_fault(ask_as(&request), "in time");
		ck_assert_int_gt(ticks, ticked + LIMIT_MS / TICK_MS / 20);
		ck_assert_uint_ge((uv_hrtime() - asked) / 1000000, LIMIT_MS - TICK_MS);
		ck_assert_uint_lt((uv_hrtime() - asked) / 1000000, LIMIT_MS + TICK_LATE_MS);
	}
	run_until(&server.closed, 2);
	end();
}
END_TEST

START_TEST(a_gigabyte_costs_64_kilobytes)
{
	static const char *const flood[] = { "told", "till-close", "denied", "chunked", "headers",
		"header", "continue" };
	begin();
	for (size_t i = 0; i < sizeof(flood) / sizeof(flood[0]); i++) {
		char path[64];
		(void)snprintf(path, sizeof(path), "/gigabyte/%s", flood[i]);
		assert_fault(ask(path), "too large");
		run_until(&server.closed, (int)i + 1);
		/* What the kernel's buffers took; not what was read. */
		ck_assert_msg(server.sent < 16 * 1024 * 1024, "%s: %ld", path, (long)server.sent);
	}
	end();
}
END_TEST

START_TEST(the_bound_is_exact)
{
	begin();
	ck_assert_uint_eq(ask("/most")->answer.body.len, PX_HTTP_CLIENT_ANSWER_MAX);
	assert_fault(ask("/one-too-many"), "too large");
	end();
}
END_TEST

START_TEST(what_is_not_http_is_no_answer)
{
	begin();
	assert_fault(ask("/no-status"), "not HTTP");
	assert_fault(ask("/no-http"), "not HTTP");
	assert_fault(ask("/bytes"), "not HTTP");
	assert_fault(ask("/bad-chunk"), "the back end");
	end();
}
END_TEST

START_TEST(half_an_answer_is_none)
{
	begin();
	assert_fault(ask("/shut"), "without an answer");
	assert_fault(ask("/cut"), "incomplete");
	assert_fault(ask("/cut-chunk"), "the back end");
	assert_fault(ask("/cut-denied"), "incomplete");
	assert_fault(ask("/cut-head"), "incomplete");
	end();
}
END_TEST

START_TEST(nobody_there)
{
	begin();
	assert_fault(ask("http://127.0.0.1:1/"), "reached");
	assert_fault(ask("http://nowhere.test/"), "resolved");
	assert_fault(ask("http://[::1/"), "URL is invalid");
	assert_fault(ask("http://a b/"), "URL is invalid");
	end();
}
END_TEST

START_TEST(a_name_server_that_hangs_holds_nobody_up)
{
	static struct result results[3];
	begin();
	for (int i = 0; i < 3; i++) {
		struct px_http_client_request request =
				request_of("http://slow.test/", &results[i]);
		request.timeout_ms = i == 0 ? LIMIT_MS : 60000;
		ck_assert_int_eq(send_request(&request), 0);
	}
	run_until(&results[0].calls, 1);
	assert_fault(&results[0], "in time");
	px_http_client_cancel(results[1].outgoing);
	run_until(&lookups, 3);
	end(); /* with the third on its way */
	ck_assert_int_eq(answers, 1);
}
END_TEST

/* curl tries ::1 and 127.0.0.1, and closes one of its sockets on the way. */
START_TEST(two_addresses_of_one_host)
{
	char url[64];
	begin();
	(void)snprintf(url, sizeof(url), "http://localhost:%u/ok", server.port);
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(status_of(url), 200);
	}
	end();
}
END_TEST

START_TEST(tls_is_verified)
{
	char url[64];
	begin();
	(void)snprintf(url, sizeof(url), "https://localhost:%u/ok", server.port);
	assert_fault(ask(url), "TLS handshake");
	server_use_tls();
	assert_fault(ask(url), "certificate");
	ck_assert_int_eq(server.requests, 0);
	/* The system's certificates were read: once, some 25 ms; and seconds under valgrind. */
	latest_tick_ms = 0;
	end();
}
END_TEST

START_TEST(only_http)
{
	static const char *const urls[] = { "file:///etc/passwd", "ftp://127.0.0.1/", "127.0.0.1",
		"//127.0.0.1/", "", "gopher://127.0.0.1/", "httpx://127.0.0.1/", " http://a/" };
	static struct result result;
	begin();
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct px_http_client_request request = request_of("/ok", &result);
		request.url = urls[i];
		ck_assert_int_eq(send_request(&request), -EINVAL);
	}
	ck_assert_int_eq(status_of("HTTP://127.0.0.1:1/"), 0);
	end();
}
END_TEST

START_TEST(nobody_adds_headers)
{
	static const struct px_span values[] = {
		{ "a=b\r\nX-Role: admin", 18 },
		{ "a=b\r\n\r\nGET / HTTP/1.1", 21 },
		{ "a\rb", 3 },
		{ "a\0b", 3 },
		{ "\n", 1 },
		{ "\t", 1 },
		{ "\x7f", 1 },
	};
	static struct result result;
	begin();
	for (size_t i = 0; i < 3 * sizeof(values) / sizeof(values[0]); i++) {
		struct px_http_client_request request = request_of("/ok", &result);
		struct px_span *const fields[] = { &request.cookie, &request.authorization,
				&request.origin };
		*fields[i % 3] = values[i / 3];
		ck_assert_int_eq(send_request(&request), -EINVAL);
		ck_assert_ptr_null(result.outgoing);
	}
	struct px_http_client_request request = request_of("/ok", &result);
	request.address = "192.0.2.1\r\nX-Role: admin";
	ck_assert_int_eq(send_request(&request), -EINVAL);
	request = request_of("/ok HTTP/1.1\r\nX-Role: admin\r\n", &result);
	ck_assert_int_eq(send_request(&request), -EINVAL);
	request = request_of("/ok", &result);
	request.timeout_ms = 0;
	ck_assert_int_eq(send_request(&request), -EINVAL);
	run_for(20);
	ck_assert_int_eq(server.requests, 0);
	end();
}
END_TEST

static struct px_http_client_request post_to(const char *path, struct result *result)
{
	struct px_http_client_request request = request_of(path, result);
	request.cookie = px_span(NULL);
	request.address = NULL;
	request.body = px_span("{\"events\":[]}");
	request.signature = px_span("t=1,v1=abc");
	return request;
}

START_TEST(it_tells_what_happened)
{
	static struct result result;
	static char body[5000];
	begin();
	struct px_http_client_request request = post_to("/none", &result);
	ask_as(&request);
	ck_assert_int_eq(result.answer.status, 204);
	ck_assert_int_eq(strncmp(server.told, "POST /none HTTP/1.1\r\n", 21), 0);
	ck_assert_ptr_nonnull(strstr(server.told, "\r\nPraxis-Signature: t=1,v1=abc\r\n"));
	ck_assert_ptr_nonnull(strstr(server.told, "\r\nContent-Type: application/json\r\n"));
	ck_assert_ptr_nonnull(strstr(server.told, "\r\n\r\n{\"events\":[]}"));
	/* A long one is not announced first. */
	memset(body, 'b', sizeof(body));
	request.body = (struct px_span){ body, sizeof(body) };
	ask_as(&request);
	ck_assert_int_eq(result.answer.status, 204);
	ck_assert_ptr_null(strstr(server.told, "Expect"));
	ck_assert_uint_eq(strlen(strstr(server.told, "\r\n\r\n")), 4 + sizeof(body));

	request = post_to("/ok", &result);
	request.cache_s = 1;
	ck_assert_int_eq(send_request(&request), -EINVAL);
	request.cache_s = 0;
	request.signature = px_span("t=1\r\nX-Role: admin");
	ck_assert_int_eq(send_request(&request), -EINVAL);
	end();
}
END_TEST

START_TEST(what_is_told_is_told_when_a_status_comes)
{
	static const struct {
		const char *path;
		int status;
	} answers_to[] = {
		{ "/ok", 200 },
		{ "/ill", 500 },
		{ "/moved", 302 },
		{ "/later", 503 },
		{ "/cut", 200 },
		{ "/cut-denied", 401 },
		{ "/one-too-many", 200 },
		{ "/gigabyte/told", 200 },
		{ "/gigabyte/till-close", 200 },
		{ "/gigabyte/denied", 401 },
		{ "/gigabyte/chunked", 200 },
		{ "/gigabyte/headers", 0 },
		{ "/gigabyte/continue", 0 },
		{ "/cut-head", 0 },
		{ "/shut", 0 },
		{ "/hang", 0 },
		{ "/drip", 200 },
	};
	static struct result result;
	begin();
	for (size_t i = 0; i < sizeof(answers_to) / sizeof(answers_to[0]); i++) {
		struct px_http_client_request request = post_to(answers_to[i].path, &result);
		request.timeout_ms = i + 2 < sizeof(answers_to) / sizeof(answers_to[0]) ? 20000 :
				LIMIT_MS;
		server.sent = 0;
		ask_as(&request);
		ck_assert_msg(result.answer.status == answers_to[i].status, "%s: %d, %s",
				answers_to[i].path, result.answer.status, result.answer.fault);
		bool later = strcmp(answers_to[i].path, "/later") == 0;
		ck_assert_int_eq(result.answer.retry_after_s, later ? 7 : 0);
	}
	ck_assert_msg(server.sent < 16 * 1024 * 1024, "%ld", (long)server.sent);
	end();
}
END_TEST

START_TEST(who_cancels_hears_nothing)
{
	static struct result results[3];
	begin();
	struct px_http_client_request request = request_of("/hang", &results[0]);
	ck_assert_int_eq(send_request(&request), 0);
	run_until(&server.requests, 1);
	px_http_client_cancel(results[0].outgoing);
	run_until(&server.closed, 1);
	/* Before anything happened at all; and with the answer there already. */
	request = request_of("/hang", &results[1]);
	ck_assert_int_eq(send_request(&request), 0);
	px_http_client_cancel(results[1].outgoing);
	request = request_of("/ok", &results[2]);
	request.cache_s = 60;
	ask_as(&request);
	ck_assert_int_eq(send_request(&request), 0);
	px_http_client_cancel(results[2].outgoing);
	px_http_client_cancel(NULL);
	run_for(50);
	ck_assert_int_eq(answers, 1);
	ck_assert_int_eq(server.requests, 2);
	end();
}
END_TEST

START_TEST(the_end_comes_in_the_middle)
{
	static struct result results[20];
	static const char *const some[] = { "/hang", "/drip", "/most", "/gigabyte/told", "/ok" };
	begin();
	for (int i = 0; i < 20; i++) {
		struct px_http_client_request request = request_of(some[i % 5], &results[i]);
		request.cache_s = 10;
		ck_assert_int_eq(send_request(&request), 0);
		if (i == 9) {
			run_for(30);
		}
	}
	int before = answers;
	end();
	ck_assert_int_eq(answers, before);
}
END_TEST

static struct result pair[2];

static void cancel_the_other(struct result *result)
{
	px_http_client_cancel(pair[result == &pair[0]].outgoing);
}

static void ask_again(struct result *result)
{
	if (result->calls < 100) {
		struct px_http_client_request request = request_of("/ok", result);
		ck_assert_int_eq(send_request(&request), 0);
	}
}

static void ask_the_cache_for_ever(struct result *result)
{
	struct px_http_client_request request = request_of("/ok", result);
	request.cache_s = 60;
	ck_assert_int_eq(send_request(&request), 0);
	ck_assert_uint_lt(uv_hrtime() - ticked_at, (uint64_t)TICK_LATE_MS * 1000000);
}

static void destroy_all(struct result *result)
{
	(void)result;
	px_http_client_destroy(http_client);
	http_client = NULL;
}

START_TEST(done_may_cancel_its_neighbour)
{
	begin();
	for (int i = 0; i < 2; i++) {
		/* Both from the cache, so both are answered in the same turn. */
		struct px_http_client_request request = request_of("/ok", &pair[i]);
		request.cache_s = 60;
		ask_as(&request);
	}
	for (int i = 0; i < 2; i++) {
		struct px_http_client_request request = request_of("/ok", &pair[i]);
		request.cache_s = 60;
		pair[i].then = cancel_the_other;
		ck_assert_int_eq(send_request(&request), 0);
	}
	run_for(30);
	ck_assert_int_eq(pair[0].calls + pair[1].calls, 3);
	end();
}
END_TEST

START_TEST(done_may_ask)
{
	static struct result result = { .then = ask_again };
	static struct result greedy = { .then = ask_the_cache_for_ever };
	begin();
	struct px_http_client_request request = request_of("/ok", &result);
	ck_assert_int_eq(send_request(&request), 0);
	run_until(&result.calls, 100);
	request = request_of("/ok", &greedy);
	request.cache_s = 60;
	ck_assert_int_eq(send_request(&request), 0);
	run_until(&greedy.calls, 100);
	end();
}
END_TEST

START_TEST(done_may_destroy)
{
	static struct result results[10];
	begin();
	for (int i = 0; i < 10; i++) {
		const char *path = i % 2 ? "/ok" : "/hang";
		struct px_http_client_request request = request_of(path, &results[i]);
		results[i].then = destroy_all;
		ck_assert_int_eq(send_request(&request), 0);
	}
	run_until(&answers, 1);
	run_for(30);
	ck_assert_int_eq(answers, 1);
	end();
}
END_TEST

START_TEST(so_many_at_a_time_for_each_url)
{
	static struct result results[5];
	struct px_http_client_request request;
	begin();
	for (int i = 0; i < 3; i++) {
		request = request_of("/hang", &results[i]);
		request.max_in_flight = 3;
		ck_assert_int_eq(send_request(&request), 0);
	}
	request.user = &results[3];
	ck_assert_int_eq(send_request(&request), -EBUSY);
	ck_assert_ptr_null(results[3].outgoing);
	/* Who asks another back end does not wait for this one. */
	ck_assert_int_eq(status_of("/ok"), 200);
	px_http_client_cancel(results[1].outgoing);
	request.url = url_of("/hang");
	ck_assert_int_eq(send_request(&request), 0);
	request.user = &results[4];
	ck_assert_int_eq(send_request(&request), -EBUSY);
	end();
}
END_TEST

START_TEST(fifty_at_once)
{
	static struct result results[50];
	char cookie[50][32];
	begin();
	for (int i = 0; i < 50; i++) {
		struct px_http_client_request request = request_of("/echo-together", &results[i]);
		(void)snprintf(cookie[i], sizeof(cookie[i]), "Cookie: mine=%d.\r\n", i);
		request.cookie = (struct px_span){ cookie[i] + 8, strlen(cookie[i]) - 10 };
		ck_assert_int_eq(send_request(&request), 0);
	}
	run_until(&answers, 50);
	for (int i = 0; i < 50; i++) {
		ck_assert_int_eq(results[i].answer.status, 200);
		ck_assert_ptr_nonnull(strstr(results[i].body, cookie[i]));
	}
	/* Few of the connections are kept. */
	ck_assert_int_eq(server.connections, 50);
	run_until(&server.closed, 50 - 32);
	end();
}
END_TEST

START_TEST(connections_are_used_again)
{
	begin();
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(status_of("/ok"), 200);
		ck_assert_int_eq(status_of("/denied"), 401);
	}
	ck_assert_int_eq(server.connections, 1);
	/* Unless the back end closes them, which is its right. */
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(status_of("/keep-not"), 200);
	}
	end();
}
END_TEST

/* ---- the cache ---- */

static const struct result *ask_kept(const char *path, unsigned cache_s)
{
	static struct result result;
	struct px_http_client_request request = request_of(path, &result);
	request.cache_s = cache_s;
	return ask_as(&request);
}

static void run_until_kept(unsigned count)
{
	uint64_t until = uv_hrtime() + 30000000000;
	while (http_client->cache.count > count && uv_hrtime() < until) {
		uv_run(&loop, UV_RUN_ONCE);
	}
	ck_assert_uint_eq(http_client->cache.count, count);
}

START_TEST(an_answer_stands_for_a_few_seconds)
{
	begin();
	ck_assert(!ask_kept("/ok", 1)->answer.cached);
	const struct result *result = ask_kept("/ok", 1);
	ck_assert(result->answer.cached);
	ck_assert_int_eq(result->answer.status, 200);
	ck_assert_str_eq(result->body, "{\"sub\":\"anna\"}");
	ck_assert_int_eq(server.requests, 1);
	/* What is over is not kept until somebody asks: it says who somebody is. */
	run_until_kept(0);
	ck_assert(!ask_kept("/ok", 1)->answer.cached);
	ck_assert_int_eq(server.requests, 2);
	end();
}
END_TEST

START_TEST(only_decisions_are_kept)
{
	static const struct {
		const char *path;
		bool kept;
	} cases[] = {
		{ "/ok", true }, { "/nothing", true }, { "/denied", true }, { "/forbidden", true },
		{ "/ill", false }, { "/moved", false }, { "/none", false }, { "/elsewhere", false },
		{ "/cut", false }, { "/one-too-many", false },
	};
	begin();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int status = ask_kept(cases[i].path, 60)->answer.status;
		const struct result *again = ask_kept(cases[i].path, 60);
		ck_assert_int_eq(again->answer.cached, cases[i].kept);
		ck_assert_int_eq(again->answer.status, status);
	}
	/* Off: neither looks nor keeps. */
	ck_assert(!ask_kept("/ok", 0)->answer.cached);
	ck_assert(!ask_kept("/ok?other", 0)->answer.cached);
	ck_assert(!ask_kept("/ok?other", 60)->answer.cached);
	end();
}
END_TEST

START_TEST(nobody_gets_anothers_answer)
{
	static struct result result;
	begin();
	struct px_http_client_request request = request_of("/echo", &result);
	request.cache_s = 60;
	ask_as(&request);
	for (int i = 0; i < 7; i++) {
		struct px_http_client_request other = request;
		switch (i) {
		case 0: other.cookie = px_span("session=4712"); break;
		case 1: other.cookie = px_span("session=471"); break;
		case 2: other.authorization = px_span("Bearer a"); break;
		case 3: other.origin = px_span("https://evil.example"); break;
		case 4: other.address = "192.0.2.2"; break;
		/* The same bytes in a row. */
		case 5:
			other.cookie = px_span("session=");
			other.authorization = px_span("4711");
			break;
		default: other.url = url_of("/echo?2"); break;
		}
		ck_assert(!ask_as(&other)->answer.cached);
		ck_assert(ask_as(&other)->answer.cached);
		request.url = url_of("/echo");
	}
	ck_assert(ask_as(&request)->answer.cached);
	ck_assert_int_eq(server.requests, 8);
	end();
}
END_TEST

static bool is_cached(const char *path, int number)
{
	static struct result result;
	char cookie[32];
	struct px_http_client_request request = request_of(path, &result);
	(void)snprintf(cookie, sizeof(cookie), "n=%d", number);
	request.cookie = px_span(cookie);
	request.cache_s = 60;
	return ask_as(&request)->answer.cached;
}

START_TEST(the_cache_has_a_bound)
{
	begin();
	for (int i = 0; i < 1001; i++) {
		ck_assert(!is_cached("/ok", i));
	}
	for (int i = 1; i < 1001; i += 100) {
		ck_assert(is_cached("/ok", i));
	}
	ck_assert(!is_cached("/ok", 0)); /* and the next one goes */
	ck_assert(!is_cached("/ok", 1));
	end();
}
END_TEST

START_TEST(large_answers_push_out_more)
{
	begin();
	for (int i = 0; i < 65; i++) {
		ck_assert(!is_cached("/most", i));
	}
	ck_assert(is_cached("/most", 1));
	ck_assert(is_cached("/most", 64));
	ck_assert(!is_cached("/most", 0));
	end();
}
END_TEST

START_TEST(lives_of_different_lengths)
{
	begin();
	ask_kept("/ok?a", 60);
	ask_kept("/ok?b", 1);
	ask_kept("/ok?c", 30);
	ask_kept("/ok?d", 1);
	run_until_kept(2);
	ck_assert(ask_kept("/ok?a", 60)->answer.cached);
	ck_assert(ask_kept("/ok?c", 60)->answer.cached);
	ck_assert(!ask_kept("/ok?b", 60)->answer.cached);
	ck_assert(!ask_kept("/ok?d", 60)->answer.cached);
	end();
}
END_TEST

START_TEST(what_ends_first_is_dropped_first)
{
	static const int64_t ends_ms[] = { 300, 100, 200, 200, 400 };
	struct px_http_client_cache cache = { 0 };
	struct px_http_client_answer answer = { .status = 401 };
	unsigned char key[PX_HTTP_CLIENT_KEY_SIZE] = { 0 };
	for (size_t i = 0; i < 5; i++) {
		key[31] = (unsigned char)i; /* all in one slot */
		ck_assert_int_eq(px_http_client_cache_store(&cache, key, &answer, ends_ms[i]), 0);
	}
	key[31] = 0;
	ck_assert_ptr_nonnull(px_http_client_cache_find(&cache, key, 299));
	ck_assert_ptr_null(px_http_client_cache_find(&cache, key, 300));
	ck_assert_int_eq(px_http_client_cache_sweep(&cache, 99), 100);
	ck_assert_uint_eq(cache.count, 5);
	ck_assert_int_eq(px_http_client_cache_sweep(&cache, 100), 200);
	ck_assert_int_eq(px_http_client_cache_sweep(&cache, 200), 300);
	ck_assert_uint_eq(cache.count, 2);
	/* Once more for the same request: in place of the old one. */
	ck_assert_int_eq(px_http_client_cache_store(&cache, key, &answer, 500), 0);
	ck_assert_uint_eq(cache.count, 2);
	ck_assert_int_eq(px_http_client_cache_sweep(&cache, 300), 400);
	ck_assert_int_eq(px_http_client_cache_sweep(&cache, 500), INT64_MAX);
	ck_assert_uint_eq(cache.count, 0);
	ck_assert_ptr_null(cache.first);
	ck_assert_ptr_null(cache.last);
}
END_TEST

START_TEST(both_first_bytes_choose_the_place)
{
	static const unsigned char firsts[][2] = { { 0, 0 }, { 1, 0 }, { 0, 1 }, { 2, 1 } };
	struct px_http_client_cache cache = { 0 };
	struct px_http_client_answer answer = { .status = 401 };
	unsigned char key[PX_HTTP_CLIENT_KEY_SIZE] = { 0 };
	unsigned used = 0;
	for (size_t i = 0; i < 4; i++) {
		memcpy(key, firsts[i], 2);
		ck_assert_int_eq(px_http_client_cache_store(&cache, key, &answer, 1), 0);
	}
	for (size_t i = 0; i < PX_HTTP_CLIENT_SLOTS; i++) {
		used += cache.slots[i] != NULL;
	}
	ck_assert_uint_eq(used, 4);
	ck_assert_int_eq(px_http_client_cache_sweep(&cache, 1), INT64_MAX);
}
END_TEST

START_TEST(nothing_at_all)
{
	px_http_client_destroy(NULL);
	begin();
	end();
}
END_TEST

RUN_TESTS("http_client", it_asks_in_the_name_of_the_client, answers_come_whole,
		redirects_are_not_followed, a_back_end_that_hangs_or_drips_runs_out_of_time,
		a_gigabyte_costs_64_kilobytes, the_bound_is_exact, what_is_not_http_is_no_answer,
		half_an_answer_is_none, nobody_there, a_name_server_that_hangs_holds_nobody_up,
		two_addresses_of_one_host, tls_is_verified, only_http, nobody_adds_headers,
		it_tells_what_happened, what_is_told_is_told_when_a_status_comes,
		who_cancels_hears_nothing, the_end_comes_in_the_middle,
		done_may_cancel_its_neighbour, done_may_ask, done_may_destroy,
		so_many_at_a_time_for_each_url, fifty_at_once, connections_are_used_again,
		an_answer_stands_for_a_few_seconds, only_decisions_are_kept,
		nobody_gets_anothers_answer, the_cache_has_a_bound, large_answers_push_out_more,
		lives_of_different_lengths, what_ends_first_is_dropped_first,
		both_first_bytes_choose_the_place, nothing_at_all);

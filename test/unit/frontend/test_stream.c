/* SPDX-License-Identifier: MIT */
/*
 * A stream with TLS, against OpenSSL's own client over a socket pair: what is told and when, what
 * is kept, and how it ends. The cipher needs no certificate, which is not what this is about.
 */
#include "frontend/stream.h"

#include "run.h"

#include <check.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECORD 16384
#define CIPHER "AECDH-AES128-SHA:@SECLEVEL=0"

static uv_loop_t loop;
static struct px_stream stream;
static SSL_CTX *contexts[2];
static SSL *client;
static int client_fd;
static int told;
static unsigned closed;
static char bytes[2 * RECORD];

static void on_event(void *user, int status, int events)
{
	ck_assert_ptr_eq(user, &loop);
	ck_assert_int_eq(status, 0);
	told |= events;
}

static void on_closed(uv_handle_t *handle)
{
	ck_assert_ptr_eq(handle->data, &loop);
	closed++;
}

/* What was told in some turns of the loop. */
static int turn(void)
{
	told = 0;
	for (int i = 0; i < 4; i++) {
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	return told;
}

static int unread(void)
{
	int len = 0;
	ck_assert_int_eq(ioctl(stream.fd, FIONREAD, &len), 0);
	return len;
}

/* TLS 1.3 needs no certificate where both have a key. */
static int find_key(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *id_len,
		SSL_SESSION **ret_session)
{
	static const unsigned char name[] = "test";
	static const unsigned char suite[] = { 0x13, 0x01 };
	unsigned char key[32] = { 1 };
	SSL_SESSION *session = SSL_SESSION_new();
	(void)md;
	ck_assert_int_eq(SSL_SESSION_set1_master_key(session, key, sizeof(key)), 1);
	ck_assert_int_eq(SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, suite)), 1);
	ck_assert_int_eq(SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION), 1);
	*id = name;
	*id_len = sizeof(name);
	*ret_session = session;
	return 1;
}

static int know_key(SSL *ssl, const unsigned char *id, size_t id_len, SSL_SESSION **ret_session)
{
	return find_key(ssl, NULL, &id, &id_len, ret_session);
}

static SSL_CTX *context(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);
	ck_assert_int_eq(SSL_CTX_set_cipher_list(ctx, CIPHER), 1);
	ck_assert_int_eq(SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION), 1);
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return ctx;
}

static void begin(void)
{
	int fds[2];
	(void)signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	contexts[0] = context(TLS_server_method());
	contexts[1] = context(TLS_client_method());
	client_fd = fds[1];
	client = SSL_new(contexts[1]);
	ck_assert_int_eq(SSL_set_fd(client, client_fd), 1);
	stream.on_event = on_event;
	stream.user = &loop;
	ck_assert_int_eq(px_stream_init(&stream, &loop, fds[0], contexts[0]), 0);
	px_stream_watch(&stream, UV_READABLE);
}

static void finish(void)
{
	px_stream_release(&stream, on_closed);
	px_stream_close(&stream);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_uint_eq(closed, PX_STREAM_HANDLES);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	SSL_free(client);
	SSL_CTX_free(contexts[0]);
	SSL_CTX_free(contexts[1]);
	if (client_fd >= 0) {
		(void)close(client_fd);
	}
}

/* A handshake is nothing that the owner of the stream hears of. */
static void shake_hands(void)
{
	told = 0;
	for (int i = 0; i < 100 && SSL_connect(client) != 1; i++) {
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	ck_assert(SSL_is_init_finished(client));
	ck_assert_int_eq(told, 0);
}

static void say(const char *text, size_t len)
{
	ck_assert_int_eq(SSL_write(client, text, (int)len), (int)len);
}

static void assert_quiet(void)
{
	ck_assert_int_eq(turn(), 0);
	ck_assert_int_eq(px_stream_peek(&stream, bytes, sizeof(bytes)), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_ptr_null(stream.bytes);
}

START_TEST(bytes_are_looked_at_and_taken)
{
	shake_hands();
	assert_quiet();
	say("hello", 5);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(turn(), UV_READABLE);
		ck_assert_int_eq(px_stream_peek(&stream, bytes, sizeof(bytes)), 5);
		ck_assert_mem_eq(bytes, "hello", 5);
	}
	ck_assert_int_eq(px_stream_read(&stream, bytes, 2), 2);
	say("!", 1);
	ck_assert_int_eq(turn(), UV_READABLE);
	ck_assert_int_eq(px_stream_peek(&stream, bytes, sizeof(bytes)), 3);
	px_stream_set_low_water(&stream, 4);
	ck_assert_int_eq(turn(), UV_READABLE);
	ck_assert_int_eq(px_stream_read(&stream, bytes, sizeof(bytes)), 4);
	px_stream_set_low_water(&stream, 1);
	ck_assert_mem_eq(bytes, "llo!", 4);
	assert_quiet();
}
END_TEST

START_TEST(nothing_is_told_of_too_little)
{
	shake_hands();
	px_stream_set_low_water(&stream, 6);
	say("hello", 5);
	ck_assert_int_eq(turn(), 0);
	say("!", 1);
	ck_assert_int_eq(turn(), UV_READABLE);
	px_stream_watch(&stream, 0);
	ck_assert_int_eq(turn(), 0);
	px_stream_set_low_water(&stream, 1);
	px_stream_watch(&stream, UV_READABLE);
	ck_assert_int_eq(turn(), UV_READABLE);
}
END_TEST

/* The socket is empty then, and OpenSSL has the rest. */
START_TEST(a_record_for_which_there_was_no_room_is_read_on)
{
	char *record = calloc(1, RECORD);
	shake_hands();
	memset(record, 'x', RECORD);
	say(record, 100);
	say(record, RECORD);
	ck_assert_int_eq(turn(), UV_READABLE);
	ck_assert_int_eq(px_stream_peek(&stream, bytes, sizeof(bytes)), PX_STREAM_PEEK_MAX);
	ck_assert_int_eq(px_stream_read(&stream, bytes, PX_STREAM_PEEK_MAX), PX_STREAM_PEEK_MAX);
	px_stream_watch(&stream, UV_READABLE);
	ck_assert_int_eq(turn(), UV_READABLE);
	ck_assert_int_eq(px_stream_read(&stream, bytes, sizeof(bytes)), 100);
	assert_quiet();
	free(record);
}
END_TEST

/* As many as fit into the socket must not be read in one turn, in which nobody else is served. */
START_TEST(records_of_a_byte_take_their_turns)
{
	size_t sent = 0;
	shake_hands();
	while (SSL_write(client, "x", 1) == 1) {
		sent++;
	}
	ck_assert_uint_gt(sent, 100);
	int left = unread();
	uv_run(&loop, UV_RUN_NOWAIT);
	ck_assert_int_eq(told, UV_READABLE);
	ssize_t n = px_stream_peek(&stream, bytes, sizeof(bytes));
	ck_assert_int_gt(n, 0);
	ck_assert_int_le(n, 64);
	ck_assert_int_gt(unread(), left / 2);
	px_stream_set_low_water(&stream, sent);
	while (px_stream_peek(&stream, bytes, sizeof(bytes)) < (ssize_t)sent) {
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	ck_assert_int_eq(turn(), UV_READABLE);
	ck_assert_int_eq(px_stream_read(&stream, bytes, sizeof(bytes)), (ssize_t)sent);
	px_stream_set_low_water(&stream, 1);
	assert_quiet();
}
END_TEST

/* OpenSSL takes them for itself, and would read the next at once. */
START_TEST(changes_of_keys_take_their_turns)
{
	SSL_set_max_proto_version(client, TLS1_3_VERSION);
	SSL_set_max_proto_version(stream.ssl, TLS1_3_VERSION);
	ck_assert_int_eq(SSL_set_ciphersuites(client, "TLS_AES_128_GCM_SHA256"), 1);
	SSL_set_psk_use_session_callback(client, find_key);
	SSL_set_psk_find_session_callback(stream.ssl, know_key);
	shake_hands();
	ck_assert_int_eq(SSL_version(client), TLS1_3_VERSION);
	for (int i = 0; i < 150; i++) {
		ck_assert_int_eq(SSL_key_update(client, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
		ck_assert_int_eq(SSL_do_handshake(client), 1);
	}
	say("hello", 5);
	int left = unread();
	uv_run(&loop, UV_RUN_NOWAIT);
	ck_assert_int_gt(unread(), left / 2);
	ck_assert_int_eq(told, 0);
	for (int i = 0; i < 100 && told == 0; i++) {
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	ck_assert_int_eq(told, UV_READABLE);
	ck_assert_int_eq(px_stream_read(&stream, bytes, sizeof(bytes)), 5);
}
END_TEST

START_TEST(the_end_comes_behind_what_was_said)
{
	shake_hands();
	say("bye", 3);
	ck_assert_int_eq(turn(), UV_READABLE);
	ck_assert(!px_stream_is_over(&stream));
	(void)SSL_shutdown(client);
	px_stream_set_low_water(&stream, 4);
	ck_assert_int_eq(turn(), UV_READABLE);
	ck_assert(px_stream_is_over(&stream));
	ck_assert_int_eq(px_stream_read(&stream, bytes, sizeof(bytes)), 3);
	ck_assert_int_eq(turn(), UV_READABLE);
	ck_assert_int_eq(px_stream_read(&stream, bytes, sizeof(bytes)), 0);
}
END_TEST

START_TEST(an_end_without_a_word_is_one)
{
	shake_hands();
	(void)close(client_fd);
	client_fd = -1;
	ck_assert_int_eq(turn(), UV_READABLE);
	ck_assert_int_eq(px_stream_read(&stream, bytes, sizeof(bytes)), 0);
}
END_TEST

START_TEST(what_is_no_tls_is_an_error)
{
	ck_assert_int_eq(write(client_fd, "GET / HTTP/1.1\r\n\r\n", 18), 18);
	ck_assert_int_eq(turn(), UV_READABLE);
	ck_assert_int_eq(px_stream_read(&stream, bytes, sizeof(bytes)), -1);
	ck_assert_int_eq(errno, ECONNRESET);
	px_stream_shutdown(&stream);
}
END_TEST

START_TEST(what_is_written_arrives_in_the_end)
{
	size_t sent = 0;
	size_t got = 0;
	ssize_t n;
	shake_hands();
	memset(bytes, 'y', sizeof(bytes));
	while ((n = px_stream_write(&stream, bytes, sizeof(bytes))) > 0) {
		sent += (size_t)n;
	}
	ck_assert_int_eq(errno, EAGAIN);
	px_stream_watch(&stream, UV_WRITABLE);
	ck_assert_int_eq(turn(), 0);
	char *record = malloc(RECORD);
	while ((n = SSL_read(client, record, RECORD)) > 0) {
		got += (size_t)n;
	}
	ck_assert_int_eq(turn(), UV_WRITABLE);
	n = px_stream_write(&stream, bytes, sizeof(bytes));
	ck_assert_int_gt(n, 0);
	sent += (size_t)n;
	px_stream_shutdown(&stream);
	while ((n = SSL_read(client, record, RECORD)) > 0) {
		got += (size_t)n;
	}
	ck_assert_int_eq(SSL_get_error(client, (int)n), SSL_ERROR_ZERO_RETURN);
	ck_assert_uint_eq(got, sent);
	free(record);
}
END_TEST

START_TEST(nobody_reads_what_is_written)
{
	shake_hands();
	(void)close(client_fd);
	client_fd = -1;
	ck_assert_int_eq(px_stream_write(&stream, "x", 1), -1);
	ck_assert_int_eq(errno, EPIPE);
}
END_TEST

RUN_TESTS_BETWEEN(begin, finish, "stream", bytes_are_looked_at_and_taken,
		nothing_is_told_of_too_little, a_record_for_which_there_was_no_room_is_read_on,
		records_of_a_byte_take_their_turns, changes_of_keys_take_their_turns,
		the_end_comes_behind_what_was_said, an_end_without_a_word_is_one,
		what_is_no_tls_is_an_error, what_is_written_arrives_in_the_end,
		nobody_reads_what_is_written);

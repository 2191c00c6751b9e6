/* SPDX-License-Identifier: MIT */
/*
 * A back end for the tests, on a free port of the loopback: a thread for each connection, and a
 * path for each way in which a back end can be well or ill. Nothing of it waits for the client
 * longer than the client lives, so server_stop() ends it all.
 */
#ifndef TEST_BACKEND_SERVER_H
#define TEST_BACKEND_SERVER_H

#include <arpa/inet.h>
#include <check.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GIGABYTE (1024L * 1024 * 1024)
#define PEERS_MAX 4096

struct server {
	int fd;
	unsigned port;
	SSL_CTX *_Atomic tls; /* NULL: plain */
	pthread_t acceptor;
	pthread_t peers[PEERS_MAX];
	atomic_int connections; /* ever */
	atomic_int closed;
	atomic_int requests;
	atomic_long sent; /* of endless answers */
	char told[70000]; /* the latest POST */
};

static struct server server;

/* One request of one connection. */
struct call {
	int fd;
	char request[70000];
	size_t len;
};

static bool put(struct call *call, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(call->fd, data, len, MSG_NOSIGNAL);
		if (sent <= 0) {
			return false;
		}
		data += sent;
		len -= (size_t)sent;
	}
	return true;
}

static bool put_text(struct call *call, const char *text)
{
	return put(call, text, strlen(text));
}

static bool put_body(struct call *call, const char *body, size_t len)
{
	char head[128];
	(void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
	return put_text(call, head) && put(call, body, len);
}

static void wait_for_end(struct call *call)
{
	char byte;
	while (recv(call->fd, &byte, 1, 0) > 0) {
	}
}

static bool echo(struct call *call)
{
	return put_body(call, call->request, call->len);
}

/* Only when fifty are asking. */
static bool echo_together(struct call *call)
{
	for (int ms = 0; server.requests < 50 && ms < 10000; ms++) {
		usleep(1000);
	}
	return server.requests >= 50 && echo(call);
}

static bool hang(struct call *call)
{
	wait_for_end(call);
	return false;
}

static bool drip(struct call *call)
{
	bool open = put_text(call, "HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n");
	while (open) {
		usleep(10 * 1000);
		open = put_text(call, "x");
	}
	return false;
}

static bool endless(struct call *call, const char *head, const char *piece)
{
	bool open = put_text(call, head);
	long sent = 0;
	size_t len = strlen(piece);
	while (open && sent < GIGABYTE) {
		open = put(call, piece, len);
		sent += (long)len;
	}
	server.sent = sent;
	return false;
}

static char filler[60001]; /* server_start() fills it */

static bool gigabyte_told(struct call *call)
{
	return endless(call, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", filler);
}

static bool gigabyte_till_close(struct call *call)
{
	return endless(call, "HTTP/1.1 200 OK\r\n\r\n", filler);
}

static bool gigabyte_denied(struct call *call)
{
	return endless(call, "HTTP/1.1 401 Unauthorized\r\n\r\n", filler);
}

static bool gigabyte_chunked(struct call *call)
{
	char chunk[70000];
	(void)snprintf(chunk, sizeof(chunk), "%zx\r\n%s\r\n", strlen(filler), filler);
	return endless(call, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk);
}

static bool gigabyte_of_headers(struct call *call)
{
	return endless(call, "HTTP/1.1 200 OK\r\n", "X-More: and more, and more, and more\r\n");
}

static bool gigabyte_header(struct call *call)
{
	return endless(call, "HTTP/1.1 200 OK\r\nX-More: ", filler);
}

static bool gigabyte_of_continue(struct call *call)
{
	return endless(call, "", "HTTP/1.1 100 Continue\r\n\r\n");
}

static bool most(struct call *call)
{
	char body[65536];
	memset(body, 'm', sizeof(body));
	return put_body(call, body, sizeof(body));
}

static bool one_too_many(struct call *call)
{
	char body[65537];
	memset(body, 'm', sizeof(body));
	return put_text(call, "HTTP/1.1 200 OK\r\n\r\n") && put(call, body, sizeof(body)) && false;
}

/* Says that it keeps the connection, and does not. */
static bool keep_not(struct call *call)
{
	return put_body(call, "{}", 2) && false;
}

#define EMPTY "Content-Length: 0\r\n\r\n"

static const struct path {
	const char *path;
	const char *answer; /* as it is; the connection is closed behind it if `cut` */
	bool cut;
	bool (*serve)(struct call *call); /* false: close */
} paths[] = {
	{ "/ok", "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"sub\":\"anna\"}", false,
			NULL },
	{ "/chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			"5\r\n{\"sub\r\n8\r\n\":\"anna\"\r\n1\r\n}\r\n0\r\n\r\n", false, NULL },
	{ "/old", "HTTP/1.0 200 OK\r\n\r\n{\"sub\":\"anna\"}", true, NULL },
	{ "/nothing", "HTTP/1.1 200 OK\r\n" EMPTY, false, NULL },
	{ "/none", "HTTP/1.1 204 No Content\r\n\r\n", false, NULL },
	{ "/denied", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno", false, NULL },
	{ "/later", "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
			false, NULL },
	{ "/forbidden", "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", false, NULL },
	{ "/ill", "HTTP/1.1 500 Oh No\r\nContent-Length: 2\r\n\r\nno", false, NULL },
	{ "/moved", "HTTP/1.1 302 Found\r\nLocation: /ok\r\n" EMPTY, false, NULL },
	{ "/no-status", "HTTP/1.1 fine\r\n" EMPTY, true, NULL },
	{ "/no-http", "220 mail.example.org ESMTP\r\n", true, NULL },
	{ "/bytes", "\x16\x03\x01\xff\x01\x02\x03", true, NULL },
	{ "/shut", "", true, NULL },
	{ "/cut", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"sub\":", true, NULL },
	{ "/cut-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\n{", true,
			NULL },
	{ "/cut-head", "HTTP/1.1 200 OK\r\nContent-Le", true, NULL },
	{ "/cut-denied", "HTTP/1.1 401 No\r\nContent-Length: 100\r\n\r\nno", true, NULL },
	{ "/bad-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", true, NULL },
	{ "/echo", NULL, false, echo },
	{ "/echo-together", NULL, false, echo_together },
	{ "/hang", NULL, false, hang },
	{ "/drip", NULL, false, drip },
	{ "/gigabyte/told", NULL, false, gigabyte_told },
	{ "/gigabyte/till-close", NULL, false, gigabyte_till_close },
	{ "/gigabyte/denied", NULL, false, gigabyte_denied },
	{ "/gigabyte/chunked", NULL, false, gigabyte_chunked },
	{ "/gigabyte/headers", NULL, false, gigabyte_of_headers },
	{ "/gigabyte/header", NULL, false, gigabyte_header },
	{ "/gigabyte/continue", NULL, false, gigabyte_of_continue },
	{ "/most", NULL, false, most },
	{ "/one-too-many", NULL, false, one_too_many },
	{ "/keep-not", NULL, false, keep_not },
};

static bool serve(struct call *call)
{
	const char *path = call->request + (call->request[0] == 'G' ? 4 : 5);
	size_t len = strcspn(path, " ?");
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (strlen(paths[i].path) == len &&
				memcmp(paths[i].path, path, len) == 0) {
			return paths[i].serve ? paths[i].serve(call) :
					put_text(call, paths[i].answer) && !paths[i].cut;
		}
	}
	return put_text(call, "HTTP/1.1 404 Not Found\r\n" EMPTY);
}

/* Behind the head, if there is one. */
static bool read_body(struct call *call)
{
	const char *length = strstr(call->request, "\r\nContent-Length: ");
	long left = length ? strtol(length + 18, NULL, 10) : 0;
	for (; left > 0 && call->len + 1 < sizeof(call->request); left--) {
		if (recv(call->fd, &call->request[call->len], 1, 0) != 1) {
			return false;
		}
		call->request[++call->len] = '\0';
	}
	memcpy(server.told, call->request, call->len + 1);
	return left == 0;
}

/* Byte by byte: slow, and never reads into the next one. */
static bool read_request(struct call *call)
{
	call->len = 0;
	while (call->len + 1 < sizeof(call->request)) {
		if (recv(call->fd, &call->request[call->len], 1, 0) != 1) {
			return false;
		}
		call->request[++call->len] = '\0';
		if (call->request[0] != 'G' && call->request[0] != 'P') {
			return false;
		}
		if (call->len >= 4 && strcmp(&call->request[call->len - 4], "\r\n\r\n") == 0) {
			return call->request[0] == 'G' || read_body(call);
		}
	}
	return false;
}

/* Only for clients that should not like the certificate. */
static void shake_hands(int fd)
{
	char byte;
	SSL *tls = SSL_new(server.tls);
	SSL_set_fd(tls, fd);
	if (SSL_accept(tls) == 1 && SSL_read(tls, &byte, 1) == 1) {
		server.requests++;
	}
	SSL_free(tls);
}

static void *run_peer(void *argument)
{
	struct call *call = argument;
	if (server.tls) {
		shake_hands(call->fd);
	} else {
		bool open = true;
		while (open && read_request(call)) {
			server.requests++;
			open = serve(call);
		}
	}
	/* Not a reset, which would take back what was sent. */
	(void)shutdown(call->fd, SHUT_WR);
	wait_for_end(call);
	close(call->fd);
	free(call);
	server.closed++;
	return NULL;
}

static void *run_acceptor(void *argument)
{
	int fd;
	(void)argument;
	while ((fd = accept(server.fd, NULL, NULL)) >= 0) {
		struct call *call = malloc(sizeof(*call));
		if (!call || server.connections >= PEERS_MAX) {
			abort();
		}
		call->fd = fd;
		if (pthread_create(&server.peers[server.connections], NULL, run_peer, call) != 0) {
			abort();
		}
		server.connections++;
	}
	return NULL;
}

static void server_start(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	memset(filler, 'x', sizeof(filler) - 1);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_ge(server.fd, 0);
	ck_assert_int_eq(bind(server.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(server.fd, 128), 0);
	ck_assert_int_eq(getsockname(server.fd, (struct sockaddr *)&address, &len), 0);
	server.port = ntohs(address.sin_port);
	ck_assert_int_eq(pthread_create(&server.acceptor, NULL, run_acceptor, NULL), 0);
}

/* From now on it speaks TLS, with a certificate that it made for itself. */
static void server_use_tls(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost",
			-1, -1, 0);
	X509_set_issuer_name(certificate, name);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	ck_assert_int_ne(X509_sign(certificate, key, EVP_sha256()), 0);
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	ck_assert_int_eq(SSL_CTX_use_certificate(tls, certificate), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(tls, key), 1);
	server.tls = tls;
	X509_free(certificate);
	EVP_PKEY_free(key);
}

/* The clients must have gone. */
static void server_stop(void)
{
	(void)shutdown(server.fd, SHUT_RDWR);
	pthread_join(server.acceptor, NULL);
	close(server.fd);
	for (int i = 0; i < server.connections; i++) {
		pthread_join(server.peers[i], NULL);
	}
	SSL_CTX_free(server.tls);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a connection: name, address, TCP and, if wanted, TLS, on the loop of whoever has the
 * link. Each attempt is an object of its own, since libuv still uses what was closed for a turn of
 * the loop. Of several addresses of a name, each attempt takes the next.
 */
#include "link.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_BYTES 65536

struct px_conn {
	struct px_bus_link *link; /* NULL: dropped */
	uv_tcp_t tcp;
	uv_getaddrinfo_t resolving;
	uv_connect_t connecting;
	uv_write_t writing;
	unsigned users; /* requests and handles that libuv still has */
	bool has_tcp;
	bool is_open;
	bool is_writing;
	bool is_secure; /* the handshake of TLS is done, or there is none */
	struct px_resp_out wire; /* what is being written */
	size_t written;          /* of it */
	SSL *ssl; /* NULL: no TLS */
	BIO *from_wire;
	BIO *to_wire;
	char buf[READ_BYTES];
	char plain[READ_BYTES];
};

static void release(struct px_conn *conn)
{
	if (--conn->users == 0) {
		SSL_free(conn->ssl);
		px_resp_out_finish(&conn->wire);
		free(conn);
	}
}

static void on_closed(uv_handle_t *handle)
{
	release(handle->data);
}

void px_conn_drop(struct px_conn *conn)
{
	if (!conn || !conn->link) {
		return;
	}
	conn->link->conn = NULL;
	conn->link = NULL;
	(void)uv_cancel((uv_req_t *)&conn->resolving);
	if (conn->has_tcp) {
		uv_close((uv_handle_t *)&conn->tcp, on_closed);
	}
	release(conn);
}

static void fail(struct px_conn *conn, const char *what, const char *why)
{
	if (conn->link) {
		px_link_fail(conn->link, "%s: %s", what, why);
	}
}

/* ---- TLS ---- */

static const char *tls_fault(const struct px_conn *conn)
{
	long verified = SSL_get_verify_result(conn->ssl);
	unsigned long error = ERR_get_error();
	const char *reason = error ? ERR_reason_error_string(error) : NULL;
	if (verified != X509_V_OK) {
		return X509_verify_cert_error_string(verified);
	}
	return reason ? reason : "the server does not speak TLS";
}

int px_redis_tls_create(struct px_bus_link *link)
{
	const char *ca_file = link->setup.ca_file;
	link->tls = SSL_CTX_new(TLS_client_method());
	if (!link->tls) {
		return -ENOMEM;
	}
	SSL_CTX_set_verify(link->tls, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_min_proto_version(link->tls, TLS1_2_VERSION);
	int is_done = ca_file ? SSL_CTX_load_verify_locations(link->tls, ca_file, NULL) :
			SSL_CTX_set_default_verify_paths(link->tls);
	ERR_clear_error();
	return is_done == 1 ? 0 : -EINVAL;
}

static bool is_address(const char *host)
{
	struct in6_addr address;
	return uv_inet_pton(AF_INET, host, &address) == 0 ||
			uv_inet_pton(AF_INET6, host, &address) == 0;
}

static int begin_tls(struct px_conn *conn)
{
	const struct px_bus_link *link = conn->link;
	const char *host = link->setup.host;
	conn->ssl = SSL_new(link->tls);
	conn->from_wire = BIO_new(BIO_s_mem());
	conn->to_wire = BIO_new(BIO_s_mem());
	if (!conn->ssl || !conn->from_wire || !conn->to_wire) {
		BIO_free(conn->from_wire);
		BIO_free(conn->to_wire);
		return -ENOMEM;
	}
	SSL_set_bio(conn->ssl, conn->from_wire, conn->to_wire);
	SSL_set_connect_state(conn->ssl);
	X509_VERIFY_PARAM *wanted = SSL_get0_param(conn->ssl);
	int is_done = is_address(host) ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host) :
			X509_VERIFY_PARAM_set1_host(wanted, host, 0) &&
			SSL_set_tlsext_host_name(conn->ssl, host);
	return is_done == 1 ? 0 : -ENOMEM;
}

/* ---- writing ---- */

static void write_more(struct px_conn *conn);

static void on_written(uv_write_t *request, int status)
{
	struct px_conn *conn = request->data;
	conn->is_writing = false;
	conn->wire.len = conn->written = 0;
	if (status < 0) {
		fail(conn, "the connection was lost", uv_strerror(status));
	} else if (conn->link) {
		write_more(conn);
		if (conn->link) {
			px_link_flush(conn->link);
		}
	}
	release(conn);
}

/* What TLS makes of it goes to the wire. */
static bool encrypt(struct px_conn *conn, struct px_resp_out *out)
{
	if (conn->is_secure && out->len > 0) {
		if (SSL_write(conn->ssl, out->data, out->len > INT_MAX ? INT_MAX : (int)out->len) <= 0) {
			fail(conn, "TLS", tls_fault(conn));
			return false;
		}
		out->len = 0;
	}
	char *data;
	long len = BIO_get_mem_data(conn->to_wire, &data);
	if (len > 0 && conn->wire.size < (size_t)len) {
		char *grown = realloc(conn->wire.data, (size_t)len);
		if (!grown) {
			fail(conn, "TLS", strerror(ENOMEM));
			return false;
		}
		conn->wire.data = grown;
		conn->wire.size = (size_t)len;
	}
	conn->wire.len = len > 0 ? (size_t)BIO_read(conn->to_wire, conn->wire.data, (int)len) : 0;
	return true;
}

/* Nothing is being written: takes what is to be written next. */
static bool fill_wire(struct px_conn *conn)
{
	struct px_resp_out *out = &conn->link->out;
	if (conn->ssl) {
		return encrypt(conn, out);
	}
	struct px_resp_out wire = conn->wire;
	conn->wire = *out;
	*out = wire;
	out->len = 0;
	return true;
}

static void write_more(struct px_conn *conn)
{
	if (conn->is_writing || !fill_wire(conn) || conn->wire.len == 0) {
		return;
	}
	conn->link->stats.bytes_out += conn->wire.len;
	uv_buf_t buf = uv_buf_init(conn->wire.data, (unsigned)conn->wire.len);
	int done = uv_try_write((uv_stream_t *)&conn->tcp, &buf, 1);
	if (done == (int)conn->wire.len) {
		conn->wire.len = 0;
		return;
	}
	buf.base += done > 0 ? done : 0;
	buf.len -= done > 0 ? (size_t)done : 0;
	conn->writing.data = conn;
	int rc = uv_write(&conn->writing, (uv_stream_t *)&conn->tcp, &buf, 1, on_written);
	if (rc < 0) {
		fail(conn, "the connection was lost", uv_strerror(rc));
		return;
	}
	conn->is_writing = true;
	conn->users++;
}

void px_conn_write(struct px_conn *conn)
{
	if (conn->is_open) {
		write_more(conn);
	}
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
	struct px_conn *conn = handle->data;
	(void)wanted;
	*buf = uv_buf_init(conn->buf, sizeof(conn->buf));
}

static bool shake_hands(struct px_conn *conn)
{
	int rc = SSL_do_handshake(conn->ssl);
	int error = SSL_get_error(conn->ssl, rc);
	if (rc == 1) {
		conn->is_secure = true;
		px_link_opened(conn->link);
	} else if (error != SSL_ERROR_WANT_READ) {
		fail(conn, "TLS", tls_fault(conn));
	}
	if (conn->link) {
		write_more(conn);
	}
	return conn->link && conn->is_secure;
}

static void decrypt(struct px_conn *conn)
{
	if (!conn->is_secure && !shake_hands(conn)) {
		return;
	}
	int len;
	while ((len = SSL_read(conn->ssl, conn->plain, sizeof(conn->plain))) > 0) {
		if (!px_link_received(conn->link, conn->plain, (size_t)len)) {
			return;
		}
	}
	if (SSL_get_error(conn->ssl, len) != SSL_ERROR_WANT_READ) {
		fail(conn, "the connection was lost", "it was closed");
	}
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	struct px_conn *conn = stream->data;
	if (!conn->link || len == 0) {
		return;
	}
	conn->users++;
	if (len < 0) {
		fail(conn, "the connection was lost",
				len == UV_EOF ? "it was closed" : uv_strerror((int)len));
	} else if (!conn->ssl) {
		conn->link->stats.bytes_in += (uint64_t)len;
		(void)px_link_received(conn->link, buf->base, (size_t)len);
	} else {
		conn->link->stats.bytes_in += (uint64_t)len;
		BIO_write(conn->from_wire, buf->base, (int)len);
		decrypt(conn);
	}
	release(conn);
}

/* ---- connecting ---- */

static void on_connected(uv_connect_t *request, int status)
{
	struct px_conn *conn = request->data;
	int rc = status;
	if (rc == 0 && conn->link) {
		rc = uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read);
	}
	if (rc < 0) {
		fail(conn, "Redis cannot be reached", uv_strerror(rc));
	} else if (conn->link) {
		(void)uv_tcp_nodelay(&conn->tcp, 1);
		conn->is_open = true;
		if (!conn->ssl) {
			px_link_opened(conn->link);
		} else {
			(void)shake_hands(conn);
		}
	}
	release(conn);
}

static int begin_tcp(struct px_conn *conn, const struct sockaddr *address)
{
	int rc = uv_tcp_init(conn->link->owner.loop, &conn->tcp);
	if (rc < 0) {
		return rc;
	}
	conn->tcp.data = conn;
	conn->has_tcp = true;
	conn->users++;
	conn->connecting.data = conn;
	rc = uv_tcp_connect(&conn->connecting, &conn->tcp, address, on_connected);
	conn->users += rc == 0;
	return rc;
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses)
{
	struct px_conn *conn = request->data;
	int rc = status;
	if (rc == 0 && conn->link) {
		const struct addrinfo *address = addresses;
		for (unsigned skip = conn->link->attempts; skip > 0; skip--) {
			address = address->ai_next ? address->ai_next : addresses;
		}
		rc = begin_tcp(conn, address->ai_addr);
	}
	uv_freeaddrinfo(addresses);
	if (rc < 0) {
		fail(conn, "Redis cannot be reached", uv_strerror(rc));
	}
	release(conn);
}

struct px_conn *px_conn_open(struct px_bus_link *link)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	char port[8];
	struct px_conn *conn = calloc(1, sizeof(*conn));
	if (!conn) {
		return NULL;
	}
	conn->link = link;
	conn->users = 1;
	conn->is_secure = !link->tls;
	conn->resolving.data = conn;
	(void)snprintf(port, sizeof(port), "%u", link->setup.port);
	if ((link->tls && begin_tls(conn) < 0) || uv_getaddrinfo(link->owner.loop,
			&conn->resolving, on_resolved, link->setup.host, port, &hints) < 0) {
		conn->link = NULL;
		release(conn);
		return NULL;
	}
	conn->users++;
	return conn;
}

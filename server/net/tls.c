/* SPDX-License-Identifier: MIT */
/*
 * See tls.h. A vhost's files are loaded into an SSL_CTX of its own, which never serves a
 * connection: only when all of it fits together does it take the old one's place, so a bad
 * renewal changes nothing. A handshake asks for what is in force when it comes to choose its
 * certificate.
 *
 * Rejected: setting the new ones in the SSL_CTX that serves: it has a place for each type of key,
 * and an old ECDSA certificate would go on to be preferred to its RSA successor.
 *
 * What a client names in SNI chooses nothing: the socket by which it came says which vhost it is.
 * px_tls_fault() holds against each request what its connection was negotiated with, since a reload
 * may have changed what its vhost demands.
 *
 * A handshake has a pointer to the px_tls, so that lives as long as the process, and one that no
 * vhost of the configuration has is there for the next that wants TLS.
 *
 * TLS 1.3 resumes sessions by tickets: a client that returns costs neither a signature nor the
 * certificates. There is forward secrecy as in a full handshake, because OpenSSL resumes with a
 * key exchange only (psk_dhe_ke, RFC 8446 section 4.2.9), and no early data. What encrypts tickets
 * is the SSL_CTX's own random key; it is replaced with the certificate, so that a client sees each
 * new one, and is gone with the process.
 *
 * Rejected: tickets of TLS 1.2, whose key decrypts recorded sessions; tickets where client
 * certificates are asked for, since resumption would skip their check; a cache of sessions, which
 * is memory for each client that may return.
 */
#include "tls.h"
#include "base/file_stamp.h"
#include "base/log.h"
#include "core/peer.h"
#include "core/server.h"
#include "core/settings.h"
#include "core/vhost.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* For TLS 1.2; all have forward secrecy and authenticated encryption. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

/* Remaining validity that is worth a warning. */
#define ENDS_SOON_DAYS 7

#define REASON_SIZE 256

/* A name and two keys; OpenSSL 3 takes 80 bytes. */
#define TICKET_KEY_MAX 128

enum {
	CERT,
	KEY,
	CA,
	FILES
};

static const char *const keys[FILES] = { "host-ssl-cert", "host-ssl-key", "host-ssl-ca" };

struct px_tls_material {
	SSL_CTX *ctx;               /* certificate, key, chain and CA */
	struct px_file_stamp stamps[FILES]; /* of the files, when they were read */
};

struct px_tls {
	struct px_tls *next;           /* next of all that were created */
	const struct px_vhost *vhost;  /* NULL: unused */
	bool is_reserved;
	SSL_CTX *serving;              /* what connections are made of */
	struct px_tls_material *material; /* current; NULL: none */
	struct px_file_stamp stamps[FILES];       /* of the files, when they were last checked */
};

static const char *path_of(const struct px_config_vhost *config, int file)
{
	return file == CERT         ? config->host_ssl_cert :
			file == KEY ? config->host_ssl_key :
					config->host_ssl_ca;
}

static void take_stamps(const struct px_config_vhost *config, struct px_file_stamp stamps[FILES])
{
	struct stat status;
	for (int i = 0; i < FILES; i++) {
		const char *path = path_of(config, i);
		stamps[i] = (struct px_file_stamp){ 0 };
		if (path && stat(path, &status) == 0) {
			stamps[i] = px_file_stamp_of(&status);
		}
	}
}

static bool same_stamps(const struct px_file_stamp a[FILES], const struct px_file_stamp b[FILES])
{
	for (int i = 0; i < FILES; i++) {
		if (!px_file_stamp_equal(&a[i], &b[i])) {
			return false;
		}
	}
	return true;
}

static void complain(const struct px_config_sink *sink, enum px_config_level level,
		const struct px_config_vhost *config, int file, const char *reason)
{
	char text[PATH_MAX + 1024];
	(void)snprintf(text, sizeof(text), "%s:%u: vhost \"%s\": %s: %s: %s", config->file->name,
			config->line, config->name, keys[file], path_of(config, file), reason);
	sink->on_complaint(sink->user, level, text);
}

/* OpenSSL's last error, or why the file cannot be read. */
static const char *reason_of(const char *path, char reason[REASON_SIZE])
{
	unsigned long error = ERR_peek_error();
	FILE *file = fopen(path, "re");
	if (!file) {
		return strerror(errno);
	}
	(void)fclose(file);
	const char *said = ERR_reason_error_string(error);
	(void)snprintf(reason, REASON_SIZE, "it is unusable: %s", said ? said : "unknown");
	return reason;
}

static int fail(const struct px_config_sink *sink, const struct px_config_vhost *config, int file,
		const char *sentence)
{
	char reason[REASON_SIZE];
	complain(sink, PX_CONFIG_ERROR, config, file,
			sentence ? sentence : reason_of(path_of(config, file), reason));
	ERR_clear_error();
	return -EINVAL;
}

/* A key with a passphrase must not make OpenSSL prompt at the terminal. */
static int no_passphrase(char *buf, int size, int writing, void *user)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)user;
	return -1;
}

static void check_dates(const struct px_config_sink *sink, const struct px_config_vhost *config,
		const X509 *cert)
{
	int days = 0;
	int seconds = 0;
	if (X509_cmp_current_time(X509_get0_notBefore(cert)) > 0) {
		complain(sink, PX_CONFIG_WARNING, config, CERT, "it is not yet valid");
	} else if (X509_cmp_current_time(X509_get0_notAfter(cert)) < 0) {
		complain(sink, PX_CONFIG_WARNING, config, CERT, "it has expired");
	} else if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(cert)) == 1 &&
			days < ENDS_SOON_DAYS) {
		complain(sink, PX_CONFIG_WARNING, config, CERT, "it expires within a week");
	}
}

static void check_mode(const struct px_config_sink *sink, const struct px_config_vhost *config)
{
	struct stat status;
	if (stat(config->host_ssl_key, &status) == 0 && (status.st_mode & S_IROTH)) {
		complain(sink, PX_CONFIG_WARNING, config, KEY,
				"every user of this machine may read it");
	}
}

static int load_ca(SSL_CTX *material, const struct px_config_vhost *config,
		const struct px_config_sink *sink)
{
	STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(config->host_ssl_ca);
	if (!names || sk_X509_NAME_num(names) == 0 ||
			SSL_CTX_load_verify_file(material, config->host_ssl_ca) != 1) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return fail(sink, config, CA, NULL);
	}
	SSL_CTX_set_client_CA_list(material, names); /* takes them */
	return 0;
}

static int load_files(SSL_CTX *material, const struct px_config_vhost *config,
		const struct px_config_sink *sink)
{
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(material, config->host_ssl_cert) != 1) {
		return fail(sink, config, CERT, NULL);
	}
	if (SSL_CTX_use_PrivateKey_file(material, config->host_ssl_key, SSL_FILETYPE_PEM) != 1) {
		unsigned long error = ERR_peek_last_error();
		bool alien = ERR_GET_LIB(error) == ERR_LIB_X509 &&
				ERR_GET_REASON(error) == X509_R_KEY_VALUES_MISMATCH;
		return fail(sink, config, KEY,
				alien ? "it does not belong to the certificate" : NULL);
	}
	if (SSL_CTX_check_private_key(material) != 1) {
		return fail(sink, config, KEY, "it does not belong to the certificate");
	}
	check_dates(sink, config, SSL_CTX_get0_certificate(material));
	check_mode(sink, config);
	return config->host_ssl_ca ? load_ca(material, config, sink) : 0;
}

/* Stamps are taken first: a file that changes while it is read is read again. */
int px_tls_load(const struct px_config_vhost *config, const struct px_config_sink *sink,
		struct px_tls_material **ret_material)
{
	struct px_tls_material *material = calloc(1, sizeof(*material));
	int rc = -ENOMEM;
	if (!material) {
		return rc;
	}
	take_stamps(config, material->stamps);
	material->ctx = SSL_CTX_new(TLS_server_method());
	if (material->ctx) {
		SSL_CTX_set_default_passwd_cb(material->ctx, no_passphrase);
		rc = load_files(material->ctx, config, sink);
	}
	if (rc < 0) {
		px_tls_unload(material);
		return rc;
	}
	*ret_material = material;
	return 0;
}

void px_tls_unload(struct px_tls_material *material)
{
	if (material) {
		SSL_CTX_free(material->ctx);
		free(material);
	}
}

int px_tls_check(const struct px_config *config, const struct px_config_sink *sink)
{
	int rc = 0;
	for (size_t i = 0; i < config->vhost_count; i++) {
		struct px_tls_material *material = NULL;
		if (config->vhosts[i].host_ssl_cert) {
			int failed = px_tls_load(&config->vhosts[i], sink, &material);
			rc = rc < 0 ? rc : failed;
			px_tls_unload(material);
		}
	}
	return rc;
}

/* A handshake needs a certificate. */
static int on_handshake(SSL *ssl, void *user)
{
	const struct px_tls *tls = user;
	STACK_OF(X509) *chain = NULL;
	if (!tls->material) {
		return 0; /* its vhost is gone */
	}
	SSL_CTX *ctx = tls->material->ctx;
	if (SSL_version(ssl) != TLS1_3_VERSION) {
		SSL_set_options(ssl, SSL_OP_NO_TICKET);
	}
	SSL_certs_clear(ssl);
	SSL_CTX_get0_chain_certs(ctx, &chain);
	return SSL_use_cert_and_key(ssl, SSL_CTX_get0_certificate(ctx),
			SSL_CTX_get0_privatekey(ctx), chain, 1);
}

/* A client has brought a ticket; OpenSSL has tried its key. Resuming asks for no certificate. */
static SSL_TICKET_RETURN on_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
		size_t len, SSL_TICKET_STATUS status, void *user)
{
	const struct px_tls *tls = user;
	(void)session, (void)name, (void)len;
	if ((status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) ||
			!tls->material || tls->vhost->config->host_ssl_ca ||
			SSL_version(ssl) != TLS1_3_VERSION) {
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	}
	return SSL_TICKET_RETURN_USE_RENEW;
}

static int on_new_ticket(SSL *ssl, void *user)
{
	(void)ssl, (void)user;
	return 1;
}

/* Makes the tickets that were given out worthless. Without random numbers there are none at all. */
static void replace_ticket_key(SSL_CTX *ctx)
{
	unsigned char key[TICKET_KEY_MAX];
	long size = SSL_CTX_get_tlsext_ticket_keys(ctx, NULL, 0);
	if (size <= 0 || (size_t)size > sizeof(key) || RAND_priv_bytes(key, (int)size) != 1 ||
			SSL_CTX_set_tlsext_ticket_keys(ctx, key, size) != 1) {
		SSL_CTX_set_num_tickets(ctx, 0);
	}
	OPENSSL_cleanse(key, sizeof(key));
}

/* Settings for new connections besides the certificate. */
static void set_up(const struct px_tls *tls, const struct px_config_vhost *config)
{
	SSL_CTX *ctx = tls->serving;
	const SSL_CTX *material = tls->material->ctx;
	int mode = SSL_VERIFY_NONE;
	if (config->host_ssl_ca) {
		mode = SSL_VERIFY_PEER;
		mode |= config->client_cert_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
	}
	SSL_CTX_set_verify(ctx, mode, NULL);
	SSL_CTX_set1_cert_store(ctx, SSL_CTX_get_cert_store(material));
	SSL_CTX_set_client_CA_list(ctx, SSL_dup_CA_list(SSL_CTX_get_client_CA_list(material)));
	/* Both versions are OpenSSL's own, so this cannot fail. */
	(void)SSL_CTX_set_min_proto_version(ctx,
			config->tls_min_version == PX_CONFIG_TLS_1_3 ? TLS1_3_VERSION :
			TLS1_2_VERSION);
	SSL_CTX_set_num_tickets(ctx, config->host_ssl_ca ? 0 : 1);
}

static void tell(const struct px_tls *tls, const struct px_config_vhost *config)
{
	char until[64] = "";
	BIO *bio = BIO_new(BIO_s_mem());
	const X509 *cert = SSL_CTX_get0_certificate(tls->material->ctx);
	if (bio && ASN1_TIME_print(bio, X509_get0_notAfter(cert)) == 1) {
		(void)BIO_read(bio, until, sizeof(until) - 1);
	}
	BIO_free(bio);
	px_log(PX_LOG_NOTICE, "vhost %s: the new certificate is valid until %s", config->name,
			until);
}

static bool shows_the_same(const struct px_tls_material *a, const struct px_tls_material *b)
{
	return a && b &&
			X509_cmp(SSL_CTX_get0_certificate(a->ctx),
					SSL_CTX_get0_certificate(b->ctx)) == 0;
}

void px_tls_put_in_force(struct px_tls *tls, const struct px_vhost *vhost,
		struct px_tls_material *material)
{
	bool is_known = shows_the_same(tls->material, material);
	px_tls_unload(tls->material);
	tls->material = material;
	tls->vhost = vhost;
	memcpy(tls->stamps, material->stamps, sizeof(tls->stamps));
	set_up(tls, vhost->config);
	if (!is_known) {
		replace_ticket_key(tls->serving);
		tell(tls, vhost->config);
	}
}

static void refresh(struct px_tls *tls, const struct px_config_sink *sink)
{
	const struct px_config_vhost *config = tls->vhost->config;
	struct px_tls_material *material;
	take_stamps(config, tls->stamps);
	if (px_tls_load(config, sink, &material) < 0) {
		px_log(PX_LOG_ERROR, "vhost %s: the old certificate stays in use", config->name);
		return;
	}
	bool is_known = shows_the_same(tls->material, material);
	px_tls_put_in_force(tls, tls->vhost, material);
	if (is_known) {
		tell(tls, config); /* confirms a repair of the files */
	}
}

void px_tls_refresh(struct px_server *server)
{
	struct px_config_sink sink = { .on_complaint = px_settings_log_complaint };
	for (size_t i = 0; i < server->vhost_count; i++) {
		struct px_tls *tls = server->vhosts[i]->tls;
		struct px_file_stamp stamps[FILES];
		if (!tls) {
			continue;
		}
		take_stamps(tls->vhost->config, stamps);
		if (!same_stamps(stamps, tls->stamps)) {
			refresh(tls, &sink);
		}
	}
}

/* A client that only offers other protocols must be refused (RFC 7301 section 3.2). */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		const unsigned char *in, unsigned in_len, void *user)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;
	(void)ssl;
	(void)user;
	if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, in, in_len) !=
			OPENSSL_NPN_NEGOTIATED) {
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	}
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *create_context(struct px_tls *tls)
{
	static const unsigned char session_context[] = "praxis";
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	if (!ctx || SSL_CTX_set_cipher_list(ctx, CIPHERS) != 1) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_cert_cb(ctx, on_handshake, tls);
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
	SSL_CTX_set_session_id_context(ctx, session_context, sizeof(session_context) - 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_ticket_cb(ctx, on_new_ticket, on_ticket, tls);
	/* An end without "close notify" is the client's end, too: requests say how long they are. */
	SSL_CTX_set_options(ctx,
			SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
					SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_ENABLE_PARTIAL_WRITE |
			SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	return ctx;
}

int px_tls_reserve(struct px_server *server, struct px_tls **ret_tls)
{
	struct px_tls *tls = server->tls;
	while (tls && (tls->is_reserved || tls->vhost)) {
		tls = tls->next;
	}
	if (!tls) {
		tls = calloc(1, sizeof(*tls));
		if (!tls) {
			return -ENOMEM;
		}
		tls->serving = create_context(tls);
		if (!tls->serving) {
			free(tls);
			return -ENOMEM;
		}
		tls->next = server->tls;
		server->tls = tls;
	}
	tls->is_reserved = true;
	*ret_tls = tls;
	return 0;
}

void px_tls_release(struct px_tls *tls)
{
	if (tls) {
		px_tls_unload(tls->material);
		tls->material = NULL;
		tls->vhost = NULL;
		tls->is_reserved = false;
	}
}

SSL_CTX *px_tls_context(const struct px_tls *tls)
{
	return tls->serving;
}

void px_tls_destroy(struct px_server *server)
{
	while (server->tls) {
		struct px_tls *tls = server->tls;
		server->tls = tls->next;
		px_tls_unload(tls->material);
		SSL_CTX_free(tls->serving);
		free(tls);
	}
}

const char *px_tls_fault(const struct px_vhost *vhost, const struct px_peer *peer)
{
	const SSL *ssl = peer->ssl;
	if (!vhost->tls) {
		return ssl ? "This connection must not be encrypted." : NULL;
	}
	if (!ssl || SSL_get_SSL_CTX(ssl) != vhost->tls->serving) {
		return "This connection belongs to another vhost.";
	}
	/* A requirement that came with a reload also applies to connections that are kept alive. */
	if (vhost->config->client_cert_required &&
			(!SSL_get0_peer_certificate(ssl) ||
					SSL_get_verify_result(ssl) != X509_V_OK)) {
		return "A client certificate is required.";
	}
	return NULL;
}

/* SPDX-License-Identifier: MIT */
/*
 * The configuration of praxisd, read and checked as a whole (docs/configuration.md).
 *
 * px_config_load() starts nothing and changes nothing: it turns a directory into one tree of
 * structs, or into complaints, all of them at once. What comes out needs no further checking,
 * but for the options of a service: their table is known once its plugin is loaded, and
 * px_config_check_options() is for that moment.
 *
 * Loading keeps no state, so that a reload is another load beside the configuration in use.
 * Rejected: a reader that fills the running server's settings while it parses, which is
 * shorter but leaves half a configuration behind a bad file.
 */
#ifndef PX_CONFIG_H
#define PX_CONFIG_H

#include "config/value/address.h"
#include "config/value/value.h"

#include <praxis/option.h>

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct json_object;
struct px_config_source;

enum px_config_sync {
	PX_CONFIG_SYNC_NONE, /* the system writes it when it likes */
	PX_CONFIG_SYNC_LINE, /* each line is on the disk before what it tells is confirmed */
};

enum px_config_log_format {
	PX_CONFIG_LOG_TEXT,
	PX_CONFIG_LOG_JSON,
	PX_CONFIG_LOG_JOURNALD,
};

enum px_config_on_full {
	PX_CONFIG_FULL_REFUSE,   /* what cannot be written down does not happen */
	PX_CONFIG_FULL_CONTINUE, /* it happens all the same */
};

/* The audit log. */
struct px_config_audit {
	char *file; /* absolute; need not be there yet */
	enum px_config_sync sync;
	enum px_config_on_full on_full;
	uint32_t refusals_per_s; /* lines; 0: without a bound */
	char *key; /* of the HMAC; NULL: plain hashes. Wiped when destroyed */
};

/* The Redis that several servers share. */
struct px_config_bus {
	char *host; /* IPv6 without brackets */
	uint16_t port;
	bool is_tls;
	bool is_exposed; /* without TLS, and to another machine */
	unsigned database;
	char *user;     /* NULL: Redis' default one */
	char *password; /* NULL: none. Wiped when destroyed */
	char *ca_file;  /* absolute path of a file that could be read; NULL: the system's */
	char *prefix;
	int64_t node_timeout_ms;
	const struct px_config_file *file;
	unsigned line;
};

struct px_config_global {
	struct px_options *options; /* all keys as they were checked, to be shown */
	char **plugin_dirs; /* absolute */
	size_t plugin_dir_count;
	int log_level;      /* PX_LOG_ERROR … PX_LOG_DEBUG */
	enum px_config_log_format log_format;
	uint32_t max_connections; /* 0: what RLIMIT_NOFILE allows */
	uint32_t max_message_bytes;
	uint32_t queue_bytes;
	int64_t queue_age_ms;
	uint32_t max_rooms_per_session;
	uint32_t max_channels;
	uint32_t send_buffer_bytes;
	int64_t heartbeat_ms;
	int64_t drain_ms;
	int64_t drain_deadline_ms;
	int64_t slow_close_ms;
	int64_t grace_ms;           /* 0: a session ends with its connection */
	uint32_t resume_messages;   /* kept for one session; at least 1 */
	uint32_t resume_bytes;
	uint32_t detached_sessions; /* at a time; at least 1 */
	struct px_config_audit *audit; /* NULL: none is kept */
	struct px_config_bus *bus;     /* NULL: this server is alone */
	char *state_file;              /* absolute; NULL: a restart begins anew */
	int64_t state_max_age_ms;
	uint64_t state_max_bytes;

	/* limits; 0: without, if not said otherwise */
	uint32_t max_connections_per_address;
	uint32_t max_connections_per_user;
	uint32_t connections_per_second_per_address; /* in a burst twice as many */
	uint32_t max_unauthenticated; /* connections that have not authenticated yet, in all */
	uint32_t auth_failures;       /* of an address in 30 minutes; then its guesses are refused */
	uint32_t auth_failure_ms_per_second; /* of the loop's time, for what fails of one address */
	uint32_t address_prefix;      /* bits of IPv6 that are counted as one; never 0 */
	uint32_t remembered_addresses; /* at least 1 */
	uint32_t max_rooms_per_practice;
	uint32_t max_tails; /* who look on at a time */
	uint32_t max_practices; /* 0: as many as max_channels */
	uint32_t max_idempotency_keys; /* remembered at a time; 0: none can be used */
	uint32_t messages_per_second; /* of one session, as the three below */
	uint32_t messages_burst;      /* at least 1 */
	uint32_t bytes_per_second;
	uint32_t bytes_burst; /* at least 1; may be less than one message */
	uint32_t acts_per_second; /* written to the audit log; of one session, as the next */
	uint32_t acts_burst;      /* at least 1 */
	uint32_t requests_per_second_per_address; /* over HTTP; in a burst twice as many */
	uint32_t api_requests_per_second; /* of one user; in a burst five times as many */
	uint32_t api_bytes_per_second;    /* of these requests and answers, as above */
};

struct px_config_mount {
	char *mountpoint;
	char *origin; /* absolute path of a directory that was there */
	char *index;  /* the file served for the directory itself */
	uint32_t cache_max_age_s;
};

/* All headers of a vhost together, as lines of a response, are shorter than this. */
#define PX_CONFIG_HEADER_BYTES 4096

struct px_config_header {
	char *name; /* without a colon */
	char *value;
};

/* What a vhost says of one service. */
struct px_config_service {
	char *name;
	bool enabled;
	const struct px_config_file *file; /* the last that sets it up */
	unsigned line;
	struct px_config_object options; /* unchecked; see px_config_check_options() */
};

/* How a token spells what it says of its bearer. None is NULL; all by default their key. */
struct px_config_claim_names {
	char *sub;
	char *name;
	char *tenant;
	char *practices;
	char *practice_id; /* "practiceId" */
	char *role;
	char *rooms;
};

/* Identities from tokens. */
struct px_config_tokens {
	char *secret;    /* of HS256; NULL: none. Wiped when destroyed */
	char *secret_kid; /* what tokens call it; NULL: only those without a "kid" */
	char *jwks_file; /* absolute path of a file that could be read; NULL: none */
	char *issuer;    /* NULL: any */
	char *audience;  /* NULL: any */
	uint32_t leeway_s;
	bool require_exp;
	enum px_role default_role; /* of a token that names none; 0: it is refused */
	struct px_config_claim_names claims;
	char *cookie; /* name of the cookie with a token in it; NULL: none */
	bool query;   /* whether the query may have an access_token */
	uint32_t max_bytes; /* of a token */
	int64_t auth_ms; /* in which a session must have authenticated */
};

/* The application's back end is told what happens. */
struct px_config_webhook {
	char *url;    /* as auth_url */
	char *secret; /* that signs what is sent. Wiped when destroyed */
	int64_t timeout_ms; /* for one request */
	int64_t give_up_ms; /* after which an event that nobody took is not sent any more */
	uint32_t max;       /* requests in flight; at least 1 */
	uint32_t batch;     /* events in one; at least 1 */
	uint32_t queue_events;
	uint64_t queue_bytes;
};

/* An entry of "trusted-proxies" or "metrics-allow". */
struct px_config_proxy {
	struct in6_addr address; /* IPv4 mapped */
	uint8_t prefix;          /* bits of those 128; 10.0.0.0/8 has 104 */
};

/* Which header of a trusted proxy names the client. */
enum px_config_forwarded {
	PX_CONFIG_FORWARDED_AUTO,     /* the one that is there; both have to agree */
	PX_CONFIG_FORWARDED_LEGACY,   /* X-Forwarded-For */
	PX_CONFIG_FORWARDED_STANDARD, /* Forwarded */
};

enum px_config_tls_version {
	PX_CONFIG_TLS_1_2,
	PX_CONFIG_TLS_1_3,
};

enum px_config_open_mode {
	PX_CONFIG_OPEN_OFF,      /* there are tokens or an auth_url, or it only redirects */
	PX_CONFIG_OPEN_LOOPBACK, /* every address of the vhost is a loopback address */
	PX_CONFIG_OPEN_INSECURE,
};

struct px_config_vhost {
	struct px_options *options; /* all keys as they were checked, to be shown */
	char *name;
	uint16_t port; /* 0: any free one */
	struct px_config_address *addresses;
	size_t address_count;
	char *tenant;
	char *path;

	/* Who a client is: tokens, or the application's word, or both; neither: open mode. */
	struct px_config_tokens *tokens; /* NULL: none are taken */
	char *auth_url; /* "https://host:port/path?query", path never empty; NULL: none is asked */
	int64_t auth_timeout_ms;
	uint32_t auth_max;     /* questions in flight */
	int64_t identity_ttl_s; /* of who came by a ticket or the application's word, without exp */
	uint32_t auth_cache_s; /* 0: each answer is used once */
	struct px_config_webhook *webhook; /* NULL: it is told nothing */
	enum px_config_open_mode open_mode;
	char *open_practice; /* NULL: none; always so where open_mode is OFF */
	bool open_practice_is_number;

	/*
	 * As px_origin_allowed() wants them, and browsers write them: "*", "https://host:port"
	 * or with "*." before the host; lower case, no port where it is the scheme's own.
	 */
	char **origins; /* none: only pages of the same host */
	size_t origin_count;
	struct px_config_proxy *trusted_proxies; /* see px_config_is_trusted_proxy() */
	size_t trusted_proxy_count;
	enum px_config_forwarded forwarded_header;
	/* Who may read /metrics and /stats without a token; see px_config_shows_metrics(). */
	struct px_config_proxy *metrics_allow;
	size_t metrics_allow_count;
	bool proxy_protocol; /* trusted proxies begin each connection with a PROXY header */

	/* TLS: cert and key both or neither; the paths absolute, and the files could be read. */
	char *host_ssl_cert;
	char *host_ssl_key;
	char *host_ssl_ca; /* who signs client certificates; NULL: none are asked for */
	bool client_cert_required;
	enum px_config_tls_version tls_min_version;
	uint32_t hsts_max_age; /* seconds; 0: no such header. Given, it is so without TLS, too */

	/*
	 * Not 0: the vhost answers every request, upgrades too, with a redirect to https on
	 * this port, and does nothing else. Then there is no TLS in it.
	 */
	uint16_t redirect_to_https;

	struct px_config_mount *mounts;
	size_t mount_count;
	struct px_config_header *headers;
	size_t header_count;
	struct px_config_service *services;
	size_t service_count;
	const struct px_config_file *file;
	unsigned line;
};

struct px_config {
	struct px_config_global global;
	struct px_config_vhost *vhosts; /* at least one */
	size_t vhost_count;

	/* private to the reader */
	struct px_config_source **sources;
	size_t source_count;
	unsigned shares; /* besides the first */
};

/*
 * Reads the directory (or file) at `path`. 0, and *ret_config is the caller's until
 * px_config_destroy(); -EINVAL after at least one error went to the sink; -ENOENT, -EACCES …
 * when there is nothing to read at `path`, which the sink is told, too; -ENOMEM.
 * Warnings alone do not fail.
 */
int px_config_load(const char *path, const struct px_config_sink *sink,
		struct px_config **ret_config);

/*
 * The same for one text instead of files: `name` is what complaints call it, `directory`
 * (absolute) is where its relative paths start.
 */
int px_config_load_text(const char *directory, const char *name, const char *text, size_t length,
		const struct px_config_sink *sink, struct px_config **ret_config);

/* The same again, for one more who will destroy it. */
struct px_config *px_config_share(struct px_config *config);

/* Frees it with the last of its shares. NULL is fine. */
void px_config_destroy(struct px_config *config);

/*
 * The options of a service, which are the same in every vhost that has it enabled: the
 * first such vhost's entry, or NULL where none has. The configuration's.
 */
const struct px_config_service *px_config_find_service(const struct px_config *config,
		const char *name);

/*
 * Checks the options of a service against its table (NULL: it takes none), reading the files
 * of `<key>-file` on the way. 0, and *ret_options is the caller's until px_options_destroy(),
 * independent of the configuration; -EINVAL after complaints; -ENOMEM.
 */
int px_config_check_options(const struct px_config_service *service,
		const struct px_option *table, const struct px_config_sink *sink,
		struct px_options **ret_options);

/* Whether it listens on loopback addresses alone. */
bool px_config_is_on_loopback(const struct px_config_vhost *vhost);

/* Whether "metrics-allow" has the address (IPv4 mapped). */
bool px_config_shows_metrics(const struct px_config_vhost *vhost, const struct in6_addr *address);

/* Whether "trusted-proxies" has the address (IPv4 mapped). */
bool px_config_is_trusted_proxy(const struct px_config_vhost *vhost,
		const struct in6_addr *address);

/*
 * The reader's own tables: "" (a file), "global", "audit", "vhosts", "tokens", "claims",
 * "mounts". NULL: no such.
 */
const struct px_option *px_config_table(const char *object);

#endif

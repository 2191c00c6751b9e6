/* SPDX-License-Identifier: MIT */
/*
 * The host process as its files see it: one struct, and what each file does for the others.
 * main.c puts it together and takes it apart again; nothing here knows of rooms.
 */
#ifndef PX_SERVER_H
#define PX_SERVER_H

#include "address/address.h"
#include "config/config.h"
#include "metrics/stats_history.h"
#include "net/limiter.h"
#include "base/turn.h"

#include <libwebsockets.h>
#include <netinet/in.h>
#include <praxis/adapter.h>
#include <uv.h>

struct px_authority;
struct px_frontend;
struct px_greeting;
struct px_http_fault;
struct px_http_head;
struct px_http_refusal;
struct px_idempotency;
struct px_onlooker;
struct px_planned_vhost;
struct px_server;
struct px_tls;
struct px_webhook;

/* A service that was loaded; stays until the process ends. */
struct px_plugin {
	char *name;
	void *handle;
	const struct lws_protocols *protocol;
	const struct px_service *service;
	struct px_options *options; /* in force */
	unsigned index;             /* the broker's, once it is started */
	bool started;
};

/* A listening socket; it stays open as long as a configuration wants its address. */
struct px_listener {
	struct px_server *server;
	struct px_vhost *vhost;
	struct px_listener *next;
	struct px_config_address wanted;
	struct sockaddr_storage bound; /* the same, and a port where any was wanted */
	struct px_planned_vhost *claim; /* wanted by the configuration that is being prepared */
	uv_poll_t poll;
	uv_timer_t pause; /* when there were no descriptors left */
	int handles;      /* of these two, not yet closed */
	int fd;
	char address[64];
};

/* Room for a service's name, which the broker has checked. */
#define PX_SERVICE_NAME_SIZE 33

/*
 * A vhost in force, or one that retires. Its config is replaced by a reload; peers point to
 * it, and sessions to its site.
 */
struct px_vhost {
	struct px_server *server;
	const struct px_config_vhost *config;
	struct px_config *kept; /* retired: the configuration that `config` is in, held on to */
	struct px_vhost *next_retired;
	struct px_site site;
	const char **disabled; /* behind site.disabled */
	struct px_authority *authority; /* NULL: open mode */
	struct px_tls *tls;             /* NULL: none */
	struct px_webhook *webhook;     /* NULL: never had one */
	uint64_t peers;
	bool is_retired;
	bool tightened; /* its sessions are to be held against its new configuration */
};

/* One TCP connection; lws's opaque user data, from adoption to the end. */
struct px_peer {
	struct px_vhost *vhost;
	struct in6_addr own_address; /* the connection's, or what its PROXY header tells */
	struct in6_addr address;     /* of who sent the request: see address/forwarded.h and address/address.h */
	const void *head;            /* of the request in hand: see http/lws_head.h */
	struct px_tally_entry *address_entry; /* once it is counted */
	struct px_tally_entry *user_entry;
	struct px_identity *identity; /* let in, not yet a session */
	struct px_asking *asking;     /* the application's back end is asked */
	struct px_request *request;   /* of the API: being read, or its answer goes on */
	struct px_frontend *frontend; /* reads its requests; NULL: lws does */
	uint32_t holders;             /* frontend and lws connections */
	uint64_t bytes_at_answer;     /* read by TLS when the last answer was written; 0: none was */
	struct px_comeback *comeback; /* the session that it wants to resume; NULL: none */
	int8_t service;
	bool is_proxied;              /* it began with a PROXY header … */
	bool is_https;                /* … which says that the client came with TLS */
	bool is_forwarded;            /* a proxy has left a sign in the request … */
	bool is_masked;               /* … one that is not trusted: the address is not the client's */
	bool versioned;
	bool nobody;                  /* an open session that has not authenticated */
	uint8_t verdict;              /* enum px_verdict, of the token that it came with */
	const char *sentence;         /* … if it is no good */
	int64_t retry_after_ms;       /* … and when another may be; 0: not said */
};

/* How WebSocket handshakes ended. */
enum px_handshake {
	PX_HANDSHAKE_ACCEPTED,
	PX_HANDSHAKE_BAD_TOKEN, /* let in to be told so */
	PX_HANDSHAKE_BAD_REQUEST,
	PX_HANDSHAKE_NOT_FOUND,
	PX_HANDSHAKE_ORIGIN,
	PX_HANDSHAKE_RATE_LIMITED,
	PX_HANDSHAKE_UNAVAILABLE,
	PX_HANDSHAKE_COUNT,
};

/* Limits of the configuration that somebody ran into; the broker counts its own (px_bound). */
enum px_limit {
	PX_LIMIT_CONNECTIONS,
	PX_LIMIT_PER_ADDRESS,
	PX_LIMIT_ADDRESS_RATE,
	PX_LIMIT_PER_USER,
	PX_LIMIT_UNAUTHENTICATED,
	PX_LIMIT_AUTH_FAILURES,
	PX_LIMIT_AUTH_BUDGET,
	PX_LIMIT_IDEMPOTENCY,
	PX_LIMIT_TAILS,
	PX_LIMIT_REQUESTS,
	PX_LIMIT_API_REQUESTS,
	PX_LIMIT_API_BYTES,
	PX_LIMIT_COUNT,
};

struct px_server {
	const char *config_path;
	struct px_config *config;

	uv_loop_t loop;
	uv_prepare_t prepare;    /* before waiting: what timers brought … */
	uv_check_t check;        /* … and behind it: what sockets brought */
	struct px_turn turn;
	struct px_histogram flushes; /* writing what a turn had for its sessions */
	uv_timer_t timer;        /* the broker's next deadline */
	uv_signal_t signals[3];
	uv_timer_t drain_timer;
	uv_timer_t keys_timer;
	uv_timer_t reload_timer;
	uv_timer_t refusals_timer; /* while refusals were only counted: see px_audit_refused() */
	uv_timer_t sweep_timer; /* while vhosts retire */
	uv_timer_t webhook_timer; /* something is to be sent, or tried again */
	uv_timer_t onlooker_timer; /* while there are any */
	struct lws_context *context;
	char protocol_names[PX_SERVICES_MAX][PX_SERVICE_NAME_SIZE]; /* empty: none yet */
	struct lws_protocols protocols[PX_SERVICES_MAX + 2];
	struct lws_protocol_vhost_options pvos[PX_SERVICES_MAX + 1];
	struct lws_vhost *plain; /* of all connections without TLS */
	struct px_tls *tls;      /* all that were made */
	struct px_lws *lws;
	struct px_broker *broker;

	struct px_plugin plugins[PX_SERVICES_MAX];
	size_t plugin_count;
	struct px_vhost **vhosts;
	size_t vhost_count;
	struct px_vhost *retired;
	struct px_listener *listeners;

	struct px_tally *addresses;
	struct px_tally *users;
	struct px_tickets *tickets;
	struct px_idempotency *idempotency;
	struct px_backend *backend;
	struct px_webhook *webhooks; /* of all vhosts that have or had one */
	struct px_audit *audit; /* NULL: none is kept */
	struct px_onlooker *onlookers;
	uint32_t onlooker_count;
	struct px_greeting *greetings; /* connections that owe a PROXY header */
	struct px_frontend *frontends; /* connections that are no WebSocket (yet) */
	uint64_t relays;               /* requests of theirs that are being answered */
	uint64_t connections;
	int spare_fd; /* given up where there are no descriptors left, to say so; -1: in use */
	uint64_t nobodies;
	uint64_t bad_tokens;
	uint64_t descriptors; /* that there can be */
	uint64_t locks;        /* of addresses: access/lockout.h */
	uint64_t locks_untold; /* since the last line of the log about one */
	struct px_bucket lock_lines;
	uint64_t max_connections;
	uint64_t handshakes[PX_HANDSHAKE_COUNT];
	struct px_samples samples;
	uint64_t limits[PX_LIMIT_COUNT];
	uint64_t refused;         /* upgrades and connections, for whatever reason … */
	uint64_t refused_busy;    /* … because the server or a table was at its limit (503) */
	uint64_t refused_often;   /* … because of the address or user: too many, too fast (429) */
	uint64_t refused_origin;  /* … because of the page's origin (403) */
	int64_t started_ms;
	int64_t started_wall_ms;
	int64_t deadline_ms;       /* the timer is set to */
	int64_t reload_after_ms;   /* the next may not come before */
	int64_t origin_notice_ms;  /* as the next of its kind, of pages that were refused */
	int64_t nobody_warning_ms; /* as the next of its kind, of clients whose proxy hides them */
	uint64_t reloads;
	uint64_t reloads_refused;
	int64_t drain_end_ms;      /* the last client is asked to go */
	int64_t drain_deadline_ms; /* … and made to */
	int64_t webhooks_stopped_ms; /* what happens from then on waits for the next server; 0: not yet */
	int64_t flush_end_ms;      /* all are gone, and webhooks are waited for until then; 0: not yet */
	bool draining;
	bool missed_dashboard;     /* the log has it that there is none */
	bool handed_on;            /* sessions that are left go on in the next server */
};

/* services/loader.c: the plugins that a configuration names, their options checked; -EINVAL */
int px_plugins_load(struct px_server *server, const struct px_config *config,
		const struct px_config_sink *sink);
/* One of them, with the options that `wanted` has for it, unless it was loaded before; -EINVAL */
int px_plugin_load(struct px_server *server, const struct px_config *config,
		const struct px_config_service *wanted, const struct px_config_sink *sink);
/* The options of a service, by its table and its own check; -EINVAL after complaints. */
int px_plugin_options(const struct px_service *service, const struct px_config_service *wanted,
		const struct px_config_sink *sink, struct px_options **ret_options);
/* Stops and unloads the plugins from `first` on, which no session has met yet. */
void px_plugins_withdraw(struct px_server *server, size_t first);
struct px_plugin *px_plugin_find(struct px_server *server, const char *name);
void px_plugins_unload(struct px_server *server);

/*
 * services/services.c: one more than the configuration has enabled is loaded and started. Errors are logged,
 * and change nothing. No session may use it before its site has it.
 */
int px_service_add(struct px_server *server, const struct px_config_service *wanted);

/* vhost/vhost.c: which services a vhost has, and in force as the configuration says */
struct px_vhost *px_vhost_find(const struct px_server *server, const char *name);
void px_vhost_destroy(struct px_vhost *vhost);
void px_vhosts_destroy(struct px_server *server);

/* vhost/retire.c. `config` is what the vhost's own is part of. */
void px_vhost_retire(struct px_vhost *vhost, struct px_config *config);
void px_vhosts_drain_misfits(struct px_server *server);
void px_retired_destroy(struct px_server *server);

/* net/listeners.c: which sockets there are */
bool px_vhost_listens_on(const struct px_vhost *vhost, const struct sockaddr_storage *local);
void px_listeners_close(struct px_server *server);

/* net/listener.c: a socket at work */
void px_listener_start(struct px_listener *listener);
void px_listener_stop(struct px_listener *listener);
/* A connection whose address is known goes on to lws; takes both over. */
void px_listener_adopt(struct px_peer *peer, int fd);
/* The same, of one whose next request is a WebSocket's. */
void px_listener_give_to_lws(struct px_peer *peer, int fd);

/* net/lws.c: the one lws context and its vhosts */
int px_context_create(struct px_server *server, const struct px_config *config);
/* `tls` NULL: the plain one. -ENOMEM, -EPROTO. */
int px_context_create_vhost(struct px_server *server, struct px_tls *tls,
		struct lws_vhost **ret_vhost);
/* Gives each service that is loaded its subprotocol. */
void px_context_name_services(struct px_server *server);
bool px_server_pressed(void *user, enum px_work work); /* a hook of broker and adapter */
int64_t px_server_wall_ms(void); /* since 1970 */
/* The loop has come round: the turn begins, and the broker is told the time. */
void px_server_begin_turn(struct px_server *server);
uint64_t px_server_now_ns(void *user); /* hooks of the broker */
void px_server_flushed(void *user, uint64_t ns);
void px_context_destroy(struct px_server *server);

/*
 * http/framing.c: whether it is beyond doubt where a request ends; as px_gate_pass(). And that it was
 * answered.
 */
int px_framing_check(const struct px_peer *peer, struct lws *wsi);
void px_framing_answered(struct px_peer *peer, struct lws *wsi);

/* http/precheck.c: 0: go on; 1: an answer was written; -1: drop it. `within`: see http/lws_head.h */
int px_gate_pass(struct lws *wsi, const void *within);

/* http/upgrade.c: hooks of the adapter */
int px_upgrade_decide(void *user, struct lws *wsi);
int px_upgrade_accept(void *user, struct lws *wsi, struct px_session_params *ret_params);
void px_upgrade_opened(void *user, struct lws *wsi, int rc);
/* Why a page, by its Origin and by the Host that it calls us, may not connect; NULL: it may. */
const char *px_upgrade_page_fault(const struct px_peer *peer, struct lws *wsi);

/* auth/security.c: all that stands before a session; in the order of a process' life */
int px_security_check(const struct px_config *config, const struct px_config_sink *sink);
int px_security_create(struct px_server *server);
void px_security_stop(struct px_server *server);
void px_security_destroy(struct px_server *server);
void px_security_authenticate(void *user, void *conn, const struct px_site *site,
		struct px_span token, struct px_authentication *ret_authentication);

/*
 * net/peer.c. Counting is undone when the peer is gone. -EMFILE, -EAGAIN, -ENOSPC. Each that holds it
 * destroys it once.
 */
struct px_peer *px_peer_create(struct px_vhost *vhost, const struct in6_addr *address);
void px_peer_ref(struct px_peer *peer);
void px_peer_destroy(struct px_peer *peer);
void px_peer_gone(void *user, struct lws *wsi);
struct px_tally_entry *px_peer_address_entry(struct px_peer *peer);
struct in6_addr px_peer_address_group(const struct px_peer *peer);
/* *ret_wait_ms: when to try again, where it is refused; 0: nobody knows. */
int px_peer_count_address(struct px_peer *peer, int64_t *ret_wait_ms);
/* A request over HTTP: 0, or the milliseconds until there may be one. */
int64_t px_peer_take_request(struct px_peer *peer);
/* What is counted of a user; NULL without memory. */
struct px_tally_entry *px_user_entry(struct px_server *server, struct px_span tenant,
		struct px_span user);
/* It is about to go, and counts no more; the connection in its place does. */
void px_peer_uncount(struct px_peer *peer);
int px_peer_count_user(struct px_peer *peer, struct px_span tenant, struct px_span user);
void px_peer_set_nobody(struct px_peer *peer, bool nobody);
void px_peer_session_params(struct px_peer *peer, struct px_session_params *ret_params);

/* audit/audit_events.c: the audit trail. -errno: what happens must not. */
int px_trail_event(void *user, const struct px_event *event);
void px_trail_refused(struct px_server *server, const struct px_peer *peer, const char *reason);
void px_trail_denied(struct px_server *server, const struct px_operator *operator,
		const char *reason);
int px_trail_note(struct px_server *server, const char *event, const char *reason);
/* Of what is in the trail already, or in none: for administrators who watch. */
void px_trail_show(struct px_server *server, const char *event);

/* services/switch.c: the broker's hook */
int px_service_switch(void *user, const struct px_operator *operator, struct px_span name,
		bool enabled);

/* auth/auth_url.c: auth-url. Prepared while the headers are there, started once it is upgraded. */
int px_asking_prepare(struct px_peer *peer, struct lws *wsi);
int px_asking_start(struct px_peer *peer, struct lws *wsi);
void px_asking_drop(struct px_peer *peer);

/* api/api.c: what is under /api/v1/, and which methods a path there takes (its Allow) */
bool px_api_concerns(const char *path);
const char *px_api_allow(const char *path);
int px_api_begin(struct px_peer *peer, struct lws *wsi, const char *path);
int px_api_body(void *user, struct lws *wsi, const void *piece, size_t len);
int px_api_end(void *user, struct lws *wsi);
void px_request_drop(struct px_peer *peer);
/* To whom the answer goes on; NULL: nobody. */
struct px_onlooker *px_request_onlooker(const struct px_peer *peer);
/* Whether the request's token rules the vhost; else *ret_refusal is why not. */
bool px_api_judge(struct px_peer *peer, struct lws *wsi, struct px_http_refusal *ret_refusal);

/* api/tail_stream.c: a hook of the adapter; and the end of all of them, who are told why */
int px_onlooker_writable(void *user, struct lws *wsi);
void px_onlookers_end(struct px_server *server, const char *reason);

/* http/resume_query.c: ?resume=…&received=… of an upgrade */
int px_comeback_read(struct px_peer *peer, struct lws *wsi);
void px_comeback_drop(struct px_peer *peer);
/* Whether it identifies the client; *ret_old: who has the session now, or NULL. */
bool px_comeback_is_good(struct px_peer *peer, struct px_peer **ret_old);
void px_comeback_params(const struct px_peer *peer, struct px_session_params *params);
/* The session goes on with that peer's connection. -errno: it must not. */
int px_comeback_done(const struct px_session *session, void *conn);

/* The vhost that a session's site is part of. */
static inline struct px_vhost *px_vhost_of(const struct px_site *site)
{
	return (struct px_vhost *)((char *)(uintptr_t)site - offsetof(struct px_vhost, site));
}

/* access/open_mode.c: one parameter of the query; absent: empty. -EINVAL: too long for buf. */
int px_query_parameter(struct lws *wsi, const char *name, char *buf, size_t size,
		struct px_span *ret_value);

/* Whether the query has parameters of these names alone; the list ends with NULL. */
bool px_query_is_only(struct lws *wsi, const char *const *names);

/* An identity from the query. -EINVAL: it makes no sense. */
int px_open_mode_identify(const struct px_peer *peer, struct lws *wsi,
		struct px_identity **ret_identity);

/* http/http.c: hooks of the adapter, and how answers look */
int px_http_request(void *user, struct lws *wsi, const char *path);
int px_http_done(void *user, struct lws *wsi);
int px_http_refuse(struct lws *wsi, int status, const char *code, const char *sentence);

/*
 * The same with all that a refusal may say. `wait_ms`: when it is worth to try again; 0: nobody
 * knows, which 429 and 503 tell as PX_RETRY_UNKNOWN_MS; PX_RETRY_NEVER: it is not.
 */
struct px_http_refusal {
	int status;
	const char *code;
	const char *field; /* NULL: none */
	const char *sentence;
	int64_t wait_ms;
	const char *challenge; /* of 401 and 403: RFC 6750's error and error_description; NULL: none */
	const char *reason;    /* of what may end by itself: a word; NULL: none */
	bool for_any_page;     /* may be read by pages of any origin */
};
int px_http_refuse_as(struct lws *wsi, const struct px_http_refusal *refusal);

#define PX_RETRY_UNKNOWN_MS 5000
#define PX_RETRY_NEVER (-1)

/* A time to wait as Retry-After has it: whole seconds, at least one. */
static inline int64_t px_retry_seconds(int64_t wait_ms)
{
	return ((wait_ms > 0 ? wait_ms : PX_RETRY_UNKNOWN_MS) + 999) / 1000;
}
int px_http_refuse_field(struct lws *wsi, int status, const char *code, const char *field,
		const char *sentence); /* field may be NULL */
int px_http_redirect(struct lws *wsi, const char *location); /* 1, or -1 */

/*
 * The vhost's headers as lines, and those of ours that it has none of the same name for;
 * their length, or -1: they do not fit.
 */
enum px_http_kind {
	PX_HTTP_DATA,
	PX_HTTP_PAGE, /* a file, which may be one */
};
#define PX_HTTP_HEADERS_MAX (PX_CONFIG_HEADER_BYTES + 512)
int px_http_headers(const struct px_vhost *vhost, enum px_http_kind kind, const char *caching,
		char *buf, size_t size);
int px_http_answer(struct lws *wsi, int status, const char *type, struct px_span body);
/* An answer that lws has no part in; its length. Of `head` as much counts as was read. */
size_t px_http_compose_error(const struct px_vhost *vhost, const struct px_http_head *head,
		const struct px_http_fault *fault, char *buf, size_t size);
/* A page that was put together. */
int px_http_answer_page(struct lws *wsi, const char *caching, struct px_span body);
/* The head of an answer that goes on until the connection ends. -1: it is lost. */
int px_http_begin(struct lws *wsi, const char *type);

/* http/dashboard.c: the administrators' page. 1: the path is not its. */
int px_dashboard_serve(struct px_server *server, struct px_vhost *vhost, struct lws *wsi,
		const char *path);

/* http/files.c: static mounts. 1: there is no such file here. */
int px_files_serve(struct px_server *server, struct px_vhost *vhost, struct lws *wsi,
		const char *path);
/* The same of one mount alone. */
int px_files_serve_mount(struct px_vhost *vhost, struct lws *wsi,
		const struct px_config_mount *mount, const char *path);

/* metrics/config_view.c: the broker's hook; what an operator is shown of the host */
void px_describe(void *user, const struct px_operator *operator, enum px_description what,
		const struct px_service *service, struct px_json *json);

/* metrics/metrics.c: GET /metrics */
struct px_exposition;
void px_metrics_write(struct px_server *server, struct px_exposition *out);

/* metrics/stats.c: the members of GET /stats */
extern const char *const px_resume_names[PX_RESUME_COUNT];
extern const char *const px_handshake_names[PX_HANDSHAKE_COUNT];
void px_statistics_write(struct px_server *server, struct px_json *json);

/* settings.c: what the configuration's global part means */
struct px_limits px_settings_limits(const struct px_config *config);
/*
 * Raises the process' limit on descriptors to what is wanted, or lowers it to what lws can take;
 * what it is then. Once, before lws sees it: its tables do not grow.
 */
uint64_t px_settings_descriptors(const struct px_config *config);
/* How many connections there may be, with that many descriptors. */
uint64_t px_settings_connections(const struct px_config *config, uint64_t descriptors);
void px_settings_log_complaint(void *user, enum px_config_level level, const char *text);

/* reload.c: on SIGHUP; soon, and once for many */
void px_server_reload(struct px_server *server);

/* drain.c: on SIGTERM and SIGINT */
void px_server_drain(struct px_server *server);
/* While it drains: when the last client is asked to go, or after that the end at the latest. */
int64_t px_server_ends_in_ms(const struct px_server *server);

/*
 * state/state.c: what one process leaves and the next takes up. Loading can not fail but in saying
 * so in the log; -errno where saving did. With no state file configured neither does anything.
 */
void px_server_load_state(struct px_server *server);
int px_server_save_state(struct px_server *server);

#endif

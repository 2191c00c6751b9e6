/* SPDX-License-Identifier: MIT */
/*
 * praxisd: options, start, loop, end. A start checks first and acts later: configuration, plugins,
 * ports, and only then services and clients; a failure exits with code 2, with nothing half
 * started.
 */
#include "core/plan.h"
#include "access/lockout.h"
#include "base/log.h"
#include "bus/bus.h"
#include "common/standard_fds.h"
#include "core/clock.h"
#include "core/settings.h"
#include "core/vhost.h"
#include "frontend/frontend.h"
#include "http/lws_head_memory.h"
#include "health.h"
#include "lifecycle.h"
#include "metrics/metrics.h"
#include "net/listeners.h"
#include "net/lws.h"
#include "net/tls.h"
#include "router/router.h"
#include "security.h"
#include "services/services.h"
#include "session_events.h"
#include "state/state.h"
#include "version.h"
#include "vhost/vhost.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#ifndef PX_CONFIG_PATH
#define PX_CONFIG_PATH "/etc/praxis"
#endif

#define EXIT_CONFIG 2

/* An option without a letter. */
#define HEALTH_OPTION 256
#define CHECK_PLUGIN_OPTION 257

static const char help[] =
		"praxisd " PX_VERSION ": real-time server for medical and veterinary practices\n"
		"\n"
		"Usage: praxisd [--config PATH] [--check-config | --health | --check-plugin FILE]\n"
		"\n"
		"  -c, --config PATH   directory with praxis.json and conf.d/ (default " PX_CONFIG_PATH ")\n"
		"  -t, --check-config  report errors in the configuration without starting; whether ports\n"
		"                      and files are free and services start is known only at start\n"
		"      --health        ask the server that runs with this configuration whether it serves: exit\n"
		"                      code 0, or 1 and why not\n"
		"      --check-plugin FILE\n"
		"                      print what the file of a service is, and errors in it. It is loaded, and\n"
		"                      its constructors run. With --config: whether a service of that\n"
		"                      configuration has one of its prefixes\n"
		"  -V, --version       print the versions of praxisd and libwebsockets\n"
		"  -h, --help          print this\n"
		"\n"
		"Signals: TERM and INT drain and exit, HUP reloads the configuration.\n"
		"Exit codes: 0 success; 1 runtime failure, or the state could not be saved; 2 invalid\n"
		"configuration or command line, or another process has a port or the state file.\n";

#define HELD_MAX 64

/*
 * What is said of the configuration before it is known in which form it wants the log. What finds
 * no place is said at once.
 */
struct held {
	struct {
		enum px_config_level level;
		char *text;
	} complaints[HELD_MAX];
	size_t count;
	bool over; /* known, or never to be */
	bool for_programs; /* a form other than text */
};

struct arguments {
	const char *config_path; /* NULL: not given */
	const char *plugin;
	bool check;
	bool health;
	struct held held;
};

/* -1: continue; otherwise the exit code. */
static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check-config", no_argument, NULL, 't' },
		{ "check-plugin", required_argument, NULL, CHECK_PLUGIN_OPTION },
		{ "health", no_argument, NULL, HEALTH_OPTION },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;
	while ((option = getopt_long(argc, argv, "c:tVh", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			arguments->config_path = optarg;
			break;
		case 't':
			arguments->check = true;
			break;
		case CHECK_PLUGIN_OPTION:
			arguments->plugin = optarg;
			break;
		case HEALTH_OPTION:
			arguments->health = true;
			break;
		case 'V':
			printf("praxisd " PX_VERSION "\nlibwebsockets %s\n", lws_get_library_version());
			return EXIT_SUCCESS;
		case 'h':
			fputs(help, stdout);
			return EXIT_SUCCESS;
		default:
			fputs("Try praxisd --help.\n", stderr);
			return EXIT_CONFIG;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "praxisd: unexpected argument \"%s\"\n", argv[optind]);
		return EXIT_CONFIG;
	}
	return -1;
}

static const char *name_of(enum px_config_level level)
{
	return level == PX_CONFIG_ERROR ? "error" : "warning";
}

/* In the log's form, or plainly where people read it. */
static void tell(const struct held *held, enum px_config_level level, const char *text)
{
	if (held->for_programs) {
		px_settings_log_complaint(NULL, level, text);
	} else {
		px_log_plain("praxisd: %s: %s", name_of(level), text);
	}
}

static void hold(struct held *held, enum px_config_level level, const char *text)
{
	char *copy = held->over || held->count == HELD_MAX ? NULL : strdup(text);
	if (!copy) {
		tell(held, level, text);
		return;
	}
	held->complaints[held->count].level = level;
	held->complaints[held->count++].text = copy;
}

/* `config` is what came of it; NULL: nothing. */
static void release(struct held *held, const struct px_config *config)
{
	held->over = true;
	if (config) {
		px_settings_apply_log(config);
		held->for_programs = config->global.log_format != PX_CONFIG_LOG_TEXT;
	}
	for (size_t i = 0; i < held->count; i++) {
		tell(held, held->complaints[i].level, held->complaints[i].text);
		free(held->complaints[i].text);
	}
	held->count = 0;
}

/* --check-config shows all messages; a start does not wait for a reader of its output. */
static void on_complaint(void *user, enum px_config_level level, const char *text)
{
	struct arguments *arguments = user;
	if (arguments->health && level != PX_CONFIG_ERROR) {
		return;
	}
	if (arguments->check || arguments->health || arguments->plugin) {
		fprintf(stderr, "praxisd: %s: %s\n", name_of(level), text);
	} else {
		hold(&arguments->held, level, text);
	}
}

static void fill_random(void *user, void *buf, size_t len)
{
	(void)user;
	/* Up to 256 bytes, getrandom() never returns less; without it, ids could be guessed. */
	if (getrandom(buf, len, 0) != (ssize_t)len) {
		abort();
	}
}

static void log_line(void *user, int level, const char *line)
{
	(void)user;
	px_log(level, "%s", line);
}

static int hmac_sha1(void *user, struct px_span key, struct px_span text, char buf[29])
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	(void)user;
	if (!HMAC(EVP_sha1(), key.data, (int)key.len, (const unsigned char *)text.data, text.len,
			mac, &len)) {
		return -EIO;
	}
	EVP_EncodeBlock((unsigned char *)buf, mac, (int)len);
	return 0;
}

static void on_deadline(uv_timer_t *timer)
{
	px_server_begin_turn(timer->data);
}

/* If there is work left, the loop polls without waiting. */
static void rearm(struct px_server *server, bool at_once)
{
	int64_t now = (int64_t)uv_now(&server->loop);
	int64_t at = at_once ? now : px_broker_deadline(server->broker);
	if (at == INT64_MAX) {
		uv_timer_stop(&server->timer);
	} else if (!uv_is_active((uv_handle_t *)&server->timer) || at != server->deadline_ms) {
		uv_timer_start(&server->timer, on_deadline, at > now ? (uint64_t)(at - now) : 0, 0);
	}
	server->deadline_ms = at;
}

static void end_turn(struct px_server *server)
{
	bool at_once = px_lws_end_turn(server->lws);
	px_bus_flush(server);
	rearm(server, at_once);
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct px_server *server = prepare->data;
	end_turn(server);
	px_turn_end(&server->turn, uv_hrtime());
}

static void on_check(uv_check_t *check)
{
	struct px_server *server = check->data;
	px_turn_begin(&server->turn, uv_hrtime());
	end_turn(server);
}

static void on_signal(uv_signal_t *handle, int number)
{
	px_turn_begin(&((struct px_server *)handle->data)->turn, uv_hrtime());
	if (number == SIGHUP) {
		px_server_reload(handle->data);
	} else {
		px_server_drain(handle->data);
	}
}

/*
 * Signals with handlers while the loop runs. Before that, a SIGHUP stays pending; afterwards, no
 * signal may end the process before it has finished.
 */
static const int signal_numbers[] = { SIGTERM, SIGINT, SIGHUP };

#define SIGNALS (sizeof(signal_numbers) / sizeof(signal_numbers[0]))

static void block_signal(int number, bool blocked)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, number);
	(void)sigprocmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

static int start_signals(struct px_server *server)
{
	for (size_t i = 0; i < SIGNALS; i++) {
		int rc = uv_signal_init(&server->loop, &server->signals[i]);
		if (rc < 0) {
			return rc;
		}
		server->signals[i].data = server;
		uv_signal_start(&server->signals[i], on_signal, signal_numbers[i]);
		block_signal(signal_numbers[i], false);
	}
	return 0;
}

/*
 * libuv restores the default action of a signal that it no longer handles, which would end the
 * process; so these signals are blocked. curl's threads, one of which may still be resolving a
 * name, block them too (http_client/loop.c).
 */
static void stop_signals(struct px_server *server)
{
	for (size_t i = 0; i < SIGNALS; i++) {
		block_signal(signal_numbers[i], true);
		uv_close((uv_handle_t *)&server->signals[i], NULL);
	}
}

static void start_loop(struct px_server *server)
{
	uv_prepare_init(&server->loop, &server->prepare);
	uv_check_init(&server->loop, &server->check);
	uv_timer_init(&server->loop, &server->timer);
	uv_timer_init(&server->loop, &server->drain_timer);
	uv_timer_init(&server->loop, &server->keys_timer);
	uv_timer_init(&server->loop, &server->reload_timer);
	uv_timer_init(&server->loop, &server->refusals_timer);
	uv_timer_init(&server->loop, &server->sweep_timer);
	uv_timer_init(&server->loop, &server->webhook_timer);
	uv_timer_init(&server->loop, &server->tail_stream_timer);
	uv_timer_init(&server->loop, &server->watchdog_timer);
	server->prepare.data = server;
	server->check.data = server;
	server->timer.data = server;
	server->keys_timer.data = server;
	server->reload_timer.data = server;
	server->refusals_timer.data = server;
	server->sweep_timer.data = server;
	server->webhook_timer.data = server;
	server->tail_stream_timer.data = server;
	server->watchdog_timer.data = server;
	uv_prepare_start(&server->prepare, on_prepare);
	uv_check_start(&server->check, on_check);
	server->started_ms = (int64_t)uv_now(&server->loop);
	server->started_wall_ms = px_server_wall_ms();
	server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* lws closes its handles over the next turns of the loop, as do the others. */
static void stop_loop(struct px_server *server)
{
	px_frontends_drop(server);
	px_listeners_close(server);
	if (server->spare_fd >= 0) {
		close(server->spare_fd);
	}
	uv_close((uv_handle_t *)&server->prepare, NULL);
	uv_close((uv_handle_t *)&server->check, NULL);
	uv_close((uv_handle_t *)&server->timer, NULL);
	uv_close((uv_handle_t *)&server->drain_timer, NULL);
	uv_close((uv_handle_t *)&server->keys_timer, NULL);
	uv_close((uv_handle_t *)&server->reload_timer, NULL);
	uv_close((uv_handle_t *)&server->refusals_timer, NULL);
	uv_close((uv_handle_t *)&server->sweep_timer, NULL);
	uv_close((uv_handle_t *)&server->webhook_timer, NULL);
	uv_close((uv_handle_t *)&server->tail_stream_timer, NULL);
	uv_close((uv_handle_t *)&server->watchdog_timer, NULL);
	stop_signals(server);
	px_bus_stop(server);
	uv_run(&server->loop, UV_RUN_DEFAULT);
	px_bus_destroy(server);
	px_context_destroy(server);
	uv_loop_close(&server->loop);
}

static void tell_services(const struct px_server *server)
{
	for (size_t i = 0; i < server->plugin_count; i++) {
		const struct px_service *service = server->plugins[i].service;
		char types[1024] = "";
		for (size_t c = 0; c < service->command_count; c++) {
			size_t at = strlen(types);
			snprintf(types + at, sizeof(types) - at, " %s", service->commands[c].type);
		}
		px_log(PX_LOG_NOTICE, "service %s (%s):%s", service->name, service->summary, types);
	}
}

static void tell_start(const struct px_server *server)
{
	px_log(PX_LOG_NOTICE, "praxisd %s, libwebsockets %s, at most %llu connections", PX_VERSION,
			lws_get_library_version(), (unsigned long long)server->max_connections);
	tell_services(server);
	for (size_t i = 0; i < server->vhost_count; i++) {
		const struct px_config_vhost *config = server->vhosts[i]->config;
		bool insecure = config->open_mode == PX_CONFIG_OPEN_INSECURE;
		if (config->open_mode == PX_CONFIG_OPEN_OFF) {
			continue;
		}
		px_log(insecure ? PX_LOG_WARNING : PX_LOG_NOTICE, "vhost %s: open mode%s: clients are "
				"not authenticated", config->name,
				insecure ? " on every address (open-mode: insecure)" : ", loopback only");
	}
}

static int create_broker(struct px_server *server, const struct px_config *config)
{
	static const struct px_broker_host host = {
		.over_budget = px_server_over_budget,
		.now_ns = px_server_now_ns,
		.flushed = px_server_flushed,
		.random = fill_random,
		.log = log_line,
		.hmac_sha1 = hmac_sha1,
		.event = px_session_events_note,
		.authenticate = px_security_authenticate,
		.switch_service = px_service_switch,
		.unlock = px_lockout_lift,
		.describe = px_describe,
	};
	struct px_broker_host own = host;
	own.user = server;
	struct px_limits limits = px_settings_limits(config);
	return px_broker_create(&px_lws_transport, &own, &limits, &server->broker);
}

/*
 * The loop and lws come first, since the rest depends on them; then the configuration is applied as
 * in a reload. No client is served before the loop runs.
 */
static int start(struct px_server *server, struct px_config *config,
		const struct px_config_sink *sink)
{
	server->descriptors = px_settings_descriptors(config);
	int rc = px_security_create(server);
	px_head_memory_track();
	rc = rc < 0 ? rc : px_context_create(server, config, &px_router_lws_hooks);
	rc = rc < 0 ? rc : px_bus_start(server, config, sink);
	rc = rc < 0 ? rc : px_plan_carry_out(server, config, sink);
	if (rc < 0) {
		return rc;
	}
	tell_start(server);
	px_server_tell_ready(server);
	return 0;
}

/*
 * Closes the connections, which ends sessions that cannot be resumed. The others are saved before
 * this server releases its ports, so that the next one cannot start too early.
 */
static int end_connections(struct px_server *server)
{
	px_security_stop(server);
	px_context_destroy(server);
	while (px_broker_end_turn(server->broker)) {
	}
	return px_server_save_state(server);
}

static void finish(struct px_server *server)
{
	if (server->broker) {
		/* The state is saved: detached sessions end. */
		px_broker_end_detached(server->broker);
		while (px_broker_end_turn(server->broker)) {
		}
	}
	px_broker_destroy(server->broker);
	server->broker = NULL;
	px_security_destroy(server);
	px_lws_destroy(server->lws);
	px_vhosts_destroy(server);
	px_tls_destroy(server);
	px_plugins_unload(server);
	px_server_unlock_state(server);
	px_config_destroy(server->config);
	px_service_manager_close(&server->manager);
}

static void close_handle(uv_handle_t *handle, void *user)
{
	(void)user;
	uv_close(handle, NULL);
}

/* The loop, and signals, which need descriptors. Cleans up if it fails. */
static int make_loop(struct px_server *server)
{
	int rc = uv_loop_init(&server->loop);
	if (rc < 0) {
		return rc;
	}
	rc = start_signals(server);
	if (rc < 0) {
		uv_walk(&server->loop, close_handle, NULL);
		uv_run(&server->loop, UV_RUN_DEFAULT);
		uv_loop_close(&server->loop);
	}
	return rc;
}

static int serve(struct px_server *server, struct px_config *config,
		const struct px_config_sink *sink)
{
	if (create_broker(server, config) < 0 || make_loop(server) < 0) {
		px_log(PX_LOG_ERROR, "not enough memory or file descriptors to start");
		px_config_destroy(config);
		return EXIT_FAILURE;
	}
	start_loop(server);
	int code = EXIT_SUCCESS;
	if (start(server, config, sink) < 0) {
		px_config_destroy(config);
		code = EXIT_CONFIG;
	} else {
		uv_run(&server->loop, UV_RUN_DEFAULT);
	}
	if (end_connections(server) < 0) {
		code = EXIT_FAILURE;
	}
	stop_loop(server);
	return code;
}

/* Reports all errors at once. What only a start can find out is in --help. */
static int check(struct px_server *server, struct px_config *config,
		const struct px_config_sink *sink)
{
	int services = px_plugins_load(server, config, sink);
	int security = px_security_check(config, sink);
	int bus = px_bus_check(config, sink);
	px_config_destroy(config);
	if (services < 0 || security < 0 || bus < 0) {
		return EXIT_CONFIG;
	}
	puts("The configuration is valid. Whether its ports are free is checked at start.");
	return EXIT_SUCCESS;
}

/* Its prefixes are compared with those of the configuration's services, if there is one. */
static int check_plugin(struct px_server *server, const char *path, const struct px_config *config,
		const struct px_config_sink *sink)
{
	int rivals = config ? px_plugins_load(server, config, sink) : 0;
	int rc = px_plugin_check(server, path, sink);
	if (rivals < 0 || rc < 0) {
		return EXIT_CONFIG;
	}
	puts("The file is valid.");
	return EXIT_SUCCESS;
}

/* Does what requires a configuration, of which it takes ownership. */
static int act(struct px_server *server, struct arguments *arguments, struct px_config *config,
		const struct px_config_sink *sink)
{
	if (arguments->check) {
		return check(server, config, sink);
	}
	if (!arguments->health && !arguments->plugin) {
		release(&arguments->held, config);
		return serve(server, config, sink);
	}
	int code = arguments->health ? px_health(config) :
			check_plugin(server, arguments->plugin, config, sink);
	px_config_destroy(config);
	return code;
}

/* Reads the configuration first, if needed. */
static int run(struct px_server *server, struct arguments *arguments,
		const struct px_config_sink *sink)
{
	struct px_config *config;
	if (arguments->plugin && !arguments->config_path) {
		return check_plugin(server, arguments->plugin, NULL, sink);
	}
	server->config_path = arguments->config_path ? arguments->config_path : PX_CONFIG_PATH;
	if (px_config_load(server->config_path, sink, &config) < 0) {
		release(&arguments->held, NULL);
		return arguments->health ? EXIT_FAILURE : EXIT_CONFIG;
	}
	return act(server, arguments, config, sink);
}

static void open_manager(struct px_server *server)
{
	int rc = px_service_manager_open(&server->manager);
	if (rc < 0) {
		px_log(PX_LOG_WARNING, "NOTIFY_SOCKET: cannot notify the service manager: %s",
				strerror(-rc));
	}
}

int main(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	struct px_config_sink sink = { .on_complaint = on_complaint, .user = &arguments };
	if (px_standard_fds_open() < 0) {
		return EXIT_FAILURE;
	}
	int code = read_arguments(argc, argv, &arguments);
	if (code >= 0) {
		return code;
	}
	struct px_server *server = calloc(1, sizeof(*server));
	if (!server) {
		return EXIT_FAILURE;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a full audit log is an error that is handled */
	server->manager.fd = -1;
	if (arguments.check || arguments.health || arguments.plugin) {
		px_log_set_level(PX_LOG_WARNING); /* progress is logged once clients are served */
	} else {
		px_log_open();
		open_manager(server);
		block_signal(SIGHUP, true);
	}
	server->hooks = &px_router_hooks;
	code = run(server, &arguments, &sink);
	finish(server);
	free(server);
	return code;
}

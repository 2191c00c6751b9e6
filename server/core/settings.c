/* SPDX-License-Identifier: MIT */
/*
 * What the configuration's global part means for broker, listeners and log.
 */
#include "server.h"
#include "base/log.h"
#include "settings.h"

#include <sys/resource.h>

/* Descriptors for other purposes: listeners, plugins' files, log, loop. */
#define OTHER_DESCRIPTORS 64

/*
 * The default maximum, whatever the system permits. lws treats a limit above ten million as 2,560,
 * and has a table of all possible descriptors, which debug builds (such as Debian's) search
 * whenever a connection opens or closes: 65,536 take some 20 µs, 2^20 half a millisecond. So more
 * must be configured explicitly.
 */
#define DESCRIPTORS_USUAL (UINT64_C(1) << 16)
#define DESCRIPTORS_MAX (UINT64_C(1) << 20)

struct px_limits px_settings_limits(const struct px_config *config)
{
	const struct px_config_global *global = &config->global;
	return (struct px_limits){
		.queue_bytes = global->queue_bytes,
		.queue_age_ms = global->queue_age_ms,
		.rooms_per_session = global->max_rooms_per_session,
		.channels = global->max_channels,
		.practices = global->max_practices > 0 ? global->max_practices : global->max_channels,
		.rooms_per_practice = global->max_rooms_per_practice,
		.messages_per_s = global->messages_per_second,
		.messages_burst = global->messages_burst,
		.bytes_per_s = global->bytes_per_second,
		.bytes_burst = global->bytes_burst,
		.acts_per_s = global->acts_per_second,
		.acts_burst = global->acts_burst,
		.auth_notice_ms = 60000,
		.message_bytes = global->max_message_bytes,
		.heartbeat_ms = global->heartbeat_ms,
		.slow_close_ms = global->slow_close_ms,
		.grace_ms = global->grace_ms,
		.detached_sessions = global->detached_sessions,
		.resume_messages = global->resume_messages,
		.resume_bytes = global->resume_bytes,
	};
}

void px_settings_log_complaint(void *user, enum px_config_level level, const char *text)
{
	(void)user;
	px_log(level == PX_CONFIG_ERROR ? PX_LOG_ERROR : PX_LOG_WARNING, "%s", text);
}

static bool has_tls(const struct px_config *config)
{
	for (size_t i = 0; i < config->vhost_count; i++) {
		if (config->vhosts[i].host_ssl_cert) {
			return true;
		}
	}
	return false;
}

uint64_t px_settings_descriptors(const struct px_config *config)
{
	struct rlimit limit;
	uint64_t most = config->global.max_connections;
	/* Requests take two more each while they are answered, and WebSockets over TLS all the time. */
	uint64_t wanted = (has_tls(config) ? 3 * most : most + most / 8) + OTHER_DESCRIPTORS;
	wanted = wanted < DESCRIPTORS_USUAL ? DESCRIPTORS_USUAL :
			wanted > DESCRIPTORS_MAX ? DESCRIPTORS_MAX : wanted;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0) {
		return 1024;
	}
	rlim_t before = limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

uint64_t px_settings_connections(const struct px_config *config, uint64_t descriptors)
{
	uint64_t wanted = config->global.max_connections;
	uint64_t most = descriptors > 2 * OTHER_DESCRIPTORS ? descriptors - OTHER_DESCRIPTORS :
			descriptors / 2;
	if (wanted > most) {
		px_log(PX_LOG_WARNING, "max-connections is %llu, but %llu file descriptors "
				"(RLIMIT_NOFILE at the start) permit only %llu connections",
				(unsigned long long)wanted, (unsigned long long)descriptors,
				(unsigned long long)most);
	}
	return wanted > 0 && wanted < most ? wanted : most;
}

void px_settings_apply_log(const struct px_config *config)
{
	static const enum px_log_format formats[] = {
		[PX_CONFIG_LOG_TEXT] = PX_LOG_TEXT,
		[PX_CONFIG_LOG_JSON] = PX_LOG_JSON,
		[PX_CONFIG_LOG_JOURNALD] = PX_LOG_JOURNALD,
	};
	px_log_set_level(config->global.log_level);
	px_log_set_format(formats[config->global.log_format]);
}

/* SPDX-License-Identifier: MIT */
/* What the configuration's words mean to the broker and the log. */
#include "server.h"

#include "log.h"

struct px_limits px_settings_limits(const struct px_config *config)
{
	const struct px_config_global *global = &config->global;
	return (struct px_limits){
		.queue_bytes = global->queue_bytes,
		.rooms_per_session = global->max_rooms_per_session,
		.channels = global->max_channels,
		.practices = global->max_channels,
		.message_bytes = global->max_message_bytes,
		.heartbeat_ms = global->heartbeat_ms,
		.slow_close_ms = global->slow_close_ms,
	};
}

void px_settings_log_complaint(void *user, enum px_config_level level, const char *text)
{
	(void)user;
	px_log(level == PX_CONFIG_ERROR ? PX_LOG_ERROR : PX_LOG_WARNING, "%s", text);
}

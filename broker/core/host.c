/* SPDX-License-Identifier: MIT */
/*
 * See host.h; also the functions that services call and the host implements.
 */
#include "host.h"
#include "broker.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int px_broker_tell(struct px_broker *broker, const struct px_event *event)
{
	return broker->host.event ? broker->host.event(broker->host.user, event) : 0;
}

int64_t px_broker_wall_ms(const struct px_broker *broker)
{
	return broker->wall_ms;
}

int64_t px_broker_mono_ms(const struct px_broker *broker)
{
	return broker->timers.now_ms;
}

void px_broker_log(const struct px_broker *broker, int level, const char *format, ...)
{
	char line[512];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	broker->host.log(broker->host.user, level, line);
}

int px_broker_hmac_sha1(const struct px_broker *broker, struct px_span key, struct px_span text,
		char buf[29])
{
	if (!broker->host.hmac_sha1) {
		return -ENOTSUP;
	}
	return broker->host.hmac_sha1(broker->host.user, key, text, buf);
}

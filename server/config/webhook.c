/* SPDX-License-Identifier: MIT */
/* "webhook-url" of a vhost, and the keys that go with it: whom to tell what happens, and how. */
#include "config_internal.h"

#include <errno.h>
#include <stdlib.h>

static void take_numbers(const struct px_options *options, struct px_config_webhook *webhook)
{
	webhook->timeout_ms = px_options_int(options, "webhook-timeout-ms");
	webhook->give_up_ms = px_options_int(options, "webhook-give-up-s") * 1000;
	webhook->max = (uint32_t)px_options_int(options, "webhook-max");
	webhook->batch = (uint32_t)px_options_int(options, "webhook-batch");
	webhook->queue_events = (uint32_t)px_options_int(options, "webhook-queue-events");
	webhook->queue_bytes = (uint64_t)px_options_int(options, "webhook-queue-bytes");
}

int px_config_webhook_read(struct px_config_loader *loader,
		const struct px_config_object *object, const struct px_options *options,
		struct px_config_vhost *vhost)
{
	bool exposed;
	struct px_config_webhook *webhook = calloc(1, sizeof(*webhook));
	if (!webhook) {
		return -ENOMEM;
	}
	take_numbers(options, webhook);
	int r = px_config_http_url_copy(loader, object, options, "webhook-url", &webhook->url,
			&exposed);
	if (r == 0) {
		r = px_config_secret_copy(&loader->reporter, object, options, "webhook-secret",
				&webhook->secret);
	}
	if (exposed) {
		px_config_object_complain(&loader->reporter, PX_CONFIG_WARNING, object,
				"webhook-url",
				": http:// to another machine: events can be read in transit");
	}
	if (r == 0 && webhook->url && webhook->secret) {
		vhost->webhook = webhook;
	} else {
		px_config_webhook_destroy(webhook);
	}
	return r;
}

void px_config_webhook_destroy(struct px_config_webhook *webhook)
{
	if (webhook) {
		free(webhook->url);
		px_config_secret_destroy(webhook->secret);
		free(webhook);
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of the configuration: the text of one file, all the way to the checked options of
 * its services. The directory does not exist, so that the disk is hardly touched.
 */
#include "config/config.h"

#include <stdlib.h>
#include <string.h>

static const struct px_option table[] = {
	{ .key = "history", .type = PX_OPTION_INT, .fallback = "256", .max = 1000 },
	{ .key = "title", .type = PX_OPTION_STRING, .max = 16 },
	{ .key = "mode", .type = PX_OPTION_STRING, .fallback = "fast", .choices = "fast|slow" },
	{ .key = "secret", .type = PX_OPTION_STRING, .min = 4, .max = 64 },
	{ .key = "record", .type = PX_OPTION_BOOL, .fallback = "yes" },
	{ .key = "servers", .type = PX_OPTION_JSON, .fallback = "[]" },
	{ .key = NULL },
};

static void on_complaint(void *user, enum px_config_level level, const char *text)
{
	(void)level;
	for (const char *at = text; *at != '\0'; at++) {
		if ((unsigned char)*at < 0x20) {
			abort();
		}
	}
	++*(unsigned *)user;
}

static void check_services(const struct px_config_vhost *vhost, const struct px_config_sink *sink)
{
	for (size_t i = 0; i < vhost->service_count; i++) {
		struct px_options *options = NULL;
		unsigned *count = sink->user;
		*count = 0;
		int r = px_config_check_options(&vhost->services[i], table, sink, &options);
		if ((r == 0) != (*count == 0)) {
			abort();
		}
		px_options_destroy(options);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct px_config *config = NULL;
	unsigned count = 0;
	struct px_config_sink sink = { .on_complaint = on_complaint, .user = &count };
	int r = px_config_load_text("/nowhere", "f.json", (const char *)data, size, &sink, &config);
	if ((r < 0 && count == 0) || (r == 0) != (config != NULL)) {
		abort();
	}
	for (size_t i = 0; config && i < config->vhost_count; i++) {
		check_services(&config->vhosts[i], &sink);
	}
	px_config_destroy(config);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * "bus" of "global", and the keys that go with it: the Redis that several servers share. Which
 * modules there are is known here, since their URLs are: redis:// and rediss:// (with TLS).
 */
#include "config_internal.h"
#include "config/value/url.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REDIS_PORT 6379
#define DATABASES_MAX 1000000
#define USER_BYTES_MAX 64

static bool is_user(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)text[i]) && !strchr("-_.", text[i])) {
			return false;
		}
	}
	return len > 0 && len <= USER_BYTES_MAX;
}

/* "user@", or nothing; moves on behind it. */
static bool take_user(const char **text, struct px_config_bus *bus)
{
	const char *at = strchr(*text, '@');
	if (!at) {
		return true;
	}
	size_t len = (size_t)(at - *text);
	bus->user = is_user(*text, len) ? strndup(*text, len) : NULL;
	*text = at + 1;
	return bus->user != NULL;
}

/* "/3", or nothing. */
static bool take_database(const char *text, struct px_config_bus *bus)
{
	char *end = NULL;
	if (*text == '\0' || strcmp(text, "/") == 0) {
		return true;
	}
	if (!isdigit((unsigned char)text[1])) {
		return false;
	}
	unsigned long number = strtoul(text + 1, &end, 10);
	bus->database = (unsigned)number;
	return *end == '\0' && number < DATABASES_MAX;
}

/* Without the brackets that a URL has around IPv6. */
static char *host_of(const struct px_url *url)
{
	size_t len = strlen(url->host);
	return url->host[0] == '[' ? strndup(url->host + 1, len - 2) : strdup(url->host);
}

/* "host:port", as of a URL. Its own default is another. */
static bool take_host(const char *text, size_t len, struct px_config_bus *bus)
{
	struct px_url url;
	char name[PX_URL_HOST_MAX + 16];
	if (len >= sizeof(name)) {
		return false;
	}
	memcpy(name, text, len);
	name[len] = '\0';
	if (!px_url_parse_host(name, false, &url) || url.wildcard) {
		return false;
	}
	const char *bracket = strrchr(name, ']');
	bool has_port = strchr(bracket ? bracket : name, ':') != NULL;
	bus->port = url.port != 0 ? url.port : has_port ? 80 : REDIS_PORT;
	bus->host = host_of(&url);
	bus->is_exposed = !bus->is_tls && !px_url_is_loopback(&url);
	return bus->host != NULL;
}

static bool take_url(const char *text, struct px_config_bus *bus)
{
	static const char plain[] = "redis://", secure[] = "rediss://";
	bus->is_tls = strncmp(text, secure, sizeof(secure) - 1) == 0;
	if (!bus->is_tls && strncmp(text, plain, sizeof(plain) - 1) != 0) {
		return false;
	}
	text += bus->is_tls ? sizeof(secure) - 1 : sizeof(plain) - 1;
	if (!take_user(&text, bus)) {
		return false;
	}
	size_t len = strcspn(text, "/");
	return take_host(text, len, bus) && take_database(text + len, bus);
}

static void check(struct px_config_loader *loader, const struct px_options *options,
		const struct px_config_bus *bus)
{
	const struct px_config_object *object = &loader->global;
	const char *state_file = px_options_string(options, "state-file");
	const char *prefix = px_options_string(options, "bus-prefix");
	if (state_file && *state_file) {
		px_config_object_complain(&loader->reporter, PX_CONFIG_ERROR, object, "state-file",
				" and \"bus\": what a server leaves is in the bus");
	}
	if (!is_user(prefix, strlen(prefix))) {
		px_config_object_complain(&loader->reporter, PX_CONFIG_ERROR, object, "bus-prefix",
				": expected letters, digits, - _ and .");
	}
	if (bus->is_exposed) {
		px_config_object_complain(&loader->reporter, PX_CONFIG_WARNING, object, "bus",
				": redis:// to another machine: what clients write can be read in transit");
	}
}

static int copy_rest(struct px_config_loader *loader, const struct px_options *options,
		struct px_config_bus *bus)
{
	const struct px_config_object *object = &loader->global;
	const struct px_config_member *member = px_config_object_given(object, "bus");
	bus->node_timeout_ms = px_options_int(options, "bus-node-timeout-ms");
	bus->file = member->file;
	bus->line = member->line;
	int r = px_config_string_copy(options, "bus-prefix", &bus->prefix);
	r = r < 0 ? r : px_config_path_copy(&loader->reporter, object, options, "bus-ca",
			&bus->ca_file);
	return r < 0 ? r : px_config_secret_copy(&loader->reporter, object, options, "bus-password",
			&bus->password);
}

int px_config_bus_read(struct px_config_loader *loader, const struct px_options *options,
		struct px_config_bus **ret_bus)
{
	const char *text = px_options_string(options, "bus");
	if (!text || *text == '\0') {
		return 0;
	}
	struct px_config_bus *bus = calloc(1, sizeof(*bus));
	if (!bus) {
		return -ENOMEM;
	}
	if (take_url(text, bus)) {
		check(loader, options, bus);
	} else {
		/* not repeated: somebody may have put a password into it */
		px_config_object_complain(&loader->reporter, PX_CONFIG_ERROR, &loader->global, "bus",
				": expected redis:// or rediss://, optionally a user and @, a host, and optionally "
				":port and /database; the password belongs in \"bus-password-file\"");
	}
	int r = copy_rest(loader, options, bus);
	if (r < 0) {
		px_config_bus_destroy(bus);
		return r;
	}
	*ret_bus = bus;
	return 0;
}

void px_config_bus_destroy(struct px_config_bus *bus)
{
	if (bus) {
		free(bus->host);
		free(bus->user);
		px_config_secret_destroy(bus->password);
		free(bus->ca_file);
		free(bus->prefix);
		free(bus);
	}
}

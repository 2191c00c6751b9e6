/* SPDX-License-Identifier: MIT */
/*
 * TLS of a vhost, in lwsws' names for it, and the vhost that only redirects there.
 *
 * What is in the files is not looked at: they are read again whenever they change, and who
 * reads them says what is wrong with them, at start and later in the same words.
 */
#include "config_internal.h"

#include <json-c/json.h>
#include <string.h>

#define HSTS_MAX_AGE_S 31536000 /* a year */

/* "1.2", or 1.2 as a number: the reader keeps how it was spelled. */
static bool is_version(struct json_object *value, const char *version)
{
	return (json_object_is_type(value, json_type_string) ||
			json_object_is_type(value, json_type_double)) &&
			strcmp(json_object_get_string(value), version) == 0;
}

static void take_version(struct px_config_loader *loader, const struct px_config_object *object,
		const struct px_options *options, struct px_config_vhost *vhost)
{
	struct json_object *value = px_options_json(options, "tls-min-version");
	bool newest = is_version(value, "1.3");
	vhost->tls_min_version = newest ? PX_CONFIG_TLS_1_3 : PX_CONFIG_TLS_1_2;
	if (!newest && !is_version(value, "1.2")) {
		px_config_object_complain(&loader->reporter, PX_CONFIG_ERROR, object,
				"tls-min-version", ": expected 1.2 or 1.3");
	}
}

static void check_redirect(struct px_config_loader *loader, const struct px_config_object *object,
		const struct px_options *options)
{
	static const char *const keys[] = { "host-ssl-cert", "host-ssl-key", "host-ssl-ca" };
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (px_options_given(options, keys[i])) {
			px_config_complain(&loader->reporter, PX_CONFIG_ERROR,
					px_config_object_given(object, keys[i])->file,
					px_config_object_given(object, keys[i])->line,
					"\"%s\" and \"redirect-to-https\" in one vhost: a vhost that redirects to "
					"https has no TLS", keys[i]);
			return;
		}
	}
}

int px_config_tls_read(struct px_config_loader *loader, const struct px_config_object *object,
		const struct px_options *options, struct px_config_vhost *vhost)
{
	bool has_tls = px_options_given(options, "host-ssl-cert");
	vhost->redirect_to_https = (uint16_t)px_options_int(options, "redirect-to-https");
	vhost->client_cert_required = px_options_bool(options, "client-cert-required");
	vhost->hsts_max_age = has_tls ? HSTS_MAX_AGE_S : 0;
	if (px_options_given(options, "hsts-max-age")) {
		vhost->hsts_max_age = (uint32_t)px_options_int(options, "hsts-max-age");
	}
	take_version(loader, object, options, vhost);
	if (vhost->redirect_to_https != 0) {
		check_redirect(loader, object, options);
	}
	int r = px_config_path_copy(&loader->reporter, object, options, "host-ssl-cert",
			&vhost->host_ssl_cert);
	if (r == 0) {
		r = px_config_path_copy(&loader->reporter, object, options, "host-ssl-key",
				&vhost->host_ssl_key);
	}
	return r < 0 ? r : px_config_path_copy(&loader->reporter, object, options, "host-ssl-ca",
			&vhost->host_ssl_ca);
}

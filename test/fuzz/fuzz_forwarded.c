/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of X-Forwarded-For and Forwarded, as a trusted proxy brings them. Whoever is found can be
 * written down and read again; what a trusted proxy adds at the end decides, whatever the client
 * wrote before it; and where nobody is trusted it is the proxy, whatever the header says.
 */
#include "config/config.h"
#include "address/forwarded_header.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct way {
	void (*read)(const struct px_config_vhost *vhost, struct px_span list,
			const struct in6_addr *nearest, struct px_forwarded_client *ret_client);
	const char *added; /* by the proxy */
};

static const struct way ways[] = {
	{ px_forwarded_for_read, ", 192.0.2.7" },
	{ px_forwarded_for_read, ",\"[::ffff:192.0.2.7]:80\"" },
	{ px_forwarded_read, ", for=192.0.2.7" },
	{ px_forwarded_read, ",proto=https;for=\"192.0.2.7:80\";x=\"a,\\\",for=1\"" },
};

static struct in6_addr address_of(const char *text)
{
	struct in6_addr address;
	if (!px_address_parse(text, &address)) {
		abort();
	}
	return address;
}

static bool same(const struct in6_addr *a, const struct in6_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* From memory of just that size, so that a byte too far is seen. */
static struct px_forwarded_client read_list(const struct way *way,
		const struct px_config_vhost *vhost, const uint8_t *data, size_t size,
		const char *added)
{
	struct px_forwarded_client client;
	struct in6_addr nearest = address_of("10.0.0.1");
	size_t len = size + strlen(added);
	char *list = malloc(len > 0 ? len : 1);
	if (!list) {
		abort();
	}
	if (size > 0) {
		memcpy(list, data, size);
	}
	memcpy(list + size, added, strlen(added));
	way->read(vhost, (struct px_span){ list, len }, &nearest, &client);
	free(list);
	return client;
}

static void check(const struct px_forwarded_client *client)
{
	char text[PX_ADDRESS_SIZE];
	struct in6_addr again;
	px_address_format(&client->address, text);
	if (!memchr(client->proto, '\0', sizeof(client->proto)) ||
			!memchr(client->host, '\0', sizeof(client->host))) {
		abort();
	}
	if (px_address_is_unknown(&client->address) ? strcmp(text, "unknown") != 0 :
			!px_address_parse(text, &again) || !same(&again, &client->address)) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct px_config_proxy trusted[] = { { .prefix = 104 } };
	trusted[0].address = address_of("10.0.0.0");
	const struct px_config_vhost vhost = {
		.trusted_proxies = trusted,
		.trusted_proxy_count = 1,
	};
	const struct px_config_vhost trusts_none = { .trusted_proxy_count = 0 };
	struct in6_addr proxy = address_of("10.0.0.1");
	struct in6_addr expected = address_of("192.0.2.7");
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct px_forwarded_client client = read_list(&ways[i], &vhost, data, size, "");
		check(&client);
		client = read_list(&ways[i], &vhost, data, size, ways[i].added);
		check(&client);
		if (!same(&client.address, &expected)) {
			abort();
		}
		client = read_list(&ways[i], &trusts_none, data, size, "x");
		if (!same(&client.address, &proxy)) {
			abort();
		}
	}
	return 0;
}

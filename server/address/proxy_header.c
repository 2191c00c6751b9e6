/* SPDX-License-Identifier: MIT */
/* See proxy_header.h, and for the format HAProxy's doc/proxy-protocol.txt. */
#include "proxy_header.h"

#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define V1_MAX 107 /* "\r\n" included */
#define V2_HEAD 16
#define PP2_TYPE_SSL 0x20
#define PP2_CLIENT_SSL 0x01

static const unsigned char signature[12] = "\r\n\r\n\0\r\nQUIT\n";

/* A port as version 1 has it: 0 to 65535, no leading zeros. */
static bool is_port(const char *text)
{
	size_t len = strlen(text);
	return len >= 1 && len <= 5 && strspn(text, "0123456789") == len &&
			(text[0] != '0' || len == 1) && strtoul(text, NULL, 10) <= 65535;
}

static bool take_v1_address(const char *family, const char *source, const char *target,
		struct px_proxy_header *header)
{
	int kind = strcmp(family, "TCP4") == 0 ? AF_INET : AF_INET6;
	struct in6_addr other;
	if (kind == AF_INET6 && strcmp(family, "TCP6") != 0) {
		return false;
	}
	return inet_pton(kind, source, &other) == 1 && inet_pton(kind, target, &other) == 1 &&
			px_address_parse(source, &header->address);
}

/* "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443": single spaces, nothing more. */
static int parse_v1_line(char *line, struct px_proxy_header *header)
{
	char *words[6];
	size_t count = 0;
	if (strcmp(line, "PROXY UNKNOWN") == 0 || strncmp(line, "PROXY UNKNOWN ", 14) == 0) {
		return 0;
	}
	for (char *word = line; word; count++) {
		char *end = strchr(word, ' ');
		if (count == 6 || end == word || *word == '\0') {
			return -EPROTO;
		}
		words[count] = word;
		if (end) {
			*end++ = '\0';
		}
		word = end;
	}
	return count == 6 && take_v1_address(words[1], words[2], words[3], header) &&
					is_port(words[4]) && is_port(words[5]) ?
			0 :
			-EPROTO;
}

static int parse_v1(const unsigned char *bytes, size_t len, struct px_proxy_header *header)
{
	char line[V1_MAX];
	const unsigned char *end = memchr(bytes, '\n', len < V1_MAX ? len : V1_MAX);
	if (!end) {
		return len < V1_MAX ? -EAGAIN : -EPROTO;
	}
	size_t line_len = (size_t)(end - bytes);
	if (end[-1] != '\r' || memchr(bytes, '\0', line_len)) {
		return -EPROTO;
	}
	memcpy(line, bytes, line_len - 1);
	line[line_len - 1] = '\0';
	header->len = line_len + 1;
	return parse_v1_line(line, header);
}

/* Length of the addresses of a family, in either version. */
static size_t v2_addresses_length(unsigned char family)
{
	static const size_t lengths[] = { 0, 12, 36, 216 };
	return family >> 4 < 4 ? lengths[family >> 4] : 0;
}

/* Whether the client used TLS (PP2_TYPE_SSL, PP2_CLIENT_SSL), from what follows the addresses. */
static bool find_v2_tls(const unsigned char *bytes, size_t len)
{
	size_t at = v2_addresses_length(bytes[13]);
	while (at + 3 <= len) {
		const unsigned char *tlv = bytes + V2_HEAD + at;
		size_t value_len = (size_t)(tlv[1] << 8 | tlv[2]);
		if (value_len > len - at - 3) {
			return false;
		}
		if (tlv[0] == PP2_TYPE_SSL && value_len >= 1) {
			return tlv[3] & PP2_CLIENT_SSL;
		}
		at += 3 + value_len;
	}
	return false;
}

/* TCP over IPv4 or IPv6; other families have no address, which is not an error. */
static int take_v2_address(const unsigned char *bytes, size_t len, struct px_proxy_header *header)
{
	const unsigned char *addresses = bytes + V2_HEAD;
	header->is_https = find_v2_tls(bytes, len);
	if (bytes[13] == 0x11) {
		if (len < 12) {
			return -EPROTO;
		}
		header->address = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
		memcpy(&header->address.s6_addr[12], addresses, 4);
	} else if (bytes[13] == 0x21) {
		if (len < 36) {
			return -EPROTO;
		}
		memcpy(&header->address, addresses, sizeof(header->address));
	}
	return 0;
}

static int parse_v2(const unsigned char *bytes, size_t len, struct px_proxy_header *header)
{
	if (len < V2_HEAD) {
		return -EAGAIN;
	}
	size_t rest = (size_t)(bytes[14] << 8 | bytes[15]);
	unsigned command = bytes[12] & 0x0f;
	if (bytes[12] >> 4 != 2 || command > 1 || V2_HEAD + rest > PX_PROXY_HEADER_MAX) {
		return -EPROTO;
	}
	if (len < V2_HEAD + rest) {
		return -EAGAIN;
	}
	header->len = V2_HEAD + rest;
	header->is_local = command == 0;
	return header->is_local ? 0 : take_v2_address(bytes, rest, header);
}

static bool begins(const void *wanted, size_t wanted_len, const unsigned char *bytes, size_t len)
{
	return memcmp(wanted, bytes, len < wanted_len ? len : wanted_len) == 0;
}

int px_proxy_parse(const unsigned char *bytes, size_t len, struct px_proxy_header *ret_header)
{
	struct px_proxy_header header = { .len = 0 };
	int rc = -EPROTO;
	if (len == 0) {
		return -EAGAIN;
	}
	if (begins("PROXY ", 6, bytes, len)) {
		rc = len < 6 ? -EAGAIN : parse_v1(bytes, len, &header);
	} else if (begins(signature, sizeof(signature), bytes, len)) {
		rc = len < sizeof(signature) ? -EAGAIN : parse_v2(bytes, len, &header);
	}
	if (rc == 0) {
		*ret_header = header;
	}
	return rc;
}

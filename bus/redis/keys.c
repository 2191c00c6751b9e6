/* SPDX-License-Identifier: MIT */
/* See keys.h. */
#include "keys.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *reserve(struct px_name *name, size_t more)
{
	size_t size = name->size ? name->size : 256;
	while (size - name->len < more) {
		size *= 2;
	}
	if (size != name->size) {
		char *data = realloc(name->data, size);
		if (!data) {
			name->failed = true;
			return NULL;
		}
		name->data = data;
		name->size = size;
	}
	return name->data + name->len;
}

static void begin(struct px_name *name)
{
	name->len = 0;
	name->failed = false;
}

/* At most 255 bytes. */
static void put(struct px_name *name, const char *format, ...) PX_PRINTF(2, 3);

static void put(struct px_name *name, const char *format, ...)
{
	char *at = reserve(name, 256);
	va_list args;
	if (at) {
		va_start(args, format);
		name->len += (size_t)vsnprintf(at, 256, format, args);
		va_end(args);
	}
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			c == '-' || c == '_' || c == '.';
}

static void put_escaped(struct px_name *name, struct px_span text)
{
	static const char digits[] = "0123456789ABCDEF";
	char *at = reserve(name, 3 * text.len + 1);
	for (size_t i = 0; at && i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (is_plain(text.data[i])) {
			*at++ = text.data[i];
		} else {
			*at++ = '%';
			*at++ = digits[c >> 4];
			*at++ = digits[c & 15];
		}
	}
	if (at) {
		name->len = (size_t)(at - name->data);
	}
}

struct px_span px_name_text(const struct px_name *name)
{
	return (struct px_span){ name->len > 0 ? name->data : "", name->len };
}

void px_name_finish(struct px_name *name)
{
	free(name->data);
	*name = (struct px_name){ .data = NULL };
}

static uint32_t hash_more(uint32_t hash, struct px_span text)
{
	for (size_t i = 0; i < text.len; i++) {
		hash = (hash ^ (unsigned char)text.data[i]) * UINT32_C(16777619);
	}
	return hash;
}

/* FNV-1a of tenant, a zero and practice. */
unsigned px_redis_partition(const struct px_bus_place *place)
{
	uint32_t hash = hash_more(UINT32_C(2166136261), place->tenant);
	hash = hash_more(hash, (struct px_span){ "", 1 });
	return hash_more(hash, place->practice) % PX_REDIS_PARTITIONS;
}

void px_name_shard(struct px_name *name, const char *prefix, unsigned partition)
{
	begin(name);
	put(name, "%s:{%02x}:", prefix, partition);
}

void px_name_homes(struct px_name *name, const char *prefix, unsigned partition, uint64_t node)
{
	px_name_shard(name, prefix, partition);
	put(name, "homes:%016" PRIx64, node);
}

void px_name_outputs(struct px_name *name, const char *prefix, unsigned partition, uint64_t node)
{
	px_name_shard(name, prefix, partition);
	put(name, "n:%016" PRIx64, node);
}

static void put_place(struct px_name *name, const struct px_bus_place *place)
{
	put_escaped(name, place->tenant);
	put(name, "/");
	put_escaped(name, place->practice);
}

void px_name_meta(struct px_name *name, const char *prefix, const struct px_bus_place *place)
{
	px_name_shard(name, prefix, px_redis_partition(place));
	put_place(name, place);
	put(name, ":m");
}

void px_name_member(struct px_name *name, const struct px_bus_place *place)
{
	begin(name);
	put_place(name, place);
}

static int digit_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* In place. False: it is nothing that was escaped. */
static bool unescape(char *text, size_t len, struct px_span *ret_text)
{
	size_t to = 0;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (c == '%') {
			int high = i + 2 < len ? digit_of(text[i + 1]) : -1;
			int low = high >= 0 ? digit_of(text[i + 2]) : -1;
			if (low < 0) {
				return false;
			}
			c = (char)(high << 4 | low);
			i += 2;
		} else if (!is_plain(c)) {
			return false;
		}
		text[to++] = c;
	}
	*ret_text = (struct px_span){ text, to };
	return to > 0;
}

bool px_name_place(char *member, size_t len, struct px_bus_place *ret_place)
{
	struct px_bus_place place;
	char *slash = memchr(member, '/', len);
	if (!slash || !unescape(member, (size_t)(slash - member), &place.tenant) ||
			!unescape(slash + 1, len - (size_t)(slash - member) - 1, &place.practice)) {
		return false;
	}
	*ret_place = place;
	return true;
}

void px_name_common(struct px_name *name, const char *prefix, const char *what)
{
	begin(name);
	put(name, "%s:{c}:%s", prefix, what);
}

void px_name_inbox(struct px_name *name, const char *prefix, uint64_t node)
{
	begin(name);
	put(name, "%s:{c}:n:%016" PRIx64, prefix, node);
}

void px_node_text(uint64_t node, char buf[PX_REDIS_NODE_LEN + 1])
{
	(void)snprintf(buf, PX_REDIS_NODE_LEN + 1, "%016" PRIx64, node);
}

bool px_node_read(struct px_span text, uint64_t *ret_node)
{
	uint64_t node = 0;
	if (text.len != PX_REDIS_NODE_LEN) {
		return false;
	}
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
		if (digit < 0) {
			return false;
		}
		node = node << 4 | (uint64_t)digit;
	}
	*ret_node = node;
	return node != 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * See dialect.h. MQTT is version 5 (OASIS, 2019), because its subscriptions can say "no local": then
 * a sender does not get its own messages. nchan cannot, so there each message has a receiver more.
 */
#define _GNU_SOURCE 1
#include "dialect.h"

#include "traffic.h"

#define MQTT_CONNECT 0x10
#define MQTT_CONNACK 0x20
#define MQTT_PUBLISH 0x30 /* QoS 0 */
#define MQTT_SUBSCRIBE 0x82
#define MQTT_SUBACK 0x90
#define MQTT_NO_LOCAL 0x04

static void application_path(const struct client *c, char *path, size_t size)
{
	snprintf(path, size, "/ws?practiceId=%u&userId=%u&userName=u%u&role=staff",
			c->room != NULL ? c->room->practice : 1, c->number, c->number);
}

static void floor_path(const struct client *c, char *path, size_t size)
{
	if (c->room != NULL) {
		snprintf(path, size, "/floor/%u", c->room->number);
	} else {
		snprintf(path, size, "/idle");
	}
}

static void nchan_path(const struct client *c, char *path, size_t size)
{
	if (c->room != NULL) {
		snprintf(path, size, "/room/%u", c->room->number);
	} else {
		snprintf(path, size, "/room/idle");
	}
}

static void mqtt_path(const struct client *c, char *path, size_t size)
{
	(void)c;
	snprintf(path, size, "/");
}

static size_t mqtt_topic(const struct client *c, char *topic, size_t size)
{
	return (size_t)(c->room != NULL ? snprintf(topic, size, "r/%u", c->room->number) :
			snprintf(topic, size, "idle"));
}

/* A string with its length in front. */
static size_t mqtt_string(uint8_t *out, const char *text, size_t chars)
{
	out[0] = (uint8_t)(chars >> 8);
	out[1] = (uint8_t)chars;
	memcpy(out + 2, text, chars);
	return chars + 2;
}

/* A "variable byte integer", seven bits a byte. */
static size_t mqtt_number(uint8_t *out, size_t value)
{
	size_t bytes = 0;

	do {
		out[bytes] = (uint8_t)(value % 128 | (value >= 128 ? 0x80 : 0));
		value /= 128;
		bytes++;
	} while (value > 0);
	return bytes;
}

static void mqtt_packet(struct loop *l, struct client *c, uint8_t type, const uint8_t *body,
		size_t bytes)
{
	uint8_t packet[160];
	size_t at = 1;

	packet[0] = type;
	at += mqtt_number(packet + 1, bytes);
	memcpy(packet + at, body, bytes);
	client_send(l, c, WS_BINARY, packet, at + bytes);
}

static void mqtt_on_open(struct loop *l, struct client *c)
{
	/* Protocol name and version 5, clean start, no keep-alive, no properties. */
	static const uint8_t head[] = { 0, 4, 'M', 'Q', 'T', 'T', 5, 2, 0, 0, 0 };
	uint8_t body[64];
	char id[24];
	size_t chars = (size_t)snprintf(id, sizeof(id), "bench-%u", c->number);

	memcpy(body, head, sizeof(head));
	mqtt_packet(l, c, MQTT_CONNECT, body, sizeof(head) + mqtt_string(body + sizeof(head), id,
			chars));
}

static void mqtt_subscribe(struct loop *l, struct client *c)
{
	uint8_t body[64] = { 0, 1, 0 }; /* packet 1, no properties */
	char topic[32];
	size_t chars = mqtt_topic(c, topic, sizeof(topic)), at = 3;

	at += mqtt_string(body + at, topic, chars);
	body[at++] = MQTT_NO_LOCAL;
	mqtt_packet(l, c, MQTT_SUBSCRIBE, body, at);
}

static size_t mqtt_wrap(const struct client *c, size_t bytes, uint8_t *out)
{
	char topic[32];
	size_t chars = mqtt_topic(c, topic, sizeof(topic)), at = 1;

	out[0] = MQTT_PUBLISH;
	at += mqtt_number(out + at, chars + 3 + bytes);
	at += mqtt_string(out + at, topic, chars);
	out[at++] = 0; /* no properties */
	return at;
}

/* The topic, the properties (of which a delivery has none), and the text. */
static void mqtt_published(struct traffic *t, struct client *c, const uint8_t *body, size_t bytes)
{
	size_t topic = bytes >= 2 ? (size_t)(body[0] << 8 | body[1]) : 0;

	if (bytes < topic + 3 || body[2 + topic] != 0) {
		check_failed("client %u got a publication that it cannot read", c->number);
	}
	traffic_receive(t, c, body + topic + 3, bytes - topic - 3);
}

/* A packet's length, and where its body begins; false: it is not there whole. */
static bool mqtt_head(const uint8_t *at, size_t bytes, size_t *ret_head, size_t *ret_body)
{
	size_t value = 0, used = 1;

	for (unsigned shift = 0; used < bytes && used <= 4; shift += 7) {
		value |= (size_t)(at[used] & 0x7f) << shift;
		if ((at[used++] & 0x80) == 0) {
			*ret_head = used;
			*ret_body = value;
			return bytes - used >= value;
		}
	}
	return false;
}

static void mqtt_receive(struct traffic *t, struct client *c, const uint8_t *message, size_t bytes)
{
	size_t head, body;

	for (; bytes > 0; message += head + body, bytes -= head + body) {
		if (!mqtt_head(message, bytes, &head, &body)) {
			check_failed("client %u got a part of an MQTT packet", c->number);
		}
		if ((message[0] & 0xf0) == MQTT_PUBLISH) {
			mqtt_published(t, c, message + head, body);
		} else if (message[0] == MQTT_CONNACK && body >= 2 && message[head + 1] == 0) {
			mqtt_subscribe(&t->loop, c);
		} else if (message[0] == MQTT_SUBACK && body >= 4 && message[head + 3] == 0) {
			client_ready(t, c);
		} else {
			check_failed("client %u got an MQTT packet of type 0x%02x that refuses or "
					"that it did not expect", c->number, message[0]);
		}
	}
}

static const struct dialect dialects[] = {
	{ .name = "floor", .opcode = WS_TEXT, .path = floor_path },
	{ .name = "praxis", .opcode = WS_TEXT, .path = application_path, .is_application = true },
	{ .name = "node", .opcode = WS_TEXT, .path = application_path, .is_application = true },
	{ .name = "nchan", .opcode = WS_TEXT, .path = nchan_path, .returns_own = true },
	{ .name = "mosquitto", .opcode = WS_BINARY, .path = mqtt_path, .subprotocol = "mqtt",
		.on_open = mqtt_on_open, .wrap = mqtt_wrap, .receive = mqtt_receive },
};

const struct dialect *dialect_find(const char *name)
{
	for (size_t i = 0; i < sizeof(dialects) / sizeof(*dialects); i++) {
		if (strcmp(dialects[i].name, name) == 0) {
			return &dialects[i];
		}
	}
	return NULL;
}

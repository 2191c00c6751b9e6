/* SPDX-License-Identifier: MIT */
/*
 * See forwarded_header.h.
 *
 * X-Forwarded-For is split at its commas, even within quotes: addresses contain no commas, and a
 * quote that a client opened must not swallow what its proxy appends. In Forwarded, a quoted string
 * may contain commas. So an element is the shortest end of the list that is a valid element: part
 * of a quoted string never is one, since it ends with a quote that it did not open, and a client's
 * own half of one precedes the comma.
 */
#include "forwarded_header.h"

#include "config/config.h"

#include <string.h>
#include <strings.h>

/* In the quoted strings of one element; proxies write fewer. */
#define COMMAS_MAX 8

#define SPACE " \t"
#define TOKEN "!#$%&'*+-.^_`|~0123456789" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* Further characters in an unquoted value, for proxies that omit the quotes. */
#define UNQUOTED TOKEN ":[]"

static bool is_of(char character, const char *set)
{
	return character != '\0' && strchr(set, character);
}

/* The start of what follows the last comma before `end`. */
static size_t start_of(struct px_span list, size_t end)
{
	while (end > 0 && list.data[end - 1] != ',') {
		end--;
	}
	return end;
}

/* Removes commas and spaces from the end. False: nothing is left. */
static bool drop_empty(struct px_span *list)
{
	while (list->len > 0 && is_of(list->data[list->len - 1], SPACE ",")) {
		list->len--;
	}
	return list->len > 0;
}

static void cut(struct px_span *list, size_t start)
{
	list->len = start > 0 ? start - 1 : 0;
}

static bool take_address(struct px_span *list, struct px_forwarded_client *client)
{
	size_t start = start_of(*list, list->len);
	struct px_span entry = { list->data + start, list->len - start };
	cut(list, start);
	return px_address_parse_node(entry, &client->address);
}

/* ---- Forwarded ---- */

/* The unread rest of an element. */
struct reader {
	const char *at;
	const char *end;
};

static void skip_spaces(struct reader *reader)
{
	while (reader->at < reader->end && is_of(*reader->at, SPACE)) {
		reader->at++;
	}
}

static struct px_span take_run(struct reader *reader, const char *set)
{
	struct px_span run = { reader->at, 0 };
	while (reader->at < reader->end && is_of(*reader->at, set)) {
		reader->at++;
		run.len++;
	}
	return run;
}

/* A value, character by character; one that is too long becomes "". */
struct value {
	char text[264];
	size_t len;
};

static void add(struct value *value, char character)
{
	if (value->len < sizeof(value->text)) {
		value->text[value->len++] = character;
	}
}

static bool take_quoted(struct reader *reader, struct value *value)
{
	reader->at++;
	while (reader->at < reader->end && *reader->at != '"') {
		if (*reader->at == '\\' && ++reader->at == reader->end) {
			return false;
		}
		if ((unsigned char)*reader->at < ' ' && *reader->at != '\t') {
			return false;
		}
		add(value, *reader->at++);
	}
	return reader->at++ < reader->end;
}

static bool take_value(struct reader *reader, struct value *value)
{
	if (reader->at < reader->end && *reader->at == '"') {
		return take_quoted(reader, value);
	}
	struct px_span run = take_run(reader, UNQUOTED);
	for (size_t i = 0; i < run.len; i++) {
		add(value, run.data[i]);
	}
	return run.len > 0;
}

static bool name_is(struct px_span name, const char *wanted)
{
	return name.len == strlen(wanted) && strncasecmp(name.data, wanted, name.len) == 0;
}

/* "": it does not fit, or is invalid. */
static void copy(const struct value *value, char *buf, size_t size)
{
	bool good = value->len < size && !memchr(value->text, '\0', value->len);
	memcpy(buf, value->text, good ? value->len : 0);
	buf[good ? value->len : 0] = '\0';
}

/* The parameters of an element. */
struct element {
	struct value node;
	bool has_node;
	struct px_forwarded_client client;
};

/* False: a parameter occurs twice, which RFC 7239 section 4 forbids. */
static bool note(struct element *element, struct px_span name, const struct value *value)
{
	if (name_is(name, "for")) {
		bool first = !element->has_node;
		element->has_node = true;
		element->node = *value;
		return first;
	}
	if (name_is(name, "proto")) {
		copy(value, element->client.proto, sizeof(element->client.proto));
	} else if (name_is(name, "host")) {
		copy(value, element->client.host, sizeof(element->client.host));
	}
	return true;
}

/* "for=192.0.2.7;proto=https": pairs between semicolons. */
static bool parse_element(struct px_span text, struct element *ret_element)
{
	struct reader reader = { text.data, text.data + text.len };
	*ret_element = (struct element){ .has_node = false };
	for (;;) {
		skip_spaces(&reader);
		struct px_span name = take_run(&reader, TOKEN);
		if (name.len > 0) {
			struct value value = { .len = 0 };
			skip_spaces(&reader);
			if (reader.at == reader.end || *reader.at++ != '=') {
				return false;
			}
			skip_spaces(&reader);
			if (!take_value(&reader, &value) || !note(ret_element, name, &value)) {
				return false;
			}
		}
		skip_spaces(&reader);
		if (reader.at == reader.end) {
			return true;
		}
		if (*reader.at++ != ';') {
			return false;
		}
	}
}

static bool take_element(struct px_span *list, struct px_forwarded_client *client)
{
	struct element element;
	size_t start = list->len + 1;
	bool whole = false;
	for (int i = 0; i <= COMMAS_MAX && start > 0 && !whole; i++) {
		start = start_of(*list, start - 1);
		whole = parse_element((struct px_span){ list->data + start, list->len - start },
				&element);
	}
	cut(list, start);
	if (!whole) {
		return false;
	}
	memcpy(client->proto, element.client.proto, sizeof(client->proto));
	memcpy(client->host, element.client.host, sizeof(client->host));
	return element.has_node && element.node.len < sizeof(element.node.text) &&
			px_address_parse_node((struct px_span){ element.node.text, element.node.len },
					&client->address);
}

/* ---- both ---- */

static void read_list(const struct px_config_vhost *vhost, struct px_span list,
		const struct in6_addr *nearest,
		bool (*take)(struct px_span *list, struct px_forwarded_client *client),
		struct px_forwarded_client *ret_client)
{
	struct px_forwarded_client client = { .address = *nearest };
	bool is_known = drop_empty(&list);
	while (is_known && px_config_is_trusted_proxy(vhost, &client.address) &&
			drop_empty(&list)) {
		client.proto[0] = '\0';
		client.host[0] = '\0';
		is_known = take(&list, &client);
	}
	if (!is_known) {
		client.address = in6addr_any;
	}
	*ret_client = client;
}

void px_forwarded_for_read(const struct px_config_vhost *vhost, struct px_span list,
		const struct in6_addr *nearest, struct px_forwarded_client *ret_client)
{
	read_list(vhost, list, nearest, take_address, ret_client);
}

void px_forwarded_read(const struct px_config_vhost *vhost, struct px_span list,
		const struct in6_addr *nearest, struct px_forwarded_client *ret_client)
{
	read_list(vhost, list, nearest, take_element, ret_client);
}

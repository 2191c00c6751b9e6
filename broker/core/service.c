/* SPDX-License-Identifier: MIT */
/*
 * Descriptors of services: whether one is valid, and to which service a type of messages belongs.
 * Host and broker both use this, so that --check-config and a start agree. A plugin may be older
 * than the field `prefixes`; only this file reads that field.
 */
#include "broker.h"
#include "message.h"
#include "service.h"

#include <errno.h>
#include <praxis/host/registry.h>
#include <praxis/operate.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX_MAX 32
#define TYPE_MAX 64

/* Prefixes of the server's own types: auth_ok, server_draining, … */
static const char *const reserved[] = { "auth", "connection", "server" };

static int complain(char *fault, size_t size, const char *format, ...) PX_PRINTF(3, 4);

static int complain(char *fault, size_t size, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vsnprintf(fault, size, format, args);
	va_end(args);
	return -EINVAL;
}

const char *const *px_service_prefixes(const struct px_service *service)
{
	static const char *const none[] = { NULL };
	bool has_field = service->size >= offsetof(struct px_service, prefixes) +
			sizeof(service->prefixes);
	return has_field && service->prefixes ? service->prefixes : none;
}

static bool is_well_formed(const char *text, size_t max, const char *others)
{
	size_t len = text ? strnlen(text, max + 1) : 0;
	if (len == 0 || len > max || text[0] < 'a' || text[0] > 'z') {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (!((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '0' && text[i] <= '9') ||
				strchr(others, text[i]))) {
			return false;
		}
	}
	return true;
}

static bool is_reserved(const char *prefix)
{
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (strcmp(reserved[i], prefix) == 0) {
			return true;
		}
	}
	return false;
}

static bool has_prefix(const struct px_service *service, struct px_span prefix)
{
	if (px_span_equal(px_span(service->name), prefix)) {
		return true;
	}
	for (const char *const *each = px_service_prefixes(service); *each; each++) {
		if (px_span_equal(px_span(*each), prefix)) {
			return true;
		}
	}
	return false;
}

static int check_prefixes(const struct px_service *service, char *fault, size_t size)
{
	const char *const *all = px_service_prefixes(service);
	for (size_t i = 0; all[i]; i++) {
		if (i == PX_SERVICE_PREFIXES_MAX) {
			return complain(fault, size, "it names more than %d prefixes",
					PX_SERVICE_PREFIXES_MAX);
		}
		if (!is_well_formed(all[i], PREFIX_MAX, "")) {
			return complain(fault, size, "its prefix \"%.40s\" is not [a-z][a-z0-9]{0,31}",
					all[i]);
		}
		if (is_reserved(all[i])) {
			return complain(fault, size, "its prefix \"%s\" is the server's own", all[i]);
		}
	}
	return 0;
}

/* bsearch() would not find commands in an unsorted table. */
static int check_command(const struct px_service *service, size_t i, char *fault, size_t size)
{
	const char *type = service->commands[i].type;
	if (!is_well_formed(type, TYPE_MAX, "_")) {
		return complain(fault, size, "the type of its command %zu is not [a-z][a-z0-9_]{0,63}",
				i + 1);
	}
	if (!strchr(type, '_') || !px_service_owns(service, px_span(type))) {
		return complain(fault, size, "the type \"%s\" does not begin with \"%s_\", nor with a "
				"prefix that the descriptor names (\"prefixes\")", type, service->name);
	}
	if (!service->commands[i].handle) {
		return complain(fault, size, "the command \"%s\" has no handler", type);
	}
	int order = i > 0 ? strcmp(service->commands[i - 1].type, type) : -1;
	if (order >= 0) {
		return complain(fault, size, "the commands are not sorted: \"%s\" %s", type,
				order == 0 ? "is listed twice" : "must come before its predecessor");
	}
	return 0;
}

int px_service_check(const struct px_service *service, char *fault, size_t size)
{
	if (service->abi != PX_SERVICE_ABI || service->size < PX_SERVICE_SIZE_MIN) {
		return complain(fault, size, "it was built for another version of Praxis (its service "
				"ABI is %u, this one's is %u)", service->abi, PX_SERVICE_ABI);
	}
	if (!is_well_formed(service->name, PREFIX_MAX, "")) {
		return complain(fault, size, "its name is not [a-z][a-z0-9]{0,31}");
	}
	if (is_reserved(service->name)) {
		return complain(fault, size, "its name \"%s\" is the server's own", service->name);
	}
	if (service->command_count > 0 && !service->commands) {
		return complain(fault, size, "it announces commands, but has no table of them");
	}
	int rc = check_prefixes(service, fault, size);
	for (size_t i = 0; rc == 0 && i < service->command_count; i++) {
		rc = check_command(service, i, fault, size);
	}
	return rc;
}

static struct px_span prefix_of(struct px_span type)
{
	const char *underscore = type.len > 0 ? memchr(type.data, '_', type.len) : NULL;
	return (struct px_span){ type.data, underscore ? (size_t)(underscore - type.data) : type.len };
}

bool px_service_owns(const struct px_service *service, struct px_span type)
{
	return has_prefix(service, prefix_of(type));
}

const char *px_service_shared_prefix(const struct px_service *one, const struct px_service *two)
{
	if (has_prefix(two, px_span(one->name))) {
		return one->name;
	}
	for (const char *const *each = px_service_prefixes(one); *each; each++) {
		if (has_prefix(two, px_span(*each))) {
			return *each;
		}
	}
	return NULL;
}

void px_service_write_prefixes(const struct px_service *service, struct px_json *json)
{
	px_json_open_array(json, "prefixes");
	px_json_text(json, NULL, service->name);
	for (const char *const *each = px_service_prefixes(service); *each; each++) {
		px_json_text(json, NULL, *each);
	}
	px_json_close_array(json);
}

const struct px_service *px_broker_service_of_type(const struct px_broker *broker,
		struct px_span type, unsigned *ret_index)
{
	struct px_span prefix = prefix_of(type);
	for (unsigned i = 0; prefix.len > 0 && i < broker->service_count; i++) {
		if (has_prefix(broker->services[i].service, prefix)) {
			if (ret_index) {
				*ret_index = i;
			}
			return broker->services[i].service;
		}
	}
	return NULL;
}

uint8_t px_broker_service_index(const struct px_broker *broker, const struct px_service *service)
{
	for (unsigned i = 0; i < broker->service_count; i++) {
		if (broker->services[i].service == service) {
			return (uint8_t)i;
		}
	}
	return PX_SERVICE_NONE;
}

const struct px_service *px_broker_service(const struct px_broker *broker, unsigned index)
{
	return index < broker->service_count ? broker->services[index].service : NULL;
}

const struct px_service *px_broker_find_service(const struct px_broker *broker,
		struct px_span name, unsigned *ret_index)
{
	for (unsigned i = 0; i < broker->service_count; i++) {
		const struct px_service *service = broker->services[i].service;
		if (px_span_equal(px_span(service->name), name)) {
			if (ret_index) {
				*ret_index = i;
			}
			return service;
		}
	}
	return NULL;
}

const struct px_traffic_count *px_broker_traffic(const struct px_broker *broker, unsigned index)
{
	return index <= broker->traffic.last ? &broker->traffic.counts[index] : NULL;
}

/* ---- tables of commands ---- */

static size_t rule_count(const struct px_command *command)
{
	size_t count = 0;
	while (command->fields && command->fields[count].name) {
		count++;
	}
	return count;
}

int px_service_slot_init(struct px_broker *broker, struct px_service_slot *slot,
		const struct px_service *service)
{
	size_t rules = 0;
	*slot = (struct px_service_slot){ .service = service };
	for (size_t i = 0; i < service->command_count; i++) {
		rules += rule_count(&service->commands[i]);
	}
	slot->commands = calloc(service->command_count + 1, sizeof(*slot->commands));
	slot->rules = calloc(rules + 1, sizeof(*slot->rules));
	if (!slot->commands || !slot->rules) {
		px_service_slot_finish(slot);
		return -ENOMEM;
	}
	struct px_rule_slot *rule = slot->rules;
	slot->roles = service->command_count > 0 ? 0 : PX_ROLES_ALL;
	for (size_t i = 0; i < service->command_count; i++) {
		const struct px_command *command = &service->commands[i];
		slot->roles |= command->roles;
		slot->commands[i].traffic = px_traffic_place(&broker->traffic, command->type);
		slot->commands[i].rules = rule;
		for (size_t k = 0; k < rule_count(command); k++) {
			size_t len = strlen(command->fields[k].name);
			*rule++ = (struct px_rule_slot){ (uint16_t)len,
				px_name_slot(command->fields[k].name, len) };
		}
	}
	return 0;
}

void px_service_slot_finish(struct px_service_slot *slot)
{
	free(slot->commands);
	free(slot->rules);
	slot->commands = NULL;
	slot->rules = NULL;
}

void px_broker_index_types(struct px_broker *broker)
{
	memset(broker->types, 0, sizeof(broker->types));
	for (unsigned i = 0; i < broker->service_count; i++) {
		const struct px_service_slot *slot = &broker->services[i];
		for (size_t k = 0; k < slot->service->command_count; k++) {
			broker->types[slot->commands[k].traffic] = (struct px_type_slot){
				(uint16_t)(k + 1), (uint8_t)i, true };
		}
	}
	/* Which of them? They share it where the table of types is full. */
	broker->types[PX_TRAFFIC_OTHER] = (struct px_type_slot){ 0, PX_SERVICE_NONE, false };
}

const struct px_command *px_broker_command(const struct px_broker *broker, const char *type,
		size_t len, unsigned *ret_service)
{
	uint16_t traffic = px_traffic_find(&broker->traffic, type, len);
	struct px_type_slot slot = broker->types[traffic];
	if (slot.command == 0) {
		return NULL;
	}
	*ret_service = slot.service;
	return &broker->services[slot.service].service->commands[slot.command - 1];
}

uint8_t px_broker_service_of_traffic(struct px_broker *broker, uint16_t traffic, const char *type)
{
	struct px_type_slot *slot = &broker->types[traffic];
	unsigned index;
	if (slot->is_known) {
		return slot->service;
	}
	uint8_t service = px_broker_service_of_type(broker, px_span(type), &index) ?
			(uint8_t)index : PX_SERVICE_NONE;
	if (traffic != PX_TRAFFIC_OTHER) {
		slot->service = service;
		slot->is_known = true;
	}
	return service;
}

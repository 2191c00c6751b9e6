/* SPDX-License-Identifier: MIT */
/*
 * Services of the broker, by index. Opened by whoever asks where a message or a session belongs. It
 * never calls their hooks.
 */
#ifndef PX_CORE_SERVICE_H
#define PX_CORE_SERVICE_H

#include <praxis/host/registry.h>
#include <praxis/service.h>

/* Where a field of a command's table is found in an envelope: see message/envelope.h. */
struct px_rule_slot {
	uint16_t len; /* of its name */
	uint8_t slot;
};

struct px_command_slot {
	const struct px_rule_slot *rules; /* as long as the command's `fields` */
	uint16_t traffic; /* index of its type */
};

/* What the services have to do with a type, by its traffic index. */
struct px_type_slot {
	uint16_t command; /* counted from 1; 0: it is no command */
	uint8_t service;  /* index; PX_SERVICE_NONE: its prefix is no service's */
	bool is_known;    /* … and that was looked up */
};

struct px_service_slot {
	unsigned roles;    /* roles that may send any of its commands; all roles if it has none */
	struct px_command_slot *commands; /* one each */
	struct px_rule_slot *rules;       /* of all commands */
	const struct px_service *service;
	void *state;
};

/* Prepares the table of a service's commands. -ENOMEM: nothing was kept. */
int px_service_slot_init(struct px_broker *broker, struct px_service_slot *slot,
		const struct px_service *service);
void px_service_slot_finish(struct px_service_slot *slot);

/* Services were added or removed: what is known of types is so no longer. */
void px_broker_index_types(struct px_broker *broker);

/* The command of a type, and the index of its service; NULL: it is to be searched for, or none. */
const struct px_command *px_broker_command(const struct px_broker *broker, const char *type,
		size_t len, unsigned *ret_service);

/* The service of a type whose traffic index is known; PX_SERVICE_NONE. */
uint8_t px_broker_service_of_traffic(struct px_broker *broker, uint16_t traffic, const char *type);

/* The index of a service of this broker; PX_SERVICE_NONE if it is not one. */
uint8_t px_broker_service_index(const struct px_broker *broker, const struct px_service *service);

/* Writes the member `prefixes`: all prefixes of its types, beginning with its name. */
void px_service_write_prefixes(const struct px_service *service, struct px_json *json);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Services of the broker, by index. Opened by whoever asks where a message or a session belongs. It
 * never calls their hooks.
 */
#ifndef PX_CORE_SERVICE_H
#define PX_CORE_SERVICE_H

#include <praxis/host/registry.h>
#include <praxis/service.h>

struct px_service_slot {
	unsigned roles;    /* roles that may send any of its commands; all roles if it has none */
	uint16_t *traffic; /* traffic indexes of its commands' types */
	const struct px_service *service;
	void *state;
};

/* The index of a service of this broker; PX_SERVICE_NONE if it is not one. */
uint8_t px_broker_service_index(const struct px_broker *broker, const struct px_service *service);

/* Writes the member `prefixes`: all prefixes of its types, beginning with its name. */
void px_service_write_prefixes(const struct px_service *service, struct px_json *json);

#endif

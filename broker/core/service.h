/* SPDX-License-Identifier: MIT */
/*
 * Services of the broker, by index. Opened by whoever asks what a message, or a session, is of. It
 * never calls one of their hooks.
 */
#ifndef PX_CORE_SERVICE_H
#define PX_CORE_SERVICE_H

#include <praxis/host/registry.h>
#include <praxis/service.h>

struct px_service_slot {
	unsigned roles;    /* that may send any of its messages; all, where it has none */
	uint16_t *traffic; /* places of its commands' types */
	const struct px_service *service;
	void *state;
};

/* Of one of the broker's services; PX_SERVICE_NONE. */
uint8_t px_broker_service_index(const struct px_broker *broker, const struct px_service *service);

/* The member `prefixes`: all that its types may begin with, its name first. */
void px_service_write_prefixes(const struct px_service *service, struct px_json *json);

#endif

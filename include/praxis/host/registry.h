/* SPDX-License-Identifier: MIT */
/*
 * Services of a broker: added, configured, looked up. Opened by the loader of services. A service
 * that a session may have used is never removed.
 */
#ifndef PRAXIS_HOST_REGISTRY_H
#define PRAXIS_HOST_REGISTRY_H

#include <praxis/types.h>

struct px_broker;
struct px_options;
struct px_service;

/* At most this many services at once. */
#define PX_SERVICES_MAX 32

/*
 * Starts a service. The descriptor must outlive the broker; the caller owns `options`, whose
 * lifetime service.h defines. *ret_index is its bit in px_realm.enabled. -EEXIST: another service
 * has the name or a prefix; -EINVAL: the descriptor is invalid, as was logged; -ENOSPC:
 * PX_SERVICES_MAX; or the error of `start`.
 */
PX_PUBLIC int px_broker_add_service(struct px_broker *broker, const struct px_service *service,
		const struct px_options *options, unsigned *ret_index);

/*
 * Validates the descriptor: 0, or -EINVAL with a sentence in `fault` that names the type or prefix.
 * px_broker_add_service() does this first; it needs no broker.
 */
PX_PUBLIC int px_service_check(const struct px_service *service, char *fault, size_t size);

/*
 * The prefixes that a descriptor names besides its name; NULL ends them. Of one that is too old to
 * have any, none. The descriptor's own.
 */
PX_PUBLIC const char *const *px_service_prefixes(const struct px_service *service);

/* A prefix that both services have, which is not permitted; NULL: none. */
PX_PUBLIC const char *px_service_shared_prefix(const struct px_service *one,
		const struct px_service *two);

/* Gives a running service new options; the error of its `configure`, -ENOTSUP without one. */
PX_PUBLIC int px_broker_configure(struct px_broker *broker, unsigned index,
		const struct px_options *options);

/*
 * Removes the service that was added last, because something else failed. No realm may have enabled
 * it yet. Its index is free again.
 */
PX_PUBLIC void px_broker_remove_last_service(struct px_broker *broker);

/* The service with that index; NULL. By name: px_broker_find_service(), in operate.h. */
PX_PUBLIC const struct px_service *px_broker_service(const struct px_broker *broker,
		unsigned index);

/* The service of messages with that type, by the part before its first underscore; NULL. */
PX_PUBLIC const struct px_service *px_broker_service_of_type(const struct px_broker *broker,
		struct px_span type, unsigned *ret_index);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Services of a broker: added, configured, looked up. Opened by whoever loads them. It never
 * unloads one that a session may have met.
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
 * Starts a service. The descriptor must outlive the broker; `options` are the caller's and
 * live as service.h says. *ret_index is its bit in px_realm.enabled. -EEXIST: the name, or
 * a prefix; -EINVAL: the descriptor (why is in the log); -ENOSPC; or what `start` returned.
 */
PX_PUBLIC int px_broker_add_service(struct px_broker *broker, const struct px_service *service,
		const struct px_options *options, unsigned *ret_index);

/*
 * Whether the descriptor can be used: 0, or -EINVAL with a sentence in `fault` that names the
 * type or prefix. What px_broker_add_service() asks first; it needs no broker.
 */
PX_PUBLIC int px_service_check(const struct px_service *service, char *fault, size_t size);

/*
 * The prefixes that a descriptor names besides its name; NULL ends them. Of one that is too old to
 * have any, none. The descriptor's own.
 */
PX_PUBLIC const char *const *px_service_prefixes(const struct px_service *service);

/* What both say that their types begin with, and no two services may; NULL: nothing. */
PX_PUBLIC const char *px_service_shared_prefix(const struct px_service *one,
		const struct px_service *two);

/* Gives a running service new options; -errno as its `configure`, -ENOTSUP without one. */
PX_PUBLIC int px_broker_configure(struct px_broker *broker, unsigned index,
		const struct px_options *options);

/*
 * Takes back the service that was added last, which no site may have had enabled yet: what
 * was to come with it failed. Its index is free again.
 */
PX_PUBLIC void px_broker_remove_last_service(struct px_broker *broker);

/* The service of that index; NULL. Of that name: px_broker_find_service(), in operate.h. */
PX_PUBLIC const struct px_service *px_broker_service(const struct px_broker *broker,
		unsigned index);

/*
 * The service of messages of that type, by the part before its first underscore; NULL.
 */
PX_PUBLIC const struct px_service *px_broker_service_of_type(const struct px_broker *broker,
		struct px_span type, unsigned *ret_index);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What the broker needs from its host, as functions that are passed in. Opened by hosts, and by
 * code that spends a turn's time. Services never call it.
 */
#ifndef PRAXIS_HOST_HOST_H
#define PRAXIS_HOST_HOST_H

#include <praxis/host/authentication.h>
#include <praxis/host/event.h>
#include <praxis/json.h>
#include <praxis/types.h>

struct px_operator;
struct px_realm;
struct px_service;

/* What a turn is spent on; the host may budget each kind. */
enum px_work {
	PX_WORK_IN,  /* handling input and timers */
	PX_WORK_OUT, /* writing, closing, freeing */
};

/* What a host is asked to describe to an operator, as members of an open object. */
enum px_description {
	PX_DESCRIBE_SERVER,
	PX_DESCRIBE_TOTALS,
	PX_DESCRIBE_CONFIG,
	PX_DESCRIBE_HISTORY, /* statistics of the last hour */
	PX_DESCRIBE_LOCKS,   /* locked addresses */
	PX_DESCRIBE_OPTIONS, /* of one service */
};

/* What the broker needs from its host; copied. */
struct px_broker_host {
	void *user;

	/*
	 * Whether this turn has used up its time for that kind of work. Asked between small pieces of
	 * work; the rest waits for the next turn. NULL: never.
	 */
	bool (*over_budget)(void *user, enum px_work work);

	/*
	 * Something happens. Called for CONNECTED, AUTHENTICATED, JOINED, WAITING, ADMITTED, RESUMED
	 * and ADMINISTERED before the client is told; -errno forbids one of these. NULL: no events are
	 * wanted.
	 */
	int (*event)(void *user, const struct px_event *event);

	/* Judges a token of the `auth` message; conn is the session's. NULL: no tokens are accepted. */
	void (*authenticate)(void *user, void *conn, const struct px_realm *realm,
			struct px_span token, struct px_authentication *ret_authentication);
	void (*random)(void *user, void *buf, size_t len);
	void (*log)(void *user, int level, const char *line);
	/*
	 * HMAC-SHA1 (RFC 2104) in base64, 28 bytes and the terminator; 0 or -errno. NULL: not
	 * available.
	 */
	int (*hmac_sha1)(void *user, struct px_span key, struct px_span text, char buf[29]);

	/*
	 * Enables or disables a service of the operator's vhost. -ENOENT: it has none with that name;
	 * -EBUSY: it must stay enabled; -EIO: it cannot be loaded or started, as was logged; -EROFS:
	 * the audit log cannot be written. NULL: services cannot be switched.
	 */
	int (*switch_service)(void *user, const struct px_operator *operator,
			struct px_span service, bool enabled);

	/*
	 * Unlocks an address. -ENOENT: it has no lock and no recorded failures; -EROFS: the audit log
	 * cannot be written. NULL: addresses are never locked.
	 */
	int (*unlock)(void *user, const struct px_operator *operator, struct px_span address);

	/* A clock for durations, in nanoseconds. NULL: none. */
	uint64_t (*now_ns)(void *user);

	/* How long writing to sessions took in one turn. NULL: not wanted. */
	void (*flushed)(void *user, uint64_t ns);

	/* Never writes a secret. NULL: nothing to describe. */
	void (*describe)(void *user, const struct px_operator *operator,
			enum px_description what, const struct px_service *service,
			struct px_json *json);
};

#endif

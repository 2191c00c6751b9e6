/* SPDX-License-Identifier: MIT */
/*
 * What the broker needs of its host, as functions that are passed in. Opened by hosts, and by
 * whatever has a share in a turn. It never is called by a service.
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

/* What a turn is spent on; the host may give each a share of its time. */
enum px_work {
	PX_WORK_IN,  /* handling what arrived or is due */
	PX_WORK_OUT, /* writing, closing, freeing */
};

/* What a host is asked to describe to an operator: members of an object that is open. */
enum px_description {
	PX_DESCRIBE_SERVER,
	PX_DESCRIBE_TOTALS,
	PX_DESCRIBE_CONFIG,
	PX_DESCRIBE_HISTORY, /* figures of the last hour */
	PX_DESCRIBE_LOCKS,   /* addresses that too many guesses came from */
	PX_DESCRIBE_OPTIONS, /* of one service */
};

/* What the broker needs of its host; copied. */
struct px_broker_host {
	void *user;

	/*
	 * Whether this turn has lasted long enough for that kind of work. Asked between small
	 * pieces of it; what is left waits for the next turn. NULL: never.
	 */
	bool (*over_budget)(void *user, enum px_work work);

	/*
	 * Something happens; before CONNECTED, AUTHENTICATED, JOINED, WAITING, ADMITTED, RESUMED and
	 * ADMINISTERED are confirmed to anybody. -errno for one of these: it must not happen.
	 * NULL: no events are wanted.
	 */
	int (*event)(void *user, const struct px_event *event);

	/* Judges a token of the `auth` message; conn is the session's. NULL: there are none. */
	void (*authenticate)(void *user, void *conn, const struct px_realm *realm,
			struct px_span token, struct px_authentication *ret_authentication);
	void (*random)(void *user, void *buf, size_t len);
	void (*log)(void *user, int level, const char *line);
	/* HMAC-SHA1 in base64, 28 bytes and the terminator; 0 or -errno. NULL: none. */
	int (*hmac_sha1)(void *user, struct px_span key, struct px_span text, char buf[29]);

	/*
	 * Switches a service of the operator's vhost. -ENOENT: it has none of that name; -EBUSY: it
	 * must stay on; -EIO: it cannot be loaded or started, as was logged; -EROFS: the
	 * audit log cannot be written. NULL: nothing is ever switched.
	 */
	int (*switch_service)(void *user, const struct px_operator *operator,
			struct px_span service, bool enabled);

	/*
	 * Lifts the lock of an address. -ENOENT: it has none; -EROFS: the audit log cannot be written.
	 * NULL: nothing is ever locked.
	 */
	int (*unlock)(void *user, const struct px_operator *operator, struct px_span address);

	/* A clock for durations. NULL: there is none. */
	uint64_t (*now_ns)(void *user);

	/* How long it took to write what one turn had for its sessions. NULL: it does not matter. */
	void (*flushed)(void *user, uint64_t ns);

	/* Never a secret. NULL: there is nothing to tell. */
	void (*describe)(void *user, const struct px_operator *operator,
			enum px_description what, const struct px_service *service,
			struct px_json *json);
};

#endif

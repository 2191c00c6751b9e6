/* SPDX-License-Identifier: MIT */
/*
 * What a service is: a const descriptor, a table of the messages that it understands,
 * and hooks. Start reading here, then in plugins/echo/echo.c; docs/writing-a-service.md
 * makes a service in ten minutes.
 *
 * A service never sees a socket, a thread or libwebsockets. It gets a call (a session and
 * a checked message) and answers with the functions of session.h and channel.h. Where a
 * hook fails the caller owes nothing: `start` failed, no `stop`; `open` failed, no `close`.
 * Where it succeeded, its counterpart comes exactly once.
 */
#ifndef PRAXIS_SERVICE_H
#define PRAXIS_SERVICE_H

#include <praxis/channel.h>
#include <praxis/envelope.h>
#include <praxis/json.h>
#include <praxis/message.h>
#include <praxis/option.h>
#include <praxis/session.h>
#include <praxis/types.h>
#include <stddef.h>

/*
 * Grows when a service that was built before could no longer be used (docs/abi.md). Fields of the
 * descriptor are only appended; `size` tells which of them a service was built with.
 */
#define PX_SERVICE_ABI 1

struct json_object;
struct px_broker;
struct px_call;
struct px_publication;
struct px_service;

/* What a field of a message must be. */
enum px_field_type {
	PX_FIELD_ID,             /* an integer, or a string of 1 to PX_ID_MAX bytes */
	PX_FIELD_STRING,
	PX_FIELD_NAME,           /* a string of at most PX_NAME_MAX bytes */
	PX_FIELD_INTEGER,
	PX_FIELD_BOOL,
	PX_FIELD_OBJECT,
	PX_FIELD_OBJECT_OR_NULL,
};

struct px_field_rule {
	const char *name; /* NULL ends the list */
	enum px_field_type type;
	bool optional;
};

struct px_command {
	const char *type; /* "<name or prefix>_<rest>"; the table is sorted by it */

	/*
	 * Called when the session may send this, and each field is as `fields` says.
	 * Return 0 (the broker sends the receipt that the client may have asked for) or
	 * the value of px_call_fail().
	 */
	int (*handle)(struct px_call *call);

	unsigned roles;  /* set of enum px_role */
	const struct px_field_rule *fields; /* NULL: none are required */
	bool anywhere;   /* needs no practice; call->practice may then be NULL */

	/*
	 * What it does is written to the audit log and reported to webhooks: a session joins a room, or
	 * acts on others. Sessions may do so less often (`acts-per-second`). Leaving is none: one
	 * can leave no more often than one has joined.
	 */
	bool acts;
};

/* One message being handled. Lives until `handle` returns. */
struct px_call {
	struct px_session *session;
	struct px_envelope *message;
	const struct px_service *service;
	const struct px_command *command;
	void *service_state;
	void *session_state;
	struct px_practice *practice; /* the message's, else the session's first; held by it */
	bool practice_named;          /* the message named it */
	uint64_t seq;                 /* set it, and the receipt carries it */
	/*
	 * Set it before px_call_forward(): of messages of this service and practice with the same
	 * key, a slow consumer may get only the latest. Empty: none.
	 */
	struct px_span key;
	/*
	 * Set it before px_call_forward(), where the message is for one room alone: whoever may
	 * not be in there any more is not given it later.
	 */
	const struct px_channel *channel;
	/*
	 * Set both before px_call_forward(), where receivers believe the server alone: names of
	 * fields that are taken out of what was sent (NULL ends them), and what writes them anew.
	 */
	const char *const *own_fields;
	void (*stamp)(const struct px_call *call, struct px_json *json);
};

/*
 * How the channels of one kind are written down when the server is restarted, and read again
 * by the next (docs/writing-a-service.md). `state` is the service's. A `save` writes members
 * into an object that is open already; the `restore` of the same place gets that object, which
 * it must not trust: -EINVAL where it makes no sense. Any of them may be NULL.
 */
struct px_snapshot_ops {
	const struct px_channel_kind *kind; /* NULL ends the table */

	/* The limits that a channel of that kind would begin with now. NULL: without limits. */
	void (*limits)(void *state, struct px_channel_limits *ret_limits);

	/* What is in px_channel_state(). After a `restore` that failed `closed` is called. */
	void (*save)(void *state, struct px_channel *channel, struct px_json *json);
	int (*restore)(void *state, struct px_channel *channel, struct json_object *saved);

	/*
	 * What is in px_member_state(). The member is in its channel already; others are not notified;
	 * after a `restore_member` that failed `left` is called.
	 */
	void (*save_member)(void *state, struct px_member *member, struct px_json *json);
	int (*restore_member)(void *state, struct px_member *member, struct json_object *saved);
};
#define px_keeper px_snapshot_ops /* its name in older services */

struct px_service {
	uint32_t abi;     /* PX_SERVICE_ABI */
	uint32_t size;    /* sizeof(struct px_service) */
	const char *name; /* [a-z][a-z0-9]{0,31}: subprotocol, key in conf.d, prefix of its types */
	const char *summary;

	const struct px_option *options; /* key NULL ends it; NULL: none */
	const struct px_command *commands;
	size_t command_count;
	size_t session_size; /* bytes of state in each session, zeroed; 0: call->session_state NULL */

	/*
	 * Once, before the first session. *ret_state is handed to every other hook and to the
	 * handlers. -errno: the host does not start. `options` live until the next
	 * `configure`, or `stop`.
	 */
	int (*start)(struct px_broker *broker, const struct px_options *options, void **ret_state);

	/* Once, after the last session and channel are gone. */
	void (*stop)(void *state);

	/* New options for a running service. -errno: nothing was changed, the old ones stay. */
	int (*configure)(void *state, const struct px_options *options);

	/*
	 * A session begins or ends here; it is identified and has a role. `open` may refuse with
	 * -errno; the session then does without this service. It comes before the greeting, which
	 * names the services that took the session: send nothing from it, but from `enter`.
	 * `close` comes after all its memberships were left. A session that gets another role
	 * (`auth`) ends here and begins anew.
	 */
	int (*open)(void *state, struct px_session *session, void *session_state);
	void (*close)(void *state, struct px_session *session, void *session_state);

	/*
	 * The session has (from now on) this practice: on connecting, on authenticating, or with
	 * the first message that names it.
	 */
	void (*enter)(void *state, struct px_session *session, struct px_practice *practice);

	/*
	 * Whether options make sense that are of the right types. NULL: they do; else a sentence
	 * about *ret_key. Called before `start` and `configure`, and by --check-config alone.
	 */
	const char *(*check)(const struct px_options *options, const char **ret_key);

	/* What of its channels survives a restart. NULL: nothing does. */
	union {
		const struct px_snapshot_ops *snapshot_ops;
		const struct px_snapshot_ops *keepers; /* its name in older services */
	};

	/*
	 * What is in the state of a session, as a keeper's `save` and `restore`. NULL: a session
	 * that returns after a restart begins there anew. `restore_session` comes after `open`
	 * and after all of the session's memberships; where it failed, `close` comes.
	 */
	void (*save_session)(void *state, const struct px_session *session,
			const void *session_state, struct px_json *json);
	int (*restore_session)(void *state, struct px_session *session, void *session_state,
			struct json_object *saved);

	/*
	 * A message that the application's back end or an administrator publishes to a practice
	 * (operate.h): nothing of it is checked but that it is JSON, and of this service. 0, or the
	 * value of px_publication_fail(). NULL: there are none.
	 */
	int (*publish)(void *state, struct px_publication *publication);

	/*
	 * The commands look at `practiceId` themselves: any may be named, it makes no session a
	 * member of anything, and call->practice is always NULL. For operating (operate.h).
	 */
	bool operates;

	/*
	 * The members of a message that any administrator may send at any time and that changes
	 * nothing: "\"type\":\"echo_say\",\"text\":\"\"". An operator tests the service with it.
	 * NULL: there is none.
	 */
	const char *probe;

	/*
	 * What its types begin with besides its name, each [a-z][a-z0-9]{0,31}; NULL ends them:
	 * with { "notification", NULL } a service "notifications" has "notification_sent". No two
	 * services may have the same. NULL: its name alone. Descriptors of PX_SERVICE_SIZE_MIN
	 * bytes do without.
	 */
	const char *const *prefixes;
};

/* What a descriptor of this ABI has at least: the fields before those that were appended. */
#define PX_SERVICE_SIZE_MIN offsetof(struct px_service, prefixes)

/* Prefixes that one service may name. */
#define PX_SERVICE_PREFIXES_MAX 16

/* Whether the type, up to its first underscore, is the service's name or one of its prefixes. */
PX_PUBLIC bool px_service_owns(const struct px_service *service, struct px_span type);

/*
 * Answers a call with an error that names the field (or NULL) and says what was wrong in
 * a sentence; the sentence must not repeat what the client sent. Returns -1, for `handle`
 * to return.
 */
PX_PUBLIC int px_call_fail(struct px_call *call, enum px_error code, const char *field,
		const char *sentence);

/*
 * The message of the call as others are to see it: the sender's own bytes, with what the
 * server stamps (timestamp, clientId, practiceId, and who an authenticated sender is), and
 * with `seq` where it is not 0. You own the reference; NULL without memory.
 */
PX_PUBLIC struct px_message *px_call_forward(struct px_call *call, uint64_t seq);

/* Writes what px_call_forward() stamps, for a message that the service writes itself. */
PX_PUBLIC void px_session_stamp(const struct px_session *session, struct px_practice *practice,
		struct px_json *json);

/* The same for a message that concerns a member of a channel: it is of that channel. */
PX_PUBLIC void px_member_stamp(const struct px_member *member, struct px_json *json);

/* Milliseconds since 1970, the broker's clock; the same all through one turn of the loop. */
PX_PUBLIC int64_t px_broker_wall_ms(const struct px_broker *broker);

/* Milliseconds of a clock that never goes back; the same all through one turn. */
PX_PUBLIC int64_t px_broker_mono_ms(const struct px_broker *broker);

/*
 * HMAC-SHA1 in base64, for credentials after the TURN REST API draft (coturn's
 * use-auth-secret). buf takes 29 bytes, terminated. -ENOTSUP: the host has none.
 */
PX_PUBLIC int px_broker_hmac_sha1(const struct px_broker *broker, struct px_span key,
		struct px_span text, char buf[29]);

/* One line to the log. Never a payload, a token, a name or a text of a chat. */
PX_PUBLIC void px_broker_log(const struct px_broker *broker, int level, const char *format, ...)
		PX_PRINTF(3, 4);

#define PX_LOG_ERROR 0
#define PX_LOG_WARNING 1
#define PX_LOG_NOTICE 2
#define PX_LOG_INFO 3
#define PX_LOG_DEBUG 4

#endif

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
 * Incremented when a service that was built before can no longer be used (docs/abi.md). Fields of
 * the descriptor are only appended; `size` tells which of them a service was built with.
 */
#define PX_SERVICE_ABI 1

struct json_object;
struct px_broker;
struct px_call;
struct px_publication;
struct px_service;

/* The required type of a message's field. */
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
	 * Called if the session may send this and each field is as `fields` requires. Returns 0 (the
	 * broker sends a receipt, if requested) or the value of px_call_fail().
	 */
	int (*handle)(struct px_call *call);

	unsigned roles;  /* set of enum px_role */
	const struct px_field_rule *fields; /* NULL: no requirements */
	bool anywhere;   /* needs no practice; call->practice may be NULL */

	/*
	 * Its effect is written to the audit log and reported to webhooks: a session joins a room, or
	 * acts on others. Limited by a lower rate (`acts-per-second`). Leaving is not an act: a session
	 * leaves no more often than it joins.
	 */
	bool acts;
};

/* One message being handled. Valid until `handle` returns. */
struct px_call {
	struct px_session *session;
	struct px_envelope *message;
	const struct px_service *service;
	const struct px_command *command;
	void *service_state;
	void *session_state;
	struct px_practice *practice; /* of the message, or the session's first; held by it */
	bool practice_named;          /* the message named it */
	uint64_t seq;                 /* set it, and the receipt carries it */
	/*
	 * Set it before px_call_forward(): of messages with the same key, service and practice, a slow
	 * consumer may get only the latest. Empty: none.
	 */
	struct px_span key;
	/*
	 * Set it before px_call_forward() if the message is for one room only: a session that may no
	 * longer be in that room does not get it later.
	 */
	const struct px_channel *channel;
	/*
	 * Set both before px_call_forward() for fields that only the server may set: the names of
	 * fields that are removed from what was sent (NULL ends them), and a function that writes them
	 * anew.
	 */
	const char *const *own_fields;
	void (*stamp)(const struct px_call *call, struct px_json *json);
};

/*
 * How channels of one kind, and their members, are saved for a restart, and restored by the next
 * process (docs/writing-a-service.md). `state` is the service's. A `save` writes members into an
 * open object; the matching `restore` gets that object, which it must validate: -EINVAL. Any
 * function may be NULL.
 */
struct px_snapshot_ops {
	const struct px_channel_kind *kind; /* NULL ends the table */

	/* The limits with which a channel of that kind would begin now. NULL: no limits. */
	void (*limits)(void *state, struct px_channel_limits *ret_limits);

	/* For px_channel_state(). If `restore` fails, `closed` is called. */
	void (*save)(void *state, struct px_channel *channel, struct px_json *json);
	int (*restore)(void *state, struct px_channel *channel, struct json_object *saved);

	/*
	 * For px_member_state(). The member is in its channel already; others are not notified. If
	 * `restore_member` fails, `left` is called.
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
	 * Called once, before the first session. *ret_state is passed to every other hook and to the
	 * handlers. -errno: the host does not start. `options` are valid until the next `configure`, or
	 * `stop`.
	 */
	int (*start)(struct px_broker *broker, const struct px_options *options, void **ret_state);

	/* Called once, after the last session and channel have ended. */
	void (*stop)(void *state);

	/* New options for a running service. -errno: unchanged, the old ones stay in use. */
	int (*configure)(void *state, const struct px_options *options);

	/*
	 * A session begins or ends; it is identified and has a role. `open` may refuse with -errno; the
	 * session then does without this service. It is called before `connection_established`, which
	 * names the services of the session: do not send from `open`, but from `enter`. `close` is
	 * called after all memberships were left. If a session's role changes (`auth`), it is closed
	 * and opened anew.
	 */
	int (*open)(void *state, struct px_session *session, void *session_state);
	void (*close)(void *state, struct px_session *session, void *session_state);

	/*
	 * The session has this practice from now on: when connecting, when authenticating, or with the
	 * first message that names it.
	 */
	void (*enter)(void *state, struct px_session *session, struct px_practice *practice);

	/*
	 * Validates options that have the right types. NULL: valid; otherwise a sentence about
	 * *ret_key. Called before `start` and `configure`, and by --check-config alone.
	 */
	const char *(*check)(const struct px_options *options, const char **ret_key);

	/* Which kinds of channels survive a restart. NULL: none. */
	union {
		const struct px_snapshot_ops *snapshot_ops;
		const struct px_snapshot_ops *keepers; /* its name in older services */
	};

	/*
	 * Saves and restores the service's state in a session, as `save` and `restore` of
	 * px_snapshot_ops. NULL: a session that returns after a restart begins with an empty state.
	 * `restore_session` is called after `open` and after all memberships; if it fails, `close` is
	 * called.
	 */
	void (*save_session)(void *state, const struct px_session *session,
			const void *session_state, struct px_json *json);
	int (*restore_session)(void *state, struct px_session *session, void *session_state,
			struct json_object *saved);

	/*
	 * A message that the application's back end or an administrator publishes to a practice
	 * (operate.h). Only checked to be JSON, and of this service. Returns 0, or the value of
	 * px_publication_fail(). NULL: publishing is not supported.
	 */
	int (*publish)(void *state, struct px_publication *publication);

	/*
	 * The commands handle `practiceId` themselves: any practice may be named, naming one does not
	 * add it to the session, and call->practice is always NULL. For services that operate the
	 * server (operate.h).
	 */
	bool operates;

	/*
	 * The members of a test message, which any administrator may send at any time and which changes
	 * nothing: "\"type\":\"echo_say\",\"text\":\"\"". Operators test the service with it. NULL:
	 * none.
	 */
	const char *probe;

	/*
	 * Prefixes of its types besides its name, each [a-z][a-z0-9]{0,31}; NULL ends them: with {
	 * "notification", NULL }, a service "notifications" has "notification_sent". No two services
	 * may have the same prefix. NULL: only its name. Descriptors of PX_SERVICE_SIZE_MIN bytes lack
	 * this field.
	 */
	const char *const *prefixes;
};

/* The minimum size of a descriptor of this ABI: the fields before those that were appended. */
#define PX_SERVICE_SIZE_MIN offsetof(struct px_service, prefixes)

/* Maximum number of prefixes of one service. */
#define PX_SERVICE_PREFIXES_MAX 16

/* Whether the type, up to its first underscore, is the service's name or one of its prefixes. */
PX_PUBLIC bool px_service_owns(const struct px_service *service, struct px_span type);

/*
 * Answers a call with an error: a field (or NULL) and a sentence, which must not repeat what the
 * client sent. Returns -1, for `handle` to return.
 */
PX_PUBLIC int px_call_fail(struct px_call *call, enum px_error code, const char *field,
		const char *sentence);

/*
 * The call's message as others get it: the sender's bytes, with the server's fields (timestamp,
 * clientId, practiceId, and the identity of an authenticated sender), and with `seq` if it is not
 * 0. The caller owns the reference; NULL without memory.
 */
PX_PUBLIC struct px_message *px_call_forward(struct px_call *call, uint64_t seq);

/* Writes the fields that px_call_forward() adds, for a message that the service writes itself. */
PX_PUBLIC void px_session_stamp(const struct px_session *session, struct px_practice *practice,
		struct px_json *json);

/* The same for a message about a member of a channel: its origin is that channel. */
PX_PUBLIC void px_member_stamp(const struct px_member *member, struct px_json *json);

/*
 * A message about a member that the service wrote itself, from a finished writer with
 * px_member_stamp(), which is freed; `key` as px_call.key has it. The caller owns one reference.
 * NULL if the writer or memory failed.
 */
PX_PUBLIC struct px_message *px_member_message(const struct px_member *member,
		struct px_json *json, struct px_span key);

/* Milliseconds since 1970, by the broker's clock; constant during one turn of the loop. */
PX_PUBLIC int64_t px_broker_wall_ms(const struct px_broker *broker);

/* Milliseconds of monotonic time; constant during one turn of the loop. */
PX_PUBLIC int64_t px_broker_mono_ms(const struct px_broker *broker);

/*
 * HMAC-SHA1 in base64, for credentials after draft-uberti-behave-turn-rest (coturn's
 * use-auth-secret). buf takes 29 bytes, terminated. -ENOTSUP: the host does not provide it.
 */
PX_PUBLIC int px_broker_hmac_sha1(const struct px_broker *broker, struct px_span key,
		struct px_span text, char buf[29]);

/* Logs one line. Never a payload, a token, a name or a text of a chat. */
PX_PUBLIC void px_broker_log(const struct px_broker *broker, int level, const char *format, ...)
		PX_PRINTF(3, 4);

#define PX_LOG_ERROR 0
#define PX_LOG_WARNING 1
#define PX_LOG_NOTICE 2
#define PX_LOG_INFO 3
#define PX_LOG_DEBUG 4

#endif

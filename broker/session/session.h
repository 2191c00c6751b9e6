/* SPDX-License-Identifier: MIT */
/*
 * A session's life: identity, services, end. Opened by operate/ and snapshot/. It never decides who
 * may reach a channel.
 */
#ifndef PX_SESSION_H
#define PX_SESSION_H

#include "core/session.h"

#include <praxis/channel.h>

struct px_session_params;

/* ---- session.c ---- */

/* The hooks of outbound/; px_broker_create() passes them in. */
extern const struct px_outbound_hooks px_session_outbound_hooks;

/*
 * Creates a detached session from a snapshot. Takes over the identity on success. Nobody is
 * notified. -ENOMEM.
 */
int px_session_restore(struct px_broker *broker, const struct px_session_params *params,
		uint64_t client_id, struct px_session **ret_session);

/*
 * Makes a guest of zeroed memory, which is the caller's: it is in none of the broker's lists, and
 * all that is sent to it goes to the journal. Takes over the identity.
 */
void px_session_begin_guest(struct px_session *session, struct px_broker *broker,
		const struct px_session_params *params, uint64_t client_id);
/* It leaves its channels; the memory is the caller's again. */
void px_session_end_guest(struct px_session *session, enum px_leave_reason reason);

/* It has arrived in all its practices: it is greeted, if it was not before. */
void px_session_arrived(struct px_session *session);

/* ---- session_end.c ---- */

/* Tells the transport to close; code 0 cuts the connection. */
void px_session_shut(struct px_session *session, uint16_t code);
/* Cuts the connection; the session may be detached and live on. */
void px_session_break(struct px_session *session);
/* The session has no connection any more, for good; it is freed when the turn ends. */
void px_session_finish(struct px_session *session);

/* ---- answer.c ---- */

void px_session_greet(struct px_session *session, bool not_resumed);
void px_session_write_user(const struct px_session *session, struct px_json *json);

/* ---- session_services.c ---- */

/*
 * A service was enabled again, and the session missed messages of it: closes the session, so that
 * its client starts anew.
 */
void px_session_end_missed(struct px_session *session);

/* ---- authenticate.c ---- */

/*
 * Authenticates with the host's verdict. Returns the session; or, if it was unauthenticated, the
 * detached session of that user, which got its connection. NULL: rejected, and the client was told.
 */
struct px_session *px_session_authenticate(struct px_session *session,
		const struct px_envelope *message, const struct px_field *id);
/* Sends the reason for rejecting a token; closes an unauthenticated session with 4401. */
void px_session_reject(struct px_session *session, const struct px_authentication *authentication,
		const struct px_field *id);

/* Replaces the identity and destroys the old one; `tells`: sends auth_ok. */
void px_session_become(struct px_session *session, struct px_identity *identity, bool tells);

/* session_services.c: opening and closing services in a session */
/* Opens the services that it does not have yet; returns the set of those that took it. */
uint32_t px_session_open_services(struct px_session *session);
void px_session_enter_services(struct px_session *session, uint32_t services);
void px_session_attach(struct px_session *session); /* opens services, and enters its practices */
void px_session_enter(struct px_session *session, struct px_practice *practice);
void px_session_close_services(struct px_session *session);
/* Opens a service that the session had before a restart, without entering practices. */
void px_session_reopen_service(struct px_session *session, unsigned index);
void *px_session_state(const struct px_session *session, unsigned index);

#endif

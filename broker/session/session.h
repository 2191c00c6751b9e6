/* SPDX-License-Identifier: MIT */
/*
 * A session's life: who it is, its services, its end. Opened by operate/ and snapshot/. It never
 * decides who may reach a channel.
 */
#ifndef PX_SESSION_H
#define PX_SESSION_H

#include "core/session.h"

struct px_session_params;

/* ---- session.c ---- */

/* What outbound/ tells; px_broker_create() passes it in. */
extern const struct px_outbound_hooks px_session_outbound_hooks;

/* Tells the transport; 0 cuts the connection. */
void px_session_shut(struct px_session *session, uint16_t code);
/* The connection is no good any more: cut; the session may live on without it. */
void px_session_break(struct px_session *session);
void px_session_greet(struct px_session *session, bool not_resumed);
/*
 * A session of before the restart, which waits for its client; takes the identity over if it
 * succeeds. Nobody is told. -ENOMEM.
 */
int px_session_restore(struct px_broker *broker, const struct px_session_params *params,
		uint64_t client_id, struct px_session **ret_session);
/* The session is without a connection, for good; freed when the turn ends. */
void px_session_finish(struct px_session *session);

/* ---- session_services.c ---- */

/*
 * A service is on again of which it has missed something: it cannot go on as if nothing was, and
 * its client begins anew.
 */
void px_session_end_missed(struct px_session *session);

/* ---- authenticate.c ---- */

/*
 * Who the token says: the session; or, for one who was nobody, the session that waited for it,
 * which has its connection now. NULL: it was told why not.
 */
struct px_session *px_session_authenticate(struct px_session *session,
		const struct px_envelope *message, const struct px_field *id);
/* Says why a token is no good; one who was nobody is closed with 4401. */
void px_session_reject(struct px_session *session, const struct px_authentication *authentication,
		const struct px_field *id);
void px_session_write_user(const struct px_session *session, struct px_json *json);

/* Puts the new identity in the place of the old one, which is destroyed; `tells`: with auth_ok. */
void px_session_become(struct px_session *session, struct px_identity *identity, bool tells);

/* session_services.c: services begin and end in a session */
/* Opens those that it has not got yet; returns which of them took it. */
uint32_t px_session_open_services(struct px_session *session);
void px_session_enter_services(struct px_session *session, uint32_t services);
void px_session_attach(struct px_session *session); /* both */
void px_session_enter(struct px_session *session, struct px_practice *practice);
void px_session_close_services(struct px_session *session);
/* Begins one that the session had before the restart, without entering anything. */
void px_session_reopen_service(struct px_session *session, unsigned index);
void *px_session_state(const struct px_session *session, unsigned service);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Tickets: short texts that stand for an identity, valid once, for half a minute (docs/protocol.md,
 * section 1). The application's back end requests one and passes it to its page, which cannot set a
 * header but can name a subprotocol.
 */
#ifndef PX_TICKETS_H
#define PX_TICKETS_H

#include <praxis/types.h>

#define PX_TICKET_TTL_MS 30000
#define PX_TICKETS_MAX 10000

/* Text of a ticket: 24 random bytes in base64url. */
#define PX_TICKET_SIZE 33

struct px_tickets;
struct px_token;

int px_tickets_create(struct px_tickets **ret_tickets);

/* NULL is fine. */
void px_tickets_destroy(struct px_tickets *tickets);

/*
 * Stores an identity, of which it takes ownership on success, for the vhost with that name only.
 * -ENOSPC: there are PX_TICKETS_MAX; -ENOMEM.
 */
int px_tickets_issue(struct px_tickets *tickets, const char *vhost, struct px_token *token,
		int64_t now_ms, char ret_ticket[PX_TICKET_SIZE]);

/* What the ticket stood for; the caller's, and the ticket is gone. NULL: none of this vhost's. */
struct px_token *px_tickets_redeem(struct px_tickets *tickets, const char *vhost,
		struct px_span text, int64_t now_ms);

#endif

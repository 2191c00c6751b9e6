/* SPDX-License-Identifier: MIT */
/*
 * See tickets.h. All tickets have the same lifetime, so the oldest expires first, and expiry needs
 * only a list. The search tree compares with memcmp(), not in constant time: 192 random bits cannot
 * be guessed byte by byte within 30 seconds.
 */
#include "tickets.h"

#include "token/token.h"

#include <errno.h>
#include <openssl/evp.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define EXPIRED_AT_ONCE 8

struct ticket {
	char text[PX_TICKET_SIZE];
	char *vhost;
	struct px_token *token;
	int64_t expires_ms;
	struct ticket *newer;
	struct ticket *older;
};

struct px_tickets {
	void *tree;
	size_t count;
	struct ticket *newest;
	struct ticket *oldest;
};

static int compare(const void *a, const void *b)
{
	return memcmp(((const struct ticket *)a)->text, ((const struct ticket *)b)->text,
			PX_TICKET_SIZE - 1);
}

int px_tickets_create(struct px_tickets **ret_tickets)
{
	*ret_tickets = calloc(1, sizeof(**ret_tickets));
	return *ret_tickets ? 0 : -ENOMEM;
}

/* Removes a ticket, and returns its identity. */
static struct px_token *take(struct px_tickets *tickets, struct ticket *ticket)
{
	struct px_token *token = ticket->token;
	*(ticket->newer ? &ticket->newer->older : &tickets->newest) = ticket->older;
	*(ticket->older ? &ticket->older->newer : &tickets->oldest) = ticket->newer;
	tdelete(ticket, &tickets->tree, compare);
	tickets->count--;
	free(ticket->vhost);
	explicit_bzero(ticket->text, sizeof(ticket->text));
	free(ticket);
	return token;
}

/* At most `most`: a request must not wait until ten thousand expired tickets are freed. */
static void expire(struct px_tickets *tickets, int64_t now_ms, size_t most)
{
	for (; most > 0 && tickets->oldest && tickets->oldest->expires_ms <= now_ms; most--) {
		px_token_destroy(take(tickets, tickets->oldest));
	}
}

void px_tickets_destroy(struct px_tickets *tickets)
{
	if (tickets) {
		expire(tickets, INT64_MAX, SIZE_MAX);
		free(tickets);
	}
}

static int make_text(char text[PX_TICKET_SIZE])
{
	unsigned char bytes[24];
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes)) {
		return -EIO;
	}
	EVP_EncodeBlock((unsigned char *)text, bytes, sizeof(bytes));
	for (char *at = text; *at; at++) {
		/* base64url (RFC 4648 section 5): a subprotocol's name must be a token of HTTP. */
		*at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
	}
	return 0;
}

int px_tickets_issue(struct px_tickets *tickets, const char *vhost, struct px_token *token,
		int64_t now_ms, char ret_ticket[PX_TICKET_SIZE])
{
	expire(tickets, now_ms, EXPIRED_AT_ONCE);
	if (tickets->count >= PX_TICKETS_MAX) {
		return -ENOSPC;
	}
	struct ticket *ticket = calloc(1, sizeof(*ticket));
	if (!ticket || !(ticket->vhost = strdup(vhost)) || make_text(ticket->text) < 0 ||
			!tsearch(ticket, &tickets->tree, compare)) {
		free(ticket ? ticket->vhost : NULL);
		free(ticket);
		return -ENOMEM;
	}
	ticket->token = token;
	ticket->expires_ms = now_ms + PX_TICKET_TTL_MS;
	ticket->older = tickets->newest;
	*(tickets->newest ? &tickets->newest->newer : &tickets->oldest) = ticket;
	tickets->newest = ticket;
	tickets->count++;
	memcpy(ret_ticket, ticket->text, PX_TICKET_SIZE);
	return 0;
}

struct px_token *px_tickets_redeem(struct px_tickets *tickets, const char *vhost,
		struct px_span text, int64_t now_ms)
{
	struct ticket wanted = { .vhost = NULL };
	expire(tickets, now_ms, EXPIRED_AT_ONCE);
	if (text.len != PX_TICKET_SIZE - 1) {
		return NULL;
	}
	memcpy(wanted.text, text.data, text.len);
	struct ticket **found = tfind(&wanted, &tickets->tree, compare);
	if (!found || (*found)->expires_ms <= now_ms || strcmp((*found)->vhost, vhost) != 0) {
		return NULL;
	}
	return take(tickets, *found);
}

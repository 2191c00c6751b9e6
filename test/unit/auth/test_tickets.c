/* SPDX-License-Identifier: MIT */
/* Tickets: good once, for half a minute, for one vhost; and so many and no more. */
#include "auth/tickets.h"

#include "token/claims.h"
#include "fake.h"
#include "token/token.h"

#include <check.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

/* What a ticket stands for; users tell them apart. */
static struct px_token *token_of(const char *user)
{
	static const struct px_claim_names names = PX_CLAIM_NAMES_DEFAULT;
	struct json_object *claims = json_object_new_object();
	struct px_token *token = NULL;
	json_object_object_add(claims, "sub", json_object_new_string(user));
	ck_assert_int_eq(px_claims_read(claims, &names, PX_ROLE_STAFF, &token, NULL), 0);
	json_object_put(claims);
	return token;
}

static struct px_tickets *create(void)
{
	struct px_tickets *tickets = NULL;
	ck_assert_int_eq(px_tickets_create(&tickets), 0);
	return tickets;
}

static int issue(struct px_tickets *tickets, const char *user, int64_t now_ms, char *ret_ticket)
{
	struct px_token *token = token_of(user);
	int rc = px_tickets_issue(tickets, "default", token, now_ms, ret_ticket);
	if (rc < 0) {
		px_token_destroy(token);
	}
	return rc;
}

static void expect(struct px_tickets *tickets, const char *vhost, const char *ticket,
		int64_t now_ms, const char *user)
{
	struct px_token *token = px_tickets_redeem(tickets, vhost, px_span(ticket), now_ms);
	ck_assert_int_eq(token != NULL, user != NULL);
	if (token) {
		ck_assert(px_span_equal(token->user.text, px_span(user)));
		px_token_destroy(token);
	}
}

START_TEST(is_good_once)
{
	struct px_tickets *tickets = create();
	char ann[PX_TICKET_SIZE];
	char bob[PX_TICKET_SIZE];
	ck_assert_int_eq(issue(tickets, "ann", 0, ann), 0);
	ck_assert_int_eq(issue(tickets, "bob", 0, bob), 0);
	ck_assert_str_ne(ann, bob);
	expect(tickets, "default", bob, 1, "bob");
	expect(tickets, "default", bob, 1, NULL);
	expect(tickets, "default", ann, 1, "ann");
	expect(tickets, "default", ann, 1, NULL);
	px_tickets_destroy(tickets);
	px_tickets_destroy(NULL);
}
END_TEST

/* It stands beside subprotocols (RFC 6455 section 4.1), so it must be a token of HTTP. */
START_TEST(is_a_subprotocols_name)
{
	struct px_tickets *tickets = create();
	char ticket[PX_TICKET_SIZE];
	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(issue(tickets, "u", 0, ticket), 0);
		ck_assert_uint_eq(strlen(ticket), PX_TICKET_SIZE - 1);
		ck_assert_uint_eq(strspn(ticket, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				"0123456789-_"), PX_TICKET_SIZE - 1);
	}
	px_tickets_destroy(tickets);
}
END_TEST

START_TEST(is_for_one_vhost)
{
	struct px_tickets *tickets = create();
	char ticket[PX_TICKET_SIZE];
	ck_assert_int_eq(issue(tickets, "ann", 0, ticket), 0);
	expect(tickets, "other", ticket, 1, NULL);
	expect(tickets, "", ticket, 1, NULL);
	/* Who tried it elsewhere has not used it up. */
	expect(tickets, "default", ticket, 1, "ann");
	px_tickets_destroy(tickets);
}
END_TEST

START_TEST(expires)
{
	struct px_tickets *tickets = create();
	char early[PX_TICKET_SIZE];
	char late[PX_TICKET_SIZE];
	ck_assert_int_eq(issue(tickets, "early", 1000, early), 0);
	ck_assert_int_eq(issue(tickets, "late", 2000, late), 0);
	expect(tickets, "default", early, 1000 + PX_TICKET_TTL_MS, NULL);
	expect(tickets, "default", late, 1999 + PX_TICKET_TTL_MS, "late");
	ck_assert_int_eq(issue(tickets, "early", 5000, early), 0);
	expect(tickets, "default", early, 4999 + PX_TICKET_TTL_MS, "early");
	px_tickets_destroy(tickets);
}
END_TEST

START_TEST(nothing_else_is_one)
{
	struct px_tickets *tickets = create();
	char ticket[PX_TICKET_SIZE];
	char wrong[PX_TICKET_SIZE + 1];
	ck_assert_int_eq(issue(tickets, "ann", 0, ticket), 0);
	expect(tickets, "default", "", 1, NULL);
	for (size_t i = 0; i < PX_TICKET_SIZE - 1; i++) {
		strcpy(wrong, ticket);
		wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
		expect(tickets, "default", wrong, 1, NULL);
		memcpy(wrong, ticket, i);
		wrong[i] = '\0';
		expect(tickets, "default", wrong, 1, NULL);
	}
	strcat(strcpy(wrong, ticket), "A");
	expect(tickets, "default", wrong, 1, NULL);
	expect(tickets, "default", ticket, 1, "ann");
	px_tickets_destroy(tickets);
}
END_TEST

START_TEST(there_are_so_many)
{
	struct px_tickets *tickets = create();
	char first[PX_TICKET_SIZE];
	char ticket[PX_TICKET_SIZE];
	ck_assert_int_eq(issue(tickets, "first", 0, first), 0);
	for (int i = 1; i < PX_TICKETS_MAX; i++) {
		ck_assert(issue(tickets, "u", 1, ticket) == 0);
	}
	ck_assert_int_eq(issue(tickets, "more", 1, ticket), -ENOSPC);
	expect(tickets, "default", first, 1, "first");
	ck_assert_int_eq(issue(tickets, "more", 1, ticket), 0);
	ck_assert_int_eq(issue(tickets, "more", 1, ticket), -ENOSPC);
	/* Those that have expired are no hindrance. */
	ck_assert_int_eq(issue(tickets, "more", 1 + PX_TICKET_TTL_MS, ticket), 0);
	expect(tickets, "default", ticket, 2 + PX_TICKET_TTL_MS, "more");
	px_tickets_destroy(tickets);
}
END_TEST

RUN_TESTS("tickets", is_good_once, is_a_subprotocols_name, is_for_one_vhost, expires,
		nothing_else_is_one, there_are_so_many);

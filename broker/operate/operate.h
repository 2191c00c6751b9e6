/* SPDX-License-Identifier: MIT */
/*
 * Internals of operating, shared by its files.
 */
#ifndef PX_OPERATE_H
#define PX_OPERATE_H

#include "core/broker.h"

#include <praxis/host/outcome.h>
#include <praxis/operate.h>

/* Fills in the error detail; returns -1. */
int px_deny(struct px_error_detail *detail, enum px_error code, const char *field,
		const char *sentence);

/* Whether the operator has that practice. */
bool px_operator_has(const struct px_operator *operator, const struct px_practice *practice);

/* Whether it may use the practice, which need not have clients yet. */
bool px_operator_may_name(const struct px_operator *operator, struct px_span practice);

/* The practice with that id, if it has clients; NULL. */
struct px_practice *px_operator_find(const struct px_operator *operator, struct px_span practice);

/* Whether it sees the session: one common practice is enough. */
bool px_operator_sees(const struct px_operator *operator, const struct px_session *session);

/* broadcast.c: ends the broadcast in progress. */
void px_broadcast_drop(struct px_broker *broker);

/* ---- outcome.c: an act whose outcome is still to be told ---- */

struct px_pending;

/* NULL without memory; that has been told. */
struct px_pending *px_pending_create(const struct px_operate_done *done);
/* It is not done; `detail` is needed during the call only. */
void px_pending_deny(struct px_pending *pending, const struct px_error_detail *detail);
/* It was done in the practice's turn. */
void px_pending_finish(struct px_pending *pending, struct px_practice *practice,
		const struct px_published *published, const struct px_broker *broker);

/* ---- */

/* Reports to the host what is about to be done. -1: the host forbids it, and ret_detail is set. */
int px_operator_tell(const struct px_operator *operator, const struct px_event *event,
		struct px_error_detail *ret_detail);

#endif

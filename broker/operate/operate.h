/* SPDX-License-Identifier: MIT */
/* The inside of operating: what its files ask each other. */
#ifndef PX_OPERATE_H
#define PX_OPERATE_H

#include "core/broker.h"

#include <praxis/operate.h>

/* Fills in what was denied; returns -1. */
int px_deny(struct px_error_detail *detail, enum px_error code, const char *field,
		const char *sentence);

/* Whether the operator has that practice. */
bool px_operator_has(const struct px_operator *operator, const struct px_practice *practice);

/* Whether it may name a practice so, be it one that nobody is in. */
bool px_operator_may_name(const struct px_operator *operator, struct px_span practice);

/* The practice of that id, if there is anybody in it; NULL. */
struct px_practice *px_operator_find(const struct px_operator *operator, struct px_span practice);

/* Whether it sees the session: one practice of it is enough. */
bool px_operator_sees(const struct px_operator *operator, const struct px_session *session);

/* broadcast.c: ends the one that is on its way. */
void px_broadcast_drop(struct px_broker *broker);

/* Tells the host what is about to be done; -1: the host does not want it, and it was denied. */
int px_operator_tell(const struct px_operator *operator, const struct px_event *event,
		struct px_error_detail *ret_detail);

#endif

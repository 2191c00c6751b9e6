/* SPDX-License-Identifier: MIT */
/*
 * What guessing costs whom. A token whose signature is right is never turned away for what else
 * came from its address: behind one address is a whole practice, and one forgotten page with an
 * old token must not lock it out. So every token is verified, and what is bounded is failing:
 *
 * - A *guess* (a signature that is wrong, a key that is unknown, what is no token at all, a ticket
 *   that is none) is counted for the address. From the third on the next guess has to wait, and
 *   after `auth-failures` of them the address is locked for half an hour: its guesses are answered
 *   with rate_limited and that time, and counted no more, so that the time told is true.
 *   What is signed rightly and yet no good (expired, not valid yet, meant for others) is no
 *   guess.
 * - The time that failing verifications take, guesses or not, is charged to a budget of the
 *   address (`auth-failure-ms-per-second`). Only while that is used up are its tokens put off
 *   unseen, good ones too, with `unavailable` and the time until there is some again. A right token
 *   costs nothing of it, so this takes somebody who is flooding at that moment.
 *
 * A bound over all addresses was rejected: who has many addresses would spend it for everybody, and
 * a verification is never what a connection costs most by (0.2 ms at the worst, as much as
 * accepting and answering it).
 */
#ifndef PX_LOCKOUT_H
#define PX_LOCKOUT_H

#include "core/peer.h"
#include "core/server.h"

/* What a question to the application costs that was answered with no: ten a second, as shipped. */
#define PX_LOCKOUT_QUESTION_NS 5000000

/* Whether the address' budget is used up; then the verdict is UNAVAILABLE, with the time. */
bool px_lockout_puts_off(struct px_peer *peer, struct px_authentication *ret_authentication);

/* Something that failed took so long. */
void px_lockout_charge(struct px_peer *peer, uint64_t ns);

/*
 * It was a guess, told of in *authentication (BAD). While the address has to wait that becomes
 * THROTTLED, with the time.
 */
void px_lockout_guessed(struct px_peer *peer, struct px_authentication *authentication);

/* Addresses that are locked now. */
uint64_t px_lockout_count(const struct px_server *server);

/* "locks" and "total", as the API has them. */
void px_lockout_write(const struct px_server *server, struct px_json *json);

/*
 * Forgets what came from the address in `text`, locked or not. -ENOENT: that is nothing; -EROFS:
 * the trail does not take it.
 */
int px_lockout_lift(void *user, const struct px_operator *operator, struct px_span text);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What guessing tokens costs. A token with a valid signature is never refused because of other
 * tokens from its address: a whole practice may share one address, and a forgotten page with an old
 * token must not lock it out. So every token is verified, and failures are limited:
 *
 * - A *guess* (an invalid signature, an unknown key, something that is not a token, an unknown
 *   ticket) is counted for the address. From the third on the next guess has to wait, and after
 *   `auth-failures` guesses the address is locked for half an hour: further guesses are answered
 *   with rate_limited and the remaining time, and are not counted, so that this time is true.
 *   A token with a valid signature that is otherwise invalid (expired, not valid yet, for another
 *   audience) is not a guess.
 * - The time of failing verifications, guesses or not, is charged to a budget of the address
 *   (`auth-failure-ms-per-second`). While it is used up, tokens of that address are refused without
 *   verification, valid ones too, with `unavailable` and the time until there is budget again.
 *   Valid tokens cost nothing, so this only happens during a flood.
 *
 * Rejected: a limit over all addresses: a client with many addresses would use it up for everybody,
 * and verification is not the most expensive part of a connection (at most 0.2 ms, as much as
 * accepting it and answering).
 */
#ifndef PX_LOCKOUT_H
#define PX_LOCKOUT_H

#include "core/peer.h"
#include "core/server.h"

/* Cost of a rejected request to the application: ten per second, by default. */
#define PX_LOCKOUT_QUESTION_NS 5000000

/* Whether the address' budget is used up; if so, the verdict is UNAVAILABLE, with the time. */
bool px_lockout_puts_off(struct px_peer *peer, struct px_authentication *ret_authentication);

/* Charges the duration of a failed verification. */
void px_lockout_charge(struct px_peer *peer, uint64_t ns);

/*
 * Counts a guess, with *authentication BAD. While the address has to wait, the verdict becomes
 * THROTTLED, with the time.
 */
void px_lockout_guessed(struct px_peer *peer, struct px_authentication *authentication);

/* Number of addresses that are locked now. */
uint64_t px_lockout_count(const struct px_server *server);

/* Writes "locks" and "total", as in the API. */
void px_lockout_write(const struct px_server *server, struct px_json *json);

/*
 * Forgets what came from the address in `text`, locked or not. -ENOENT: that is nothing; -EROFS:
 * the audit log cannot be written.
 */
int px_lockout_lift(void *user, const struct px_operator *operator, struct px_span text);

#endif

// SPDX-License-Identifier: MIT
//
// How much may be sent, so that the server need not refuse it: a token bucket, of which the time at
// which it will be full again says everything.

export interface RateLimit {
	/** At once. */
	burst: number;
	/** In the long run; 0: without limit. */
	perSecond: number;
}

export class Bucket {
	#fullAt = 0;

	/** Takes so much, or returns how many ms to wait. What is more than fits waits for a full one. */
	take(amount: number, now: number, { burst, perSecond }: RateLimit): number {
		if (perSecond <= 0) {
			return 0;
		}
		const ms = 1_000 / perSecond;
		const begin = Math.max(now, this.#fullAt);
		const wait = begin + amount * ms - now - Math.max(burst, amount) * ms;
		if (wait > 0) {
			return wait;
		}
		this.#fullAt = begin + amount * ms;
		return 0;
	}
}

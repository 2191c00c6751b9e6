// SPDX-License-Identifier: MIT
//
// The ICE servers of a call, fresh when they are used: the credentials of TURN servers are
// short-lived, and a call is long. What uses them waits until the server has given others, if those
// that are here have lived for half of their time; and what came after it waits behind it, since a
// candidate means nothing before its offer. Rejected: to ask all the time, in calls that no one
// joins.

import { Timer } from './environment.js';
import type { Environment } from './environment.js';

/** Old ICE servers are better than none. */
const ANSWER_MS = 4_000;
/** The shortest that the server gives, and so what is assumed where it does not say. */
const LIFE_MS = 60_000;
/** What is taken for true, as `expiresAt` is compared with a clock of the user's. */
const LONGEST_MS = 600_000;

export class IceServers {
	/** After another value: `go()`. */
	servers: RTCIceServer[] = [];
	#freshUntil = 0;
	#waiting: (() => void)[] = [];
	readonly #asking: Timer;
	readonly #environment: Environment;
	readonly #ask: (() => void) | undefined;

	/** `ask`: has the server give others; none where there is nothing to ask for. */
	constructor(environment: Environment, ask: (() => void) | undefined) {
		this.#environment = environment;
		this.#asking = new Timer(environment);
		this.#ask = ask;
	}

	/**
	 * Runs it, in the order of these calls, with servers that are fresh for at least that long: 0 if
	 * any will do that is not stale, Infinity if they must be new ones.
	 */
	use(run: () => void, ms = -Infinity): void {
		const isStale = this.#environment.now() + ms >= this.#freshUntil;
		if (isStale && this.#ask && this.servers.length > 0 && !this.#asking.isSet) {
			this.#asking.set(ANSWER_MS, () => this.go());
			this.#ask();
		}
		if (this.#asking.isSet) {
			this.#waiting.push(run);
		} else {
			run();
		}
	}

	close(): void {
		this.#asking.clear();
		this.#waiting = [];
	}

	/** Nothing waits any more; the servers are good for that long. */
	go(lifeMs = LIFE_MS): void {
		this.#asking.clear();
		this.#freshUntil = this.#environment.now() + Math.min(lifeMs, LONGEST_MS) / 2;
		this.#waiting.splice(0).forEach((run) => run());
	}
}

// SPDX-License-Identifier: MIT
//
// How long to wait before the next attempt: exponential back-off with full jitter, so that a
// thousand clients that lost the same server do not come back at the same moment. It has no end.

import type { Environment } from './environment.js';

export interface BackoffOptions {
	/** The first wait is at most that long. */
	baseMs: number;
	/** No wait is longer. */
	maxMs: number;
}

export class Backoff {
	#ceiling = 0;
	readonly #options: BackoffOptions;
	readonly #environment: Environment;

	constructor(environment: Environment, options?: Partial<BackoffOptions>) {
		this.#environment = environment;
		this.#options = { baseMs: 1_000, maxMs: 30_000, ...options };
		this.reset();
	}

	next(): number {
		const wait = this.#environment.random() * this.#ceiling;
		this.#ceiling = Math.min(this.#ceiling * 2, this.#options.maxMs);
		return wait;
	}

	reset(): void {
		this.#ceiling = this.#options.baseMs;
	}
}

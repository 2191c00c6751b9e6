// SPDX-License-Identifier: MIT
//
// How long to wait before the next attempt: exponential back-off with full jitter, so that a
// thousand clients that lost the same server do not come back at the same moment. It has no end.

export interface BackoffOptions {
	/** The first wait is at most that long. */
	baseMs: number;
	/** No wait is longer. */
	maxMs: number;
}

export const BACKOFF: BackoffOptions = { baseMs: 1_000, maxMs: 30_000 };

export class Backoff {
	#ceiling: number;
	readonly #options: BackoffOptions;
	readonly #random: () => number;

	constructor(options: BackoffOptions, random: () => number) {
		this.#options = options;
		this.#random = random;
		this.#ceiling = options.baseMs;
	}

	next(): number {
		const wait = this.#random() * this.#ceiling;
		this.#ceiling = Math.min(this.#ceiling * 2, this.#options.maxMs);
		return wait;
	}

	reset(): void {
		this.#ceiling = this.#options.baseMs;
	}
}

// SPDX-License-Identifier: MIT
//
// What the figures were in the last hour. Counters become rates; one that is smaller than it was
// began anew, with the server. Kept for this tab over a reload: numbers only.

const SPAN_S = 3600;
const MOST = 1800; // an hour of one every two seconds
const KEPT = 'praxis-admin-curves';

export interface Sample {
	/** Seconds since 1970, by the server’s clock. */
	at: number;
	values: Record<string, number>;
}

export class Curves {
	#samples: Sample[] = [];

	constructor() {
		try {
			this.#samples = JSON.parse(sessionStorage.getItem(KEPT) ?? '[]') as Sample[];
		} catch {
			// Whatever was there, the curves begin anew.
		}
		window.addEventListener('pagehide', () => this.#keep());
	}

	add(sample: Sample): void {
		if (this.#samples.at(-1)?.at === sample.at) {
			return;
		}
		// The server's clock may have been set back.
		while (this.#samples.length > 0 && this.#samples.at(-1)!.at > sample.at) {
			this.#samples.pop();
		}
		this.#samples.push(sample);
		while (this.#samples.length > MOST || this.#samples[0]!.at < sample.at - SPAN_S) {
			this.#samples.shift();
		}
	}

	/** What the server has kept, the oldest first; in its time that counts, not what was kept here. */
	fill(kept: readonly Sample[]): void {
		const [first, last] = [kept[0], kept.at(-1)];
		if (first && last) {
			const before = this.#samples.filter(({ at }) => at < first.at - 1);
			const behind = this.#samples.filter(({ at }) => at > last.at + 1);
			this.#samples = [...before, ...kept, ...behind].slice(-MOST);
		}
	}

	clear(): void {
		this.#samples = [];
		sessionStorage.removeItem(KEPT);
	}

	times(): number[] {
		return this.#samples.map(({ at }) => at);
	}

	level(name: string): (number | null)[] {
		return this.#samples.map(({ values }) => values[name] ?? null);
	}

	/** A second. */
	rate(name: string): (number | null)[] {
		return this.#samples.map(({ at, values }, i) => {
			const before = this.#samples[i - 1];
			const now = values[name];
			const then = before?.values[name];
			return before === undefined || now === undefined || then === undefined || now < then
				? null
				: (now - then) / (at - before.at);
		});
	}

	#keep(): void {
		if (this.#samples.length > 0) {
			try {
				sessionStorage.setItem(KEPT, JSON.stringify(this.#samples));
			} catch {
				// No room: they begin anew after a reload.
			}
		}
	}
}

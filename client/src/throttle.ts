// SPDX-License-Identifier: MIT
//
// Of values that come often under the same key only the last one matters: the first leaves at once,
// the last one of a period at its end.

import type { WebSocketManager } from './manager.js';

export class Throttle {
	#last = new Map<string, { run: (() => void) | null }>();
	readonly #manager: WebSocketManager;

	constructor(manager: WebSocketManager) {
		this.#manager = manager;
	}

	run(key: string, run: () => void): void {
		const pending = this.#last.get(key);
		if (pending) {
			pending.run = run;
		} else {
			run();
			this.#wait(key);
		}
	}

	/** What is held back leaves now. */
	flush(): void {
		const pending = [...this.#last.values()];
		this.#last.clear();
		pending.forEach(({ run }) => run?.());
	}

	#wait(key: string): void {
		const entry: { run: (() => void) | null } = { run: null };
		this.#last.set(key, entry);
		const { environment, options } = this.#manager;
		environment.setTimeout(() => {
			if (this.#last.get(key) !== entry) {
				return;
			}
			this.#last.delete(key);
			if (entry.run) {
				entry.run();
				this.#wait(key);
			}
		}, options.throttleMs ?? 100);
	}
}

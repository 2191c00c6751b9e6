// SPDX-License-Identifier: MIT
//
// Who wants to hear of what. A handler that throws harms neither the others nor us; one that is
// taken away while a message goes round does not get it any more.

import type { Unsubscribe } from './types.js';

type Handler<A extends unknown[]> = (...args: A) => void;

export class Emitter<Events extends Record<keyof Events, unknown[]>> {
	#handlers = new Map<keyof Events & string, Set<{ handler: Handler<never> }>>();
	readonly #report: (error: unknown) => void;

	/** `report` gets what handlers throw. */
	constructor(report: (error: unknown) => void) {
		this.#report = report;
	}

	on<E extends keyof Events & string>(event: E, handler: Handler<Events[E]>): Unsubscribe {
		const entry = { handler };
		const entries = this.#handlers.get(event) ?? new Set();
		this.#handlers.set(event, entries.add(entry));
		return () => {
			entries.delete(entry);
			if (entries.size === 0 && this.#handlers.get(event) === entries) {
				this.#handlers.delete(event);
			}
		};
	}

	emit<E extends keyof Events & string>(event: E, ...args: Events[E]): void {
		const entries = this.#handlers.get(event);
		for (const entry of [...(entries ?? [])]) {
			if (entries?.has(entry)) {
				try {
					(entry.handler as Handler<Events[E]>)(...args);
				} catch (error) {
					this.#report(error);
				}
			}
		}
	}

	has(event: keyof Events & string): boolean {
		return this.#handlers.has(event);
	}

	get events(): (keyof Events & string)[] {
		return [...this.#handlers.keys()];
	}
}

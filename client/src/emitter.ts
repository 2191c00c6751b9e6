// SPDX-License-Identifier: MIT
//
// Who wants to hear of what. A handler that throws harms neither the others nor us; one that is
// taken away while a message goes round does not get it any more.

import type { Environment } from './environment.js';
import type { Unsubscribe } from './types.js';

type Handler<A extends unknown[]> = (...args: A) => void;

interface Entry<E> {
	event: E;
	handler: Handler<never>;
}

export class Emitter<Events extends Record<keyof Events, unknown[]>> {
	#entries = new Set<Entry<keyof Events & string>>();
	readonly #owner: { readonly environment: Environment };

	/** The owner's environment gets what handlers throw. */
	constructor(owner: { readonly environment: Environment }) {
		this.#owner = owner;
	}

	on<E extends keyof Events & string>(event: E, handler: Handler<Events[E]>): Unsubscribe {
		const entry = { event, handler };
		this.#entries.add(entry);
		return () => {
			this.#entries.delete(entry);
		};
	}

	emit<E extends keyof Events & string>(event: E, ...args: Events[E]): void {
		for (const entry of [...this.#entries]) {
			if (entry.event === event && this.#entries.has(entry)) {
				try {
					(entry.handler as Handler<Events[E]>)(...args);
				} catch (error) {
					this.#owner.environment.report(error);
				}
			}
		}
	}

	has(event: keyof Events & string): boolean {
		return this.events.includes(event);
	}

	get events(): (keyof Events & string)[] {
		return [...new Set([...this.#entries].map(({ event }) => event))];
	}
}

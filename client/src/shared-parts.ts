// SPDX-License-Identifier: MIT
//
// What there is once for a practice on a service, however many components of a page use it: its
// board, who is present. The last one that lets go of it ends it.

import type { WebSocketManager } from './manager.js';
import type { SessionEvent } from './options.js';
import type { Id, Unsubscribe } from './types.js';

/** Runs it in each new session that has a whiteboard: now, if there is one, and from now on. */
export function inEachSession(manager: WebSocketManager, run: () => void): Unsubscribe {
	const enter = ({ resumed, services, user }: SessionEvent) => {
		if (!resumed && services.includes('whiteboard') && user?.role !== 'patient') {
			run();
		}
	};
	if (manager.isConnected()) {
		enter(manager.session());
	}
	return manager.on('session', enter);
}

export interface Part {
	/** The last holder has let go. */
	end(): void;
}

interface Held<P> {
	part: P;
	holders: number;
}

export class Parts<P extends Part> {
	#all = new WeakMap<object, Map<string, Held<P>>>();

	/** The part, which the caller holds, and a function that lets go of it, once. */
	hold(service: object, id: Id, make: () => P): [part: P, release: () => void] {
		const parts = this.#all.get(service) ?? new Map<string, Held<P>>();
		this.#all.set(service, parts);
		const held = parts.get(String(id)) ?? { part: make(), holders: 0 };
		parts.set(String(id), held);
		held.holders++;
		let isHeld = true;
		const release = () => {
			if (isHeld) {
				isHeld = false;
				held.holders--;
				if (held.holders === 0) {
					parts.delete(String(id));
					held.part.end();
				}
			}
		};
		return [held.part, release];
	}
}

// SPDX-License-Identifier: MIT
//
// Says what happens, for a developer who looks: states, sessions, and the heads of messages. Never
// what is in a message, a token, or an address, so that what is printed may be shown to others.

import { aPage } from './environment.js';
import type { ManagerEvents } from './options.js';
import type { Unsubscribe } from './types.js';

/** `event`: `status`, `session`, `in`, `out`, `dropped`, `problem`. */
export type DebugPrinter = (event: string, detail: Record<string, unknown>) => void;

interface Watched {
	on<E extends keyof ManagerEvents>(
		event: E,
		handler: (...args: ManagerEvents[E]) => void,
	): Unsubscribe;
}

export function print(event: string, detail: Record<string, unknown>): void {
	// eslint-disable-next-line no-console
	console.info('praxis:', event, detail);
}

/** Whether the user of this browser has asked for it: `localStorage['praxis:debug'] = 1`. */
export function isSwitchedOn(): boolean {
	try {
		return (aPage()?.localStorage.getItem('praxis:debug') ?? null) !== null;
	} catch {
		return false; // a page that may not use the storage
	}
}

export function watch(manager: Watched, say: DebugPrinter): Unsubscribe {
	const ends = [
		manager.on('status', (_state, _reason, status) => say('status', { ...status })),
		manager.on('session', ({ clientId, resumed, again }) =>
			say('session', { clientId, resumed, again }),
		),
		manager.on('traffic', ({ direction, ...head }) => say(direction, head)),
		manager.on('dropped', ({ type, id }, reason) => say('dropped', { type, id, reason })),
		// Its text may have an address, and an address a token.
		manager.on('problem', ({ code }) => say('problem', { code })),
	];
	return () => ends.forEach((end) => end());
}

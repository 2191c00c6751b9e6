// SPDX-License-Identifier: MIT
//
// Addresses that too many guesses at tokens came from, on the overview: nothing where there are none,
// or where one does not rule. Lifting a lock is an act, so it asks first.

import type { WebSocketMessage } from 'praxis-client';
import { announce, byId, confirmed } from './dom.js';
import { count, duration } from './format.js';
import { act, ask, reason, serverNow } from './server.js';
import { Table } from './table.js';

interface Lock {
	address: string;
	failures: number;
	connections: number;
	until: number;
}

interface Answer extends WebSocketMessage {
	locks: Lock[];
}

export class Locks {
	#shown = 0;
	#table = new Table<Lock>({
		caption: 'Locked addresses',
		empty: 'No address is locked.',
		key: ({ address }) => address,
		columns: [
			{ title: 'Address', value: ({ address }) => address },
			{
				title: 'Bad tokens',
				value: ({ failures }) => failures,
				text: (l) => count(l.failures),
				numeric: true,
			},
			{ title: 'Connections', value: ({ connections }) => connections, numeric: true },
			{
				title: 'For another',
				value: ({ until }) => until - serverNow(),
				text: ({ until }) => duration(Math.max(0, until - serverNow())),
				numeric: true,
			},
		],
		action: {
			label: 'Lift',
			title: ({ address }) => `Lift the lock of ${address}`,
			run: ({ address }) => void this.#lift(address),
		},
	});

	constructor() {
		byId('locks').append(this.#table.node);
	}

	/** With each figure of the server's: how many addresses are locked. */
	show(locked: number | undefined): void {
		byId('locks').hidden = !locked;
		if (locked || this.#shown) {
			void this.#refresh();
		}
		this.#shown = locked ?? 0;
	}

	async #refresh(): Promise<void> {
		try {
			const { locks } = await ask<Answer>({ type: 'admin_locks' }, 'admin_locks');
			this.#table.show(locks);
		} catch (error) {
			announce(reason(error));
		}
	}

	async #lift(address: string): Promise<void> {
		if (
			!(await confirmed(
				`Lift the lock of ${address}? What came from there is forgotten.`,
				'Lift',
			))
		) {
			return;
		}
		try {
			await act({ type: 'admin_unlock', address } as { type: string });
			announce(`${address} is unlocked.`);
		} catch (error) {
			announce(reason(error));
		}
		await this.#refresh();
	}
}

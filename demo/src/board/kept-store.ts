// SPDX-License-Identifier: MIT
//
// Cards on a server that keeps the board (`board-values`): each page has the same map, and a page that opens gets all of
// it at once.

import type { Board, PraxisError } from 'praxis-client';
import { readCard } from './card.js';
import type { Card } from './card.js';
import type { Change, Entry, Store } from './store.js';

const PREFIX = 'card-';
/** Kept beside the cards once there have been some. */
const BEGUN = 'begun';

function idOf(key: string): string | undefined {
	return key.startsWith(PREFIX) ? key.slice(PREFIX.length) : undefined;
}

export class KeptStore implements Store {
	entries: ReadonlyMap<string, Entry> = new Map();

	/** The board is ready. */
	constructor(readonly board: Board) {
		this.#read();
	}

	/** Puts in what a board that was never used begins with; settles when the server has it. */
	async begin(cards: [id: string, card: Card][]): Promise<void> {
		if (!this.board.entries.has(BEGUN)) {
			const all = cards.map(([id, card]) => this.board.set(PREFIX + id, card));
			await Promise.allSettled([this.board.set(BEGUN, true), ...all]);
			this.#read();
		}
	}

	onChange(handler: (change: Change) => void): void {
		this.board.on('change', ({ keys, by }) => {
			this.#read();
			handler({ ids: keys.flatMap((key) => idOf(key) ?? []), by });
		});
	}

	onRefused(handler: (id: string, error: PraxisError) => void): void {
		this.board.on('refused', (key, error) => handler(idOf(key) ?? '', error));
	}

	set(id: string, card: Card): void {
		this.board.set(PREFIX + id, card).catch(() => {}); // `refused` says so
	}

	remove(id: string): void {
		this.board.delete(PREFIX + id).catch(() => {});
	}

	#read(): void {
		const entries = new Map<string, Entry>();
		for (const [key, { value, saved, seq, updatedBy }] of this.board.entries) {
			const id = idOf(key);
			const card = id === undefined ? null : readCard(value);
			if (id !== undefined && card) {
				const { userId, userName } = updatedBy;
				const user = userId === undefined ? undefined : String(userId);
				entries.set(id, { card, saved, version: seq, userId: user, userName });
			}
		}
		this.entries = entries;
	}
}

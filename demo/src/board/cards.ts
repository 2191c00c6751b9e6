// SPDX-License-Identifier: MIT
//
// What one does with cards, whichever store keeps them: each change can be undone for a while, and what others changed
// while one was away is marked until one has looked at it.

import { COLUMNS } from './card.js';
import type { Card } from './card.js';
import type { Seen } from './seen.js';
import type { Change, Entry, Store } from './store.js';

export interface Shown extends Entry {
	id: string;
	/** Changed by somebody else while this page was hidden, closed or not connected. */
	isNews: boolean;
}

export interface Who {
	userId: string;
	userName: string;
}

/** What was done, and the way back. */
export interface Deed {
	text: string;
	/** False: somebody else has changed the card since, and it stays. */
	undo(this: void): boolean;
}

export class Cards {
	/** The cards of others' changes while away; of these the marks. */
	#news = new Set<string>();
	#isArriving: boolean;

	constructor(
		readonly store: Store,
		readonly seen: Seen,
		readonly who: Who,
		readonly now: () => number,
		/** `ids`: what others have just changed. */
		readonly show: (change: Change) => void,
		readonly done: (deed: Deed) => void,
	) {
		this.#isArriving = seen.isFirst;
		seen.see(
			[...store.entries.keys()].filter((id) => this.#isFirstSight(id)),
			store.entries,
		);
		store.entries.forEach((entry, id) => this.#notice(id, entry));
		store.onChange((change) => this.#changed(change));
	}

	get list(): Shown[] {
		return [...this.store.entries].map(([id, entry]) => ({
			...entry,
			id,
			isNews: this.#news.has(id),
		}));
	}

	get news(): number {
		return this.#news.size;
	}

	get(id: string): Card | undefined {
		return this.store.entries.get(id)?.card;
	}

	/** One has looked at it. */
	look(ids: Iterable<string> = [...this.#news]): void {
		const looked = [...ids].filter((id) => this.#news.delete(id));
		if (looked.length > 0) {
			this.seen.see(looked, this.store.entries);
			this.show({ ids: looked, by: 'self' });
		}
	}

	/** From now on what comes is news, even to somebody who is here for the first time. */
	leave(): void {
		this.#isArriving = false;
	}

	add(card: Omit<Card, 'since'>): void {
		const now = this.now();
		const moved = { by: this.who.userName, at: now };
		this.#write(
			crypto.randomUUID(),
			{ ...card, since: now, moved },
			`${card.patient} was added`,
		);
	}

	edit(id: string, fields: Omit<Card, 'since'>): void {
		const card = this.get(id);
		if (card) {
			const moved = card.column === fields.column ? card.moved : this.#moved;
			this.#write(id, { ...card, ...fields, moved }, `${fields.patient} was changed`);
		}
	}

	move(id: string, column: number): void {
		const card = this.get(id);
		const title = COLUMNS[column];
		if (card && title !== undefined && card.column !== column) {
			this.#write(id, { ...card, column, moved: this.#moved }, `${card.patient}: ${title}`);
		}
	}

	remove(id: string): void {
		const card = this.get(id);
		if (card) {
			this.#write(id, undefined, `${card.patient} was removed`);
		}
	}

	get #moved(): { by: string; at: number } {
		return { by: this.who.userName, at: this.now() };
	}

	#write(id: string, card: Card | undefined, text: string): void {
		const before = this.get(id);
		this.#put(id, card);
		const undo = () => {
			const isOurs = JSON.stringify(this.get(id)) === JSON.stringify(card);
			if (isOurs) {
				this.#put(id, before);
			}
			return isOurs;
		};
		this.done({ text, undo });
	}

	#put(id: string, card: Card | undefined): void {
		if (card) {
			this.store.set(id, card);
		} else {
			this.store.remove(id);
		}
	}

	#changed(change: Change): void {
		const isWatched = document.visibilityState === 'visible' && change.by !== 'load';
		for (const id of change.ids) {
			const entry = this.store.entries.get(id);
			if (!entry || change.by === 'self' || isWatched || this.#isArriving) {
				this.#news.delete(id);
				this.seen.see([id], this.store.entries);
			} else {
				this.#notice(id, entry);
			}
		}
		this.show(change);
	}

	#isFirstSight(id: string): boolean {
		return this.#isArriving || this.store.entries.get(id)?.userId === undefined;
	}

	#notice(id: string, entry: Entry): void {
		if (!this.seen.has(id, entry) && entry.userId !== this.who.userId) {
			this.#news.add(id);
		}
	}
}

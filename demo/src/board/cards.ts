// SPDX-License-Identifier: MIT
//
// The patients of a practice's day, as this page knows them. An application has them in its
// database, and the whiteboard tells of changes; a demonstration without one asks the other pages
// when it opens, and keeps what it knows in this browser. Of two changes of a card the later wins.

import type { Id, WhiteboardWebSocketService } from 'praxis-client';

export const COLUMNS = ['Waiting', 'In treatment', 'Checkout', 'Gone home'];

export interface Card {
	id: string;
	patient: string;
	column: number;
	changedAt: number;
}

type Data = { kind: 'card'; card: Card } | { kind: 'ask' } | { kind: 'all'; cards: Card[] };

const ANSWER_MS = 300;
const SAMPLES = ['Bella (dog)', 'Milo (cat)', 'Frieda (rabbit)', 'Rocky (dog)', 'Luna (cat)'];

export class Cards {
	#cards = new Map<string, Card>();
	#answering: ReturnType<typeof setTimeout> | undefined;

	constructor(
		readonly service: WhiteboardWebSocketService,
		readonly practiceId: Id,
		/** `changed`: the card that somebody else has just moved or added. */
		readonly show: (cards: Card[], changed?: Card) => void,
	) {
		this.#load();
		service.onWhiteboardUpdate((message) => {
			if (String(message.practiceId) === String(practiceId)) {
				this.#hear(message.data as Data);
			}
		});
		// Missed too much, or just opened: the others know.
		service.onReload(() => this.ask());
	}

	ask(): void {
		this.#send({ kind: 'ask' });
		this.#show();
	}

	add(patient: string): void {
		this.#change({ id: crypto.randomUUID(), patient, column: 0, changedAt: this.#now() });
	}

	move(id: string, column: number): Card | undefined {
		const card = this.#cards.get(id);
		if (!card || card.column === column || !COLUMNS[column]) {
			return undefined;
		}
		const moved = { ...card, column, changedAt: Math.max(this.#now(), card.changedAt + 1) };
		this.#change(moved);
		return moved;
	}

	#now(): number {
		return this.service.manager.environment.wall();
	}

	#change(card: Card): void {
		this.#cards.set(card.id, card);
		this.#send({ kind: 'card', card }, card.id);
		this.#show();
	}

	#send(data: Data, key?: string): void {
		this.service.sendWhiteboardUpdate(this.practiceId, data, key === undefined ? {} : { key });
	}

	#hear(data: Data): void {
		switch (data?.kind) {
			case 'card':
				if (this.#take(data.card)) {
					this.#show(data.card);
				}
				return;
			case 'all':
				clearTimeout(this.#answering); // somebody was faster
				data.cards.forEach((card) => this.#take(card));
				this.#show();
				return;
			case 'ask':
				clearTimeout(this.#answering);
				this.#answering = setTimeout(() => {
					this.#send({ kind: 'all', cards: [...this.#cards.values()] });
				}, Math.random() * ANSWER_MS);
				return;
			default:
		}
	}

	#take(card: Card): boolean {
		const known = this.#cards.get(card.id);
		if (known && known.changedAt >= card.changedAt) {
			return false;
		}
		this.#cards.set(card.id, card);
		return true;
	}

	#show(changed?: Card): void {
		const cards = [...this.#cards.values()];
		localStorage.setItem(this.#key, JSON.stringify(cards));
		this.show(cards, changed);
	}

	get #key(): string {
		return `praxis-demo-cards-${this.practiceId}`;
	}

	/** The same samples everywhere, and older than any change. */
	#load(): void {
		const kept = JSON.parse(localStorage.getItem(this.#key) ?? '[]') as Card[];
		SAMPLES.forEach((patient, at) => {
			this.#take({ id: `sample-${at}`, patient, column: at % 3, changedAt: 0 });
		});
		kept.forEach((card) => this.#take(card));
	}
}

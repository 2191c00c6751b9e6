// SPDX-License-Identifier: MIT
//
// Cards on a server that keeps none. An application has them in its database, and the whiteboard tells of changes; this
// page without one asks the other pages when it opens, and keeps what it knows in this browser. Of two changes of a card
// the later one wins. What is removed leaves a mark, or another page's answer would bring it back.

import type { Id, PraxisError, WebSocketMessage, WhiteboardWebSocketService } from 'praxis-client';
import { readCard, samples } from './card.js';
import type { Card } from './card.js';
import type { Change, Entry, Store } from './store.js';

interface Record {
	id: string;
	/** Null: removed. */
	card: Card | null;
	changedAt: number;
	userId?: string;
	userName?: string;
}

interface Known extends Record {
	unsaved?: boolean;
}

type Data = { kind: 'card'; record: Record } | { kind: 'ask' } | { kind: 'all'; records: Record[] };

const ANSWER_MS = 300;
/** Of an answer, so that it stays well below the size of a message. */
const RECORDS_AT_ONCE = 50;
const MOST_RECORDS = 200;

export class PeerStore implements Store {
	entries: ReadonlyMap<string, Entry> = new Map();
	#known = new Map<string, Known>();
	#answering: ReturnType<typeof setTimeout> | undefined;
	/** What comes before the receipt of the question is from while one was away. */
	#catchingUp = 0;
	#change: (change: Change) => void = () => {};
	#refused: (id: string, error: PraxisError) => void = () => {};

	constructor(
		readonly service: WhiteboardWebSocketService,
		readonly practiceId: Id,
	) {
		this.#load();
		service.onWhiteboardUpdate((message) => {
			if (String(message.practiceId) === String(practiceId)) {
				this.#hear(message.data as Data, message);
			}
		});
		// Missed more than the server has.
		service.onReload(() => this.#ask());
		service.manager.on('session', () => this.#ask());
		this.#ask();
		[...this.#known.values()]
			.filter(({ unsaved }) => unsaved)
			.forEach((each) => this.#post(each));
	}

	onChange(handler: (change: Change) => void): void {
		this.#change = handler;
	}

	onRefused(handler: (id: string, error: PraxisError) => void): void {
		this.#refused = handler;
	}

	set(id: string, card: Card): void {
		this.#write(id, card);
	}

	remove(id: string): void {
		this.#write(id, null);
	}

	get #now(): number {
		return this.service.manager.environment.wall();
	}

	#write(id: string, card: Card | null): void {
		const { userId, userName } = this.service.manager.user ?? {};
		const changedAt = Math.max(this.#now, (this.#known.get(id)?.changedAt ?? 0) + 1);
		const record: Known = { id, card, changedAt, unsaved: true, userName };
		record.userId = userId === undefined ? undefined : String(userId);
		this.#known.set(id, record);
		this.#tell([id], 'self');
		this.#post(record);
	}

	#post(record: Known): void {
		this.service
			.send(this.practiceId, { kind: 'card', record: plainOf(record) }, { key: record.id })
			.then(
				() => {
					record.unsaved = false;
					this.#tell([record.id], 'self');
				},
				(error: PraxisError) => this.#refused(record.id, error),
			);
	}

	#send(data: Data): Promise<unknown> {
		return this.service.send(this.practiceId, data).catch(() => {}); // it is asked again in the next session
	}

	#ask(): void {
		this.#catchingUp++;
		void this.#send({ kind: 'ask' }).then(() => this.#catchingUp--);
	}

	#hear(
		data: Data,
		{ userId, userName }: WebSocketMessage & { userId?: Id; userName?: string },
	): void {
		switch (data?.kind) {
			case 'card': {
				// Who it was the server says, not the message.
				const record = {
					...data.record,
					userName,
					userId: userId === undefined ? undefined : String(userId),
				};
				if (this.#take(record)) {
					this.#tell([record.id], this.#catchingUp > 0 ? 'load' : 'others');
				}
				return;
			}
			case 'all': {
				clearTimeout(this.#answering); // somebody was faster
				const taken = (Array.isArray(data.records) ? data.records : []).filter((each) =>
					this.#take(each),
				);
				if (taken.length > 0) {
					this.#tell(
						taken.map(({ id }) => id),
						'load',
					);
				}
				return;
			}
			case 'ask':
				clearTimeout(this.#answering);
				this.#answering = setTimeout(() => this.#answer(), Math.random() * ANSWER_MS);
				return;
			default:
		}
	}

	#answer(): void {
		const records = [...this.#known.values()].map(plainOf);
		for (let at = 0; at < records.length; at += RECORDS_AT_ONCE) {
			void this.#send({ kind: 'all', records: records.slice(at, at + RECORDS_AT_ONCE) });
		}
	}

	#take({ id, card, changedAt, userId, userName }: Record): boolean {
		const known = this.#known.get(id);
		const read = card === null ? null : readCard(card);
		if (
			typeof id !== 'string' ||
			typeof changedAt !== 'number' ||
			(known && known.changedAt >= changedAt) ||
			(card !== null && read === null)
		) {
			return false;
		}
		this.#known.set(id, { id, card: read, changedAt, userId, userName });
		return true;
	}

	#tell(ids: string[], by: Change['by']): void {
		const records = [...this.#known.values()].sort((a, b) => b.changedAt - a.changedAt);
		records.slice(MOST_RECORDS).forEach(({ id }) => this.#known.delete(id));
		localStorage.setItem(this.#key, JSON.stringify(records.slice(0, MOST_RECORDS)));
		this.#list();
		this.#change({ ids, by });
	}

	#list(): void {
		const entries = new Map<string, Entry>();
		for (const { id, card, changedAt, unsaved, userId, userName } of this.#known.values()) {
			if (card) {
				entries.set(id, { card, saved: !unsaved, version: changedAt, userId, userName });
			}
		}
		this.entries = entries;
	}

	get #key(): string {
		return `praxis-demo-board-${this.practiceId}`;
	}

	/** Samples are older than any change. */
	#load(): void {
		const kept = JSON.parse(localStorage.getItem(this.#key) ?? '[]') as Known[];
		kept.filter((record) => this.#take(record) && record.unsaved).forEach(({ id }) => {
			this.#known.get(id)!.unsaved = true;
		});
		samples(this.#now).forEach(([id, card]) => this.#take({ id, card, changedAt: 0 }));
		this.#list();
	}
}

/** Without what is this page's own. */
function plainOf({ id, card, changedAt, userId, userName }: Record): Record {
	return { id, card, changedAt, userId, userName };
}

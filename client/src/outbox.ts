// SPDX-License-Identifier: MIT
//
// What is to be sent, in order: first the messages in flight, sent but not known to have arrived,
// then those that wait. The server takes messages in the order in which they were sent, so the
// receipt of one (or the answer to a ping) tells of all before it. When a session is resumed the
// server says how many it has; the others are sent again. When it is lost, what is in flight is sent
// again, too, unless it means nothing in another session: a message may then arrive twice if just
// its receipt was lost with the session, but none is lost in silence. To keep that time short every
// message that outlives its session asks for a receipt, whether or not anybody awaits it.

import { PraxisError } from './types.js';
import type { DropReason, Id, Receipt, WebSocketMessage } from './types.js';

/**
 * How long a message makes sense: always; in this session only (signalling: peers have other
 * clientIds in the next); or in this session only and another will be made for the next (a join).
 */
export type Lifetime = 'always' | 'session' | 'restored';

export interface QueueLimits {
	/** How many messages may wait. */
	messages: number;
	/** How many characters of JSON they may have together. */
	characters: number;
}

interface Entry {
	message: WebSocketMessage;
	text: string;
	lifetime: Lifetime;
	/** Whose it is; undefined: nobody's yet. */
	user: Id | undefined;
	/** Position among all texts sent in this session; 0: not sent. */
	index: number;
	settle?: Settle;
}

/** Who awaits a receipt: gets it, or why there is none. */
export type Settle = (outcome: Receipt | PraxisError) => void;

const WINDOW = 256;

export class Outbox {
	#waiting: Entry[] = [];
	#flying: Entry[] = [];
	#receipts = new Map<string, Entry>();
	readonly #limits: () => QueueLimits;
	readonly #dropped: (message: WebSocketMessage, reason: DropReason) => void;

	constructor(
		limits: () => QueueLimits,
		dropped: (message: WebSocketMessage, reason: DropReason) => void,
	) {
		this.#limits = limits;
		this.#dropped = dropped;
	}

	/** How many are sent and not confirmed. */
	get flying(): number {
		return this.#flying.length;
	}

	get waiting(): number {
		return this.#waiting.length;
	}

	/** Behind all others. One with `settle` has an `id`, and it is called once. */
	push(
		message: WebSocketMessage,
		text: string,
		lifetime: Lifetime,
		user: Id | undefined,
		settle?: Settle,
	): void {
		const entry: Entry = { message, text, lifetime, user, index: 0, settle };
		this.#replaceOlder(message);
		if (message.id !== undefined) {
			this.#receipts.set(String(message.id), entry);
		}
		this.#waiting.push(entry);
	}

	/** What is pushed by `run` comes ahead of what is waiting. */
	ahead(run: () => void): void {
		const waiting = this.#waiting;
		this.#waiting = [];
		run();
		this.#waiting.push(...waiting);
	}

	/**
	 * Sends what waits, as long as not too much is in flight and `wait` returns 0 for the text; else
	 * returns what it returned. `send` returns the text's index.
	 */
	flush(wait: (text: string) => number, send: (text: string) => number): number {
		for (;;) {
			const entry = this.#waiting[0];
			if (!entry || this.#flying.length >= WINDOW) {
				return 0;
			}
			const ms = wait(entry.text);
			if (ms > 0) {
				return ms;
			}
			this.#waiting.shift();
			entry.index = send(entry.text);
			this.#flying.push(entry);
		}
	}

	/** Drops the oldest that are more than may wait. Called where nothing more can be flushed. */
	trim(): void {
		const limits = this.#limits();
		let characters = this.#waiting.reduce((sum, { text }) => sum + text.length, 0);
		while (this.#waiting.length > limits.messages || characters > limits.characters) {
			const oldest = this.#waiting.shift() as Entry;
			characters -= oldest.text.length;
			this.#drop(oldest, 'queue_full');
		}
	}

	/** The server's receipt of the message with that id, or its error. True: somebody was told. */
	settle(id: Id, outcome: Receipt | PraxisError): boolean {
		const entry = this.#receipts.get(String(id));
		if (entry) {
			this.#receipts.delete(String(id));
			this.confirm(entry.index);
			entry.settle?.(outcome);
		}
		return entry?.settle !== undefined;
	}

	/** The server has the first `index` texts of this session. */
	confirm(index: number): void {
		const first = this.#flying.findIndex((entry) => entry.index > index);
		const confirmed = this.#flying.splice(0, first < 0 ? this.#flying.length : first);
		confirmed.filter(({ settle }) => !settle).forEach((entry) => this.#forget(entry));
	}

	/** The session was resumed, and the server has that many of its texts. */
	resumed(received: number): void {
		this.confirm(received);
		this.#unsend(() => true);
	}

	/**
	 * A new session has begun, of that user; `first`: there was none before it. What was written by
	 * one user is not sent as another's.
	 */
	begin(first: boolean, user: Id | undefined): void {
		const foreign = (entry: Entry) =>
			entry.user !== undefined && user !== undefined && String(entry.user) !== String(user);
		const gone = (entry: Entry) =>
			entry.lifetime === 'restored' ||
			(entry.lifetime === 'session' && !first) ||
			foreign(entry);
		// Taken by the server, but how it ended was lost with the session.
		const open = new Set([...this.#flying, ...this.#waiting]);
		for (const [id, entry] of this.#receipts) {
			if (!open.has(entry)) {
				this.#receipts.delete(id);
				entry.settle?.(new PraxisError('session_lost'));
			}
		}
		const lost = [...this.#flying, ...this.#waiting].filter(gone);
		this.#waiting = this.#waiting.filter((entry) => !gone(entry));
		this.#unsend((entry) => !gone(entry));
		lost.forEach((entry) => this.#drop(entry, foreign(entry) ? 'other_user' : 'session_lost'));
	}

	clear(reason: DropReason): void {
		// One in flight has most probably arrived; only who asked for a receipt is told.
		const told = [...this.#flying.filter((entry) => entry.settle), ...this.#waiting];
		this.#flying = [];
		this.#waiting = [];
		told.forEach((entry) => this.#drop(entry, reason));
		const rest = [...this.#receipts.values()];
		this.#receipts.clear();
		rest.forEach((entry) => entry.settle?.(new PraxisError(reason)));
	}

	// Of updates with the same key only the last one need be sent. Who awaits a receipt gets it.
	#replaceOlder(message: WebSocketMessage): void {
		if (typeof message['key'] !== 'string') {
			return;
		}
		const older = this.#waiting.findIndex(
			(entry) =>
				!entry.settle &&
				entry.message.type === message.type &&
				entry.message['key'] === message['key'] &&
				String(entry.message.practiceId) === String(message.practiceId),
		);
		if (older >= 0) {
			const [entry] = this.#waiting.splice(older, 1) as [Entry];
			this.#forget(entry);
		}
	}

	#unsend(keep: (entry: Entry) => boolean): void {
		const again = this.#flying.filter(keep);
		this.#flying = [];
		again.forEach((entry) => (entry.index = 0));
		this.#waiting.unshift(...again);
	}

	#forget({ message }: Entry): void {
		this.#receipts.delete(String(message.id));
	}

	#drop(entry: Entry, reason: DropReason): void {
		this.#forget(entry);
		entry.settle?.(new PraxisError(reason, undefined, { ref: entry.message.type }));
		if (entry.lifetime !== 'restored') {
			this.#dropped(entry.message, reason);
		}
	}
}

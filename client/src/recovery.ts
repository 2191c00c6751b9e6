// SPDX-License-Identifier: MIT
//
// How far one has read the whiteboard of a practice. After a session was lost the server is asked
// for what was missed since; what it sends then may overlap with what comes live, so an update is
// passed on only if its number is higher than that of the last one.

import type { WhiteboardSubscribed, WhiteboardUpdate } from './types.js';

/** Own clientIds are remembered, to tell one's own updates among the missed ones. */
const CLIENT_IDS = 32;

export class Recovery {
	#epoch: string | null = null;
	#seq = 0;
	/** Updates that came while the server was being asked; null: it is not. */
	#held: WhiteboardUpdate[] | null = null;

	/** What to ask with, if there is something to go on from. */
	get since(): { epoch: string; seq: number } | undefined {
		return this.#epoch === null ? undefined : { epoch: this.#epoch, seq: this.#seq };
	}

	/** A subscription was sent. */
	ask(): void {
		this.#held ??= [];
	}

	/** The update, if it is to be passed on now. */
	update(update: WhiteboardUpdate): boolean {
		if (this.#held) {
			this.#held.push(update);
			return false;
		}
		if (this.#epoch !== null && update.seq <= this.#seq) {
			return false;
		}
		this.#seq = update.seq;
		return true;
	}

	/**
	 * The answer. Returns the held updates that are to be passed on now, and whether there is a gap:
	 * updates were missed that nobody has any more, so the data has to be loaded anew.
	 */
	subscribed(answer: WhiteboardSubscribed): { updates: WhiteboardUpdate[]; gap: boolean } {
		const held = this.#held ?? [];
		this.#held = null;
		const known = this.#epoch;
		this.#epoch = answer.epoch;
		if (answer.recovered) {
			return { updates: [], gap: false }; // they follow, what was held among them
		}
		const gap = known !== null && (known !== answer.epoch || this.#seq !== answer.seq);
		// Those that are passed on now must look new.
		this.#seq = held.length > 0 ? (held[0] as WhiteboardUpdate).seq - 1 : answer.seq;
		return { updates: held, gap };
	}
}

export class OwnIds {
	#ids: string[] = [];

	add(id: string): void {
		if (!this.has(id)) {
			this.#ids = [id, ...this.#ids].slice(0, CLIENT_IDS);
		}
	}

	has(id: string | undefined): boolean {
		return id !== undefined && this.#ids.includes(id);
	}
}

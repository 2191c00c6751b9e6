// SPDX-License-Identifier: MIT
//
// Which version of each card this user has seen in this browser, so that what others changed meanwhile can be marked.

import type { Entry } from './store.js';

export class Seen {
	/** This user has never seen a board here: then nothing of it is news. */
	readonly isFirst: boolean;
	#versions: Map<string, number>;

	/** `key`: of localStorage, one for each user and practice. */
	constructor(readonly key: string) {
		const kept = localStorage.getItem(key);
		this.isFirst = kept === null;
		this.#versions = new Map(JSON.parse(kept ?? '[]') as [string, number][]);
	}

	has(id: string, { version }: Entry): boolean {
		return this.#versions.get(id) === version;
	}

	see(ids: Iterable<string>, entries: ReadonlyMap<string, Entry>): void {
		for (const id of ids) {
			const entry = entries.get(id);
			if (entry) {
				this.#versions.set(id, entry.version);
			} else {
				this.#versions.delete(id);
			}
		}
		localStorage.setItem(this.key, JSON.stringify([...this.#versions]));
	}
}

// SPDX-License-Identifier: MIT
//
// Where the cards are. The board does not know which of the stores it has.

import type { PraxisError } from 'praxis-client';
import type { Card } from './card.js';

export interface Entry {
	card: Card;
	/** False: changed here, and the server's receipt has not come yet. */
	saved: boolean;
	/** Another one with each change. */
	version: number;
	/** Who made this version; undefined: nobody, a sample. */
	userId?: string;
	userName?: string;
}

export interface Change {
	ids: string[];
	/** `load`: it happened while this page was away. */
	by: 'self' | 'others' | 'load';
}

export interface Store {
	/** A new map with each change. */
	readonly entries: ReadonlyMap<string, Entry>;
	set(id: string, card: Card): void;
	remove(id: string): void;
	onChange(handler: (change: Change) => void): void;
	/** The server did not take a change. */
	onRefused(handler: (id: string, error: PraxisError) => void): void;
}

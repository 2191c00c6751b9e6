// SPDX-License-Identifier: MIT
//
// A practice's board as shared state: a map that the server keeps, and of which every page has the
// same copy. A change is shown here at once, and is "not saved yet" until the server's receipt.
//
// In each new session the whole is asked for; what comes later changes it. The rejected alternative,
// to ask only for what was missed, saves bytes where a session was lost, and goes wrong for ever
// where it goes wrong once.

import { Emitter } from './emitter.js';
import { inEachSession, Parts } from './shared-parts.js';
import { whiteboardService } from './shared.js';
import type {
	Id,
	PraxisError,
	Receipt,
	Unsubscribe,
	WebSocketMessage,
	WhiteboardState,
	WhiteboardSubscribed,
	WhiteboardUpdate,
} from './types.js';
import type { WhiteboardWebSocketService } from './whiteboard-service.js';

/** One value of the board, and what the server says of it. */
export interface BoardEntry<T = unknown> {
	value: T;
	/** False: changed here, and the server has not confirmed it yet. */
	saved: boolean;
	/** Who changed it last: as the token says, or in open mode by their own word. */
	updatedBy: { userId?: Id; userName?: string; clientId?: string };
	/** When, in ms since 1970, by the server's clock; of what is not saved, and own: this page's. */
	updatedAt: number;
	/** The number of the update; 0: it has none yet. */
	seq: number;
}

/** `off`: the server keeps no boards, see docs/configuration.md. */
export type BoardState = 'loading' | 'ready' | 'off';

export interface BoardChange {
	/** Which values are different, or gone. */
	keys: string[];
	/** `load`: compared with what was known before this page was away. */
	by: 'others' | 'self' | 'load';
}

interface BoardEvents {
	change: [change: BoardChange];
	/** A change of this page was refused, and is taken back. */
	refused: [key: string, error: PraxisError];
}

interface Own {
	/** Undefined: deleted. */
	entry: BoardEntry | undefined;
}

/** The board of one practice. Made by `openBoard()`. */
export class Board {
	state: BoardState = 'loading';
	/** A new map with each change, in the order of their latest changes. */
	entries: ReadonlyMap<string, BoardEntry> = new Map();
	readonly practiceId: Id;
	readonly #service: WhiteboardWebSocketService;
	readonly #events: Emitter<BoardEvents>;
	readonly #ends: Unsubscribe[];
	/** As the server has it. */
	#kept = new Map<string, BoardEntry>();
	/** Changes of this page without a receipt, the latest of each key. */
	#own = new Map<string, Own>();
	/** The number of the latest update in `#kept`. */
	#seq = 0;
	/** What has come of an answer in several parts. */
	#parts: WhiteboardUpdate[] = [];

	/** See `openBoard()`. */
	constructor(service: WhiteboardWebSocketService, practiceId: Id) {
		const { manager } = service;
		this.#service = service;
		this.practiceId = practiceId;
		this.#events = new Emitter(manager);
		service.listen();
		this.#ends = [
			manager.registerHandler('whiteboard_subscribed', (answer) => this.#answered(answer)),
			manager.registerHandler('whiteboard_state', (part) => this.#part(part)),
			manager.registerHandler('whiteboard_update', (update) => this.#update(update)),
			inEachSession(manager, () => this.#ask()),
		];
	}

	/** How many changes of this page the server has not confirmed. */
	get unsaved(): number {
		return this.#own.size;
	}

	/** Shown here at once; the receipt says that it is kept. Rejects with a PraxisError. */
	set(key: string, value: unknown): Promise<Receipt> {
		return this.#write(key, { type: 'whiteboard_update', key, data: value, keep: true }, value);
	}

	/** The same; a key that is not there does no harm. */
	delete(key: string): Promise<Receipt> {
		return this.#write(key, { type: 'whiteboard_update', key, keep: false });
	}

	on<E extends keyof BoardEvents>(
		event: E,
		handler: (...args: BoardEvents[E]) => void,
	): Unsubscribe {
		return this.#events.on(event, handler);
	}

	/** For `openBoard()`. */
	end(): void {
		this.#ends.forEach((end) => end());
	}

	#isOurs(id: Id | undefined): boolean {
		return String(id) === String(this.practiceId);
	}

	#ask(): void {
		this.#service.manager.sendMessage(
			{ type: 'whiteboard_subscribe', practiceId: this.practiceId, state: true },
			{ lifetime: 'restored' },
		);
	}

	#answered({ practiceId, state }: WhiteboardSubscribed): void {
		if (this.#isOurs(practiceId) && state) {
			this.#parts = [];
			if (state === 'off') {
				this.state = 'off';
				this.#changed([], 'load');
			}
		}
	}

	/** Nothing of it counts before all of it is there. */
	#part({ practiceId, seq, part, parts, values }: WhiteboardState): void {
		if (!this.#isOurs(practiceId)) {
			return;
		}
		this.#parts.push(...values);
		if (part < parts) {
			return;
		}
		const before = this.#kept;
		this.#kept = new Map(this.#parts.map((update) => [update.key as string, entryOf(update)]));
		this.#parts = [];
		this.#seq = seq;
		this.state = 'ready';
		const keys = new Set([...before.keys(), ...this.#kept.keys()]);
		const different = (key: string) => before.get(key)?.seq !== this.#kept.get(key)?.seq;
		this.#changed([...keys].filter(different), 'load');
	}

	#update(update: WhiteboardUpdate): void {
		const { practiceId, key, keep, seq } = update;
		if (!this.#isOurs(practiceId) || !key || keep === undefined || seq <= this.#seq) {
			return;
		}
		this.#seq = seq;
		this.#keep(key, keep ? entryOf(update) : undefined);
		this.#changed([key], 'others');
	}

	/** The latest comes last. */
	#keep(key: string, entry: BoardEntry | undefined): void {
		this.#kept.delete(key);
		if (entry) {
			this.#kept.set(key, entry);
		}
	}

	async #write(key: string, message: WebSocketMessage, value?: unknown): Promise<Receipt> {
		const { manager } = this.#service;
		const { userId, userName } = manager.user ?? {};
		const own: Own = { entry: undefined };
		if (message['keep']) {
			const updatedBy = { userId, userName, clientId: manager.clientId };
			const updatedAt = manager.environment.wall();
			own.entry = { value, saved: false, updatedBy, updatedAt, seq: 0 };
		}
		this.#own.set(key, own);
		this.#changed([key], 'self');
		try {
			const receipt = await manager.send({ ...message, practiceId: this.practiceId });
			this.#written(key, own, receipt.seq ?? 0);
			return receipt;
		} catch (error) {
			this.#forget(key, own);
			this.#events.emit('refused', key, error as PraxisError);
			throw error;
		}
	}

	#written(key: string, own: Own, seq: number): void {
		// Later than the receipt was only what the whole board or an update has brought since.
		if ((this.#kept.get(key)?.seq ?? 0) < seq && this.#seq < seq) {
			this.#keep(key, own.entry && { ...own.entry, saved: true, seq });
		}
		this.#forget(key, own);
	}

	#forget(key: string, own: Own): void {
		if (this.#own.get(key) === own) {
			this.#own.delete(key);
		}
		this.#changed([key], 'self');
	}

	#changed(keys: string[], by: BoardChange['by']): void {
		const entries = new Map(this.#kept);
		for (const [key, { entry }] of this.#own) {
			entries.delete(key);
			if (entry) {
				entries.set(key, entry);
			}
		}
		this.entries = entries;
		this.#events.emit('change', { keys, by });
	}
}

function entryOf({ data, userId, userName, clientId, timestamp, seq }: WhiteboardUpdate) {
	const updatedBy = { userId, userName, clientId };
	return { value: data, saved: true, updatedBy, updatedAt: timestamp ?? 0, seq };
}

const boards = /* @__PURE__ */ new Parts<Board>();

/**
 * The practice's board, until `close()`. Changes that are under way are still sent. Holds no
 * connection: `whiteboardService.connect()` does.
 */
export function openBoard(
	practiceId: Id,
	service: WhiteboardWebSocketService = whiteboardService,
): { board: Board; close: () => void } {
	const [board, close] = boards.hold(service, practiceId, () => new Board(service, practiceId));
	return { board, close };
}

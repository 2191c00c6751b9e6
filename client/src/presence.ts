// SPDX-License-Identifier: MIT
//
// Who looks at a practice's whiteboard, and how far each of them has seen it.
//
// Both are mutual: who asks is shown to the others. A user with several pages is one. The server
// tells of changes a moment later, several at once, and waits for a page that is loaded again.

import { Emitter } from './emitter.js';
import { Timer } from './environment.js';
import { inEachSession, Parts } from './shared-parts.js';
import { whiteboardService } from './shared.js';
import type {
	Id,
	PraxisError,
	PresentUser,
	Unsubscribe,
	WhiteboardPresence,
	WhiteboardSeen,
} from './types.js';
import type { WhiteboardWebSocketService } from './whiteboard-service.js';

/** Of several updates that were seen in this time, the last one is confirmed. */
const SEEN_MS = 1_000;

/** The server has no presence: it is switched off, or older. */
const REFUSED = ['service_disabled', 'unknown_type'];

interface PresenceEvents {
	/** Somebody has come or gone, or has seen more. */
	change: [];
}

/** Who is present on one practice's whiteboard. Made by `openPresence()`. */
export class Presence {
	/** One's own user too; who came first first. A new array with each change. */
	users: readonly PresentUser[] = [];
	/** How many they are; more than `users` where the server lists no more. */
	count = 0;
	/** False: the server does not offer it. Undefined: not known yet. */
	available: boolean | undefined;
	readonly practiceId: Id;
	readonly #service: WhiteboardWebSocketService;
	readonly #events: Emitter<PresenceEvents>;
	readonly #timer: Timer;
	readonly #ends: Unsubscribe[];
	/** The number of the latest update that came. */
	#latest = 0;
	/** What was seen, and what of it the server has been told. */
	#seq = 0;
	#sent = 0;

	/** See `openPresence()`. */
	constructor(service: WhiteboardWebSocketService, practiceId: Id) {
		const { manager } = service;
		this.#service = service;
		this.practiceId = practiceId;
		this.#events = new Emitter(manager);
		this.#timer = new Timer(manager.environment);
		service.listen();
		this.#ends = [
			manager.registerHandler('whiteboard_presence', (message) => this.#present(message)),
			manager.registerHandler('whiteboard_seen', (message) => this.#seen(message)),
			manager.registerHandler('whiteboard_update', ({ practiceId: id, seq }) => {
				if (this.#isOurs(id)) {
					this.#latest = Math.max(this.#latest, seq);
				}
			}),
			manager.registerHandler('whiteboard_subscribed', ({ practiceId: id, seq }) => {
				if (this.#isOurs(id)) {
					this.#latest = seq;
				}
			}),
			inEachSession(manager, () => this.#enter()),
		];
	}

	/** How many are not in `users`: "and 12 more". */
	get more(): number {
		return this.count - this.users.length;
	}

	/** Those in `users` who have seen everything up to that update. */
	seenBy(seq: number): PresentUser[] {
		return this.users.filter((user) => user.seq >= seq);
	}

	/** Its user has seen everything up to that update; without a number: up to the latest. */
	markSeen(seq = this.#latest): void {
		this.#seq = Math.max(this.#seq, seq);
		if (!this.#timer.isSet) {
			this.#tell();
		}
	}

	on<E extends keyof PresenceEvents>(
		event: E,
		handler: (...args: PresenceEvents[E]) => void,
	): Unsubscribe {
		return this.#events.on(event, handler);
	}

	/** For `openPresence()`. */
	end(): void {
		this.#ends.forEach((end) => end());
		this.#timer.clear();
		this.#send({ type: 'whiteboard_presence', present: false });
	}

	#isOurs(id: Id | undefined): boolean {
		return String(id) === String(this.practiceId);
	}

	#send(message: { type: string; [field: string]: unknown }): void {
		this.#service.manager.sendMessage(
			{ ...message, practiceId: this.practiceId },
			{ lifetime: 'restored' },
		);
	}

	#enter(): void {
		this.#seq = this.#sent = 0;
		this.#service.manager
			.send(
				{ type: 'whiteboard_presence', practiceId: this.practiceId },
				{ lifetime: 'restored' },
			)
			.catch((error: unknown) => {
				if (REFUSED.includes((error as PraxisError).code)) {
					this.#change([], 0, false);
				}
			});
	}

	#tell(): void {
		if (this.#seq > this.#sent) {
			this.#sent = this.#seq;
			this.#send({ type: 'whiteboard_seen', seq: this.#seq });
			this.#timer.set(SEEN_MS, () => this.#tell());
		}
	}

	#present({ practiceId, users, count }: WhiteboardPresence): void {
		if (this.#isOurs(practiceId)) {
			this.#change(users, count, true);
		}
	}

	#seen({ practiceId, users }: WhiteboardSeen): void {
		if (this.#isOurs(practiceId)) {
			const known = new Map(users.map((user) => [nameOf(user), user.seq]));
			const all = this.users.map((user) => ({
				...user,
				seq: known.get(nameOf(user)) ?? user.seq,
			}));
			this.#change(all, this.count, true);
		}
	}

	#change(users: readonly PresentUser[], count: number, available: boolean): void {
		this.users = users;
		this.count = count;
		this.available = available;
		this.#events.emit('change');
	}
}

const nameOf = ({ userId, clientId }: { userId?: Id; clientId?: string }) =>
	userId === undefined ? `c ${clientId}` : `u ${userId}`;

const parts = /* @__PURE__ */ new Parts<Presence>();

/**
 * Shows this user to the others who look at the practice's whiteboard, and them to this one, until
 * `close()`. Holds no connection: `whiteboardService.connect()` does.
 */
export function openPresence(
	practiceId: Id,
	service: WhiteboardWebSocketService = whiteboardService,
): { presence: Presence; close: () => void } {
	const [presence, close] = parts.hold(
		service,
		practiceId,
		() => new Presence(service, practiceId),
	);
	return { presence, close };
}

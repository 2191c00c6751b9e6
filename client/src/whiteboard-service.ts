// SPDX-License-Identifier: MIT
//
// The whiteboard of a practice. The server subscribes a session to its practices by itself; here
// they are subscribed to by name, too, because that tells from where to go on after a session was
// lost.

import type { WebSocketManager } from './manager.js';
import type { SessionEvent } from './options.js';
import { OwnIds, Recovery } from './recovery.js';
import { Service } from './service.js';
import { Throttle } from './throttle.js';
import type {
	Id,
	MessageHandler,
	MessageMap,
	Receipt,
	Unsubscribe,
	WebSocketMessage,
	WhiteboardSubscribed,
	WhiteboardUpdate,
} from './types.js';

export interface UpdateOptions {
	/**
	 * Of updates with the same key only the last one matters: frequent ones are thinned out, here
	 * and on the way to slow readers.
	 */
	key?: string;
}

interface Practice {
	id: Id;
	recovery: Recovery;
	/** As it was asked for here; undefined: as the token has it. */
	wanted?: boolean;
}

export class WhiteboardWebSocketService extends Service {
	#practices = new Map<string, Practice>();
	#own = new OwnIds();
	#throttle: Throttle;

	constructor(manager: WebSocketManager) {
		super(manager, 'whiteboard');
		this.#throttle = new Throttle(manager);
	}

	/** Ends its handlers and lets go of the connection; other services keep it. */
	override disconnect(): void {
		this.flush();
		super.disconnect();
	}

	/** Frequent updates that are held back leave now. */
	flush(): void {
		this.#throttle.flush();
	}

	/** Each update of others once, in order, those that were missed while offline included. */
	onWhiteboardUpdate(handler: MessageHandler<WhiteboardUpdate>): Unsubscribe {
		return this.on('whiteboard_update', handler);
	}

	/** Updates of that practice were missed that the server has no more: load its data anew. */
	onReload(handler: MessageHandler<MessageMap['whiteboard_reload']>): Unsubscribe {
		return this.on('whiteboard_reload', handler);
	}

	/** Needed only for a practice that the token does not name (one with `practices: ["*"]`). */
	subscribe(practiceId: Id): void {
		this.listen();
		this.manager.ensure(this);
		this.#practice(practiceId).wanted = true;
		this.#ask(practiceId);
	}

	/** Nothing of that practice any more, until `subscribe()`. */
	unsubscribe(practiceId: Id): void {
		this.listen();
		this.#practices.delete(String(practiceId));
		this.#practice(practiceId).wanted = false;
		this.#leave(practiceId);
	}

	/** False: refused. With a `key` it may be sent a little later, or a newer one instead. */
	sendWhiteboardUpdate(practiceId: Id, data?: unknown, { key }: UpdateOptions = {}): boolean {
		const message = compose(practiceId, data, key);
		this.manager.ensure(this);
		if (key === undefined) {
			return this.manager.sendMessage(message);
		}
		let accepted = true;
		this.#throttle.run(JSON.stringify([String(practiceId), key]), () => {
			accepted = this.manager.sendMessage(message);
		});
		return accepted;
	}

	/** The same, at once, with the server's receipt. */
	send(practiceId: Id, data?: unknown, { key }: UpdateOptions = {}): Promise<Receipt> {
		this.manager.ensure(this);
		return this.manager.send(compose(practiceId, data, key));
	}

	protected override start(): void {
		const { manager } = this;
		manager.intercept('whiteboard_update', (message) => this.#isNew(message));
		manager.registerHandler('whiteboard_subscribed', (message) => this.#subscribed(message));
		manager.on('session', (event) => this.#session(event));
		if (manager.isConnected()) {
			this.#session(manager.session());
		}
	}

	#practice(id: Id): Practice {
		const practice = this.#practices.get(String(id)) ?? { id, recovery: new Recovery() };
		this.#practices.set(String(id), practice);
		return practice;
	}

	#session({ clientId, resumed, services, user }: SessionEvent): void {
		this.#own.add(clientId);
		if (resumed || !services.includes('whiteboard') || user?.role === 'patient') {
			return;
		}
		const named = (user?.practices ?? []).filter((id) => id !== '*');
		named.forEach((id) => this.#practice(id));
		for (const [key, { id, wanted }] of this.#practices) {
			if (wanted === undefined && !named.some((name) => String(name) === key)) {
				this.#practices.delete(key);
			} else if (wanted === false) {
				this.#leave(id);
			} else {
				this.#ask(id);
			}
		}
	}

	#leave(practiceId: Id): void {
		const message = { type: 'whiteboard_unsubscribe', practiceId };
		this.manager.sendMessage(message, { lifetime: 'restored' });
	}

	#ask(practiceId: Id): void {
		const { recovery } = this.#practice(practiceId);
		recovery.ask();
		this.manager.sendMessage(
			{ type: 'whiteboard_subscribe', practiceId, since: recovery.since },
			{ lifetime: 'restored' },
		);
	}

	#isNew(message: WhiteboardUpdate): boolean {
		const practice = this.#practices.get(String(message.practiceId));
		const fresh = !practice || (practice.wanted !== false && practice.recovery.update(message));
		return fresh && !this.#own.has(message.clientId);
	}

	#subscribed(answer: WhiteboardSubscribed): void {
		const { practiceId } = answer;
		if (answer.state) {
			return; // of a board, which asks for itself
		}
		const { updates, gap } = this.#practice(practiceId).recovery.subscribed(answer);
		if (gap) {
			this.manager.deliver({ type: 'whiteboard_reload', practiceId });
		}
		updates.forEach((update) => this.manager.deliver(update));
	}
}

function compose(practiceId: Id, data: unknown, key?: string): WebSocketMessage {
	return { type: 'whiteboard_update', practiceId, data, key };
}

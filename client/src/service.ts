// SPDX-License-Identifier: MIT
//
// What the services of a page have in common: each holds the connection under its own name, and has
// handlers that end with it.
//
// Handlers that were registered with the manager, by a hook or by a call, are not a service's own and
// stay.

import type { WebSocketManager } from './manager.js';
import type {
	MessageHandler,
	MessageMap,
	MessageOf,
	StatusHandler,
	Unsubscribe,
	WebSocketStatus,
} from './types.js';

export abstract class Service {
	readonly #id: string;
	#handlers = new Set<Unsubscribe>();
	#listening = false;

	/** `id`: the prefix of its messages. */
	constructor(
		readonly manager: WebSocketManager,
		id: string,
	) {
		this.#id = id;
	}

	connect(): void {
		this.listen();
		this.manager.enableService(this.#id);
		this.manager.connect(this);
	}

	/** Ends its handlers and lets go of the connection; other services keep it. */
	disconnect(): void {
		this.#handlers.forEach((end) => end());
		this.manager.disconnect(this);
	}

	getStatus(): WebSocketStatus {
		return this.manager.getStatus();
	}

	/** Not ended by `disconnect()`, which it tells of. */
	onStatusChange(handler: StatusHandler): Unsubscribe {
		return this.manager.onStatusChange(handler);
	}

	/** For hooks: what the service does with its messages before anybody gets them, begins. */
	listen(): void {
		if (!this.#listening) {
			this.#listening = true;
			this.start();
		}
	}

	protected abstract start(): void;

	protected on<T extends keyof MessageMap>(
		type: T,
		handler: MessageHandler<MessageMap[T]>,
	): Unsubscribe {
		this.listen();
		const unregister = this.manager.registerHandler(
			type,
			handler as MessageHandler<MessageOf<T>>,
		);
		const end = () => {
			this.#handlers.delete(end);
			unregister();
		};
		this.#handlers.add(end);
		return end;
	}
}

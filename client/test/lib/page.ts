// SPDX-License-Identifier: MIT
//
// What one page of the application has: a manager and its services, connected to a real praxisd
// with the package `ws`, and waiting for what it gets.

import { WebSocket } from 'ws';
import {
	createWebSocketManager,
	TelemedicineWebSocketService,
	WhiteboardWebSocketService,
} from 'praxis-client';
import type { ManagerOptions, WebSocketMessage } from 'praxis-client';
import type { Praxisd } from 'praxisd-of-tests';

const DEADLINE_MS = Number(process.env['PRAXIS_E2E_DEADLINE_MS'] ?? 10_000);

export class Page {
	manager;
	whiteboard;
	telemedicine;
	statuses: string[] = [];
	messages: WebSocketMessage[] = [];
	dropped: [WebSocketMessage, string][] = [];
	#wake = new Set<() => void>();

	constructor(praxis: Praxisd, query: ManagerOptions['query'], options: ManagerOptions = {}) {
		this.manager = createWebSocketManager({
			url: `ws://127.0.0.1:${praxis.port}/ws`,
			query,
			WebSocket,
			backoff: { baseMs: 50, maxMs: 200 },
			...options,
		});
		this.whiteboard = new WhiteboardWebSocketService(this.manager);
		this.telemedicine = new TelemedicineWebSocketService(this.manager);
		this.manager.onStatusChange((status) => this.#note(() => this.statuses.push(status)));
		this.manager.registerHandler('*', (message) =>
			this.#note(() => this.messages.push(message)),
		);
		this.manager.on('dropped', (...drop) => this.#note(() => this.dropped.push(drop)));
	}

	of<T extends WebSocketMessage>(type: T['type']): T[] {
		return this.messages.filter((message) => message.type === type) as T[];
	}

	/** Waits until it is so; asked whenever anything has come. */
	async until(what: string, probe: () => boolean): Promise<void> {
		await new Promise<void>((resolve, reject) => {
			const done = () => {
				if (probe()) {
					clearTimeout(timer);
					this.#wake.delete(done);
					resolve();
				}
			};
			const timer = setTimeout(() => {
				this.#wake.delete(done);
				reject(new Error(`not within ${DEADLINE_MS} ms: ${what}; ${this.#tail()}`));
			}, DEADLINE_MS);
			this.#wake.add(done);
			done();
		});
	}

	async next<T extends WebSocketMessage>(
		type: T['type'],
		fits: (message: T) => boolean = () => true,
	): Promise<T> {
		const find = () => this.of<T>(type).find(fits);
		await this.until(type, () => find() !== undefined);
		return find() as T;
	}

	async connected(): Promise<this> {
		this.manager.connect();
		await this.until('connected', () => this.manager.isConnected());
		return this;
	}

	/** Everything that the server has for this page by now is here. */
	async fence(): Promise<void> {
		const t = `fence-${Math.random()}`;
		this.manager.sendMessage({ type: 'ping', t });
		await this.next('pong', (message) => message['t'] === t);
	}

	close(): void {
		this.manager.disconnect();
	}

	/** Something has changed: what is awaited is asked again. */
	wake(): void {
		[...this.#wake].forEach((wake) => wake());
	}

	#note(note: () => void): void {
		note();
		this.wake();
	}

	#tail(): string {
		return JSON.stringify({ statuses: this.statuses, last: this.messages.slice(-5) });
	}
}

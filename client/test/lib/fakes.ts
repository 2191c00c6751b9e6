// SPDX-License-Identifier: MIT
//
// A clock that stands still until it is told to go on, sockets that say what the test wants, and a
// manager between them.

import assert from 'node:assert/strict';
import { createWebSocketManager } from '../../src/index.js';
import type {
	Environment,
	ManagerOptions,
	Socket,
	WebSocketManager,
	WebSocketMessage,
} from '../../src/index.js';

export class FakeClock implements Environment {
	time = 1_000_000;
	/** What random() returns. */
	dice = 0.5;
	reported: unknown[] = [];
	#timers = new Map<number, { at: number; run: () => void }>();
	#last = 0;
	#wake = new Set<() => void>();
	#network = new Set<() => void>();
	#hide = new Set<(maybeBack: boolean) => void>();
	/** What the server says of an upgrade that it refused. */
	refusal: { code: string; message: string } | null = null;
	/** How often it was asked. */
	asked: string[] = [];

	now = () => this.time;
	wall = () => this.time;
	random = () => this.dice;
	setTimeout = (run: () => void, ms: number) => {
		this.#timers.set(++this.#last, { at: this.time + ms, run });
		return this.#last;
	};
	clearTimeout = (timer: unknown) => void this.#timers.delete(timer as number);
	onWake = (handler: () => void) => {
		this.#wake.add(handler);
		return () => void this.#wake.delete(handler);
	};
	onNetworkChange = (handler: () => void) => {
		this.#network.add(handler);
		return () => void this.#network.delete(handler);
	};
	onHide = (handler: (maybeBack: boolean) => void) => {
		this.#hide.add(handler);
		return () => void this.#hide.delete(handler);
	};
	askWhy = (url: string) => {
		this.asked.push(url);
		return Promise.resolve(this.refusal);
	};
	report = (error: unknown) => void this.reported.push(error);

	get timers(): number {
		return this.#timers.size;
	}

	get listeners(): number {
		return this.#wake.size + this.#network.size + this.#hide.size;
	}

	wake(): void {
		[...this.#wake].forEach((handler) => handler());
	}

	hide(maybeBack: boolean): void {
		[...this.#hide].forEach((handler) => handler(maybeBack));
	}

	changeNetwork(): void {
		[...this.#network].forEach((handler) => handler());
	}

	/** Lets that much time pass, timer by timer. */
	pass(ms: number): void {
		const end = this.time + ms;
		for (;;) {
			const due = [...this.#timers].sort(([, a], [, b]) => a.at - b.at)[0];
			if (!due || due[1].at > end) {
				break;
			}
			this.#timers.delete(due[0]);
			this.time = Math.max(this.time, due[1].at);
			due[1].run();
		}
		this.time = end;
	}
}

type On<T> = ((event: T) => void) | null;

export class FakeSocket implements Socket {
	onopen: On<unknown> = null;
	onmessage: On<{ data: unknown }> = null;
	onerror: On<unknown> = null;
	onclose: On<{ code: number; reason: string }> = null;
	sent: WebSocketMessage[] = [];
	/** The code that the client closed with. */
	closed: number | null = null;

	constructor(
		readonly url: string,
		readonly protocols: string[] = [],
	) {}

	send(text: string): void {
		this.sent.push(JSON.parse(text) as WebSocketMessage);
	}

	close(code = 1005): void {
		this.closed = code;
	}

	// ---- the server's side ----

	open(): void {
		this.onopen?.({});
	}

	say(message: WebSocketMessage): void {
		this.onmessage?.({ data: JSON.stringify(message) });
	}

	/** The connection ends as the server, or the network, has it. */
	end(code = 1006, reason = ''): void {
		this.onclose?.({ code, reason });
	}

	/** What was sent of that type. */
	of(type: string): WebSocketMessage[] {
		return this.sent.filter((message) => message.type === type);
	}

	types(): string[] {
		return this.sent.map(({ type }) => type);
	}

	/** Takes what was sent so far. */
	take(): WebSocketMessage[] {
		return this.sent.splice(0);
	}
}

export class FakeWorld {
	clock = new FakeClock();
	sockets: FakeSocket[] = [];
	manager: WebSocketManager;
	statuses: string[] = [];

	constructor(options: ManagerOptions = {}) {
		const { sockets } = this;
		class RememberedSocket extends FakeSocket {
			constructor(url: string, protocols?: string[]) {
				super(url, protocols);
				sockets.push(this);
			}
		}
		this.manager = createWebSocketManager({
			url: 'ws://praxis.test/ws',
			environment: this.clock,
			WebSocket: RememberedSocket,
			...options,
		});
		this.manager.onStatusChange((status) => this.statuses.push(status));
	}

	/** The latest socket. */
	get socket(): FakeSocket {
		const last = this.sockets.at(-1);
		assert.ok(last, 'a socket was made');
		return last;
	}

	/** Opens the latest socket and greets the client. */
	greet(more: Record<string, unknown> = {}): FakeSocket {
		const { socket } = this;
		socket.open();
		socket.say(greeting({ clientId: `c${this.sockets.length}`, ...more }));
		return socket;
	}

	/** Connected, with an empty list of what was sent. */
	connected(more: Record<string, unknown> = {}): FakeSocket {
		this.manager.connect();
		const socket = this.greet(more);
		socket.take();
		return socket;
	}

	/** The same, with what was sent on connecting. */
	connectedWith(more: Record<string, unknown> = {}): FakeSocket {
		this.manager.connect();
		return this.greet(more);
	}

	/** The connection breaks, and the client is dialling again. */
	cut(code = 1006): FakeSocket {
		this.socket.end(code);
		return this.redialled();
	}

	/** Lets time pass until the client dials again. */
	redialled(withinMs = 60_000): FakeSocket {
		const before = this.sockets.length;
		for (let ms = 0; ms < withinMs && this.sockets.length === before; ms += 10) {
			this.clock.pass(10);
		}
		assert.equal(this.sockets.length, before + 1, 'the client dials again');
		return this.socket;
	}

	/** Handlers' promises have run. */
	settle(): Promise<void> {
		return new Promise((resolve) => setImmediate(resolve));
	}
}

export function greeting(more: Record<string, unknown> = {}): WebSocketMessage {
	return {
		type: 'connection_established',
		clientId: 'c1',
		services: ['whiteboard', 'telemedicine'],
		protocol: 1,
		user: { userId: 7, userName: 'Ann', role: 'staff', practices: [1] },
		resume: { token: 'resume-1', graceMs: 30_000 },
		heartbeatMs: 25_000,
		maxMessageBytes: 65_536,
		...more,
	};
}

// SPDX-License-Identifier: MIT
//
// One socket after the other: dials, finds out why a socket closed, and dials again when that is due,
// without end, until stopped or told that coming back is of no use. Knows nothing of messages.

import { Backoff } from './backoff.js';
import { closingOf } from './closing.js';
import { Timer } from './environment.js';
import type { Environment, Socket, SocketConstructor } from './environment.js';
import { WebSocketStatus } from './types.js';
import type { Unsubscribe } from './types.js';
import type { ManagerOptions } from './options.js';

export interface DialerHooks {
	/** Calls `open` when it has what an attempt needs, or the dialer's abandon(). */
	prepare(attempt: number, open: () => void): void;
	address(): string;
	opened(): void;
	received(data: unknown): void;
	/** The socket is gone, and whether its session may be resumed. */
	lost(resumable: boolean): void;
	/** Whoever was let in before wonders whether the connection lives. */
	doubt(): void;
}

/** Who is told of it all. */
export interface DialerOwner {
	options(): ManagerOptions;
	status(status: WebSocketStatus): void;
	problem(code: string, message: string): void;
}

const HANDSHAKE_MS = 15_000;
/** A connection that lasted that long was no failure, and the next wait is short again. */
const STABLE_MS = 5_000;
/** Bad tokens in a row after which asking for another is of no use. */
const AUTH_FAILURES = 5;
/** Neither 1000 nor 1001: those would end the session. */
const GIVEN_UP = 4000;

export class Dialer {
	#socket: Socket | null = null;
	/** Let in on that socket. */
	#open = false;
	/** Counts attempts, so that what belongs to an earlier one can be told. */
	#attempt = 0;
	#authFailures = 0;
	#drainMs: number | null = null;
	#notBeforeMs = 0;
	readonly #backoff: Backoff;
	readonly #retry: Timer;
	readonly #handshake: Timer;
	readonly #stable: Timer;
	#stopListening: Unsubscribe | null = null;
	readonly #environment: Environment;
	readonly #hooks: DialerHooks;
	readonly #owner: DialerOwner;

	constructor(environment: Environment, hooks: DialerHooks, owner: DialerOwner) {
		this.#environment = environment;
		this.#hooks = hooks;
		this.#owner = owner;
		const backoff = { baseMs: 1_000, maxMs: 30_000, ...owner.options().backoff };
		this.#backoff = new Backoff(backoff, () => environment.random());
		this.#retry = new Timer(environment);
		this.#handshake = new Timer(environment);
		this.#stable = new Timer(environment);
	}

	get isOpen(): boolean {
		return this.#open;
	}

	/** Still the attempt, or the connection, that it was? */
	isCurrent(attempt: number): boolean {
		return attempt === this.#attempt;
	}

	get attempt(): number {
		return this.#attempt;
	}

	start(): void {
		this.#authFailures = 0;
		this.#backoff.reset();
		this.#stopListening ??= this.#environment.onWake(() => this.#wake());
		this.#dial();
	}

	/** Closes in order and stays away. */
	stop(): void {
		const socket = this.#end();
		close(socket, 1000);
	}

	send(text: string): void {
		this.#socket?.send(text);
	}

	/** The server has let us in. */
	letIn(): void {
		this.#open = true;
		this.#authFailures = 0;
		this.#drainMs = null;
		this.#handshake.clear();
		this.#stable.set(STABLE_MS, () => this.#backoff.reset());
	}

	/** The server is about to restart; come back after that time. */
	drain(afterMs: number): void {
		this.#drainMs = afterMs;
	}

	/** The next attempt must not come earlier. */
	delay(ms: number): void {
		this.#notBeforeMs = ms;
	}

	/** The connection is no good, whatever the socket says. */
	abandon(): void {
		const failed = !this.#open;
		close(this.#detach(), GIVEN_UP);
		this.#hooks.lost(true);
		this.#comeBack(failed, this.#backoff.next());
	}

	#dial(): void {
		const attempt = ++this.#attempt;
		this.#hooks.prepare(attempt, () => {
			if (this.isCurrent(attempt)) {
				this.#openSocket(attempt);
			}
		});
	}

	#openSocket(attempt: number): void {
		const world = globalThis as { WebSocket?: SocketConstructor };
		const Constructor = this.#owner.options().WebSocket ?? world.WebSocket;
		if (!Constructor) {
			this.#giveUp('no_websocket', 'needs configure({ WebSocket })');
			return;
		}
		let socket: Socket;
		try {
			socket = new Constructor(this.#hooks.address(), ['praxis.v1']);
		} catch (error) {
			this.#giveUp('bad_url', String(error));
			return;
		}
		this.#socket = socket;
		this.#handshake.set(HANDSHAKE_MS, () => this.abandon());
		const ifCurrent = (run: () => void) => {
			if (this.isCurrent(attempt)) {
				run();
			}
		};
		socket.onopen = () => ifCurrent(() => this.#hooks.opened());
		socket.onmessage = ({ data }: { data: unknown }) =>
			ifCurrent(() => this.#hooks.received(data));
		socket.onerror = () => {}; // its `close` says the same
		socket.onclose = ({ code, reason }: { code: number; reason: string }) =>
			ifCurrent(() => this.#closed(code, reason));
	}

	#closed(code: number, reason: string): void {
		const failed = !this.#open;
		const { back, resume, atLeastMs } = closingOf(code);
		const drainMs = this.#drainMs;
		const notBeforeMs = Math.max(atLeastMs, this.#notBeforeMs);
		this.#drainMs = null;
		this.#notBeforeMs = 0;
		this.#detach();
		this.#hooks.lost(resume);
		const canAuthenticate = () =>
			this.#owner.options().getToken && ++this.#authFailures <= AUTH_FAILURES;
		if (code === 1000) {
			this.#end();
			this.#owner.status(WebSocketStatus.DISCONNECTED);
		} else if (back === 'no' || (back === 'auth' && !canAuthenticate())) {
			this.#giveUp(`closed_${code}`, reason);
		} else if (drainMs !== null && (code === 1012 || code === 1001)) {
			this.#comeBack(failed, drainMs);
		} else {
			// A token that has just expired is replaced at once.
			const atOnce = back === 'auth' && !failed;
			this.#comeBack(failed, Math.max(notBeforeMs, atOnce ? 0 : this.#backoff.next()));
		}
	}

	#comeBack(failed: boolean, waitMs: number): void {
		const attempt = this.#attempt;
		this.#retry.set(waitMs, () => this.#dial());
		if (failed) {
			this.#owner.status(WebSocketStatus.ERROR);
		}
		if (this.isCurrent(attempt)) {
			this.#owner.status(WebSocketStatus.RECONNECTING);
		}
	}

	#wake(): void {
		if (this.#retry.isSet) {
			this.#retry.clear();
			this.#dial();
		} else if (this.#open) {
			this.#hooks.doubt();
		}
	}

	#giveUp(code: string, message: string): void {
		this.#end();
		this.#owner.problem(code, message);
		this.#owner.status(WebSocketStatus.ERROR);
	}

	#end(): Socket | null {
		this.#stopListening?.();
		this.#stopListening = null;
		return this.#detach();
	}

	// Leaves the socket to itself: nothing that it still says counts.
	#detach(): Socket | null {
		const socket = this.#socket;
		this.#attempt++;
		this.#socket = null;
		this.#open = false;
		this.#retry.clear();
		this.#handshake.clear();
		this.#stable.clear();
		return socket;
	}
}

function close(socket: Socket | null, code: number): void {
	try {
		socket?.close(code);
	} catch {
		// Some implementations do not like it before the socket is open.
	}
}

// SPDX-License-Identifier: MIT
//
// One socket after the other: dials, finds out why a socket closed, and dials again when that is due,
// without end, until stopped or told that coming back is of no use. Knows nothing of messages.

import { Backoff } from './backoff.js';
import { closingOf } from './closing.js';
import type { Word } from './closing.js';
import { Timer } from './environment.js';
import type { Environment, Socket, SocketConstructor } from './environment.js';
import { WebSocketStatus } from './types.js';
import type { Unsubscribe } from './types.js';
import type { ManagerOptions } from './options.js';

export interface DialerHooks {
	/** Calls `open` when it has what an attempt needs, or the dialer's abandon(). */
	prepare(open: () => void): void;
	address(): string;
	opened(): void;
	received(data: unknown): void;
	/** The server's last word on why it ends this. */
	told(): Word | null;
	/** The socket is gone, and whether its session may be resumed. */
	lost(resumable: boolean): void;
	/** Whoever was let in before wonders whether the connection lives. */
	doubt(): void;
}

/** Who is told of it all. */
export interface DialerOwner {
	options(): ManagerOptions;
	/** `reason`: why it is not connected. */
	status(status: WebSocketStatus, reason?: string): void;
	problem(code: string, message: string): void;
	/** The attempt that was waited for begins. */
	dialling(): void;
	/** A text of that connection, for those who look on. */
	traffic(direction: 'in' | 'out', text: string): void;
	/** Something is under way that a page in the back/forward cache could not go on with. */
	isBusy(): boolean;
}

const HANDSHAKE_MS = 15_000;
/** An attempt that is that old when the network or the page is back hangs; others get as long. */
const HANG_MS = 2_000;
/** A connection that lasted that long was no failure, and the next wait is short again. */
const STABLE_MS = 5_000;
/** A page that was hidden for good and stays all the same comes back by itself. */
const HIDDEN_MS = 10_000;
/** Bad tokens in a row after which asking for another is of no use. */
const AUTH_FAILURES = 5;
/** Neither 1000 nor 1001: those would end the session. */
const GIVEN_UP = 4000;

export class Dialer {
	/** When the next attempt is due, in ms since 1970, while one is waited for. */
	retryAt: number | undefined;
	#socket: Socket | null = null;
	/** Let in on that socket. */
	#open = false;
	/** Counts attempts, so that what belongs to an earlier one can be told. */
	#attempt = 0;
	#begunAt = 0;
	/** Attempts that were not let in, since the last that was. */
	#failures = 0;
	/** Why the attempts fail, where the server could be asked. */
	#refusal: Word | null = null;
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
		this.#backoff = new Backoff(environment, owner.options().backoff);
		this.#retry = new Timer(environment);
		this.#handshake = new Timer(environment);
		this.#stable = new Timer(environment);
	}

	get isOpen(): boolean {
		return this.#open;
	}

	start(): void {
		this.#authFailures = 0;
		this.#backoff.reset();
		if (!this.#stopListening) {
			const ends = [
				this.#environment.onWake(() => this.#wake()),
				this.#environment.onHide((maybeBack) => this.#hide(maybeBack)),
			];
			this.#stopListening = () => ends.forEach((end) => end());
		}
		this.#dial();
	}

	/** Closes in order and stays away. */
	stop(): void {
		close(this.#end(), 1000);
	}

	send(text: string): void {
		this.#owner.traffic('out', text);
		this.#socket?.send(text);
	}

	/** The server has let us in. */
	letIn(): void {
		this.#open = true;
		this.#authFailures = 0;
		this.#failures = 0;
		this.#refusal = null;
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
	abandon(reason: string): void {
		const failed = !this.#open;
		this.#drop(true);
		this.#reconnect(failed, this.#backoff.next(), reason);
	}

	/** Coming back is of no use until somebody asks for it. */
	giveUp(code: string, message: string): void {
		close(this.#end(), 1000);
		this.#hooks.lost(false);
		this.#owner.problem(code, message);
		this.#owner.status(WebSocketStatus.ERROR, code);
	}

	#drop(resumable: boolean): void {
		close(this.#detach(), resumable ? GIVEN_UP : 1000);
		this.#hooks.lost(resumable);
	}

	#isCurrent(attempt: number): boolean {
		return attempt === this.#attempt;
	}

	#dial(): void {
		const attempt = ++this.#attempt;
		this.#begunAt = this.#environment.now();
		this.retryAt = undefined;
		this.#owner.dialling();
		if (!this.#isCurrent(attempt)) {
			return; // whoever was told has ended it
		}
		this.#hooks.prepare(() => {
			if (this.#isCurrent(attempt)) {
				this.#openSocket(attempt);
			}
		});
	}

	#openSocket(attempt: number): void {
		const world = globalThis as { WebSocket?: SocketConstructor };
		const Constructor = this.#owner.options().WebSocket ?? world.WebSocket;
		if (!Constructor) {
			this.giveUp('no_websocket', '');
			return;
		}
		let socket: Socket;
		try {
			socket = new Constructor(this.#hooks.address(), ['praxis.v1']);
		} catch (error) {
			this.giveUp('bad_url', String(error));
			return;
		}
		this.#socket = socket;
		this.#handshake.set(HANDSHAKE_MS, () => this.abandon('timeout'));
		const ifCurrent = (run: () => void) => {
			if (this.#isCurrent(attempt)) {
				run();
			}
		};
		let opened = false;
		socket.onopen = () =>
			ifCurrent(() => {
				opened = true;
				this.#hooks.opened();
			});
		socket.onmessage = ({ data }: { data: unknown }) =>
			ifCurrent(() => this.#hooks.received(data));
		socket.onerror = () => {}; // its `close` says the same
		socket.onclose = ({ code, reason }: { code: number; reason: string }) =>
			ifCurrent(() => this.#closed(code, reason, opened));
	}

	#closed(code: number, text: string, opened: boolean): void {
		const failed = !this.#open;
		const word = closingOf(code, text, this.#hooks.told());
		const { then } = word;
		const drainMs = this.#drainMs;
		const notBeforeMs = Math.max(word.atLeastMs, this.#notBeforeMs);
		this.#drainMs = null;
		this.#notBeforeMs = 0;
		this.#detach();
		this.#hooks.lost(then === 'resume');
		const canAuthenticate = () =>
			this.#owner.options().getToken && ++this.#authFailures <= AUTH_FAILURES;
		if (code === 1000) {
			this.#end();
			this.#owner.status(WebSocketStatus.DISCONNECTED, word.code);
			return;
		}
		if (then === 'never' || (then === 'auth' && !canAuthenticate())) {
			this.giveUp(word.code, word.message);
			return;
		}
		const attempt = this.#attempt;
		if (!failed && word.code !== 'network') {
			this.#owner.problem(word.code, word.message);
		}
		if (!this.#isCurrent(attempt)) {
			return; // whoever was told has begun anew, or ended it
		}
		if (drainMs !== null && (code === 1012 || code === 1001)) {
			this.#reconnect(failed, drainMs, word.code);
			return;
		}
		// A token that has just expired is replaced at once.
		const atOnce = then === 'auth' && !failed;
		const waitMs = Math.max(notBeforeMs, atOnce ? 0 : this.#backoff.next());
		this.#reconnect(failed, waitMs, opened ? word.code : (this.#refusal?.code ?? word.code));
		if (!opened && failed && ++this.#failures === 1) {
			this.#askWhy();
		}
	}

	// A browser does not show the status of an upgrade that was refused.
	#askWhy(): void {
		const url = new URL(this.#hooks.address());
		url.protocol = url.protocol.replace('ws', 'http');
		url.search = '';
		void this.#environment.askWhy(url.href).then((refusal) => {
			if (refusal && this.#failures > 0 && this.#stopListening) {
				this.#refusal = refusal;
				this.#owner.problem(refusal.code, refusal.message);
				this.#owner.status(WebSocketStatus.RECONNECTING, refusal.code);
			}
		});
	}

	#reconnect(failed: boolean, waitMs: number, reason: string): void {
		const attempt = this.#attempt;
		this.#dialIn(waitMs);
		if (failed) {
			this.#owner.status(WebSocketStatus.ERROR, reason);
		}
		if (this.#isCurrent(attempt)) {
			this.#owner.status(WebSocketStatus.RECONNECTING, reason);
		}
	}

	#dialIn(waitMs: number): void {
		this.retryAt = this.#environment.wall() + waitMs;
		this.#retry.set(waitMs, () => this.#dial());
	}

	#wake(): void {
		if (this.#retry.isSet) {
			this.#retry.clear();
			this.#dial();
		} else if (this.#open) {
			this.#hooks.doubt();
		} else if (this.#environment.now() - this.#begunAt >= HANG_MS) {
			this.#drop(true);
			this.#dial();
		} else {
			this.#handshake.set(2 * HANG_MS, () => this.#wake());
		}
	}

	// Browsers keep no page in their back/forward cache that has a connection. The session waits for
	// this one as for any that is away, and ends by itself; a page that goes for good ends it.
	#hide(maybeBack: boolean): void {
		this.#drop(maybeBack && !this.#owner.isBusy());
		this.#dialIn(HIDDEN_MS);
		this.#owner.status(WebSocketStatus.RECONNECTING, 'page_hidden');
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
		this.retryAt = undefined;
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

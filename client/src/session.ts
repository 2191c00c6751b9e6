// SPDX-License-Identifier: MIT
//
// One session with the server, over as many connections as it takes: what both sides count so that
// nothing is lost or doubled when a connection breaks (docs/protocol.md, "Reconnecting"), and
// the pings that find out whether the other side is still there and what it has taken.

import { Timer } from './environment.js';
import type { Environment } from './environment.js';
import type { ConnectionEstablished, WebSocketMessage } from './types.js';

const REPORT_MESSAGES = 64;
const REPORT_MS = 10_000;
/** A message in flight is asked after when nothing has confirmed it for that long. */
const CONFIRM_MS = 1_000;
/** No answer to a ping for that long: the connection is dead. */
const ANSWER_MS = 10_000;
/** The same where there is reason to doubt. */
const DOUBT_MS = 4_000;

export interface SessionHooks {
	/** Puts a text on the wire. */
	write(text: string): void;
	/** The server has taken the first `index` texts. */
	confirmed(index: number): void;
	dead(): void;
}

export class Session {
	readonly clientId: string;
	/** Resumes this session, once; undefined where the server does not offer it. */
	token?: string;
	/** Messages received, `connection_established` and `resumed` not counted. */
	received = 0;
	latencyMs?: number;
	/** Texts sent. */
	#sent: number;
	#reported = 0;
	#ping: { t: string; index: number; at: number } | null = null;
	#pings = 0;
	readonly #heartbeatMs: number;
	readonly #report: Timer;
	readonly #confirm: Timer;
	readonly #idle: Timer;
	readonly #answer: Timer;
	readonly #environment: Environment;
	readonly #hooks: SessionHooks;

	/** `sent`: texts that were sent before the server had said which session this is. */
	constructor(
		established: ConnectionEstablished,
		sent: number,
		environment: Environment,
		hooks: SessionHooks,
	) {
		this.#environment = environment;
		this.#hooks = hooks;
		this.clientId = established.clientId;
		this.token = established.resume?.token;
		this.#sent = sent;
		this.#heartbeatMs = established.heartbeatMs || 25_000;
		this.#report = new Timer(environment);
		this.#confirm = new Timer(environment);
		this.#idle = new Timer(environment);
		this.#answer = new Timer(environment);
		this.#alive();
	}

	/** Sends a text of this session and returns its index. */
	send(text: string): number {
		this.#hooks.write(text);
		return ++this.#sent;
	}

	/** On a new connection; the server has had `received` texts of this session. */
	resume(received: number, token: string | undefined): void {
		this.#sent = received;
		this.token = token;
		this.#ping = null;
		this.#alive();
		// The number in the address has told the server already.
		this.#reported = this.received;
	}

	/** A message came that counts. */
	count(): void {
		this.received++;
		this.#alive();
		if (!this.token) {
			return;
		}
		if (this.received - this.#reported >= REPORT_MESSAGES) {
			this.#tell();
		} else if (!this.#report.isSet) {
			this.#report.set(REPORT_MS, () => this.#tell());
		}
	}

	#alive(): void {
		this.#idle.set(this.#heartbeatMs, () => this.ask());
	}

	/** Something is in flight. */
	awaitConfirmation(): void {
		if (!this.#confirm.isSet && !this.#ping) {
			this.#confirm.set(CONFIRM_MS, () => this.ask());
		}
	}

	/** There is reason to doubt that the connection lives, so the answer must be quick. */
	doubt(): void {
		this.ask();
		this.#answer.set(DOUBT_MS, () => this.#hooks.dead());
	}

	ask(): void {
		this.#confirm.clear();
		this.#idle.clear();
		if (!this.#ping) {
			const t = `px${++this.#pings}`;
			const at = this.#environment.now();
			const index = this.send(JSON.stringify({ type: 'ping', t }));
			this.#ping = { t, index, at };
			this.#answer.set(ANSWER_MS, () => this.#hooks.dead());
		}
	}

	/** True if it was the answer to a ping of this session's own. */
	pong(message: WebSocketMessage): boolean {
		const ping = this.#ping;
		if (!ping || message['t'] !== ping.t) {
			return false;
		}
		this.#ping = null;
		this.#answer.clear();
		this.latencyMs = Math.round(this.#environment.now() - ping.at);
		this.#hooks.confirmed(ping.index);
		return true;
	}

	/** The connection is gone; the session may go on with another. */
	pause(): void {
		[this.#report, this.#confirm, this.#idle, this.#answer].forEach((timer) => timer.clear());
	}

	#tell(): void {
		this.#report.clear();
		this.#reported = this.received;
		this.send(JSON.stringify({ type: 'received', n: this.received }));
	}
}

// SPDX-License-Identifier: MIT
//
// Being let in, and staying in: the server's greeting, the token, the session that is resumed or
// begun anew. Sockets are the dialer's.

import { Dialer } from './dialer.js';
import type { DialerHooks, DialerOwner } from './dialer.js';
import { resolveUrl } from './environment.js';
import type { Environment } from './environment.js';
import { Session } from './session.js';
import type { ConnectionEstablished, User, WebSocketMessage } from './types.js';

export interface ConnectionHooks extends DialerOwner {
	/** A message for the handlers. */
	message(message: WebSocketMessage): void;
	/** Let in: `received` is how many texts of a resumed session the server has; null: a new one. */
	letIn(session: Session, received: number | null): void;
	/** The server has taken the first `index` texts of the session. */
	confirmed(index: number): void;
}

interface Resumed extends WebSocketMessage {
	received?: number;
	resume?: { token: string };
}

export class Connection implements DialerHooks {
	session: Session | null = null;
	established: ConnectionEstablished | null = null;
	user: User | undefined;
	#dialer: Dialer;
	/** The server has said which session this socket is for. */
	#greeted = false;
	/** For the socket that is being opened. */
	#token: string | null = null;
	#authSent = false;
	readonly #environment: Environment;
	readonly #hooks: ConnectionHooks;

	constructor(environment: Environment, hooks: ConnectionHooks) {
		this.#environment = environment;
		this.#hooks = hooks;
		this.#dialer = new Dialer(environment, this, hooks);
	}

	/** Messages may be sent with the session's send(). */
	get isOpen(): boolean {
		return this.#dialer.isOpen;
	}

	start(): void {
		this.#dialer.start();
	}

	stop(): void {
		this.session?.pause();
		this.session = null;
		this.established = null;
		this.user = undefined;
		this.#dialer.stop();
	}

	// ---- before the greeting ----

	prepare(attempt: number, open: () => void): void {
		this.#greeted = false;
		this.#authSent = false;
		this.#token = null;
		// Whether a token is needed on top of a resume token, the greeting tells.
		if (this.session?.token || !this.#hooks.options().getToken) {
			open();
		} else {
			this.#withToken(attempt, (token) => {
				this.#token = token;
				open();
			});
		}
	}

	address(): string {
		const { url: where, query } = this.#hooks.options();
		const url = resolveUrl(where);
		for (const [name, value] of Object.entries(query ?? {})) {
			if (value !== undefined) {
				url.searchParams.set(name, String(value));
			}
		}
		if (this.session?.token) {
			url.searchParams.set('resume', this.session.token);
			url.searchParams.set('received', String(this.session.received));
		}
		return url.href;
	}

	// Asks for a token and goes on with it, unless the attempt is over by then.
	#withToken(attempt: number, next: (token: string | null) => void): void {
		const { getToken } = this.#hooks.options();
		Promise.resolve()
			.then(() => getToken?.())
			.then(
				(token) => {
					if (this.#dialer.isCurrent(attempt)) {
						next(token ?? null);
					}
				},
				(error: unknown) => {
					this.#hooks.problem('no_token', `getToken(): ${String(error)}`);
					if (this.#dialer.isCurrent(attempt) && !this.isOpen) {
						this.#dialer.abandon();
					}
				},
			);
	}

	opened(): void {
		if (this.#token !== null) {
			this.#authSent = true;
			this.#authenticate(this.#token);
		}
	}

	#authenticate(token: string): void {
		const text = JSON.stringify({ type: 'auth', token });
		if (this.#greeted) {
			this.session?.send(text);
		} else {
			this.#dialer.send(text);
		}
	}

	// ---- the greeting ----

	received(data: unknown): void {
		let message: WebSocketMessage;
		try {
			message = JSON.parse(String(data)) as WebSocketMessage;
		} catch {
			this.#hooks.problem('bad_json', '');
			return;
		}
		if (message.type === 'connection_established') {
			this.#begin(message as ConnectionEstablished);
		} else if (message.type === 'resumed') {
			this.#resume(message);
		} else {
			if (this.#greeted) {
				this.session?.count();
			}
			this.#handle(message);
		}
	}

	#begin(established: ConnectionEstablished): void {
		const { getToken } = this.#hooks.options();
		this.#greeted = true;
		this.established = established;
		this.user = established.user;
		this.session = new Session(established, this.#authSent ? 1 : 0, this.#environment, {
			write: (text) => this.#dialer.send(text),
			confirmed: (index) => this.#hooks.confirmed(index),
			dead: () => this.#dialer.abandon(),
		});
		this.#hooks.message(established);
		if (!getToken || (this.user && !this.#authSent)) {
			this.#letIn(null);
		} else if (!this.#authSent) {
			this.#withToken(this.#dialer.attempt, (token) => {
				if (token === null) {
					this.#letIn(null);
				} else {
					this.#authenticate(token);
				}
			});
		}
	}

	#resume(message: Resumed): void {
		const { session } = this;
		if (session) {
			this.#greeted = true;
			session.resume(message.received ?? 0, message.resume?.token);
			this.#hooks.message(message);
			this.#letIn(message.received ?? 0);
		}
	}

	#letIn(received: number | null): void {
		if (!this.isOpen && this.session) {
			this.#dialer.letIn();
			this.#hooks.letIn(this.session, received);
		}
	}

	// ---- while in ----

	#handle(message: WebSocketMessage): void {
		switch (message.type) {
			case 'pong':
				if (this.session?.pong(message)) {
					return;
				}
				break;
			case 'auth_ok':
				this.user = message['user'] as User;
				this.#letIn(null);
				break;
			case 'auth_expiring':
				this.#withToken(this.#dialer.attempt, (token) => {
					if (token !== null) {
						this.#authenticate(token);
					}
				});
				break;
			case 'server_draining':
				this.#dialer.drain(message['reconnectAfterMs'] as number);
				break;
			case 'error':
				if (message['ref'] === 'auth' && !this.isOpen && this.#refused(message)) {
					return;
				}
				break;
		}
		this.#hooks.message(message);
	}

	// The token was refused, and the close that follows says what to do; true: it was not needed.
	#refused(error: WebSocketMessage): boolean {
		if (error['code'] === 'unavailable' && this.user) {
			this.#letIn(null); // a server in open mode
			return true;
		}
		this.#dialer.delay((error['retryAfterMs'] as number | undefined) ?? 0);
		return false;
	}

	doubt(): void {
		this.session?.doubt();
	}

	lost(resumable: boolean): void {
		this.session?.pause();
		if (!resumable && this.session) {
			this.session.token = undefined;
		}
	}
}

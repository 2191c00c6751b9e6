// SPDX-License-Identifier: MIT
//
// Being let in, and staying in: the server's greeting, the token, the session that is resumed or
// begun anew. Sockets are the dialer's.

import { Backoff } from './backoff.js';
import type { Word } from './closing.js';
import { Dialer } from './dialer.js';
import type { DialerHooks, DialerOwner } from './dialer.js';
import { resolveUrl, Timer } from './environment.js';
import type { Environment } from './environment.js';
import { Session } from './session.js';
import type { ConnectionEstablished, ServerError, User, WebSocketMessage } from './types.js';

export interface ConnectionHooks extends DialerOwner {
	/** A message for the handlers. */
	message(message: WebSocketMessage): void;
	/** Let in: `received` is how many texts of a resumed session the server has; null: a new one. */
	letIn(session: Session, received: number | null): void;
	/** The server has taken the first `index` texts of the session. */
	confirmed(index: number): void;
}

/** A token that is not there by then will not come. */
const TOKEN_MS = 10_000;

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
	/** Counts what getToken() is asked, so that an answer to an earlier question can be told. */
	#question = 0;
	#deadline: Timer;
	/** The session's token expires soon, and another is being got. */
	#renewing = false;
	#renewal: Timer;
	#backoff: Backoff;
	#told: Word | null = null;
	readonly #environment: Environment;
	readonly #hooks: ConnectionHooks;

	constructor(environment: Environment, hooks: ConnectionHooks) {
		this.#environment = environment;
		this.#hooks = hooks;
		this.#dialer = new Dialer(environment, this, hooks);
		this.#deadline = new Timer(environment);
		this.#renewal = new Timer(environment);
		this.#backoff = new Backoff(environment, hooks.options().backoff);
	}

	/** When the next attempt is due, in ms since 1970, while one is waited for. */
	get retryAt(): number | undefined {
		return this.#dialer.retryAt;
	}

	/** Messages may be sent with the session's send(). */
	get isOpen(): boolean {
		return this.#dialer.isOpen;
	}

	start(): void {
		this.#dialer.start();
	}

	stop(): void {
		this.#pause();
		this.session = null;
		this.established = null;
		this.user = undefined;
		this.#dialer.stop();
	}

	// ---- before the greeting ----

	prepare(open: () => void): void {
		this.#greeted = false;
		this.#authSent = false;
		this.#token = null;
		this.#told = null;
		// Whether a token is needed on top of a resume token, the greeting tells.
		if (this.session?.token || !this.#hooks.options().getToken) {
			open();
		} else {
			this.#enter((token) => {
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

	#enter(next: (token: string) => void): void {
		this.#withToken(next, () => this.#dialer.abandon('no_token'));
	}

	// Asks for a token and goes on with it, unless something else has happened by then.
	#withToken(next: (token: string) => void, fail: () => void): void {
		const { getToken } = this.#hooks.options();
		const question = ++this.#question;
		const answer = (token?: string | null, error?: string) => {
			if (question !== this.#question) {
				return;
			}
			this.#forget();
			if (token) {
				next(token);
			} else if (error === undefined) {
				this.#dialer.giveUp('logged_out', '');
			} else {
				this.#hooks.problem('no_token', error);
				if (question === this.#question - 1) {
					fail();
				}
			}
		};
		this.#deadline.set(TOKEN_MS, () => answer(null, 'timeout'));
		Promise.resolve()
			.then(() => getToken?.())
			.then(answer, (error: unknown) => answer(null, String(error)));
	}

	// The answer to what was asked last is not needed any more.
	#forget(): void {
		this.#question++;
		this.#deadline.clear();
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
		const text = String(data);
		let message: WebSocketMessage;
		try {
			message = JSON.parse(text) as WebSocketMessage;
		} catch {
			this.#hooks.problem('bad_json', '');
			return;
		}
		this.#hooks.traffic('in', text);
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
		this.#renewing = false;
		this.established = established;
		this.user = established.user;
		this.session = new Session(established, this.#authSent ? 1 : 0, this.#environment, {
			write: (text) => this.#dialer.send(text),
			confirmed: (index) => this.#hooks.confirmed(index),
			dead: () => this.#dialer.abandon('network'),
		});
		this.#hooks.message(established);
		if (!getToken || (this.user && !this.#authSent)) {
			this.#letIn(null);
		} else if (!this.#authSent) {
			this.#enter((token) => this.#authenticate(token));
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
			if (this.#renewing) {
				this.#renew();
			}
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
				this.#told = null;
				this.#renewing = false;
				this.#renewal.clear();
				this.#backoff.reset();
				this.#letIn(null);
				break;
			case 'auth_expiring':
				this.#renewing = true;
				this.#renew();
				break;
			case 'disconnecting':
				this.#told = { code: 'removed', message: (message['reason'] as string) || '' };
				break;
			case 'server_draining':
				this.#dialer.drain(message['reconnectAfterMs'] as number);
				break;
			case 'error':
				if (this.#refused(message as ServerError)) {
					return;
				}
				break;
		}
		this.#hooks.message(message);
	}

	/** Until it works, or the server ends what has expired. */
	#renew(): void {
		this.#withToken(
			(token) => {
				this.#authenticate(token);
				this.#renewLater(TOKEN_MS);
			},
			() => this.#renewLater(0),
		);
	}

	#renewLater(atLeastMs: number): void {
		this.#renewal.set(Math.max(atLeastMs, this.#backoff.next()), () => this.#renew());
	}

	// True: it is no error for anybody here. Of a token that was refused before one was let in, the
	// close that follows says what to do.
	#refused({ code, message, ref, retryAfterMs = 0 }: ServerError): boolean {
		if (ref === 'auth' && code === 'unavailable' && this.user && !this.isOpen) {
			this.#letIn(null); // a server in open mode
			return true;
		}
		if (ref === undefined || ref === 'auth') {
			this.#told = { code, message };
		}
		if (ref === 'auth') {
			if (!this.isOpen) {
				this.#dialer.delay(retryAfterMs);
			} else if (this.#renewing) {
				this.#renewLater(retryAfterMs);
			}
		}
		return false;
	}

	told(): Word | null {
		return this.#told;
	}

	doubt(): void {
		this.session?.doubt();
	}

	#pause(): void {
		this.session?.pause();
		this.#renewal.clear();
		this.#forget();
	}

	lost(resumable: boolean): void {
		this.#pause();
		if (!resumable && this.session) {
			this.session.token = undefined;
		}
	}
}

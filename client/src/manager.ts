// SPDX-License-Identifier: MIT
//
// One connection to Praxis, shared by all services of a page, and the messages that go over it in
// both directions.
//
// Whoever needs the connection holds it under a name (a service, a component, connect() itself);
// it is closed when the last one lets go, so that one service's disconnect() does not cut another's
// call.

import { Bucket } from './bucket.js';
import { Connection } from './connection.js';
import { isSwitchedOn, print, watch } from './debug.js';
import { Emitter } from './emitter.js';
import { steady, theEnvironment, Timer } from './environment.js';
import type { Environment } from './environment.js';
import type { ManagerEvents, ManagerOptions, SendOptions, SessionEvent } from './options.js';
import { Outbox } from './outbox.js';
import type { Lifetime, Settle } from './outbox.js';
import { Services } from './services.js';
import type { Session } from './session.js';
import type { ConnectionStatus } from './status.js';
import { PraxisError, WebSocketStatus } from './types.js';
import type {
	DropReason,
	MessageHandler,
	MessageOf,
	Receipt,
	Received,
	Sent,
	ServerError,
	ServiceConfig,
	StatusHandler,
	Unmapped,
	Unsubscribe,
	User,
	WebSocketMessage,
} from './types.js';

type Messages = Record<string, [message: never]>;

const LINGER_MS = 1_000;

/**
 * `In` and `Out`: messages of services that this package does not know, type → fields, as handlers
 * get them and as they are sent (docs/client.md, "A service of your own").
 */
export class WebSocketManager<In extends object = object, Out extends object = In> {
	#options: ManagerOptions = {};
	#environment: Environment = theEnvironment;
	#now = steady(() => (this.#options.environment?.now ?? theEnvironment.now)());
	#status: ConnectionStatus = { state: WebSocketStatus.DISCONNECTED };
	#unwatch: Unsubscribe | undefined;
	/** Calls under way: they end with the page, so it need not be waited for when it is hidden. */
	readonly calls = new Set<unknown>();
	#holders = new Set<unknown>();
	#services = new Services();
	#hadSession = false;
	#bucket = new Bucket();
	#pace = new Timer(this.#environment);
	#ids = 0;

	#events = new Emitter<ManagerEvents>(this);
	#messages = new Emitter<Messages>(this);
	#interceptors = new Map<string, (message: never) => boolean>();
	#outbox = new Outbox(
		() => ({ messages: 1000, characters: 1 << 20, ...this.#options.queue }),
		(message, reason) => this.#events.emit('dropped', message, reason),
	);
	#connection: Connection;

	constructor(options: ManagerOptions = {}) {
		this.configure(options);
		this.#connection = this.#makeConnection();
	}

	/** Adds to the options. The address, the token and the waits count from the next connect() on. */
	configure(options: ManagerOptions): this {
		this.#options = { ...this.#options, ...options };
		const given = this.#options.environment;
		this.#environment = { ...theEnvironment, ...given, now: this.#now };
		Object.entries(options.services ?? {}).forEach(([id, service]) =>
			this.#services.set(id, service),
		);
		if (options.debug !== undefined) {
			this.#watch();
		}
		return this;
	}

	/** The same manager, as one that knows these messages. */
	typed<M extends object, S extends object = M>(): WebSocketManager<M, S> {
		return this as unknown as WebSocketManager<M, S>;
	}

	get options(): Readonly<ManagerOptions> {
		return this.#options;
	}

	get environment(): Environment {
		return this.#environment;
	}

	// ---- the connection ----

	/** Connects and stays connected, until every holder has let go. */
	connect(holder: unknown = this): void {
		this.#holders.add(holder);
		if ([WebSocketStatus.DISCONNECTED, WebSocketStatus.ERROR].includes(this.getStatus())) {
			this.#watch();
			this.#connection.stop();
			this.#connection = this.#makeConnection();
			this.#pace = new Timer(this.#environment);
			this.#setStatus(WebSocketStatus.CONNECTING);
			this.#connection.start();
		}
	}

	/** Connects where nobody holds the connection, as sending does. */
	ensure(holder: unknown = this): void {
		if (this.#holders.size === 0) {
			this.connect(holder);
		}
	}

	/** Without a holder: for all of them. What is still waiting to be sent is dropped, and told. */
	disconnect(holder?: unknown): void {
		if (holder === undefined) {
			this.#holders.clear();
		} else if (!this.#holders.delete(holder)) {
			return;
		}
		if (this.#holders.size === 0) {
			this.#connection.stop();
			this.#pace.clear();
			this.#hadSession = false;
			this.#outbox.clear('disconnected');
			this.#setStatus(WebSocketStatus.DISCONNECTED);
		}
	}

	/**
	 * Lets go a second later: the next page, or the same component mounted again, finds the
	 * connection that there was.
	 */
	release(holder: unknown): void {
		this.#environment.setTimeout(() => this.disconnect(holder), LINGER_MS);
	}

	/** A new object on each change. */
	get status(): ConnectionStatus {
		return this.#status;
	}

	getStatus(): WebSocketStatus {
		return this.#status.state;
	}

	/** Why it is not connected, where that is known: the server's word, or one of this package. */
	get reason(): string | undefined {
		return this.#status.reason;
	}

	isConnected(): boolean {
		return this.getStatus() === WebSocketStatus.CONNECTED;
	}

	/** This session's id, while there is one. */
	get clientId(): string | undefined {
		return this.#connection.session?.clientId;
	}

	/** Who the server takes this user for. */
	get user(): User | undefined {
		return this.#connection.user;
	}

	/** What the event `session` would say, for those who come late. */
	session(): SessionEvent {
		return {
			clientId: this.clientId ?? '',
			resumed: false,
			again: false,
			services: this.#connection.established?.services ?? [],
			user: this.user,
		};
	}

	/** The last round trip to the server, in ms. */
	get latencyMs(): number | undefined {
		return this.#connection.session?.latencyMs;
	}

	/** How many messages wait for a connection. */
	get queued(): number {
		return this.#outbox.waiting;
	}

	/** Each change of the state. */
	onStatusChange(handler: StatusHandler): Unsubscribe {
		let last = this.getStatus();
		return this.on('status', (state, reason) => {
			if (state !== last) {
				last = state;
				handler(state, reason);
			}
		});
	}

	on<E extends keyof ManagerEvents>(
		event: E,
		handler: (...args: ManagerEvents[E]) => void,
	): Unsubscribe {
		return this.#events.on(event, handler);
	}

	// ---- messages ----

	/** Calls the handler with each message of that type; `*` stands for all types. */
	registerHandler<T extends keyof In & string>(
		type: T,
		handler: MessageHandler<Received<In, T>>,
	): Unsubscribe;
	registerHandler<T extends string>(type: T, handler: MessageHandler<MessageOf<T>>): Unsubscribe;
	registerHandler(type: string, handler: MessageHandler<never>): Unsubscribe {
		return this.#messages.on(type, handler);
	}

	/**
	 * For services: asks before a message of that type is handed to anybody; false keeps it back.
	 * One interceptor a type.
	 */
	intercept<T extends string>(type: T, decide: (message: MessageOf<T>) => boolean): void {
		this.#interceptors.set(type, decide);
	}

	/** For services: hands a message to the handlers, as if it had just come. */
	deliver(message: WebSocketMessage): void {
		const { type } = message;
		if (this.isEnabled(type) && this.#interceptors.get(type)?.(message as never) !== false) {
			this.#messages.emit(type, message as never);
			this.#messages.emit('*', message as never);
		}
	}

	/** The types that somebody listens to. */
	getActiveHandlers(): string[] {
		return this.#messages.events.sort();
	}

	/** Sends, or keeps until there is a connection. False: refused, and `dropped` says why. */
	sendMessage<T extends keyof Out & string>(
		message: Sent<Out, T>,
		options?: SendOptions,
	): boolean;
	sendMessage<T extends string>(message: Unmapped<Out, T>, options?: SendOptions): boolean;
	sendMessage(message: WebSocketMessage, { lifetime = 'always' }: SendOptions = {}): boolean {
		const asking = lifetime === 'always' && message.type !== 'ping';
		return this.#post(asking ? this.#ask(message) : message, lifetime) === null;
	}

	/** The same, with the server's receipt; rejects with a PraxisError. */
	send<T extends keyof Out & string>(
		message: Sent<Out, T>,
		options?: SendOptions,
	): Promise<Receipt>;
	send<T extends string>(message: Unmapped<Out, T>, options?: SendOptions): Promise<Receipt>;
	send(message: WebSocketMessage, { lifetime = 'always' }: SendOptions = {}): Promise<Receipt> {
		return new Promise((resolve, reject) => {
			const settle = (outcome: Receipt | PraxisError) =>
				outcome instanceof PraxisError ? reject(outcome) : resolve(outcome);
			const refusal = this.#post(this.#ask(message), lifetime, settle);
			if (refusal) {
				reject(new PraxisError(refusal, undefined, { ref: message.type }));
			}
		});
	}

	// ---- services ----

	registerService(id: string, service: ServiceConfig): void {
		this.#services.set(id, service);
	}

	/** Its messages are sent and handled; false: there is no such service. */
	enableService(id: string): boolean {
		return this.#services.enable(id, true);
	}

	/** Its messages are neither sent nor handled on this page. The server is not told. */
	disableService(id: string): boolean {
		return this.#services.enable(id, false);
	}

	/** By the prefix of their messages; a copy. */
	getServices(): Record<string, ServiceConfig> {
		return this.#services.all();
	}

	/** Are messages of that type sent and handled? */
	isEnabled(type: string): boolean {
		return this.#services.isEnabled(type);
	}

	// ---- inside ----

	#makeConnection(): Connection {
		return new Connection(this.#environment, {
			options: () => this.#options,
			message: (message) => this.#received(message),
			letIn: (session, received) => this.#letIn(session, received),
			confirmed: (index) => {
				this.#outbox.confirm(index);
				this.#flush();
			},
			status: (status, reason) => this.#setStatus(status, reason),
			dialling: () => this.#setStatus(this.getStatus(), this.reason),
			traffic: (direction, text) => this.#traffic(direction, text),
			isBusy: () => this.calls.size > 0,
			problem: (code, text) => this.#events.emit('problem', new PraxisError(code, text)),
		});
	}

	#ask(message: WebSocketMessage): WebSocketMessage {
		return { ...message, id: message.id ?? `px${++this.#ids}` };
	}

	// Returns why it was refused, or null.
	#post(message: WebSocketMessage, lifetime: Lifetime, settle?: Settle): DropReason | null {
		const text = JSON.stringify(message);
		const most = this.#connection.established?.maxMessageBytes ?? 65_536;
		let refusal: DropReason | null = null;
		if (!this.isEnabled(message.type)) {
			refusal = 'service_disabled';
		} else if (new TextEncoder().encode(text).length > most) {
			refusal = 'too_large';
		}
		if (refusal) {
			this.#events.emit('dropped', message, refusal);
		} else {
			this.#outbox.push(message, text, lifetime, this.user?.userId, settle);
			// A leave, or a join that is made again in each session, is no reason to connect.
			if (lifetime !== 'restored') {
				this.ensure();
			}
			this.#flush();
		}
		return refusal;
	}

	#flush(): void {
		const { session, isOpen } = this.#connection;
		if (isOpen && session) {
			const limit = { burst: 400, perSecond: 90, ...this.#options.rate };
			const wait = this.#outbox.flush(
				({ length }) =>
					this.#bucket.take(Math.max(1, length / 2_000), this.#environment.now(), limit),
				(text) => session.send(text),
			);
			if (wait > 0) {
				this.#pace.set(Math.ceil(wait), () => this.#flush());
			}
			if (this.#outbox.flying > 0) {
				session.awaitConfirmation();
			}
		}
		this.#outbox.trim();
	}

	#letIn(session: Session, received: number | null): void {
		const resumed = received !== null;
		const again = this.#hadSession;
		this.#hadSession = true;
		if (resumed) {
			this.#outbox.resumed(received);
		} else {
			this.#outbox.begin(!again, this.user?.userId);
		}
		// What is sent from here comes first, and in the order in which it is sent.
		this.#outbox.ahead(() => {
			this.#events.emit('session', { ...this.session(), resumed, again });
		});
		if (this.#connection.session === session) {
			this.#flush();
			this.#setStatus(WebSocketStatus.CONNECTED);
		}
	}

	#received(message: WebSocketMessage): void {
		if (message.type === 'ack') {
			this.#settle(message, { seq: message['seq'] as number | undefined });
		} else if (message.type === 'error') {
			const error = message as ServerError;
			const told = this.#settle(error, new PraxisError(error.code, error.message, error));
			if (!told && !this.#messages.has('error')) {
				console.warn('praxis:', error.ref, error.code, error.message);
			}
		}
		this.deliver(message);
	}

	#settle({ id }: WebSocketMessage, outcome: Receipt | PraxisError): boolean {
		const told = id !== undefined && this.#outbox.settle(id, outcome);
		this.#flush();
		return told;
	}

	#traffic(direction: 'in' | 'out', text: string): void {
		if (this.#events.has('traffic')) {
			const { type, id } = JSON.parse(text) as WebSocketMessage;
			this.#events.emit('traffic', { direction, type, id, characters: text.length });
		}
	}

	#watch(): void {
		const { debug = isSwitchedOn() } = this.#options;
		this.#unwatch?.();
		this.#unwatch = debug ? watch(this, debug === true ? print : debug) : undefined;
	}

	#setStatus(state: WebSocketStatus, reason?: string): void {
		const last = this.#status;
		const { retryAt } = this.#connection;
		if (state !== last.state || reason !== last.reason || retryAt !== last.retryAt) {
			this.#status = { state, reason, retryAt };
			this.#events.emit('status', state, reason, this.#status);
		}
	}
}

/** A connection of its own, beside the shared `webSocketManager`. */
export function createWebSocketManager<In extends object = object, Out extends object = In>(
	options?: ManagerOptions,
): WebSocketManager<In, Out> {
	return new WebSocketManager(options);
}

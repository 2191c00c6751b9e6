// SPDX-License-Identifier: MIT
//
// What a manager can be told, and what it tells.

import type { RateLimit } from './bucket.js';
import type { BackoffOptions } from './backoff.js';
import type { DebugPrinter } from './debug.js';
import type { Environment, SocketConstructor } from './environment.js';
import type { Lifetime, QueueLimits } from './outbox.js';
import type { ConnectionStatus } from './status.js';
import type {
	DropReason,
	Id,
	PraxisError,
	ServiceConfig,
	User,
	WebSocketMessage,
	WebSocketStatus,
} from './types.js';

export interface ManagerOptions {
	/** Absolute, or relative to the page. Without it: see docs/client.md, "Where the server is". */
	url?: string;
	/** More of the address: in open mode `practiceId`, `userId`, `userName`, `role`. */
	query?: Record<string, string | number | undefined>;
	/** A JWT for this user, asked for whenever one is needed; never put into an address. */
	getToken?: () => string | null | undefined | Promise<string | null | undefined>;
	/** The class of the socket, where there is none in the global scope (Node before 22). */
	WebSocket?: SocketConstructor;
	/** Services beside whiteboard and telemedicine, by the prefix of their messages. */
	services?: Record<string, ServiceConfig>;
	/** One second, thirty seconds. */
	backoff?: Partial<BackoffOptions>;
	/** 1000 messages, 2^20 characters. */
	queue?: Partial<QueueLimits>;
	/**
	 * 400 messages at once, 90 a second in the long run, which a server as it is shipped takes; what
	 * is more waits. One of more than 2000 characters counts as several.
	 */
	rate?: Partial<RateLimit>;
	/** Updates with the same key leave at most once in this time (100). */
	throttleMs?: number;
	/**
	 * Tells the console, or the function, what happens; never what is in a message or a token.
	 * Without it: as `localStorage['praxis:debug']` says when it connects.
	 */
	debug?: boolean | DebugPrinter;
	/** A clock and dice of a test's own. */
	environment?: Partial<Environment>;
}

export interface SendOptions {
	/** How long the message makes sense; "always" unless said otherwise. */
	lifetime?: Lifetime;
}

export interface SessionEvent {
	clientId: string;
	/** Nothing was lost: the session that broke goes on. False: a new one. */
	resumed: boolean;
	/** There was a session before it, and it was lost or resumed. */
	again: boolean;
	/** The services that the server has for it. */
	services: string[];
	user?: User;
}

/** What is told of a message that goes over the wire: nothing of what is in it. */
export interface MessageHead {
	direction: 'in' | 'out';
	type: string;
	id?: Id;
	/** Length of its JSON. */
	characters: number;
}

export interface ManagerEvents {
	/** Any change of `manager.status`; `onStatusChange()` tells of changes of the state alone. */
	status: [state: WebSocketStatus, reason: string | undefined, status: ConnectionStatus];
	/** Each message of the wire, those included that no handler gets. */
	traffic: [head: MessageHead];
	/** Let in. What has to be restored is sent from here, ahead of all that waits. */
	session: [event: SessionEvent];
	/** A message will not get through. */
	dropped: [message: WebSocketMessage, reason: DropReason];
	/** What went wrong with the connection itself, for logs and messages to the user. */
	problem: [error: PraxisError];
}

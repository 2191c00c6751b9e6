// SPDX-License-Identifier: MIT
//
// What travels for the board as shared state, and for presence on it.

import type { Id, Role, WebSocketMessage, WhiteboardUpdate } from './types.js';

declare module './types.js' {
	interface WhiteboardUpdate {
		/** True: the server keeps the data under the key. False: it keeps none any more. */
		keep?: boolean;
	}

	interface WhiteboardSubscribed {
		/**
		 * Where the board's state was asked for: it follows; what was missed follows instead; or no
		 * state is kept.
		 */
		state?: 'follows' | 'recovered' | 'off';
	}

	interface MessageMap {
		whiteboard_presence: WhiteboardPresence;
		whiteboard_seen: WhiteboardSeen;
		whiteboard_state: WhiteboardState;
	}
}

/** What is kept of a practice's board, or a part of it, as it was after the update `seq`. */
export interface WhiteboardState extends WebSocketMessage {
	type: 'whiteboard_state';
	practiceId: Id;
	epoch: string;
	seq: number;
	/** Which part it is, from 1, of how many. */
	part: number;
	parts: number;
	/** The latest update of each key, the oldest first. */
	values: WhiteboardUpdate[];
}

/** A user who looks at a practice's whiteboard, in whatever number of sessions. */
export interface PresentUser {
	userId?: Id;
	userName?: string;
	/** Of a user without an id: the session. */
	clientId?: string;
	role: Role;
	/** In ms since 1970. */
	since: number;
	/** The user has seen everything up to that update; 0: nothing is known. */
	seq: number;
}

/** Who is present: at once, and a moment after each change. */
export interface WhiteboardPresence extends WebSocketMessage {
	type: 'whiteboard_presence';
	practiceId: Id;
	/** All of them; `users` may be fewer. */
	count: number;
	/** Who came first first. */
	users: PresentUser[];
}

export interface SeenUser {
	userId?: Id;
	/** Of a user without an id: the session. */
	clientId?: string;
	seq: number;
}

/** Who of those present has seen more, since this was last told. */
export interface WhiteboardSeen extends WebSocketMessage {
	type: 'whiteboard_seen';
	practiceId: Id;
	users: SeenUser[];
}

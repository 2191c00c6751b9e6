// SPDX-License-Identifier: MIT
//
// What travels, as docs/protocol.md has it, and what the package tells of itself. No code but the
// statuses and the error.

/** An id of a practice, room, appointment or user. 7 and "7" are the same id; it comes back as its owner spelled it. */
export type Id = PraxisTypes extends { id: infer T } ? T : number | string;

/** The same of a room. */
export type RoomId = PraxisTypes extends { roomId: infer T } ? T : number | string;

/**
 * For an application whose ids are all of one kind:
 * `declare module 'praxis-client' { interface PraxisTypes { id: number; roomId: string } }`.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type
export interface PraxisTypes {}

export enum WebSocketStatus {
	/** Not connected, and not about to be. */
	DISCONNECTED = 'disconnected',
	/** The first attempt is under way. */
	CONNECTING = 'connecting',
	/** Connected and let in: messages flow. */
	CONNECTED = 'connected',
	/** The connection was lost, or could not be made; it is tried again by itself. */
	RECONNECTING = 'reconnecting',
	/** An attempt failed (then RECONNECTING follows at once), or coming back is of no use. */
	ERROR = 'error',
}

/** Any message. The server's stamps are there on what it relays. */
export interface WebSocketMessage {
	type: string;
	/** Asks for a receipt; `send()` fills it in. */
	id?: Id;
	/** When the server relayed it, in ms since 1970. */
	timestamp?: number;
	/** Who sent it. */
	clientId?: string;
	practiceId?: Id;
	[field: string]: unknown;
}

export type Role = 'staff' | 'patient' | 'service' | 'admin';

export interface User {
	userId?: Id;
	userName?: string;
	role: Role;
	practices: Id[];
}

export interface ConnectionEstablished extends WebSocketMessage {
	type: 'connection_established';
	clientId: string;
	services: string[];
	protocol: number;
	/** There once the server knows who this is. */
	user?: User;
	resume?: { token: string; graceMs: number };
	/** False where this connection asked for a session that could not be resumed. */
	resumed?: boolean;
	heartbeatMs: number;
	maxMessageBytes: number;
}

/** Who sent a relayed message, as its token says; in open mode the sender's own word. */
interface Sender {
	userId?: Id;
	userName?: string;
}

export interface WhiteboardUpdate extends WebSocketMessage, Sender {
	type: 'whiteboard_update';
	practiceId: Id;
	data?: unknown;
	/** Of updates with the same key only the last one matters. */
	key?: string;
	/** True: the server keeps the data under the key. False: it keeps none any more. */
	keep?: boolean;
	seq: number;
}

export interface WhiteboardSubscribed extends WebSocketMessage {
	type: 'whiteboard_subscribed';
	practiceId: Id;
	epoch: string;
	seq: number;
	recovered: boolean;
	members: number;
	/**
	 * Where the board's state was asked for: it follows; what was missed follows instead; or no
	 * state is kept.
	 */
	state?: 'follows' | 'recovered' | 'off';
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

export interface MediaState {
	audio: boolean;
	video: boolean;
	screen: boolean;
}

/** What all messages about a call have in common. */
export interface RoomMessage extends WebSocketMessage {
	roomId: RoomId;
	appointmentId?: Id;
}

export interface RoomMember {
	clientId: string;
	userId?: Id;
	userName?: string;
	role?: Role;
	media?: MediaState;
}

export interface TelemedicineOffer extends RoomMessage, Sender {
	type: 'telemedicine_offer';
	clientId: string;
	offer: RTCSessionDescriptionInit;
	from: Id;
	to?: Id | string;
}

export interface TelemedicineAnswer extends RoomMessage, Sender {
	type: 'telemedicine_answer';
	clientId: string;
	answer: RTCSessionDescriptionInit;
	from: Id;
	to?: Id | string;
}

export interface TelemedicineIceCandidate extends RoomMessage, Sender {
	type: 'telemedicine_ice_candidate';
	clientId: string;
	/** null: there will be no more. */
	candidate: RTCIceCandidateInit | null;
	from: Id;
	to?: Id | string;
}

export interface TelemedicineUserJoined extends RoomMessage, Sender {
	type: 'telemedicine_user_joined';
	clientId: string;
	/** The server's word, as in `members` of `telemedicine_room_joined`. */
	role?: Role;
	media?: MediaState;
}

export type LeaveReason = 'left' | 'disconnected' | 'removed' | 'ended';

export interface TelemedicineUserLeft extends RoomMessage {
	type: 'telemedicine_user_left';
	clientId: string;
	userId?: Id;
	userName?: string;
	reason: LeaveReason;
}

export interface TelemedicineChatMessage extends RoomMessage, Sender {
	type: 'telemedicine_chat_message';
	clientId: string;
	message: string;
	from: string;
	fromUserId?: Id;
}

export interface TelemedicineMediaState extends RoomMessage, MediaState, Sender {
	type: 'telemedicine_media_state';
	clientId: string;
}

export interface TelemedicineTyping extends RoomMessage, Sender {
	type: 'telemedicine_typing';
	clientId: string;
	typing: boolean;
}

export interface TelemedicineRoomJoined extends RoomMessage {
	type: 'telemedicine_room_joined';
	/** One's own. */
	clientId: string;
	/** The clientIds of all who are in the room, one's own too, in the order in which they joined. */
	participants: string[];
	/** The others, in the same order. */
	members: RoomMember[];
	iceServers: RTCIceServer[];
	/** What was said last. */
	chat: TelemedicineChatMessage[];
}

export interface TelemedicineIceServers extends WebSocketMessage {
	type: 'telemedicine_ice_servers';
	/** As it was asked for. */
	roomId?: RoomId;
	iceServers: RTCIceServer[];
	/** When credentials among them end, in ms since 1970. */
	expiresAt?: number;
}

export interface TelemedicineWaiting extends RoomMessage {
	type: 'telemedicine_waiting';
	/** 1 is next. */
	position: number;
	/** In ms since 1970. */
	since: number;
}

/** Somebody who waits to be let in. */
export interface WaitingMember {
	clientId: string;
	userId?: Id;
	userName?: string;
	appointmentId?: Id;
	/** In ms since 1970. */
	since: number;
}

/** For the team in the room: who waits before it, who came first first. */
export interface TelemedicineWaitingList extends WebSocketMessage {
	type: 'telemedicine_waiting_list';
	roomId: RoomId;
	waiting: WaitingMember[];
}

/** The waiting is over, and one was not let in. */
export interface TelemedicineDenied extends RoomMessage {
	type: 'telemedicine_denied';
	code: 'denied' | 'ended' | 'expired' | 'replaced' | 'removed';
	/** For the patient. */
	reason?: string;
}

/** Made by this package: updates were missed for good, the practice's data has to be loaded anew. */
export interface WhiteboardReload extends WebSocketMessage {
	type: 'whiteboard_reload';
	practiceId: Id;
}

/** Made by this package: why a room was not joined. */
export interface TelemedicineJoinRefused extends RoomMessage {
	type: 'telemedicine_join_refused';
	code: string;
	message: string;
}

export interface ServerError extends WebSocketMessage {
	type: 'error';
	code: string;
	message: string;
	/** The type of the message that was refused. */
	ref?: string;
	/** The field that it was refused for. */
	field?: string;
	retryAfterMs?: number;
}

/** type → message, for handlers; other types are `WebSocketMessage`. */
export interface MessageMap {
	connection_established: ConnectionEstablished;
	error: ServerError;
	telemedicine_answer: TelemedicineAnswer;
	telemedicine_chat_message: TelemedicineChatMessage;
	telemedicine_denied: TelemedicineDenied;
	telemedicine_ice_candidate: TelemedicineIceCandidate;
	telemedicine_ice_servers: TelemedicineIceServers;
	telemedicine_join_refused: TelemedicineJoinRefused;
	telemedicine_media_state: TelemedicineMediaState;
	telemedicine_offer: TelemedicineOffer;
	telemedicine_room_joined: TelemedicineRoomJoined;
	telemedicine_typing: TelemedicineTyping;
	telemedicine_user_joined: TelemedicineUserJoined;
	telemedicine_user_left: TelemedicineUserLeft;
	telemedicine_waiting: TelemedicineWaiting;
	telemedicine_waiting_list: TelemedicineWaitingList;
	whiteboard_presence: WhiteboardPresence;
	whiteboard_reload: WhiteboardReload;
	whiteboard_seen: WhiteboardSeen;
	whiteboard_state: WhiteboardState;
	whiteboard_subscribed: WhiteboardSubscribed;
	whiteboard_update: WhiteboardUpdate;
}

export type MessageOf<T extends string> = T extends keyof MessageMap
	? MessageMap[T]
	: WebSocketMessage;

/** What the package or the server adds to any message. */
export interface MessageStamps {
	id?: Id;
	timestamp?: number;
	clientId?: string;
	practiceId?: Id;
}

/** A message of an application's own map (type → its fields), as handlers get it. */
export type Received<Messages, T extends keyof Messages> = { type: T } & Messages[T] &
	MessageStamps;

/** The same, as it is sent: what the server stamps may be left out of the map. */
export type Sent<Messages, T extends keyof Messages> = { type: T; id?: Id } & Messages[T];

/** A message of any type that the map does not have. */
export type Unmapped<Messages, T extends string> = WebSocketMessage & {
	type: T extends keyof Messages ? never : T;
};

export type MessageHandler<M = WebSocketMessage> = (message: M) => void;
export type StatusHandler = (status: WebSocketStatus, reason?: string) => void;

/** Ends what it was returned for; calling it again does nothing. */
export type Unsubscribe = () => void;

export interface ServiceConfig {
	/** For people. */
	name: string;
	/** Beside those that begin with its id and `_`. */
	messageTypes: string[];
	enabled: boolean;
}

/** The server's receipt. */
export interface Receipt {
	/** The number that a whiteboard update got. */
	seq?: number;
}

/** Why a message did not get through. */
export type DropReason =
	/** The queue was full, and this was the oldest message in it. */
	| 'queue_full'
	/** Larger than the server takes. */
	| 'too_large'
	/** `disconnect()` was called before it was sent or confirmed. */
	| 'disconnected'
	/** Its service is disabled here. */
	| 'service_disabled'
	/** Another user has logged in before it was sent. */
	| 'other_user'
	/** Signalling of a session that is gone: it means nothing in the next one. */
	| 'session_lost';

/** What `send()` rejects with: the server's `error`, or a reason of this package as `code`. */
export class PraxisError extends Error {
	override name = 'PraxisError';
	/** The type of the message that it is about. */
	declare readonly ref?: string;
	declare readonly field?: string;
	declare readonly retryAfterMs?: number;

	constructor(
		readonly code: string,
		message = '',
		more: { ref?: string; field?: string; retryAfterMs?: number } = {},
	) {
		super(message || code);
		Object.assign(this, more);
	}

	/** Also for one that was made by another copy of this package (see once.ts). */
	static override [Symbol.hasInstance](error: unknown): error is PraxisError {
		return error instanceof Error && error.name === 'PraxisError';
	}
}

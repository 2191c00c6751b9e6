// SPDX-License-Identifier: MIT
//
// The signalling of video calls: rooms, offers and answers, chat. The rooms that were joined are
// joined again when a session was lost, and what was said meanwhile is passed on then.
// A whole call, media included, is `call()`.

import { TelemedicineCall } from './call.js';
import type { CallOptions } from './call-types.js';
import { keptCall } from './restore.js';
import type { SavedCall } from './restore.js';
import type { WebSocketManager } from './manager.js';
import type { SessionEvent } from './options.js';
import { OwnIds } from './recovery.js';
import type { Lifetime } from './outbox.js';
import { Service } from './service.js';
import type {
	Id,
	MediaState,
	MessageHandler,
	MessageMap,
	RoomId,
	PraxisError,
	TelemedicineChatMessage,
	TelemedicineRoomJoined,
	Unsubscribe,
	WebSocketMessage,
} from './types.js';

interface Room {
	join: WebSocketMessage;
	media?: WebSocketMessage;
	/** The server has let us in once, so its chat is known up to what is in `seen`. */
	joined: boolean;
	seen: Set<string>;
}

/** More than the server keeps of a room's chat. */
const SEEN = 256;

const trace = (chat: TelemedicineChatMessage) =>
	JSON.stringify([chat.clientId, chat.timestamp, chat.message]);

export class TelemedicineWebSocketService extends Service {
	#rooms = new Map<string, Room>();
	#own = new OwnIds();

	constructor(manager: WebSocketManager) {
		super(manager, 'telemedicine');
	}

	/**
	 * Ends its handlers and lets go of the connection; other services keep it. Leaves no room: see
	 * `leaveRoom()`.
	 */
	override disconnect(): void {
		super.disconnect();
		if (!this.manager.isConnected()) {
			this.#rooms.clear();
		}
	}

	/** A whole call: media, negotiation and all. Joins at once. */
	call(options: CallOptions): TelemedicineCall {
		return new TelemedicineCall(this, options);
	}

	/**
	 * The call that this tab's page was left in, less than a minute ago; null: none. To go on with
	 * it, give it to `call()` with a stream, or use `restore()`.
	 */
	savedCall(maxAgeMs = 60_000): SavedCall | null {
		return keptCall(this.manager.environment.wall() - maxAgeMs);
	}

	/** After a reload: the call that the page was in goes on, with the same media switched on. */
	restore(more: Partial<CallOptions> = {}): TelemedicineCall | null {
		const saved = this.savedCall();
		return saved && this.call({ ...saved, ...more });
	}

	// ---- rooms ----

	joinRoom(
		roomId: RoomId,
		appointmentId: Id,
		userId: Id,
		userName: string,
		more?: Record<string, unknown>,
	): boolean {
		this.listen();
		const join = {
			...more,
			type: 'telemedicine_user_joined',
			roomId,
			appointmentId,
			userId,
			userName,
		};
		this.#rooms.set(String(roomId), { join, joined: false, seen: new Set() });
		this.manager.ensure(this);
		return this.#join(join);
	}

	leaveRoom(roomId: RoomId, appointmentId: Id, userId: Id): boolean {
		this.#rooms.delete(String(roomId));
		return this.#send(
			{ type: 'telemedicine_user_left', roomId, appointmentId, userId },
			'restored',
		);
	}

	// ---- signalling ----

	/** `from` is the sender's user id; `to` a clientId or a user id, else all others get it. */
	sendOffer(
		roomId: RoomId,
		appointmentId: Id,
		offer: RTCSessionDescriptionInit,
		from: Id | string,
		to?: Id | string,
	): boolean {
		return this.#send({ type: 'telemedicine_offer', roomId, appointmentId, offer, from, to });
	}

	sendAnswer(
		roomId: RoomId,
		appointmentId: Id,
		answer: RTCSessionDescriptionInit,
		from: Id | string,
		to?: Id | string,
	): boolean {
		return this.#send({ type: 'telemedicine_answer', roomId, appointmentId, answer, from, to });
	}

	sendIceCandidate(
		roomId: RoomId,
		appointmentId: Id,
		candidate: RTCIceCandidateInit | null,
		from: Id | string,
		to?: Id | string,
	): boolean {
		return this.#send({
			type: 'telemedicine_ice_candidate',
			roomId,
			appointmentId,
			candidate,
			from,
			to,
		});
	}

	sendChatMessage(
		roomId: RoomId,
		appointmentId: Id,
		message: string,
		from: Id | string,
		fromUserId: Id,
	): boolean {
		return this.#send(
			{ type: 'telemedicine_chat_message', roomId, appointmentId, message, from, fromUserId },
			'always',
		);
	}

	/** Kept by the server for those who join later, and here for the next session. */
	sendMediaState(roomId: RoomId, media: MediaState): boolean {
		const message = { ...media, type: 'telemedicine_media_state', roomId };
		const room = this.#rooms.get(String(roomId));
		if (room) {
			room.media = message;
		}
		return this.#send(message, 'restored');
	}

	/** Whether this user is writing for the chat: tells the others, nothing is kept. */
	sendTyping(roomId: RoomId, typing: boolean): boolean {
		return this.#send({ type: 'telemedicine_typing', roomId, typing });
	}

	/** Answered with `onIceServers`. */
	requestIceServers(roomId?: RoomId): boolean {
		return this.#send({ type: 'telemedicine_ice_servers', roomId });
	}

	// ---- for staff ----

	admit(roomId: RoomId, clientId: string): boolean {
		return this.#send({ type: 'telemedicine_admit', roomId, clientId });
	}

	/** `reason` is for the patient. */
	deny(roomId: RoomId, clientId: string, reason?: string): boolean {
		return this.#send({ type: 'telemedicine_deny', roomId, clientId, reason });
	}

	remove(roomId: RoomId, clientId: string): boolean {
		return this.#send({ type: 'telemedicine_remove', roomId, clientId });
	}

	end(roomId: RoomId): boolean {
		return this.#send({ type: 'telemedicine_end', roomId });
	}

	// ---- listening ----

	readonly onOffer = this.#on('telemedicine_offer');
	readonly onAnswer = this.#on('telemedicine_answer');
	readonly onIceCandidate = this.#on('telemedicine_ice_candidate');
	readonly onUserJoined = this.#on('telemedicine_user_joined');
	readonly onUserLeft = this.#on('telemedicine_user_left');
	/** Each message of others once; not what was said before one joined, see `onRoomJoined`. */
	readonly onChatMessage = this.#on('telemedicine_chat_message');
	readonly onTyping = this.#on('telemedicine_typing');
	readonly onMediaState = this.#on('telemedicine_media_state');
	readonly onRoomJoined = this.#on('telemedicine_room_joined');
	readonly onIceServers = this.#on('telemedicine_ice_servers');
	readonly onWaiting = this.#on('telemedicine_waiting');
	readonly onWaitingList = this.#on('telemedicine_waiting_list');
	readonly onDenied = this.#on('telemedicine_denied');
	/** The server did not let us into a room, now or when it was to be restored. */
	readonly onJoinRefused = this.#on('telemedicine_join_refused');

	// ---- inside ----

	#on<T extends keyof MessageMap>(type: T) {
		return (handler: MessageHandler<MessageMap[T]>): Unsubscribe => this.on(type, handler);
	}

	protected override start(): void {
		const { manager } = this;
		manager.on('session', (event) => this.#session(event));
		manager.intercept('telemedicine_chat_message', (message) => this.#isNew(message));
		manager.registerHandler('telemedicine_room_joined', (message) => this.#joined(message));
		manager.registerHandler('telemedicine_user_left', ({ roomId, clientId }) => {
			if (clientId === manager.clientId) {
				this.#rooms.delete(String(roomId));
			}
		});
		manager.registerHandler('telemedicine_denied', ({ roomId }) => {
			this.#rooms.delete(String(roomId));
		});
	}

	#session({ clientId, resumed }: SessionEvent): void {
		this.#own.add(clientId);
		if (!resumed) {
			this.#rooms.forEach(({ join }) => this.#join(join));
		}
	}

	#join(join: WebSocketMessage): boolean {
		if (!this.manager.isEnabled(join.type)) {
			return this.#send(join, 'restored');
		}
		this.manager.send(join, { lifetime: 'restored' }).catch((reason: unknown) => {
			const error = reason as PraxisError;
			const roomId = join['roomId'] as RoomId;
			const current = this.#rooms.get(String(roomId))?.join === join;
			if (current && error.code !== 'session_lost' && error.code !== 'disconnected') {
				this.#rooms.delete(String(roomId));
				const { code, message } = error;
				this.manager.deliver({ type: 'telemedicine_join_refused', roomId, code, message });
			}
		});
		return true;
	}

	#joined({ roomId, chat }: TelemedicineRoomJoined): void {
		const room = this.#rooms.get(String(roomId));
		if (!room) {
			return;
		}
		const missed = chat.filter((message) => !room.seen.has(trace(message)));
		if (room.joined) {
			missed.forEach((message) => this.manager.deliver(message));
			if (room.media) {
				this.#send(room.media, 'restored');
			}
		} else {
			missed.forEach((message) => room.seen.add(trace(message)));
			room.joined = true;
		}
	}

	// A message of the chat, live or of what the room has kept: is it to be passed on?
	#isNew(message: TelemedicineChatMessage): boolean {
		const seen = this.#rooms.get(String(message.roomId))?.seen;
		if (this.#own.has(message.clientId) || seen?.has(trace(message))) {
			return false;
		}
		seen?.add(trace(message));
		if (seen && seen.size > SEEN) {
			seen.delete(seen.values().next().value as string);
		}
		return true;
	}

	#send(message: WebSocketMessage, lifetime: Lifetime = 'session'): boolean {
		if (lifetime !== 'restored') {
			this.manager.ensure(this);
		}
		return this.manager.sendMessage(message, { lifetime });
	}
}

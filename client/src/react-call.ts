// SPDX-License-Identifier: MIT
//
// React hooks of a call that is under way: its chat, its state, and the waiting room before it. They
// observe; the call is made by useTelemedicineCall() or by the application.

import { telemedicineService } from './index.js';
import type {
	CallChatMessage,
	CallEvents,
	CallMember,
	CallSelf,
	CallState,
	EndReason,
	MediaState,
	Receipt,
	RoomId,
	TelemedicineCall,
	TelemedicineDenied,
	TelemedicineWebSocketService,
	WaitingMember,
	WebSocketManager,
} from './index.js';
import { useCallback, useEffect, useReducer, useState } from 'react';

/** Renders again whenever one of these events comes; what is shown is read from the call itself. */
function useEvents(call: TelemedicineCall | null, events: readonly (keyof CallEvents)[]): void {
	const [, show] = useReducer((count: number) => count + 1, 0);
	useEffect(() => {
		const ends = events.map((event) => call?.on(event, show));
		show(); // what came between rendering and now
		return () => ends.forEach((end) => end?.());
	}, [call, events]);
}

export interface CallStatus {
	state: CallState | 'idle';
	endReason: EndReason | undefined;
	/** Place in the line while waiting to be let in; 1 is next. */
	position: number | undefined;
	members: readonly CallMember[];
	activeSpeaker: CallMember | null;
	/** What the others see and hear of oneself. */
	media: MediaState;
	/** Whether one speaks, and how well the others receive it. */
	self: CallSelf;
}

const STATUS = ['state', 'members', 'activeSpeaker', 'media', 'self'] as const;
const OFF: MediaState = { audio: false, video: false, screen: false };
const NOBODY: CallSelf = { speaking: false };

/** All that a stage shows; null: no call, `idle`. */
export function useCallStatus(call: TelemedicineCall | null): CallStatus {
	useEvents(call, STATUS);
	return {
		state: call?.state ?? 'idle',
		endReason: call?.endReason,
		position: call?.position,
		members: call?.members ?? [],
		activeSpeaker: call?.activeSpeaker ?? null,
		media: call?.media ?? OFF,
		self: call?.self ?? NOBODY,
	};
}

export interface Chat {
	/** Earlier ones and one's own included; `localId` is a stable key. */
	messages: readonly CallChatMessage[];
	/** Who is writing now. */
	typing: readonly CallMember[];
	/** What becomes of it is in `messages`. */
	send: (message: string) => void;
	/** Sends one again whose state is `failed`. */
	retry: (localId: string) => void;
	/** To be called with each key. */
	setTyping: (on: boolean) => void;
}

const CHAT = ['chat', 'chatState', 'members', 'state'] as const;

export function useChat(call: TelemedicineCall | null): Chat {
	useEvents(call, CHAT);
	return {
		messages: call?.chat ?? [],
		typing: call?.members.filter(({ typing }) => typing) ?? [],
		send: useCallback((message) => void call?.sendChat(message).catch(() => {}), [call]),
		retry: useCallback((localId) => void call?.retryChat(localId).catch(() => {}), [call]),
		setTyping: useCallback((on) => call?.setTyping(on), [call]),
	};
}

export interface WaitingRoom {
	/** For who waits: the place in the line, 1 is next; undefined: does not wait. */
	position: number | undefined;
	isNext: boolean;
	/** Why the waiting is over without being let in; null: it is not. */
	denied: Pick<TelemedicineDenied, 'code' | 'reason'> | null;
	/** For staff in the room: who waits, longest first. */
	waiting: readonly WaitingMember[];
	/** Rejects with a PraxisError: `no_such_peer`, `room_full`, `forbidden` … */
	admit: (clientId: string) => Promise<Receipt>;
	/** `reason` is for the patient. */
	deny: (clientId: string, reason?: string) => Promise<Receipt>;
}

interface Line {
	position?: number;
	denied: WaitingRoom['denied'];
	waiting: readonly WaitingMember[];
}

const EMPTY: Line = { denied: null, waiting: [] };

/** A call that is there already has heard what a hook that comes later has not. */
function lineOf({ calls }: WebSocketManager, roomId: RoomId): Line {
	const all = [...(calls as Set<TelemedicineCall>)];
	const call = all.find((one) => String(one.roomId) === String(roomId));
	return call ? { ...EMPTY, position: call.position, waiting: call.waiting } : EMPTY;
}

/**
 * The waiting room of a room that one is in, or waits for. Without a call, by `joinRoom()`, it has
 * to be mounted before that.
 */
export function useWaitingRoom(
	roomId: RoomId,
	service: TelemedicineWebSocketService = telemedicineService,
): WaitingRoom {
	const { manager } = service;
	const [{ position, denied, waiting }, setLine] = useState(() => lineOf(manager, roomId));
	useEffect(() => {
		const change = (id: RoomId, changes: Partial<Line>) => {
			if (String(id) === String(roomId)) {
				setLine((line) => ({ ...line, ...changes }));
			}
		};
		setLine(lineOf(manager, roomId));
		// Not the service's own handlers: its disconnect() would end them.
		const ends = [
			manager.registerHandler('telemedicine_waiting', ({ roomId: id, position: place }) =>
				change(id, { position: place, denied: null }),
			),
			manager.registerHandler('telemedicine_denied', ({ roomId: id, code, reason }) =>
				change(id, { position: undefined, denied: { code, reason } }),
			),
			manager.registerHandler('telemedicine_room_joined', ({ roomId: id }) =>
				change(id, { position: undefined, denied: null }),
			),
			manager.registerHandler('telemedicine_waiting_list', ({ roomId: id, waiting: all }) =>
				change(id, { waiting: all }),
			),
		];
		return () => ends.forEach((end) => end());
	}, [manager, roomId]);
	return {
		position,
		isNext: position === 1,
		denied,
		waiting,
		admit: useCallback(
			(clientId) => manager.send({ type: 'telemedicine_admit', roomId, clientId }),
			[manager, roomId],
		),
		deny: useCallback(
			(clientId, reason) =>
				manager.send({ type: 'telemedicine_deny', roomId, clientId, reason }),
			[manager, roomId],
		),
	};
}

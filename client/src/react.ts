// SPDX-License-Identifier: MIT
//
// React hooks on the package's shared connection, or on the manager and services given. Effects
// only: rendering on a server connects nothing.

import {
	telemedicineService,
	webSocketManager,
	WebSocketStatus,
	whiteboardService,
} from './index.js';
import type {
	CallMember,
	CallOptions,
	CallState,
	EndReason,
	Id,
	MediaState,
	PraxisError,
	Receipt,
	TelemedicineCall,
	TelemedicineChatMessage,
	TelemedicineWebSocketService,
	UpdateOptions,
	WaitingMember,
	WebSocketManager,
	WhiteboardUpdate,
	WhiteboardWebSocketService,
} from './index.js';
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';

export * from './react-board.js';
export * from './react-call.js';

/** The status of the connection; connects nothing. */
export function useWebSocketStatus(manager: WebSocketManager = webSocketManager): WebSocketStatus {
	return useSyncExternalStore(
		useCallback((changed) => manager.onStatusChange(changed), [manager]),
		() => manager.getStatus(),
		() => WebSocketStatus.DISCONNECTED,
	);
}

export { useConnectionStatus } from './react-connection.js';
export type { ConnectionStatusView } from './react-connection.js';

export interface UseWhiteboardOptions {
	/** Each update of others, once and in order. */
	onUpdate?: (update: WhiteboardUpdate) => void;
	/** Updates were missed for good: load the practice's data anew. */
	onReload?: () => void;
	service?: WhiteboardWebSocketService;
}

export interface Whiteboard {
	status: WebSocketStatus;
	/** The latest update of others. */
	lastUpdate: WhiteboardUpdate | null;
	sendUpdate: (data?: unknown, options?: UpdateOptions) => boolean;
	send: (data?: unknown, options?: UpdateOptions) => Promise<Receipt>;
}

/** The whiteboard of a practice; connected while a component uses it. */
export function useWhiteboard(practiceId: Id, options: UseWhiteboardOptions = {}): Whiteboard {
	const { service = whiteboardService } = options;
	const handlers = useLatest(options);
	const [lastUpdate, setLastUpdate] = useState<WhiteboardUpdate | null>(null);
	useEffect(() => {
		const isOurs = (id: Id) => String(id) === String(practiceId);
		const holder = {};
		service.listen();
		const { manager } = service;
		// Not the service's own handlers: its disconnect() would end them.
		const unsubscribe = [
			manager.registerHandler('whiteboard_update', (update) => {
				if (isOurs(update.practiceId)) {
					setLastUpdate(update);
					handlers.current.onUpdate?.(update);
				}
			}),
			manager.registerHandler('whiteboard_reload', (event) => {
				if (isOurs(event.practiceId)) {
					handlers.current.onReload?.();
				}
			}),
		];
		manager.connect(holder);
		return () => {
			unsubscribe.forEach((end) => end());
			service.flush();
			manager.release(holder);
			setLastUpdate(null);
		};
	}, [service, practiceId, handlers]);
	return {
		status: useWebSocketStatus(service.manager),
		lastUpdate,
		sendUpdate: useCallback(
			(data, more) => service.sendWhiteboardUpdate(practiceId, data, more),
			[service, practiceId],
		),
		send: useCallback(
			(data, more) => service.send(practiceId, data, more),
			[service, practiceId],
		),
	};
}

export interface UseTelemedicineCall {
	/** For screen sharing, muting, chat, leaving; null before the call begins. */
	call: TelemedicineCall | null;
	state: CallState | 'idle';
	endReason: EndReason | undefined;
	position: number | undefined;
	members: readonly CallMember[];
	/** For the team: who waits to be let in. */
	waiting: readonly WaitingMember[];
	chat: readonly TelemedicineChatMessage[];
	media: MediaState;
	error: PraxisError | null;
}

const IDLE: UseTelemedicineCall = {
	call: null,
	state: 'idle',
	endReason: undefined,
	position: undefined,
	members: [],
	waiting: [],
	chat: [],
	media: { audio: false, video: false, screen: false },
	error: null,
};

/**
 * A call for as long as options are given and the component is there; null: no call. Another room
 * is another call, another stream is sent in the same one.
 */
export function useTelemedicineCall(
	options: CallOptions | null,
	service: TelemedicineWebSocketService = telemedicineService,
): UseTelemedicineCall {
	const [view, setView] = useState(IDLE);
	const latest = useLatest(options);
	const room = options && JSON.stringify([options.practiceId, options.roomId]);
	const call = useRef<TelemedicineCall | null>(null);
	useEffect(() => {
		if (room === null || !latest.current) {
			return undefined;
		}
		const holder = {};
		service.manager.connect(holder);
		const current = service.call(latest.current);
		call.current = current;
		let error: PraxisError | null = null;
		const show = () => setView(viewOf(current, error));
		const ends = [
			...(['state', 'members', 'waiting', 'chat', 'chatState', 'media'] as const).map(
				(event) => current.on(event, show),
			),
			current.on('error', (latestError) => {
				error = latestError;
				show();
			}),
		];
		show();
		return () => {
			ends.forEach((end) => end());
			current.leave();
			service.manager.release(holder);
			call.current = null;
			setView(IDLE);
		};
	}, [service, room, latest]);
	const stream = options?.stream ?? null;
	const sent = useRef<MediaStream | null>(stream);
	useEffect(() => {
		if (sent.current !== stream) {
			sent.current = stream;
			call.current?.setStream(stream);
		}
	}, [stream]);
	return view;
}

function viewOf(call: TelemedicineCall, error: PraxisError | null): UseTelemedicineCall {
	const { state, endReason, position, members, waiting, chat, media } = call;
	return { call, state, endReason, position, members, waiting, chat, media, error };
}

function useLatest<T>(value: T): { readonly current: T } {
	const ref = useRef(value);
	useEffect(() => {
		ref.current = value;
	});
	return ref;
}

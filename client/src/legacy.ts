// SPDX-License-Identifier: MIT
//
// The functions and types of the older websocket.ts, on the page's one connection. That page names
// the first two; the others are what such a file has besides, so that an import of it need not change.

import { telemedicineService, webSocketManager, whiteboardService } from './shared.js';
import type {
	ConnectionEstablished,
	MessageHandler,
	MessageMap,
	MessageOf,
	ServiceConfig,
	StatusHandler,
	TelemedicineAnswer,
	TelemedicineChatMessage,
	TelemedicineIceCandidate,
	TelemedicineOffer,
	TelemedicineUserJoined,
	TelemedicineUserLeft,
	Unsubscribe,
	WebSocketMessage,
	WebSocketStatus,
	WhiteboardUpdate,
} from './types.js';

/** @deprecated Use `whiteboardService.connect()` or `telemedicineService.connect()`. */
export function connectWebSocket(): void {
	whiteboardService.connect();
	telemedicineService.connect();
}

/** @deprecated Use the `on…()` of the service, or `webSocketManager.registerHandler()`. */
export function registerMessageHandler<T extends string>(
	type: T,
	handler: MessageHandler<MessageOf<T>>,
): Unsubscribe {
	return webSocketManager.registerHandler(type, handler);
}

/** @deprecated Use `disconnect()` of the service, or of `webSocketManager`. */
export function disconnectWebSocket(): void {
	webSocketManager.disconnect();
}

/** @deprecated Use the service, or `webSocketManager.sendMessage()`. */
export function sendMessage(message: WebSocketMessage): boolean {
	return webSocketManager.sendMessage(message);
}

/** @deprecated Use the service, or `webSocketManager.sendMessage()`. */
export function sendWebSocketMessage(message: WebSocketMessage): boolean {
	return webSocketManager.sendMessage(message);
}

/** @deprecated Use `onStatusChange()` of the service, or of `webSocketManager`. */
export function onStatusChange(handler: StatusHandler): Unsubscribe {
	return webSocketManager.onStatusChange(handler);
}

/** @deprecated Use `onStatusChange()` of the service, or of `webSocketManager`. */
export function registerStatusHandler(handler: StatusHandler): Unsubscribe {
	return webSocketManager.onStatusChange(handler);
}

/** @deprecated Use `getStatus()` of the service, or of `webSocketManager`. */
export function getWebSocketStatus(): WebSocketStatus {
	return webSocketManager.getStatus();
}

/** @deprecated Use `webSocketManager.isConnected()`. */
export function isWebSocketConnected(): boolean {
	return webSocketManager.isConnected();
}

/** @deprecated `ServiceConfig`. */
export type WebSocketService = ServiceConfig;
/** @deprecated `ServiceConfig`. */
export type WebSocketServiceConfig = ServiceConfig;
/** @deprecated `MessageHandler`. */
export type WebSocketMessageHandler = MessageHandler;
/** @deprecated `StatusHandler`. */
export type StatusChangeHandler = StatusHandler;
/** @deprecated `StatusHandler`. */
export type WebSocketStatusHandler = StatusHandler;
/** @deprecated `Unsubscribe`. */
export type UnsubscribeFunction = Unsubscribe;
/** @deprecated `keyof MessageMap`. */
export type WebSocketMessageType = keyof MessageMap;
/** @deprecated `ConnectionEstablished`. */
export type ConnectionEstablishedMessage = ConnectionEstablished;
/** @deprecated `WhiteboardUpdate`. */
export type WhiteboardMessage = WhiteboardUpdate;
/** @deprecated `WhiteboardUpdate`. */
export type WhiteboardUpdateMessage = WhiteboardUpdate;
/** @deprecated `TelemedicineOffer`. */
export type TelemedicineOfferMessage = TelemedicineOffer;
/** @deprecated `TelemedicineAnswer`. */
export type TelemedicineAnswerMessage = TelemedicineAnswer;
/** @deprecated `TelemedicineIceCandidate`. */
export type TelemedicineIceCandidateMessage = TelemedicineIceCandidate;
/** @deprecated `TelemedicineUserJoined`. */
export type TelemedicineUserJoinedMessage = TelemedicineUserJoined;
/** @deprecated `TelemedicineUserLeft`. */
export type TelemedicineUserLeftMessage = TelemedicineUserLeft;
/** @deprecated The type of the message itself. */
export type TelemedicineMessage =
	| TelemedicineOffer
	| TelemedicineAnswer
	| TelemedicineIceCandidate
	| TelemedicineUserJoined
	| TelemedicineUserLeft
	| TelemedicineChatMessage;

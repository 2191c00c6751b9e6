// SPDX-License-Identifier: MIT
//
// The package: one shared connection, the services on it, and what it takes to make more of them.

import { createWebSocketManager } from './manager.js';
import { TelemedicineWebSocketService } from './telemedicine-service.js';
import type { MessageHandler, MessageOf, Unsubscribe } from './types.js';
import { WhiteboardWebSocketService } from './whiteboard-service.js';

export * from './types.js';
export { createWebSocketManager, WebSocketManager } from './manager.js';
export type { ManagerEvents, ManagerOptions, SendOptions, SessionEvent } from './options.js';
export type { Environment, Socket, SocketConstructor } from './environment.js';
export type { RateLimit } from './bucket.js';
export type { BackoffOptions } from './backoff.js';
export type { Lifetime, QueueLimits } from './outbox.js';
export { WhiteboardWebSocketService } from './whiteboard-service.js';
export type { UpdateOptions } from './whiteboard-service.js';
export { TelemedicineWebSocketService } from './telemedicine-service.js';
export { TelemedicineCall } from './call.js';
export type { CallEvents, CallMember, CallOptions, CallState, EndReason } from './call-types.js';
export type { ConnectionQuality } from './quality.js';

/** The page's connection. */
export const webSocketManager = /* @__PURE__ */ createWebSocketManager();

export const whiteboardService = /* @__PURE__ */ new WhiteboardWebSocketService(webSocketManager);

export const telemedicineService = /* @__PURE__ */ new TelemedicineWebSocketService(
	webSocketManager,
);

// ---- as the first version of the application's websocket.ts had it ----

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

// SPDX-License-Identifier: MIT
//
// The package: one shared connection, the services on it, and what it takes to make more of them.

export * from './legacy.js';
export * from './shared.js';
export * from './types.js';
export { createWebSocketManager, WebSocketManager } from './manager.js';
export type {
	ManagerEvents,
	ManagerOptions,
	MessageHead,
	SendOptions,
	SessionEvent,
} from './options.js';
export { describeStatus } from './status.js';
export type { ConnectionStatus, StatusReason } from './status.js';
export type { DebugPrinter } from './debug.js';
export type { Environment, Socket, SocketConstructor } from './environment.js';
export type { RateLimit } from './bucket.js';
export type { BackoffOptions } from './backoff.js';
export type { Lifetime, QueueLimits } from './outbox.js';
export { WhiteboardWebSocketService } from './whiteboard-service.js';
export type { UpdateOptions } from './whiteboard-service.js';
export { Board, openBoard } from './board.js';
export type { BoardChange, BoardEntry, BoardState } from './board.js';
export { openPresence, Presence } from './presence.js';
export { TelemedicineWebSocketService } from './telemedicine-service.js';
export { describeDeviceError, deviceEvent, listDevices } from './devices.js';
export type { DeviceEvent, DeviceKind, DeviceProblem, Devices } from './devices.js';
export { TelemedicineCall } from './call.js';
export type {
	CallChatMessage,
	CallEvents,
	CallMember,
	CallOptions,
	CallSelf,
	CallState,
	EndReason,
} from './call-types.js';
export type { ConnectionQuality, QualityStep } from './quality.js';
export type { SavedCall } from './restore.js';

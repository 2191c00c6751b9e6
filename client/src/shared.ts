// SPDX-License-Identifier: MIT
//
// The page's connection, and the services on it.

import { createWebSocketManager } from './manager.js';
import { once } from './once.js';
import { TelemedicineWebSocketService } from './telemedicine-service.js';
import { WhiteboardWebSocketService } from './whiteboard-service.js';

/** The page's connection. */
export const webSocketManager = /* @__PURE__ */ once('manager', () => createWebSocketManager());

export const whiteboardService = /* @__PURE__ */ once(
	'whiteboard',
	() => new WhiteboardWebSocketService(webSocketManager),
);

export const telemedicineService = /* @__PURE__ */ once(
	'telemedicine',
	() => new TelemedicineWebSocketService(webSocketManager),
);

// SPDX-License-Identifier: MIT
//
// The connection, for components: why there is none, and when the next attempt is made.

import { describeStatus, webSocketManager, WebSocketStatus } from './index.js';
import type { ConnectionStatus, WebSocketManager } from './index.js';
import { useCallback, useSyncExternalStore } from 'react';

export interface ConnectionStatusView extends ConnectionStatus {
	/** For the user. */
	sentence: string;
}

const ON_A_SERVER: ConnectionStatus = { state: WebSocketStatus.DISCONNECTED };

/** The status with its reason and a sentence for the user; connects nothing. */
export function useConnectionStatus(
	manager: WebSocketManager = webSocketManager,
): ConnectionStatusView {
	const status = useSyncExternalStore(
		useCallback((changed) => manager.on('status', changed), [manager]),
		() => manager.status,
		() => ON_A_SERVER,
	);
	return { ...status, sentence: describeStatus(status) };
}

// Still on the first version: the path without a slash is websocket.ts.
import { connectWebSocket, registerMessageHandler } from '@/lib/websocket';
import type { WebSocketMessage } from '@/lib/websocket';

export function watchPatients(practiceId: number, refresh: () => void): () => void {
	connectWebSocket();
	return registerMessageHandler('whiteboard_update', (message: WebSocketMessage) => {
		if (message.practiceId === practiceId) {
			refresh();
		}
	});
}

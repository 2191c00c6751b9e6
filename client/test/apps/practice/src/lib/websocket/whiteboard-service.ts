import { webSocketManager } from './manager';
import type { MessageHandler, WebSocketStatus, WhiteboardMessage } from './types';

class WhiteboardWebSocketService {
	private ends: (() => void)[] = [];

	connect(): void {
		webSocketManager.connect();
	}

	disconnect(): void {
		this.ends.splice(0).forEach((end) => end());
		webSocketManager.disconnect();
	}

	onWhiteboardUpdate(handler: MessageHandler<WhiteboardMessage>): () => void {
		const end = webSocketManager.registerHandler('whiteboard_update', handler);
		this.ends.push(end);
		return end;
	}

	sendWhiteboardUpdate(practiceId: number, data: unknown): boolean {
		return webSocketManager.sendMessage({ type: 'whiteboard_update', practiceId, data });
	}

	onStatusChange(watcher: (status: WebSocketStatus) => void): () => void {
		return webSocketManager.onStatusChange(watcher);
	}

	getStatus(): WebSocketStatus {
		return webSocketManager.getStatus();
	}
}

export const whiteboardService = new WhiteboardWebSocketService();

import { WebSocketStatus } from './types';
import type { MessageHandler, WebSocketMessage } from './types';

class WebSocketManager {
	private socket: WebSocket | null = null;
	private status = WebSocketStatus.DISCONNECTED;
	private handlers = new Map<string, Set<MessageHandler>>();
	private watchers = new Set<(status: WebSocketStatus) => void>();

	connect(): void {
		if (this.socket) {
			return;
		}
		const socket = new WebSocket(`ws://${location.hostname}:9003/ws`);
		this.socket = socket;
		this.tell(WebSocketStatus.CONNECTING);
		socket.onopen = () => this.tell(WebSocketStatus.CONNECTED);
		socket.onmessage = ({ data }) => {
			const message = JSON.parse(String(data)) as WebSocketMessage;
			this.handlers.get(message.type)?.forEach((handler) => handler(message as never));
		};
		socket.onclose = () => {
			this.socket = null;
			this.tell(WebSocketStatus.DISCONNECTED);
		};
	}

	disconnect(): void {
		this.socket?.close(1000);
	}

	sendMessage(message: WebSocketMessage): boolean {
		this.connect();
		this.socket?.send(JSON.stringify(message));
		return true;
	}

	registerHandler<M>(type: string, handler: MessageHandler<M>): () => void {
		const all = this.handlers.get(type) ?? new Set();
		this.handlers.set(type, all.add(handler as MessageHandler));
		return () => void all.delete(handler as MessageHandler);
	}

	onStatusChange(watcher: (status: WebSocketStatus) => void): () => void {
		this.watchers.add(watcher);
		return () => void this.watchers.delete(watcher);
	}

	getStatus(): WebSocketStatus {
		return this.status;
	}

	private tell(status: WebSocketStatus): void {
		this.status = status;
		this.watchers.forEach((watcher) => watcher(status));
	}
}

export const webSocketManager = new WebSocketManager();

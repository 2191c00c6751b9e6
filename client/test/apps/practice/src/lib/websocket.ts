// The first version: one socket, and functions around it.

export interface WebSocketMessage {
	type: string;
	practiceId?: number;
	[field: string]: unknown;
}

export type MessageHandler = (message: WebSocketMessage) => void;

let socket: WebSocket | null = null;
const handlers = new Map<string, Set<MessageHandler>>();

export function connectWebSocket(): void {
	if (socket) {
		return;
	}
	socket = new WebSocket(`ws://${location.hostname}:9003/ws`);
	socket.onmessage = ({ data }) => {
		const message = JSON.parse(String(data)) as WebSocketMessage;
		handlers.get(message.type)?.forEach((handler) => handler(message));
	};
	socket.onclose = () => {
		socket = null;
		setTimeout(connectWebSocket, 3000);
	};
}

export function disconnectWebSocket(): void {
	socket?.close(1000);
	socket = null;
}

export function sendMessage(message: WebSocketMessage): boolean {
	socket?.send(JSON.stringify(message));
	return socket !== null;
}

export function registerMessageHandler(type: string, handler: MessageHandler): () => void {
	const all = handlers.get(type) ?? new Set();
	handlers.set(type, all.add(handler));
	return () => void all.delete(handler);
}

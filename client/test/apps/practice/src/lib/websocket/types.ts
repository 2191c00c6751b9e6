export enum WebSocketStatus {
	DISCONNECTED = 'disconnected',
	CONNECTING = 'connecting',
	CONNECTED = 'connected',
	RECONNECTING = 'reconnecting',
	ERROR = 'error',
}

export interface WebSocketMessage {
	type: string;
	practiceId?: number;
	[field: string]: unknown;
}

export interface WhiteboardMessage extends WebSocketMessage {
	practiceId: number;
	data?: unknown;
}

export interface TelemedicineMessage extends WebSocketMessage {
	roomId: string;
	userId?: number;
	fromUserId?: number;
	from: string;
	message: string;
}

export type MessageHandler<M = never> = (message: M) => void;

import { webSocketManager } from './manager';
import type { MessageHandler, TelemedicineMessage, WebSocketStatus } from './types';

class TelemedicineWebSocketService {
	connect(): void {
		webSocketManager.connect();
	}

	disconnect(): void {
		webSocketManager.disconnect();
	}

	getStatus(): WebSocketStatus {
		return webSocketManager.getStatus();
	}

	joinRoom(roomId: string, appointmentId: number, userId: number, userName: string): boolean {
		const type = 'telemedicine_user_joined';
		return webSocketManager.sendMessage({ type, roomId, appointmentId, userId, userName });
	}

	leaveRoom(roomId: string, appointmentId: number, userId: number): boolean {
		const type = 'telemedicine_user_left';
		return webSocketManager.sendMessage({ type, roomId, appointmentId, userId });
	}

	sendChatMessage(
		roomId: string,
		appointmentId: number,
		message: string,
		from: string,
		fromUserId: number,
	): boolean {
		const type = 'telemedicine_chat_message';
		const chat = { type, roomId, appointmentId, message, from, fromUserId };
		return webSocketManager.sendMessage(chat);
	}

	onUserJoined(handler: MessageHandler<TelemedicineMessage>): () => void {
		return webSocketManager.registerHandler('telemedicine_user_joined', handler);
	}

	onUserLeft(handler: MessageHandler<TelemedicineMessage>): () => void {
		return webSocketManager.registerHandler('telemedicine_user_left', handler);
	}

	onChatMessage(handler: MessageHandler<TelemedicineMessage>): () => void {
		return webSocketManager.registerHandler('telemedicine_chat_message', handler);
	}
}

export const telemedicineService = new TelemedicineWebSocketService();

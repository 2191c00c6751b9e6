import { telemedicineService } from '@/lib/websocket/telemedicine-service';
import { webSocketManager } from '@/lib/websocket/manager';

export interface Line {
	mine: boolean;
	from: string;
	text: string;
}

export function openVisit(appointmentId: number, userId: number, userName: string) {
	const roomId = `appointment_${appointmentId}`;
	const users: number[] = [];
	const lines: Line[] = [];
	const ends = [
		telemedicineService.onUserJoined((message) => {
			if (message.userId !== undefined && message.userId !== userId) {
				users.push(message.userId);
			}
		}),
		telemedicineService.onUserLeft((message) => {
			const index = users.findIndex((user) => user === message.userId);
			users.splice(index, index < 0 ? 0 : 1);
		}),
		telemedicineService.onChatMessage((message) => {
			const mine = message.fromUserId === userId;
			lines.push({ mine, from: message.from, text: message.message });
		}),
	];
	telemedicineService.connect();
	telemedicineService.joinRoom(roomId, appointmentId, userId, userName);
	return {
		users,
		lines,
		status: () => telemedicineService.getStatus(),
		say: (text: string) =>
			telemedicineService.sendChatMessage(roomId, appointmentId, text, userName, userId),
		custom: () =>
			webSocketManager.sendMessage({ type: 'custom_message', data: { test: true } }),
		close: () => {
			ends.forEach((end) => end());
			telemedicineService.leaveRoom(roomId, appointmentId, userId);
			telemedicineService.disconnect();
		},
	};
}

import { whiteboardService, WebSocketStatus } from '@/lib/websocket/';
import type { WhiteboardMessage } from '@/lib/websocket/types';

export function openBoard(practiceId: number, show: (practiceId: number, data: unknown) => void) {
	const unsubscribe = whiteboardService.onWhiteboardUpdate((message: WhiteboardMessage) => {
		if (message.practiceId === practiceId) {
			show(message.practiceId, message.data);
		}
	});
	return {
		// Nobody connects: sending does.
		move: (patient: number, column: string) =>
			whiteboardService.sendWhiteboardUpdate(practiceId, { patient, column }),
		isOnline: () => whiteboardService.getStatus() === WebSocketStatus.CONNECTED,
		close: () => {
			unsubscribe();
			whiteboardService.disconnect();
		},
	};
}

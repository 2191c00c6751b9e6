import { webSocketManager } from './manager';
import type { MessageHandler } from './types';

export * from './types';
export { webSocketManager } from './manager';
export { whiteboardService } from './whiteboard-service';
export { telemedicineService } from './telemedicine-service';

export const connectWebSocket = () => webSocketManager.connect();
export const registerMessageHandler = (type: string, handler: MessageHandler) =>
	webSocketManager.registerHandler(type, handler);

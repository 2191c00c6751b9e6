// SPDX-License-Identifier: MIT
//
// The demonstration: a practice's whiteboard and a video call, made with the client package alone.
//
// Who one is comes with the address, behind the #, which browsers send to nobody: `token=<JWT>`,
// or, for a server in open mode, `practice=1&user=1&name=Reception`. It is kept for this tab.

import { webSocketManager, WebSocketStatus, whiteboardService } from 'praxis-client';
import type { SessionEvent } from 'praxis-client';
import { Board } from './board.js';
import { Cards } from './cards.js';
import { byId } from '../../pages/dom.js';
import { endpoint } from '../../pages/endpoint.js';
import { Visit } from './visit.js';

const KEPT = 'praxis-demo-who';

const STATUS: Record<WebSocketStatus, string> = {
	[WebSocketStatus.CONNECTING]: 'Connecting …',
	[WebSocketStatus.CONNECTED]: 'Connected',
	[WebSocketStatus.DISCONNECTED]: 'Not connected',
	[WebSocketStatus.ERROR]: 'Not connected',
	[WebSocketStatus.RECONNECTING]: 'Connecting again …',
};

function who(): URLSearchParams {
	if (location.hash.length > 1) {
		sessionStorage.setItem(KEPT, location.hash.slice(1));
		history.replaceState(null, '', location.pathname);
	}
	return new URLSearchParams(sessionStorage.getItem(KEPT) ?? '');
}

function configure(given: URLSearchParams): boolean {
	const url = endpoint();
	const token = given.get('token');
	if (!token && !given.get('practice')) {
		return false;
	}
	webSocketManager.configure(
		token
			? { url, getToken: () => token }
			: {
					url,
					query: {
						practiceId: given.get('practice') ?? undefined,
						userId: given.get('user') ?? undefined,
						userName: given.get('name') ?? undefined,
						role: 'staff',
					},
				},
	);
	return true;
}

function showStatus(status: WebSocketStatus): void {
	const line = byId('status');
	line.dataset.state = status;
	line.textContent = STATUS[status];
}

let cards: Cards | undefined;

function begin({ user, resumed }: SessionEvent): void {
	const practice = user?.practices?.[0];
	if (resumed || practice === undefined) {
		return;
	}
	if (!cards) {
		const board = new Board();
		cards = new Cards(whiteboardService, practice, (all, changed) => board.show(all, changed));
		board.use(cards);
		new Visit(user!);
		byId('practice').textContent = `practice ${practice}, ${user?.userName ?? 'guest'}`;
		byId('main').hidden = false;
	}
	cards.ask();
}

if (configure(who())) {
	webSocketManager.onStatusChange(showStatus);
	webSocketManager.on('session', begin);
	webSocketManager.on('problem', (error) => {
		byId('welcome').hidden = error.code !== 'unauthenticated' && error.code !== 'token_expired';
	});
	whiteboardService.connect();
} else {
	byId('welcome').hidden = false;
	showStatus(WebSocketStatus.DISCONNECTED);
}

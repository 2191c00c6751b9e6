// SPDX-License-Identifier: MIT
//
// The store that the server makes possible.

import { openBoard } from 'praxis-client';
import type { Id, WhiteboardWebSocketService } from 'praxis-client';
import { samples } from './card.js';
import { KeptStore } from './kept-store.js';
import { PeerStore } from './peer-store.js';
import type { Store } from './store.js';

export async function openStore(
	service: WhiteboardWebSocketService,
	practiceId: Id,
): Promise<Store> {
	const { board } = openBoard(practiceId, service);
	if (board.state === 'loading') {
		await new Promise<void>((resolve) => {
			board.on('change', () => {
				if (board.state !== 'loading') {
					resolve();
				}
			});
		});
	}
	if (board.state === 'off') {
		return new PeerStore(service, practiceId);
	}
	const store = new KeptStore(board);
	await store.begin(samples(service.manager.environment.wall()));
	return store;
}

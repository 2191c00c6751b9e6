// SPDX-License-Identifier: MIT
//
// The board: who is in the practice today, and where.

import { webSocketManager, whiteboardService } from 'praxis-client';
import type { Context, View } from '../shell/router.js';
import { Board } from './board.js';
import { Cards } from './cards.js';

export class BoardView implements View {
	readonly route = 'board';
	readonly title = 'Board';

	start({ practiceId }: Context): void {
		const board = new Board();
		const cards = new Cards(whiteboardService, practiceId, (all, changed) =>
			board.show(all, changed),
		);
		board.use(cards);
		cards.ask();
		webSocketManager.on('session', ({ resumed }) => {
			if (!resumed) {
				cards.ask();
			}
		});
	}
}

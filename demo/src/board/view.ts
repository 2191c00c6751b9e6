// SPDX-License-Identifier: MIT
//
// The board: who is in the practice today, and where.

import { webSocketManager, WebSocketStatus, whiteboardService } from 'praxis-client';
import { Board } from './board.js';
import { HOME } from './card.js';
import { askForCard } from './card-dialog.js';
import { Cards } from './cards.js';
import type { Deed } from './cards.js';
import { openStore } from './open-store.js';
import { showPeople } from './people.js';
import { Seen } from './seen.js';
import type { Change, Store } from './store.js';
import { hideBanner, showBanner } from '../shell/banner.js';
import { announce, byId } from '../shell/dom.js';
import { button } from '../shell/parts.js';
import type { Context, View } from '../shell/router.js';
import { toast } from '../shell/toast.js';

const UNDO_MS = 10_000;
const TICK_MS = 20_000;

export class BoardView implements View {
	readonly route = 'board';
	readonly title = 'Board';
	#cards!: Cards;
	#board!: Board;
	#last: Deed | undefined;
	#forget = () => {};

	start(context: Context): void {
		const { practiceId } = context;
		void openStore(whiteboardService, practiceId).then((store) => this.#begin(store, context));
	}

	#begin(store: Store, { practiceId, user }: Context): void {
		const who = { userId: String(user.userId), userName: user.userName ?? 'Guest' };
		const seen = new Seen(`praxis-demo-seen-${practiceId}-${who.userId}`);
		const now = () => webSocketManager.environment.wall();
		this.#cards = new Cards(
			store,
			seen,
			who,
			now,
			(change) => this.#show(change),
			(deed) => this.#done(deed),
		);
		this.#board = new Board({ cards: this.#cards, edit: (id) => void this.#edit(id) });
		store.onRefused((id, error) => this.#refused(id, error.message));
		byId('add').addEventListener('click', () => void this.#add());
		byId('board-view').addEventListener('keydown', (event) => this.#key(event));
		document.addEventListener('visibilitychange', () => this.#cards.leave());
		webSocketManager.onStatusChange((status) => {
			if (status === WebSocketStatus.RECONNECTING) {
				this.#cards.leave();
			}
		});
		setInterval(() => this.#board.tick(), TICK_MS);
		showPeople(practiceId, who.userId);
		this.#show({ ids: [], by: 'self' });
	}

	#show({ ids, by }: Change): void {
		const fresh = new Set(by === 'others' ? ids : []);
		const { list } = this.#cards;
		this.#board.show(list, fresh);
		const here = list.filter(({ card }) => card.column !== HOME);
		const urgent = here.filter(({ card }) => card.urgency === 'urgent').length;
		const unsaved = list.filter(({ saved }) => !saved).length;
		byId('summary').textContent = [
			here.length === 1 ? '1 patient' : `${here.length} patients`,
			...(urgent > 0 ? [`${urgent} urgent`] : []),
			...(unsaved > 0 ? [`${unsaved} not saved yet`] : []),
		].join(', ');
		this.#showNews();
		const card = by === 'others' && ids.length === 1 ? this.#cards.get(ids[0]!) : undefined;
		if (card) {
			announce(`${card.patient}: ${this.#titleOf(card.column)}`);
		}
	}

	#titleOf(column: number): string {
		return this.#board.boxes[column]?.ariaLabel ?? '';
	}

	#showNews(): void {
		const { news } = this.#cards;
		if (news === 0) {
			hideBanner('news');
			return;
		}
		const cards = news === 1 ? '1 card has' : `${news} cards have`;
		showBanner('news', {
			icon: 'clock',
			text: `${cards} changed while you were away.`,
			actions: [
				button({ label: 'Show', run: () => this.#board.showNews() }),
				button({ label: 'Mark as seen', run: () => this.#cards.look() }),
			],
		});
	}

	async #add(): Promise<void> {
		const fields = await askForCard();
		if (fields) {
			this.#cards.add(fields);
		}
	}

	async #edit(id: string): Promise<void> {
		const fields = await askForCard(this.#cards.get(id));
		if (fields) {
			this.#cards.edit(id, fields);
		}
	}

	#done(deed: Deed): void {
		this.#last = deed;
		this.#forget();
		this.#forget = toast(deed.text, {
			ms: UNDO_MS,
			action: { label: 'Undo', run: () => this.#undo(deed) },
			ended: () => {
				if (this.#last === deed) {
					this.#last = undefined;
				}
			},
		});
	}

	#undo(deed: Deed): void {
		const isBack = deed.undo();
		this.#last = undefined;
		if (isBack) {
			announce('Undone.');
		} else {
			toast('Somebody else has changed that card since. It stays as it is.', { ms: 6000 });
		}
	}

	#key(event: KeyboardEvent): void {
		const deed = this.#last;
		if (event.key === 'z' && (event.ctrlKey || event.metaKey) && deed) {
			event.preventDefault();
			this.#forget();
			this.#undo(deed);
		}
	}

	#refused(id: string, why: string): void {
		const patient = this.#cards.get(id)?.patient ?? 'A card';
		showBanner('refused', {
			kind: 'danger',
			text: `${patient} was not saved: ${why}`,
			actions: [button({ label: 'Close', run: () => hideBanner('refused') })],
		});
	}
}

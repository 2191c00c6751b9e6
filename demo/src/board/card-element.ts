// SPDX-License-Identifier: MIT
//
// One card as it is seen. The element stays the same while the card changes, so that focus and a drag survive.

import { COLUMNS, duration, HOME, URGENCY_WORDS } from './card.js';
import type { Card } from './card.js';
import type { Cards, Shown } from './cards.js';
import { element } from '../shell/dom.js';
import { attachMenu } from '../shell/menu.js';
import type { MenuItem } from '../shell/menu.js';
import { badge, button } from '../shell/parts.js';
import type { BadgeKind } from '../shell/parts.js';

const URGENCY_KINDS: Record<Card['urgency'], BadgeKind> = {
	urgent: 'danger',
	soon: 'warn',
	routine: 'neutral',
};
const LONG_MS = 30 * 60_000;

export interface CardActions {
	cards: Cards;
	edit(this: void, id: string): void;
}

export class CardElement {
	readonly root: HTMLLIElement;
	/** Drags on a touch screen, and lifts for the keyboard. */
	readonly grip: HTMLButtonElement;
	shown: Shown;
	#name = element('bdi');
	#facts = element('bdi');
	#reason = element('bdi');
	#marks = element('p', { className: 'marks' });
	#moved = element('p', { className: 'moved' });
	#next: HTMLButtonElement;
	#menu: HTMLButtonElement;
	#now: () => number;

	constructor(shown: Shown, { cards, edit }: CardActions) {
		const { id } = shown;
		this.shown = shown;
		this.#now = cards.now;
		this.grip = button({ label: '', icon: 'grip', kind: 'quiet', iconOnly: true });
		this.grip.classList.add('grip');
		this.#next = button({
			label: '',
			icon: 'next',
			kind: 'quiet',
			iconOnly: true,
			run: () => cards.move(id, this.shown.card.column + 1),
		});
		this.#menu = button({ label: '', icon: 'more', kind: 'quiet', iconOnly: true });
		attachMenu(this.#menu, () => this.#items(cards, edit));
		this.root = element(
			'li',
			{ className: 'card' },
			element(
				'div',
				{ className: 'head' },
				element('h3', {}, this.#name),
				element('div', { className: 'tools' }, this.grip, this.#next, this.#menu),
			),
			element('p', { className: 'facts' }, this.#facts),
			element('p', { className: 'reason' }, this.#reason),
			this.#marks,
			this.#moved,
		);
		this.root.dataset.card = id;
		this.update(shown);
	}

	update(shown: Shown): void {
		this.shown = shown;
		const { card, saved, isNews } = shown;
		this.root.dataset.urgency = card.urgency;
		this.root.classList.toggle('unsaved', !saved);
		this.root.classList.toggle('news', isNews);
		this.#name.textContent = card.patient;
		this.#facts.textContent = [card.species, card.owner].filter(Boolean).join(' · ');
		this.#reason.textContent = card.reason;
		this.#label(this.grip, `Drag ${card.patient}`);
		this.#label(this.#menu, `More for ${card.patient}`);
		const title = COLUMNS[card.column + 1];
		this.#label(this.#next, `Move ${card.patient} to ${title ?? ''}`);
		this.#next.hidden = title === undefined;
		this.tick();
	}

	/** Time has gone by. */
	tick(): void {
		const { card, saved, isNews } = this.shown;
		const now = this.#now();
		const here = now - card.since;
		const marks = [badge(URGENCY_WORDS[card.urgency], URGENCY_KINDS[card.urgency])];
		if (card.column === 0) {
			marks.push(
				badge(`Waiting ${duration(here)}`, here > LONG_MS ? 'warn' : 'neutral', 'clock'),
			);
		} else if (card.column !== HOME) {
			marks.push(badge(`Here ${duration(here)}`, 'neutral', 'clock'));
		}
		if (isNews) {
			marks.push(badge('Changed', 'accent'));
		}
		this.#marks.replaceChildren(...marks.flatMap((mark) => [mark, ' ']));
		const { moved } = card;
		this.#moved.hidden = saved && !moved;
		if (!saved) {
			this.#moved.replaceChildren(badge('Not saved yet', 'warn', 'offline'));
		} else if (moved) {
			const ago = now - moved.at < 60_000 ? 'just now' : `${duration(now - moved.at)} ago`;
			const who = element('bdi', { className: 'who' }, moved.by);
			this.#moved.replaceChildren(element('bdi', {}, 'Moved by ', who, `, ${ago}`));
		}
	}

	/** Changed by somebody else just now. */
	flash(): void {
		this.root.classList.remove('fresh');
		void this.root.offsetWidth; // or the animation would not begin anew
		this.root.classList.add('fresh');
	}

	lift(isLifted: boolean): void {
		this.grip.setAttribute('aria-pressed', String(isLifted));
		this.root.classList.toggle('lifted', isLifted);
	}

	/** What follows the pointer. */
	copy(): HTMLElement {
		const made = this.root.cloneNode(true) as HTMLElement;
		made.className = 'card ghost';
		made.ariaHidden = 'true';
		made.inert = true;
		delete made.dataset.card;
		return made;
	}

	#label(made: HTMLButtonElement, label: string): void {
		made.ariaLabel = made.title = label;
	}

	#items(cards: Cards, edit: (id: string) => void): MenuItem[] {
		const { id, card } = this.shown;
		const moves = COLUMNS.flatMap((title, column): MenuItem[] =>
			column === card.column
				? []
				: [
						{
							label: `Move to ${title}`,
							icon: column > card.column ? 'next' : 'previous',
							run: () => cards.move(id, column),
						},
					],
		);
		return [
			...moves,
			{ label: 'Edit …', icon: 'edit', apart: true, run: () => edit(id) },
			{ label: 'Remove', icon: 'remove', danger: true, run: () => cards.remove(id) },
		];
	}
}

// SPDX-License-Identifier: MIT
//
// The columns and the cards in them.

import { COLUMNS, compareCards } from './card.js';
import { CardElement } from './card-element.js';
import type { CardActions } from './card-element.js';
import type { Shown } from './cards.js';
import { dragWithPointer } from './drag.js';
import { Lift } from './lift.js';
import { byId, element } from '../shell/dom.js';
import { button } from '../shell/parts.js';

interface Column {
	box: HTMLElement;
	list: HTMLUListElement;
	count: HTMLElement;
	tab: HTMLButtonElement;
}

export class Board {
	readonly scroller = byId('board');
	#columns: Column[];
	#cards = new Map<string, CardElement>();
	#lift: Lift;

	constructor(readonly actions: CardActions) {
		this.#columns = COLUMNS.map((title, column) => this.#column(title, column));
		this.#lift = new Lift(this, (id, column) => actions.cards.move(id, column));
		this.scroller.addEventListener('scroll', () => this.#markTab(), { passive: true });
		new ResizeObserver(() => this.#measure()).observe(this.scroller);
	}

	get boxes(): HTMLElement[] {
		return this.#columns.map(({ box }) => box);
	}

	find(id: string): CardElement | undefined {
		return this.#cards.get(id);
	}

	/** `fresh`: what somebody else has just changed. */
	show(all: Shown[], fresh: ReadonlySet<string>): void {
		const from = this.#places();
		const here = new Set(all.map(({ id }) => id));
		for (const [id, card] of this.#cards) {
			if (!here.has(id)) {
				this.#leave(card);
				this.#cards.delete(id);
			}
		}
		all.forEach((shown) => this.#update(shown));
		this.arrange();
		this.#slide(from);
		fresh.forEach((id) => this.#cards.get(id)?.flash());
	}

	/** To the first card that was changed while one was away. */
	showNews(): void {
		const card = [...this.#cards.values()].find(({ shown }) => shown.isNews);
		if (card) {
			this.reveal(card.shown.card.column, 'instant');
			card.root.scrollIntoView({ block: 'center', inline: 'nearest' });
			card.grip.focus({ preventScroll: true });
		}
	}

	/** Time has gone by. */
	tick(): void {
		this.#cards.forEach((card) => card.tick());
	}

	/** Puts the elements where their cards are, or where the lifted one is held. */
	arrange(): void {
		const focused = document.activeElement;
		this.#columns.forEach(({ list, count, tab }, column) => {
			const own = [...this.#cards.values()]
				.filter((card) => this.#columnOf(card) === column)
				.sort((a, b) => compareCards(a.shown.card, b.shown.card));
			own.forEach(({ root }, at) => {
				if (list.children[at] !== root) {
					list.insertBefore(root, list.children[at] ?? null);
				}
			});
			count.textContent = String(own.length);
			tab.querySelector('span')!.textContent = String(own.length);
		});
		// An element that is put elsewhere has lost the focus.
		if (
			focused instanceof HTMLElement &&
			focused !== document.activeElement &&
			focused.isConnected
		) {
			focused.focus();
		}
	}

	/** On a phone: swipes to that column. */
	reveal(column: number, behavior: ScrollBehavior = 'smooth'): void {
		const { box } = this.#columns[column]!;
		const gap = box.getBoundingClientRect().left - this.scroller.getBoundingClientRect().left;
		this.scroller.scrollBy({
			left: gap - (this.scroller.clientWidth - box.clientWidth) / 2,
			behavior,
		});
	}

	#columnOf({ shown }: CardElement): number {
		return this.#lift.columnOf(shown.id) ?? shown.card.column;
	}

	#update(shown: Shown): void {
		const known = this.#cards.get(shown.id);
		if (known) {
			known.update(shown);
			return;
		}
		const made = new CardElement(shown, this.actions);
		this.#cards.set(shown.id, made);
		this.#lift.attach(made);
		dragWithPointer(made, this, (column) => this.actions.cards.move(shown.id, column));
		const look = () => this.actions.cards.look([shown.id]);
		made.root.addEventListener('focusout', ({ relatedTarget }) => {
			if (!made.root.contains(relatedTarget as Node | null)) {
				look();
			}
		});
		made.root.addEventListener('pointerleave', look);
	}

	/** The focus of a card that is gone goes to the one after it, or to the way to add one. */
	#leave({ root }: CardElement): void {
		if (root.contains(document.activeElement)) {
			const other = root.nextElementSibling ?? root.previousElementSibling;
			(other?.querySelector<HTMLElement>('.grip') ?? byId('add')).focus();
		}
		root.remove();
	}

	#places(): Map<string, DOMRect> {
		return new Map(
			[...this.#cards].map(([id, { root }]) => [id, root.getBoundingClientRect()]),
		);
	}

	/** Each card comes from where it was. */
	#slide(from: Map<string, DOMRect>): void {
		if (matchMedia('(prefers-reduced-motion: reduce)').matches || document.hidden) {
			return;
		}
		for (const [id, { root }] of this.#cards) {
			const before = from.get(id);
			const now = root.getBoundingClientRect();
			const [x, y] = before ? [before.left - now.left, before.top - now.top] : [0, 0];
			if (x !== 0 || y !== 0) {
				root.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: 'none' }], {
					duration: 220,
					easing: 'ease-out',
				});
			}
		}
	}

	#column(title: string, column: number): Column {
		const count = element('span', { className: 'count' });
		const list = element('ul', { ariaLabel: title });
		const box = element(
			'section',
			{ className: 'column', ariaLabel: title },
			element('h2', {}, title, count),
			list,
			element('p', { className: 'empty' }, 'Nobody here'),
		);
		this.scroller.append(box);
		const tab = button({ label: title, kind: 'quiet', run: () => this.reveal(column) });
		tab.append(element('span', { className: 'count' }));
		byId('column-tabs').append(tab);
		return { box, list, count, tab };
	}

	/** What can be scrolled is for the keyboard, too. */
	#measure(): void {
		const { scrollWidth, clientWidth } = this.scroller;
		if (scrollWidth > clientWidth) {
			this.scroller.tabIndex = 0;
		} else {
			this.scroller.removeAttribute('tabindex');
		}
		this.#markTab();
	}

	/** Which column is in the middle of a phone's screen. */
	#markTab(): void {
		const { left, width } = this.scroller.getBoundingClientRect();
		const middle = left + width / 2;
		this.#columns.forEach(({ box, tab }) => {
			const place = box.getBoundingClientRect();
			tab.setAttribute('aria-pressed', String(place.left <= middle && middle < place.right));
		});
	}
}

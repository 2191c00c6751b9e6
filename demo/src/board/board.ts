// SPDX-License-Identifier: MIT
//
// The whiteboard as one sees it: columns of cards, moved by dragging or by their arrows.

import { COLUMNS } from './cards.js';
import type { Card, Cards } from './cards.js';
import { announce, byId, element } from '../shell/dom.js';

export class Board {
	#lists: HTMLUListElement[];
	#counts: HTMLElement[] = [];
	#cards: Cards | undefined;

	constructor() {
		this.#lists = COLUMNS.map((title, column) => this.#column(title, column));
		byId<HTMLFormElement>('add').addEventListener('submit', (event) => {
			event.preventDefault();
			const input = byId<HTMLInputElement>('patient');
			if (input.value.trim()) {
				this.#cards?.add(input.value.trim());
				input.value = '';
			}
		});
	}

	use(cards: Cards): void {
		this.#cards = cards;
	}

	show(cards: Card[], changed?: Card): void {
		const focus = document.activeElement as HTMLElement | null;
		const { id, direction } = focus?.dataset ?? {};
		this.#lists.forEach((list, column) => {
			const own = cards
				.filter((card) => card.column === column)
				.sort((a, b) => a.changedAt - b.changedAt || a.id.localeCompare(b.id));
			list.replaceChildren(...own.map((card) => this.#card(card, card.id === changed?.id)));
			this.#counts[column]!.textContent = String(own.length);
		});
		if (changed) {
			announce(`${changed.patient}: ${COLUMNS[changed.column]}`);
		}
		this.#refocus(id, direction);
	}

	/** The arrow that was pressed moves with its card; at the end of the way its opposite stays. */
	#refocus(id: string | undefined, direction: string | undefined): void {
		if (!id) {
			return;
		}
		const arrows = [...document.querySelectorAll<HTMLButtonElement>('.card button')].filter(
			(button) => button.dataset.id === id && !button.disabled,
		);
		(arrows.find((button) => button.dataset.direction === direction) ?? arrows[0])?.focus();
	}

	#column(title: string, column: number): HTMLUListElement {
		const count = element('span');
		const list = element('ul', { ariaLabel: title });
		const box = element('div', { className: 'column' }, element('h3', {}, title, count), list);
		this.#counts.push(count);
		box.addEventListener('dragover', (event) => {
			event.preventDefault();
			box.classList.add('over');
		});
		box.addEventListener('dragleave', () => box.classList.remove('over'));
		box.addEventListener('drop', (event) => {
			event.preventDefault();
			box.classList.remove('over');
			this.#move(event.dataTransfer?.getData('text/plain') ?? '', column);
		});
		byId('board').append(box);
		return list;
	}

	#card(card: Card, fresh: boolean): HTMLLIElement {
		const made = element(
			'li',
			{ className: fresh ? 'card fresh' : 'card', draggable: true },
			element('b', {}, card.patient),
			element('div', { className: 'moves' }, this.#arrow(card, -1), this.#arrow(card, 1)),
		);
		made.dataset.card = card.id;
		made.addEventListener('dragstart', (event) => {
			event.dataTransfer?.setData('text/plain', card.id);
		});
		return made;
	}

	#arrow(card: Card, direction: 1 | -1): HTMLButtonElement {
		const target = COLUMNS[card.column + direction];
		const arrow = element('button', {
			type: 'button',
			disabled: target === undefined,
			ariaLabel: `Move ${card.patient} to ${target ?? ''}`,
			textContent: direction < 0 ? '←' : '→',
		});
		arrow.dataset.id = card.id;
		arrow.dataset.direction = String(direction);
		arrow.addEventListener('click', () => this.#move(card.id, card.column + direction));
		return arrow;
	}

	#move(id: string, column: number): void {
		const moved = this.#cards?.move(id, column);
		if (moved) {
			announce(`${moved.patient}: ${COLUMNS[column]}`);
		}
	}
}

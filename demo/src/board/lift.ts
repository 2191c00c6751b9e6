// SPDX-License-Identifier: MIT
//
// Moving a card by keyboard: Space on its grip lifts it, arrows carry it from column to column, Space or Enter puts it
// down, Escape takes it back. Others see it when it is put down.

import type { Board } from './board.js';
import { COLUMNS } from './card.js';
import type { CardElement } from './card-element.js';
import { announce, isRightToLeft } from '../shell/dom.js';

export class Lift {
	#lifted: { card: CardElement; column: number } | undefined;

	constructor(
		readonly board: Board,
		readonly move: (id: string, column: number) => void,
	) {}

	/** Where a lifted card is held. */
	columnOf(id: string): number | undefined {
		return this.#lifted?.card.shown.id === id ? this.#lifted.column : undefined;
	}

	attach(card: CardElement): void {
		const { grip } = card;
		card.lift(false);
		grip.setAttribute('aria-describedby', 'lift-help');
		grip.addEventListener('keydown', (event) => {
			if (this.#press(card, event.key)) {
				event.preventDefault();
			}
		});
		grip.addEventListener('blur', () => {
			// Not by what arrange() does: then the focus is back at once.
			queueMicrotask(() => {
				if (this.#lifted?.card === card && document.activeElement !== grip) {
					this.#end('is where it was');
				}
			});
		});
	}

	#press(card: CardElement, key: string): boolean {
		const isLifted = this.#lifted?.card === card;
		if (key === ' ' || key === 'Enter') {
			if (isLifted) {
				this.#drop();
			} else {
				this.#begin(card);
			}
			return true;
		}
		if (isLifted && key === 'Escape') {
			this.#end('is where it was');
			return true;
		}
		const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1 };
		const step = (steps[key] ?? 0) * (isRightToLeft() ? -1 : 1);
		if (isLifted && step !== 0) {
			this.#carry(step);
			return true;
		}
		return false;
	}

	#begin(card: CardElement): void {
		const { patient, column } = card.shown.card;
		this.#lifted = { card, column };
		card.lift(true);
		announce(`${patient} is lifted, in ${COLUMNS[column]}.`);
	}

	#carry(step: number): void {
		const { card, column } = this.#lifted!;
		const title = COLUMNS[column + step];
		if (title !== undefined) {
			this.#lifted!.column = column + step;
			this.board.arrange();
			this.board.reveal(column + step);
			announce(title);
			card.grip.focus();
		}
	}

	#drop(): void {
		const { card, column } = this.#lifted!;
		this.#lifted = undefined;
		card.lift(false);
		if (column !== card.shown.card.column) {
			this.move(card.shown.id, column);
		} else {
			announce(`${card.shown.card.patient} is where it was.`);
		}
	}

	#end(what: string): void {
		const { card } = this.#lifted!;
		this.#lifted = undefined;
		card.lift(false);
		this.board.arrange();
		this.board.reveal(card.shown.card.column);
		announce(`${card.shown.card.patient} ${what}.`);
	}
}

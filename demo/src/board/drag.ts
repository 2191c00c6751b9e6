// SPDX-License-Identifier: MIT
//
// Moving a card with the pointer: with a mouse anywhere on it, with a finger by its grip, since a finger on the rest of
// it scrolls. HTML's own drag and drop knows no fingers.

import type { Board } from './board.js';
import type { CardElement } from './card-element.js';

/** Less is a click, in pixels. */
const SLOP = 6;
/** Near the edge of the board the board moves, on a screen that does not show all of it. */
const EDGE = 48;
const STEP = 14;

export function dragWithPointer(
	card: CardElement,
	board: Board,
	drop: (column: number) => void,
): void {
	card.root.addEventListener('pointerdown', (event) => {
		const target = event.target as Element;
		const isGrip = card.grip.contains(target);
		const isElsewhere =
			event.pointerType === 'touch' || target.closest('button, a, input') !== null;
		if (event.isPrimary && event.button === 0 && (isGrip || !isElsewhere)) {
			new Drag(card, board, drop, event);
		}
	});
}

class Drag {
	#ghost: HTMLElement | undefined;
	#x: number;
	#y: number;
	#over: number | undefined;
	#frame = 0;
	readonly #end = new AbortController();

	constructor(
		readonly card: CardElement,
		readonly board: Board,
		readonly drop: (column: number) => void,
		readonly start: PointerEvent,
	) {
		this.#x = start.clientX;
		this.#y = start.clientY;
		const { pointerId } = start;
		const { signal } = this.#end;
		const on = (
			type: 'pointermove' | 'pointerup' | 'pointercancel',
			act: (event: PointerEvent) => void,
		) => {
			const listener = (event: PointerEvent) => {
				if (event.pointerId === pointerId) {
					act(event);
				}
			};
			window.addEventListener(type, listener, { signal });
		};
		on('pointermove', (event) => this.#move(event));
		on('pointerup', () => this.#finish(true));
		on('pointercancel', () => this.#finish(false));
		window.addEventListener('blur', () => this.#finish(false), { signal });
		window.addEventListener(
			'keydown',
			(event) => {
				if (event.key === 'Escape') {
					this.#finish(false);
				}
			},
			{ signal },
		);
	}

	#move({ clientX, clientY }: PointerEvent): void {
		this.#x = clientX;
		this.#y = clientY;
		const { clientX: x, clientY: y } = this.start;
		if (!this.#ghost && Math.hypot(clientX - x, clientY - y) > SLOP) {
			this.#begin();
		}
		this.#follow();
	}

	#begin(): void {
		const { root } = this.card;
		const place = root.getBoundingClientRect();
		const ghost = this.card.copy();
		ghost.style.width = `${place.width}px`;
		ghost.style.left = `${place.left}px`;
		ghost.style.top = `${place.top}px`;
		document.body.append(ghost);
		document.body.classList.add('dragging');
		root.classList.add('dragged');
		this.#ghost = ghost;
		this.#frame = requestAnimationFrame(() => this.#scroll());
	}

	#follow(): void {
		if (!this.#ghost) {
			return;
		}
		const { clientX, clientY } = this.start;
		this.#ghost.style.transform = `translate(${this.#x - clientX}px, ${this.#y - clientY}px) rotate(1.5deg)`;
		const boxes = this.board.boxes;
		const at = boxes.findIndex((box) => {
			const { left, right } = box.getBoundingClientRect();
			return left <= this.#x && this.#x < right;
		});
		if (at >= 0) {
			this.#over = at;
		}
		boxes.forEach((box, column) => box.classList.toggle('over', column === this.#over));
	}

	// As long as the pointer is near an edge.
	#scroll(): void {
		const { scroller } = this.board;
		const { left, right } = scroller.getBoundingClientRect();
		const x = this.#x < left + EDGE ? -STEP : this.#x > right - EDGE ? STEP : 0;
		const y = this.#y < EDGE * 2 ? -STEP : this.#y > innerHeight - EDGE ? STEP : 0;
		if (x !== 0) {
			scroller.scrollLeft += x;
		}
		if (y !== 0) {
			scrollBy(0, y);
		}
		this.#follow();
		this.#frame = requestAnimationFrame(() => this.#scroll());
	}

	#finish(isDrop: boolean): void {
		this.#end.abort();
		cancelAnimationFrame(this.#frame);
		if (!this.#ghost) {
			return;
		}
		this.#ghost.remove();
		document.body.classList.remove('dragging');
		this.card.root.classList.remove('dragged');
		this.board.boxes.forEach((box) => box.classList.remove('over'));
		// The click that follows is none.
		window.addEventListener('click', stop, { capture: true, once: true });
		setTimeout(() => window.removeEventListener('click', stop, { capture: true }));
		if (isDrop && this.#over !== undefined) {
			this.drop(this.#over);
		}
	}
}

function stop(event: Event): void {
	event.stopPropagation();
	event.preventDefault();
}

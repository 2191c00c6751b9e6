// SPDX-License-Identifier: MIT
//
// A menu of a button, as the ARIA practices have it: arrows, Home, End, the first letter, Escape.

import { element, isRightToLeft } from './dom.js';
import { icon } from './icons.js';
import type { IconName } from './icons.js';

export interface MenuItem {
	label: string;
	icon?: IconName;
	danger?: boolean;
	/** One of several, of which one holds. */
	checked?: boolean;
	/** A line before it. */
	apart?: boolean;
	run(this: void): void;
}

let dismiss: ((back: boolean) => void) | undefined;

/** `items` is asked each time that it opens. */
export function attachMenu(anchor: HTMLButtonElement, items: () => MenuItem[]): void {
	anchor.setAttribute('aria-haspopup', 'menu');
	anchor.setAttribute('aria-expanded', 'false');
	anchor.addEventListener('click', () => {
		const isOpen = anchor.getAttribute('aria-expanded') === 'true';
		dismiss?.(true);
		if (!isOpen) {
			openMenu(anchor, items());
		}
	});
	anchor.addEventListener('keydown', (event) => {
		if (event.key === 'ArrowDown' && anchor.getAttribute('aria-expanded') === 'false') {
			event.preventDefault();
			anchor.click();
		}
	});
}

function openMenu(anchor: HTMLButtonElement, items: MenuItem[]): void {
	const menu = element('div', { className: 'menu' });
	menu.setAttribute('role', 'menu');
	menu.ariaLabel = anchor.ariaLabel ?? anchor.textContent;
	for (const item of items) {
		if (item.apart) {
			const line = element('div');
			line.setAttribute('role', 'separator');
			menu.append(line);
		}
		menu.append(entry(item));
	}
	// Where its button is, for screen readers; not in the card, which would cut it off.
	(anchor.closest('dialog, main, header, aside') ?? document.body).append(menu);
	place(menu, anchor);
	anchor.setAttribute('aria-expanded', 'true');
	const outside = (event: Event) => {
		if (!menu.contains(event.target as Node) && !anchor.contains(event.target as Node)) {
			dismiss?.(false);
		}
	};
	const away = () => dismiss?.(false);
	dismiss = (back) => {
		dismiss = undefined;
		menu.remove();
		anchor.setAttribute('aria-expanded', 'false');
		removeEventListener('pointerdown', outside, true);
		removeEventListener('resize', away);
		removeEventListener('scroll', away, true);
		if (back) {
			anchor.focus();
		}
	};
	menu.addEventListener('keydown', (event) => steer(event, menu));
	addEventListener('pointerdown', outside, true);
	addEventListener('resize', away);
	addEventListener('scroll', away, true);
	menu.querySelector('button')?.focus({ preventScroll: true });
}

function entry({ label, icon: image, danger, checked, run }: MenuItem): HTMLButtonElement {
	const made = element('button', { type: 'button', tabIndex: -1 });
	made.setAttribute('role', checked === undefined ? 'menuitem' : 'menuitemradio');
	if (checked !== undefined) {
		made.ariaChecked = String(checked);
		made.append(checked ? icon('check') : element('span', { className: 'icon' }));
	} else if (image) {
		made.append(icon(image));
	}
	made.append(label);
	made.classList.toggle('danger', danger === true);
	made.addEventListener('click', () => {
		dismiss?.(true);
		run();
	});
	return made;
}

function steer(event: KeyboardEvent, menu: HTMLElement): void {
	const entries = [...menu.querySelectorAll('button')];
	const at = entries.indexOf(document.activeElement as HTMLButtonElement);
	const { length } = entries;
	const to: Record<string, number> = {
		ArrowDown: (at + 1) % length,
		ArrowUp: (at + length - 1) % length,
		Home: 0,
		End: length - 1,
	};
	const next = to[event.key];
	if (next !== undefined) {
		entries[next]?.focus();
	} else if (event.key === 'Escape' || event.key === 'Tab') {
		dismiss?.(true);
	} else if (event.key.length === 1 && event.key !== ' ') {
		const letter = event.key.toLowerCase();
		[...entries.slice(at + 1), ...entries]
			.find((each) => each.textContent?.toLowerCase().startsWith(letter))
			?.focus();
		return;
	} else {
		return;
	}
	event.preventDefault();
}

// Under the button, or over it where there is no room; its end at the button's end.
function place(menu: HTMLElement, anchor: HTMLElement): void {
	const from = anchor.getBoundingClientRect();
	const own = menu.getBoundingClientRect();
	const edge = 8;
	const start = isRightToLeft() ? from.left : from.right - own.width;
	const left = Math.min(Math.max(edge, start), innerWidth - own.width - edge);
	const below = from.bottom + 4;
	const fits = below + own.height <= innerHeight - edge;
	menu.style.left = `${left}px`;
	menu.style.top = `${fits ? below : Math.max(edge, from.top - own.height - 4)}px`;
}

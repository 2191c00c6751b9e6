// SPDX-License-Identifier: MIT
//
// What has just been done, for a while, with a way back. Its time stops while it is pointed at or has the focus.

import { announce, byId, element } from './dom.js';
import { button } from './parts.js';

export interface ToastOptions {
	action?: { label: string; run(this: void): void };
	/** How long it is seen (10 s). */
	ms?: number;
	/** Its time is over, or its action was taken, or another one took its place. */
	ended?(this: void): void;
}

let last = () => {};

/** One at a time: the next one takes its place. Returns what takes it away. */
export function toast(text: string, { action, ms = 10_000, ended }: ToastOptions = {}): () => void {
	const time = element('i');
	const box = element('div', { className: 'toast' }, element('span', {}, text));
	const end = () => {
		if (box.isConnected) {
			box.remove();
			ended?.();
		}
	};
	if (action) {
		const { label, run } = action;
		box.append(
			button({
				label,
				icon: 'undo',
				run() {
					end();
					run();
				},
			}),
		);
	}
	box.append(time);
	time.style.animationDuration = `${ms}ms`;
	time.addEventListener('animationend', end);
	last();
	last = end;
	byId('toasts').replaceChildren(box);
	announce(text);
	return end;
}

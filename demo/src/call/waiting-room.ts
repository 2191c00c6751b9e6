// SPDX-License-Identifier: MIT
//
// What a patient sees until somebody of the practice lets it in; and everybody for the moment in
// which the server is asked.

import type { TelemedicineCall } from 'praxis-client';
import { announce, element } from '../shell/dom.js';
import { button } from '../shell/parts.js';
import { Preview } from './preview.js';

export class WaitingRoom {
	readonly element: HTMLElement;
	#title = element('h1', {}, 'Joining …');
	#text = element('p', {}, 'This takes a moment.');

	constructor(call: TelemedicineCall, userName: string) {
		const preview = new Preview({
			userName,
			stream: () => call.stream,
			enable: (kind, on) => (kind === 'camera' ? call.setVideo(on) : call.setAudio(on)),
		});
		call.on('media', () => preview.show());
		const leave = button({ label: 'Leave the waiting room', run: () => call.leave() });
		leave.hidden = true;
		this.element = element(
			'div',
			{ className: 'waiting-room' },
			element('div', { className: 'place' }, this.#title, this.#text),
			preview.element,
			leave,
		);
		call.on('state', (state) => {
			if (state === 'waiting') {
				leave.hidden = false;
				this.#showPlace(call.position ?? 1);
			}
		});
	}

	#showPlace(position: number): void {
		const before = position - 1;
		const isNext = before === 0;
		this.#title.textContent = isNext ? 'You are next' : `You are number ${position}`;
		this.#text.textContent = isNext
			? 'The doctor sees that you are here. Please keep this page open.'
			: `${before === 1 ? 'One person is' : `${before} people are`} before you. The practice sees that you are here.`;
		announce(`${this.#title.textContent}. ${this.#text.textContent}`);
	}
}

// SPDX-License-Identifier: MIT
//
// For the team: that the call goes on, and who waits, while the board is looked at.

import type { TelemedicineCall, Unsubscribe } from 'praxis-client';
import { element } from '../shell/dom.js';
import { button } from '../shell/parts.js';
import type { Admission } from './admission.js';
import { callIcon } from './icons.js';
import type { CallScreen } from './screen.js';

export class Dock {
	readonly element: HTMLElement;
	#people = element('span');
	#admission: Admission;
	#end: Unsubscribe;

	/** `back`: leads to the call. */
	constructor(call: TelemedicineCall, admission: Admission, back: () => void) {
		this.#admission = admission;
		this.element = element(
			'aside',
			{ className: 'dock', ariaLabel: 'Call', hidden: true },
			element(
				'div',
				{ className: 'call-bar' },
				callIcon('camera'),
				this.#people,
				button({ label: 'Back to the call', run: back }),
			),
		);
		document.body.append(this.element);
		const tell = () => {
			const others = call.members.length;
			this.#people.textContent =
				others === 0 ? 'In the call, alone' : `In the call with ${others}`;
		};
		tell();
		this.#end = call.on('members', tell);
	}

	/** On the board the list is here, else in the call's own screen. */
	show(isAway: boolean, screen: CallScreen | undefined): void {
		this.element.hidden = !isAway;
		(isAway ? this.element : screen?.overlay)?.append(this.#admission.element);
	}

	close(): void {
		this.#end();
		this.element.remove();
	}
}

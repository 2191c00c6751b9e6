// SPDX-License-Identifier: MIT
//
// What there is to see before the server has said who one is: that it is asked, and where that does
// not work, why.

import { webSocketManager } from 'praxis-client';
import type { Unsubscribe } from 'praxis-client';
import { element } from '../shell/dom.js';
import { endingOf, endingPage } from './ending.js';

export class Unconnected {
	#end: Unsubscribe;

	constructor(root: HTMLElement) {
		const connecting = element('h1', {}, 'Connecting …');
		root.replaceChildren(element('section', { className: 'state' }, connecting));
		this.#end = webSocketManager.onStatusChange((status, reason) => {
			if (status === 'reconnecting') {
				const code = reason === 'rate_limited' ? 'locked' : 'away';
				root.replaceChildren(endingPage(endingOf(code), undefined, {}));
			}
		});
	}

	close(): void {
		this.#end();
	}
}

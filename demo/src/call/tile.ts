// SPDX-License-Identifier: MIT
//
// One person on the stage: the picture or, without one, the initials; the name, and what one has to
// know of the line: muted, speaking, still connecting, and how good the connection is.

import type { CallMember } from 'praxis-client';
import { element } from '../shell/dom.js';
import { icon } from '../shell/icons.js';
import { attachMenu } from '../shell/menu.js';
import type { MenuItem } from '../shell/menu.js';
import { initials } from '../shell/parts.js';
import { callIcon } from './icons.js';

export interface Person {
	name: string;
	/** This page's own user: mirrored, and never heard. */
	own: boolean;
	stream: MediaStream | null;
	muted: boolean;
	cameraOff: boolean;
	sharing: boolean;
	speaking: boolean;
	connection: CallMember['connection'];
	quality?: 'good' | 'fair' | 'poor';
}

const STEPS = { good: 3, fair: 2, poor: 1 };

function bars(): HTMLElement {
	const steps = [1, 2, 3].map(() => element('i'));
	return element('span', { className: 'quality', hidden: true }, ...steps);
}

export class Tile {
	readonly element: HTMLLIElement;
	#video: HTMLVideoElement;
	#avatar = element('span', { className: 'initials' });
	#name = element('bdi', { className: 'name' });
	#muted = element(
		'span',
		{ className: 'mark', title: 'Microphone off' },
		callIcon('microphoneOff'),
	);
	#noCamera = element('span', { className: 'mark', title: 'Camera off' }, callIcon('cameraOff'));
	#quality = bars();
	#waiting = element('span', { className: 'connecting', textContent: 'Connecting …' });
	#words = element('span', { className: 'hidden' });
	#pick = element('button', { type: 'button', className: 'pick' });
	#more = element('button', { type: 'button', className: 'more' }, icon('more'));

	/** `pick`: somebody wants to see this one large. `menu`: what else can be done with it. */
	constructor(id: string, own: boolean, pick?: () => void, menu?: () => MenuItem[]) {
		this.#video = element('video', { autoplay: true, playsInline: true, muted: own });
		this.#avatar.ariaHidden = 'true';
		this.element = element(
			'li',
			{ className: 'tile' },
			this.#video,
			this.#avatar,
			this.#waiting,
			element(
				'span',
				{ className: 'caption' },
				this.#muted,
				this.#noCamera,
				this.#name,
				this.#words,
				this.#quality,
			),
		);
		this.element.dataset.member = id;
		if (pick) {
			this.#pick.addEventListener('click', pick);
			this.element.append(this.#pick);
		}
		if (menu) {
			attachMenu(this.#more, menu);
			this.element.append(this.#more);
		}
	}

	show(person: Person): void {
		const { name, own, stream, muted, cameraOff, sharing, connection, quality } = person;
		if (this.#video.srcObject !== stream) {
			this.#video.srcObject = stream;
		}
		const { dataset } = this.element;
		dataset.picture = cameraOff ? 'none' : sharing ? 'screen' : 'camera';
		dataset.own = String(own);
		dataset.speaking = String(person.speaking);
		this.#video.hidden = cameraOff;
		this.#avatar.hidden = !cameraOff;
		this.#avatar.textContent = initials(name);
		this.#name.textContent = own ? 'You' : name;
		this.#name.title = name;
		const isThere = connection === 'connected';
		this.#muted.hidden = !muted || !isThere;
		this.#noCamera.hidden = !cameraOff || !isThere;
		this.#waiting.hidden = isThere;
		this.#showQuality(quality);
		this.#words.textContent = [
			muted ? ', muted' : '',
			cameraOff ? ', camera off' : '',
			sharing ? ', shows a screen' : '',
			quality ? `, ${quality} connection` : '',
		].join('');
		this.#pick.ariaLabel = `Show ${own ? 'yourself' : name} large`;
		this.#more.ariaLabel = `More about ${name}`;
	}

	get isLarge(): boolean {
		return this.element.classList.contains('large');
	}

	setLarge(large: boolean, pinned: boolean): void {
		this.element.classList.toggle('large', large);
		this.#pick.ariaPressed = String(pinned);
	}

	#showQuality(step: Person['quality']): void {
		this.#quality.hidden = step === undefined;
		if (step) {
			this.#quality.dataset.step = step;
			this.#quality.title = `Connection: ${step}`;
			[...this.#quality.children].forEach((bar, at) => {
				bar.classList.toggle('on', at < STEPS[step]);
			});
		}
	}
}

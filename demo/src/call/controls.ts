// SPDX-License-Identifier: MIT
//
// The buttons under the stage. Each says in words and with its picture what is on and what is off;
// nothing depends on colour alone, and no button changes its name when it is pressed.

import type { MediaState } from 'praxis-client';
import { element } from '../shell/dom.js';
import { attachMenu } from '../shell/menu.js';
import { callIcon } from './icons.js';
import type { CallIcon } from './icons.js';

/** A button with a picture, a label, and under it what it is at present. */
export class Control {
	readonly button: HTMLButtonElement;
	#picture = element('span', { className: 'picture' });
	#state = element('small');
	#shown: CallIcon | undefined;

	constructor(id: string, label: string, pressed: () => void) {
		this.#state.ariaHidden = 'true';
		this.button = element(
			'button',
			{ type: 'button', id, className: 'control' },
			this.#picture,
			element('span', { className: 'label' }, label),
			this.#state,
		);
		this.button.addEventListener('click', pressed);
	}

	/** `isOn`: for a switch; it is told to screen readers as pressed or not. */
	show(picture: CallIcon, state = '', isOn?: boolean): void {
		if (this.#shown !== picture) {
			this.#shown = picture;
			this.#picture.replaceChildren(callIcon(picture));
		}
		this.#state.textContent = state;
		this.button.ariaPressed = isOn === undefined ? null : String(isOn);
	}

	/** Of a microphone or a camera; where there is none, the switch says so. */
	showSwitch(device: 'microphone' | 'camera', isOn: boolean, exists: boolean): void {
		this.show(isOn ? device : `${device}Off`, exists ? (isOn ? 'On' : 'Off') : 'None', isOn);
		this.button.disabled = !exists;
		this.button.classList.toggle('off', !isOn);
	}
}

export interface Actions {
	microphone(this: void, on: boolean): void;
	camera(this: void, on: boolean): void;
	screen(this: void, on: boolean): void;
	chat(this: void): void;
	devices(this: void): void;
	leave(this: void): void;
	/** For the team: ends it for everybody. */
	end?(this: void): void;
}

export class Controls {
	readonly element: HTMLElement;
	#media: MediaState = { audio: false, video: false, screen: false };
	#microphone: Control;
	#camera: Control;
	#screen: Control;
	#chat: Control;
	#unread = element('span', { className: 'count', hidden: true });

	constructor(actions: Actions) {
		this.#microphone = new Control('microphone', 'Mic', () =>
			actions.microphone(!this.#media.audio),
		);
		this.#camera = new Control('camera', 'Camera', () => actions.camera(!this.#media.video));
		this.#screen = new Control('screen', 'Screen', () => actions.screen(!this.#media.screen));
		this.#chat = new Control('chat', 'Chat', actions.chat);
		const devices = new Control('devices', 'Devices', actions.devices);
		devices.show('devices', 'Choose');
		this.#chat.button.append(this.#unread);
		this.#screen.button.hidden = !navigator.mediaDevices?.getDisplayMedia;
		const switches = [this.#microphone, this.#camera, this.#screen, this.#chat, devices];
		this.element = element(
			'div',
			{ className: 'controls', role: 'group', ariaLabel: 'Call' },
			...[...switches, leaving(actions)].map(({ button }) => button),
		);
		this.showChat(false, 0);
	}

	/** `hasMicrophone`, `hasCamera`: else the switch says that there is none. */
	showMedia(media: MediaState, hasMicrophone: boolean, hasCamera: boolean): void {
		this.#media = media;
		const { audio, video, screen } = media;
		this.#microphone.showSwitch('microphone', audio, hasMicrophone);
		this.#camera.showSwitch('camera', video, hasCamera);
		this.#screen.show(screen ? 'screenOff' : 'screen', screen ? 'Sharing' : 'Share', screen);
	}

	showChat(isOpen: boolean, unread: number): void {
		this.#chat.show('chat', isOpen ? 'Shown' : 'Hidden', isOpen);
		this.#unread.hidden = unread === 0;
		this.#unread.textContent = `${unread > 99 ? '99+' : unread}`;
		this.#unread.title = `${unread} not read`;
	}
}

function leaving({ leave, end }: Actions): Control {
	const control = new Control('leave', 'Leave', end ? () => {} : leave);
	control.show('leave', end ? 'or end' : 'the call');
	control.button.classList.add('leave');
	if (end) {
		attachMenu(control.button, () => [
			{ label: 'Leave the call', run: leave },
			{ label: 'End it for everybody', danger: true, apart: true, run: end },
		]);
	}
	return control;
}

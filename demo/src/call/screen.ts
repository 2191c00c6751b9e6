// SPDX-License-Identifier: MIT
//
// The call as one sees it while one is in it: stage, controls, chat, and for the team who waits.

import { telemedicineService, webSocketManager, WebSocketStatus } from 'praxis-client';
import type { CallMember, TelemedicineCall, Unsubscribe } from 'praxis-client';
import { announce, element } from '../shell/dom.js';
import { icon } from '../shell/icons.js';
import { button } from '../shell/parts.js';
import { Chat } from './chat.js';
import { Controls } from './controls.js';
import { chooseDevices } from './devices.js';
import { callIcon } from './icons.js';
import { hasDevice } from './own.js';
import { Stage } from './stage.js';
import type { StageOptions } from './stage.js';

const WIDE = matchMedia('(min-width: 75rem)');

export class CallScreen {
	readonly element: HTMLElement;
	/** Where cards and ribbons lie over the stage. */
	readonly overlay: HTMLElement;
	#chat: Chat;
	#stage: Stage;
	#controls: Controls;
	#sharing = element('div', { className: 'ribbon', hidden: true });
	#away = element('div', { className: 'ribbon warn', hidden: true });
	#unread = 0;
	#ends: Unsubscribe[];
	readonly #call: TelemedicineCall;

	constructor(call: TelemedicineCall, options: StageOptions) {
		const { isPatient } = options;
		this.#call = call;
		this.#stage = new Stage(call, options);
		this.#chat = new Chat(call, () => this.#openChat(false));
		this.#controls = new Controls({
			microphone: (on) => call.setAudio(on),
			camera: (on) => call.setVideo(on),
			screen: (on) => void this.#share(on),
			chat: () => this.#openChat(this.#chat.element.hidden),
			devices: () => void chooseDevices(call),
			leave: () => call.leave(),
			end: isPatient ? undefined : () => telemedicineService.end(call.roomId),
		});
		const stop = button({ label: 'Stop sharing', run: () => call.stopScreen() });
		this.#sharing.append(
			callIcon('screen'),
			element('p', {}, 'You are sharing your screen.'),
			stop,
		);
		this.#away.append(icon('offline'), element('p'));
		this.overlay = element('div', { className: 'overlay' }, this.#sharing, this.#away);
		this.element = element(
			'div',
			{ className: 'call-screen' },
			element('h1', { className: 'hidden' }, 'Call'),
			element('div', { className: 'middle' }, this.#stage.element, this.overlay),
			this.#controls.element,
			this.#chat.element,
		);
		this.#openChat(WIDE.matches, false);
		this.#ends = [
			call.on('media', () => this.#showMedia()),
			call.on('chat', ({ own }) => this.#heard(own)),
			call.on('joined', (member) => this.#comes(member, 1)),
			call.on('left', (member) => this.#comes(member, -1)),
			call.on('device', ({ sentence }) => this.#chat.note(sentence)),
			call.on('error', (error) => this.#chat.note(error.message)),
			webSocketManager.onStatusChange((status) => this.#showServer(status)),
		];
		this.#chat.showAll();
		call.members.forEach((member) => this.#comes(member, 1));
		this.#showMedia();
	}

	close(): void {
		this.#ends.forEach((end) => end());
		this.element.remove();
	}

	#showMedia(): void {
		const { media, stream } = this.#call;
		this.#controls.showMedia(
			media,
			hasDevice(stream, 'microphone'),
			hasDevice(stream, 'camera'),
		);
		this.#sharing.hidden = !media.screen;
	}

	async #share(on: boolean): Promise<void> {
		try {
			await (on ? this.#call.shareScreen() : this.#call.stopScreen());
		} catch {
			announce('The screen is not shared.');
		}
	}

	#openChat(open: boolean, focus = true): void {
		this.#chat.element.hidden = !open;
		this.element.dataset.chat = String(open);
		if (open) {
			this.#unread = 0;
			if (focus) {
				this.#chat.focus();
			}
		}
		this.#controls.showChat(open, this.#unread);
	}

	#heard(own: boolean): void {
		if (!own && this.#chat.element.hidden) {
			this.#unread++;
			this.#controls.showChat(false, this.#unread);
		}
	}

	// A user who has come back in a new session joins before the old one leaves: no news.
	#there = new Map<string, number>();

	#comes({ userId, clientId, userName = 'Somebody' }: CallMember, change: 1 | -1): void {
		const user = String(userId ?? clientId);
		const before = this.#there.get(user) ?? 0;
		this.#there.set(user, before + change);
		if (Math.max(before, before + change) === 1) {
			this.#chat.note(change > 0 ? `${userName} is here.` : `${userName} has left.`);
		}
	}

	/** Pictures and sound go on without the server. */
	#showServer(status: WebSocketStatus): void {
		this.#away.hidden = status === WebSocketStatus.CONNECTED;
		const text =
			'The server is away. You still see and hear each other; chat is sent when it is back.';
		this.#away.querySelector('p')!.textContent = this.#away.hidden ? '' : text;
	}
}

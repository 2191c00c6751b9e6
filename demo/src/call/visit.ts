// SPDX-License-Identifier: MIT
//
// The video call: one room that everybody of the practice may join, with chat.

import { telemedicineService } from 'praxis-client';
import type { CallChatMessage, CallMember, TelemedicineCall, User } from 'praxis-client';
import { announce, byId, element } from '../shell/dom.js';

const ROOM = 'demo';

function isPressed(id: string): boolean {
	return byId(id).getAttribute('aria-pressed') === 'true';
}

async function ownMedia(): Promise<MediaStream | null> {
	try {
		return await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
	} catch {
		return null; // no camera, or not allowed: one still sees and hears the others
	}
}

export class Visit {
	#call: TelemedicineCall | undefined;
	#stream: MediaStream | null = null;
	#figures = new Map<string, HTMLElement>();

	constructor(readonly user: User) {
		byId('join').addEventListener('click', () => void this.#join());
		byId('leave').addEventListener('click', () => this.#call?.leave());
		byId('mic').addEventListener('click', () => this.#call?.setAudio(!isPressed('mic')));
		byId('camera').addEventListener('click', () => this.#call?.setVideo(!isPressed('camera')));
		byId('screen').addEventListener('click', () => void this.#share());
		byId('screen').hidden = !navigator.mediaDevices?.getDisplayMedia;
		byId<HTMLFormElement>('chat').addEventListener('submit', (event) => {
			event.preventDefault();
			this.#say();
		});
	}

	async #join(): Promise<void> {
		const button = byId<HTMLButtonElement>('join');
		button.disabled = true;
		this.#stream = await ownMedia();
		const call = telemedicineService.call({
			roomId: ROOM,
			appointmentId: ROOM,
			userId: this.user.userId ?? 'guest',
			userName: this.user.userName ?? 'Guest',
			stream: this.#stream,
		});
		this.#call = call;
		call.on('members', (members) => this.#showMembers(members));
		// A user who has come back in a new session joins before the old one leaves: no news.
		const there = new Map<string, number>();
		const count = ({ userId, clientId }: CallMember, change: 1 | -1) => {
			const user = String(userId ?? clientId);
			const before = there.get(user) ?? 0;
			there.set(user, before + change);
			return Math.max(before, before + change) === 1;
		};
		call.on('joined', (member) => {
			if (count(member, 1)) {
				this.#note(`${member.userName ?? 'Somebody'} is here.`);
			}
		});
		call.on('left', (member) => {
			if (count(member, -1)) {
				this.#note(`${member.userName ?? 'Somebody'} has left.`);
			}
		});
		call.on('chat', (message) => this.#showChat(message));
		call.on('chatState', () => this.#showStates(call.chat));
		call.on('error', (error) => this.#note(error.message));
		call.on('media', ({ audio, video, screen }) => {
			this.#press('mic', audio);
			this.#press('camera', video);
			this.#press('screen', screen);
		});
		call.on('state', (state) => {
			if (state === 'joined') {
				byId('messages').replaceChildren();
				call.chat.forEach((message) => this.#showChat(message));
			} else if (state === 'ended') {
				this.#end();
			}
		});
		byId('lobby').hidden = true;
		byId('call-hint').hidden = true;
		byId('call').hidden = false;
		button.disabled = false;
		if (this.#stream) {
			this.#figure('self', 'You', this.#stream, true);
		} else {
			this.#note('Without camera and microphone: you see and hear the others.');
		}
		byId('mic').hidden = byId('camera').hidden = !this.#stream;
	}

	#end(): void {
		this.#stream?.getTracks().forEach((track) => track.stop());
		this.#figures.forEach((figure) => figure.remove());
		this.#figures.clear();
		byId('messages').replaceChildren();
		byId('call').hidden = true;
		byId('lobby').hidden = false;
		byId('call-hint').hidden = false;
		byId('join').focus();
		announce('You have left the call.');
	}

	#press(id: string, pressed: boolean | undefined): void {
		byId(id).setAttribute('aria-pressed', String(pressed === true));
	}

	async #share(): Promise<void> {
		try {
			await (isPressed('screen') ? this.#call?.stopScreen() : this.#call?.shareScreen());
		} catch {
			this.#note('The screen is not shared.');
		}
	}

	#say(): void {
		const input = byId<HTMLInputElement>('text');
		const text = input.value.trim();
		if (text && this.#call) {
			this.#call.sendChat(text).catch(() => {}); // its line says so
			input.value = '';
		}
	}

	#showMembers(members: readonly CallMember[]): void {
		const here = new Set(members.map(({ clientId }) => clientId));
		for (const [id, figure] of this.#figures) {
			if (id !== 'self' && !here.has(id)) {
				figure.remove();
				this.#figures.delete(id);
			}
		}
		for (const { clientId, userName, stream, connection } of members) {
			const waits = connection === 'connected' ? '' : ' (connecting …)';
			this.#figure(clientId, `${userName ?? 'Guest'}${waits}`, stream, false);
		}
	}

	#figure(id: string, caption: string, stream: MediaStream | null, own: boolean): void {
		let figure = this.#figures.get(id);
		if (!figure) {
			const video = element('video', { autoplay: true, playsInline: true, muted: own });
			figure = element('figure', {}, video, element('figcaption'));
			figure.dataset.member = id;
			this.#figures.set(id, figure);
			byId('videos').append(figure);
		}
		const video = figure.querySelector('video')!;
		if (video.srcObject !== stream) {
			video.srcObject = stream;
		}
		figure.querySelector('figcaption')!.textContent = caption;
	}

	#showChat({ from, message, state }: CallChatMessage): void {
		const line = element('li', {}, element('b', {}, String(from)), ` ${message}`);
		if (state) {
			line.dataset.state = state;
		}
		this.#line(line);
	}

	/** One's own lines stand in the order in which they were said. */
	#showStates(chat: readonly CallChatMessage[]): void {
		const own = chat.filter(({ state }) => state !== undefined).reverse();
		const lines = [
			...byId('messages').querySelectorAll<HTMLLIElement>('li[data-state]'),
		].reverse();
		own.forEach(({ state }, at) => {
			const line = lines[at];
			if (line && line.dataset.state !== state) {
				line.dataset.state = state;
				if (state === 'failed') {
					announce('A message was not sent.');
				}
			}
		});
	}

	#note(text: string): void {
		this.#line(element('li', { className: 'note' }, text));
	}

	#line(line: HTMLLIElement): void {
		const list = byId('messages');
		list.append(line);
		list.scrollTop = list.scrollHeight;
	}
}

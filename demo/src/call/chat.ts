// SPDX-License-Identifier: MIT
//
// What is said in writing: with times, and for one's own messages whether the server has them. A
// message that failed stays, and can be sent again.

import type { CallChatMessage, CallMember, TelemedicineCall } from 'praxis-client';
import { announce, element } from '../shell/dom.js';
import { button } from '../shell/parts.js';

const STATES: Record<NonNullable<CallChatMessage['state']>, string> = {
	pending: 'Sending …',
	sent: 'Sent',
	failed: 'Not sent',
};

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

export class Chat {
	readonly element: HTMLElement;
	#list = element('ol');
	#log = element(
		'div',
		{ className: 'messages', tabIndex: 0, ariaLabel: 'Messages' },
		this.#list,
	);
	#input: HTMLTextAreaElement;
	#typing = element('p', { className: 'typing' });
	#lines = new Map<string, HTMLLIElement>();
	readonly #call: TelemedicineCall;

	/** `closed`: the user wants to see it no more. */
	constructor(call: TelemedicineCall, closed: () => void) {
		this.#call = call;
		this.#log.role = 'log';
		this.#input = element('textarea', {
			id: 'text',
			rows: 1,
			maxLength: 500,
			placeholder: 'Message to everybody here',
			dir: 'auto',
		});
		const close = button({
			label: 'Hide the chat',
			icon: 'close',
			iconOnly: true,
			kind: 'quiet',
			run: closed,
		});
		this.element = element(
			'section',
			{ className: 'chat', ariaLabel: 'Chat' },
			element('header', {}, element('h2', {}, 'Chat'), close),
			this.#log,
			this.#typing,
			this.#form(),
		);
		call.on('chat', (message) => this.#show(message));
		call.on('members', (members) => this.#showTyping(members));
		call.on('chatState', (message) => this.#show(message));
	}

	/** What was said before one came. */
	showAll(): void {
		this.#call.chat.forEach((message) => this.#show(message));
	}

	/** Something that happened, among what was said. */
	note(text: string): void {
		this.#append(element('li', { className: 'note' }, text));
	}

	focus(): void {
		this.#input.focus();
	}

	#form(): HTMLFormElement {
		const form = element(
			'form',
			{},
			element('label', { htmlFor: 'text', className: 'hidden' }, 'Message'),
			this.#input,
			element('button', { className: 'primary' }, 'Send'),
		);
		form.addEventListener('submit', (event) => {
			event.preventDefault();
			this.#say();
		});
		this.#input.addEventListener('input', () => {
			this.#call.setTyping(this.#input.value.trim() !== '');
		});
		this.#input.addEventListener('keydown', (event) => {
			if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
				event.preventDefault();
				this.#say();
			}
		});
		return form;
	}

	#say(): void {
		const text = this.#input.value.trim();
		if (text) {
			this.#call.sendChat(text).catch(() => {}); // its line says so
			this.#input.value = '';
		}
	}

	#show(message: CallChatMessage): void {
		const { localId, from, state } = message;
		const known = this.#lines.get(localId);
		const line = this.#line(message);
		this.#lines.set(localId, line);
		if (known) {
			known.replaceWith(line);
			if (state === 'failed') {
				announce('A message was not sent.');
			}
		} else {
			this.#append(line);
			line.dataset.from = String(from);
		}
	}

	#line({ localId, own, from, message, timestamp, state }: CallChatMessage): HTMLLIElement {
		const at = new Date(timestamp ?? 0);
		const time = element('time', { dateTime: at.toISOString() }, clock.format(at));
		const head = element(
			'p',
			{ className: 'head' },
			element('bdi', {}, String(from)),
			' ',
			time,
		);
		const text = element('p', { className: 'text', dir: 'auto' }, message);
		const line = element('li', {}, head, text);
		line.classList.toggle('own', own);
		if (state) {
			line.dataset.state = state;
			line.append(element('p', { className: 'delivery' }, STATES[state]));
		}
		if (state === 'failed') {
			const run = () => void this.#call.retryChat(localId).catch(() => {});
			line.lastElementChild?.append(' ', button({ label: 'Send again', run }));
		}
		return line;
	}

	/** In a line that is always there, so that nothing moves. */
	#showTyping(members: readonly CallMember[]): void {
		const names = members
			.filter(({ typing }) => typing)
			.map(({ userName }) => userName ?? 'Guest');
		const text =
			names.length > 1 ? 'Several people are writing …' : `${names[0] ?? ''} is writing …`;
		this.#typing.textContent = names.length > 0 ? text : '';
	}

	#append(line: HTMLLIElement): void {
		const { scrollHeight, scrollTop, clientHeight } = this.#log;
		const isAtEnd = scrollHeight - scrollTop - clientHeight < 40;
		this.#list.append(line);
		if (isAtEnd || line.dataset.state) {
			this.#log.scrollTop = this.#log.scrollHeight;
		}
	}
}

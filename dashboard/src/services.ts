// SPDX-License-Identifier: MIT
//
// The services: what they understand, how they are set up, and a switch for each.

import type { WebSocketMessage } from 'praxis-client';
import { announce, byId, confirmed, element, setText } from './dom.js';
import { act, ask, isConnected, reason } from './server.js';
import type { Service } from './server.js';
import type { View } from './tabs.js';

function counted(number: number, what: string): string {
	return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function messageList({ messages = [] }: Service): HTMLElement {
	const lines = messages.map(({ type, roles }) =>
		element('li', {}, element('code', {}, type), roles?.length ? ` ${roles.join(', ')}` : ''),
	);
	return element(
		'details',
		{},
		element('summary', {}, counted(messages.length, 'message type')),
		element('ul', {}, ...lines),
	);
}

function optionList(options: Record<string, unknown>): HTMLElement {
	const lines = Object.entries(options).map(([name, value]) =>
		element(
			'div',
			{},
			element('dt', {}, name),
			element('dd', {}, typeof value === 'string' ? value : JSON.stringify(value)),
		),
	);
	return element(
		'details',
		{},
		element('summary', {}, counted(lines.length, 'option')),
		element('dl', { className: 'facts' }, ...lines),
	);
}

function people(number: number): string {
	return number === 1 ? '1 person' : `${number} people`;
}

function usersOf({ clients, members = 0 }: Service): string {
	return clients === undefined
		? ''
		: `${people(clients)} beside you can use it, ${members} in its rooms`;
}

const NOT_LOADED = 'Not loaded: it was off when the server started. Switching it on loads it.';

async function current(name: string): Promise<Service | undefined> {
	const { services } = await ask<WebSocketMessage & { services: Service[] }>(
		{ type: 'admin_services' },
		'admin_services',
	);
	return services.find((service) => service.name === name);
}

class Card {
	readonly node: HTMLElement;
	#service: Service;
	#toggle = element('button', { type: 'button' });
	#users = element('p', { className: 'hint' });

	constructor(
		service: Service,
		readonly rules: boolean,
		changed: () => void,
	) {
		this.#service = service;
		const title = element('h2', { id: `service-${service.name}` }, service.name);
		this.#toggle.setAttribute('role', 'switch');
		this.#toggle.setAttribute('aria-labelledby', title.id);
		this.#toggle.addEventListener('click', () => void this.#switch().then(changed));
		this.node = element(
			'article',
			{ className: 'card' },
			element('div', { className: 'bar' }, title, this.#toggle),
			element('p', { className: 'hint' }, service.summary ?? NOT_LOADED),
			this.#users,
			...(service.loaded ? [messageList(service)] : []),
			...(Object.keys(service.options ?? {}).length > 0
				? [optionList(service.options!)]
				: []),
		);
		this.show(service);
	}

	/** Of a service that was not loaded yet, the messages were not known. */
	describes({ loaded }: Service): boolean {
		return this.#service.loaded === loaded;
	}

	giveWayTo(other: Card): void {
		const hadFocus = this.#toggle === document.activeElement;
		this.node.replaceWith(other.node);
		if (hadFocus) {
			other.#toggle.focus();
		}
	}

	show(service: Service): void {
		const { name, enabled } = service;
		this.#service = service;
		this.#toggle.setAttribute('aria-checked', String(enabled));
		this.#toggle.disabled = !this.rules || name === 'admin';
		setText(this.#toggle, enabled ? 'on' : 'off');
		setText(this.#users, usersOf(service));
	}

	// With the number of now: the card may be some seconds old.
	async #agrees(): Promise<boolean> {
		const { name } = this.#service;
		const { clients = 0, members = 0 } = (await current(name)) ?? {};
		const rooms =
			members === 0
				? ''
				: ` Its rooms, with ${people(members)} in them, stand still meanwhile.`;
		const whom =
			clients === 0
				? 'Nobody else can use it now.'
				: `${people(clients)} can use it now, and cannot until it is on again.`;
		return confirmed(`Switch ${name} off? ${whom}${rooms}`, 'Switch off');
	}

	async #switch(): Promise<void> {
		const { name, enabled } = this.#service;
		try {
			if (enabled && !(await this.#agrees())) {
				return;
			}
			await act({ type: 'admin_service', name, enabled: !enabled });
			announce(`${name} is ${enabled ? 'off' : 'on'}.`);
		} catch (error) {
			announce(`${name}: ${reason(error)}`);
		}
	}
}

export class Services implements View {
	readonly refreshMs = 5000;
	#cards = new Map<string, Card>();
	#rules = false;

	/** A new snapshot: the options may have changed with it. */
	begin(services: readonly Service[], rules: boolean): void {
		this.#rules = rules;
		this.#cards.clear();
		byId('services').replaceChildren();
		if (!rules) {
			const note = 'Services are switched by administrators of all practices.';
			byId('services').append(element('p', { className: 'hint' }, note));
		}
		this.#show(services);
	}

	async refresh(): Promise<void> {
		if (isConnected()) {
			try {
				const { services } = await ask<WebSocketMessage & { services: Service[] }>(
					{ type: 'admin_services' },
					'admin_services',
				);
				this.#show(services);
			} catch (error) {
				announce(reason(error));
			}
		}
	}

	#show(services: readonly Service[]): void {
		for (const service of services) {
			const card = this.#cards.get(service.name);
			if (card?.describes(service)) {
				card.show(service);
			} else {
				const made = new Card(service, this.#rules, () => void this.refresh());
				this.#cards.set(service.name, made);
				if (card) {
					card.giveWayTo(made);
				} else {
					byId('services').append(made.node);
				}
			}
		}
	}
}

// SPDX-License-Identifier: MIT
//
// For the team: who waits to be let in. It is shown beside the stage and on the board alike.

import { telemedicineService } from 'praxis-client';
import type { TelemedicineCall, WaitingMember } from 'praxis-client';
import { announce, element } from '../shell/dom.js';
import { avatar, button } from '../shell/parts.js';

const TICK_MS = 15_000;
const SORRY = 'We cannot take your call now. Please call the practice.';

/** For how long, in the fewest words. */
export function waited(ms: number): string {
	const minutes = Math.floor(Math.max(0, ms) / 60_000);
	return minutes < 1 ? 'just now' : `for ${minutes} min`;
}

export class Admission {
	readonly element: HTMLElement;
	#list = element('ul');
	#title = element('h2');
	#known = new Set<string>();
	readonly #call: TelemedicineCall;

	constructor(call: TelemedicineCall) {
		this.#call = call;
		this.element = element(
			'section',
			{ className: 'admission', ariaLabel: 'Waiting room', hidden: true },
			this.#title,
			this.#list,
		);
		call.on('waiting', (waiting) => this.#show(waiting));
		const ticking = window.setInterval(() => this.#show(call.waiting), TICK_MS);
		call.on('state', (state) => {
			if (state === 'ended') {
				window.clearInterval(ticking);
			}
		});
	}

	#show(waiting: readonly WaitingMember[]): void {
		this.element.hidden = waiting.length === 0;
		this.#title.textContent = `Waiting room (${waiting.length})`;
		const { focused, action } = this.#focus();
		this.#list.replaceChildren(...waiting.map((member) => this.#row(member)));
		this.#refocus(focused, action);
		const fresh = waiting.filter(({ clientId }) => !this.#known.has(clientId));
		this.#known = new Set(waiting.map(({ clientId }) => clientId));
		if (fresh.length > 0) {
			announce(`${fresh.map(({ userName }) => userName ?? 'A guest').join(', ')} waits.`);
		}
	}

	#row({ clientId, userName = 'Guest', since }: WaitingMember): HTMLLIElement {
		const { manager } = telemedicineService;
		const row = element(
			'li',
			{},
			avatar(userName),
			element(
				'span',
				{ className: 'who' },
				element('bdi', { className: 'name' }, userName),
				element('small', {}, waited(manager.environment.wall() - since)),
			),
			this.#button('Admit', userName, () => {
				telemedicineService.admit(this.#call.roomId, clientId);
			}),
			this.#button('Deny', userName, () => {
				telemedicineService.deny(this.#call.roomId, clientId, SORRY);
			}),
		);
		row.dataset.client = clientId;
		return row;
	}

	#button(label: 'Admit' | 'Deny', userName: string, run: () => void): HTMLButtonElement {
		const made = button({ label, kind: label === 'Admit' ? 'primary' : undefined, run });
		made.ariaLabel = `${label} ${userName}`;
		made.dataset.action = label;
		return made;
	}

	#focus(): { focused?: string; action?: string } {
		const button = document.activeElement as HTMLElement | null;
		return this.#list.contains(button)
			? { focused: button?.closest('li')?.dataset.client, action: button?.dataset.action }
			: {};
	}

	/** The list is made anew; the same button of the same person keeps the focus. */
	#refocus(focused?: string, action?: string): void {
		if (focused) {
			const rows = [...this.#list.children] as HTMLLIElement[];
			const row = rows.find(({ dataset }) => dataset.client === focused) ?? rows[0];
			row?.querySelector<HTMLButtonElement>(`[data-action=${action}]`)?.focus();
		}
	}
}

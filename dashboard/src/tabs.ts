// SPDX-License-Identifier: MIT
//
// One view at a time. Only the one that is looked at is kept up to date, and only while the page
// itself is.

import { byId } from './dom.js';

export interface View {
	/** How often it is brought up to date; without it, when it is opened. */
	refreshMs?: number;
	refresh?(): Promise<void> | void;
}

const KEPT = 'praxis-admin-view';

export class Tabs {
	#tabs = [...byId('tabs').querySelectorAll<HTMLButtonElement>('[role=tab]')];
	#open = '';
	#timer: number | undefined;

	constructor(readonly views: Record<string, View>) {
		for (const tab of this.#tabs) {
			tab.addEventListener('click', () => this.open(nameOf(tab)));
			tab.addEventListener('keydown', (event) => this.#move(event, tab));
		}
		document.addEventListener('visibilitychange', () => this.refresh());
		const kept = sessionStorage.getItem(KEPT) ?? '';
		this.open(kept in views ? kept : 'overview');
	}

	open(name: string): void {
		this.#open = name;
		sessionStorage.setItem(KEPT, name);
		for (const tab of this.#tabs) {
			const chosen = nameOf(tab) === name;
			tab.setAttribute('aria-selected', String(chosen));
			tab.tabIndex = chosen ? 0 : -1;
			byId(nameOf(tab)).hidden = !chosen;
		}
		this.refresh();
	}

	/** Now, and from now on again and again. */
	refresh(): void {
		window.clearTimeout(this.#timer);
		const name = this.#open;
		const view = this.views[name];
		if (!view?.refresh || document.hidden) {
			return;
		}
		void Promise.resolve(view.refresh()).finally(() => {
			if (view.refreshMs && name === this.#open) {
				window.clearTimeout(this.#timer);
				this.#timer = window.setTimeout(() => this.refresh(), view.refreshMs);
			}
		});
	}

	#move(event: KeyboardEvent, tab: HTMLButtonElement): void {
		const last = this.#tabs.length - 1;
		const at = this.#tabs.indexOf(tab);
		const to = {
			ArrowRight: at === last ? 0 : at + 1,
			ArrowLeft: at === 0 ? last : at - 1,
			Home: 0,
			End: last,
		}[event.key];
		if (to !== undefined) {
			event.preventDefault();
			this.open(nameOf(this.#tabs[to]!));
			this.#tabs[to]!.focus();
		}
	}
}

function nameOf(tab: HTMLElement): string {
	return tab.getAttribute('aria-controls')!;
}

// SPDX-License-Identifier: MIT
//
// Views and their addresses: `#/board`, `#/call?room=7`. Behind the #, because then any server of files will do, and
// because a call goes on while one looks at the board. A view stays in the page when another one is shown.

import type { Id, User } from 'praxis-client';
import { byId } from './dom.js';
import { readHash, takeIdentity, writeHash } from './identity.js';

export interface Context {
	readonly user: User;
	readonly practiceId: Id;
	/** Patients have the call, and nothing of the board. */
	readonly isPatient: boolean;
	/** Shows another view. */
	go(this: void, route: string, params?: Record<string, string>): void;
}

export interface View {
	/** Its address, and `<route>-view` is its element. */
	readonly route: string;
	readonly title: string;
	/** Once, when the server has said for the first time who one is. */
	start(context: Context): void;
	/** Whenever its address is gone to, and it has started. */
	shown?(params: URLSearchParams): void;
	hidden?(): void;
}

export class Router {
	#views: readonly View[];
	#shown: View | undefined;
	#started = false;

	/** The first view is the one of an address without a route. */
	constructor(views: readonly View[]) {
		this.#views = views;
		addEventListener('hashchange', () => {
			if (takeIdentity()) {
				location.reload(); // another link, pasted over this page
			} else {
				this.#follow();
			}
		});
		this.#follow();
	}

	/** From now on views are told that they are shown. */
	start(): void {
		this.#started = true;
		this.#shown?.shown?.(readHash(location.hash).params);
	}

	go(route: string, params: Record<string, string> = {}): void {
		location.hash = writeHash({ route, params: new URLSearchParams(params) });
	}

	#follow(): void {
		const { route, params } = readHash(location.hash);
		const view = this.#views.find((each) => each.route === route) ?? this.#views[0]!;
		const before = this.#shown;
		this.#shown = view;
		document.title = `${view.title} – Praxis`;
		for (const link of document.querySelectorAll<HTMLAnchorElement>('.views a')) {
			if (readHash(link.hash).route === view.route) {
				link.setAttribute('aria-current', 'page');
			} else {
				link.removeAttribute('aria-current');
			}
		}
		for (const { route: each } of this.#views) {
			byId(`${each}-view`).hidden = each !== view.route;
		}
		if (before && before !== view) {
			scrollTo(0, 0);
			byId('main').focus({ preventScroll: true });
			if (this.#started) {
				before.hidden?.();
			}
		}
		if (this.#started) {
			view.shown?.(params);
		}
	}
}

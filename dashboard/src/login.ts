// SPDX-License-Identifier: MIT
//
// Who one is: a token, pasted or behind the # of the address, which browsers send to nobody; or,
// for a server in open mode, #practice=*. It is kept for this tab, until that is closed.

import { byId } from './dom.js';

const KEPT = 'praxis-admin-who';

export class Login {
	constructor(readonly entered: () => void) {
		byId('login-form').addEventListener('submit', (event) => {
			event.preventDefault();
			const field = byId<HTMLTextAreaElement>('token');
			const token = field.value.trim();
			field.value = '';
			if (token) {
				sessionStorage.setItem(KEPT, new URLSearchParams({ token }).toString());
				this.hide();
				entered();
			}
		});
		window.addEventListener('hashchange', () => {
			if (this.#take()) {
				location.reload();
			}
		});
		this.#take();
	}

	/** Null: nobody has logged in. */
	who(): { token: string } | { practice: string } | null {
		const kept = new URLSearchParams(sessionStorage.getItem(KEPT) ?? '');
		const token = kept.get('token');
		const practice = kept.get('practice');
		return token ? { token } : practice ? { practice } : null;
	}

	forget(): void {
		sessionStorage.clear();
	}

	ask(fault = ''): void {
		this.forget();
		byId('login').hidden = false;
		byId('login-fault').textContent = fault;
		byId('token').focus();
	}

	hide(): void {
		byId('login').hidden = true;
		byId('login-fault').textContent = '';
	}

	// Out of the address at once: that is shown, copied and kept.
	#take(): boolean {
		const given = location.hash.slice(1);
		if (/^(token|practice)=/.test(given)) {
			sessionStorage.clear();
			sessionStorage.setItem(KEPT, given);
			history.replaceState(null, '', location.pathname);
			return true;
		}
		return false;
	}
}

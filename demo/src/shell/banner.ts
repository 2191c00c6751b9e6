// SPDX-License-Identifier: MIT
//
// Lines under the header that stay as long as what they say is so.

import { byId, element } from './dom.js';
import { icon } from './icons.js';
import type { IconName } from './icons.js';

export interface BannerOptions {
	kind?: 'info' | 'warn' | 'danger';
	icon?: IconName;
	text: string;
	actions?: HTMLElement[];
}

/** `key`: one banner of each; a second call changes it. Only another text is read out. */
export function showBanner(key: string, options: BannerOptions): void {
	const known = find(key);
	const box = known ?? element('div', { className: 'banner' });
	box.className = `banner ${options.kind ?? 'info'}`;
	if (!known) {
		box.dataset.banner = key;
		byId('banners').append(box);
	}
	const text = box.querySelector('p') ?? element('p');
	if (text.textContent !== options.text) {
		text.textContent = options.text;
	}
	box.replaceChildren(icon(options.icon ?? 'alert'), text, ...(options.actions ?? []));
}

export function hideBanner(key: string): void {
	find(key)?.remove();
}

function find(key: string): HTMLDivElement | null {
	return document.querySelector<HTMLDivElement>(`[data-banner="${key}"]`);
}

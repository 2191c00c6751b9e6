// SPDX-License-Identifier: MIT
//
// The small parts: buttons, avatars, badges.

import { element } from './dom.js';
import { icon } from './icons.js';
import type { IconName } from './icons.js';

export interface ButtonOptions {
	label: string;
	icon?: IconName;
	/** `quiet`: without a frame until it is pointed at. */
	kind?: 'primary' | 'quiet' | 'danger' | 'danger primary';
	/** The icon alone is seen; the label is for screen readers and the tooltip. */
	iconOnly?: boolean;
	run?(this: void, event: MouseEvent): void;
}

export function button(options: ButtonOptions): HTMLButtonElement {
	const { label, kind = '', iconOnly, run } = options;
	const made = element('button', { type: 'button', className: kind });
	if (options.icon) {
		made.append(icon(options.icon));
	}
	if (iconOnly) {
		made.classList.add('only');
		made.ariaLabel = made.title = label;
	} else {
		made.append(label);
	}
	if (run) {
		made.addEventListener('click', run);
	}
	return made;
}

/** "Dr. Eva Weber" → "EW"; a title is no name. */
export function initials(name: string): string {
	const words = name.split(/\s+/).filter((word) => /^[\p{L}\p{N}]/u.test(word));
	const names = words.filter((word) => !word.endsWith('.'));
	const [first = '?', ...rest] = names.length > 0 ? names : words;
	return [first, rest.at(-1) ?? '']
		.map((word) => [...word][0] ?? '')
		.join('')
		.toUpperCase();
}

/** Who it is, as initials; the whole name is its label. */
export function avatar(name: string, size: 'small' | 'large' | '' = ''): HTMLSpanElement {
	const made = element('span', { className: `avatar ${size}`, title: name });
	made.setAttribute('role', 'img');
	made.ariaLabel = name;
	made.append(initials(name));
	return made;
}

export type BadgeKind = 'neutral' | 'accent' | 'good' | 'warn' | 'danger';

/** A word with a colour; the colour says nothing that the word does not. */
export function badge(
	text: string,
	kind: BadgeKind = 'neutral',
	image?: IconName,
): HTMLSpanElement {
	const made = element('span', { className: `badge ${kind}` });
	if (image) {
		made.append(icon(image));
	}
	made.append(text);
	return made;
}

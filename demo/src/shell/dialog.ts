// SPDX-License-Identifier: MIT
//
// Dialogs of the browser's own kind: the rest of the page is inert, Escape closes, focus returns.

import { element } from './dom.js';
import { button } from './parts.js';
import type { ButtonOptions } from './parts.js';

export interface DialogOptions {
	title: string;
	body: (Node | string)[];
	/** The button that does it; Enter presses it. */
	submit: string;
	kind?: ButtonOptions['kind'];
	cancel?: string;
}

/** True: submitted, and the form is valid. The dialog is gone when the promise settles. */
export function openDialog(options: DialogOptions): Promise<boolean> {
	const { title, body, submit, kind = 'primary', cancel = 'Cancel' } = options;
	const heading = element('h2', { id: 'dialog-title' }, title);
	const close = () => dialog.close('');
	const form = element(
		'form',
		{ method: 'dialog' },
		element(
			'div',
			{ className: 'title' },
			heading,
			button({ label: 'Close', icon: 'close', iconOnly: true, kind: 'quiet', run: close }),
		),
		...body,
		element(
			'div',
			{ className: 'actions' },
			button({ label: cancel, run: close }),
			element('button', { className: kind, value: 'submit' }, submit),
		),
	);
	const dialog = element('dialog', {}, form);
	dialog.setAttribute('aria-labelledby', heading.id);
	document.body.append(dialog);
	return new Promise((resolve) => {
		dialog.addEventListener('close', () => {
			dialog.remove();
			resolve(dialog.returnValue === 'submit');
		});
		dialog.showModal();
		form.querySelector<HTMLElement>('[autofocus], input, select, textarea')?.focus();
	});
}

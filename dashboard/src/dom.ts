// SPDX-License-Identifier: MIT

import { byId, element } from '../../pages/dom.js';

export { announce, byId, element } from '../../pages/dom.js';

/** Changes the text only if it is another one: screen readers and selections keep their place. */
export function setText(node: HTMLElement, text: string): void {
	if (node.textContent !== text) {
		node.textContent = text;
	}
}

/** A list of terms; those that are there already keep their elements. */
export function showFacts(list: HTMLElement, facts: Record<string, string>): void {
	for (const [name, value] of Object.entries(facts)) {
		let fact = [...list.children].find(
			(each) => (each as HTMLElement).dataset['name'] === name,
		);
		if (!fact) {
			fact = element('div', {}, element('dt', {}, name), element('dd'));
			(fact as HTMLElement).dataset['name'] = name;
			list.append(fact);
		}
		setText(fact.lastElementChild as HTMLElement, value);
	}
	for (const fact of [...list.children] as HTMLElement[]) {
		if (!(fact.dataset['name']! in facts)) {
			fact.remove();
		}
	}
}

/** Asks before something is done that cannot be undone. */
export function confirmed(question: string, yes: string): Promise<boolean> {
	const dialog = byId<HTMLDialogElement>('confirm');
	byId('confirm-text').textContent = question;
	byId('confirm-yes').textContent = yes;
	dialog.returnValue = 'no';
	dialog.showModal();
	return new Promise((resolve) => {
		dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), {
			once: true,
		});
	});
}

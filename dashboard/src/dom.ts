// SPDX-License-Identifier: MIT

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
	return document.getElementById(id) as T;
}

/** An element with properties and children; text is never read as HTML. */
export function element<K extends keyof HTMLElementTagNameMap>(
	tag: K,
	properties: Partial<HTMLElementTagNameMap[K]> = {},
	...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
	const made = Object.assign(document.createElement(tag), properties);
	made.append(...children);
	return made;
}

/** Changes the text only if it is another one: screen readers and selections keep their place. */
export function setText(node: HTMLElement, text: string): void {
	if (node.textContent !== text) {
		node.textContent = text;
	}
}

/** A list of terms; those that are there already keep their elements. */
export function showFacts(list: HTMLElement, facts: Record<string, string>): void {
	for (const [name, value] of Object.entries(facts)) {
		let fact = [...list.children].find((each) => (each as HTMLElement).dataset['name'] === name);
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

let hiding: number | undefined;

/** Shows it at the bottom for a while, and says it to those who listen to the page. */
export function announce(text: string): void {
	const news = byId('news');
	news.textContent = text;
	window.clearTimeout(hiding);
	hiding = window.setTimeout(() => news.replaceChildren(), 6000);
}

/** Asks before something is done that cannot be undone. */
export function confirmed(question: string, yes: string): Promise<boolean> {
	const dialog = byId<HTMLDialogElement>('confirm');
	byId('confirm-text').textContent = question;
	byId('confirm-yes').textContent = yes;
	dialog.returnValue = 'no';
	dialog.showModal();
	return new Promise((resolve) => {
		dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
	});
}

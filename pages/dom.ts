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

let hiding: number | undefined;

/** Says it for a while, to those who listen to the page and wherever the page shows its news. */
export function announce(text: string): void {
	const news = byId('news');
	news.textContent = text;
	window.clearTimeout(hiding);
	hiding = window.setTimeout(() => news.replaceChildren(), 6000);
}

// SPDX-License-Identifier: MIT
//
// React on a DOM without a browser, for the tests of the hooks. What a test has rendered is taken away behind it.

import { afterEach } from 'node:test';
import { parseHTML } from 'linkedom';
import { act, StrictMode } from 'react';
import type { ReactNode } from 'react';
import type { Root } from 'react-dom/client';

const { window, document } = parseHTML('<html><body></body></html>');
Object.assign(globalThis, { window, document, IS_REACT_ACT_ENVIRONMENT: true });
Object.defineProperty(globalThis, 'navigator', { value: { userAgent: '' }, configurable: true });
// React looks for a DOM when it is loaded.
const { createRoot } = await import('react-dom/client');

const roots: Root[] = [];

/** Does it, and waits until React has shown what follows. */
export const doing = (what: () => unknown) =>
	act(async () => {
		await what();
	});

export async function render(element: ReactNode): Promise<(next: ReactNode) => Promise<void>> {
	const root = createRoot(document.createElement('div'));
	roots.push(root);
	const show = (next: ReactNode) => doing(() => root.render(<StrictMode>{next}</StrictMode>));
	await show(element);
	return show;
}

afterEach(async () => {
	for (const root of roots.splice(0)) {
		await doing(() => root.unmount());
	}
});

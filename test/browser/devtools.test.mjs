// SPDX-License-Identifier: MIT
//
// The developers' panel on a page: it shows states, sessions, rooms and heads of messages, and
// nothing of what is in one; the page's styles and its own leave each other alone.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { claimsOf, sign, tokenVhost } from '../e2e/lib/issuer.mjs';
import { showPlain, usePlain } from './lib/plain.mjs';

describe('the developers’ panel', { timeout: 120_000 }, () => {
	const plain = usePlain((mounts) => tokenVhost({}, { mounts }));
	const { praxis } = plain;

	it('shows heads and no contents, by keyboard, and goes without a trace', async () => {
		const page = await plain.browser.page();
		const token = await sign(claimsOf({ sub: 'Ann', name: 'Ann', practices: [1] }));
		await showPlain(page, praxis.port);
		await page.evaluate(async (given) => {
			const {
				webSocketManager: manager,
				whiteboardService,
				telemedicineService,
			} = globalThis.praxis;
			const hostile = new CSSStyleSheet();
			hostile.replaceSync('table, button, td { display: none !important }');
			document.adoptedStyleSheets = [hostile];
			globalThis.unmount = globalThis.praxis.mountDevtools(manager, document.body);
			manager.configure({ url: `ws://${location.host}/ws`, getToken: () => given });
			whiteboardService.connect();
			await new Promise((resolve) => manager.on('session', resolve));
			await whiteboardService.send(1, { patient: 'secret-of-a-patient' });
			const about = { appointmentId: 12, userId: 'Ann', userName: 'Ann' };
			globalThis.call = telemedicineService.call({ roomId: 'r12', ...about });
			await new Promise((resolve) => globalThis.call.on('state', resolve));
			await globalThis.call.sendChat('secret-of-a-chat');
		}, token);
		const panel = page.getByRole('region', { name: 'Praxis developer tools' });
		await panel.getByRole('status').getByText('connected').waitFor();
		await panel.getByRole('row', { name: 'call r12 joined' }).waitFor();
		await panel.getByRole('row', { name: 'whiteboard 1' }).waitFor();
		assert.equal(
			await panel.getByRole('table', { name: 'Sessions' }).getByText('the first').count(),
			1,
		);
		const messages = panel.getByRole('table', { name: 'Messages' });
		for (const type of [
			'auth',
			'connection_established',
			'whiteboard_update',
			'telemedicine_chat_message',
		]) {
			await messages.getByRole('cell', { name: type, exact: true }).first().waitFor();
		}
		const shown = await panel.evaluate((section) => section.innerHTML);
		assert.ok(!shown.includes('secret-of') && !shown.includes(token));
		// By keyboard: Pause, Clear, then what scrolls.
		await panel.getByRole('button', { name: 'Pause' }).focus();
		await page.keyboard.press('Enter');
		assert.equal(await panel.getByRole('button', { pressed: true }).count(), 1);
		await page.keyboard.press('Tab');
		await page.keyboard.press('Enter');
		await page.keyboard.press('Tab');
		const focused = await page.evaluate(() => {
			const { shadowRoot } = document.activeElement;
			return shadowRoot.activeElement.getAttribute('aria-label');
		});
		assert.equal(focused, 'Messages');
		await messages.getByRole('cell').first().waitFor({ state: 'detached' });
		await page.evaluate(() => globalThis.praxis.whiteboardService.send(1, {}));
		assert.equal(await messages.getByRole('cell').count(), 0);
		await page.evaluate(() => globalThis.unmount());
		assert.equal(await panel.count(), 0);
	});
});

// SPDX-License-Identifier: MIT
//
// The client package in a real browser, where the demonstration does not reach: tokens that expire.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { claimsOf, nowS, sign, tokenVhost } from '../e2e/lib/issuer.mjs';
import { showPlain, usePlain } from './lib/plain.mjs';

describe('tokens', { timeout: 120_000 }, () => {
	const plain = usePlain((mounts) => tokenVhost({}, { mounts }));
	const { praxis } = plain;

	// A page whose application hands out these tokens, one after the other, the last for ever.
	async function open(expiries) {
		const page = await plain.browser.page();
		const sub = `user-${Math.random()}`;
		let asked = 0;
		await page.exposeFunction('freshToken', () => {
			const exp = expiries[Math.min(asked++, expiries.length - 1)]();
			return sign(claimsOf({ sub, exp }));
		});
		await showPlain(page, praxis.port);
		await page.evaluate(async () => {
			const { webSocketManager: manager, whiteboardService } = globalThis.praxis;
			globalThis.statuses = [];
			manager.onStatusChange((status) => globalThis.statuses.push(status));
			manager.configure({ url: `ws://${location.host}/ws`, getToken: globalThis.freshToken });
			whiteboardService.connect();
			await new Promise((resolve) => manager.on('session', resolve));
		});
		return { page, asked: () => asked };
	}

	const send = (page) =>
		page.evaluate(async () => {
			return (await globalThis.praxis.whiteboardService.send(1, { at: Date.now() })).seq;
		});

	it('are renewed before they expire, and the user does not notice', async () => {
		let first;
		const expiring = () => (first = nowS() + 8);
		const { page, asked } = await open([expiring, () => nowS() + 3600]);
		await page.waitForFunction((end) => Date.now() > end, (first + 2) * 1000);
		assert.ok((await send(page)) > 0);
		assert.equal(asked(), 2);
		const statuses = await page.evaluate(() => globalThis.statuses);
		assert.equal(statuses.at(-1), 'connected');
		assert.equal(statuses.filter((status) => status === 'connected').length, 1);
		assert.ok(!statuses.includes('reconnecting'), statuses.join());
	});

	it('that have expired already are replaced', async () => {
		const { page, asked } = await open([() => nowS() - 60, () => nowS() + 3600]);
		assert.ok((await send(page)) > 0);
		assert.ok(asked() >= 2);
	});
});

// SPDX-License-Identifier: MIT
//
// The client package in a real browser, where the demonstration does not reach: tokens that expire.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { claimsOf, nowS, sign, tokenVhost } from '../e2e/lib/issuer.mjs';
import { Praxisd } from '../e2e/lib/praxisd.mjs';
import { Browser, buildPages } from './lib/browser.mjs';

describe('tokens', { timeout: 120_000 }, () => {
	const praxis = new Praxisd();
	let browser;
	let pages;

	before(async () => {
		pages = await buildPages();
		await praxis.start({
			vhost: tokenVhost(
				{},
				{ mounts: [{ mountpoint: '/plain', origin: `${pages.directory}/plain` }] },
			),
		});
		browser = await Browser.launch();
	});
	afterEach(async () => assert.deepEqual(await browser.closePages(), []));
	after(async () => {
		await browser?.close();
		await praxis.kill();
		await pages?.remove();
	});

	// A page whose application hands out these tokens, one after the other, the last for ever.
	async function open(expiries) {
		const page = await browser.page();
		const sub = `user-${Math.random()}`;
		let asked = 0;
		await page.exposeFunction('freshToken', () => {
			const exp = expiries[Math.min(asked++, expiries.length - 1)]();
			return sign(claimsOf({ sub, exp }));
		});
		await page.goto(`http://127.0.0.1:${praxis.port}/plain/`);
		await page.waitForFunction(() => globalThis.praxis);
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

// SPDX-License-Identifier: MIT
//
// The demonstration in a real browser: what one sees in one page, all others of the practice see.
// Calls: call.test.mjs.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { claimsOf, sign, tokenVhost } from '../e2e/lib/issuer.mjs';
import { Praxisd } from '../e2e/lib/praxisd.mjs';
import { Browser, buildPages } from './lib/browser.mjs';

describe('the demonstration', { timeout: 300_000 }, () => {
	const praxis = new Praxisd();
	let browser;
	let pages;
	let practice = 0; // one for each test

	beforeEach(() => {
		practice += 10;
	});
	before(async () => {
		pages = await buildPages();
		await praxis.start({
			vhost: tokenVhost(
				{},
				{ mounts: [{ mountpoint: '/demo', origin: `${pages.directory}/demo` }] },
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

	async function open({ name = 'Ann', practices = [practice] } = {}, options = {}) {
		const page = await browser.page(options);
		const token = await sign(claimsOf({ sub: name, name, practices }));
		await page.goto(`http://127.0.0.1:${praxis.port}/demo/#token=${token}`);
		await page.waitForSelector('#status[data-state=connected]');
		await page.waitForSelector('.card');
		return page;
	}

	const column = (page, title) => page.getByRole('list', { name: title });

	it('shows a card that is moved in every other page of the practice, and in no other', async () => {
		const ann = await open({ name: 'Ann' });
		const bob = await open({ name: 'Bob' });
		const other = await open({ name: 'Eve', practices: [practice + 1] });
		const frames = [];
		other.on('websocket', (socket) => {
			socket.on('framereceived', ({ payload }) => frames.push(payload));
		});
		await other.reload();
		await other.waitForSelector('.card');
		await ann.fill('#patient', 'Snowy (owl)');
		await ann.press('#patient', 'Enter');
		await column(bob, 'Waiting').getByText('Snowy (owl)').waitFor();
		await bob.getByRole('button', { name: 'Move Snowy (owl) to In treatment' }).click();
		await column(ann, 'In treatment').getByText('Snowy (owl)').waitFor();
		const card = column(ann, 'In treatment').locator('li', { hasText: 'Snowy (owl)' });
		await card.dragTo(ann.locator('.column').nth(3));
		await column(bob, 'Gone home').getByText('Snowy (owl)').waitFor();

		const late = await open({ name: 'Cat' });
		await column(late, 'Gone home').getByText('Snowy (owl)').waitFor();
		await other.reload(); // its own messages are through when it is connected again
		await other.waitForSelector('#status[data-state=connected]');
		assert.equal(await other.getByText('Snowy (owl)').count(), 0);
		assert.ok(frames.length > 0);
		// With their quotes: a name of three letters may turn up in a token.
		assert.equal(frames.filter((frame) => /Snowy|"Ann"|"Bob"/.test(frame)).length, 0);
	});
});

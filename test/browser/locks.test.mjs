// SPDX-License-Identifier: MIT
//
// Locked addresses on the dashboard's overview: there when there are any, and lifted there.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { claimsOf, enterUnauthenticated, sign, tokenVhost } from '../e2e/lib/issuer.mjs';
import { Praxisd } from '../e2e/lib/praxisd.mjs';
import { until } from '../e2e/lib/wait.mjs';
import { Browser, buildDashboard } from './lib/browser.mjs';

describe('locked addresses on the dashboard', { timeout: 120_000 }, () => {
	const praxis = new Praxisd();
	let browser;
	let built;

	before(async () => {
		built = await buildDashboard();
		await praxis.start({
			global: { 'auth-failures': 3 },
			vhost: tokenVhost(),
			services: { admin: {} },
		});
		browser = await Browser.launch();
	});
	afterEach(async () => assert.deepEqual(await browser.closePages(), []));
	after(async () => {
		await browser?.close();
		await praxis.kill();
		await built?.remove();
	});

	it('are shown while there are any, and lifted', async () => {
		const page = await browser.page();
		const token = await sign(claimsOf({ sub: 'root', role: 'admin', practices: ['*'] }));
		await page.goto(`http://127.0.0.1:${praxis.port}/admin/websocket-admin#token=${token}`);
		await page.waitForSelector('#main:not([hidden])');
		assert.equal(await page.locator('#locks').isVisible(), false);

		await until('the lock', async () => {
			const unauthenticated = await enterUnauthenticated(praxis);
			await unauthenticated.ask({ type: 'auth', token: 'no.to.ken' });
			await unauthenticated.closing();
			return (await praxis.stats()).locked_addresses === 1;
		});
		await page.locator('#locks tbody tr', { hasText: '127.0.0.1' }).waitFor();
		await page.getByRole('button', { name: 'Lift the lock of 127.0.0.1' }).click();
		await page.locator('#confirm button', { hasText: 'Lift' }).click();
		await page.getByText('127.0.0.1 is unlocked.').waitFor();
		await page.waitForSelector('#locks', { state: 'hidden' });
		assert.equal((await praxis.stats()).locked_addresses, 0);
	});
});

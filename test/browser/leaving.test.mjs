// SPDX-License-Identifier: MIT
//
// What only a real browser can show of the client package's connection: pages that are left and
// shown again, and upgrades that are refused.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { Praxisd } from '../e2e/lib/praxisd.mjs';
import { until } from '../e2e/lib/wait.mjs';
import { Browser, buildPages } from './lib/browser.mjs';
import { plainMounts, showPlain } from './lib/plain.mjs';

const WAIT_MS = 30_000;

describe('a page', { timeout: 120_000 }, () => {
	const praxis = new Praxisd();
	const strict = new Praxisd();
	let browser;
	let pages;

	before(async () => {
		pages = await buildPages();
		const mounts = plainMounts(pages);
		await praxis.start({ global: { 'grace-ms': 4 * WAIT_MS }, vhost: { mounts } });
		await strict.start({ vhost: { mounts, origins: ['https://app.example.org'] } });
		browser = await Browser.launch({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
	});
	afterEach(async () => assert.deepEqual(await browser.closePages(), []));
	after(async () => {
		await browser?.close();
		await Promise.all([praxis.kill(), strict.kill()]);
		await pages?.remove();
	});

	async function open(server) {
		const page = await browser.page();
		await showPlain(page, server.port);
		await page.evaluate((where) => {
			const { webSocketManager: manager, whiteboardService } = globalThis.praxis;
			globalThis.sessions = [];
			globalThis.problems = [];
			manager.on('session', ({ clientId, resumed }) =>
				globalThis.sessions.push([clientId, resumed]),
			);
			manager.on('problem', ({ code }) => globalThis.problems.push(code));
			addEventListener('pagehide', ({ persisted }) => (globalThis.persisted = persisted));
			manager.configure({ url: where, query: { practiceId: 1, userId: 7 } });
			whiteboardService.connect();
		}, `ws://127.0.0.1:${server.port}/ws`);
		return page;
	}

	const sessions = async () => (await praxis.stats()).sessions;

	it('that comes back from the back/forward cache goes on with its session', async () => {
		const page = await open(praxis);
		await page.waitForFunction(() => globalThis.sessions.length === 1);
		await page.goto('data:text/html,elsewhere');
		await page.goBack({ waitUntil: 'commit' }); // one from the cache is not loaded
		await page.waitForFunction(() => globalThis.sessions?.length === 2);
		const [[first], [second, resumed]] = await page.evaluate(() => globalThis.sessions);
		assert.equal(await page.evaluate(() => globalThis.persisted), true);
		assert.deepEqual([second, resumed], [first, true]);
	});

	it('that is closed ends its session at once', async () => {
		const before = await sessions();
		const page = await open(praxis);
		await page.waitForFunction(() => globalThis.sessions.length === 1);
		await until('a session more', async () => (await sessions()) === before + 1, WAIT_MS);
		await page.close({ runBeforeUnload: true });
		await until('its end', async () => (await sessions()) === before, WAIT_MS);
	});

	it('is told that its origin may not connect', async () => {
		const page = await open(strict);
		await page.waitForFunction(() => globalThis.problems.length > 0);
		assert.deepEqual(await page.evaluate(() => globalThis.problems), ['origin']);
		assert.equal(
			await page.evaluate(() => globalThis.praxis.webSocketManager.reason),
			'origin',
		);
		// The browser's own line in the console, once: the server is asked once.
		await until('that line', () => browser.faults.length > 0, WAIT_MS);
		assert.match(browser.faults.splice(0).join('\n'), /^Failed to load resource: .*403[^\n]*$/);
	});
});

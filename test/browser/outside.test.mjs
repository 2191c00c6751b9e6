// SPDX-License-Identifier: MIT
//
// examples/notifications on the dashboard, which knows nothing of it: it comes by a reload, is
// listed with its types and options, tested, and switched off and on.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { claimsOf, enter, sign, tokenVhost } from '../e2e/lib/issuer.mjs';
import { PLUGINS, Praxisd } from '../e2e/lib/praxisd.mjs';
import { Browser, buildDashboard } from './lib/browser.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const EXAMPLE = path.join(ROOT, 'examples', 'notifications');

describe('a service from outside on the dashboard', { timeout: 120_000 }, () => {
	const praxis = new Praxisd();
	let browser;
	let built;
	let plugins;

	before(async () => {
		built = await buildDashboard();
		plugins = await mkdtemp(path.join(tmpdir(), 'praxis-outside-'));
		execFileSync('cc', [
			...['-shared', '-fPIC', '-fvisibility=hidden', `-I${path.join(ROOT, 'include')}`],
			...['-o', path.join(plugins, 'praxis_svc_notifications.so')],
			path.join(EXAMPLE, 'notifications.c'),
		]);
		await praxis.start({
			global: { 'plugin-dir': [PLUGINS, plugins] },
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
		await rm(plugins, { recursive: true, force: true });
	});

	it('comes, is listed, tested and switched', async () => {
		await copyFile(
			path.join(EXAMPLE, 'conf.d/50-notifications.json'),
			path.join(praxis.dir, 'conf.d/50-notifications.json'),
		);
		praxis.signal('SIGHUP');
		await praxis.logged(/configuration reloaded/);
		const page = await browser.page();
		const token = await sign(claimsOf({ sub: 'root', role: 'admin', practices: ['*'] }));
		await page.goto(`http://127.0.0.1:${praxis.port}/admin/websocket-admin#token=${token}`);
		await page.waitForSelector('#main:not([hidden])');

		const view = (name) => page.getByRole('tab', { name }).click();
		const toggle = page.getByRole('switch', { name: 'notifications' });
		const is = (on) =>
			page
				.locator(`[role=switch][aria-labelledby=service-notifications][aria-checked=${on}]`)
				.waitFor();
		await view('Services');
		await is(true);
		const card = page.locator('article', { has: page.locator('#service-notifications') });
		const text = await card.textContent();
		assert.match(text, /tells a practice's team/);
		assert.match(text, /notification_sent/);
		assert.match(text, /history-age-s/);

		const ann = await enter(praxis);
		await ann.accepted({ type: 'notification_sent', notificationId: 1 });
		await toggle.click();
		await page.click('#confirm-yes');
		await is(false);
		await ann.refused({ type: 'notification_sent', notificationId: 2 }, 'service_disabled');
		await page.keyboard.press('Space');
		await is(true);
		await ann.accepted({ type: 'notification_sent', notificationId: 3 });
		await ann.close();

		await view('Test');
		await page.getByLabel('Service').locator('visible=true').selectOption('notifications');
		await page.getByLabel('Practice').locator('visible=true').fill('1');
		await page.getByLabel('Times').selectOption('1');
		await page.getByRole('button', { name: 'Send' }).click();
		await page.getByText(/1 sent: .* ms/).waitFor();
		assert.match(await page.locator('#test tbody tr').textContent(), /notificationsok/);
	});
});

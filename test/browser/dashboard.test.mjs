// SPDX-License-Identifier: MIT
//
// The administrators' dashboard in a real browser: what it shows moves with what real clients do,
// what it does happens to them, it goes on through a restart, and shows nobody what is another's.
//
// PRAXIS_PICTURES names a directory for pictures of it, at desktop and phone size, light and dark.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { Faulty } from '../e2e/lib/faulty.mjs';
import { get } from '../e2e/lib/http.mjs';
import { claimsOf, enter, sign, tokenVhost } from '../e2e/lib/issuer.mjs';
import { Praxisd } from '../e2e/lib/praxisd.mjs';
import { RawClient } from '../e2e/lib/raw.mjs';
import { until, within } from '../e2e/lib/wait.mjs';
import { Browser, buildDashboard } from './lib/browser.mjs';

const PATH = '/admin/websocket-admin';
const WAIT_MS = 30_000;
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

const adminToken = (more = {}) =>
	sign(claimsOf({ sub: 'root', role: 'admin', practices: ['*'], ...more }));

describe('the dashboard', { timeout: 300_000 }, () => {
	const praxis = new Praxisd();
	let browser;
	let built;
	let network;

	before(async () => {
		built = await buildDashboard();
		await praxis.start({
			global: { 'grace-ms': 30_000, 'state-file': 'state', audit: { file: 'audit.jsonl' } },
			vhost: tokenVhost(),
			services: { admin: {}, echo: { status: 'disabled' } },
		});
		network = await Faulty.before(praxis.port); // its port stays when the server is restarted
		browser = await Browser.launch();
	});
	afterEach(async () => assert.deepEqual(await browser.closePages(), []));
	after(async () => {
		await browser?.close();
		await network?.close();
		await praxis.kill();
		await built?.remove();
	});

	async function open(claims, options = {}) {
		const page = await browser.page(options);
		const token = await adminToken(claims);
		await page.goto(`http://127.0.0.1:${network.port}${PATH}#token=${token}`);
		await page.waitForSelector('#main:not([hidden])');
		return page;
	}

	const view = (page, name) => page.getByRole('tab', { name }).click();
	const tile = (page, name) => page.locator(`#totals [data-name="${name}"] dd`).textContent();
	const number = async (page, name) => Number((await tile(page, name)).replaceAll(',', ''));
	const row = (page, root, text) => page.locator(`#${root} tbody tr`, { hasText: text });

	async function confirm(page) {
		await page.click('#confirm-yes');
		await page.waitForSelector('#confirm:not([open])', { state: 'attached' });
	}

	it('lets in with a token that is pasted, keeps it for the tab, and forgets it', async () => {
		const page = await browser.page();
		await page.goto(`http://127.0.0.1:${network.port}${PATH}`);
		await page.fill('#token', 'no token at all');
		await page.click('#login-form button');
		await page.locator('#login-fault:not(:empty)').waitFor();
		assert.equal(await page.isVisible('#main'), false);
		await page.fill('#token', await sign(claimsOf({ sub: 'ann' })));
		await page.press('#token', 'Tab');
		await page.keyboard.press('Enter');
		await page.getByText('This token is of role staff').waitFor();
		await page.fill('#token', await adminToken());
		await page.click('#login-form button');
		await page.waitForSelector('#main:not([hidden])');
		await page.reload();
		await page.waitForSelector('#main:not([hidden])');
		await page.waitForSelector('#status[data-state=connected]');
		await page.click('#leave');
		await page.waitForSelector('#login:not([hidden])');
		assert.equal(
			await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage })),
			'{}',
		);
	});

	it('takes a token out of the address at once', async () => {
		const page = await open();
		assert.equal(
			await page.evaluate(() => location.href),
			`http://127.0.0.1:${network.port}${PATH}`,
		);
		assert.equal(await page.evaluate(() => localStorage.length + document.cookie.length), 0);
	});

	it('has figures that move when clients connect and talk', async () => {
		const page = await open();
		await until('one session', async () => (await number(page, 'Sessions')) === 1, WAIT_MS);
		const before = await number(page, 'Messages in');
		const ann = await enter(praxis, { sub: 4711 });
		const bob = await enter(praxis, { sub: 4712 });
		await until('three sessions', async () => (await number(page, 'Sessions')) === 3, WAIT_MS);
		await ann.join('room-9');
		await bob.join('room-9');
		for (let i = 0; i < 20; i++) {
			await ann.accepted({ type: 'whiteboard_update', practiceId: 1, data: { i } });
		}
		await until(
			'20 messages more',
			async () => (await number(page, 'Messages in')) >= before + 20,
			WAIT_MS,
		);
		await until('a room', async () => (await number(page, 'Rooms')) === 1, WAIT_MS);
		const captions = page.locator('.chart figcaption');
		assert.equal(await captions.count(), 6);
		await page.getByText('Connections: sessions 3').waitFor();
		assert.equal(await page.locator('.chart canvas').count(), 6);

		await view(page, 'Clients');
		await row(page, 'clients', ann.clientId).getByText('4711').waitFor();
		assert.equal(await page.locator('#clients tbody tr').count(), 3);
		await page.getByLabel('In this page').first().fill(bob.clientId);
		assert.equal(await page.locator('#clients tbody tr').count(), 1);
		await page.getByLabel('In this page').first().fill('');
		await page.getByRole('button', { name: 'User', exact: true }).click();
		const users = await page.locator('#clients tbody tr td:nth-child(2)').allTextContents();
		assert.deepEqual(users, ['4711', '4712', 'root']);
		await page.getByRole('button', { name: 'User', exact: true }).click();
		const down = await page.locator('#clients tbody tr td:nth-child(2)').allTextContents();
		assert.deepEqual(down, ['root', '4712', '4711']);
		assert.doesNotMatch(await page.content(), /SECRET/); // names are not shown

		await view(page, 'Rooms');
		await row(page, 'rooms', 'room-9').getByRole('button', { name: 'End room room-9' }).click();
		await page.getByText('End room room-9 of practice 1? 2 people leave it.').waitFor();
		await confirm(page);
		await ann.next('telemedicine_user_left', ({ reason }) => reason === 'ended');
		await page.getByText('There is no room.').waitFor();
		await Promise.all([ann.close(), bob.close()]);
	});

	it('has the curves of the time before it was opened', async () => {
		const page = await open();
		const heard = [];
		page.on('websocket', (socket) => {
			socket.on('framereceived', ({ payload }) => {
				if (String(payload).startsWith('{"type":"admin_history"')) {
					heard.push(JSON.parse(payload));
				}
			});
		});
		await page.reload();
		await until('the history', () => heard.length === 1, WAIT_MS);
		assert.ok(heard[0].samples.length > 0);
		await page.evaluate(() => window.dispatchEvent(new Event('pagehide')));
		const kept = await page.evaluate(() =>
			JSON.parse(sessionStorage.getItem('praxis-admin-curves')),
		);
		const { fields, samples } = heard[0];
		assert.equal(kept[0].at, samples[0][0] / 1000);
		assert.equal(kept[0].values.messages_in, samples[0][fields.indexOf('messagesIn')]);
	});

	it('pages through clients, and asks for those of a practice', async () => {
		const page = await open();
		const crowd = [];
		for (let i = 0; i < 60; i++) {
			crowd.push(await enter(praxis, { sub: 9000 + i, practices: [i < 58 ? 31 : 32] }));
		}
		await view(page, 'Clients');
		const rows = page.locator('#clients tbody tr');
		await page.getByText('Page 1: 50 rows, and there are more.').waitFor();
		await page.getByRole('button', { name: 'Next page' }).locator('visible=true').click();
		await page.getByText('Page 2: 11 rows.').waitFor();
		await row(page, 'clients', crowd[59].clientId).waitFor();
		await page.getByRole('button', { name: 'Previous page' }).locator('visible=true').click();
		await row(page, 'clients', crowd[0].clientId).waitFor();
		await page.getByLabel('Practice').locator('visible=true').fill('32');
		await page.keyboard.press('Enter');
		await page.getByText('Page 1: 2 rows.').waitFor();
		assert.equal(await rows.count(), 2);
		await page.getByLabel('Practice').locator('visible=true').fill('nobody');
		await page.keyboard.press('Enter');
		await page.getByText('Nobody is here.').waitFor();
		await Promise.all(crowd.map((client) => client.close()));
	});

	it('disconnects a client', async () => {
		const page = await open();
		const ann = await enter(praxis, { sub: 4713 });
		await view(page, 'Clients');
		const button = page.getByRole('button', { name: `Disconnect ${ann.clientId}` });
		await button.click();
		await page.keyboard.press('Escape');
		await page.waitForSelector('#confirm:not([open])', { state: 'attached' });
		assert.equal(await row(page, 'clients', ann.clientId).count(), 1);
		await button.click();
		await confirm(page);
		await within(ann.closed, 'the end of the connection');
		await row(page, 'clients', ann.clientId).waitFor({ state: 'detached' });
		await view(page, 'Audit');
		await row(page, 'audit', 'administered')
			.getByText('disconnect', { exact: true })
			.first()
			.waitFor();
	});

	it('switches a service on and off, and clients see it', async () => {
		const page = await open();
		const ann = await enter(praxis);
		await view(page, 'Services');
		const toggle = page.getByRole('switch', { name: 'echo' });
		const is = (on) =>
			page
				.locator(`[role=switch][aria-labelledby=service-echo][aria-checked=${on}]`)
				.waitFor();
		await is(false);
		const card = page.locator('article', { has: page.locator('#service-echo') });
		assert.match(await card.textContent(), /Not loaded/);
		assert.doesNotMatch(await page.locator('#services').textContent(), /undefined/);
		await ann.refused({ type: 'echo_say', text: 'x' }, 'service_disabled');
		await toggle.click(); // off since the server's start, so that it is loaded only now
		await is(true);
		await page.getByText('echo_say').first().waitFor({ state: 'attached' });
		await ann.accepted({ type: 'echo_say', text: 'x' });
		await page.keyboard.press('Space'); // the card is another one, and has the focus
		await page.getByText('Switch echo off? 1 person can use it now').waitFor();
		await page.keyboard.press('Escape');
		await page.waitForSelector('#confirm:not([open])', { state: 'attached' });
		await ann.accepted({ type: 'echo_say', text: 'x' });
		await page.keyboard.press('Space');
		await confirm(page);
		await is(false);
		await ann.refused({ type: 'echo_say', text: 'x' }, 'service_disabled');
		await page.keyboard.press('Space');
		await is(true);
		await ann.accepted({ type: 'echo_say', text: 'x' });
		assert.ok(await page.getByRole('switch', { name: 'admin' }).isDisabled());
		await ann.close();
	});

	it('sends test messages and shows what comes back', async () => {
		const page = await open();
		await view(page, 'Test');
		await page.getByLabel('Service').locator('visible=true').selectOption('echo');
		await page.getByLabel('Times').selectOption('5');
		await page.getByRole('button', { name: 'Send' }).click();
		await page.getByText(/5 sent: .* ms/).waitFor();
		const lines = await page.locator('#test tbody tr').allTextContents();
		assert.equal(lines.length, 5);
		for (const line of lines) {
			assert.match(line, /echook.*echo_.*ms\d+ µs$/);
		}
		await page.getByLabel('Service').locator('visible=true').selectOption('whiteboard');
		await page.getByLabel('Times').selectOption('1');
		await page.getByRole('button', { name: 'Send' }).click();
		await row(page, 'test', 'whiteboard').getByText('refused').waitFor(); // no practice was named
	});

	it('shows the configuration with its secrets masked', async () => {
		const page = await open();
		await view(page, 'Configuration');
		await page.locator('#config').getByLabel('Filter').fill('tokens.secret');
		await row(page, 'config', '(hidden)').waitFor();
		assert.doesNotMatch(await page.content(), /thirty-two bytes/);
	});

	it('shows an administrator of one practice nothing of the others', async () => {
		const here = await enter(praxis, { sub: 5001, practices: [1] });
		const there = await enter(praxis, { sub: 'user-of-there', practices: [2] });
		await here.join('room-here');
		await there.join('room-there', 2);
		const frames = [];
		const page = await browser.page();
		page.on('websocket', (socket) =>
			socket.on('framereceived', ({ payload }) => frames.push(payload)),
		);
		const token = await adminToken({ sub: 'chief', practices: [1] });
		await page.goto(`http://127.0.0.1:${network.port}${PATH}#token=${token}`);
		await page.waitForSelector('#main:not([hidden])');
		await view(page, 'Clients');
		await row(page, 'clients', here.clientId).waitFor();
		await view(page, 'Rooms');
		await row(page, 'rooms', 'room-here').waitFor();
		await view(page, 'Audit');
		await row(page, 'audit', 'room-here').first().waitFor();
		await view(page, 'Services');
		assert.ok(await page.getByRole('switch', { name: 'echo' }).isDisabled());
		await view(page, 'Configuration');
		await page.getByText('shown to administrators of all practices').waitFor();
		assert.ok(frames.length > 5);
		assert.equal(
			frames.filter(
				(frame) => /room-there|user-of-there/.test(frame) || frame.includes(there.clientId),
			).length,
			0,
		);
		await Promise.all([here.close(), there.close()]);
	});

	it('is worked with the keyboard', async () => {
		const page = await open();
		await page.getByRole('tab', { name: 'Overview' }).focus();
		await page.keyboard.press('ArrowRight');
		assert.ok(await page.isVisible('#services'));
		await page.keyboard.press('End');
		assert.ok(await page.isVisible('#config'));
		assert.equal(await page.evaluate(() => document.activeElement.id), 'tab-config');
		const nameless = await page.evaluate(() =>
			[...document.querySelectorAll('button, input, select, textarea')]
				.filter(
					(e) =>
						!e.textContent.trim() && !e.labels?.length && !e.getAttribute('aria-label'),
				)
				.map((e) => e.outerHTML),
		);
		assert.deepEqual(nameless, []);
	});

	it('goes on when the server is restarted', async () => {
		const page = await open();
		const ann = await enter(praxis, { sub: 7001 });
		await view(page, 'Clients');
		await row(page, 'clients', ann.clientId).waitFor();
		network.down = true;
		praxis.signal('SIGTERM');
		await praxis.ended();
		await page.waitForSelector('#away:not([hidden])');
		await page.getByText('Not connected: what is below').waitFor();
		await page.getByRole('button', { name: `Disconnect ${ann.clientId}` }).click();
		await confirm(page);
		await page.getByText('Not connected: nothing was done.').waitFor();
		await praxis.launch();
		network.target = praxis.port;
		network.down = false;
		await page.waitForSelector('#status[data-state=connected]');
		await page.waitForSelector('#away', { state: 'hidden' });
		const bob = await enter(praxis, { sub: 7002 });
		await row(page, 'clients', bob.clientId).waitFor();
		await view(page, 'Audit');
		await row(page, 'audit', bob.clientId).first().waitFor();
		await view(page, 'Overview');
		await page.getByText('Messages a second: in').waitFor();
		await bob.close();
	});

	for (const [size, options] of [
		['desktop', { viewport: { width: 1280, height: 900 } }],
		['phone', PHONE],
	]) {
		for (const colorScheme of ['light', 'dark']) {
			it(`fits on a ${size}, ${colorScheme}`, async () => {
				const page = await open({}, { ...options, colorScheme });
				const ann = await enter(praxis, { sub: 8001 });
				await ann.join('room-8');
				await page.locator('.chart canvas').first().waitFor();
				for (const name of [
					'Overview',
					'Services',
					'Clients',
					'Rooms',
					'Test',
					'Audit',
					'Configuration',
				]) {
					await view(page, name);
					await page.waitForSelector(`[role=tabpanel]:not([hidden])`);
					if (name === 'Clients' || name === 'Rooms') {
						await page
							.locator('[role=tabpanel]:not([hidden]) tbody tr')
							.first()
							.waitFor();
					}
					if (process.env.PRAXIS_PICTURES) {
						await page.waitForTimeout(2200); // for something to be in the picture
						const file = path.join(
							process.env.PRAXIS_PICTURES,
							`${size}-${colorScheme}-${name}.png`,
						);
						await page.screenshot({ path: file });
					}
					// Not innerWidth, which on a phone grows with what is too wide.
					const wide = await page.evaluate(() => document.documentElement.scrollWidth);
					assert.ok(wide <= options.viewport.width, `${name}: ${wide} pixels wide`);
				}
				await ann.close();
			});
		}
	}
});

// A server that a test starts by itself, and its dashboard, whose pages may have no error.
function useDashboard() {
	const praxis = new Praxisd();
	let browser;
	let built;
	before(async () => {
		built = await buildDashboard();
		browser = await Browser.launch();
	});
	after(async () => {
		const errors = await browser?.closePages();
		await browser?.close();
		await praxis.kill();
		await built?.remove();
		assert.deepEqual(errors, []);
	});
	return {
		praxis,
		async open(fragment) {
			const page = await browser.page();
			await page.goto(`http://127.0.0.1:${praxis.port}${PATH}#${fragment}`);
			return page;
		},
	};
}

describe('the dashboard of a server whose application fails', () => {
	const { praxis, open } = useDashboard();

	it('says what the application does not do', async () => {
		// On port 1 nobody listens.
		const closed = 'http://127.0.0.1:1/';
		const asking = { name: 'asking', port: 0, interface: '127.0.0.1', 'auth-url': closed };
		await praxis.start({
			vhost: tokenVhost({}, { 'webhook-url': closed, 'webhook-secret': 'x'.repeat(32) }),
			services: { admin: {} },
			files: { 'conf.d/50-asking.json': { vhosts: [asking] } },
		});
		const [, port] = await praxis.logged(/vhost asking: listening on 127\.0\.0\.1:(\d+)/);
		const client = await RawClient.open(Number(port), '/ws', {}, {});
		const page = await open(`token=${await adminToken()}`);
		const failing = page.locator('#failing:not([hidden])');
		await failing
			.getByText(/In 1 vhost: the application does not say who a client is/)
			.waitFor();
		await failing
			.getByText(/In 1 vhost: the application does not take what it is told/)
			.waitFor();
		client.socket.destroy();
	});
});

describe('the dashboard of a server in open mode', () => {
	const { praxis, open } = useDashboard();

	it('takes whoever says that all practices are his', async () => {
		await praxis.start({ services: { admin: {} } });
		const page = await open('practice=*');
		await page.locator('#server').getByText('the whole server').waitFor();
	});
});

describe('a server without the dashboard', () => {
	const praxis = new Praxisd();

	after(() => praxis.kill());

	it('says so, on the page and once in the log', async () => {
		process.env.PRAXIS_DASHBOARD_DIR = '/nowhere';
		await praxis.start({ vhost: tokenVhost(), services: { admin: {} } });
		for (const where of [PATH, `${PATH}/`]) {
			const answer = await get(praxis.port, where);
			assert.equal(answer.status, 503);
			assert.match(answer.body, /was not built/);
		}
		assert.equal(praxis.log.match(/dashboard: none found in \/nowhere/g).length, 1);
		assert.equal((await get(praxis.port, `${PATH}/main.js`)).status, 404);
		assert.equal((await get(praxis.port, `${PATH}er`)).status, 404);
	});
});

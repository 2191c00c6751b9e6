// SPDX-License-Identifier: MIT
//
// What is around the demonstration's views, in a real browser: who sees which of them, what the page says when a link or
// the connection does not work, themes, sizes, and what it costs to open it.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { bearer, nowS, token } from '../e2e/lib/issuer.mjs';
import { allSaved, assertAccessible, assertFits, PHONE, Practice } from './lib/practice.mjs';

const BUDGET_BYTES = 60 * 1024;
const LONG = {
	patient: 'Prinzessin Wilhelmine von Sonnenschein',
	owner: 'Ms. Maximiliana von Hohenzollern-Sigmaringen-Schwarzburg',
	reason: 'Donaudampfschifffahrtsgesellschaftskapitänskajütentürschlüssel swallowed, perhaps whole',
};

describe('around the views', { timeout: 300_000 }, () => {
	let practice;

	before(async () => {
		practice = await Practice.open({ global: { 'auth-failures': 3 } });
	});
	beforeEach(() => {
		practice.id += 10;
	});
	afterEach(async () => {
		practice.network.down = false;
		assert.deepEqual(await practice.browser.closePages(), []);
	});
	after(() => practice?.close());

	const heading = (page) => page.locator('#state h1').textContent();

	// A link that is opened, whatever comes of it.
	async function follow(link, options = {}) {
		const page = await practice.browser.page(options);
		await page.goto(link);
		return page;
	}

	it('gives each view an address, and goes back and forth between them', async () => {
		const ann = await practice.enter();
		assert.equal(await ann.title(), 'Board – Praxis');
		await ann.getByRole('link', { name: 'Call' }).click();
		assert.match(ann.url(), /\/demo\/#\/call$/);
		assert.equal(await ann.title(), 'Call – Praxis');
		assert.equal(await ann.locator('#board-view').isVisible(), false);
		assert.equal(await ann.evaluate(() => document.activeElement.id), 'main');
		await ann.goBack();
		await ann.waitForSelector('#board-view:not([hidden])');
		await ann.reload();
		await ann.waitForSelector('.card');
		const direct = await practice.enter({ name: 'Bob' }, { hash: '/call?' });
		assert.match(direct.url(), /#\/call$/, 'the token is not in the address any more');
		assert.equal(await direct.locator('#call-view').isVisible(), true);
	});

	it('never shows a patient the board of the practice', async () => {
		const page = await practice.browser.page();
		const frames = [];
		page.on('websocket', (socket) => {
			socket.on('framereceived', ({ payload }) => frames.push(JSON.parse(payload)));
		});
		await page.goto(await practice.link({ name: 'Pat', role: 'patient', rooms: ['demo'] }));
		await page.waitForSelector('#status[data-state=connected]');
		assert.equal(await page.locator('#call-view').isVisible(), true);
		assert.equal(await page.getByRole('link', { name: 'Board' }).count(), 0);
		await page.evaluate(() => {
			location.hash = '#/board';
		});
		const ann = await practice.enter({ name: 'Ann' });
		await ann.getByRole('button', { name: 'Move Milo to In treatment' }).click();
		await allSaved(ann);
		await page.reload(); // what was on its way is through
		await page.waitForSelector('#status[data-state=connected]');
		assert.equal(await page.locator('#board-view').isVisible(), false);
		assert.equal(await page.locator('.card').count(), 0);
		assert.equal(await page.evaluate(() => Object.keys(localStorage).join()), '');
		assert.ok(frames.length > 0);
		assert.deepEqual(
			frames.filter(({ type }) => type.startsWith('whiteboard_')),
			[],
		);
	});

	it('says that a link has expired, and does not try it again', async () => {
		const page = await practice.browser.page();
		const sockets = [];
		page.on('websocket', (socket) => sockets.push(socket));
		await page.goto(await practice.link({ exp: nowS() - 60 }));
		await page.waitForSelector('#state .state');
		assert.equal(
			(await page.locator('#state .state').textContent()).trim(),
			'This link has expired.Ask your practice for a new one.',
		);
		await page.waitForSelector('#status[data-state=disconnected]');
		assert.equal(await page.locator('#views').isVisible(), false);
		assert.equal(await page.getByRole('link', { name: 'Board' }).isVisible(), false);
		await assertAccessible(page, 'an expired link');
		assert.equal(sockets.length, 1);

		// The new one is opened in the same tab.
		const link = await practice.link();
		await page.evaluate((hash) => {
			location.hash = hash;
		}, new URL(link).hash);
		await page.waitForSelector('.card');
		assert.equal(await page.locator('#state').isVisible(), false);
	});

	it('says what is missing without a link', async () => {
		const { port } = practice.network;
		const none = await follow(`http://127.0.0.1:${port}/demo/`);
		await none.waitForSelector('#state .state');
		assert.equal(await heading(none), 'Open your link');
		await assertAccessible(none, 'no link');
	});

	it('says that a session was ended, and comes back when asked', async () => {
		const ann = await practice.enter({ name: 'Ann' });
		const api = `http://127.0.0.1:${practice.praxis.port}/api/v1`;
		const headers = {
			...bearer(await token({ role: 'service', practices: [practice.id] })),
			'Content-Type': 'application/json',
		};
		const listed = await fetch(`${api}/clients?practiceId=${practice.id}`, { headers });
		const [{ clientId }] = (await listed.json()).clients;
		const body = JSON.stringify({ clientId });
		const answer = await fetch(`${api}/disconnect`, { method: 'POST', headers, body });
		assert.equal(answer.status, 200, await answer.text());
		await ann.waitForSelector('#state .state');
		assert.equal(await heading(ann), 'Your session was ended');
		await assertAccessible(ann, 'removed');
		await ann.getByRole('button', { name: 'Connect again' }).click();
		await ann.waitForSelector('#status[data-state=connected]');
		await ann.waitForSelector('.card');
	});

	it('says that the server is away, counts down to the next attempt, and goes on', async () => {
		const ann = await practice.enter({ name: 'Ann' });
		await practice.cut(ann);
		const banner = ann.locator('[data-banner=connection]');
		await banner
			.getByText('The server cannot be reached. What you do now is kept and sent later.')
			.waitFor();
		await banner.getByText(/^Trying again in \d+ s$/).waitFor();
		assert.equal(await ann.locator('.card').first().isVisible(), true);
		await assertAccessible(ann, 'reconnecting');
		await practice.mend(ann);
		await banner.waitFor({ state: 'detached' });
	});

	it('says that the server is away where nothing has begun yet, and begins by itself', async () => {
		const page = await practice.browser.page();
		const script = await fetch(`http://127.0.0.1:${practice.network.port}/demo/main.js`);
		const body = await script.text();
		// Away before the page's script runs.
		await page.route('**/main.js', async (route) => {
			practice.network.down = true;
			practice.network.cutAll();
			await route.fulfill({ body, contentType: 'text/javascript' });
		});
		await page.goto(await practice.link({ name: 'Ann' }), { waitUntil: 'commit' });
		await page.getByRole('heading', { name: 'The server cannot be reached.' }).waitFor();
		await page
			.locator('#state')
			.getByText(/^Trying again/)
			.waitFor();
		await practice.mend(page);
		await page.waitForSelector('.card');
		assert.equal(await page.locator('#state').isVisible(), false);
	});

	it('says that an address is locked out, and that a valid link works all the same', async () => {
		const wrong = (await practice.link()).slice(0, -3);
		const page = await follow(wrong);
		await page.waitForSelector('#state .state');
		assert.equal(await heading(page), 'This link does not work');
		await page.getByText('Ask your practice for a new one').waitFor();
		for (let guess = 0; guess < 5; guess++) {
			await fetch(`http://127.0.0.1:${practice.praxis.port}/stats`, {
				headers: bearer('a.b.c'),
			});
			await fetch(`http://127.0.0.1:${practice.praxis.port}/api/v1/locks`, {
				headers: bearer('a.b.c'),
			});
		}
		await page.reload();
		await page.getByRole('heading', { name: 'Locked out for a while' }).waitFor();
		await page.getByText(/^Trying again in (29|30) min$/).waitFor();
		await assertAccessible(page, 'locked out');
		await practice.enter({ name: 'Ann' });
	});

	it('has the theme of the system, or the one that was chosen, from the first paint on', async () => {
		const ann = await practice.enter({}, { colorScheme: 'dark' });
		const theme = () => ann.evaluate(() => document.documentElement.dataset.theme);
		assert.equal(await theme(), 'dark', 'the system');
		await ann.emulateMedia({ colorScheme: 'light' });
		await ann.waitForSelector('html[data-theme=light]');
		await ann.getByRole('button', { name: 'Theme' }).click();
		await ann.getByRole('menuitemradio', { name: 'Dark' }).click();
		assert.equal(await theme(), 'dark');
		await ann.reload({ waitUntil: 'commit' });
		await ann.waitForSelector('body', { state: 'attached' });
		assert.equal(await theme(), 'dark');
		await ann.waitForSelector('.card');
	});

	it('can be skipped to its content, and gone through, by keyboard', async () => {
		const ann = await practice.enter();
		await ann.keyboard.press('Tab');
		assert.equal(await ann.evaluate(() => document.activeElement.id), 'skip');
		await ann.keyboard.press('Enter');
		assert.equal(await ann.evaluate(() => document.activeElement.id), 'main');
		await ann.keyboard.press('Tab');
		assert.equal(await ann.evaluate(() => document.activeElement.id), 'add');
		await ann.keyboard.press('Enter');
		await ann.keyboard.type('Snowy');
		await ann.keyboard.press('Enter');
		await ann.getByRole('heading', { name: 'Snowy' }).waitFor();
		assert.equal(await ann.evaluate(() => document.activeElement.id), 'add');
	});

	it('opens without a layout shift, in no more than 60 KB', async () => {
		for (const options of [{}, PHONE]) {
			const page = await practice.browser.page(options);
			await page.addInitScript(() => {
				window.shifts = [];
				new PerformanceObserver((list) => {
					for (const { value, sources } of list.getEntries()) {
						window.shifts.push({
							value,
							at: sources.map(({ node }) => node?.nodeName + node?.id),
						});
					}
				}).observe({ type: 'layout-shift', buffered: true });
			});
			await page.goto(await practice.link());
			await page.waitForSelector('#status[data-state=connected]');
			await page.waitForSelector('.card');
			// Two frames later what has come is painted, and measured.
			await page.evaluate(
				() =>
					new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
			);
			assert.deepEqual(await page.evaluate(() => window.shifts), []);
		}
		const directory = path.join(practice.pages.directory, 'demo');
		const names = (await readdir(directory)).filter((name) => !name.endsWith('.map'));
		const sizes = await Promise.all(
			names.map(async (name) => gzipSync(await readFile(path.join(directory, name))).length),
		);
		const bytes = sizes.reduce((sum, each) => sum + each, 0);
		assert.ok(names.includes('main.js') && bytes <= BUDGET_BYTES, `${bytes} bytes: ${names}`);
	});

	it('moves nothing where that is not wanted', async () => {
		const ann = await practice.enter({}, { reducedMotion: 'reduce' });
		await ann.getByRole('button', { name: 'Move Milo to In treatment' }).click();
		// But for the time of the way back, which is no decoration.
		const moving = await ann.evaluate(() =>
			document
				.getAnimations()
				.filter(({ effect }) => effect.getTiming().duration > 0)
				.map(({ animationName }) => animationName),
		);
		assert.deepEqual(moving, ['drain']);
	});

	for (const colorScheme of ['light', 'dark']) {
		for (const [size, options] of Object.entries({ desk: {}, phone: PHONE })) {
			it(`is accessible: ${size}, ${colorScheme}`, async () => {
				const ann = await practice.enter({}, { ...options, colorScheme });
				await assertAccessible(ann, 'the board');
				await ann.getByRole('button', { name: 'More for Milo' }).click();
				await ann.getByRole('menu').waitFor();
				await assertAccessible(ann, 'a menu');
				await ann.getByRole('menuitem', { name: 'Edit' }).click();
				await ann.getByRole('dialog').waitFor();
				await assertAccessible(ann, 'a dialog');
				await ann.getByRole('button', { name: 'Save' }).click();
				await practice.cut(ann);
				await ann.getByRole('button', { name: 'Move Milo to In treatment' }).click();
				await ann.getByText('Not saved yet').first().waitFor();
				await assertAccessible(ann, 'what is not saved yet, and a way back');
				await practice.mend(ann);
			});
		}
	}

	for (const width of [390, 768, 1440, 1920]) {
		it(`fits on ${width} pixels, from left to right and from right to left, with long names`, async () => {
			for (const search of ['', '?dir=rtl']) {
				const name = 'Dr. Maximiliana von Hohenzollern-Sigmaringen und zu Schwarzburg';
				const ann = await practice.enter(
					{ sub: 'ann', name },
					{ search, viewport: { width, height: 844 } },
				);
				if (!search) {
					await ann.getByRole('button', { name: 'New patient' }).click();
					await ann.getByLabel('Patient', { exact: true }).fill(LONG.patient);
					await ann.getByLabel('Owner').fill(LONG.owner);
					await ann.getByLabel('Reason').fill(LONG.reason);
					await assertFits(ann, 'the dialog');
					await ann.getByRole('button', { name: 'Add patient' }).click();
				}
				await ann
					.getByRole('heading', { name: LONG.patient })
					.waitFor({ state: 'attached' });
				await assertFits(ann, `the board ${search}`);
				const cut = await ann.$$eval('.card, .badge, .toolbar, .top', (all) =>
					all
						.filter((each) => each.scrollWidth > each.clientWidth + 1)
						.map((each) => each.className),
				);
				assert.deepEqual(cut, [], search);
				if (search) {
					const [first, last] = await ann.$$eval('.column', (all) =>
						[all[0], all.at(-1)].map((each) => each.getBoundingClientRect().left),
					);
					assert.ok(first > last, 'the first column is on the right');
				}
			}
		});
	}
});

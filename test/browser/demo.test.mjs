// SPDX-License-Identifier: MIT
//
// The demonstration in a real browser: what one sees in one page, all others of the practice see;
// calls have pictures; and neither a network that is cut nor a server that is restarted loses
// anything of it.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { Faulty } from '../e2e/lib/faulty.mjs';
import { claimsOf, sign, tokenVhost } from '../e2e/lib/issuer.mjs';
import { Praxisd } from '../e2e/lib/praxisd.mjs';
import { until } from '../e2e/lib/wait.mjs';
import { Browser, buildPages, pictures } from './lib/browser.mjs';

const WAIT_MS = 30_000;

// Runs in the page: the one picture of another, and how many there ever were at once.
function watchPicture() {
	const others = () => [...document.querySelectorAll('figure:not([data-member=self])')];
	const counts = new Set([others().length]);
	window.picture = () => {
		const [figure] = others();
		const { currentTime, paused } = figure.querySelector('video');
		return { member: figure.dataset.member, currentTime, paused, counts: [...counts] };
	};
	new MutationObserver(() => counts.add(others().length)).observe(
		document.getElementById('videos'),
		{ childList: true },
	);
}

describe('the demonstration', { timeout: 300_000 }, () => {
	const praxis = new Praxisd();
	let browser;
	let network;
	let pages;
	let practice = 0; // one for each test: who was cut off in one is in its call for a while

	beforeEach(() => {
		practice += 10;
	});
	before(async () => {
		pages = await buildPages();
		await praxis.start({
			global: { 'grace-ms': 30_000, 'state-file': 'state' },
			vhost: tokenVhost(
				{},
				{ mounts: [{ mountpoint: '/demo', origin: `${pages.directory}/demo` }] },
			),
		});
		network = await Faulty.before(praxis.port);
		browser = await Browser.launch();
	});
	afterEach(async () => assert.deepEqual(await browser.closePages(), []));
	after(async () => {
		await browser?.close();
		await network?.close();
		await praxis.kill();
		await pages?.remove();
	});

	async function open({ name = 'Ann', practices = [practice] } = {}, options = {}) {
		const page = await browser.page(options);
		const token = await sign(claimsOf({ sub: name, name, practices }));
		await page.goto(`http://127.0.0.1:${network.port}/demo/#token=${token}`);
		await page.waitForSelector('#status[data-state=connected]');
		await page.waitForSelector('.card');
		return page;
	}

	const column = (page, title) => page.getByRole('list', { name: title });
	const text = (page, selector) => page.$$eval(selector, (all) => all.map((e) => e.textContent));

	async function join(page) {
		await page.getByRole('link', { name: 'Call' }).click();
		await page.click('#join');
		await page.waitForSelector('figure[data-member=self]');
	}

	async function say(page, message) {
		await page.fill('#text', message);
		await page.press('#text', 'Enter');
	}

	const said = (page) => text(page, '#messages li:not(.note)');
	const notes = (page) => text(page, '#messages .note');

	async function heard(page, line) {
		await until(`"${line}"`, async () => (await said(page)).includes(line), WAIT_MS);
	}

	// Every page decodes more pictures of each of the others than it had.
	async function seesMore(all) {
		for (const page of all) {
			const before = await pictures(page);
			let now;
			await until(
				() => `pictures of ${all.length - 1} others: ${before} → ${now}`,
				async () => {
					now = await pictures(page);
					return (
						now.length === all.length - 1 &&
						now.every((frames, at) => frames > (before[at] ?? 0) + 5)
					);
				},
				WAIT_MS,
			);
		}
	}

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

	it('has calls of two and of three, with pictures and chat both ways', async () => {
		const ann = await open({ name: 'Ann' });
		const bob = await open({ name: 'Bob' });
		await join(ann);
		await join(bob);
		await seesMore([ann, bob]);
		await say(ann, 'How is Rocky?');
		await heard(bob, 'Ann How is Rocky?');
		await say(bob, 'Better.');
		await heard(ann, 'Bob Better.');

		const cat = await open({ name: 'Cat' });
		await join(cat);
		await heard(cat, 'Bob Better.');
		await seesMore([ann, bob, cat]);
		await cat.click('#leave');
		await until('a call of two again', async () => (await pictures(ann)).length === 1, WAIT_MS);
		await until(
			'word of it',
			async () => (await notes(bob)).includes('Cat has left.'),
			WAIT_MS,
		);
	});

	it('goes on through a network that fails in the middle of a call', async () => {
		const ann = await open({ name: 'Ann' });
		const bob = await open({ name: 'Bob' });
		await join(ann);
		await join(bob);
		await seesMore([ann, bob]);
		network.down = true;
		network.cutAll();
		await ann.waitForSelector('#status[data-state=reconnecting]');
		await bob.waitForSelector('#status[data-state=reconnecting]');
		for (const n of [1, 2, 3]) {
			await say(ann, `offline ${n}`);
			await say(bob, `offline ${n}`);
		}
		await seesMore([ann, bob]); // pictures need no server
		assert.equal(await ann.locator('#messages [data-state=pending]').count(), 3);
		network.down = false;
		await heard(ann, 'Bob offline 3');
		await heard(bob, 'Ann offline 3');
		const expected = ['Ann', 'Bob'].flatMap((who) =>
			[1, 2, 3].map((n) => `${who} offline ${n}`),
		);
		assert.deepEqual((await said(ann)).sort(), expected);
		assert.deepEqual((await said(bob)).sort(), expected);
		await until(
			'all of them sent',
			async () => (await ann.locator('#messages [data-state=sent]').count()) === 3,
			WAIT_MS,
		);
		assert.deepEqual(
			(await notes(ann)).filter((note) => /left/.test(note)),
			[],
		);
		assert.deepEqual(
			(await notes(bob)).filter((note) => /left/.test(note)),
			[],
		);
		await seesMore([ann, bob]);
	});

	it('goes on when the server is restarted in the middle of a call', async () => {
		const ann = await open({ name: 'Ann' });
		const bob = await open({ name: 'Bob' });
		await join(ann);
		await join(bob);
		await seesMore([ann, bob]);
		await say(ann, 'before');
		await heard(bob, 'Ann before');
		network.down = true;
		praxis.signal('SIGTERM');
		await praxis.ended();
		await say(ann, 'meanwhile');
		await praxis.launch();
		network.target = praxis.port;
		network.down = false;
		await heard(bob, 'Ann meanwhile');
		await say(bob, 'after');
		await heard(ann, 'Bob after');
		assert.deepEqual(await said(ann), ['Ann before', 'Ann meanwhile', 'Bob after']);
		assert.deepEqual(await said(bob), ['Ann before', 'Ann meanwhile', 'Bob after']);
		assert.deepEqual(
			(await notes(bob)).filter((note) => /left/.test(note)),
			[],
		);
		await seesMore([ann, bob]);
	});

	// The element that shows the other plays on: its time is a second later, and later again.
	async function playsOn(page) {
		const first = await page.evaluate(() => window.picture());
		for (const later of [1, 2]) {
			let now;
			await until(
				() => `${JSON.stringify(first)} plays on: ${JSON.stringify(now)}`,
				async () => {
					now = await page.evaluate(() => window.picture());
					return now.currentTime > first.currentTime + later;
				},
				WAIT_MS,
			);
			assert.deepEqual([now.member, now.paused], [first.member, false]);
		}
		return first.member;
	}

	async function isSucceeded(page, former) {
		await until(
			'the picture of the new session',
			async () => (await page.evaluate(() => window.picture())).member !== former,
			WAIT_MS,
		);
	}

	it('keeps pictures where the server is killed, until there are those of the new session', async () => {
		const short = new Praxisd();
		await short.start({
			global: { 'grace-ms': 500 },
			vhost: tokenVhost(
				{},
				{ mounts: [{ mountpoint: '/demo', origin: `${pages.directory}/demo` }] },
			),
		});
		const { target } = network;
		network.target = short.port;
		try {
			const ann = await open({ name: 'Ann' });
			const bob = await open({ name: 'Bob' });
			const both = [ann, bob];
			await join(ann);
			await join(bob);
			await seesMore(both);
			await Promise.all(both.map((page) => page.evaluate(watchPicture)));
			network.down = true;
			short.signal('SIGKILL');
			await short.exited;
			for (const page of both) {
				await page.waitForSelector('#status[data-state=reconnecting]');
			}
			// By the clock of the pictures this is longer than the grace.
			const former = await Promise.all(both.map(playsOn));
			await short.launch();
			network.target = short.port;
			network.down = false;
			await Promise.all(both.map((page, at) => isSucceeded(page, former[at])));
			for (const page of both) {
				await until(
					'one connection',
					async () => (await pictures(page)).length === 1,
					WAIT_MS,
				);
				await playsOn(page);
				const { counts } = await page.evaluate(() => window.picture());
				assert.deepEqual(counts, [1], 'there was one picture at all times');
				assert.deepEqual(
					(await notes(page)).filter((note) => /left/.test(note)),
					[],
				);
			}
			await say(ann, 'still here');
			await heard(bob, 'Ann still here');
		} finally {
			network.target = target;
			network.down = false;
			await short.kill();
		}
	});

	it('fits on a phone', async () => {
		const phone = await open(
			{ name: 'Ann' },
			{ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
		);
		await phone.getByRole('link', { name: 'Call' }).tap();
		await phone.tap('#join');
		await phone.waitForSelector('figure[data-member=self]');
		const { content, screen } = await phone.evaluate(() => ({
			content: document.documentElement.scrollWidth,
			screen: window.innerWidth,
		}));
		assert.ok(content <= screen, `${content} pixels wide on ${screen}`);
	});
});

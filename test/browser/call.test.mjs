// SPDX-License-Identifier: MIT
//
// The demonstration's calls in a real browser: pictures and chat both ways; and neither a network
// that is cut nor a server that is restarted loses anything of them.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { Praxisd } from '../e2e/lib/praxisd.mjs';
import { until } from '../e2e/lib/wait.mjs';
import { pictures } from './lib/browser.mjs';
import { Calls, WAIT_MS, heard, notes, said, say, seesMore } from './lib/call.mjs';

// Runs in the page: the one picture of another, and how many there ever were at once.
function watchPicture() {
	const others = () => [...document.querySelectorAll('.tile:not([data-member=self])')];
	const counts = new Set([others().length]);
	window.picture = () => {
		const [tile] = others();
		const { currentTime, paused } = tile.querySelector('video');
		return { member: tile.dataset.member, currentTime, paused, counts: [...counts] };
	};
	new MutationObserver(() => counts.add(others().length)).observe(
		document.querySelector('.tiles'),
		{ childList: true },
	);
}

async function leave(page) {
	await page.click('#leave');
	await page.getByRole('menuitem', { name: 'Leave the call' }).click();
}

describe("the demonstration's call", { timeout: 300_000 }, () => {
	const calls = new Calls();

	before(() => calls.start());
	beforeEach(() => {
		calls.practice += 10;
	});
	afterEach(() => calls.closePages());
	after(() => calls.stop());

	it('has calls of two and of three, with pictures and chat both ways', async () => {
		const ann = await calls.staff('Ann');
		const bob = await calls.staff('Bob');
		await seesMore([ann, bob]);
		await say(ann, 'How is Rocky?');
		await heard(bob, 'Ann: How is Rocky?');
		await say(bob, 'Better.');
		await heard(ann, 'Bob: Better.');

		const cat = await calls.staff('Cat');
		await heard(cat, 'Bob: Better.');
		await seesMore([ann, bob, cat]);
		await leave(cat);
		await until('a call of two again', async () => (await pictures(ann)).length === 1, WAIT_MS);
		await until(
			'word of it',
			async () => (await notes(bob)).includes('Cat has left.'),
			WAIT_MS,
		);
	});

	it('goes on through a network that fails in the middle of a call', async () => {
		const ann = await calls.staff('Ann');
		const bob = await calls.staff('Bob');
		await seesMore([ann, bob]);
		calls.network.down = true;
		calls.network.cutAll();
		await ann.waitForSelector('#status[data-state=reconnecting]');
		await bob.waitForSelector('#status[data-state=reconnecting]');
		for (const n of [1, 2, 3]) {
			await say(ann, `offline ${n}`);
			await say(bob, `offline ${n}`);
		}
		await seesMore([ann, bob]); // pictures need no server
		assert.equal(await ann.locator('.messages [data-state=pending]').count(), 3);
		calls.network.down = false;
		await heard(ann, 'Bob: offline 3');
		await heard(bob, 'Ann: offline 3');
		const expected = ['Ann', 'Bob'].flatMap((who) =>
			[1, 2, 3].map((n) => `${who}: offline ${n}`),
		);
		assert.deepEqual((await said(ann)).sort(), expected);
		assert.deepEqual((await said(bob)).sort(), expected);
		await until(
			'all of them sent',
			async () => (await ann.locator('.messages [data-state=sent]').count()) === 3,
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
		const ann = await calls.staff('Ann');
		const bob = await calls.staff('Bob');
		await seesMore([ann, bob]);
		await say(ann, 'before');
		await heard(bob, 'Ann: before');
		calls.network.down = true;
		calls.praxis.signal('SIGTERM');
		await calls.praxis.ended();
		await say(ann, 'meanwhile');
		await calls.praxis.launch();
		calls.network.target = calls.praxis.port;
		calls.network.down = false;
		await heard(bob, 'Ann: meanwhile');
		await say(bob, 'after');
		await heard(ann, 'Bob: after');
		assert.deepEqual(await said(ann), ['Ann: before', 'Ann: meanwhile', 'Bob: after']);
		assert.deepEqual(await said(bob), ['Ann: before', 'Ann: meanwhile', 'Bob: after']);
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
		await short.start({ global: { 'grace-ms': 500 }, vhost: calls.vhost });
		const { target } = calls.network;
		calls.network.target = short.port;
		try {
			const ann = await calls.staff('Ann');
			const bob = await calls.staff('Bob');
			const both = [ann, bob];
			await seesMore(both);
			await Promise.all(both.map((page) => page.evaluate(watchPicture)));
			calls.network.down = true;
			short.signal('SIGKILL');
			await short.exited;
			for (const page of both) {
				await page.waitForSelector('#status[data-state=reconnecting]');
			}
			// By the clock of the pictures this is longer than the grace.
			const former = await Promise.all(both.map(playsOn));
			await short.launch();
			calls.network.target = short.port;
			calls.network.down = false;
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
			await heard(bob, 'Ann: still here');
		} finally {
			calls.network.target = target;
			calls.network.down = false;
			await short.kill();
		}
	});
});

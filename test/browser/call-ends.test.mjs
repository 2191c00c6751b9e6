// SPDX-License-Identifier: MIT
//
// How the demonstration's call ends, and that each of its pages can be used by everybody: by
// keyboard, with a screen reader, on a phone, from right to left; and that nothing on them jumps.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { Calls, admit, say, seesMore, tile } from './lib/call.mjs';
import { PHONE, assertAccessible, assertFits } from './lib/practice.mjs';

const LONG = 'Maximilian-Konstantin von Hohenzollern-Sigmaringen-Donaudampfschifffahrt';

// Runs in the page, before anything else: how much of it has moved without the user's doing.
function watchShifts() {
	window.shifted = [];
	new PerformanceObserver((list) => {
		for (const entry of list.getEntries()) {
			if (!entry.hadRecentInput) {
				const what = entry.sources.map(({ node, previousRect, currentRect }) => {
					const name = node?.className || node?.id || node?.nodeName;
					return `${name} ${previousRect.y} → ${currentRect.y}`;
				});
				window.shifted.push({ value: entry.value, what: what.join() });
			}
		}
	}).observe({ type: 'layout-shift', buffered: true });
}

const watching = { before: (page) => page.addInitScript(watchShifts) };

async function assertStill(page, what) {
	const shifted = await page.evaluate(() => window.shifted);
	const sum = shifted.reduce((all, { value }) => all + value, 0);
	assert.ok(sum < 0.02, `${what}: ${JSON.stringify(shifted)}`);
}

describe('the end of a call', { timeout: 300_000 }, () => {
	const calls = new Calls();

	before(() => calls.start({ telemedicine: { 'room-members': 2 } }));
	beforeEach(() => {
		calls.practice += 10;
	});
	afterEach(() => calls.closePages());
	after(() => calls.stop());

	const isTitled = (page, title) => page.getByRole('heading', { name: title }).waitFor();

	async function menu(page, entry) {
		await page.click('#leave');
		await page.getByRole('menuitem', { name: entry }).click();
	}

	it('is a page that says so, for whoever leaves, and leads back', async () => {
		const ann = await calls.staff('Ann');
		await menu(ann, 'Leave the call');
		await isTitled(ann, 'You have left the call');
		assert.equal(
			await ann.evaluate(() => document.activeElement.textContent),
			'You have left the call',
		);
		await ann.getByRole('button', { name: 'Join again' }).click();
		await ann.click('#join');
		await ann.waitForSelector('.call-screen');
		await menu(ann, 'Leave the call');
		await ann.getByRole('button', { name: 'Back to the board' }).click();
		await ann.waitForSelector('.card');
		assert.equal(await ann.locator('.dock').count(), 0);
	});

	it('tells a patient that it was removed, and that the call was ended', async () => {
		const ann = await calls.staff('Ann');
		const eve = await calls.patient('Eve');
		await admit(ann, eve, 'Eve');
		await tile(ann, 'Eve').getByRole('button', { name: 'More about Eve' }).click();
		await ann.getByRole('menuitem', { name: 'Remove from the call' }).click();
		await isTitled(eve, 'You were removed from the call');
		await eve.getByRole('button', { name: 'Ask to join again' }).click();
		await eve.click('#join');
		await admit(ann, eve, 'Eve');
		await menu(ann, 'End it for everybody');
		await isTitled(eve, 'The call has ended');
		await isTitled(ann, 'The call has ended');
		for (const page of [ann, eve]) {
			const live = await page.evaluate(
				() => [...document.querySelectorAll('video')].filter((v) => v.srcObject).length,
			);
			assert.equal(live, 0);
		}
	});

	it('tells who comes to a full call, to another one, or twice', async () => {
		await calls.staff('Ann');
		await calls.staff('Bob');
		const cat = await calls.join('Cat');
		await isTitled(cat, 'The call is full');
		await cat.getByRole('button', { name: 'Try again' }).waitFor();

		const eve = await calls.patient('Eve', { claims: { rooms: ['another'] } });
		await isTitled(eve, 'This link is for another call');
		assert.equal(await eve.locator('#again').count(), 0);

		const max = await calls.patient('Max');
		await max.getByText('You are next', { exact: true }).waitFor();
		const again = await calls.patient('Max');
		await again.getByText('You are next', { exact: true }).waitFor();
		await isTitled(max, 'You are in this call in another window');
	});
});

describe('everybody can use the call', { timeout: 300_000 }, () => {
	const calls = new Calls();

	before(() => calls.start());
	beforeEach(() => {
		calls.practice += 10;
	});
	afterEach(() => calls.closePages());
	after(() => calls.stop());

	it('from the check to the end by keyboard alone', async () => {
		const ann = await calls.open('Ann');
		const press = async (name, key) => {
			for (let at = 0; at < 40; at++) {
				await ann.keyboard.press('Tab');
				const focused = await ann.evaluate(
					() => document.activeElement.ariaLabel ?? document.activeElement.textContent,
				);
				if (focused.startsWith(name)) {
					await ann.keyboard.press(key);
					return;
				}
			}
			assert.fail(`${name} is not reached`);
		};
		await ann.waitForSelector('.check');
		await press('Join the call', 'Enter');
		await ann.waitForSelector('.call-screen');
		await press('Mic', 'Space');
		await ann.waitForSelector('#microphone[aria-pressed=false]');
		await press('Chat', 'Enter');
		await ann.locator('.chat').waitFor({ state: 'hidden' });
		await ann.keyboard.press('Enter');
		await ann.waitForFunction(() => document.activeElement.id === 'text');
		await ann.keyboard.type('Hello');
		await ann.keyboard.press('Enter');
		await ann.locator('[data-state=sent]').waitFor();
		await press('Devices', 'Enter');
		await ann.getByRole('dialog').waitFor();
		await ann.keyboard.press('Escape');
		await ann.getByRole('dialog').waitFor({ state: 'detached' });
		await press('Leave', 'Enter');
		await ann.keyboard.press('Enter');
		await ann.getByRole('heading', { name: 'You have left the call' }).waitFor();
	});

	for (const [what, options] of [
		['at a desk, light', { viewport: { width: 1440, height: 900 } }],
		['at a desk, dark', { viewport: { width: 1440, height: 900 }, colorScheme: 'dark' }],
		['on a phone, from right to left', { ...PHONE, colorScheme: 'dark', search: '?dir=rtl' }],
	]) {
		it(`${what}: axe finds nothing, nothing is wider than the screen, nothing jumps`, async () => {
			const { search, ...more } = options;
			const opening = { options: { ...more, reducedMotion: 'reduce' }, search, ...watching };
			const ann = await calls.open('Ann', opening);
			const look = async (page, where) => {
				await assertAccessible(page, where);
				await assertFits(page, where);
				await assertStill(page, where);
			};
			await ann.locator('.verdict', { hasText: 'You can join.' }).waitFor();
			await look(ann, 'the check');
			const eve = await calls.patient(LONG, opening);
			await eve.getByText('You are next', { exact: true }).waitFor();
			await look(eve, 'the waiting room');
			await ann.click('#join');
			await ann.getByText('Waiting room (1)').waitFor();
			await look(ann, 'alone, and somebody waits');
			await ann.getByRole('link', { name: 'Board' }).click();
			await ann.locator('.dock').waitFor();
			await assertAccessible(ann, 'the board while somebody waits');
			await ann.getByRole('button', { name: 'Back to the call' }).click();
			await admit(ann, eve, LONG);
			await seesMore([ann, eve]);
			if (await ann.locator('.chat').isHidden()) {
				await look(ann, 'the stage');
				await ann.click('#chat');
			}
			await say(ann, `${'Good morning, and welcome! '.repeat(3)} صباح الخير`);
			await ann.locator('[data-state=sent]').waitFor();
			await look(ann, 'the chat');
			for (const control of await ann.locator('.controls button').all()) {
				assert.ok(
					await control.evaluate(isInView),
					`${await control.textContent()} is in view`,
				);
			}
			await eve.click('#leave');
			await eve.getByRole('heading', { name: 'You have left the call' }).waitFor();
			await look(eve, 'the end');
		});
	}
});

// Runs in the page: can it be pressed where it is?
function isInView(control) {
	const { left, top, width, height } = control.getBoundingClientRect();
	const found = document.elementFromPoint(left + width / 2, top + height / 2);
	return control.contains(found);
}

// SPDX-License-Identifier: MIT
//
// The demonstration's board in a real browser: cards that are moved by mouse, finger, keyboard and menu, edited,
// removed, undone; what is not saved yet, and what changed while one was away.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { until } from '../e2e/lib/wait.mjs';
import { allSaved, PHONE, Practice } from './lib/practice.mjs';

const COLUMNS = ['Waiting', 'In treatment', 'Checkout', 'Gone home'];

const SERVERS = {
	'on a server that keeps it': { whiteboard: { 'board-values': 200 }, telemedicine: {} },
	'on a server that keeps none': { whiteboard: {}, telemedicine: {} },
};

for (const [where, services] of Object.entries(SERVERS)) {
	describe(`the board, ${where}`, { timeout: 300_000 }, () => {
		let practice;

		before(async () => {
			practice = await Practice.open({ services });
		});
		beforeEach(() => {
			practice.id += 10; // a board for each test
		});
		afterEach(async () => {
			practice.network.down = false;
			assert.deepEqual(await practice.browser.closePages(), []);
		});
		after(() => practice?.close());

		const column = (page, title) => page.getByRole('list', { name: title, exact: true });
		const card = (page, patient) => page.locator('.card[data-card]', { hasText: patient });
		const isIn = (page, title, patient) => column(page, title).getByText(patient).waitFor();

		async function choose(page, patient, action) {
			await page.getByRole('button', { name: `More for ${patient}` }).click();
			await page.getByRole('menuitem', { name: action }).click();
		}

		async function drag(page, patient, title) {
			const from = await card(page, patient).boundingBox();
			const to = await page.getByRole('region', { name: title, exact: true }).boundingBox();
			await page.mouse.move(from.x + 40, from.y + from.height - 8);
			await page.mouse.down();
			await page.mouse.move(from.x + 60, from.y + from.height, { steps: 3 });
			await page.mouse.move(to.x + to.width / 2, to.y + 80, { steps: 5 });
			await page.waitForSelector('.column.over');
		}

		it('shows a card that is moved in every other page of the practice, and in no other', async () => {
			const ann = await practice.enter({ name: 'Ann' });
			const bob = await practice.enter({ name: 'Bob' });
			const eve = await practice.enter({ name: 'Eve', practices: [practice.id + 1] });
			const frames = [];
			eve.on('websocket', (socket) => {
				socket.on('framereceived', ({ payload }) => frames.push(payload));
			});
			await eve.reload();
			await eve.waitForSelector('#status[data-state=connected]');
			await ann.getByRole('button', { name: 'New patient' }).click();
			await ann.getByLabel('Patient', { exact: true }).fill('Snowy');
			await ann.getByLabel('Species').selectOption('Bird');
			await ann.getByLabel('Owner').fill('Ms. Haddock');
			await ann.getByLabel('Reason').fill('A wing that hangs');
			await ann.getByText('Urgent', { exact: true }).last().click();
			await ann.keyboard.press('Enter');
			await isIn(bob, 'Waiting', 'Snowy');
			await bob.getByRole('button', { name: 'Move Snowy to In treatment' }).click();
			await isIn(ann, 'In treatment', 'Snowy');
			await drag(ann, 'Snowy', 'Gone home');
			await ann.mouse.up();
			await isIn(bob, 'Gone home', 'Snowy');

			const late = await practice.enter({ name: 'Cat' });
			await isIn(late, 'Gone home', 'Snowy');
			await eve.reload(); // its own messages are through when it is connected again
			await eve.waitForSelector('#status[data-state=connected]');
			assert.equal(await eve.getByText('Snowy').count(), 0);
			assert.ok(frames.length > 0);
			// With their quotes: a name of three letters may turn up in a token.
			assert.equal(frames.filter((frame) => /Snowy|"Ann"|"Bob"/.test(frame)).length, 0);
		});

		it('says of each card who it is, how urgent, how long it waits, and who moved it last', async () => {
			const ann = await practice.enter({ name: 'Ann' });
			const bob = await practice.enter({ name: 'Bob' });
			const frieda = card(ann, 'Frieda');
			for (const text of [
				'Rabbit · Fam. Lindqvist',
				'Has not eaten since yesterday',
				'Urgent',
				'Waiting 6 min',
			]) {
				assert.equal(await frieda.getByText(text).count(), 1, text);
			}
			assert.equal(await ann.locator('#summary').textContent(), '6 patients, 1 urgent');
			// What is urgent comes first, then who came first.
			assert.deepEqual(await column(ann, 'Waiting').getByRole('heading').allTextContents(), [
				'Frieda',
				'Bella',
				'Milo',
			]);
			await choose(ann, 'Frieda', 'Move to Checkout');
			await isIn(bob, 'Checkout', 'Frieda');
			assert.match(await card(bob, 'Frieda').textContent(), /Moved by Ann, just now/);
			await choose(bob, 'Frieda', 'Move to Waiting');
			await ann.getByText('Moved by Bob').waitFor();
		});

		it('takes a card back that is dragged and let go with Escape', async () => {
			const ann = await practice.enter();
			await drag(ann, 'Milo', 'Checkout');
			await ann.keyboard.press('Escape');
			await ann.mouse.up();
			assert.equal(await ann.locator('.ghost').count(), 0);
			await isIn(ann, 'Waiting', 'Milo');
			assert.equal(await ann.locator('.toast').count(), 0);
		});

		it('moves a card with a finger on its grip, over the edge of a phone', async () => {
			const phone = await practice.enter({ name: 'Ann' }, PHONE);
			const desk = await practice.enter({ name: 'Bob' });
			const touch = await phone.context().newCDPSession(phone);
			const send = (type, x, y) =>
				touch.send('Input.dispatchTouchEvent', {
					type,
					touchPoints: type === 'touchEnd' ? [] : [{ x, y }],
				});
			const grip = await phone.getByRole('button', { name: 'Drag Milo' }).boundingBox();
			await send('touchStart', grip.x + 20, grip.y + 20);
			await send('touchMove', grip.x + 10, grip.y + 30);
			await phone.waitForSelector('.ghost');
			// At the edge the board moves by itself.
			await send('touchMove', 385, grip.y + 30);
			await phone.waitForFunction(() =>
				document.querySelectorAll('.column')[1].matches('.over'),
			);
			await send('touchEnd');
			await isIn(desk, 'In treatment', 'Milo');
		});

		// Runs in the page: the columns that are seen whole.
		function columnsInView() {
			const places = [...document.querySelectorAll('.column')].map((each) =>
				each.getBoundingClientRect(),
			);
			return places.flatMap(({ left, right }, at) =>
				left >= 0 && right <= innerWidth ? [at] : [],
			);
		}

		it('shows one column at a time on a phone, swiped or chosen, and four on a desk', async () => {
			const phone = await practice.enter({ name: 'Ann' }, PHONE);
			const desk = await practice.enter({ name: 'Bob' });
			assert.deepEqual(await desk.evaluate(columnsInView), [0, 1, 2, 3]);
			assert.deepEqual(await phone.evaluate(columnsInView), [0]);
			for (const [at, title] of COLUMNS.entries()) {
				await phone.locator('#column-tabs').getByRole('button', { name: title }).tap();
				await phone.waitForSelector(
					`#column-tabs button:nth-child(${at + 1})[aria-pressed=true]`,
				);
				await until(title, async () => {
					const seen = await phone.evaluate(columnsInView);
					return seen.length === 1 && seen[0] === at;
				});
			}
			// A swipe ends with a whole column, wherever the finger ends.
			await phone.locator('#board').evaluate((board) => board.scrollTo({ left: 100 }));
			await until(
				'a column in its place',
				async () => (await phone.evaluate(columnsInView)).length === 1,
			);
		});

		it('is used by keyboard alone: lifted, carried, put down, taken back', async () => {
			const ann = await practice.enter({ name: 'Ann' });
			const bob = await practice.enter({ name: 'Bob' });
			const focused = () =>
				ann.evaluate(() => document.activeElement.getAttribute('aria-label'));
			await ann.getByRole('button', { name: 'Drag Milo' }).focus();
			await ann.keyboard.press('Space');
			await ann.keyboard.press('ArrowRight');
			await ann.keyboard.press('ArrowRight');
			await isIn(ann, 'Checkout', 'Milo');
			assert.equal(await focused(), 'Drag Milo');
			await ann.keyboard.press('Escape');
			await isIn(ann, 'Waiting', 'Milo');
			await ann.keyboard.press('Space');
			await ann.keyboard.press('ArrowRight');
			await ann.keyboard.press('Space');
			await isIn(bob, 'In treatment', 'Milo');
			assert.equal(await focused(), 'Drag Milo');
			assert.match(await ann.locator('#news').textContent(), /Milo: In treatment/);

			await ann.keyboard.press('Tab');
			assert.equal(await focused(), 'Move Milo to Checkout');
			await ann.keyboard.press('Tab');
			await ann.keyboard.press('ArrowDown');
			await ann.keyboard.press('e'); // Edit …
			await ann.keyboard.press('Enter');
			const name = ann.getByLabel('Patient', { exact: true });
			await name.waitFor();
			assert.equal(await ann.evaluate(() => document.activeElement.id), 'patient');
			await ann.keyboard.press('Escape');
			await name.waitFor({ state: 'detached' });
			assert.equal(await focused(), 'More for Milo');
			await ann.keyboard.press('Control+z');
			await isIn(bob, 'Waiting', 'Milo');
		});

		it('edits and removes, and takes back what was done for ten seconds', async () => {
			const ann = await practice.enter({ name: 'Ann' });
			const bob = await practice.enter({ name: 'Bob' });
			await choose(ann, 'Milo', 'Edit');
			await ann.getByLabel('Reason').fill('Sneezes');
			await ann.getByRole('button', { name: 'Save' }).click();
			await bob.getByText('Sneezes').waitFor();
			await ann.getByRole('button', { name: 'Undo' }).click();
			await bob.getByText('Yearly vaccination').waitFor();

			await choose(ann, 'Milo', 'Remove');
			await card(bob, 'Milo').waitFor({ state: 'detached' });
			const late = await practice.enter({ name: 'Cat' });
			await card(late, 'Milo').waitFor({ state: 'detached' });
			await ann.getByRole('button', { name: 'Undo' }).click();
			await isIn(bob, 'Waiting', 'Milo');

			await choose(ann, 'Milo', 'Remove');
			await card(bob, 'Milo').waitFor({ state: 'detached' });
			const ms = await ann.evaluate(() => {
				const [time] = document.querySelector('.toast i').getAnimations();
				const { duration } = time.effect.getTiming();
				time.finish();
				return duration;
			});
			assert.equal(ms, 10_000);
			await ann.locator('.toast').waitFor({ state: 'detached' });
			await ann.keyboard.press('Control+z');
			assert.equal(await card(ann, 'Milo').count(), 0);
		});

		it('does not undo over what somebody else has done since', async () => {
			const ann = await practice.enter({ name: 'Ann' });
			const bob = await practice.enter({ name: 'Bob' });
			await choose(ann, 'Milo', 'Move to Checkout');
			await isIn(bob, 'Checkout', 'Milo');
			await choose(bob, 'Milo', 'Move to Gone home');
			await isIn(ann, 'Gone home', 'Milo');
			await ann.getByRole('button', { name: 'Undo' }).click();
			await ann.getByText('Somebody else has changed that card since').first().waitFor();
			await isIn(ann, 'Gone home', 'Milo');
		});

		it('says "Not saved yet" until the receipt has come', async () => {
			const ann = await practice.enter({ name: 'Ann' });
			const bob = await practice.enter({ name: 'Bob' });
			await practice.cut(ann, bob);
			await choose(ann, 'Milo', 'Move to Checkout');
			await card(ann, 'Milo').getByText('Not saved yet').waitFor();
			assert.match(await ann.locator('#summary').textContent(), /1 not saved yet/);
			assert.equal(await card(ann, 'Rocky').getByText('Not saved yet').count(), 0);
			await practice.mend(ann, bob);
			await isIn(bob, 'Checkout', 'Milo');
			await allSaved(ann);
		});

		it('marks what changed while one was not connected, or looked elsewhere', async () => {
			const ann = await practice.enter({ name: 'Ann' });
			const bob = await practice.enter({ name: 'Bob' });
			assert.equal(await ann.locator('.card.news').count(), 0);
			await choose(bob, 'Milo', 'Move to Checkout');
			await isIn(ann, 'Checkout', 'Milo');
			assert.equal(await ann.locator('.card.news').count(), 0, 'it was seen as it happened');

			await ann.goto('about:blank');
			await choose(bob, 'Milo', 'Move to Gone home');
			await choose(bob, 'Rocky', 'Move to Checkout');
			await allSaved(bob);
			await ann.goBack();
			await ann.getByText('2 cards have changed while you were away.').waitFor();
			assert.deepEqual(
				await ann.locator('.card.news').getByRole('heading').allTextContents(),
				['Rocky', 'Milo'],
			);
			assert.equal(await card(ann, 'Rocky').getByText('Changed').count(), 1);
			await ann.getByRole('button', { name: 'Show' }).click();
			await ann.keyboard.press('Tab');
			assert.equal(await ann.locator('.card.news').count(), 2, 'one looks at it');
			await ann.getByRole('button', { name: 'New patient' }).focus();
			await ann.getByText('1 card has changed while you were away.').waitFor();
			await ann.getByRole('button', { name: 'Mark as seen' }).click();
			assert.equal(await ann.locator('.card.news').count(), 0);
			await ann.reload();
			await ann.waitForSelector('#status[data-state=connected]');
			await isIn(ann, 'Gone home', 'Milo');
			assert.equal(await ann.locator('.card.news').count(), 0);
		});

		it('goes on where the server was restarted', async () => {
			const ann = await practice.enter({ name: 'Ann' });
			const bob = await practice.enter({ name: 'Bob' });
			practice.network.down = true;
			practice.praxis.signal('SIGTERM');
			await practice.praxis.ended();
			await choose(ann, 'Milo', 'Move to Checkout');
			await choose(bob, 'Rocky', 'Move to Checkout');
			await practice.praxis.launch();
			practice.network.target = practice.praxis.port;
			await practice.mend(ann, bob);
			for (const page of [ann, bob]) {
				await isIn(page, 'Checkout', 'Milo');
				await isIn(page, 'Checkout', 'Rocky');
				await until(
					'all saved',
					async () => (await page.locator('.unsaved').count()) === 0,
				);
			}
		});
	});
}

// SPDX-License-Identifier: MIT
//
// What one sees and does in the demonstration's call: before it, in the waiting room, on the stage.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { reload } from '../e2e/lib/reloading.mjs';
import { until } from '../e2e/lib/wait.mjs';
import { Calls, WAIT_MS, heard, notes, said, say, seesMore, tile } from './lib/call.mjs';

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

// Runs in the page: a screen that is shared without a question, and camera and microphone that fail
// where `failing` names the error.
function useDevices({ failing, kind }) {
	const native = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
	navigator.mediaDevices.getUserMedia = (wanted) =>
		failing && wanted[kind]
			? Promise.reject(new DOMException('as if', failing))
			: native(wanted);
	navigator.mediaDevices.getDisplayMedia = () => {
		const canvas = document.createElement('canvas');
		canvas.getContext('2d').fillRect(0, 0, 100, 100);
		return Promise.resolve(canvas.captureStream(5));
	};
}

// Runs in the page: all that its line of who is writing has said, however briefly.
function keepTyping() {
	window.typing = [];
	const line = document.querySelector('.typing');
	const keep = () => window.typing.push(line.textContent);
	new MutationObserver(keep).observe(line, { childList: true, characterData: true });
}

const telemedicine = (status) => ({
	vhost: 'default',
	'ws-protocols': [{ telemedicine: { status } }],
});

const failing = (error, kind) => ({
	before: (page) => page.addInitScript(useDevices, { failing: error, kind }),
});
const sharing = failing();

describe('in the call', { timeout: 300_000 }, () => {
	const calls = new Calls();

	before(() => calls.start());
	beforeEach(() => {
		calls.practice += 10;
	});
	afterEach(() => calls.closePages());
	after(() => calls.stop());

	const step = (page, name) => page.locator(`[data-step=${name}]`);
	const isPressed = (page, id) => page.getAttribute(id, 'aria-pressed');

	it('begins with a check of camera, microphone and connection', async () => {
		const ann = await calls.open('Ann');
		for (const name of ['camera', 'microphone', 'server']) {
			await step(ann, name).and(ann.locator('[data-state=ok]')).waitFor();
		}
		assert.match(await step(ann, 'server').textContent(), /The server answers\. \(\d+ ms\)/);
		assert.match(await step(ann, 'relay').textContent(), /There is no relay/);
		await ann.locator('.verdict', { hasText: 'You can join.' }).waitFor();
		await ann.waitForFunction(() => document.querySelector('.level i').offsetWidth > 0);
		const cameras = ann.getByLabel('Camera', { exact: true });
		await ann.selectOption('#check-camera', { index: 0 });
		assert.ok((await cameras.count()) > 0);

		await ann.click('#own-microphone');
		assert.equal(await isPressed(ann, '#own-microphone'), 'false');
		await ann.click('#join');
		await ann.waitForSelector('.call-screen');
		assert.equal(await isPressed(ann, '#microphone'), 'false', 'what is off stays off');
		assert.equal(await isPressed(ann, '#camera'), 'true');
		await ann.getByText('Nobody else is here yet').waitFor();
	});

	it('says what is the matter with a device, and lets one join without it', async () => {
		const ann = await calls.open('Ann', failing('NotAllowedError', 'video'));
		await step(ann, 'camera').getByText('The browser does not allow the camera.').waitFor();
		assert.equal(await step(ann, 'microphone').getAttribute('data-state'), 'ok');
		await ann.click('#join');
		await ann.waitForSelector('.call-screen');
		assert.equal(await ann.isDisabled('#camera'), true);
		assert.equal(await ann.textContent('#camera small'), 'None');
		const bob = await calls.staff('Bob');
		const shown = tile(bob, 'Ann').and(bob.locator('[data-picture=none]'));
		await shown.locator('.initials', { hasText: 'A' }).waitFor();
		await shown.getByTitle('Camera off').waitFor();
	});

	it('has patients wait, tells them their place, and the team lets them in or not', async () => {
		const eve = await calls.patient('Eve');
		await eve.getByText('You are next', { exact: true }).waitFor();
		await eve.getByText('The doctor sees that you are here.').first().waitFor();
		const max = await calls.patient('Max');
		await max.getByText('You are number 2', { exact: true }).waitFor();

		const ann = await calls.staff('Ann');
		const list = ann.getByRole('region', { name: 'Waiting room' });
		await list.getByText('Waiting room (2)').waitFor();
		await ann.getByRole('link', { name: 'Board' }).click();
		await list.getByText('Max').waitFor();
		assert.equal(
			await ann
				.locator('.dock')
				.textContent()
				.then((t) => /alone/.test(t)),
			true,
		);
		await ann.getByRole('button', { name: 'Admit Eve' }).press('Enter');
		await eve.waitForSelector('.call-screen');
		await max.getByText('You are next', { exact: true }).waitFor();
		await seesMore([ann, eve]);
		await ann.getByText('In the call with 1').waitFor();
		await ann.getByRole('button', { name: 'Deny Max' }).click();
		await max.getByRole('heading', { name: 'The practice cannot see you now' }).waitFor();
		await max.getByText('We cannot take your call now.').waitFor();
		await list.waitFor({ state: 'hidden' });
		await ann.getByRole('button', { name: 'Back to the call' }).click();
		await ann.locator('.dock').waitFor({ state: 'hidden' });
		await tile(ann, 'Eve').waitFor();

		await max.getByRole('button', { name: 'Ask again' }).click();
		await max.click('#join');
		await ann.locator('.call-screen').getByText('Waiting room (1)').waitFor();
	});

	it('shows a patient nothing of the board', async () => {
		const frames = [];
		const eve = await calls.patient('Eve', {
			before: (page) =>
				page.on('websocket', (socket) => {
					socket.on('framesent', ({ payload }) => frames.push(payload));
					socket.on('framereceived', ({ payload }) => frames.push(payload));
				}),
		});
		await eve.getByText('You are next', { exact: true }).waitFor();
		assert.equal(await eve.getByRole('link', { name: 'Board' }).count(), 0);
		await eve.evaluate(() => {
			location.hash = '#/board';
		});
		await eve.waitForFunction(() => document.title.startsWith('Call'));
		assert.equal(await eve.locator('#board-view').isVisible(), false);
		assert.equal(await eve.locator('.card').count(), 0);
		assert.ok(frames.length > 0);
		assert.equal(frames.filter((frame) => /whiteboard_(?!.*error)/.test(frame)).length, 0);
	});

	it('shows who is muted, whose camera is off, who speaks, and how good each connection is', async () => {
		const ann = await calls.staff('Ann');
		const bob = await calls.staff('Bob');
		await seesMore([ann, bob]);
		// Chromium's microphone that is none beeps each second.
		await ann.waitForSelector('.tile[data-speaking=true]:not([data-member=self])');
		await tile(ann, 'Bob').locator('.quality .on').nth(1).waitFor({ timeout: WAIT_MS });
		assert.equal(await tile(ann, 'Bob').getByTitle('Microphone off').isVisible(), false);

		await bob.click('#microphone');
		assert.equal(await bob.textContent('#microphone small'), 'Off');
		await tile(ann, 'Bob').getByTitle('Microphone off').waitFor();
		await bob.click('#camera');
		await tile(ann, 'Bob').locator('.initials', { hasText: 'B' }).waitFor();
		await tile(ann, 'Bob').getByTitle('Camera off').waitFor();
		await ann.waitForSelector('.tile[data-speaking=true]:not([data-member=self])', {
			state: 'detached',
		});
		await bob.click('#camera');
		await tile(ann, 'Bob').and(ann.locator('[data-picture=camera]')).waitFor();

		const self = ann.locator('.tile[data-member=self]');
		await self.getByRole('button').press('Enter');
		await self.and(ann.locator('.large')).waitFor();
		await self.getByRole('button').press('Enter');
		await tile(ann, 'Bob').and(ann.locator('.large')).waitFor();
	});

	it('shares a screen, says so, and puts it in front for the others', async () => {
		const ann = await calls.staff('Ann', sharing);
		const bob = await calls.staff('Bob');
		await seesMore([ann, bob]);
		await ann.click('#screen');
		await ann.getByText('You are sharing your screen.').waitFor();
		assert.equal(await ann.textContent('#screen small'), 'Sharing');
		await tile(bob, 'Ann').and(bob.locator('.large[data-picture=screen]')).waitFor();
		await ann.getByRole('button', { name: 'Stop sharing' }).click();
		await ann.getByText('You are sharing your screen.').waitFor({ state: 'hidden' });
		await tile(bob, 'Ann').and(bob.locator('[data-picture=camera]')).waitFor();
		assert.equal(await isPressed(ann, '#screen'), 'false');
	});

	it('has a chat with times, who is writing, and messages that are sent again', async () => {
		const ann = await calls.staff('Ann');
		const bob = await calls.staff('Bob', { options: PHONE });
		await tile(ann, 'Bob').waitFor();
		await bob.evaluate(keepTyping);
		await ann.locator('#text').pressSequentially('How is');
		await bob.waitForFunction(() => window.typing.includes('Ann is writing …'));
		await say(ann, 'How is Rocky?');
		await bob.locator('#chat .count', { hasText: '1' }).waitFor();
		await bob.click('#chat');
		await heard(bob, 'Ann: How is Rocky?');
		assert.equal(await bob.locator('#chat .count').isVisible(), false);
		await bob.waitForFunction(() => document.querySelector('.typing').textContent === '');
		await bob.getByRole('button', { name: 'Hide the chat' }).click();
		await bob.locator('.chat').waitFor({ state: 'hidden' });
		await bob.click('#chat');
		assert.match(await bob.locator('.messages time').textContent(), /\d\d:\d\d/);
		await ann.locator('[data-state=sent]').getByText('Sent', { exact: true }).waitFor();

		const file = 'conf.d/60-off.json';
		await reload(calls.praxis, { [file]: telemedicine('disabled') });
		await say(ann, 'Are you there?');
		const failed = ann.locator('[data-state=failed]');
		await failed.getByText('Not sent').waitFor();
		await reload(calls.praxis, { [file]: null });
		await failed.getByRole('button', { name: 'Send again' }).click();
		await heard(bob, 'Ann: Are you there?');
		assert.deepEqual(await said(ann), ['Ann: How is Rocky?', 'Ann: Are you there?']);
		assert.equal(await failed.count(), 0);
	});

	it('changes devices while it goes on', async () => {
		const ann = await calls.staff('Ann');
		const bob = await calls.staff('Bob');
		await seesMore([ann, bob]);
		await ann.click('#devices');
		const dialog = ann.getByRole('dialog', { name: 'Camera and microphone' });
		await dialog.waitFor();
		const options = await dialog.locator('#call-microphone option').allTextContents();
		assert.ok(options.length > 1, `${options}`);
		await dialog.locator('#call-microphone').selectOption({ label: options.at(-1) });
		await ann.waitForFunction(
			(label) =>
				document.querySelector('[data-member=self] video').srcObject.getAudioTracks()[0]
					?.label === label,
			options.at(-1),
		);
		await dialog.getByRole('button', { name: 'Done' }).click();
		await dialog.waitFor({ state: 'detached' });
		await seesMore([ann, bob]);
	});

	it('comes back into the call when the page is loaded anew, muted as it was', async () => {
		const ann = await calls.staff('Ann');
		const bob = await calls.staff('Bob');
		await seesMore([ann, bob]);
		await say(bob, 'before');
		await heard(ann, 'Bob: before');
		await ann.click('#microphone');
		await ann.reload();
		await ann.waitForSelector('.call-screen');
		assert.equal(await isPressed(ann, '#microphone'), 'false');
		assert.equal(await isPressed(ann, '#camera'), 'true');
		await heard(ann, 'Bob: before');
		await until('one Ann', async () => (await tile(bob, 'Ann').count()) === 1, WAIT_MS);
		await seesMore([ann, bob]);
		assert.deepEqual(
			(await notes(bob)).filter((note) => /left/.test(note)),
			[],
		);
	});
});

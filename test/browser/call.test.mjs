// SPDX-License-Identifier: MIT
//
// What a call of the client package tells of its members, with real media between two pages: who
// speaks, what is to be seen and heard, the chat, and a page that is loaded again in the middle.

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { showPlain, usePlain } from './lib/plain.mjs';

// Runs in a page: the call with a camera that is none, and a tone that can be turned on.
async function begin({ user, options }) {
	const { telemedicineService: service, webSocketManager: manager } = globalThis.praxis;
	const audio = new AudioContext();
	const tone = new OscillatorNode(audio, { frequency: 300 });
	const gain = new GainNode(audio, { gain: 0 });
	const sink = audio.createMediaStreamDestination();
	tone.connect(gain).connect(sink);
	tone.start();
	await audio.resume();
	const camera = await navigator.mediaDevices.getUserMedia({ video: true });
	const stream = new MediaStream([...sink.stream.getTracks(), ...camera.getTracks()]);
	const { id: userId, name: userName } = user;
	globalThis.tone = (loud) => (gain.gain.value = loud ? 0.5 : 0);
	manager.configure({
		url: `ws://${location.host}/ws`,
		query: { practiceId: 1, userId, userName, role: 'staff' },
	});
	const call = service.call({
		roomId: 'r',
		appointmentId: 12,
		userId,
		userName,
		...options,
		stream,
	});
	globalThis.call = call;
	// A browser decodes what is played.
	call.on('stream', (remote) => {
		const video = document.body.appendChild(document.createElement('video'));
		video.srcObject = remote;
		void video.play();
	});
}

describe('a call', { timeout: 240_000 }, () => {
	const plain = usePlain((mounts) => ({ mounts }));
	const { praxis } = plain;
	const users = [
		{ id: 7, name: 'Ann' },
		{ id: 8, name: 'Bob' },
	];
	let ann;
	let bob;

	beforeEach(async () => {
		ann = await open(await plain.browser.page(), users[0]);
		bob = await open(await plain.browser.page(), users[1]);
		for (const page of [ann, bob]) {
			await becomes(page, { connection: 'connected' });
		}
	});
	async function load(page) {
		await showPlain(page, praxis.port);
		await page.mouse.click(5, 5); // sound needs a gesture of the user
	}

	async function open(page, user) {
		await load(page);
		await page.evaluate(begin, { user });
		await page.waitForFunction(() => globalThis.call.state === 'joined');
		return page;
	}

	// Until the only other member is so: what `wanted` says of it.
	const becomes = (page, wanted) =>
		page.waitForFunction((fields) => {
			const [member] = globalThis.call.members;
			return (
				member && Object.entries(fields).every(([name, value]) => member[name] === value)
			);
		}, wanted);

	const speak = (page, loud) => page.evaluate((on) => globalThis.tone(on), loud);

	it('shows who speaks, and who has spoken last', async () => {
		await speak(ann, true);
		await becomes(bob, { speaking: true });
		await bob.waitForFunction(() => globalThis.call.activeSpeaker?.userName === 'Ann');
		await ann.waitForFunction(() => globalThis.call.self.speaking);
		await becomes(ann, { speaking: false });
		await speak(ann, false);
		await becomes(bob, { speaking: false });
		await ann.waitForFunction(() => !globalThis.call.self.speaking);
		assert.equal(await bob.evaluate(() => globalThis.call.activeSpeaker.userName), 'Ann');
		await speak(bob, true);
		await ann.waitForFunction(() => globalThis.call.activeSpeaker?.userName === 'Bob');
	});

	it('shows what is to be heard and seen of the other one', async () => {
		await becomes(bob, { muted: false, cameraOff: false, sharing: false });
		await ann.evaluate(() => globalThis.call.setAudio(false));
		await becomes(bob, { muted: true, cameraOff: false });
		await ann.evaluate(() => globalThis.call.setVideo(false));
		await becomes(bob, { cameraOff: true });
		await ann.evaluate(() => {
			const canvas = document.createElement('canvas');
			canvas.getContext('2d').fillRect(0, 0, 10, 10);
			return globalThis.call.shareScreen(canvas.captureStream(10));
		});
		await becomes(bob, { sharing: true, cameraOff: false });
		await ann.evaluate(() => globalThis.call.stopScreen());
		await becomes(bob, { sharing: false, cameraOff: true });
	});

	it('has a quality in three steps, in both directions', async () => {
		await ann.waitForFunction(() => {
			const { members, self } = globalThis.call;
			const steps = ['good', 'fair', 'poor']; // as the machine has time for it
			return steps.includes(members[0]?.quality?.step) && steps.includes(self.quality);
		});
	});

	it('shows who is typing, and what became of a message', async () => {
		await ann.evaluate(() => globalThis.call.setTyping(true));
		await becomes(bob, { typing: true });
		await ann.evaluate(() => globalThis.call.sendChat('Good morning!'));
		await becomes(bob, { typing: false });
		const chat = (page) =>
			page.evaluate(() =>
				globalThis.call.chat.map(({ message, own, state }) => [message, own, state]),
			);
		assert.deepEqual(await chat(ann), [['Good morning!', true, 'sent']]);
		assert.deepEqual(await chat(bob), [['Good morning!', false, undefined]]);
	});

	const again = async (page) => {
		const saved = await page.evaluate(() => globalThis.praxis.telemedicineService.savedCall());
		await page.evaluate(begin, { user: users[1], options: saved });
		await page.waitForFunction(() => globalThis.call.state === 'joined');
		return saved;
	};

	it('goes on when the page is loaded again, and who was muted stays so', async () => {
		await bob.evaluate(() => globalThis.call.setAudio(false));
		await becomes(ann, { muted: true });
		await bob.evaluate(() => globalThis.call.sendChat('before'));
		const before = await ann.evaluate(() => globalThis.call.members[0].clientId);
		await load(bob);
		const { media, userName } = await again(bob);
		assert.deepEqual(
			{ media, userName },
			{ media: { audio: false, video: true }, userName: 'Bob' },
		);
		await becomes(bob, { connection: 'connected', cameraOff: false });
		await ann.waitForFunction((former) => {
			const { members } = globalThis.call;
			const [member] = members;
			return (
				members.length === 1 &&
				member.clientId !== former &&
				member.connection === 'connected' &&
				member.muted &&
				!member.cameraOff
			);
		}, before);
		assert.deepEqual(
			await bob.evaluate(() =>
				globalThis.call.chat.map(({ message, own }) => [message, own]),
			),
			[['before', true]],
		);
	});

	it('comes back when the room has ended meanwhile, and is alone', async () => {
		await ann.evaluate(() => globalThis.call.sendChat('before'));
		await load(bob);
		await ann.evaluate(() => globalThis.praxis.telemedicineService.end('r'));
		await ann.waitForFunction(() => globalThis.call.state === 'ended');
		await again(bob);
		assert.deepEqual(
			await bob.evaluate(() => [globalThis.call.members, globalThis.call.chat]),
			[[], []],
		);
		assert.equal(
			await ann.evaluate(() => globalThis.praxis.telemedicineService.savedCall()),
			null,
		);
	});
});

// SPDX-License-Identifier: MIT
//
// The check before a call, and the devices of a call, in a real browser: with a server, a relay that
// looks at credentials, and permissions that are refused.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { claimsOf, sign, tokenVhost } from '../e2e/lib/issuer.mjs';
import { Praxisd } from '../e2e/lib/praxisd.mjs';
import { Browser, buildPages, pictures } from './lib/browser.mjs';
import { plainMounts, showPlain } from './lib/plain.mjs';
import { Relay } from './lib/relay.mjs';

const SECRET = 'of the relay';
const TWO_CAMERAS = '--use-fake-device-for-media-stream=device-count=2';

describe('before a call', { timeout: 240_000 }, () => {
	const praxis = new Praxisd();
	const relay = new Relay(SECRET);
	const stranger = new Relay('of another');
	let browser;
	let careful; // one that asks before it gives a camera away
	let pages;

	before(async () => {
		pages = await buildPages();
		await Promise.all([relay.listen(), stranger.listen()]);
		await praxis.start({
			vhost: tokenVhost({}, { mounts: plainMounts(pages) }),
			services: { telemedicine: { 'turn-urls': [relay.url], 'turn-secret': SECRET } },
		});
		browser = await Browser.launch({ flags: [TWO_CAMERAS] });
		careful = await Browser.launch({ asks: true });
	});
	afterEach(async () => {
		assert.deepEqual(await browser.closePages(), []);
		assert.deepEqual(await careful.closePages(), []);
	});
	after(async () => {
		await browser?.close();
		await careful?.close();
		await praxis.kill();
		await Promise.all([relay.close(), stranger.close()]);
		await pages?.remove();
	});

	// A page that is about to connect; `check` is begun by the tests.
	async function open({ name = 'Ann', within = browser } = {}) {
		const page = await within.page();
		const token = await sign(claimsOf({ sub: name, name, practices: [1] }));
		await showPlain(page, praxis.port);
		await page.evaluate((given) => {
			const { webSocketManager, checkCall } = globalThis.praxis;
			webSocketManager.configure({ url: `ws://${location.host}/ws`, getToken: () => given });
			globalThis.begin = (options) => {
				globalThis.events = [];
				globalThis.levels = [];
				globalThis.check = checkCall(options);
				globalThis.check.on('device', (event) => globalThis.events.push(event));
				globalThis.check.on('level', (level) => globalThis.levels.push(level));
				return globalThis.check.result;
			};
		}, token);
		return page;
	}

	const begin = (page, options) => page.evaluate((given) => globalThis.begin(given), options);
	const codeOf = ({ steps }, wanted) => {
		const { state, code } = steps.find(({ name }) => name === wanted);
		return code ?? state;
	};

	async function call(page, { checked = false, name = 'Ann' } = {}) {
		await page.evaluate(
			async ([isChecked, userName]) => {
				const stream = isChecked
					? globalThis.check.take()
					: await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
				const { telemedicineService } = globalThis.praxis;
				globalThis.events = [];
				globalThis.call = telemedicineService.call({
					roomId: 'r',
					appointmentId: 12,
					userId: userName,
					userName,
					stream,
				});
				globalThis.call.on('device', (event) => globalThis.events.push(event));
				await new Promise((resolve) => globalThis.call.on('state', resolve));
			},
			[checked, name],
		);
	}

	// Pictures keep coming of the one other member.
	async function seesPictures(page) {
		const [first] = await pictures(page);
		await page.waitForFunction(
			async (than) => {
				for (const peer of window.peers) {
					for (const report of (await peer.getStats()).values()) {
						if (report.kind === 'video' && report.framesDecoded > than) {
							return true;
						}
					}
				}
				return false;
			},
			first ?? 0,
			{ polling: 200 },
		);
	}

	it('everything is ready, and the stream goes over into the call', async () => {
		const page = await open();
		const result = await begin(page, { roomId: 'r' });
		assert.equal(result.verdict, 'ready', JSON.stringify(result));
		assert.equal(codeOf(result, 'relay'), 'reached');
		assert.ok(relay.asked.includes(true));
		assert.ok(result.steps.find(({ name }) => name === 'server').ms >= 0);
		// The false microphone beeps.
		await page.waitForFunction(() => globalThis.levels.some((level) => level > 0.2));
		const levels = await page.evaluate(() => globalThis.levels);
		assert.ok(levels.every((level) => level >= 0 && level <= 1));
		const { cameras, microphones } = await page.evaluate(() => globalThis.check.devices);
		assert.equal(cameras.length, 2);
		assert.ok(microphones.length > 0 && cameras[0].deviceId);
		await call(page, { checked: true });
		const other = await open({ name: 'Bob' });
		await call(other, { name: 'Bob' });
		await seesPictures(other);
	});

	it('a check that is cancelled leaves nothing open', async () => {
		const page = await open();
		await page.evaluate(() => {
			const abort = new AbortController();
			globalThis.done = globalThis.begin({ signal: abort.signal });
			globalThis.check.on('stream', (stream) => {
				globalThis.tracks = stream.getTracks();
				abort.abort();
			});
		});
		const { verdict } = await page.evaluate(() => globalThis.done);
		assert.equal(verdict, 'cancelled');
		const left = await page.evaluate(() => [
			...globalThis.tracks.map(({ readyState }) => readyState),
			window.peers.size,
		]);
		assert.deepEqual(left, ['ended', 'ended', 0]);
		await page.waitForFunction(
			() => globalThis.praxis.webSocketManager.getStatus() === 'disconnected',
		);
	});

	it('a relay that refuses the credentials is told from one that does not answer', async () => {
		const page = await open();
		const of = (url, timeoutMs) => ({
			camera: false,
			microphone: false,
			iceServers: [{ urls: url, username: 'u', credential: 'c' }],
			timeoutMs,
		});
		const refused = await begin(page, of(stranger.url, 20_000));
		assert.equal(codeOf(refused, 'relay'), 'unauthorized');
		assert.equal(refused.verdict, 'limited');
		assert.match(refused.sentence, /^You can join\. The relay does not let this page in\./);
		const silent = new Relay('of nothing');
		await silent.listen();
		const { url } = silent;
		await silent.close();
		assert.equal(codeOf(await begin(page, of(url, 2_000)), 'relay'), 'unreachable');
	});

	it('a camera that is not allowed is named, and the microphone works', async () => {
		const page = await open({ within: careful });
		const { origin } = new URL(page.url());
		await careful.permit(page, origin, { microphone: 'granted', camera: 'denied' });
		const result = await begin(page, {});
		assert.equal(codeOf(result, 'camera'), 'denied');
		assert.equal(codeOf(result, 'microphone'), 'ok');
		assert.equal(
			result.sentence,
			'You can join. The browser does not allow the camera. Allow it next to the address of this page, then try again.',
		);
		const kinds = () => globalThis.check.stream.getTracks().map(({ kind }) => kind);
		assert.deepEqual(await page.evaluate(kinds), ['audio']);
		// The user allows it, and tries again.
		await careful.permit(page, origin, { camera: 'granted' });
		assert.equal(await page.evaluate(() => globalThis.check.setDevice('camera')), true);
		assert.deepEqual(await page.evaluate(kinds), ['audio', 'video']);
		await page.evaluate(() => globalThis.check.cancel());
	});

	it('a camera that is chosen, unplugged, and replaced in a call', async () => {
		const page = await open();
		const other = await open({ name: 'Bob' });
		await call(page);
		await call(other, { name: 'Bob' });
		await seesPictures(other);
		const chosen = await page.evaluate(async () => {
			const { cameras } = await globalThis.praxis.listDevices();
			const { call } = globalThis;
			const idOf = () => call.stream.getVideoTracks()[0].getSettings().deviceId;
			const wanted = cameras.find(({ deviceId }) => deviceId !== idOf()).deviceId;
			return [await call.setDevice('camera', wanted), idOf() === wanted];
		});
		assert.deepEqual(chosen, [true, true]);
		await seesPictures(other);
		// What a browser does with the track of a device that is pulled out.
		await page.evaluate(() => {
			const [track] = globalThis.call.stream.getVideoTracks();
			track.stop();
			track.dispatchEvent(new Event('ended'));
		});
		const [event] = await page.evaluate(() => globalThis.events);
		assert.deepEqual([event.kind, event.problem], ['camera', 'unplugged']);
		assert.match(event.sentence, /^The camera was unplugged\./);
		await other.waitForFunction(() => globalThis.call.members[0]?.media?.video === false);
		assert.equal(await page.evaluate(() => globalThis.call.setDevice('camera')), true);
		await other.waitForFunction(() => globalThis.call.members[0]?.media?.video === true);
		await seesPictures(other);
	});
});

// SPDX-License-Identifier: MIT
//
// Devices that are listed, chosen in a call, refused, and unplugged.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { describeDeviceError, listDevices } from '../../src/index.js';
import type { DeviceEvent } from '../../src/index.js';
import { FakeDevices } from '../lib/devices.js';
import { Caller, Room } from '../lib/room.js';
import { FakeStream } from '../lib/webrtc.js';

const named = (name: string) => Object.assign(new Error(name), { name });

describe('devices', () => {
	it('are listed by kind', async (test) => {
		const devices = FakeDevices.for(test);
		const device = (kind: string, deviceId: string) => ({ kind, deviceId, label: deviceId });
		devices.list = [
			device('videoinput', 'front'),
			device('audioinput', 'headset'),
			device('videoinput', 'back'),
			device('audiooutput', 'loud'),
		];
		const { cameras, microphones, speakers } = await listDevices();
		const ids = [cameras, microphones, speakers].map((all) => all.map((one) => one.deviceId));
		assert.deepEqual(ids, [['front', 'back'], ['headset'], ['loud']]);
	});

	it('are none on a page that may not use them', async () => {
		assert.deepEqual(await listDevices(), { cameras: [], microphones: [], speakers: [] });
		assert.equal(describeDeviceError('camera', new TypeError()).problem, 'insecure');
	});

	it('that fail are named in a sentence', (test) => {
		FakeDevices.for(test);
		for (const [name, problem, sentence] of [
			['NotAllowedError', 'denied', /does not allow the camera/],
			['NotReadableError', 'busy', /camera is in use by another program/],
			['NotFoundError', 'none', /No camera was found/],
			['OverconstrainedError', 'none', /No camera was found/],
			['Else', 'unknown', /camera does not work/],
		] as const) {
			const event = describeDeviceError('camera', named(name));
			assert.equal(event.problem, problem);
			assert.match(event.sentence, sentence);
		}
		assert.equal(describeDeviceError('microphone', null).problem, 'unknown');
	});
});

describe('setDevice()', () => {
	async function calling(test: TestContext, stream: (FakeStream & MediaStream) | null) {
		const devices = FakeDevices.for(test);
		const ann = new Caller('a').begin({ stream });
		const bob = new Caller('b').begin();
		const room = await Room.of(ann, bob);
		const events: DeviceEvent[] = [];
		ann.call.on('device', (event) => events.push(event));
		return { devices, ann, bob, room, events };
	}

	it('replaces the track in the same stream, muted as it was, and stops the former', async (test) => {
		const stream = FakeStream.of('audio', 'video');
		const { devices, ann, bob, room } = await calling(test, stream);
		const [, former] = stream.tracks;
		ann.call.setVideo(false);
		assert.equal(await ann.call.setDevice('camera', 'back'), true);
		await room.pump();
		assert.deepEqual(devices.asked, [{ video: { deviceId: { exact: 'back' } } }]);
		const [camera] = devices.tracks;
		assert.deepEqual(
			stream.tracks.map(({ kind }) => kind),
			['audio', 'video'],
		);
		assert.equal(stream.tracks[1], camera);
		assert.equal(camera?.enabled, false);
		assert.equal(former?.stopped, true);
		const sender = ann.only.senders.find(({ kind }) => kind === 'video');
		assert.equal(sender?.track, camera);
		assert.deepEqual(bob.call.members[0]?.media, { audio: true, video: false, screen: false });
	});

	it('makes a stream where there is none, and frees it at the end', async (test) => {
		const { devices, ann } = await calling(test, null);
		assert.equal(await ann.call.setDevice('microphone'), true);
		assert.deepEqual(devices.asked, [{ audio: true }]);
		assert.equal(ann.call.stream?.getTracks().length, 1);
		assert.equal(ann.call.media.audio, true);
		ann.call.leave();
		assert.deepEqual(devices.live, []);
	});

	it('tells why it failed, and the former goes on', async (test) => {
		const stream = FakeStream.of('audio', 'video');
		const { devices, ann, events } = await calling(test, stream);
		devices.refuse = () => 'NotReadableError';
		assert.equal(await ann.call.setDevice('camera', 'back'), false);
		assert.deepEqual(
			events.map(({ kind, problem }) => [kind, problem]),
			[['camera', 'busy']],
		);
		assert.equal(stream.tracks[1]?.readyState, 'live');
		assert.equal(ann.call.media.video, true);
	});

	it('counts once, the last time, however long the user takes', async (test) => {
		const { devices, ann, events } = await calling(test, FakeStream.of('video'));
		let answer = () => {};
		devices.hold = new Promise((resolve) => (answer = resolve));
		const first = ann.call.setDevice('camera', 'one');
		devices.hold = undefined;
		assert.equal(await ann.call.setDevice('camera', 'two'), true);
		answer();
		assert.equal(await first, false);
		assert.equal(devices.live.length, 1);
		assert.deepEqual(events, []);
	});

	it('frees what comes after the call', async (test) => {
		const { devices, ann } = await calling(test, null);
		const opening = ann.call.setDevice('camera');
		ann.call.leave();
		assert.equal(await opening, false);
		assert.deepEqual(devices.live, []);
	});

	it('is heard of when one is unplugged, and the others are told', async (test) => {
		const stream = FakeStream.of('audio', 'video');
		const { ann, bob, room, events } = await calling(test, stream);
		stream.tracks[1]?.unplug();
		await room.pump();
		assert.deepEqual(events, [
			{
				kind: 'camera',
				problem: 'unplugged',
				sentence: 'The camera was unplugged. Plug it in again, or choose another one.',
			},
		]);
		assert.deepEqual(bob.call.members[0]?.media, { audio: true, video: false, screen: false });
		assert.equal(await ann.call.setDevice('camera'), true);
		await room.pump();
		assert.equal(bob.call.members[0].media.video, true);
	});
});

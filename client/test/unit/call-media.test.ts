// SPDX-License-Identifier: MIT
//
// What is sent in a call, and the paths that it takes.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import type { ConnectionQuality } from '../../src/index.js';
import { Caller, Room } from '../lib/room.js';
import { FakeStream } from '../lib/webrtc.js';

const camera = () => FakeStream.of('audio', 'video');

async function two(annStream = camera()) {
	const ann = new Caller('a').begin({ stream: annStream });
	const bob = new Caller('b').begin({ stream: camera() });
	const room = await Room.of(ann, bob);
	return { ann, bob, room, stream: annStream };
}

const videoOf = ({ only }: Caller) => only.senders.find(({ kind }) => kind === 'video')?.track;

/** What the user chooses when the page asks for a screen in this test. */
function screenOfUser(test: TestContext): FakeStream {
	const screen = FakeStream.of('video');
	const there = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
	test.after(() => {
		Object.defineProperty(globalThis, 'navigator', there ?? { value: undefined });
	});
	const mediaDevices = { getDisplayMedia: () => Promise.resolve(screen) };
	Object.defineProperty(globalThis, 'navigator', {
		configurable: true,
		value: { mediaDevices },
	});
	return screen;
}

describe('mute', () => {
	it('switches tracks off, and the others are told', async () => {
		const { ann, bob, room, stream } = await two();
		ann.call.setAudio(false);
		await room.pump();
		assert.equal(stream.tracks[0]?.enabled, false);
		assert.deepEqual(bob.call.members[0]?.media, { audio: false, video: true, screen: false });
		ann.call.setVideo(false);
		ann.call.setAudio(true);
		await room.pump();
		assert.deepEqual(bob.call.members[0].media, { audio: true, video: false, screen: false });
	});

	it('is seen by those who come later', async () => {
		const { ann, room } = await two();
		ann.call.setVideo(false);
		await room.pump();
		const cat = new Caller('c').begin();
		await room.enter(cat);
		const member = cat.call.members.find(({ clientId }) => clientId === 'a');
		assert.deepEqual(member?.media, { audio: true, video: false, screen: false });
	});
});

describe('screen sharing', () => {
	it('takes the place of the camera, and gives it back', async () => {
		const { ann, bob, room, stream } = await two();
		const screen = FakeStream.of('video');
		await ann.call.shareScreen(screen);
		await room.pump();
		assert.equal(videoOf(ann), screen.tracks[0]);
		assert.equal(bob.call.members[0]?.media?.screen, true);
		assert.equal(ann.only.senders.length, 2);
		ann.call.stopScreen();
		await room.pump();
		assert.equal(videoOf(ann), stream.tracks[1]);
		assert.equal(bob.call.members[0].media.screen, false);
		assert.equal(screen.tracks[0]?.stopped, false, "the caller's stream is the caller's");
	});

	it('is a track more where there is no camera', async () => {
		const { ann, bob, room } = await two(FakeStream.of('audio'));
		assert.equal(bob.call.members[0]?.stream?.getTracks().length, 1);
		await ann.call.shareScreen(FakeStream.of('video'));
		await room.pump();
		assert.equal(bob.call.members[0].stream.getTracks().length, 2);
		ann.call.stopScreen();
		assert.equal(videoOf(ann), null);
	});

	it('is shown to those who come later', async () => {
		const { ann, room } = await two();
		const screen = FakeStream.of('video');
		await ann.call.shareScreen(screen);
		await room.enter(new Caller('c').begin());
		assert.ok(ann.connections.every(({ senders }) => senders[1]?.track === screen.tracks[0]));
	});

	it('ends where the user ends it outside of the page', async () => {
		const { ann, room } = await two();
		const screen = FakeStream.of('video');
		await ann.call.shareScreen(screen);
		screen.tracks[0]?.dispatchEvent(new Event('ended'));
		await room.pump();
		assert.equal(ann.call.media.screen, false);
	});

	it('asks the user for the screen, and stops what it asked for', async (test) => {
		const { ann } = await two();
		const screen = screenOfUser(test);
		await ann.call.shareScreen();
		assert.equal(ann.call.media.screen, true);
		ann.call.leave();
		assert.equal(screen.tracks[0]?.stopped, true);
	});
});

describe('a screen that is chosen too late', () => {
	it('is stopped, and not shown', async (test) => {
		const { ann } = await two();
		const screen = screenOfUser(test);
		const sharing = ann.call.shareScreen();
		ann.call.leave();
		await sharing;
		assert.equal(ann.call.media.screen, false);
		assert.equal(screen.tracks[0]?.stopped, true);
	});
});

describe('another camera', () => {
	it('is sent without negotiating again', async () => {
		const { ann, room } = await two();
		const offers = () => ann.log.filter(({ type }) => type === 'telemedicine_offer').length;
		const before = offers();
		const other = camera();
		ann.call.setStream(other);
		await room.pump();
		assert.deepEqual(
			ann.only.senders.map(({ track }) => track),
			other.tracks,
		);
		assert.equal(offers(), before);
		ann.call.setStream(null);
		assert.deepEqual(
			ann.only.senders.map(({ track }) => track),
			[null, null],
		);
	});

	it('may come when the call is under way', async () => {
		const ann = new Caller('a').begin();
		const bob = new Caller('b').begin();
		const room = await Room.of(ann, bob);
		ann.call.setStream(camera());
		await room.pump();
		assert.equal(bob.call.members[0]?.stream?.getTracks().length, 2);
	});
});

describe('tracks of several streams', () => {
	it('are one stream for the others', async () => {
		const ann = new Caller('a').begin({ stream: FakeStream.of('audio') });
		const bob = new Caller('b').begin();
		const room = await Room.of(ann, bob);
		ann.call.setStream(FakeStream.of('audio', 'video'));
		await room.pump();
		assert.deepEqual(
			bob.call.members[0]?.stream?.getTracks().map(({ kind }) => kind),
			['audio', 'video'],
		);
	});
});

describe('a path', () => {
	it('that failed is mended at once, and again until it is', async () => {
		const { ann, room } = await two();
		ann.only.become('connected');
		ann.only.become('failed');
		assert.equal(ann.only.restarts, 1);
		await room.pump();
		ann.clock.pass(8_000);
		assert.equal(ann.only.restarts, 2);
		ann.only.become('connected');
		await room.pump();
		ann.clock.pass(9_000);
		await room.pump();
		assert.equal(ann.only.restarts, 2);
		assert.equal(ann.only.signalingState, 'stable');
	});

	it('that is interrupted is given time to recover', async () => {
		const { ann } = await two();
		ann.only.become('connected');
		ann.only.become('disconnected');
		ann.clock.pass(2_999);
		ann.only.become('connected');
		ann.clock.pass(10_000);
		assert.equal(ann.only.restarts, 0);
		ann.only.become('disconnected');
		ann.clock.pass(3_000);
		assert.equal(ann.only.restarts, 1);
	});

	it('is looked for anew when the network changes, with fresh ICE servers', async () => {
		const ann = new Caller('a').begin({ stream: camera() });
		const bob = new Caller('b').begin({ stream: camera() });
		const room = new Room();
		room.iceServers = [{ urls: 'turn:praxis.test', credential: 'old' }];
		await room.enter(ann);
		await room.enter(bob);
		room.iceServers = [{ urls: 'turn:praxis.test', credential: 'new' }];
		ann.clock.changeNetwork();
		await room.pump();
		assert.equal(ann.only.restarts, 1);
		assert.deepEqual(ann.only.config.iceServers, room.iceServers);
		assert.equal(bob.only.signalingState, 'stable');
	});

	it('is looked for anew once in a burst of changes, and where that left none', async () => {
		const { ann, room } = await two();
		ann.only.become('connected');
		for (let change = 0; change < 5; change++) {
			ann.clock.changeNetwork();
			ann.clock.pass(100);
		}
		assert.equal(ann.only.restarts, 1);
		await room.pump();
		ann.only.become('disconnected');
		ann.clock.pass(2_000);
		assert.equal(ann.only.restarts, 2);
	});

	it('is mended with the old ICE servers where no fresh ones come', async () => {
		const ann = new Caller('a').begin({ stream: camera() });
		const bob = new Caller('b').begin({ stream: camera() });
		const room = new Room();
		room.iceServers = [{ urls: 'turn:praxis.test' }];
		await room.enter(ann);
		await room.enter(bob);
		ann.call.restartIce();
		assert.equal(ann.only.restarts, 0);
		ann.clock.pass(4_000);
		assert.equal(ann.only.restarts, 1);
	});

	it('is known in browsers without connectionState', async () => {
		const { ann } = await two();
		const states: unknown[] = [];
		ann.call.on('members', ([member]) => states.push(member?.connection));
		for (const ice of ['checking', 'completed', 'disconnected']) {
			ann.only.become(ice, null as unknown as string);
		}
		assert.deepEqual(
			[...new Set(states)].filter((state) => state !== 'new'),
			['connecting', 'connected', 'disconnected'],
		);
	});

	it('that did not survive is mended when the session is resumed', async () => {
		const { ann } = await two();
		ann.only.become('connected');
		ann.cut();
		ann.only.become('disconnected');
		ann.socket.open();
		ann.socket.say({ type: 'resumed', received: 1000, resume: { token: 'r' } });
		assert.equal(ann.only.restarts, 1);
	});

	it('is told with each member', async () => {
		const { ann } = await two();
		assert.equal(ann.call.members[0]?.connection, 'new');
		ann.only.become('connected');
		assert.equal(ann.call.members[0].connection, 'connected');
	});
});

describe('quality', () => {
	const counts = (
		caller: Caller,
		packets: number,
		lost: number,
		rtt: number,
		sentLoss = 0.01,
	) => {
		const timestamp = caller.clock.time;
		caller.only.stats = [
			{
				type: 'inbound-rtp',
				timestamp,
				kind: 'video',
				bytesReceived: packets * 1_000,
				packetsReceived: packets,
				packetsLost: lost,
				framesDecoded: packets / 10,
				framesPerSecond: 30,
			},
			{ type: 'inbound-rtp', timestamp, kind: 'audio', bytesReceived: 0 },
			{ type: 'remote-inbound-rtp', fractionLost: sentLoss },
			{ type: 'remote-inbound-rtp', fractionLost: 0 },
			{ type: 'candidate-pair', nominated: true, currentRoundTripTime: rtt },
			{ type: 'candidate-pair', nominated: false, currentRoundTripTime: 9 },
		];
	};

	it('is measured every two seconds, since the last time', async () => {
		const ann = new Caller('a').begin({ stream: camera(), qualityMs: 2_000 });
		const bob = new Caller('b').begin({ stream: camera() });
		await Room.of(ann, bob);
		const got: ConnectionQuality[] = [];
		ann.call.on('quality', (quality, { clientId }) => {
			assert.equal(clientId, 'b');
			got.push(quality);
		});
		const next = async (packets: number, lost: number, rtt: number) => {
			counts(ann, packets, lost, rtt);
			ann.clock.pass(2_000);
			await ann.settle();
		};
		ann.only.become('connected');
		await next(1_000, 0, 0.05);
		await next(2_000, 0, 0.05);
		await next(2_950, 50, 0.05);
		await next(3_000, 950, 0.05);
		await next(4_000, 950, 0.05);
		await next(5_000, 950, 0.6);
		ann.only.become('disconnected');
		await next(5_000, 950, 0.05);
		assert.deepEqual(
			got.map(({ level }) => level),
			['good', 'good', 'fair', 'poor', 'good', 'poor', 'lost'],
		);
		assert.deepEqual(got[1], {
			level: 'good',
			step: 'good',
			loss: 0,
			sentLoss: 0.01,
			rttMs: 50,
			kbps: 4_000,
			framesDecoded: 200,
			framesPerSecond: 30,
		});
		assert.equal(got[2]?.loss, 0.05);
		const [bobs] = ann.call.members;
		assert.deepEqual([bobs?.quality?.level, bobs?.quality?.step], ['lost', 'poor']);
	});

	it('has three steps, which change when several measurements agree', async () => {
		const ann = new Caller('a').begin({ stream: camera(), qualityMs: 2_000 });
		const bob = new Caller('b').begin({ stream: camera() });
		await Room.of(ann, bob);
		const selves: unknown[] = [];
		ann.call.on('self', ({ quality }) => selves.push(quality));
		ann.only.become('connected');
		const steps = async (...rtts: number[]) => {
			const got: unknown[] = [];
			for (const rtt of rtts) {
				counts(ann, 1_000, 0, rtt);
				ann.clock.pass(2_000);
				await ann.settle();
				got.push(ann.call.members[0]?.quality?.step);
			}
			return got;
		};
		assert.deepEqual(await steps(0.05, 0.6, 0.05, 0.6), Array(4).fill('good'));
		assert.deepEqual(await steps(0.6, 0.6), ['poor', 'poor']);
		assert.deepEqual(await steps(0.3, 0.3, 0.3, 0.3, 0.05), [
			'poor',
			'poor',
			'poor',
			'fair',
			'fair',
		]);
		assert.deepEqual(selves, ['good', 'poor', 'fair']);
	});

	it("of what one sends oneself is as the best of the others' connections", async () => {
		const [ann, ...others] = ['a', 'b', 'c'].map((id) =>
			new Caller(id).begin({ stream: camera(), qualityMs: 2_000 }),
		) as [Caller, Caller, Caller];
		await Room.of(ann, ...others);
		const report = async (...losses: number[]) => {
			losses.forEach((fractionLost, at) => {
				const pc = ann.connections[at];
				pc?.become('connected');
				Object.assign(pc ?? {}, { stats: [{ type: 'remote-inbound-rtp', fractionLost }] });
			});
			ann.clock.pass(2_000);
			await ann.settle();
			return ann.call.self.quality;
		};
		assert.equal(ann.call.self.quality, undefined);
		assert.equal(await report(0.5, 0), 'good');
		assert.equal(await report(0.5, 0.5), 'good');
		assert.equal(await report(0.5, 0.5), 'poor');
	});
});

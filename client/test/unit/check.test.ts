// SPDX-License-Identifier: MIT
//
// The check before a call: what each failure comes to, and that nothing stays open.
// (test/browser/check.test.mjs has it with real devices, a server and a relay.)

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { checkCall } from '../../src/check.js';
import type { CheckOptions, CheckResult } from '../../src/check.js';
import { levelOf } from '../../src/check-level.js';
import { FakeDevices } from '../lib/devices.js';
import { FakeWorld } from '../lib/fakes.js';
import type { FakeSocket } from '../lib/fakes.js';

const TURN = { urls: ['turn:relay.test'], username: 'u', credential: 'c' };

/** What the relay does when it is asked. */
type Relay = (peer: FakeRelayed) => void;

const REACHED: Relay = ({ onicecandidate }) => {
	onicecandidate?.({ candidate: { candidate: 'candidate:1 1 udp 1 127.0.0.1 9 typ relay' } });
};

class FakeRelayed {
	static open = 0;
	static relay = REACHED;
	signalingState = 'stable';
	onicecandidate?: (event: { candidate: { candidate: string } | null }) => void;
	onicecandidateerror?: (event: { errorCode: number }) => void;

	constructor(readonly config: RTCConfiguration) {
		assert.equal(config.iceTransportPolicy, 'relay');
		FakeRelayed.open++;
	}

	createDataChannel(): void {}
	createOffer = () => Promise.resolve({});
	setLocalDescription = () => {
		FakeRelayed.relay(this);
		return Promise.resolve();
	};

	close(): void {
		this.signalingState = 'closed';
		FakeRelayed.open--;
	}
}

function setUp(test: TestContext, relay = REACHED) {
	const devices = FakeDevices.for(test);
	const world = new FakeWorld();
	const globals = globalThis as Record<string, unknown>;
	globals['RTCPeerConnection'] = FakeRelayed;
	FakeRelayed.open = 0;
	FakeRelayed.relay = relay;
	test.after(() => {
		delete globals['RTCPeerConnection'];
	});
	const begin = (options: CheckOptions = {}) => checkCall({ manager: world.manager, ...options });
	return { devices, world, begin };
}

/** The server answers what the check asks, the ping after `ms`. */
async function answer(world: FakeWorld, ms = 40, iceServers: RTCIceServer[] = [TURN]) {
	await world.settle();
	const socket = world.greet();
	const next = async (type: string): Promise<ReturnType<FakeSocket['take']>[number]> => {
		await world.settle();
		const message = socket.of(type)[0];
		assert.ok(message, type);
		return message;
	};
	const { t } = await next('ping');
	world.clock.pass(ms);
	socket.say({ type: 'pong', t });
	const { id } = await next('telemedicine_ice_servers');
	socket.say({ type: 'telemedicine_ice_servers', iceServers });
	socket.say({ type: 'ack', id });
}

const codes = ({ steps }: CheckResult) =>
	Object.fromEntries(steps.map(({ name, state, code }) => [name, code ?? state]));

describe('checkCall()', () => {
	it('finds everything ready, and hands its stream over', async (test) => {
		const { devices, world, begin } = setUp(test);
		const check = begin();
		const seen: string[] = [];
		check.on('step', ({ name, state }) => seen.push(`${name} ${state}`));
		await answer(world);
		const result = await check.result;
		assert.equal(result.verdict, 'ready');
		assert.equal(result.sentence, 'Everything is ready for the call.');
		assert.equal(result.steps.find(({ name }) => name === 'server')?.ms, 40);
		assert.deepEqual(codes(result), {
			microphone: 'ok',
			camera: 'ok',
			server: 'ok',
			relay: 'reached',
		});
		assert.ok(seen.includes('camera running') && seen.includes('camera ok'));
		const stream = check.take();
		assert.equal(stream?.getTracks().length, 2);
		assert.equal(devices.live.length, 2);
		assert.equal(check.take(), null);
		assert.equal(FakeRelayed.open, 0);
		world.clock.pass(1_000);
		assert.equal(world.manager.getStatus(), 'disconnected');
		assert.equal(world.clock.timers, 0);
	});

	it('frees everything when it is cancelled, at whatever time', async (test) => {
		for (const turns of [0, 1, 2, 3]) {
			const { devices, world, begin } = setUp(test, () => {});
			const abort = new AbortController();
			const check = begin({ signal: abort.signal });
			for (let turn = 0; turn < turns; turn++) {
				await world.settle();
			}
			if (turns === 3) {
				await answer(world);
				await world.settle();
				assert.equal(FakeRelayed.open, 1);
			}
			abort.abort();
			assert.equal((await check.result).verdict, 'cancelled');
			await world.settle();
			assert.deepEqual(devices.live, []);
			assert.equal(FakeRelayed.open, 0);
			world.clock.pass(1_000);
			assert.equal(world.manager.getStatus(), 'disconnected');
			assert.equal(world.clock.timers, 0);
		}
	});

	it('asks for neither where neither is wanted', async (test) => {
		const { devices, world, begin } = setUp(test);
		const check = begin({ camera: false, microphone: false });
		await answer(world);
		assert.deepEqual(codes(await check.result), { server: 'ok', relay: 'reached' });
		assert.deepEqual(devices.asked, []);
		assert.equal(check.take(), null);
	});

	it('has the microphone where there is no camera, and says so', async (test) => {
		const { devices, world, begin } = setUp(test);
		devices.refuse = ({ video }) => (video ? 'NotFoundError' : undefined);
		const check = begin();
		await answer(world);
		const result = await check.result;
		assert.equal(result.verdict, 'limited');
		assert.equal(
			result.sentence,
			'You can join. No camera was found. Plug one in, then try again.',
		);
		assert.deepEqual(
			devices.live.map(({ kind }) => kind),
			['audio'],
		);
		assert.equal(devices.asked.length, 3);
	});

	it('does not ask again a user who has said no', async (test) => {
		const { devices, world, begin } = setUp(test);
		devices.refuse = () => 'NotAllowedError';
		const check = begin();
		const problems: string[] = [];
		check.on('device', ({ kind, problem }) => problems.push(`${kind} ${problem}`));
		await answer(world);
		assert.equal((await check.result).verdict, 'limited');
		assert.deepEqual(problems, ['microphone denied', 'camera denied']);
		assert.equal(devices.asked.length, 1);
	});

	it('works again after another device is chosen, or the first one plugged in', async (test) => {
		const { devices, world, begin } = setUp(test);
		const check = begin();
		await answer(world);
		await check.result;
		const [, former] = devices.tracks;
		former?.unplug();
		const step = () => check.steps.find(({ name }) => name === 'camera');
		assert.deepEqual([step()?.state, step()?.code], ['failed', 'unplugged']);
		assert.equal(await check.setDevice('camera', 'other'), true);
		assert.deepEqual(devices.asked.at(-1), {
			audio: false,
			video: { deviceId: { exact: 'other' } },
		});
		assert.equal(step()?.state, 'ok');
		assert.equal(check.stream?.getTracks().length, 2);
		check.cancel();
		assert.deepEqual(devices.live, []);
	});

	it('lists again what was plugged in meanwhile', async (test) => {
		const { devices, world, begin } = setUp(test);
		const check = begin();
		await answer(world);
		await check.result;
		devices.list = [{ kind: 'videoinput', deviceId: 'new', label: 'New' }];
		const listed = new Promise((resolve) => check.on('devices', resolve));
		devices.dispatchEvent(new Event('devicechange'));
		await listed;
		assert.equal(check.devices.cameras[0]?.deviceId, 'new');
		check.cancel();
	});

	it('says that the network is slow', async (test) => {
		const { world, begin } = setUp(test);
		const check = begin();
		await answer(world, 700);
		const result = await check.result;
		assert.equal(codes(result)['server'], 'slow');
		assert.match(result.sentence, /^You can join\. The network is slow\./);
		check.cancel();
	});

	it('says what is the matter with the relay', async (test) => {
		for (const [relay, iceServers, code] of [
			[undefined, [{ urls: 'stun:stun.test' }], 'no_relay'],
			[
				(peer: FakeRelayed) => peer.onicecandidate?.({ candidate: null }),
				[TURN],
				'unreachable',
			],
			[
				(peer: FakeRelayed) => {
					peer.onicecandidateerror?.({ errorCode: 401 });
					peer.onicecandidate?.({ candidate: null });
				},
				[TURN],
				'unauthorized',
			],
		] as const) {
			const { world, begin } = setUp(test, relay);
			const check = begin();
			await answer(world, 40, [...iceServers]);
			const result = await check.result;
			assert.deepEqual([codes(result)['relay'], result.verdict], [code, 'limited']);
			check.cancel();
		}
	});

	it('waits for a relay that says nothing no longer than it is told', async (test) => {
		const { world, begin } = setUp(test, () => {});
		const check = begin({ timeoutMs: 5_000 });
		await answer(world);
		await world.settle();
		world.clock.pass(5_000);
		assert.equal(codes(await check.result)['relay'], 'unreachable');
		check.cancel();
	});

	it('finds a call impossible without the server', async (test) => {
		const { world, begin } = setUp(test);
		const check = begin({ timeoutMs: 5_000 });
		await world.settle();
		world.socket.end(1006);
		world.clock.pass(5_000);
		const result = await check.result;
		assert.equal(result.verdict, 'impossible');
		assert.match(result.sentence, /^A call is not possible\. The server cannot be reached\./);
		assert.equal(codes(result)['server'], 'network');
		check.cancel();
	});

	it('does not wait where coming back is of no use', async (test) => {
		const { world, begin } = setUp(test);
		const check = begin();
		await world.settle();
		world.socket.open();
		world.socket.end(4403);
		const result = await check.result;
		assert.deepEqual([result.verdict, codes(result)['server']], ['impossible', 'forbidden']);
		check.cancel();
	});
});

describe('the level', () => {
	it('is 0 in silence and 1 at full scale, in even steps', () => {
		const at = (amplitude: number) =>
			levelOf(new Float32Array(1024).map((_, i) => (i % 2 ? amplitude : -amplitude)));
		assert.equal(at(0), 0);
		assert.equal(at(1), 1);
		assert.ok(Math.abs(at(0.1) - 2 / 3) < 0.01);
		assert.ok(Math.abs(at(0.01) - 1 / 3) < 0.01);
		assert.equal(at(0.0001), 0);
	});
});

// SPDX-License-Identifier: MIT
//
// Coming back: when, and when not.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WebSocketStatus } from '../../src/index.js';
import { FakeWorld } from '../lib/fakes.js';
import type { FakeSocket } from '../lib/fakes.js';

/** How long until the next attempt, to 10 ms. */
function waitOf(world: FakeWorld): number {
	const begin = world.clock.time;
	world.redialled(120_000);
	return world.clock.time - begin;
}

describe('coming back', () => {
	it('takes longer each time, up to a limit, without end', () => {
		const world = new FakeWorld();
		world.manager.connect();
		const waits = Array.from({ length: 40 }, () => {
			world.socket.end();
			return waitOf(world);
		});
		// Half of each, with these dice.
		assert.deepEqual(waits.slice(0, 8), [500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
		assert.deepEqual(new Set(waits.slice(8)), new Set([15000]));
	});

	it('has full jitter', () => {
		for (const [dice, wait] of [
			[0, 10],
			[0.999, 1000],
		] as const) {
			const world = new FakeWorld();
			world.clock.dice = dice;
			world.manager.connect();
			world.socket.end();
			assert.equal(waitOf(world), wait);
		}
	});

	it('is quick again after a connection that lasted', () => {
		const world = new FakeWorld();
		world.manager.connect();
		for (let i = 0; i < 5; i++) {
			world.cut();
		}
		world.greet();
		world.clock.pass(4_000);
		world.socket.end();
		assert.ok(waitOf(world) > 10_000, 'that one did not last');
		world.greet();
		world.clock.pass(5_000);
		world.socket.end();
		assert.equal(waitOf(world), 500);
	});

	it('is tried at once when online or visible again', () => {
		const world = new FakeWorld();
		world.connected();
		world.socket.end();
		world.clock.wake();
		assert.equal(world.sockets.length, 2);
		world.clock.wake(); // already dialling
		assert.equal(world.sockets.length, 2);
	});

	it('follows a connection that answers no more, once it is doubted', () => {
		const world = new FakeWorld();
		const socket = world.connected();
		world.clock.wake();
		assert.deepEqual(socket.types(), ['ping']);
		world.clock.pass(4_000);
		assert.deepEqual(world.statuses.slice(-1), ['reconnecting']);
		assert.equal(socket.closed, 4000);
		socket.end(1006); // what the dead socket says does not count
		assert.equal(world.redialled().url.includes('resume=resume-1'), true);
	});

	it('does not follow one that answers', () => {
		const world = new FakeWorld();
		const socket = world.connected();
		world.clock.wake();
		world.clock.pass(3_000);
		socket.say({ type: 'pong', t: socket.of('ping')[0]?.['t'] });
		world.clock.pass(20_000);
		assert.equal(world.sockets.length, 1);
		assert.equal(world.manager.latencyMs, 3_000);
	});

	it('follows a heartbeat without an answer', () => {
		const world = new FakeWorld();
		const socket = world.connected({ heartbeatMs: 25_000 });
		world.clock.pass(24_000);
		socket.say({ type: 'm' });
		world.clock.pass(24_999);
		assert.deepEqual(socket.of('ping'), []);
		world.clock.pass(1);
		assert.equal(socket.of('ping').length, 1);
		world.clock.pass(10_000);
		assert.equal(world.manager.getStatus(), 'reconnecting');
	});

	it('follows a handshake that does not end', () => {
		const world = new FakeWorld();
		world.manager.connect();
		world.socket.open();
		world.clock.pass(15_000);
		assert.deepEqual(world.statuses, ['connecting', 'error', 'reconnecting']);
		world.redialled();
	});

	it('waits for as long as a restarting server says', () => {
		const world = new FakeWorld();
		const socket = world.connected();
		socket.say({ type: 'server_draining', reconnectAfterMs: 7_770 });
		socket.end(1012);
		assert.equal(waitOf(world), 7_770);
		world.socket.end(1012); // told nothing this time
		assert.equal(waitOf(world), 500);
	});

	for (const [code, least] of [
		[1013, 2_000],
		[4429, 5_000],
	] as const) {
		it(`waits longer after ${code}`, () => {
			const world = new FakeWorld();
			world.connected().end(code);
			assert.equal(waitOf(world), least);
		});
	}

	for (const [code, reason] of [
		[1003, 'bad_message'],
		[1007, 'bad_message'],
		[1008, 'bad_message'],
		[1009, 'too_large'],
		[4403, 'forbidden'],
		[4409, 'replaced'],
		[4410, 'removed'],
	] as const) {
		it(`is of no use after ${code}`, () => {
			const world = new FakeWorld();
			const problems: string[] = [];
			world.manager.on('problem', (error) => problems.push(error.code));
			world.connected().end(code, 'Because.');
			world.clock.pass(600_000);
			assert.equal(world.sockets.length, 1);
			assert.deepEqual(world.statuses, ['connecting', 'connected', 'error']);
			assert.deepEqual(problems, [reason]);
			assert.equal(world.manager.reason, reason);
			world.manager.connect(); // unless somebody asks for it
			assert.equal(world.sockets.length, 2);
		});
	}

	it('is not wanted after 1000', () => {
		const world = new FakeWorld();
		world.connected().end(1000);
		world.clock.pass(600_000);
		assert.deepEqual(world.statuses, ['connecting', 'connected', 'disconnected']);
		assert.equal(world.clock.timers + world.clock.listeners, 0);
	});

	it('ends with disconnect()', () => {
		const world = new FakeWorld();
		world.connected().end();
		world.manager.disconnect();
		world.clock.pass(600_000);
		assert.equal(world.sockets.length, 1);
	});

	it('can be ended and begun in a handler of the status', () => {
		const world = new FakeWorld();
		let times = 0;
		world.manager.onStatusChange((status) => {
			if (status === WebSocketStatus.ERROR && ++times === 1) {
				world.manager.disconnect();
				world.manager.connect();
			}
		});
		world.manager.connect();
		world.socket.end();
		assert.equal(world.sockets.length, 2);
		world.greet();
		assert.equal(world.manager.isConnected(), true);
		world.clock.pass(20_000);
		assert.equal(world.sockets.length, 2);
	});
});

describe('why it is not connected', () => {
	const told = (world: FakeWorld) => {
		const all: (string | undefined)[][] = [];
		world.manager.on('problem', ({ code, message }) => all.push([code, message]));
		world.manager.onStatusChange((status, reason) => all.push([status, reason]));
		return all;
	};

	it('is what the server said last', () => {
		const world = new FakeWorld();
		const socket = world.connected();
		const all = told(world);
		socket.say({ type: 'server_draining', reconnectAfterMs: 10 });
		socket.end(1012);
		assert.deepEqual(all, [
			['server_restart', 'server_restart'],
			['reconnecting', 'server_restart'],
		]);
		assert.equal(world.manager.reason, 'server_restart');
		world.redialled();
		world.greet();
		assert.equal(world.manager.reason, undefined);
		world.socket.say({ type: 'disconnecting', reason: 'Closed for today.' });
		world.socket.end(4410);
		assert.deepEqual(all.slice(-2), [
			['removed', 'Closed for today.'],
			['error', 'removed'],
		]);
	});

	it('is the network where no server said anything', () => {
		const world = new FakeWorld();
		const socket = world.connected();
		const all = told(world);
		socket.say({ type: 'error', code: 'not_in_room', ref: 'telemedicine_offer', message: '' });
		socket.end();
		assert.deepEqual(all, [['reconnecting', 'network']]);
		world.redialled();
		world.socket.open();
		world.clock.pass(15_000);
		assert.deepEqual(all.at(-1), ['reconnecting', 'timeout']);
	});

	it('is asked for, once, where an upgrade is refused', async () => {
		const world = new FakeWorld({ query: { userId: 7 } });
		const all = told(world);
		world.clock.refusal = { code: 'origin', message: 'Not from here.' };
		world.manager.connect();
		world.socket.end();
		await world.settle();
		assert.deepEqual(all, [
			['connecting', undefined],
			['error', 'network'],
			['reconnecting', 'network'],
			['origin', 'Not from here.'],
		]);
		assert.equal(world.manager.reason, 'origin');
		world.redialled();
		world.socket.end();
		await world.settle();
		assert.equal(world.manager.reason, 'origin');
		assert.deepEqual(world.clock.asked, ['http://praxis.test/ws']);
		world.redialled();
		world.greet();
		assert.equal(world.manager.reason, undefined);
	});
});

describe('waking up', () => {
	it('drops an attempt that hangs', () => {
		const world = new FakeWorld();
		world.manager.connect();
		const [hanging] = world.sockets;
		world.clock.pass(5_000);
		world.clock.wake();
		assert.equal(world.sockets.length, 2);
		assert.equal(hanging?.closed, 4000);
		hanging.open();
		assert.deepEqual(world.socket.sent, []);
		world.greet();
		assert.deepEqual(world.statuses, ['connecting', 'connected']);
	});

	it('gives one that has just begun little time', () => {
		const world = new FakeWorld();
		world.connected().end();
		world.clock.wake();
		world.clock.wake();
		assert.equal(world.sockets.length, 2);
		world.clock.pass(4_000);
		assert.equal(world.sockets.length, 3);
		world.greet();
		world.clock.pass(20_000);
		assert.equal(world.sockets.length, 3);
	});
});

describe('a page that is left', () => {
	it('and may be shown again lets its session wait, and resumes it then', () => {
		const world = new FakeWorld();
		const socket = world.connected();
		world.clock.hide(true);
		assert.equal(socket.closed, 4000);
		assert.equal(world.manager.getStatus(), 'reconnecting');
		assert.equal(world.manager.reason, 'page_hidden');
		socket.end(4000);
		assert.equal(world.sockets.length, 1);
		world.clock.wake();
		assert.match(world.socket.url, /resume=resume-1/);
	});

	it('for good ends its session', () => {
		const world = new FakeWorld();
		const socket = world.connected();
		world.clock.hide(false);
		assert.equal(socket.closed, 1000);
		world.clock.wake(); // it was not for good
		assert.doesNotMatch(world.socket.url, /resume/);
	});

	it('and stays all the same comes back by itself', () => {
		const world = new FakeWorld();
		world.connected();
		world.clock.hide(true);
		world.clock.pass(10_000);
		assert.equal(world.sockets.length, 2);
	});
});

describe('where there is no WebSocket', () => {
	it('says so', (test) => {
		const world = new FakeWorld({ WebSocket: undefined });
		const problems: string[] = [];
		world.manager.on('problem', (error) => problems.push(error.code));
		const there = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket');
		Object.defineProperty(globalThis, 'WebSocket', { value: undefined, configurable: true });
		test.after(() => {
			Object.defineProperty(globalThis, 'WebSocket', there ?? { value: undefined });
		});
		world.manager.connect();
		assert.deepEqual(problems, ['no_websocket']);
		assert.deepEqual(world.statuses, ['connecting', 'error']);
	});
});

describe('the address', () => {
	const address = (world: FakeWorld): FakeSocket => {
		world.manager.connect();
		return world.socket;
	};

	it('has what the query says', () => {
		const query = { practiceId: 1, userName: 'Ä & B', role: undefined };
		const world = new FakeWorld({ url: 'wss://praxis.test/ws', query });
		assert.equal(address(world).url, 'wss://praxis.test/ws?practiceId=1&userName=%C3%84+%26+B');
		assert.deepEqual(world.socket.protocols, ['praxis.v1']);
	});

	it('is port 9002 of the page, or where the page says', (test) => {
		const world = new FakeWorld({ url: undefined });
		assert.equal(address(world).url, 'ws://localhost:9002/ws');
		const page = { location: new URL('https://app.test/patients?x=1'), document: undefined };
		const set = (name: string, value: unknown) =>
			Object.defineProperty(globalThis, name, { value, configurable: true });
		test.after(() => ['location', 'document'].forEach((name) => set(name, undefined)));
		set('location', page.location);
		assert.equal(address(new FakeWorld({ url: undefined })).url, 'wss://app.test:9002/ws');
		assert.equal(address(new FakeWorld({ url: '/ws' })).url, 'wss://app.test/ws');
		set('document', { querySelector: () => ({ content: '/live/ws' }) });
		assert.equal(address(new FakeWorld({ url: undefined })).url, 'wss://app.test/live/ws');
	});

	it('that is none is told', () => {
		const world = new FakeWorld({ url: 'ws://[' });
		const problems: string[] = [];
		world.manager.on('problem', (error) => problems.push(error.code));
		world.manager.connect();
		assert.deepEqual(problems, ['bad_url']);
		assert.equal(world.manager.getStatus(), 'error');
	});
});

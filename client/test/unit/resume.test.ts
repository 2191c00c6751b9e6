// SPDX-License-Identifier: MIT
//
// A session over several connections: what both sides count, what is sent again, and what is not.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SessionEvent, WebSocketMessage } from '../../src/index.js';
import { FakeWorld } from '../lib/fakes.js';
import type { FakeSocket } from '../lib/fakes.js';

const numbered = (n: number) => ({ type: 'm', n });
const numbers = (messages: WebSocketMessage[]) => messages.map(({ n }) => n);
const received = (socket: FakeSocket) => new URL(socket.url).searchParams.get('received');
const token = (socket: FakeSocket) => new URL(socket.url).searchParams.get('resume');

function resume(world: FakeWorld, has: number, next = 'resume-2'): FakeSocket {
	const { socket } = world;
	socket.open();
	socket.say({
		type: 'resumed',
		clientId: 'c1',
		received: has,
		resume: { token: next, graceMs: 30_000 },
	});
	return socket;
}

describe('resuming', () => {
	it('says how many messages came, the greeting not counted', () => {
		const world = new FakeWorld();
		const socket = world.connected();
		[1, 2, 3].forEach((n) => socket.say(numbered(n)));
		const second = world.cut();
		assert.equal(token(second), 'resume-1');
		assert.equal(received(second), '3');
		resume(world, 0);
		second.say(numbered(4));
		assert.equal(world.manager.isConnected(), true);
		const third = world.cut();
		assert.equal(token(third), 'resume-2');
		assert.equal(received(third), '4');
	});

	it('hands each message to the handlers once, in order', () => {
		const world = new FakeWorld();
		const got: unknown[] = [];
		world.manager.registerHandler('m', ({ n }) => got.push(n));
		const socket = world.connected();
		[1, 2].forEach((n) => socket.say(numbered(n)));
		const second = world.cut();
		assert.equal(received(second), '2');
		resume(world, 0);
		[3, 4].forEach((n) => second.say(numbered(n)));
		assert.deepEqual(got, [1, 2, 3, 4]);
	});

	it('sends again what the server had not, ahead of what waited', () => {
		const world = new FakeWorld();
		world.connected();
		[1, 2, 3].forEach((n) => world.manager.sendMessage(numbered(n)));
		world.socket.end();
		world.manager.sendMessage(numbered(4));
		world.redialled();
		const socket = resume(world, 2);
		assert.deepEqual(numbers(socket.of('m')), [3, 4]);
	});

	it('counts pings, reports and all else that it sends', () => {
		const world = new FakeWorld();
		const socket = world.connected();
		for (let n = 0; n < 64; n++) {
			socket.say(numbered(n)); // the 64th makes it report
		}
		world.clock.wake(); // and now it pings
		world.manager.sendMessage(numbered(1));
		world.manager.sendMessage(numbered(2));
		assert.deepEqual(socket.types(), ['received', 'ping', 'm', 'm']);
		world.cut();
		assert.deepEqual(numbers(resume(world, 3).of('m')), [2]);
	});

	it('counts on from what the server had', () => {
		const world = new FakeWorld();
		world.connected();
		[1, 2, 3].forEach((n) => world.manager.sendMessage(numbered(n)));
		world.cut();
		assert.deepEqual(numbers(resume(world, 1).of('m')), [2, 3]);
		world.cut();
		assert.deepEqual(numbers(resume(world, 2, 'resume-3').of('m')), [3]);
		world.cut();
		assert.deepEqual(numbers(resume(world, 3).of('m')), []);
	});

	it('does not send again what a receipt or a pong has confirmed', () => {
		const world = new FakeWorld();
		const socket = world.connected();
		world.manager.sendMessage(numbered(1));
		void world.manager.send(numbered(2));
		socket.say({ type: 'ack', id: socket.of('m')[1]?.id });
		world.manager.sendMessage(numbered(3));
		world.clock.pass(1_000);
		socket.say({ type: 'pong', t: socket.of('ping')[0]?.['t'] });
		world.manager.sendMessage(numbered(4));
		world.cut();
		// A new session: only what was not confirmed is sent again.
		assert.deepEqual(numbers(world.greet({ resumed: false }).of('m')), [4]);
	});

	it('does not send again what only a receipt has confirmed', () => {
		const world = new FakeWorld();
		const socket = world.connected();
		[1, 2, 3].forEach((n) => world.manager.sendMessage(numbered(n)));
		socket.say({ type: 'ack', id: socket.of('m')[1]?.id });
		world.cut();
		assert.deepEqual(numbers(world.greet({ resumed: false }).of('m')), [3]);
	});

	it('gets the receipt that was on its way', async () => {
		const world = new FakeWorld();
		const socket = world.connected();
		const receipt = world.manager.send(numbered(1));
		const id = socket.of('m')[0]?.id;
		world.cut();
		const second = resume(world, 1);
		assert.deepEqual(second.of('m'), []);
		second.say({ type: 'ack', id, seq: 9 });
		assert.deepEqual(await receipt, { seq: 9 });
	});

	it('reports every 64 messages', () => {
		const world = new FakeWorld();
		const socket = world.connected();
		for (let n = 0; n < 200; n++) {
			socket.say(numbered(n));
		}
		assert.deepEqual(numbers(socket.of('received')), [64, 128, 192]);
	});

	it('reports within ten seconds, and only when there is something to report', () => {
		const world = new FakeWorld();
		const socket = world.connected();
		world.clock.pass(20_000);
		assert.deepEqual(socket.of('received'), []);
		socket.say(numbered(1));
		socket.say(numbered(2));
		world.clock.pass(9_999);
		assert.deepEqual(socket.of('received'), []);
		world.clock.pass(1);
		assert.deepEqual(numbers(socket.of('received')), [2]);
		world.clock.pass(4_000);
		assert.equal(socket.of('received').length, 1);
	});

	it('is not tried where the server does not offer it', () => {
		const world = new FakeWorld();
		const socket = world.connected({ resume: undefined });
		for (let n = 0; n < 100; n++) {
			socket.say(numbered(n));
		}
		assert.deepEqual(socket.of('received'), []);
		assert.equal(token(world.cut()), null);
	});

	for (const code of [4401, 4408, 4429]) {
		it(`is not tried after ${code}`, async () => {
			const world = new FakeWorld({ getToken: () => 'jwt' });
			world.manager.connect();
			await world.settle();
			world.greet();
			world.socket.say({ type: 'auth_ok', user: { role: 'staff', practices: [1] } });
			world.socket.end(code);
			for (let i = 0; i < 100 && world.sockets.length === 1; i++) {
				world.clock.pass(100);
				await world.settle();
			}
			assert.equal(world.sockets.length, 2);
			assert.equal(token(world.socket), null);
		});
	}
});

describe('a session that could not be resumed', () => {
	it('is told as such, and what it did not confirm is sent again', () => {
		const world = new FakeWorld();
		const events: SessionEvent[] = [];
		world.manager.on('session', (event) => events.push(event));
		world.connected();
		world.manager.sendMessage(numbered(1));
		world.cut();
		const socket = world.greet({ resumed: false, resume: { token: 'other', graceMs: 1 } });
		assert.deepEqual(
			events.map(({ clientId, resumed, again }) => [clientId, resumed, again]),
			[
				['c1', false, false],
				['c2', false, true],
			],
		);
		assert.deepEqual(numbers(socket.of('m')), [1]);
		socket.say(numbered(7));
		const third = world.cut();
		assert.equal(token(third), 'other');
		assert.equal(received(third), '1');
	});

	it('does not carry its signalling over, and says so', () => {
		const world = new FakeWorld();
		const dropped: [unknown, string][] = [];
		world.manager.on('dropped', ({ n }, reason) => dropped.push([n, reason]));
		world.connected();
		world.manager.sendMessage(numbered(1), { lifetime: 'session' });
		world.manager.sendMessage(numbered(2), { lifetime: 'restored' });
		world.manager.sendMessage(numbered(3));
		world.socket.end();
		world.manager.sendMessage(numbered(4), { lifetime: 'session' });
		world.manager.sendMessage(numbered(5));
		world.redialled();
		assert.deepEqual(numbers(world.greet({ resumed: false }).of('m')), [3, 5]);
		assert.deepEqual(dropped, [
			[1, 'session_lost'],
			[4, 'session_lost'],
		]);
	});

	it('does carry it where it was resumed', () => {
		const world = new FakeWorld();
		world.connected();
		world.socket.end();
		world.manager.sendMessage(numbered(1), { lifetime: 'session' });
		world.manager.sendMessage(numbered(2), { lifetime: 'restored' });
		world.redialled();
		assert.deepEqual(numbers(resume(world, 0).of('m')), [1, 2]);
	});

	it('rejects a receipt of which only the server knew', async () => {
		const world = new FakeWorld();
		world.connected();
		const receipt = world.manager.send(numbered(1));
		world.cut();
		resume(world, 1).end();
		world.redialled();
		world.greet({ resumed: false });
		await assert.rejects(receipt, { code: 'session_lost' });
	});

	it('is put back before what was waiting is sent', () => {
		const world = new FakeWorld();
		world.manager.on('session', ({ resumed }) => {
			if (!resumed) {
				world.manager.sendMessage(numbered(100), { lifetime: 'restored' });
				world.manager.sendMessage(numbered(101), { lifetime: 'restored' });
			}
		});
		world.manager.sendMessage(numbered(1));
		world.manager.sendMessage(numbered(2));
		assert.deepEqual(numbers(world.connectedWith().of('m')), [100, 101, 1, 2]);
	});
});

// SPDX-License-Identifier: MIT
//
// What is sent while there is no connection, and receipts.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { WebSocketMessage } from '../../src/index.js';
import { FakeWorld } from '../lib/fakes.js';

const numbered = (n: number) => ({ type: 'm', n });
const numbers = (messages: WebSocketMessage[]) => messages.map(({ n }) => n);

describe('the queue', () => {
	it('keeps what is sent before and between connections, in order', () => {
		const world = new FakeWorld();
		assert.equal(world.manager.sendMessage(numbered(1)), true);
		world.manager.connect();
		world.manager.sendMessage(numbered(2));
		world.socket.open();
		world.manager.sendMessage(numbered(3));
		assert.deepEqual(world.socket.of('m'), []);
		assert.equal(world.manager.queued, 3);
		const socket = world.greet();
		world.manager.sendMessage(numbered(4));
		assert.deepEqual(numbers(socket.of('m')), [1, 2, 3, 4]);
		assert.equal(world.manager.queued, 0);
	});

	it('drops the oldest when it is full, and says so', () => {
		const world = new FakeWorld({ queue: { messages: 2 } });
		const dropped: [unknown, string][] = [];
		world.manager.on('dropped', ({ n }, reason) => dropped.push([n, reason]));
		[1, 2, 3, 4].forEach((n) => world.manager.sendMessage(numbered(n)));
		assert.deepEqual(dropped, [
			[1, 'queue_full'],
			[2, 'queue_full'],
		]);
		assert.deepEqual(numbers(world.connectedWith().of('m')), [3, 4]);
	});

	it('is bounded in characters, too', () => {
		const world = new FakeWorld({ queue: { characters: 280 } });
		const dropped: unknown[] = [];
		world.manager.on('dropped', ({ n }) => dropped.push(n));
		[1, 2, 3].forEach((n) =>
			world.manager.sendMessage({ ...numbered(n), text: 'x'.repeat(90) }),
		);
		assert.deepEqual(dropped, [1]);
	});

	it('tells who awaits a receipt of a dropped message', async () => {
		const world = new FakeWorld({ queue: { messages: 1 } });
		const first = world.manager.send(numbered(1));
		world.manager.sendMessage(numbered(2));
		await assert.rejects(first, { name: 'PraxisError', code: 'queue_full', ref: 'm' });
	});

	it('keeps only the last of waiting updates with the same key', () => {
		const world = new FakeWorld();
		const update = (practiceId: number, key: string | undefined, data: number) =>
			world.manager.sendMessage({ type: 'whiteboard_update', practiceId, key, data });
		update(1, 'a', 1);
		update(1, 'b', 2);
		update(2, 'a', 3);
		update(1, undefined, 4);
		update(1, 'a', 5);
		update(1, undefined, 6);
		const sent = world.connectedWith().of('whiteboard_update');
		assert.deepEqual(
			sent.map(({ data }) => data),
			[2, 3, 4, 5, 6],
		);
	});

	it('keeps one with the same key whose receipt is awaited', () => {
		const world = new FakeWorld();
		const update = (data: number) => ({
			type: 'whiteboard_update',
			practiceId: 1,
			key: 'a',
			data,
		});
		void world.manager.send(update(1));
		world.manager.sendMessage(update(2));
		world.manager.sendMessage(update(3));
		const sent = world.connectedWith().of('whiteboard_update');
		assert.deepEqual(
			sent.map(({ data }) => data),
			[1, 3],
		);
	});

	it('is emptied by disconnect(), and says so', async () => {
		const world = new FakeWorld();
		const dropped: [unknown, string][] = [];
		world.manager.on('dropped', ({ n }, reason) => dropped.push([n, reason]));
		world.manager.connect();
		const receipt = world.manager.send(numbered(1));
		world.manager.sendMessage(numbered(2));
		world.manager.disconnect();
		await assert.rejects(receipt, { code: 'disconnected' });
		assert.deepEqual(dropped, [
			[1, 'disconnected'],
			[2, 'disconnected'],
		]);
		assert.deepEqual(world.connectedWith().of('m'), []);
	});

	it('lets only so much be in flight', () => {
		const world = new FakeWorld();
		const socket = world.connected();
		for (let n = 0; n < 300; n++) {
			world.manager.sendMessage(numbered(n));
		}
		assert.equal(socket.of('m').length, 256);
		world.clock.pass(1_000);
		const [ping] = socket.of('ping');
		assert.ok(ping);
		socket.say({ type: 'pong', t: ping['t'] });
		assert.equal(socket.of('m').length, 300);
	});
});

describe('the rate', () => {
	it('of what is sent stays below what the server takes, in order and without loss', () => {
		const world = new FakeWorld();
		const { manager, clock } = world;
		for (let n = 0; n < 1_000; n++) {
			manager.sendMessage(numbered(n));
		}
		const socket = world.connectedWith();
		const times: number[] = [];
		const begin = clock.time;
		for (let step = 0; step < 2_000 && times.length < 1_000; step++) {
			const all = socket.of('m');
			all.slice(times.length).forEach(() => times.push(clock.time - begin));
			socket.say({ type: 'ack', id: all.at(-1)?.id });
			clock.pass(10);
		}
		assert.deepEqual(
			numbers(socket.of('m')),
			Array.from({ length: 1_000 }, (_, n) => n),
		);
		assert.equal(times[399], 10, 'two windows');
		const last = times[999] ?? 0;
		assert.ok(last > 6_600 && last < 6_800, `600 more at 90 a second: ${last} ms`);
	});

	it('counts large messages as several', () => {
		const world = new FakeWorld({ rate: { burst: 10, perSecond: 1 } });
		const socket = world.connected();
		world.manager.sendMessage({ type: 'm', text: 'x'.repeat(18_000) });
		world.manager.sendMessage({ type: 'm', text: 'y' });
		assert.equal(socket.of('m').length, 1);
		world.clock.pass(100);
		assert.equal(socket.of('m').length, 2);
	});

	it('lets one that is larger than all leave once nothing was sent before', () => {
		const world = new FakeWorld({ rate: { burst: 10, perSecond: 1 } });
		const socket = world.connected();
		world.manager.sendMessage({ type: 'm', text: 'x'.repeat(60_000) });
		world.manager.sendMessage({ type: 'm', text: 'y' });
		world.clock.pass(1_000);
		socket.say({ type: 'pong', t: socket.of('ping')[0]?.['t'] });
		world.clock.pass(19_000);
		assert.equal(socket.of('m').length, 1);
		world.clock.pass(2_000);
		assert.equal(socket.of('m').length, 2);
	});

	it('can be without limit', () => {
		const world = new FakeWorld({ rate: { perSecond: 0 } });
		const socket = world.connected();
		for (let n = 0; n < 2_000; n++) {
			world.manager.sendMessage(numbered(n));
			socket.say({ type: 'ack', id: socket.sent.at(-1)?.id });
		}
		assert.equal(socket.of('m').length, 2_000);
	});
});

describe('a receipt', () => {
	it('is the ack', async () => {
		const world = new FakeWorld();
		const socket = world.connected();
		const receipt = world.manager.send(numbered(1));
		const [sent] = socket.of('m');
		assert.equal(typeof sent?.id, 'string');
		socket.say({ type: 'ack', id: sent?.id, seq: 12 });
		assert.deepEqual(await receipt, { seq: 12 });
	});

	it('or the error', async () => {
		const world = new FakeWorld();
		const socket = world.connected();
		const receipt = world.manager.send({ ...numbered(1), id: 5 });
		socket.say({
			type: 'error',
			id: 5,
			code: 'rate_limited',
			message: 'Slower.',
			ref: 'm',
			field: 'f',
			retryAfterMs: 40,
		});
		await assert.rejects(receipt, {
			name: 'PraxisError',
			code: 'rate_limited',
			message: 'Slower.',
			ref: 'm',
			field: 'f',
			retryAfterMs: 40,
		});
	});

	it('belongs to its own message', async () => {
		const world = new FakeWorld();
		const socket = world.connected();
		const receipts = [1, 2, 3].map((n) => world.manager.send(numbered(n)));
		const ids = socket.of('m').map(({ id }) => id);
		[2, 0, 1].forEach((at) => socket.say({ type: 'ack', id: ids[at], seq: at }));
		assert.deepEqual(await Promise.all(receipts), [{ seq: 0 }, { seq: 1 }, { seq: 2 }]);
	});
});

// SPDX-License-Identifier: MIT
//
// The five statuses, in the right order, and who holds the connection.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeStatus, WebSocketStatus } from '../../src/index.js';
import type { ConnectionStatus } from '../../src/index.js';
import { FakeWorld } from '../lib/fakes.js';

describe('status', () => {
	it('has the values of the reference system', () => {
		assert.deepEqual(Object.entries(WebSocketStatus), [
			['DISCONNECTED', 'disconnected'],
			['CONNECTING', 'connecting'],
			['CONNECTED', 'connected'],
			['RECONNECTING', 'reconnecting'],
			['ERROR', 'error'],
		]);
	});

	it('goes through all five', () => {
		const world = new FakeWorld();
		assert.equal(world.manager.getStatus(), 'disconnected');
		world.manager.connect();
		world.cut(); // the first attempt fails
		world.greet();
		world.cut(); // an established connection breaks
		world.greet({ resumed: false });
		world.manager.disconnect();
		assert.deepEqual(world.statuses, [
			'connecting',
			'error',
			'reconnecting',
			'connected',
			'reconnecting',
			'connected',
			'disconnected',
		]);
	});

	it('is connected only when the server has said so', () => {
		const world = new FakeWorld();
		world.manager.connect();
		world.socket.open();
		assert.equal(world.manager.getStatus(), 'connecting');
		world.greet();
		assert.equal(world.manager.isConnected(), true);
		assert.equal(world.manager.clientId, 'c1');
	});

	it('leaves nothing behind after disconnect()', () => {
		const world = new FakeWorld();
		const socket = world.connected();
		world.manager.disconnect();
		assert.equal(socket.closed, 1000);
		assert.equal(world.clock.timers, 0);
		assert.equal(world.clock.listeners, 0);
		socket.end(1000);
		assert.deepEqual(world.statuses, ['connecting', 'connected', 'disconnected']);
	});

	it('lasts until the last holder has let go', () => {
		const world = new FakeWorld();
		world.manager.connect('whiteboard');
		world.manager.connect('call');
		world.greet();
		world.manager.disconnect('whiteboard');
		assert.equal(world.manager.isConnected(), true);
		world.manager.disconnect('call');
		assert.equal(world.manager.getStatus(), 'disconnected');
	});
});

describe('status with its reason', () => {
	function watched(world = new FakeWorld()) {
		const seen: ConnectionStatus[] = [];
		world.manager.on('status', (state, reason, status) => {
			assert.deepEqual({ state, reason, retryAt: status.retryAt }, { ...status });
			seen.push(status);
		});
		return { world, seen };
	}

	it('says when the next attempt is made, and that it is under way', () => {
		const { world, seen } = watched();
		world.connected();
		world.socket.end(1012);
		const { state, reason, retryAt = 0 } = world.manager.status;
		assert.deepEqual([state, reason], ['reconnecting', 'server_restart']);
		assert.ok(retryAt > world.clock.wall());
		world.clock.pass(retryAt - world.clock.wall() - 1);
		assert.equal(world.sockets.length, 1);
		world.clock.pass(1);
		assert.equal(world.sockets.length, 2);
		assert.equal(world.manager.status.retryAt, undefined);
		assert.deepEqual(
			seen.map(({ state, reason, retryAt }) => [state, reason, retryAt !== undefined]),
			[
				['connecting', undefined, false],
				['connected', undefined, false],
				['reconnecting', 'server_restart', true],
				['reconnecting', 'server_restart', false],
			],
		);
		assert.deepEqual(world.statuses, ['connecting', 'connected', 'reconnecting']);
	});

	it('is another object on each change, and the same without one', () => {
		const { world } = watched();
		world.connected();
		const before = world.manager.status;
		assert.equal(world.manager.status, before);
		world.cut();
		assert.notEqual(world.manager.status, before);
	});

	it('has nothing to wait for when coming back is of no use', () => {
		const { world } = watched();
		world.connected().end(4410, 'removed');
		const { state, reason, retryAt } = world.manager.status;
		assert.deepEqual([state, reason, retryAt], ['error', 'removed', undefined]);
	});

	it('is told of the attempt by a handler that ends it', () => {
		const world = new FakeWorld();
		world.connected().end(1006);
		world.manager.on('status', (_state, _reason, { retryAt }) => {
			if (retryAt === undefined) {
				world.manager.disconnect();
			}
		});
		world.clock.pass(60_000);
		assert.equal(world.sockets.length, 1);
		assert.equal(world.manager.getStatus(), 'disconnected');
		assert.equal(world.clock.timers, 0);
	});

	it('learns the reason later, where the server can be asked', async () => {
		const { world } = watched();
		world.clock.refusal = { code: 'origin', message: 'No.' };
		world.manager.connect();
		world.socket.end(1006);
		assert.equal(world.manager.status.reason, 'network');
		await world.settle();
		assert.equal(world.manager.status.reason, 'origin');
		assert.equal(world.manager.reason, 'origin');
		assert.ok(world.manager.status.retryAt);
		assert.deepEqual(world.statuses, ['connecting', 'error', 'reconnecting']);
	});

	it('has sentences', () => {
		const say = (state: keyof typeof WebSocketStatus, reason?: string, retryAt?: number) =>
			describeStatus({ state: WebSocketStatus[state], reason, retryAt });
		assert.equal(say('CONNECTED'), 'Connected.');
		assert.equal(say('CONNECTING', 'network'), 'Connecting…');
		assert.equal(say('DISCONNECTED'), 'Not connected.');
		assert.equal(say('RECONNECTING'), 'The connection was lost. Trying again…');
		assert.equal(
			say('RECONNECTING', 'server_restart', 1),
			'The server is restarting. Trying again…',
		);
		assert.equal(say('ERROR', 'logged_out'), 'You are logged out.');
		assert.equal(say('ERROR', 'something_new'), 'Not connected.');
	});
});

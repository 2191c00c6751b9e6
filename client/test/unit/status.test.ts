// SPDX-License-Identifier: MIT
//
// The five statuses, in the right order, and who holds the connection.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WebSocketStatus } from '../../src/index.js';
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

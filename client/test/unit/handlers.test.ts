// SPDX-License-Identifier: MIT
//
// Handlers, services, and what is refused before it is sent.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { WebSocketMessage } from '../../src/index.js';
import { FakeWorld } from '../lib/fakes.js';

describe('handlers', () => {
	it('get the messages of their type, and * gets all', () => {
		const world = new FakeWorld();
		const got: string[] = [];
		const unregister = world.manager.registerHandler('custom_message', (message) => {
			got.push(`custom ${String(message['data'])}`);
		});
		world.manager.registerHandler('*', ({ type }) => got.push(type));
		const socket = world.connected();
		socket.say({ type: 'custom_message', data: 1 });
		unregister();
		unregister();
		socket.say({ type: 'custom_message', data: 2 });
		assert.deepEqual(got, [
			'connection_established',
			'custom 1',
			'custom_message',
			'custom_message',
		]);
	});

	it('that throw harm nobody', () => {
		const world = new FakeWorld();
		const got: string[] = [];
		world.manager.registerHandler('m', () => {
			throw new Error('mine');
		});
		world.manager.registerHandler('m', () => got.push('m'));
		world.manager.onStatusChange(() => {
			throw new Error('status');
		});
		const socket = world.connected();
		socket.say({ type: 'm' });
		assert.deepEqual(got, ['m']);
		assert.equal(world.manager.isConnected(), true);
		assert.deepEqual(
			world.clock.reported.map((error) => (error as Error).message),
			['status', 'status', 'mine'],
		);
	});

	it('may take each other away while a message goes round', () => {
		const world = new FakeWorld();
		const got: string[] = [];
		const second: { end?: () => void } = {};
		world.manager.registerHandler('m', () => second.end?.());
		second.end = world.manager.registerHandler('m', () => got.push('second'));
		world.manager.registerHandler('m', () => got.push('third'));
		world.connected().say({ type: 'm' });
		assert.deepEqual(got, ['third']);
	});

	it('are listed by type, and the same function may be there twice', () => {
		const world = new FakeWorld();
		let calls = 0;
		const handler = () => {
			calls++;
		};
		const one = world.manager.registerHandler('b', handler);
		const two = world.manager.registerHandler('b', handler);
		world.manager.registerHandler('a', handler);
		assert.deepEqual(world.manager.getActiveHandlers(), ['a', 'b']);
		world.connected().say({ type: 'b' });
		assert.equal(calls, 2);
		one();
		two();
		assert.deepEqual(world.manager.getActiveHandlers(), ['a']);
	});

	it('are told what is not JSON as a problem', () => {
		const world = new FakeWorld();
		const problems: string[] = [];
		world.manager.on('problem', ({ code }) => problems.push(code));
		world.connected().onmessage?.({ data: '{' });
		assert.deepEqual(problems, ['bad_json']);
		assert.equal(world.manager.isConnected(), true);
	});

	it('miss no error: without one it is on the console', (test) => {
		const warn = test.mock.method(console, 'warn', () => {});
		const world = new FakeWorld();
		const socket = world.connected();
		socket.say({ type: 'error', code: 'forbidden', message: 'No.', ref: 'x_y' });
		assert.deepEqual(warn.mock.calls[0]?.arguments, ['praxis:', 'x_y', 'forbidden', 'No.']);
		world.manager.registerHandler('error', () => {});
		socket.say({ type: 'error', code: 'forbidden', message: 'No.', ref: 'x_y' });
		assert.equal(warn.mock.callCount(), 1);
	});
});

describe('services', () => {
	it('are listed, as copies', () => {
		const { manager } = new FakeWorld();
		const services = manager.getServices();
		assert.deepEqual(Object.keys(services), ['whiteboard', 'telemedicine']);
		assert.ok(services['whiteboard']);
		services['whiteboard'].enabled = false;
		services['whiteboard'].messageTypes.push('x');
		assert.equal(manager.getServices()['whiteboard']?.enabled, true);
		assert.ok(!manager.getServices()['whiteboard']?.messageTypes.includes('x'));
	});

	it('that are disabled neither send nor get', () => {
		const world = new FakeWorld();
		const got: string[] = [];
		const dropped: [WebSocketMessage, string][] = [];
		world.manager.on('dropped', (...drop) => dropped.push(drop));
		world.manager.registerHandler('whiteboard_update', ({ type }) => got.push(type));
		const socket = world.connected();
		assert.equal(world.manager.disableService('whiteboard'), true);
		assert.equal(world.manager.disableService('nonsense'), false);
		const message = { type: 'whiteboard_update', practiceId: 1 };
		assert.equal(world.manager.sendMessage(message), false);
		socket.say({ ...message, seq: 1 });
		assert.deepEqual(socket.take(), []);
		assert.deepEqual(got, []);
		assert.deepEqual(dropped, [[{ ...message, id: 'px1' }, 'service_disabled']]);
		world.manager.enableService('whiteboard');
		assert.equal(world.manager.sendMessage(message), true);
		socket.say({ ...message, seq: 2 });
		assert.deepEqual(got, ['whiteboard_update']);
		assert.deepEqual(socket.types(), ['whiteboard_update']);
	});

	it('can be added, by prefix and by type', () => {
		const { manager } = new FakeWorld();
		manager.configure({
			services: {
				notifications: {
					name: 'Notifications',
					messageTypes: ['notification_sent'],
					enabled: false,
				},
			},
		});
		assert.equal(manager.isEnabled('notification_sent'), false);
		assert.equal(manager.isEnabled('notifications_read'), false);
		assert.equal(manager.isEnabled('notice'), true);
	});
});

describe('a message that is too large', () => {
	it('is refused by its bytes, not by its characters', async () => {
		const world = new FakeWorld();
		const dropped: string[] = [];
		world.manager.on('dropped', (_, reason) => dropped.push(reason));
		const socket = world.connected({ maxMessageBytes: 120 });
		const fits = { type: 'm', text: 'x'.repeat(80) };
		const not = { type: 'm', text: '€'.repeat(40) };
		assert.equal(world.manager.sendMessage(fits), true);
		assert.equal(world.manager.sendMessage(not), false);
		await assert.rejects(world.manager.send(not), { code: 'too_large', ref: 'm' });
		assert.deepEqual(dropped, ['too_large', 'too_large']);
		assert.equal(socket.of('m').length, 1);
	});
});

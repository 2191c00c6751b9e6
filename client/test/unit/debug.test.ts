// SPDX-License-Identifier: MIT
//
// The switch that says what happens: states and heads of messages, and nothing secret.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DebugPrinter, SocketConstructor } from '../../src/index.js';
import { FakeWorld } from '../lib/fakes.js';

type Line = Parameters<DebugPrinter>;

function debugged() {
	const lines: Line[] = [];
	const debug: DebugPrinter = (...line) => void lines.push(line);
	const world = new FakeWorld({ debug, getToken: () => 'secret-token' });
	return { world, lines };
}

describe('debug', () => {
	it('tells of states, sessions and heads of messages', async () => {
		const { world, lines } = debugged();
		world.manager.connect();
		await world.settle();
		world.greet({ user: undefined });
		world.socket.say({ type: 'auth_ok', user: { role: 'staff', practices: [1] } });
		world.manager.sendMessage({ type: 'x_y', id: 'one', text: 'secret-text' });
		world.socket.say({ type: 'x_z', text: 'secret-text' });
		world.manager.sendMessage({ type: 'x_y', text: 'x'.repeat(100_000) });
		world.socket.end(1012);
		const told = lines.map(([event, { type, state, reason }]) => [
			event,
			type ?? state,
			...(reason === undefined ? [] : [reason]),
		]);
		assert.deepEqual(told, [
			['status', 'connecting'],
			['out', 'auth'],
			['in', 'connection_established'],
			['in', 'auth_ok'],
			['session', undefined],
			['status', 'connected'],
			['out', 'x_y'],
			['in', 'x_z'],
			['dropped', 'x_y', 'too_large'],
			['problem', undefined],
			['status', 'reconnecting', 'server_restart'],
		]);
		assert.deepEqual(lines[6]?.[1], {
			type: 'x_y',
			id: 'one',
			characters: JSON.stringify(world.socket.of('x_y')[0]).length,
		});
		assert.doesNotMatch(JSON.stringify(lines), /secret|resume-1/);
	});

	it('says nothing of an address that has a token', () => {
		const lines: Line[] = [];
		function Bad(url: string) {
			throw new Error(`bad ${url}`);
		}
		const { manager } = new FakeWorld({
			debug: (...line) => void lines.push(line),
			query: { secret: 'secret' },
			WebSocket: Bad as unknown as SocketConstructor,
		});
		manager.connect();
		assert.deepEqual(
			lines.map(([event]) => event),
			['status', 'problem', 'status'],
		);
		assert.doesNotMatch(JSON.stringify(lines), /secret/);
	});

	it('is on the console with true, and ends with false', (test) => {
		const info = test.mock.method(console, 'info', () => {});
		const { manager } = new FakeWorld({ debug: true });
		manager.connect();
		assert.deepEqual(info.mock.calls[0]?.arguments.slice(0, 2), ['praxis:', 'status']);
		const before = info.mock.callCount();
		manager.configure({ debug: false });
		manager.disconnect();
		assert.equal(info.mock.callCount(), before);
	});

	it('is switched on by the storage of the browser, when it connects', (test) => {
		const info = test.mock.method(console, 'info', () => {});
		const storage = new Map<string, string>();
		const globals = globalThis as Record<string, unknown>;
		globals['document'] = {};
		Object.defineProperty(globalThis, 'localStorage', {
			configurable: true,
			value: { getItem: (key: string) => storage.get(key) ?? null },
		});
		test.after(() => {
			delete globals['document'];
			delete globals['localStorage'];
		});
		const world = new FakeWorld({ url: 'ws://praxis.test/ws' });
		world.manager.connect();
		world.manager.disconnect();
		assert.equal(info.mock.callCount(), 0);
		storage.set('praxis:debug', '1');
		world.manager.connect();
		assert.ok(info.mock.callCount() > 0);
		const before = info.mock.callCount();
		new FakeWorld({ url: 'ws://praxis.test/ws', debug: false }).manager.connect();
		assert.equal(info.mock.callCount(), before);
	});

	it('costs nothing where nobody looks', (test) => {
		const world = new FakeWorld();
		const socket = world.connected();
		const parse = test.mock.method(JSON, 'parse');
		socket.say({ type: 'x_y' });
		assert.equal(parse.mock.callCount(), 1);
	});
});

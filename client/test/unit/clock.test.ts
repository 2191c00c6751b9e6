// SPDX-License-Identifier: MIT
//
// Clocks that jump: nothing waits for the time of day, and a clock that goes back costs nothing.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { theEnvironment } from '../../src/environment.js';
import { FakeWorld } from '../lib/fakes.js';

const HOUR_MS = 3_600_000;

describe('a clock that is set back by an hour', () => {
	it('does not stop what is sent', () => {
		const world = new FakeWorld();
		const socket = world.connected();
		for (let n = 0; n < 399; n++) {
			world.manager.sendMessage({ type: 'm', n });
			socket.say({ type: 'ack', id: `px${n + 1}` });
		}
		socket.take();
		world.clock.time -= HOUR_MS;
		for (let n = 0; n < 100; n++) {
			world.manager.sendMessage({ type: 'm', n });
		}
		world.clock.pass(2_000);
		assert.equal(socket.of('m').length, 100);
		assert.equal(world.manager.queued, 0);
	});

	it('is no negative round trip', () => {
		const world = new FakeWorld();
		const socket = world.connected();
		world.clock.wake();
		world.clock.time -= HOUR_MS;
		socket.say({ type: 'pong', t: socket.of('ping')[0]?.['t'] });
		assert.equal(world.manager.latencyMs, 0);
	});

	it('may be another one with new options', () => {
		const world = new FakeWorld();
		const before = world.manager.environment.now();
		world.manager.configure({ environment: { now: () => 5 } });
		assert.equal(world.manager.environment.now(), before);
	});
});

describe('time', () => {
	it('is not that of the wall', () => {
		const before = theEnvironment.now();
		const real = Date.now;
		try {
			Date.now = () => real() - HOUR_MS;
			assert.ok(theEnvironment.now() >= before);
			assert.equal(Math.round((real() - theEnvironment.wall()) / HOUR_MS), 1);
		} finally {
			Date.now = real;
		}
	});

	it('of the wall is read in one file, says the linter', () => {
		const lint = (text: string, file: string): string => {
			const args = ['--stdin', '--stdin-filename', file];
			const options = { input: text, encoding: 'utf8' as const, cwd: '..' };
			try {
				const eslint = 'client/node_modules/.bin/eslint';
				return execFileSync(eslint, args, options);
			} catch (error) {
				return (error as { stdout: string }).stdout;
			}
		};
		for (const text of ['Date.now();', 'new Date();', 'Date();', "Date['now']();"]) {
			assert.match(lint(`${text}\n`, 'demo/src/x.ts'), /performance\.now/, text);
		}
		assert.equal(lint('new Date(7);\n', 'demo/src/x.ts'), '');
		assert.match(readFileSync('eslint.config.js', 'utf8'), /src\/environment\.ts/);
	});
});

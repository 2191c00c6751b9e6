// SPDX-License-Identifier: MIT
//
// Being let in with a token, and staying in.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeWorld } from '../lib/fakes.js';

const USER = { userId: 7, role: 'staff', practices: [1] };

/** A world whose tokens are numbered. */
class TokenWorld extends FakeWorld {
	asked = 0;

	constructor(more = {}) {
		super({ getToken: () => `jwt-${++this.asked}`, ...more });
	}

	async dial(): Promise<void> {
		this.manager.connect();
		await this.settle();
		this.socket.open();
	}

	async letIn() {
		await this.dial();
		this.socket.say(this.unauthenticated());
		this.socket.say({ type: 'auth_ok', expiresAt: 1, user: USER });
		return this.socket;
	}

	unauthenticated() {
		return {
			type: 'connection_established',
			clientId: 'c',
			services: ['whiteboard'],
			protocol: 1,
			resume: { token: 'resume-1', graceMs: 30_000 },
			heartbeatMs: 25_000,
			maxMessageBytes: 65_536,
		};
	}

	/** Until the next socket, promises and all. */
	async again(): Promise<void> {
		const before = this.sockets.length;
		for (let i = 0; i < 1000 && this.sockets.length === before; i++) {
			this.clock.pass(50);
			await this.settle();
		}
		assert.equal(this.sockets.length, before + 1);
	}
}

describe('a token', () => {
	it('is the first message, and never in the address', async () => {
		const world = new TokenWorld();
		world.manager.sendMessage({ type: 'm' });
		await world.dial();
		assert.deepEqual(world.socket.sent, [{ type: 'auth', token: 'jwt-1' }]);
		assert.doesNotMatch(world.socket.url, /jwt/);
		world.socket.say(world.unauthenticated());
		assert.equal(world.manager.getStatus(), 'connecting');
		world.socket.say({ type: 'auth_ok', expiresAt: 1, user: USER });
		assert.equal(world.manager.isConnected(), true);
		assert.deepEqual(world.manager.user, USER);
		assert.deepEqual(world.socket.types(), ['auth', 'm']);
	});

	it('is counted among what was sent', async () => {
		const world = new TokenWorld();
		await world.letIn();
		world.manager.sendMessage({ type: 'm' });
		world.socket.end();
		await world.again();
		world.socket.open();
		// The server had `auth` and not `m`.
		world.socket.say({ type: 'resumed', received: 1, resume: { token: 'resume-2' } });
		assert.deepEqual(world.socket.types(), ['m']);
	});

	it('is not needed to resume', async () => {
		const world = new TokenWorld();
		await world.letIn();
		world.socket.end();
		await world.again();
		assert.match(world.socket.url, /resume=resume-1/);
		world.socket.open();
		world.socket.say({ type: 'resumed', received: 1, resume: { token: 'resume-2' } });
		assert.equal(world.manager.isConnected(), true);
		assert.equal(world.asked, 1);
		assert.deepEqual(world.socket.sent, []);
	});

	it('is sent after all where resuming failed', async () => {
		const world = new TokenWorld();
		await world.letIn();
		world.socket.end();
		await world.again();
		world.socket.open();
		world.socket.say({ ...world.unauthenticated(), resumed: false });
		await world.settle();
		assert.deepEqual(world.socket.sent, [{ type: 'auth', token: 'jwt-2' }]);
		assert.equal(world.manager.isConnected(), false);
		world.socket.say({ type: 'auth_ok', user: USER });
		assert.equal(world.manager.isConnected(), true);
	});

	it('is renewed when it is about to expire', async () => {
		const world = new TokenWorld();
		const socket = await world.letIn();
		socket.take();
		socket.say({ type: 'auth_expiring', expiresAt: 1 });
		await world.settle();
		assert.deepEqual(socket.take(), [{ type: 'auth', token: 'jwt-2' }]);
		socket.say({ type: 'auth_ok', user: { ...USER, practices: [1, 2] } });
		assert.deepEqual(world.manager.user?.practices, [1, 2]);
		assert.deepEqual(world.statuses, ['connecting', 'connected']);
	});

	it('that has expired is replaced at once', async () => {
		const world = new TokenWorld();
		const socket = await world.letIn();
		socket.say({ type: 'error', code: 'token_expired', message: 'Expired.' });
		socket.end(4401);
		world.clock.pass(0);
		await world.settle();
		assert.equal(world.sockets.length, 2);
		assert.doesNotMatch(world.socket.url, /resume/);
		world.socket.open();
		assert.deepEqual(world.socket.sent, [{ type: 'auth', token: 'jwt-2' }]);
	});

	it('that is refused is asked for anew, a few times, ever later', async () => {
		const world = new TokenWorld();
		world.manager.registerHandler('error', () => {});
		await world.dial();
		const times: number[] = [];
		for (let i = 0; i < 5; i++) {
			world.socket.say(world.unauthenticated());
			world.socket.say({ type: 'error', code: 'unauthenticated', message: '', ref: 'auth' });
			const begin = world.clock.time;
			world.socket.end(4401);
			await world.again();
			times.push(world.clock.time - begin);
			world.socket.open();
		}
		assert.deepEqual(times, [500, 1000, 2000, 4000, 8000]);
		world.socket.end(4401);
		world.clock.pass(600_000);
		await world.settle();
		assert.equal(world.manager.getStatus(), 'error');
		assert.equal(world.manager.reason, 'unauthenticated');
		assert.equal(world.asked, 6);
	});

	it('that is refused on coming back counts for no session', async () => {
		const world = new TokenWorld();
		world.manager.registerHandler('error', () => {});
		await world.letIn(); // auth_ok is the first message of the session
		world.socket.end();
		await world.again();
		world.socket.open();
		world.socket.say({ type: 'error', code: 'unavailable', message: '' });
		world.socket.end(1013);
		await world.again();
		assert.match(world.socket.url, /received=1$/);
	});

	it('that has to wait waits as long as the server says', async () => {
		const world = new TokenWorld();
		world.manager.registerHandler('error', () => {});
		await world.dial();
		world.socket.say(world.unauthenticated());
		world.socket.say({
			type: 'error',
			code: 'rate_limited',
			message: '',
			ref: 'auth',
			retryAfterMs: 25_000,
		});
		const begin = world.clock.time;
		world.socket.end(4401);
		await world.again();
		assert.equal(world.clock.time - begin, 25_000);
	});

	it('that cannot be had is tried for again', async () => {
		let fails = true;
		const world = new TokenWorld({
			getToken: () => (fails ? Promise.reject(new Error('offline')) : 'jwt'),
		});
		const problems: string[] = [];
		world.manager.on('problem', ({ code, message }) => problems.push(`${code}: ${message}`));
		world.manager.connect();
		await world.settle();
		assert.deepEqual(problems, ['no_token: Error: offline']);
		assert.deepEqual(world.statuses, ['connecting', 'error', 'reconnecting']);
		fails = false;
		await world.again();
		world.socket.open();
		assert.deepEqual(world.socket.types(), ['auth']);
	});

	it('that comes too late is not used', async () => {
		let give: (token: string) => void = () => {};
		const world = new TokenWorld({
			getToken: () => new Promise<string>((resolve) => (give = resolve)),
		});
		world.manager.connect();
		await world.settle();
		world.manager.disconnect();
		give('jwt');
		await world.settle();
		assert.equal(world.sockets.length, 0);
	});

	it('is not needed by a server in open mode', async () => {
		const world = new TokenWorld();
		await world.dial();
		world.socket.say({ ...world.unauthenticated(), user: USER });
		world.socket.say({ type: 'error', code: 'unavailable', message: '', ref: 'auth' });
		assert.equal(world.manager.isConnected(), true);
	});

	it('that nobody has means logged out: not connected, and the queue is kept', async () => {
		let token: string | null = null;
		const world = new TokenWorld({ getToken: () => token });
		const problems: string[] = [];
		world.manager.on('problem', ({ code }) => problems.push(code));
		world.manager.sendMessage({ type: 'm' });
		world.manager.connect();
		await world.settle();
		world.clock.pass(600_000);
		await world.settle();
		assert.equal(world.sockets.length, 0);
		assert.deepEqual(world.statuses, ['connecting', 'error']);
		assert.equal(world.manager.reason, 'logged_out');
		assert.deepEqual(problems, ['logged_out']);
		assert.equal(world.manager.queued, 1);
		assert.equal(world.clock.timers + world.clock.listeners, 0);
		token = 'jwt';
		await world.letIn();
		assert.deepEqual(world.socket.types(), ['auth', 'm']);
	});

	it('that is null when it is to be renewed ends the session in order', async () => {
		let token: string | null = 'jwt';
		const world = new TokenWorld({ getToken: () => token });
		const socket = await world.letIn();
		token = null;
		socket.say({ type: 'auth_expiring', expiresAt: 1 });
		await world.settle();
		assert.equal(socket.closed, 1000);
		assert.deepEqual(world.statuses, ['connecting', 'connected', 'error']);
		world.manager.sendMessage({ type: 'm' });
		assert.equal(world.manager.queued, 1);
		assert.equal(world.clock.timers + world.clock.listeners, 0);
	});

	it('of another user does not send what the first one wrote', async () => {
		const world = new TokenWorld();
		const dropped: unknown[] = [];
		world.manager.on('dropped', ({ n }, reason) => dropped.push([n, reason]));
		const socket = await world.letIn();
		socket.end(4401);
		world.manager.sendMessage({ type: 'm', n: 1 });
		world.clock.pass(0);
		await world.settle();
		world.socket.open();
		world.socket.say(world.unauthenticated());
		world.socket.say({ type: 'auth_ok', user: { ...USER, userId: 8 } });
		assert.deepEqual(world.socket.types(), ['auth']);
		assert.deepEqual(dropped, [[1, 'other_user']]);
	});

	it('that never comes has a deadline', async () => {
		let hangs = true;
		const world = new TokenWorld({
			getToken: () => (hangs ? new Promise(() => {}) : 'jwt'),
		});
		const problems: string[] = [];
		world.manager.on('problem', ({ code }) => problems.push(code));
		world.manager.connect();
		await world.settle();
		world.clock.pass(10_000);
		assert.deepEqual(problems, ['no_token']);
		assert.deepEqual(world.statuses, ['connecting', 'error', 'reconnecting']);
		hangs = false;
		await world.again();
		assert.equal(world.sockets.length, 1);
	});

	it('that is being waited for when the network is back is asked for anew', async () => {
		let asked = 0;
		const world = new TokenWorld({
			getToken: () => (++asked === 1 ? new Promise(() => {}) : 'jwt'),
		});
		world.manager.connect();
		await world.settle();
		world.clock.pass(5_000);
		world.clock.wake();
		await world.settle();
		assert.equal(world.sockets.length, 1);
	});

	describe('that cannot be renewed', () => {
		type Answer = string | Error;
		async function renewing(answers: Answer[]) {
			const all = ['jwt', ...answers];
			const world = new TokenWorld({
				getToken: () => {
					const next = all.shift() ?? 'good';
					return next instanceof Error
						? Promise.reject(next)
						: next === 'never'
							? new Promise(() => {})
							: next;
				},
			});
			world.manager.registerHandler('error', () => {});
			const socket = await world.letIn();
			socket.take();
			socket.say({ type: 'auth_expiring', expiresAt: 1 });
			await world.settle();
			const until = async (ms: number) => {
				for (let passed = 0; passed < ms; passed += 250) {
					world.clock.pass(250);
					await world.settle();
				}
			};
			return { world, socket, until, left: () => all.length };
		}

		it('is tried for again, ever later', async () => {
			const failures = [1, 2, 3].map((n) => new Error(String(n)));
			const { world, socket, until } = await renewing(failures);
			await until(3_000); // 500, 1000, 2000 with these dice
			assert.deepEqual(socket.of('auth'), []);
			await until(500);
			assert.deepEqual(socket.of('auth'), [{ type: 'auth', token: 'good' }]);
			socket.say({ type: 'auth_ok', user: USER });
			await until(20_000);
			assert.equal(socket.of('auth').length, 1);
			assert.equal(world.manager.isConnected(), true);
		});

		it('because getToken() hangs is asked for again', async () => {
			const { socket, until } = await renewing(['never']);
			await until(10_500);
			assert.deepEqual(socket.of('auth'), [{ type: 'auth', token: 'good' }]);
		});

		it('because it is refused is asked for again, when the server says', async () => {
			const { socket, until } = await renewing(['bad']);
			const code = 'rate_limited';
			socket.say({ type: 'error', ref: 'auth', code, message: '', retryAfterMs: 4_000 });
			await until(3_750);
			assert.equal(socket.of('auth').length, 1);
			await until(250);
			assert.deepEqual(socket.of('auth').at(-1), { type: 'auth', token: 'good' });
		});

		it('goes on after the session was resumed', async () => {
			const { world } = await renewing([new Error('offline')]);
			world.socket.end();
			await world.again();
			world.socket.open();
			world.socket.say({ type: 'resumed', received: 1, resume: { token: 'resume-2' } });
			await world.settle();
			assert.deepEqual(world.socket.of('auth'), [{ type: 'auth', token: 'good' }]);
		});

		it('is given up with the session', async () => {
			const errors = Array.from({ length: 5 }, () => new Error('x'));
			const { world, socket } = await renewing(errors);
			const problems: string[] = [];
			world.manager.on('problem', ({ code }) => problems.push(code));
			socket.say({ type: 'error', code: 'token_expired', message: 'Expired.' });
			socket.end(4401);
			assert.deepEqual(problems, ['token_expired']);
			assert.equal(world.manager.reason, 'token_expired');
			world.manager.disconnect();
			assert.equal(world.clock.timers, 0);
		});
	});

	it('missing for good: 4401 without getToken ends it', () => {
		const world = new FakeWorld();
		world.connected().end(4401);
		world.clock.pass(600_000);
		assert.equal(world.manager.getStatus(), 'error');
		assert.equal(world.sockets.length, 1);
	});
});

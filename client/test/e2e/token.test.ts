// SPDX-License-Identifier: MIT
//
// Pages with tokens, against a real praxisd that checks them.

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { ManagerOptions } from 'praxis-client';
import { itEnds, secret, usePraxisd } from 'praxisd-of-tests';
import { Page } from '../lib/page.js';
import { tokenFor, withTokens } from '../lib/tokens.js';

describe('a page with tokens', () => {
	const pages: Page[] = [];
	afterEach(() => pages.splice(0).forEach((page) => page.close()));
	// Guesses are not put off: whether an attempt meets such a time depends on the dice of its back-off.
	const praxis = usePraxisd({
		global: { 'grace-ms': 30_000, 'auth-failures': 0 },
		...withTokens,
	});
	const page = (getToken: ManagerOptions['getToken']) => {
		const made = new Page(praxis, {}, { getToken });
		pages.push(made);
		return made;
	};

	it('is let in, and what it sent before is sent then', async () => {
		const ann = page(() => tokenFor(7, 600, { name: secret('name') }));
		ann.whiteboard.connect();
		const receipt = ann.whiteboard.send(1, { text: secret() });
		assert.equal((await receipt).seq, 1);
		assert.equal(ann.manager.user?.userId, '7');
		assert.deepEqual(ann.statuses, ['connecting', 'connected']);
	});

	it('renews its token before it expires, and nobody notices', async () => {
		let asked = 0;
		const ann = page(() => tokenFor(7, ++asked === 1 ? 10 : 600));
		await ann.connected();
		await ann.next('auth_expiring');
		await ann.until('a second auth_ok', () => ann.of('auth_ok').length === 2);
		assert.equal(asked, 2);
		await ann.whiteboard.send(1, {});
		assert.deepEqual(ann.statuses, ['connecting', 'connected']);
	});

	it('whose token has expired comes back with another, and loses nothing', async () => {
		let asked = 0;
		let isAsleep = true;
		const problems: string[] = [];
		const ann = page(() =>
			++asked > 1 && isAsleep
				? Promise.reject(new Error('asleep'))
				: tokenFor(7, isAsleep ? 5 : 600),
		);
		ann.manager.on('problem', ({ code }) => problems.push(code));
		const bob = page(() => tokenFor(8, 600));
		for (const member of [ann, bob]) {
			member.whiteboard.connect();
			await member.next('whiteboard_subscribed');
		}
		ann.manager.registerHandler('error', () => {});
		await ann.until('the end of the token', () => !ann.manager.isConnected());
		assert.ok(asked > 2, 'it was asked for again');
		assert.deepEqual([problems[0], problems.at(-1)], ['no_token', 'token_expired']);
		assert.equal(ann.manager.reason, 'token_expired');
		isAsleep = false;
		await bob.whiteboard.send(1, { text: secret() });
		await ann.next('whiteboard_update');
		assert.deepEqual(ann.of('whiteboard_reload'), []);
		assert.deepEqual(ann.of('error')[0]?.['code'], 'token_expired');
	});

	it('whose user has logged out is not connected, and its session has ended', async () => {
		let token: string | null = tokenFor(7, 8);
		const ann = page(() => token);
		const bob = page(() => tokenFor(8, 600));
		for (const [member, id] of [
			[ann, 7],
			[bob, 8],
		] as const) {
			await member.connected();
			member.telemedicine.joinRoom('r', 1, id, 'Somebody');
			await member.next('telemedicine_room_joined');
		}
		token = null;
		await ann.until('the end', () => ann.statuses.at(-1) === 'error');
		assert.equal(ann.manager.reason, 'logged_out');
		ann.whiteboard.sendWhiteboardUpdate(1, {});
		assert.equal(ann.manager.queued, 1);
		await bob.next('telemedicine_user_left');
		token = tokenFor(7, 600);
		ann.manager.connect();
		await bob.next('whiteboard_update');
	});

	it('that is refused asks again, and gives up in the end', async () => {
		let asked = 0;
		const problems: string[] = [];
		const eve = page(() => `${tokenFor(9, 600)}${++asked}`);
		eve.manager.on('problem', ({ code }) => problems.push(code));
		eve.manager.registerHandler('error', () => {});
		eve.manager.connect();
		await eve.until('the end', () => problems.length > 0);
		assert.equal(asked, 6);
		assert.deepEqual(problems, ['unauthenticated']);
		assert.equal(eve.statuses.at(-1), 'error');
	});

	itEnds(praxis);
});

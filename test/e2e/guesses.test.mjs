// SPDX-License-Identifier: MIT
//
// Guesses at tokens and tickets: how many there may be, who pays for them, and for whom they are
// counted.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { assertTurnedAway, attempt, call, serverAdmin } from './lib/attempts.mjs';
import { ctl, operator, rows } from './lib/ctl.mjs';
import { get } from './lib/http.mjs';
import {
	bearer,
	enter,
	enterUnauthenticated,
	nowS,
	sign,
	token,
	tokenVhost,
} from './lib/issuer.mjs';
import { itEnds, usePraxisd } from './lib/praxisd.mjs';
import { refusedUpgrade } from './lib/raw.mjs';
import { until } from './lib/wait.mjs';

// So many attempts with a bad token, all at the same moment, whatever else the machine does. Of each:
// 0 if it was looked at, else when to try again.
async function guesses(praxis, count) {
	const pages = await Promise.all(
		Array.from({ length: count }, () => enterUnauthenticated(praxis)),
	);
	const receipts = await Promise.all(
		pages.map((page) => page.ask({ type: 'auth', token: 'no.to.ken' })),
	);
	await Promise.all(pages.map((page) => page.closing()));
	return receipts.map(({ type, code, retryAfterMs }) => {
		assert.equal(type, 'error');
		if (code === 'rate_limited') {
			assert.ok(retryAfterMs > 0);
			return retryAfterMs;
		}
		assert.equal(code, 'unauthenticated');
		return 0;
	});
}

const guess = async (praxis) => (await guesses(praxis, 1))[0];

const HALF_AN_HOUR_MS = 30 * 60 * 1000;

// Guesses until the address is locked.
async function relock(praxis) {
	await until('the lock', async () => (await guess(praxis)) > 60_000);
}

describe('guesses at tokens', () => {
	const praxis = usePraxisd({
		global: { 'auth-failures': 5, audit: { file: 'audit.jsonl' } },
		vhost: tokenVhost(),
		services: { admin: {} },
	});

	it('have to wait, longer and longer, then are refused for half an hour', async () => {
		const waits = [];
		let looked = 0;
		while (!(waits.at(-1) > 60_000)) {
			const pair = await guesses(praxis, 2);
			looked += pair.filter((wait) => wait === 0).length;
			assert.ok(looked > 0 && looked <= 5, `${looked} were looked at`);
			waits.push(...pair.filter((wait) => wait > 0));
			if (waits.length > 0 && waits.at(-1) < 60_000) {
				await pause(waits.at(-1) + 2);
			}
		}
		assert.equal(looked, 5);
		const [lock, ...before] = waits.reverse();
		assert.ok(before.length > 0 && before.every((wait) => wait <= 200), `${before}`);
		assert.ok(lock > HALF_AN_HOUR_MS - 60_000 && lock <= HALF_AN_HOUR_MS, `${lock}`);
		const [, address] = await praxis.logged(/address (\S+): locked for 30 minutes/);
		assert.equal(address, '127.0.0.1');
	});

	it('are told the true time, however they come, which does not begin anew', async () => {
		const before = await guess(praxis);
		const upgrade = await refusedUpgrade(praxis.port, '/ws', bearer('no.to.ken'));
		assertTurnedAway(upgrade, 429, 'rate_limited');
		const http = await call(praxis, 'POST', '/api/v1/tickets', bearer('no.to.ken'), '{}');
		assertTurnedAway(http, 429, 'rate_limited');
		const ticket = await refusedUpgrade(praxis.port, '/ws', {
			'Sec-WebSocket-Protocol': 'praxis.v1, ticket.AAAAAAAA',
		});
		assertTurnedAway(ticket, 429, 'rate_limited');
		const after = await guess(praxis);
		for (const { headers } of [upgrade, http, ticket]) {
			const ms = Number(headers['retry-after']) * 1000;
			assert.ok(ms >= after && ms <= before + 1000, `${ms} between ${after} and ${before}`);
		}
		assert.ok(after <= before);
		assert.equal(praxis.log.match(/: locked for/g).length, 1, 'one line');
	});

	it('do not lock out what is right: header, message, API, ticket', async () => {
		const client = await enter(praxis);
		await client.accepted({ type: 'auth', token: await sign(client.claims) });
		const page = await enterUnauthenticated(praxis);
		await page.accepted({ type: 'auth', token: await token() });
		const claims = { claims: { sub: 'x', role: 'staff', practices: [1] } };
		const answer = await call(
			praxis,
			'POST',
			'/api/v1/tickets',
			await serverAdmin(),
			JSON.stringify(claims),
		);
		assert.equal(answer.status, 200, answer.body);
		const { ticket } = JSON.parse(answer.body);
		const other = await praxis.open('/ws', {
			headers: { 'Sec-WebSocket-Protocol': `praxis.v1, ticket.${ticket}` },
		});
		await other.next('connection_established');
	});

	it('nor hide that a token has expired', async () => {
		const page = await enterUnauthenticated(praxis);
		await page.refused(
			{ type: 'auth', token: await token({ exp: nowS() - 5 }) },
			'token_expired',
		);
		await page.closing();
	});

	it('are shown: statistics, metrics, API, the messages of administrators, the audit log', async () => {
		assert.equal((await praxis.stats()).locked_addresses, 1);
		assert.match((await get(praxis.port, '/metrics')).body, /^praxis_locked_addresses 1$/m);
		const answer = await call(praxis, 'GET', '/api/v1/locks', await serverAdmin());
		assert.equal(answer.status, 200, answer.body);
		const { locks, total } = JSON.parse(answer.body);
		assert.equal(total, 1);
		const [{ address, failures, lockedAt, until: ends }] = locks;
		assert.deepEqual([address, failures], ['127.0.0.1', 5]);
		assert.equal(ends - lockedAt, HALF_AN_HOUR_MS);
		assert.ok(Math.abs(Date.now() - lockedAt) < 120_000);
		const admin = await enter(praxis, { role: 'admin', practices: ['*'] });
		admin.send({ type: 'admin_locks' });
		assert.deepEqual(
			(await admin.next('admin_locks')).locks.map((each) => each.address),
			['127.0.0.1'],
		);
		const auditLog = await readFile(`${praxis.dir}/audit.jsonl`, 'utf8');
		assert.equal(auditLog.match(/"reason":"locked"/g).length, 1);
	});

	it('are no business of who does not rule', async () => {
		for (const [method, path, body] of [
			['GET', '/api/v1/locks', ''],
			['POST', '/api/v1/unlock', '{"address":"127.0.0.1"}'],
		]) {
			for (const more of [{ practices: [1] }, { tenant: 'another' }]) {
				const answer = await call(praxis, method, path, await serverAdmin(more), body);
				assert.equal(answer.status, 403, answer.body);
			}
		}
		const admin = await enter(praxis, { role: 'admin', practices: [1] });
		await admin.refused({ type: 'admin_locks' }, 'forbidden');
		await admin.refused({ type: 'admin_unlock', address: '127.0.0.1' }, 'forbidden');
		await (await enter(praxis)).refused({ type: 'admin_locks' }, 'forbidden');
	});

	it('are shown and forgiven by praxisctl', async () => {
		const [lock] = rows(await ctl(operator(praxis), 'locks'));
		assert.deepEqual([lock.ADDRESS, lock.FAILURES], ['127.0.0.1', '5']);
		assert.equal(await ctl(operator(praxis), 'unlock', '127.0.0.1'), '127.0.0.1 is unlocked\n');
		assert.equal((await praxis.stats()).locked_addresses, 0);
		await relock(praxis);
	});

	it('are forgiven by an administrator, over HTTP and in messages', async () => {
		const unknown = await call(
			praxis,
			'POST',
			'/api/v1/unlock',
			await serverAdmin(),
			'{"address":"192.0.2.1"}',
		);
		assert.equal(unknown.status, 404);
		assert.equal(JSON.parse(unknown.body).error.field, 'address');
		const answer = await call(
			praxis,
			'POST',
			'/api/v1/unlock',
			await serverAdmin(),
			'{"address":"127.0.0.1"}',
		);
		assert.deepEqual([answer.status, JSON.parse(answer.body)], [200, { address: '127.0.0.1' }]);
		assert.equal((await praxis.stats()).locked_addresses, 0);
		assert.equal(await guess(praxis), 0);

		await relock(praxis);
		const admin = await enter(praxis, { role: 'admin', practices: ['*'] });
		await admin.accepted({ type: 'admin_unlock', address: '127.0.0.1' });
		await admin.refused({ type: 'admin_unlock', address: '127.0.0.1' }, 'not_found');
		assert.equal(await guess(praxis), 0);
		const lines = (await readFile(`${praxis.dir}/audit.jsonl`, 'utf8'))
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line));
		const lifted = lines.filter(({ reason }) => reason === 'unlock');
		assert.deepEqual(
			lifted.map(({ event, target }) => [event, target]),
			Array.from({ length: 3 }, () => ['administered', '127.0.0.1']),
		);
	});

	it('are forgiven where they have locked nothing yet', async () => {
		const unlock = async () =>
			call(praxis, 'POST', '/api/v1/unlock', await serverAdmin(), '{"address":"127.0.0.1"}');
		await unlock();
		assert.equal((await unlock()).status, 404, 'nothing is left to forgive');
		await guesses(praxis, 3);
		assert.equal((await praxis.stats()).locked_addresses, 0);
		assert.equal((await unlock()).status, 200);
		// The third and each after it has to wait.
		const waits = (await guesses(praxis, 3)).filter((wait) => wait > 0);
		assert.deepEqual(waits, []);
	});

	itEnds(praxis);
});

describe('tokens that are no good and no guess', () => {
	const praxis = usePraxisd({
		global: { 'auth-failures': 3 },
		vhost: tokenVhost({ issuer: 'https://id.example.org', audience: 'praxis' }),
	});
	const right = { iss: 'https://id.example.org', aud: 'praxis' };

	it('lock nobody out: expired, not yet valid, for others, without what is needed', async () => {
		const kinds = [
			[{ ...right, exp: nowS() - 3600 }, 'token_expired'],
			[{ ...right, nbf: nowS() + 3600 }, 'unauthenticated'],
			[{ ...right, iss: 'https://another.example.org' }, 'unauthenticated'],
			[{ ...right, aud: 'another' }, 'unauthenticated'],
			[{ ...right, exp: undefined }, 'unauthenticated'],
			[{ ...right, role: 'nonsense' }, 'unauthenticated'],
			[{ ...right, sub: undefined }, 'unauthenticated'],
		];
		for (const [claims, code] of kinds) {
			for (let i = 0; i < 5; i++) {
				const page = await enterUnauthenticated(praxis);
				await page.refused({ type: 'auth', token: await token(claims) }, code);
				await page.closing();
			}
		}
		assert.equal((await praxis.stats()).locked_addresses, 0);
		assert.equal(await guess(praxis), 0, 'the first guess is looked at');
	});

	it('are told of over HTTP as RFC 6750 has it', async () => {
		const ask = async (headers) => {
			const answer = await call(praxis, 'GET', '/api/v1/stats', headers);
			const { code } = JSON.parse(answer.body).error;
			return [answer.status, code, answer.headers['www-authenticate']];
		};
		const expired = await token({ ...right, role: 'service', exp: nowS() - 3600 });
		assert.deepEqual(await ask(bearer(expired)), [
			401,
			'token_expired',
			'Bearer realm="praxis", error="invalid_token", error_description="The token has expired"',
		]);
		const early = await token({ ...right, role: 'service', nbf: nowS() + 3600 });
		assert.deepEqual(await ask(bearer(early)), [
			401,
			'unauthenticated',
			'Bearer realm="praxis", error="invalid_token"',
		]);
		assert.deepEqual(await ask({}), [401, 'unauthenticated', 'Bearer realm="praxis"']);
		assert.deepEqual(await ask(bearer(await token({ ...right, role: 'staff' }))), [
			403,
			'forbidden',
			'Bearer realm="praxis", error="insufficient_scope"',
		]);
	});

	itEnds(praxis);
});

describe('tickets that are none', () => {
	const praxis = usePraxisd({ global: { 'auth-failures': 3 }, vhost: tokenVhost() });

	it('are guesses, too', async () => {
		const headers = { 'Sec-WebSocket-Protocol': 'praxis.v1, ticket.AAAAAAAA' };
		let answer;
		await until('the refusal', async () => {
			answer = await attempt(praxis, headers);
			return answer.status !== 101;
		});
		assertTurnedAway(answer, 429, 'rate_limited');
	});

	itEnds(praxis);
});

describe('the time that failing tokens take', () => {
	const praxis = usePraxisd({
		global: { 'auth-failures': 0, 'auth-failure-ms-per-second': 1 },
		vhost: tokenVhost({ 'max-bytes': 1048576 }),
	});

	it('is bounded for an address; then its tokens are put off, with the time', async () => {
		const long = `${'A'.repeat(4000)}.${'A'.repeat(3000)}.AAAA`;
		let response;
		// Many at a time: one after the other might take longer than the budget needs to fill up again.
		await until('the end of the budget', async () => {
			const all = Array.from({ length: 32 }, () => attempt(praxis, bearer(long)));
			response = (await Promise.all(all)).find(({ status }) => status === 503);
			return response;
		});
		assertTurnedAway(response, 503, 'unavailable');
		const seconds = Number(response.headers['retry-after']);
		assert.ok(seconds >= 1 && seconds <= 2, `${seconds}`);
		await until('a right one', async () => {
			const client = await enter(praxis).catch(() => null);
			return client;
		});
	});

	itEnds(praxis);
});

describe('IPv6', () => {
	const praxis = usePraxisd({
		global: { 'auth-failures': 3, 'max-connections-per-address': 4 },
		vhost: tokenVhost({}, { 'trusted-proxies': ['127.0.0.0/8'] }),
	});
	const from = (address) => ({ 'X-Forwarded-For': address });

	it('is counted by the first 64 bits: guesses', async () => {
		let host = 0;
		let response;
		await until('the lock', async () => {
			const headers = {
				...from(`2001:db8:1:2::${(++host).toString(16)}`),
				...bearer('no.to.ken'),
			};
			response = await attempt(praxis, headers);
			return Number(response.headers['retry-after']) > 60;
		});
		const other = await attempt(praxis, { ...from('2001:db8:1:3::1'), ...bearer('no.to.ken') });
		assert.equal(other.status, 101, 'another network is not concerned');
		const answer = await call(praxis, 'GET', '/api/v1/locks', await serverAdmin());
		assert.deepEqual(
			JSON.parse(answer.body).locks.map(({ address }) => address),
			['2001:db8:1:2::/64'],
		);
		await praxis.logged(/address 2001:db8:1:2::\/64: locked/);
		const body = '{"address":"2001:db8:1:2::77"}';
		assert.equal(
			(await call(praxis, 'POST', '/api/v1/unlock', await serverAdmin(), body)).status,
			200,
		);
	});

	it('and connections', async () => {
		for (let i = 1; i <= 4; i++) {
			await enter(praxis, {}, { headers: from(`2001:db8:2:2::${i}`) });
		}
		const headers = bearer(await token());
		assertTurnedAway(
			await refusedUpgrade(praxis.port, '/ws', {
				...headers,
				...from('2001:db8:2:2:ffff::'),
			}),
			429,
			'rate_limited',
		);
		await enter(praxis, {}, { headers: from('2001:db8:2:3::1') });
	});

	itEnds(praxis);
});

describe('guesses from very many addresses', () => {
	const praxis = usePraxisd({
		global: { 'auth-failures': 3, 'remembered-addresses': 1000 },
		vhost: tokenVhost({}, { 'trusted-proxies': ['127.0.0.0/8'] }),
	});

	it('leave a place for each stranger', async () => {
		const guessAs = (n) =>
			attempt(praxis, {
				'X-Forwarded-For': `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`,
				...bearer('no.to.ken'),
			});
		for (let at = 0; at < 3000; at += 50) {
			const responses = await Promise.all(
				Array.from({ length: 50 }, (_, i) => guessAs(at + i)),
			);
			assert.ok(responses.every(({ status }) => status === 101));
		}
		const stats = await praxis.stats();
		assert.ok(stats.remembered_addresses <= 1000, `${stats.remembered_addresses}`);
		assert.ok(stats.evicted_addresses >= 2000, `${stats.evicted_addresses}`);
		await enter(praxis, {}, { headers: { 'X-Forwarded-For': '192.0.2.77' } });
	});

	itEnds(praxis);
});

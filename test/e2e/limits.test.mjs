// SPDX-License-Identifier: MIT
//
// Limits: what happens at each, to the one who meets it and to the others.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { ctl, operator, rows } from './lib/ctl.mjs';
import { Wire, exchange, get, request } from './lib/http.mjs';
import {
	NOBODY,
	bearer,
	claimsOf,
	enter,
	enterAsNobody,
	nowS,
	sign,
	token,
	tokenVhost,
} from './lib/issuer.mjs';
import { globalConfig, itEnds, secret, usePraxisd, writeFiles } from './lib/praxisd.mjs';
import { OP, frame, refusedUpgrade, upgradeRequest } from './lib/raw.mjs';
import { comeBack, openV1, V1 } from './lib/resuming.mjs';
import { nothingArrived } from './lib/session.mjs';
import { until } from './lib/wait.mjs';

const update = (data = secret()) => ({ type: 'whiteboard_update', practiceId: 1, data });

function assertTurnedAway(response, status, code) {
	assert.equal(response?.status, status, response?.body);
	assert.ok(Number(response.headers['retry-after']) > 0, 'Retry-After');
	const { error } = JSON.parse(response.body);
	assert.equal(error.code, code);
	assert.equal(typeof error.message, 'string');
}

// How many a bucket of that rate has got since then, at most.
function dueSince(perSecond) {
	const began = performance.now();
	return () => 1 + Math.ceil((performance.now() - began) / 1000) * perSecond;
}

// The answer to one upgrade, whose connection is then ended: 101 or a refusal.
async function attempt(praxis, headers = {}) {
	const wire = await Wire.open(praxis.port);
	try {
		wire.write(upgradeRequest('/ws', headers));
		return await wire.response();
	} finally {
		wire.close();
	}
}

describe('max-connections', () => {
	const praxis = usePraxisd({ global: { 'max-connections': 5 } });

	it('is a 503 for whoever comes then, and none for those who are in', async () => {
		const clients = [];
		for (let i = 0; i < 5; i++) {
			clients.push(await praxis.connect());
		}
		assertTurnedAway(await refusedUpgrade(praxis.port), 503, 'unavailable');
		assertTurnedAway(await get(praxis.port, '/stats'), 503, 'unavailable');
		await clients[0].accepted(update());
		await clients[1].next('whiteboard_update');

		await clients.pop().close();
		await until('room for another', () => praxis.connect().catch(() => null));
	});

	itEnds(praxis);
});

describe('max-connections-per-address', () => {
	const praxis = usePraxisd({ global: { 'max-connections-per-address': 3 } });

	it('is a 429 for whoever comes then, HTTP or not', async () => {
		const clients = [];
		for (let i = 0; i < 3; i++) {
			clients.push(await praxis.connect());
		}
		assertTurnedAway(await refusedUpgrade(praxis.port), 429, 'rate_limited');
		assertTurnedAway(await get(praxis.port, '/health'), 429, 'rate_limited');
		await clients[0].accepted(update());
		await clients.pop().close();
		await until('room for another', () => praxis.connect().catch(() => null));
	});

	itEnds(praxis);
});

describe('connections-per-second-per-address', () => {
	const praxis = usePraxisd({ global: { 'connections-per-second-per-address': 5 } });

	it('lets twice as many in at once, then refuses, then goes on', async () => {
		let came = 0;
		const due = dueSince(5);
		let response = await attempt(praxis);
		while (response.status === 101) {
			came++;
			response = await attempt(praxis);
		}
		assertTurnedAway(response, 429, 'rate_limited');
		assert.ok(came >= 10 && came <= 10 + due(), `${came} at once`);
		await until('another', async () => (await attempt(praxis)).status === 101);

		// settle() asks for statistics, and must not meet the limit.
		const lifted = { 'connections-per-second-per-address': 0 };
		await writeFiles(praxis.dir, { 'praxis.json': globalConfig(lifted) });
		praxis.signal('SIGHUP');
		await praxis.logged(/configuration was read anew|reload/i);
	});

	itEnds(praxis);
});

describe('max-connections-per-user', () => {
	const praxis = usePraxisd({
		global: { 'max-connections-per-user': 2 },
		vhost: tokenVhost(),
	});

	it('is a 429 with a header, rate_limited with a message; of that user alone', async () => {
		const claims = claimsOf({ sub: 'ann' });
		const first = await enter(praxis, claims);
		await enter(praxis, claims);
		const jwt = await sign(claims);
		assertTurnedAway(
			await refusedUpgrade(praxis.port, '/ws', bearer(jwt)),
			429,
			'rate_limited',
		);
		const page = await enterAsNobody(praxis);
		const error = await page.refused({ type: 'auth', token: jwt }, 'rate_limited');
		assert.ok(error.retryAfterMs > 0);
		await page.closing();

		await enter(praxis, { sub: 'bob' });
		await enter(praxis, { sub: 'ann', tenant: 'another' });
		await first.accepted({ type: 'auth', token: jwt });

		await first.close();
		await until('room for another', () => enter(praxis, claims).catch(() => null));
	});

	it('counts 7 and "7" as one', async () => {
		await enter(praxis, { sub: 7 });
		await enter(praxis, { sub: '7' });
		const headers = bearer(await token({ sub: 7 }));
		assertTurnedAway(await refusedUpgrade(praxis.port, '/ws', headers), 429, 'rate_limited');
	});

	itEnds(praxis);
});

describe('messages-per-second', () => {
	const praxis = usePraxisd({ global: { 'messages-per-second': 10, 'messages-burst': 20 } });

	it('refuses what is too much, drops it, and takes more after the time it told', async () => {
		const ann = await praxis.connect();
		const bob = await praxis.connect();
		// Too many to be due meanwhile, however slowly they are read; and no flood yet.
		const MANY = 80;
		for (let i = 0; i < MANY; i++) {
			ann.send({ ...update(i), id: i });
		}
		const accepted = [];
		let error;
		for (let i = 0; i < MANY; i++) {
			const receipt = await ann.next(undefined, ({ id }) => id === i);
			if (receipt.type === 'ack') {
				accepted.push(i);
			} else {
				error = receipt;
				assert.equal(receipt.code, 'rate_limited');
				assert.equal(receipt.ref, 'whiteboard_update');
				assert.ok(receipt.retryAfterMs > 0 && receipt.retryAfterMs <= 1000);
			}
		}
		assert.ok(accepted.length >= 20 && accepted.length < MANY, `${accepted.length} accepted`);
		const got = (await bob.fence()).map((message) => message.data);
		assert.deepEqual(got, accepted, 'what was refused reaches nobody');

		await pause(error.retryAfterMs + 2); // a timer may be a little early
		await ann.accepted(update());
		await bob.next('whiteboard_update');
	});

	it('closes who goes on regardless with 4429', async () => {
		const ann = await praxis.connect();
		const bob = await praxis.connect();
		for (let i = 0; i < 500; i++) {
			ann.send({ type: 'ping' });
		}
		assert.equal((await ann.closing()).code, 4429);
		await bob.fence();
		assert.equal((await praxis.stats()).closes['4429'] > 0, true);
	});

	itEnds(praxis);
});

describe('bytes-per-second', () => {
	const praxis = usePraxisd({ global: { 'bytes-per-second': 10_000, 'bytes-burst': 20_000 } });

	it('refuses what is too much, and drops it', async () => {
		const ann = await praxis.connect();
		const bob = await praxis.connect();
		const big = 'x'.repeat(9_000);
		// At once, so that little of it is due before the last is read.
		const answers = await Promise.all(Array.from({ length: 8 }, () => ann.ask(update(big))));
		const accepted = answers.filter(({ type }) => type === 'ack').length;
		assert.ok(accepted >= 2 && accepted < 8, `${accepted}`);
		const error = answers.find(({ code }) => code === 'rate_limited');
		assert.ok(error.retryAfterMs > 0 && error.retryAfterMs <= 2000, `${error.retryAfterMs}`);
		assert.equal((await bob.fence()).length, accepted);
		await until('another', async () => (await ann.ask(update(big))).type === 'ack');
		await bob.next('whiteboard_update');
	});

	it('takes a message that is larger than the burst, where nothing came before', async () => {
		const ann = await praxis.connect();
		await Promise.all([
			ann.accepted(update('x'.repeat(30_000))),
			ann.refused(update('x'), 'rate_limited'),
		]);
	});

	it('closes who goes on regardless with 4429', async () => {
		const ann = await praxis.connect();
		for (let i = 0; i < 150; i++) {
			ann.send(update('x'.repeat(9_000)));
		}
		assert.equal((await ann.closing()).code, 4429);
	});

	itEnds(praxis);
});

describe('rooms', () => {
	const praxis = usePraxisd({
		global: { 'max-rooms-per-practice': 3, 'max-rooms-per-session': 2 },
		vhost: tokenVhost(),
	});

	const joining = (roomId) => ({
		type: 'telemedicine_user_joined',
		roomId,
		appointmentId: 1,
		userId: 1,
		userName: 'x',
	});

	it('of one practice are bounded, and those of others not concerned', async () => {
		const [ann, bob] = [await enter(praxis), await enter(praxis)];
		const other = await enter(praxis, { tenant: 'another' });
		await ann.join('a');
		await ann.join('b');
		await bob.join('c');
		await bob.refused(joining('d'), 'too_many_rooms');
		await bob.join('a'); // one that is there
		await other.join('d');
		await ann.accepted({
			type: 'telemedicine_user_left',
			roomId: 'b',
			appointmentId: 1,
			userId: 1,
		});
		await ann.join('d');
	});

	it('of one session are bounded', async () => {
		const ann = await enter(praxis);
		await ann.join('a');
		await ann.join('b');
		await ann.refused(joining('c'), 'too_many_rooms');
		await ann.join('a');
		await nothingArrived([ann]);
	});

	itEnds(praxis);
});

// So many attempts with a bad token, all at the same moment, whatever else the machine does. Of each:
// 0 if it was looked at, else when to try again.
async function guesses(praxis, count) {
	const pages = await Promise.all(Array.from({ length: count }, () => enterAsNobody(praxis)));
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

const call = (praxis, method, path, headers, body = '') =>
	exchange(
		praxis.port,
		request(
			method,
			path,
			{
				...headers,
				...(method === 'POST' ? { 'Content-Length': Buffer.byteLength(body) } : {}),
			},
			{ body },
		),
	);

const ruler = async (more = {}) =>
	bearer(await token({ role: 'admin', practices: ['*'], ...more }));

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
		const page = await enterAsNobody(praxis);
		await page.accepted({ type: 'auth', token: await token() });
		const claims = { claims: { sub: 'x', role: 'staff', practices: [1] } };
		const answer = await call(
			praxis,
			'POST',
			'/api/v1/tickets',
			await ruler(),
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
		const page = await enterAsNobody(praxis);
		await page.refused(
			{ type: 'auth', token: await token({ exp: nowS() - 5 }) },
			'token_expired',
		);
		await page.closing();
	});

	it('are shown: statistics, metrics, API, the messages of administrators, the trail', async () => {
		assert.equal((await praxis.stats()).locked_addresses, 1);
		assert.match((await get(praxis.port, '/metrics')).body, /^praxis_locked_addresses 1$/m);
		const answer = await call(praxis, 'GET', '/api/v1/locks', await ruler());
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
		const trail = await readFile(`${praxis.dir}/audit.jsonl`, 'utf8');
		assert.equal(trail.match(/"reason":"locked"/g).length, 1);
	});

	it('are no business of who does not rule', async () => {
		for (const [method, path, body] of [
			['GET', '/api/v1/locks', ''],
			['POST', '/api/v1/unlock', '{"address":"127.0.0.1"}'],
		]) {
			for (const more of [{ practices: [1] }, { tenant: 'another' }]) {
				const answer = await call(praxis, method, path, await ruler(more), body);
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
		assert.equal(
			await ctl(operator(praxis), 'unlock', '127.0.0.1'),
			'127.0.0.1 is not locked any more\n',
		);
		assert.equal((await praxis.stats()).locked_addresses, 0);
		await relock(praxis);
	});

	it('are forgiven by an administrator, over HTTP and in messages', async () => {
		const unknown = await call(
			praxis,
			'POST',
			'/api/v1/unlock',
			await ruler(),
			'{"address":"192.0.2.1"}',
		);
		assert.equal(unknown.status, 404);
		assert.equal(JSON.parse(unknown.body).error.field, 'address');
		const answer = await call(
			praxis,
			'POST',
			'/api/v1/unlock',
			await ruler(),
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
			call(praxis, 'POST', '/api/v1/unlock', await ruler(), '{"address":"127.0.0.1"}');
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
				const page = await enterAsNobody(praxis);
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
		const answer = await call(praxis, 'GET', '/api/v1/locks', await ruler());
		assert.deepEqual(
			JSON.parse(answer.body).locks.map(({ address }) => address),
			['2001:db8:1:2::/64'],
		);
		await praxis.logged(/address 2001:db8:1:2::\/64: locked/);
		const body = '{"address":"2001:db8:1:2::77"}';
		assert.equal(
			(await call(praxis, 'POST', '/api/v1/unlock', await ruler(), body)).status,
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

describe('no limits', () => {
	const praxis = usePraxisd({
		global: { 'auth-failures': 0, 'max-connections-per-user': 0 },
		vhost: tokenVhost(),
	});

	it('is what 0 means', async () => {
		for (let i = 0; i < 20; i++) {
			const page = await praxis.connect(NOBODY);
			await page.refused({ type: 'auth', token: 'no.to.ken' }, 'unauthenticated');
		}
		for (let i = 0; i < 60; i++) {
			await enter(praxis, { sub: 'ann' });
		}
	});

	itEnds(praxis);
});

describe('floods that cost their sender nothing', () => {
	const praxis = usePraxisd({
		global: {
			'messages-per-second': 10,
			'messages-burst': 20,
			'bytes-per-second': 65536,
			'bytes-burst': 131072,
		},
	});

	const pointless = {
		'an id that is none': '{"type":"ping","id":{}}',
		'an id that is too long': `{"type":"ping","id":"${'x'.repeat(100)}"}`,
		'no JSON': '{]',
		'a type that is none': '{"type":"X"}',
		'an unknown type': '{"type":"nobody_knows"}',
		'a ping': '{"type":"ping"}',
		'received of a session without numbers': '{"type":"received","n":1}',
		'auth without a token': '{"type":"auth"}',
	};

	for (const [name, text] of Object.entries(pointless)) {
		it(`are held against the session: ${name}`, async () => {
			const ann = await praxis.connectRaw();
			const bob = await praxis.connect();
			for (let i = 0; i < 250; i++) {
				ann.sendText(text);
			}
			const { code } = await ann.closing();
			assert.ok(
				code === 4429 || (code === 1008 && !/ping|nobody|received|auth/.test(text)),
				`${code}`,
			);
			await bob.fence();
		});
	}

	it('are held against the session: pongs that nobody asked for', async () => {
		const ann = await praxis.connectRaw();
		for (let i = 0; i < 300; i++) {
			ann.write(frame(OP.pong, Buffer.from('x')));
		}
		assert.equal((await ann.closing()).code, 4429);
	});

	it('are held against the session: a message of very many frames', async () => {
		const ann = await praxis.connectRaw();
		ann.write(frame(OP.text, Buffer.from('{'), { fin: false }));
		for (let i = 0; i < 2000; i++) {
			ann.write(frame(OP.continuation, Buffer.from(' '), { fin: false }));
		}
		assert.equal((await ann.closing()).code, 4429);
	});

	it('are charged: joining again, whose answer is a thousand times the question', async () => {
		const ann = await praxis.connect();
		const others = await Promise.all(Array.from({ length: 5 }, () => praxis.connect()));
		const name = 'n'.repeat(200);
		for (const [i, other] of others.entries()) {
			await other.accepted({
				type: 'telemedicine_user_joined',
				roomId: 'r',
				appointmentId: 1,
				userId: i,
				userName: name,
			});
			await other.accepted({
				type: 'telemedicine_chat_message',
				roomId: 'r',
				appointmentId: 1,
				from: 'x',
				fromUserId: i,
				message: secret('x'.repeat(20_000)),
			});
		}
		const again = {
			type: 'telemedicine_user_joined',
			roomId: 'r',
			appointmentId: 1,
			userId: 1,
			userName: 'x',
		};
		let bytes = 0;
		const before = (await praxis.stats()).bytes_out;
		let error;
		for (let i = 0; i < 15 && !error; i++) {
			const receipt = await ann.ask(again);
			error = receipt.type === 'error' ? receipt : null;
		}
		bytes = (await praxis.stats()).bytes_out - before;
		assert.equal(error?.code, 'rate_limited');
		assert.ok(error.retryAfterMs > 0);
		assert.ok(bytes < 131_072 + 300_000, `${bytes} bytes`);
	});

	itEnds(praxis);
});

describe('acts-per-second', () => {
	const praxis = usePraxisd({
		global: { 'acts-per-second': 1, 'acts-burst': 10, audit: { file: 'audit.jsonl' } },
		vhost: tokenVhost(),
	});

	const lines = async (event) =>
		(await readFile(`${praxis.dir}/audit.jsonl`, 'utf8'))
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line))
			.filter((line) => line.event === event);

	it('bounds auth in a loop, and what it writes into the trail', async () => {
		const ann = await enter(praxis);
		const jwt = await sign(ann.claims);
		const before = (await lines('authenticated')).length;
		const due = dueSince(1);
		let refused = 0;
		for (let i = 0; i < 60; i++) {
			const receipt = await ann.ask({ type: 'auth', token: jwt });
			if (receipt.type === 'error') {
				assert.equal(receipt.code, 'rate_limited');
				assert.ok(receipt.retryAfterMs > 0 && receipt.retryAfterMs <= 1000);
				refused++;
			}
		}
		const written = (await lines('authenticated')).length - before;
		assert.equal(written, 60 - refused);
		assert.ok(written >= 10 && written <= 10 + due(), `${written}`);
		await ann.accepted({ type: 'ping' });
	});

	it('bounds joining and leaving in a loop; leaving is always possible', async () => {
		const ann = await enter(praxis);
		const room = { roomId: 'r', appointmentId: 1, userId: 1 };
		let joined = 0;
		const due = dueSince(1);
		for (let i = 0; i < 40; i++) {
			const receipt = await ann.ask({
				type: 'telemedicine_user_joined',
				...room,
				userName: 'x',
			});
			joined += receipt.type === 'ack';
			await ann.ask({ type: 'telemedicine_user_left', ...room });
		}
		assert.ok(joined >= 10 && joined <= 10 + due(), `${joined}`);
		assert.equal((await praxis.stats()).rooms, 0);
	});

	itEnds(praxis);
});

// Of which a bucket for so few lets through far less.
const MOST = 300;

describe('acts-per-second, of sessions', () => {
	const BURST = 10;
	const praxis = usePraxisd({
		global: {
			'acts-per-second': 1,
			'acts-burst': BURST,
			audit: { file: 'audit.jsonl' },
		},
		vhost: tokenVhost(),
	});

	const lines = async (event, fits) =>
		(await readFile(`${praxis.dir}/audit.jsonl`, 'utf8'))
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line))
			.filter((line) => line.event === event && fits(line));

	it('bounds how often those of one user begin, and what that writes into the trail', async () => {
		const claims = claimsOf();
		const headers = bearer(await sign(claims));
		const due = dueSince(1);
		let began = 0;
		let answer = await attempt(praxis, headers);
		for (; answer.status === 101 && began < MOST; began++) {
			answer = await attempt(praxis, headers);
		}
		assertTurnedAway(answer, 429, 'rate_limited');
		assert.ok(began >= BURST && began <= BURST + due(), `${began}`);
		const { body } = await get(praxis.port, '/metrics');
		assert.match(body, /praxis_limit_refusals_total\{limit="acts-per-second"\} [1-9]/);

		const page = await enterAsNobody(praxis);
		const refusals = [];
		for (let i = 0; i < 5; i++) {
			refusals.push(await attempt(praxis, headers));
		}
		assert.ok(refusals.some(({ status }) => status === 429));
		await page.close();
		const connected = await lines('connected', ({ user }) => user === claims.sub);
		assert.ok(connected.length <= BURST + due(), `${connected.length}`);
		await (await enter(praxis)).close(); // another user's
	});

	it('counts sessions of those who never say who they are', async () => {
		const before = (await lines('connected', ({ user }) => user === undefined)).length;
		const due = dueSince(2);
		const MANY = 150;
		for (let i = 0; i < MANY; i += 50) {
			const all = await Promise.all(Array.from({ length: 50 }, () => attempt(praxis)));
			assert.deepEqual(
				all.filter(({ status }) => status !== 101),
				[],
				'all are let in',
			);
		}
		await until('all of them in the trail', async () => {
			for (const event of ['connected', 'disconnected']) {
				const found = await lines(event, ({ user }) => user === undefined);
				const sum = found.reduce((total, { count = 1 }) => total + count, 0);
				if (sum < before + MANY) {
					return false;
				}
			}
			return true;
		});
		const found = await lines('connected', ({ user }) => user === undefined);
		const alone = found.filter(({ count }) => count === undefined);
		assert.ok(alone.length - before <= BURST + due(), `${alone.length} lines`);
		const [{ address, clientId }] = found.filter(({ count }) => count > 1);
		assert.deepEqual([address, clientId], ['127.0.0.1', undefined]);
	});

	itEnds(praxis);
});

describe('acts-per-second, of sessions that come back', () => {
	const BURST = 10;
	const praxis = usePraxisd({
		global: { 'acts-per-second': 1, 'acts-burst': BURST, 'grace-ms': 60_000 },
		vhost: tokenVhost(),
	});

	it('bounds how often one is resumed, which gives what it kept again each time', async () => {
		const headers = bearer(await token());
		let client = await openV1(praxis, '', { headers });
		const due = dueSince(1);
		let resumed = 0;
		for (let isOver = false; !isOver; resumed++) {
			assert.ok(resumed < MOST, 'resumed again and again');
			const query = comeBack(client.resumeToken, client.arrived);
			await client.kill();
			const wire = await Wire.open(praxis.port);
			wire.write(upgradeRequest(`/ws?${query}`, V1));
			const answer = await wire.response();
			wire.close();
			if (answer.status !== 101) {
				assertTurnedAway(answer, 429, 'rate_limited');
				await pause(Number(answer.headers['retry-after']) * 1000 + 2);
				client = await openV1(praxis, query);
				assert.equal(client.hello.type, 'resumed', 'it is still there');
				isOver = true;
			}
			// Its greeting was not read: the token before is still good.
		}
		assert.ok(resumed >= BURST && resumed <= 1 + BURST + due(), `${resumed}`);
		await client.close();
	});

	itEnds(praxis);
});

describe('requests-per-second-per-address', () => {
	const praxis = usePraxisd({ global: { 'requests-per-second-per-address': 2 } });

	it('bounds requests, /health among them, and tells the time', async () => {
		let answer;
		let came = 0;
		await until('the refusal', async () => {
			const all = await Promise.all(
				Array.from({ length: 10 }, () => call(praxis, 'GET', '/api/v1/openapi.json', {})),
			);
			answer = all.find(({ status }) => status === 429);
			came += all.filter(({ status }) => status === 200).length;
			return answer;
		});
		assertTurnedAway(answer, 429, 'rate_limited');
		assert.equal(answer.headers['retry-after'], '1');
		assert.ok(came >= 4 && came < 60, `${came}`);

		const wire = await Wire.open(praxis.port);
		await until('the refusal', async () => {
			wire.write(request('GET', '/health'));
			answer = await wire.response();
			return answer.status === 429;
		});
		assertTurnedAway(answer, 429, 'rate_limited');
		wire.close();
		// settle() asks for statistics, and must not meet the limit.
		await writeFiles(praxis.dir, { 'praxis.json': globalConfig() });
		praxis.signal('SIGHUP');
		await praxis.logged(/configuration was read anew|reload/i);
	});

	itEnds(praxis);
});

describe('requests over HTTP', () => {
	const praxis = usePraxisd({
		global: {
			'api-requests-per-second': 1,
			'api-bytes-per-second': 4_000,
		},
		vhost: tokenVhost({}, { 'trusted-proxies': ['127.0.0.0/8'] }),
	});
	const from = (address) => ({ 'X-Forwarded-For': address });

	it('to publish are bounded for a user of the API, in number and bytes', async () => {
		let address = 0;
		const publish = async (sub, size) => {
			const headers = {
				...bearer(await token({ sub, role: 'service' })),
				...from(`198.51.100.${++address}`),
			};
			return call(
				praxis,
				'POST',
				'/api/v1/publish',
				headers,
				JSON.stringify({
					type: 'whiteboard_update',
					practiceId: 1,
					data: 'x'.repeat(size),
				}),
			);
		};
		let answer;
		let came = 0;
		await until('the refusal', async () => {
			answer = await publish('often', 10);
			came++;
			return answer.status !== 200;
		});
		assertTurnedAway(answer, 429, 'rate_limited');
		assert.ok(came > 5 && came < 60, `${came}`);
		assert.equal((await publish('another', 10)).status, 200);
		// One that is larger than all that there is at once, for which fifteen seconds are due.
		const statuses = [];
		for (let i = 0; i < 3; i++) {
			answer = await publish('much', 60_000);
			statuses.push(answer.status);
		}
		assert.deepEqual(statuses, [200, 429, 429]);
		assert.ok(Number(answer.headers['retry-after']) >= 1);
	});

	itEnds(praxis);
});

describe('a flood of refusals', () => {
	const praxis = usePraxisd({
		global: { audit: { file: 'audit.jsonl', 'refusals-per-second': 5 } },
		vhost: { origins: ['https://app.example.org'] },
	});

	async function refusals() {
		const lines = (await readFile(`${praxis.dir}/audit.jsonl`, 'utf8')).trim().split('\n');
		return lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'refused');
	}

	it('is counted in the audit trail, not written down one by one', async () => {
		const headers = { Origin: 'https://evil.example.org' };
		const responses = await Promise.all(
			Array.from({ length: 300 }, () => refusedUpgrade(praxis.port, '/ws', headers)),
		);
		assert.ok(responses.every(({ status }) => status === 403));
		const entries = await until('all of them in the trail', async () => {
			const found = await refusals();
			const sum = found.reduce((total, { count = 1 }) => total + count, 0);
			return sum === 300 && found;
		});
		assert.ok(entries.length < 60, `${entries.length} lines`);
		for (const { address, reason } of entries) {
			assert.deepEqual([address, reason], ['127.0.0.1', 'forbidden']);
		}
		assert.ok((await praxis.stats()).audit.counted > 200);
	});

	itEnds(praxis);
});

// SPDX-License-Identifier: MIT
//
// Limits: what happens at each, to the one who meets it and to the others.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { Wire, exchange, get, request } from './lib/http.mjs';
import { NOBODY, bearer, claimsOf, enter, enterAsNobody, sign, token, tokenVhost } from './lib/issuer.mjs';
import { globalConfig, itEnds, secret, usePraxisd, writeFiles } from './lib/praxisd.mjs';
import { refusedUpgrade, upgradeRequest } from './lib/raw.mjs';
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
		await clients.pop().close(); // so that settle() can ask
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
		let response = await attempt(praxis);
		while (response.status === 101 && came < 100) {
			came++;
			response = await attempt(praxis);
		}
		assertTurnedAway(response, 429, 'rate_limited');
		assert.ok(came >= 10 && came <= 20, `${came} at once`);
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
		for (let i = 0; i < 25; i++) {
			ann.send({ ...update(i), id: i });
		}
		const accepted = [];
		let error;
		for (let i = 0; i < 25; i++) {
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
		assert.ok(accepted.length >= 20 && accepted.length < 25, `${accepted.length} accepted`);
		const got = (await bob.fence()).map((message) => message.data);
		assert.deepEqual(got, accepted, 'what was refused reaches nobody');

		const began = Date.now();
		await until('another', async () => (await ann.ask(update())).type === 'ack');
		assert.ok(Date.now() - began < error.retryAfterMs + 2000);
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
		await ann.accepted(update(big));
		await ann.accepted(update(big));
		const error = await ann.refused(update(big), 'rate_limited');
		assert.ok(error.retryAfterMs > 0 && error.retryAfterMs <= 2000, `${error.retryAfterMs}`);
		assert.equal((await bob.fence()).length, 2);
		await until('another', async () => (await ann.ask(update(big))).type === 'ack');
		await bob.next('whiteboard_update');
	});

	it('takes a message that is larger than the burst, where nothing came before', async () => {
		const ann = await praxis.connect();
		await ann.accepted(update('x'.repeat(30_000)));
		await ann.refused(update('x'), 'rate_limited');
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

describe('failed authentications', () => {
	const praxis = usePraxisd({
		global: { 'auth-failures': 5 },
		vhost: tokenVhost(),
	});

	// One attempt with a bad token: 0 if it was looked at, else when to try again.
	async function fail() {
		const page = await enterAsNobody(praxis);
		const receipt = await page.ask({ type: 'auth', token: 'no.to.ken' });
		await page.closing();
		assert.equal(receipt.type, 'error');
		if (receipt.code === 'rate_limited') {
			assert.ok(receipt.retryAfterMs > 0);
			return receipt.retryAfterMs;
		}
		assert.equal(receipt.code, 'unauthenticated');
		return 0;
	}

	it('have to wait, longer and longer, then are refused; who is in stays in', async () => {
		const ann = await enter(praxis);
		const jwt = await token();
		assert.equal(await fail(), 0);
		assert.equal(await fail(), 0);
		const waits = [];
		for (let looked = 2; looked < 5; looked++) {
			await until('another look', async () => (await fail()) === 0);
			const wait = await fail();
			assert.ok(wait > 0, 'at once is too early');
			waits.push(wait);
		}
		assert.ok(waits[0] <= 100 && waits[1] <= 200 && waits[1] > waits[0], `${waits}`);
		assert.ok(waits[2] > 60_000, `then it is refused: ${waits}`);

		// A good token, too, however it comes; and what was open goes on.
		assertTurnedAway(
			await refusedUpgrade(praxis.port, '/ws', bearer(jwt)),
			429,
			'rate_limited',
		);
		const page = await enterAsNobody(praxis);
		await page.refused({ type: 'auth', token: jwt }, 'rate_limited');
		await page.closing();
		const service = { ...bearer(await token({ role: 'service' })), 'Content-Length': 2 };
		const response = await exchange(
			praxis.port,
			request('POST', '/api/v1/tickets', service, { body: '{}' }),
		);
		assertTurnedAway(response, 429, 'rate_limited');
		const ticket = await refusedUpgrade(praxis.port, '/ws', {
			'Sec-WebSocket-Protocol': 'praxis.v1, ticket.AAAAAAAA',
		});
		assertTurnedAway(ticket, 429, 'rate_limited');
		await ann.fence();
	});

	itEnds(praxis);
});

describe('failed tickets', () => {
	const praxis = usePraxisd({ global: { 'auth-failures': 3 }, vhost: tokenVhost() });

	it('count, too', async () => {
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
		const responses = await Promise.all(Array.from({ length: 300 }, () =>
			refusedUpgrade(praxis.port, '/ws', headers)));
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

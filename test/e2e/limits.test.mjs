// SPDX-License-Identifier: MIT
//
// Limits: what happens at each, to the one who meets it and to the others.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { assertTurnedAway, attempt, call } from './lib/attempts.mjs';
import { Wire, get, request } from './lib/http.mjs';
import {
	NO_IDENTITY,
	bearer,
	claimsOf,
	enter,
	enterUnauthenticated,
	sign,
	token,
	tokenVhost,
} from './lib/issuer.mjs';
import { globalConfig, itEnds, secret, usePraxisd, writeFiles } from './lib/praxisd.mjs';
import { OP, frame, refusedUpgrade, upgradeRequest } from './lib/raw.mjs';
import { resumeQuery, openV1, V1 } from './lib/resuming.mjs';
import { nothingArrived } from './lib/session.mjs';
import { until } from './lib/wait.mjs';

const update = (data = secret()) => ({ type: 'whiteboard_update', practiceId: 1, data });

// How many a bucket of that rate has got since then, at most.
function dueSince(perSecond) {
	const began = performance.now();
	return () => 1 + Math.ceil((performance.now() - began) / 1000) * perSecond;
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
		const page = await enterUnauthenticated(praxis);
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

describe('no limits', () => {
	const praxis = usePraxisd({
		global: { 'auth-failures': 0, 'max-connections-per-user': 0 },
		vhost: tokenVhost(),
	});

	it('is what 0 means', async () => {
		for (let i = 0; i < 20; i++) {
			const page = await praxis.connect(NO_IDENTITY);
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

	it('bounds auth in a loop, and what it writes into the audit log', async () => {
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

	it('bounds how often those of one user begin, and what that writes into the audit log', async () => {
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

		const page = await enterUnauthenticated(praxis);
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
		await until('all of them in the audit log', async () => {
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
			const query = resumeQuery(client.resumeToken, client.arrived);
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

	it('is counted in the audit log, not written down one by one', async () => {
		const headers = { Origin: 'https://evil.example.org' };
		const responses = await Promise.all(
			Array.from({ length: 300 }, () => refusedUpgrade(praxis.port, '/ws', headers)),
		);
		assert.ok(responses.every(({ status }) => status === 403));
		const entries = await until('all of them in the audit log', async () => {
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

// SPDX-License-Identifier: MIT
//
// Tail streams (POST /api/v1/tail, docs/api.md): what they show of messages, to whom, and how they
// end.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { assertRefused, call, get as getJson, post } from './lib/api.mjs';
import { get, request, Wire } from './lib/http.mjs';
import { enter, nowS, tokenVhost } from './lib/issuer.mjs';
import { TailStream, tailRequest } from './lib/tail.mjs';
import { itEnds, secret, usePraxisd } from './lib/praxisd.mjs';
import { DEADLINE_MS, until, within } from './lib/wait.mjs';

const one = { practices: [1] };
const everything = { practices: ['*'], role: 'admin' };
const update = (practiceId = 1) => ({ type: 'whiteboard_update', practiceId, data: secret() });

// How many connections there are but that which asks.
const connections = async (praxis) => (await praxis.stats()).connections - 1;

const untilConnected = (praxis, count) => {
	return until(`${count} connections`, async () => (await connections(praxis)) === count);
};

// Tail streams are no clients, for whom a suite waits by itself.
const noneStays = (praxis) => afterEach(() => praxis.exit ?? untilConnected(praxis, 0));

describe('a tail stream', () => {
	const praxis = usePraxisd({
		vhost: tokenVhost(),
		global: { audit: { file: 'audit.jsonl' }, 'auth-failures': 0 },
	});
	noneStays(praxis);

	it('sees what comes and goes, and not what it says', async () => {
		const tail = await TailStream.open(praxis, one, { practiceId: 1 });
		const { totals } = await getJson(praxis, one, 'stats');
		assert.equal(totals.clients, 0, 'and is no client itself');
		const ann = await enter(praxis);
		const bob = await enter(praxis);
		await ann.accepted(update());
		const [came, went, answered] = [await tail.next(), await tail.next(), await tail.next()];
		const { at, bytes, ...rest } = came;
		assert.ok(Math.abs(at - Date.now()) < 60000);
		assert.ok(bytes > 60);
		assert.deepEqual(rest, {
			direction: 'in',
			service: 'whiteboard',
			type: 'whiteboard_update',
			clientId: ann.clientId,
		});
		assert.deepEqual([went.direction, went.receivers, went.clientId], ['out', 1, undefined]);
		assert.equal(went.bytes, Buffer.byteLength((await bob.next('whiteboard_update')).raw));
		assert.deepEqual(
			[answered.type, answered.clientId, answered.receivers],
			['ack', ann.clientId, 1],
		);
		await post(praxis, one, 'publish', update());
		const published = await tail.next();
		assert.deepEqual([published.direction, published.receivers], ['out', 2]);
		await ann.refused({ type: 'telemedicine_offer', roomId: secret() }, 'bad_message');
		await ann.refused({ type: 'secret_type' }, 'unknown_type');
		assert.deepEqual(await tail.words(4), [
			'in:telemedicine_offer',
			'out:error:bad_message',
			'in',
			'out:error:unknown_type',
		]);
		assert.doesNotMatch(tail.text, /SECRET|secret/);
		tail.close();
	});

	it('sees a room, and who is sent what alone', async () => {
		const tail = await TailStream.open(praxis, one, {
			practiceId: 1,
			service: 'telemedicine',
		});
		const ann = await enter(praxis);
		const bob = await enter(praxis);
		await ann.join('r');
		await bob.join('r');
		await ann.accepted(update());
		ann.send({
			type: 'telemedicine_offer',
			roomId: 'r',
			appointmentId: 1,
			from: 'x',
			to: bob.clientId,
			offer: {},
		});
		await bob.next('telemedicine_offer');
		const offer = await tail.next((line) => {
			return line.type === 'telemedicine_offer' && line.direction === 'out';
		});
		assert.equal(offer.clientId, bob.clientId);
		const joined = await tail.next((line) => line.roomId && line.receivers === 1);
		assert.deepEqual([joined.type, joined.roomId], ['telemedicine_user_joined', 'r']);
		await bob.fence();
		assert.ok(!tail.inbox.has(({ type }) => type === 'whiteboard_update'));
		tail.close();
	});

	it('sees nothing of another practice, and of another tenant with the same number', async () => {
		const two = await TailStream.open(praxis, { practices: [2] }, { practiceId: 2 });
		const other = await TailStream.open(
			praxis,
			{ tenant: 'other', ...everything },
			{ practiceId: 1 },
		);
		const all = await TailStream.open(praxis, everything, { practiceId: '1' });
		const ann = await enter(praxis);
		const both = await enter(praxis, { practices: [1, 2] });
		await ann.accepted(update());
		await both.refused('{"type":"whiteboard_update","practiceId":{}}', 'bad_message');
		await both.accepted(update(2));
		assert.deepEqual(await two.words(3), [
			'in:whiteboard_update',
			'out:whiteboard_update',
			'out:ack',
		]);
		assert.equal(two.inbox.size, 0, 'and nothing before that');
		assert.deepEqual(await all.words(3), [
			'in:whiteboard_update',
			'out:whiteboard_update',
			'out:ack',
		]);
		assert.equal(other.inbox.size, 0);
		[two, other, all].forEach((tail) => tail.close());
	});

	it('must be of role service or admin, with that practice', async () => {
		const refused = [
			[null, { practiceId: 1 }, 401, 'unauthenticated'],
			[{ role: 'staff' }, { practiceId: 1 }, 403, 'forbidden'],
			[{ role: 'patient', rooms: [] }, { practiceId: 1 }, 403, 'forbidden'],
			[one, { practiceId: 2 }, 403, 'forbidden', 'practiceId'],
			[one, {}, 400, 'bad_message', 'practiceId'],
			[one, { practiceId: 1, service: 'nope' }, 404, 'not_found', 'service'],
			[one, { practiceId: 1, more: 1 }, 400, 'bad_message'],
		];
		for (const [claims, body, status, code, field] of refused) {
			assertRefused(await call(praxis, claims, 'POST', 'tail', body), status, code, field);
		}
		assertRefused(await call(praxis, one, 'GET', 'tail?practiceId=1'), 405, 'bad_request');
	});

	it('is in the audit log', async () => {
		const tail = await TailStream.open(praxis, { ...one, sub: 'curious' }, { practiceId: 1 });
		const auditLog = await readFile(path.join(praxis.dir, 'audit.jsonl'), 'utf8');
		const lines = auditLog
			.trimEnd()
			.split('\n')
			.map((line) => JSON.parse(line));
		const entry = lines.findLast((line) => line.reason === 'tail');
		assert.deepEqual([entry.event, entry.user, entry.practice], ['administered', 'curious', 1]);
		tail.close();
	});

	it('is gone at once when it hangs up, half or whole, or goes on talking', async () => {
		for (const leave of [
			(socket) => socket.destroy(),
			(socket) => socket.end(),
			(socket) => socket.write(request('GET', '/health')),
		]) {
			const tail = await TailStream.open(praxis, one, { practiceId: 1 });
			await untilConnected(praxis, 1);
			leave(tail.socket);
			await untilConnected(praxis, 0);
			// Found out by what it did, and not because the next sign of life did not reach it.
			assert.equal(tail.beats, 0);
		}
		const wire = await Wire.open(praxis.port);
		wire.write((await tailRequest(one, { practiceId: 1 })) + request('GET', '/health'));
		// What it had sent may cost it the answer: a socket that is closed unread is reset.
		assert.equal((await wire.response({ head: true }))?.status ?? 200, 200);
		await untilConnected(praxis, 0);
		wire.close();
	});

	it('hears a sign of life, until its token expires', async () => {
		const tail = await TailStream.open(praxis, { ...one, exp: nowS() + 9 }, { practiceId: 1 });
		const { end } = await tail.next();
		assert.equal(end, 'token_expired');
		assert.ok(tail.beats >= 1);
		await within(tail.closed, 'the end of the connection');
	});

	it('is told when the configuration is read again', async () => {
		const tail = await TailStream.open(praxis, one, { practiceId: 1 });
		praxis.signal('SIGHUP');
		assert.equal((await tail.next()).end, 'reconfigured');
		await within(tail.closed, 'the end of the connection');
	});

	it('is told when the server ends', async () => {
		// With no session to wait for, and many to be told.
		const all = Array.from({ length: 8 }, () =>
			TailStream.open(praxis, one, { practiceId: 1 }),
		);
		const tails = await Promise.all(all);
		await praxis.stop();
		for (const tail of tails) {
			assert.equal((await tail.next()).end, 'draining');
			await within(tail.closed, 'the end of the connection');
		}
	});
});

// Sends many, until `isEnough` says so; how many that were.
async function flood(ann, isEnough) {
	const end = Date.now() + 3 * DEADLINE_MS;
	let sent = 0;
	while (!(await isEnough(sent))) {
		assert.ok(Date.now() < end, `enough after ${sent}`);
		for (let i = 0; i < 2000; i++) {
			ann.send({ type: 'whiteboard_update', practiceId: 1, data: i });
		}
		await ann.fence();
		sent += 2000;
	}
	return sent;
}

describe('how many tail streams there are, and how slow', () => {
	// However long the machine takes for the flood, nobody is cut off meanwhile.
	const praxis = usePraxisd({
		vhost: tokenVhost(),
		global: { 'max-tails': 2, 'send-buffer-bytes': 4096, 'queue-age-ms': 600000 },
	});
	noneStays(praxis);

	it('has a bound', async () => {
		const first = await TailStream.open(praxis, one, { practiceId: 1 });
		const second = await TailStream.open(praxis, one, { practiceId: 1 });
		const response = await call(praxis, one, 'POST', 'tail', { practiceId: 1 });
		assertRefused(response, 503, 'unavailable');
		const metrics = await get(praxis.port, '/metrics');
		assert.match(metrics.body, /praxis_limit_refusals_total\{limit="max-tails"\} 1\n/);
		first.close();
		await untilConnected(praxis, 1);
		const third = await TailStream.open(praxis, one, { practiceId: 1 });
		second.close();
		third.close();
	});

	it('who is too slow is told how much it missed, to the last one', async () => {
		const tail = await TailStream.open(praxis, one, { practiceId: 1 });
		try {
			const ann = await enter(praxis);
			tail.socket.pause();
			// More than socket buffers and the stream's own can hold.
			const sent = await flood(ann, (count) => count > 40000);
			tail.socket.resume();
			await ann.accepted({ type: 'whiteboard_update', practiceId: 1 });
			let [seen, missed] = [0, 0];
			while (seen + missed < 2 * sent + 3) {
				const line = await tail.next();
				missed += line.missed ?? 0;
				seen += line.missed ? 0 : 1;
			}
			assert.ok(missed > 0);
			assert.equal(seen + missed, 2 * sent + 3, 'all that came, went, and the receipt');
			await ann.accepted({ type: 'whiteboard_update', practiceId: 1 });
			assert.deepEqual(await tail.words(3), [
				'in:whiteboard_update',
				'out:whiteboard_update',
				'out:ack',
			]);
		} finally {
			tail.close();
		}
	});

	itEnds(praxis);
});

describe('looking on without taking anything', () => {
	const praxis = usePraxisd({
		vhost: tokenVhost(),
		global: { 'send-buffer-bytes': 4096, 'queue-age-ms': 1000 },
	});

	it('ends', async () => {
		const tail = await TailStream.open(praxis, one, { practiceId: 1 });
		const ann = await enter(praxis);
		tail.socket.pause();
		await flood(ann, async () => (await connections(praxis)) === 1);
		tail.socket.resume();
		await within(tail.closed, 'the end of the connection');
		assert.ok(!tail.inbox.has((line) => line.end));
	});

	itEnds(praxis);
});

// SPDX-License-Identifier: MIT
//
// Boards that are kept, and presence, under those who mean harm: keys, numbers and nesting that
// somebody made up, what a role may not, and answers that nobody reads.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { enter, tokenVhost } from './lib/issuer.mjs';
import { itEnds, Praxisd, usePraxisd } from './lib/praxisd.mjs';
import { nothingArrived } from './lib/session.mjs';

const kept = (key, data, more) => ({
	type: 'whiteboard_update',
	practiceId: 1,
	key,
	keep: true,
	data,
	...more,
});
const GET_STATE = { type: 'whiteboard_subscribe', practiceId: 1, state: true };

async function valuesOf(client) {
	const values = [];
	let part;
	client.send(GET_STATE);
	do {
		part = await client.next('whiteboard_state');
		values.push(...part.values);
	} while (part.part < part.parts);
	return values;
}

// A message as text, for what JSON.stringify() does not write.
const asText = (members) => `{"type":"whiteboard_update","practiceId":1,${members},"id":"raw"}`;

async function say(client, text) {
	client.sendText(text);
	return client.next(undefined, ({ id, ref }) => id === 'raw' || ref === 'raw');
}

// Each is another key, whatever a careless reader makes of it.
const KEYS = [
	'__proto__',
	'constructor',
	'toString',
	'a',
	'A',
	'\u0001',
	'\u0001a',
	'\u0001\u0001a',
	'é',
	'e\u0301',
	'\ufeff',
	'\uffff',
	'\u202ea',
	'\u{1f469}\u200d\u2695\ufe0f',
	'"',
	'\\',
	'../../a',
	'x'.repeat(256),
];

describe('keys of a board that is kept', () => {
	const praxis = new Praxisd();
	after(() => praxis.kill());

	it('are what they are, byte by byte', async () => {
		await praxis.start({
			global: { 'state-file': 'state' },
			services: { whiteboard: { 'board-values': 100 } },
		});
		const backwards = [...KEYS].reverse();
		const ann = await praxis.connect();
		for (const key of KEYS) {
			await ann.accepted(kept(key, key));
		}
		for (const key of backwards) {
			await ann.accepted(kept(key, `${key}!`));
		}
		const values = await valuesOf(ann);
		assert.deepEqual(
			values.map(({ key, data }) => [key, data]),
			backwards.map((key) => [key, `${key}!`]),
		);
	});

	it('are the same in each spelling, and the last of several counts', async () => {
		const ann = await praxis.connectRaw();
		const before = (await valuesOf(ann)).length;
		assert.equal((await say(ann, asText('"key":"\\u0061","keep":true'))).type, 'ack');
		assert.equal((await say(ann, asText('"key":"b","k\\u0065y":"a","keep":true'))).type, 'ack');
		const last = asText('"keep":true,"key":"a","ke\\u0065p":false');
		assert.equal((await say(ann, last)).type, 'ack');
		const values = await valuesOf(ann);
		assert.equal(values.length, before - 1);
		assert.ok(!values.some(({ key }) => key === 'a' || key === 'b'));
		await ann.accepted(kept('a', 'a!'));
	});

	it('that are none are refused, and change nothing', async () => {
		const ann = await praxis.connectRaw();
		const before = await valuesOf(ann);
		for (const key of [
			'""',
			'null',
			'7',
			'[]',
			'{"a":1}',
			'true',
			'"a\\u0000"',
			`"${'x'.repeat(257)}"`,
		]) {
			const error = await say(ann, asText(`"key":${key},"keep":true`));
			assert.deepEqual([error.code, error.field], ['bad_message', 'key'], key);
		}
		for (const keep of ['null', '0', '1', '"true"', '[]', '{}']) {
			const error = await say(ann, asText(`"key":"a","keep":${keep}`));
			assert.deepEqual([error.code, error.field], ['bad_message', 'keep'], keep);
		}
		ann.sendText(asText('"key":"\\ud800","keep":true'));
		assert.match((await ann.next('error')).code, /^bad_/);
		assert.deepEqual(await valuesOf(ann), before);
	});

	it('survive a restart', async () => {
		praxis.signal('SIGTERM');
		await praxis.ended();
		await praxis.launch();
		const values = await valuesOf(await praxis.connect());
		assert.deepEqual(values.map(({ key }) => key).sort(), [...KEYS].sort());
		assert.ok(values.every(({ key, data }) => data === `${key}!`));
	});

	itEnds(praxis);
});

describe('presence and state', () => {
	const praxis = usePraxisd({
		global: { 'messages-per-second': 0 },
		services: { whiteboard: { 'board-values': 100 } },
		vhost: tokenVhost(),
	});
	const person = (sub, more = {}) =>
		enter(praxis, { sub, name: sub, practices: [1, 3], ...more });
	const present = { type: 'whiteboard_presence', practiceId: 1 };

	it('are not for patients', async () => {
		const patient = await person('patient', { role: 'patient' });
		for (const message of [
			present,
			{ ...present, present: false },
			GET_STATE,
			kept('a', 1),
			{ type: 'whiteboard_seen', practiceId: 1, seq: 0 },
		]) {
			await patient.refused(message, 'forbidden');
		}
	});

	it('are not for those of another practice', async () => {
		const ann = await person('ann');
		for (const message of [
			present,
			GET_STATE,
			kept('a', 1),
			{ type: 'whiteboard_seen', seq: 0 },
		]) {
			await ann.refused({ ...message, practiceId: 2 }, 'forbidden');
		}
	});

	it('know only numbers that there have been', async () => {
		const ann = await person('ann');
		const bob = await person('bob');
		await bob.accepted(present);
		const { seq } = await bob.accepted(kept('a', 1));
		await ann.accepted(present);
		const wrong = [seq + 1, -1, Number.MAX_SAFE_INTEGER, 1.5, '1', null, [], true];
		for (const number of wrong) {
			const message = { type: 'whiteboard_seen', practiceId: 1, seq: number };
			assert.equal((await ann.refused(message, 'bad_message')).field, 'seq');
		}
		await ann.accepted({ type: 'whiteboard_seen', practiceId: 1, seq });
		const { users } = await bob.next('whiteboard_seen');
		assert.deepEqual(users, [{ userId: 'ann', seq }]);
	});

	// 200 times there and away, of one user: nobody else hears of it.
	it('tell nothing of one who comes and goes as fast as it can', async () => {
		const there = { ...present, practiceId: 3 };
		const ann = await person('ann');
		const bob = await person('bob');
		await bob.accepted(there);
		await ann.accepted(there);
		await bob.next('whiteboard_presence', ({ count }) => count === 2);
		await bob.fence();
		for (let i = 0; i < 200; i++) {
			ann.send({ ...there, present: false });
			ann.send(there);
		}
		await nothingArrived([bob], [ann]);
	});

	// Answers of 150 KB: the rate of bytes counts them.
	it('are not told faster than a session may be answered', async () => {
		const ann = await person('ann');
		for (let i = 0; i < 3; i++) {
			await ann.accepted(kept(`large ${i}`, 'x'.repeat(50000)));
		}
		const eve = await person('eve');
		const bob = await person('bob');
		eve.socket.pause();
		for (let i = 0; i < 300; i++) {
			eve.send(GET_STATE);
		}
		for (let i = 0; i < 20; i++) {
			await bob.accepted(kept('small', i));
		}
		const { queue_bytes } = await praxis.stats();
		assert.ok(queue_bytes <= 3 * 1048576, `${queue_bytes} bytes queued`);
		eve.kill();
	});

	itEnds(praxis);
});

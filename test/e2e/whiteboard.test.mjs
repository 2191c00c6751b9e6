// SPDX-License-Identifier: MIT
//
// The whiteboard: who gets an update and how, and what one that was away gets of what it missed.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fields, spelling } from './lib/json.mjs';
import { itEnds, secret, usePraxisd } from './lib/praxisd.mjs';
import { nothingArrived } from './lib/session.mjs';

// Epochs and numbers live as long as the practice's history: a practice for each test.
let practices = 100;
const newPractice = () => ++practices;

const update = (practiceId, data = secret()) => ({ type: 'whiteboard_update', practiceId, data });

async function subscribe(client, practiceId, since) {
	client.send({ type: 'whiteboard_subscribe', practiceId, since });
	return client.next('whiteboard_subscribed');
}

describe('an update', () => {
	const praxis = usePraxisd();
	const pair = (practiceId) =>
		Promise.all([praxis.connect({ practiceId }), praxis.connect({ practiceId })]);

	it('goes to everybody else of its practice, and to nobody else', async () => {
		const [here, there] = [newPractice(), newPractice()];
		const [ann, bob] = await pair(here);
		const [cyd, other] = [
			await praxis.connect({ practiceId: here }),
			await praxis.connect({ practiceId: there }),
		];
		const sent = update(here, { note: secret(), list: [1, { a: null }] });
		const before = Date.now();
		ann.send(sent);
		for (const client of [bob, cyd]) {
			const got = await client.next();
			assert.equal(got.type, 'whiteboard_update');
			assert.equal(got.practiceId, here);
			assert.deepEqual(got.data, sent.data);
			assert.equal(got.clientId, ann.clientId);
			assert.ok(Number.isInteger(got.seq) && got.seq >= 1);
			assert.ok(got.timestamp >= before - 1000 && got.timestamp <= Date.now() + 1000);
		}
		await nothingArrived([ann, bob, cyd, other], [ann]);
	});

	it('needs no data', async () => {
		const practiceId = newPractice();
		const [ann, bob] = await pair(practiceId);
		ann.send({ type: 'whiteboard_update', practiceId });
		assert.equal('data' in (await bob.next('whiteboard_update')), false);
	});

	it('has the number that its sender is told', async () => {
		const practiceId = newPractice();
		const [ann, bob] = await pair(practiceId);
		const { seq } = await subscribe(bob, practiceId);
		for (let at = 1; at <= 5; at++) {
			const ack = await ann.accepted(update(practiceId));
			assert.equal(ack.seq, seq + at);
			assert.equal((await bob.next('whiteboard_update')).seq, seq + at);
		}
	});

	it('is numbered by practice', async () => {
		const [here, there] = [newPractice(), newPractice()];
		const [ann, bob] = [
			await praxis.connect({ practiceId: here }),
			await praxis.connect({ practiceId: there }),
		];
		assert.equal((await ann.accepted(update(here))).seq, 1);
		assert.equal((await ann.accepted(update(here))).seq, 2);
		assert.equal((await bob.accepted(update(there))).seq, 1);
	});

	it('keeps the spelling of its practice', async () => {
		const practiceId = newPractice();
		const [ann, bob] = await pair(practiceId);
		for (const spelled of [`${practiceId}`, `"${practiceId}"`]) {
			ann.send(`{"type":"whiteboard_update","practiceId":${spelled}}`);
			assert.equal(
				spelling((await bob.next('whiteboard_update')).raw, 'practiceId'),
				spelled,
			);
		}
	});

	it('keeps the spelling of everything that the protocol does not know', async () => {
		const practiceId = newPractice();
		const [ann, bob] = await pair(practiceId);
		const spelled = {
			n: '1.10e+02',
			big: '12345678901234567890',
			more: '9'.repeat(60),
			tiny: '-0.0',
			exponent: '1E400',
			accent: '"\\u00e9é"',
			slash: '"a/b\\/c"',
			pair: '"\\ud83d\\ude00😀"',
			nul: '"\\u0000"',
			control: '"\\b\\f\\n\\r\\t\\u001f\\u007f\u007f"',
			html: '"<script>&\\u2028\u2028"',
			sdp: '"v=0\\r\\no=- 4611731400430051336 2 IN IP4 127.0.0.1\\r\\n"',
			lone: '"\\ud800"',
			data: '{"x":1.0,"y":[1E5,-0],"z":"\\/","clientId":"a","seq":5,"timestamp":6}',
			text: '"\\"clientId\\":\\"forged\\",\\"seq\\":1}"',
			empty: '{}',
			list: '[]',
			nothing: 'null',
			quote: '"\\\\"',
			userId: '0.10',
			key: '"k"',
			constructor: '1',
			__proto__x: '2',
		};
		const parts = Object.entries(spelled).map(([key, value]) => `,"${key}":${value}`);
		parts.push(',"":3,"a\\"\\\\b":4');
		ann.send(`{"type":"whiteboard_update","practiceId":${practiceId}${parts.join('')}}`);
		const got = await bob.next('whiteboard_update');
		for (const [key, value] of Object.entries({ ...spelled, '': '3', 'a"\\b': '4' })) {
			if (key !== 'userId') {
				assert.equal(spelling(got.raw, key), value, key);
			}
		}
	});

	it('may have blanks anywhere', async () => {
		const practiceId = newPractice();
		const [ann, bob] = await pair(practiceId);
		ann.send(`\r\n{ "timestamp" : 1 , "type"\t:\n"whiteboard_update" , "seq" : 2 ,
			"practiceId" : ${practiceId} , "data" : { "a" : [ 1.50 , 2 ] } , "clientId" : "x" } `);
		const got = await bob.next('whiteboard_update');
		assert.deepEqual(got.data, { a: [1.5, 2] });
		assert.match(got.raw, /1\.50/);
		assert.equal(got.clientId, ann.clientId);
	});

	const forged = [
		'"clientId":"forged"',
		'"client\\u0049d":"forged"',
		'"\\u0063lientId":"forged"',
		'"clientId":"forged","clientId":"forged"',
		'"clientId":"forged","client\\u0049d":"forged"',
		'"timestamp":1',
		'"t\\u0069mestamp":1',
		'"timestamp":1,"timestamp":[2]',
		'"seq":99',
		'"s\\u0065q":99',
		'"seq":99,"seq":{"a":1},"s\\u0065\\u0071":99',
		'"clientId":{"a":[1,"}"]},"timestamp":"\\"","seq":null',
	];
	for (const parts of forged) {
		for (const where of ['first', 'middle', 'last']) {
			it(`is stamped by the server alone: ${parts}, ${where}`, async () => {
				const practiceId = newPractice();
				const [ann, bob] = await pair(practiceId);
				const rest = [
					'"type":"whiteboard_update"',
					`"practiceId":${practiceId}`,
					'"data":"SECRET"',
				];
				rest.splice({ first: 0, middle: 2, last: 3 }[where], 0, parts);
				ann.send(`{${rest.join()}}`);
				const got = await bob.next('whiteboard_update');
				assert.equal(got.clientId, ann.clientId);
				assert.equal(got.seq, 1);
				assert.ok(got.timestamp > 1e12);
				assert.equal(got.data, 'SECRET');
				for (const name of ['clientId', 'seq', 'timestamp', 'practiceId', 'type']) {
					assert.equal(fields(got.raw).filter(({ key }) => key === name).length, 1, name);
				}
			});
		}
	}

	it('cannot become another message by a second type', async () => {
		const practiceId = newPractice();
		const [ann, bob] = await pair(practiceId);
		for (const key of ['type', 'typ\\u0065']) {
			for (const [first, second] of [
				['whiteboard_update', 'telemedicine_offer'],
				['telemedicine_offer', 'whiteboard_update'],
			]) {
				const receipt = await ann.ask(
					`{"type":"${first}","practiceId":${practiceId},"${key}":"${second}"}`,
				);
				if (receipt.type === 'ack') {
					assert.equal((await bob.next()).type, 'whiteboard_update');
				}
			}
		}
		await nothingArrived([bob], [ann]);
	});

	it('arrives in order: a thousand of several senders, each once', async () => {
		const practiceId = newPractice();
		const senders = await Promise.all(
			Array.from({ length: 4 }, () => praxis.connect({ practiceId })),
		);
		const readers = await Promise.all(
			Array.from({ length: 3 }, () => praxis.connect({ practiceId })),
		);
		for (let at = 0; at < 250; at++) {
			senders.forEach((client, sender) =>
				client.send(update(practiceId, { sender, at, secret: 'SECRET' })),
			);
		}
		const orders = [];
		for (const reader of readers) {
			const next = senders.map(() => 0);
			const order = [];
			for (let at = 1; at <= 1000; at++) {
				const { seq, data } = await reader.next();
				assert.equal(seq, at);
				assert.equal(data.at, next[data.sender]++);
				order.push(data.sender);
			}
			orders.push(order);
		}
		assert.deepEqual(orders[1], orders[0]);
		assert.deepEqual(orders[2], orders[0]);
		for (const [number, sender] of senders.entries()) {
			const got = await sender.fence();
			assert.equal(got.length, 750);
			assert.ok(
				got.every(({ data }) => data.sender !== number),
				'not its own',
			);
		}
		await nothingArrived(readers, senders);
	});

	it('reaches a hundred readers', async () => {
		const practiceId = newPractice();
		const ann = await praxis.connect({ practiceId });
		const readers = await Promise.all(
			Array.from({ length: 100 }, () => praxis.connect({ practiceId })),
		);
		const before = await praxis.stats();
		const sent = Array.from({ length: 20 }, () => update(practiceId));
		sent.forEach((message) => ann.send(message));
		for (const reader of readers) {
			for (const { data } of sent) {
				assert.equal((await reader.next()).data, data);
			}
		}
		const after = await praxis.stats();
		assert.ok(after.deliveries - before.deliveries >= 2000);
		assert.ok(after.messages_in - before.messages_in >= 20);
	});

	itEnds(praxis);
});

describe('a subscription', () => {
	const praxis = usePraxisd();

	it('is answered with where the practice is', async () => {
		const practiceId = newPractice();
		const ann = await praxis.connect({ practiceId });
		const first = await subscribe(ann, practiceId);
		assert.equal(first.practiceId, practiceId);
		assert.equal(typeof first.epoch, 'string');
		assert.equal(first.seq, 0);
		assert.equal(first.recovered, false);
		assert.ok('members' in first);
		await ann.accepted(update(practiceId));
		const second = await subscribe(ann, practiceId);
		assert.equal(second.epoch, first.epoch);
		assert.equal(second.seq, 1);
	});

	it('twice is one', async () => {
		const practiceId = newPractice();
		const [ann, bob] = [
			await praxis.connect({ practiceId }),
			await praxis.connect({ practiceId }),
		];
		await subscribe(bob, practiceId);
		await subscribe(bob, practiceId);
		await ann.accepted(update(practiceId));
		await bob.next('whiteboard_update');
		await nothingArrived([bob], [ann]);
	});

	it('can be ended and begun again', async () => {
		const practiceId = newPractice();
		const [ann, bob] = [
			await praxis.connect({ practiceId }),
			await praxis.connect({ practiceId }),
		];
		await bob.accepted({ type: 'whiteboard_unsubscribe', practiceId });
		await ann.accepted(update(practiceId));
		await nothingArrived([bob], [ann]);
		assert.equal((await subscribe(bob, practiceId)).seq, 1);
		await ann.accepted(update(practiceId));
		assert.equal((await bob.next('whiteboard_update')).seq, 2);
	});

	it('ends with the connection, however it ends', async () => {
		const practiceId = newPractice();
		const ann = await praxis.connect({ practiceId });
		for (const end of ['close', 'kill']) {
			const bob = await praxis.connectRaw({ practiceId });
			await bob[end]();
			await ann.accepted(update(practiceId));
		}
		await nothingArrived([ann]);
	});

	itEnds(praxis);
});

describe('coming back with `since`', () => {
	const praxis = usePraxisd();

	// A practice with `count` updates, the one who sent them, and where it stood before.
	async function history(count) {
		const practiceId = newPractice();
		const ann = await praxis.connect({ practiceId });
		const { epoch, seq } = await subscribe(ann, practiceId);
		const sent = Array.from({ length: count }, (_, at) => ({
			...update(practiceId),
			at: at + 1,
		}));
		sent.forEach((message) => ann.send(message));
		assert.deepEqual(await ann.fence(), []);
		return { practiceId, ann, epoch, start: seq, sent };
	}

	async function recovers(practiceId, since, expected) {
		const bob = await praxis.connect({ practiceId });
		const answer = await subscribe(bob, practiceId, since);
		assert.equal(answer.recovered, expected !== null);
		const got = await bob.fence();
		assert.deepEqual(
			got.map((message) => message.data),
			(expected ?? []).map((message) => message.data),
		);
		return { bob, answer, got };
	}

	it('brings what was missed, in order', async () => {
		const { practiceId, ann, epoch, start, sent } = await history(10);
		const { bob, answer, got } = await recovers(
			practiceId,
			{ epoch, seq: start + 4 },
			sent.slice(4),
		);
		assert.equal(answer.seq, start + 10);
		got.forEach((message, at) => {
			assert.equal(message.type, 'whiteboard_update');
			assert.equal(message.seq, start + 5 + at);
			assert.equal(message.clientId, ann.clientId);
			assert.equal(message.at, 5 + at, 'unknown fields too');
		});
		await ann.accepted(update(practiceId));
		assert.equal((await bob.next('whiteboard_update')).seq, start + 11, 'and goes on');
	});

	it('brings nothing where nothing was missed', async () => {
		const { practiceId, epoch, start } = await history(3);
		await recovers(practiceId, { epoch, seq: start + 3 }, []);
	});

	it('brings all from the beginning', async () => {
		const { practiceId, epoch, start, sent } = await history(3);
		await recovers(practiceId, { epoch, seq: start }, sent);
	});

	it('of another epoch is not recovered', async () => {
		const { practiceId, start, epoch } = await history(3);
		for (const other of ['', 'another', `${epoch}x`, epoch.slice(0, -1)]) {
			const { answer } = await recovers(practiceId, { epoch: other, seq: start + 1 }, null);
			assert.equal(answer.epoch, epoch);
			assert.equal(answer.seq, start + 3);
		}
	});

	it('of a time to come is not recovered', async () => {
		const { practiceId, epoch, start } = await history(3);
		await recovers(practiceId, { epoch, seq: start + 4 }, null);
		await recovers(practiceId, { epoch, seq: Number.MAX_SAFE_INTEGER }, null);
	});

	it('reaches back 256 updates, not more', async () => {
		const { practiceId, epoch, start, sent } = await history(300);
		await recovers(practiceId, { epoch, seq: start + 44 }, sent.slice(44));
		await recovers(practiceId, { epoch, seq: start + 43 }, null);
		await recovers(practiceId, { epoch, seq: start }, null);
	});

	it('works by one who was not away', async () => {
		const { practiceId, ann, epoch, start, sent } = await history(3);
		const answer = await subscribe(ann, practiceId, { epoch, seq: start + 1 });
		assert.equal(answer.recovered, true);
		assert.deepEqual(
			(await ann.fence()).map(({ data }) => data),
			sent.slice(1).map(({ data }) => data),
		);
	});

	it('brings nothing twice', async () => {
		const { practiceId, ann, epoch, start, sent } = await history(3);
		const bob = await praxis.connect({ practiceId });
		await ann.accepted(update(practiceId));
		const bobs = update(practiceId);
		await bob.accepted(bobs);
		assert.equal((await bob.next('whiteboard_update')).seq, start + 4, 'live');
		const recovered = async (seq) => {
			const answer = await subscribe(bob, practiceId, { epoch, seq });
			assert.equal(answer.recovered, true);
			return (await bob.fence()).map((message) => message.seq - start);
		};
		assert.deepEqual(await recovered(start + 1), [2, 3, 5], 'its own was never sent to it');
		assert.deepEqual(await recovered(start + 1), [5]);
		assert.deepEqual(await recovered(start), [1, 5]);
		assert.deepEqual(await recovered(start + 5), []);
		assert.equal(sent.length, 3);
		// One that begins anew wants all of it.
		await bob.accepted({ type: 'whiteboard_unsubscribe', practiceId });
		assert.deepEqual(await recovered(start + 3), [4, 5]);
	});

	it('works, or says that it does not, after everybody left', async () => {
		const { practiceId, ann, epoch, start, sent } = await history(3);
		await ann.close();
		const bob = await praxis.connect({ practiceId });
		const answer = await subscribe(bob, practiceId, { epoch, seq: start + 1 });
		const got = (await bob.fence()).map(({ data }) => data);
		assert.equal(answer.recovered, answer.epoch === epoch);
		assert.deepEqual(got, answer.recovered ? sent.slice(1).map(({ data }) => data) : []);
	});

	it('brings what has no key, and the last update of each key, in order', async () => {
		const practiceId = newPractice();
		const ann = await praxis.connect({ practiceId });
		const { epoch, seq } = await subscribe(ann, practiceId);
		const keys = ['a', 'b', 'a', 'a', undefined, 'b', 'a'];
		keys.forEach((key, at) => ann.send({ ...update(practiceId, at), key }));
		await ann.fence();
		const bob = await praxis.connect({ practiceId });
		assert.equal((await subscribe(bob, practiceId, { epoch, seq })).recovered, true);
		const got = (await bob.fence()).map(({ data, seq: at }) => [data, at - seq - 1]);
		assert.deepEqual(got, [
			[4, 4],
			[5, 5],
			[6, 6],
		]);
	});

	itEnds(praxis);
});

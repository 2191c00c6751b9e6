// SPDX-License-Identifier: MIT
//
// The whiteboard as shared state: what the server keeps of it and gives as a whole, also over a
// restart and a reload; and who is present and has seen what.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { assertRefused, call, post } from './lib/api.mjs';
import { enter, tokenVhost } from './lib/issuer.mjs';
import { itEnds, Praxisd, secret, usePraxisd, vhostConfig, writeFiles } from './lib/praxisd.mjs';
import { nothingArrived } from './lib/session.mjs';

// A board for each test.
let practices = 100;
const newPractice = () => ++practices;

const update = (practiceId, key, more) => ({ type: 'whiteboard_update', practiceId, key, ...more });
const kept = (practiceId, key, data) => update(practiceId, key, { keep: true, data });

// All parts of the state, as they come.
async function parts(client, practiceId, since) {
	client.send({ type: 'whiteboard_subscribe', practiceId, since, state: true });
	const answer = await client.next('whiteboard_subscribed');
	assert.equal(answer.state, 'follows');
	const all = [];
	do {
		all.push(await client.next('whiteboard_state'));
	} while (all.at(-1).part < all.at(-1).parts);
	all.forEach(({ epoch, seq, part, parts: count, practiceId: own }, at) => {
		assert.deepEqual(
			{ epoch, seq, part, count, own },
			{
				epoch: answer.epoch,
				seq: answer.seq,
				part: at + 1,
				count: all.length,
				own: practiceId,
			},
		);
	});
	return all;
}

async function stateOf(client, practiceId) {
	const all = await parts(client, practiceId);
	return Object.fromEntries(
		all.flatMap(({ values }) => values).map(({ key, data }) => [key, data]),
	);
}

describe('the state of a board', () => {
	const praxis = usePraxisd({ services: { whiteboard: { 'board-values': 100 } } });

	it('is what was kept, by whom and when', async () => {
		const practiceId = newPractice();
		const ann = await praxis.connect({ practiceId, userId: 7, userName: 'Ann' });
		const bob = await praxis.connect({ practiceId });
		await ann.accepted(kept(practiceId, 'a', { column: 1 }));
		await ann.accepted(kept(practiceId, 'b', { column: 1 }));
		await ann.accepted(update(practiceId, 'c', { data: secret() }));
		const { seq } = await ann.accepted(kept(practiceId, 'a', { column: 2 }));
		const heard = [];
		do {
			heard.push(await bob.next('whiteboard_update'));
		} while (heard.at(-1).seq < seq);
		const [{ values }] = await parts(bob, practiceId);
		assert.deepEqual(values, [heard[1], heard[3]]);
	});

	it('has what was removed no more', async () => {
		const practiceId = newPractice();
		const ann = await praxis.connect({ practiceId });
		const bob = await praxis.connect({ practiceId });
		await ann.accepted(kept(practiceId, 'a', 1));
		await bob.accepted(update(practiceId, 'a', { keep: false }));
		assert.equal((await ann.next('whiteboard_update')).keep, false);
		assert.deepEqual(await stateOf(ann, practiceId), {});
	});

	it('is not needed where what was missed follows', async () => {
		const practiceId = newPractice();
		const ann = await praxis.connect({ practiceId });
		const [{ epoch, seq }] = await parts(ann, practiceId);
		await ann.accepted(kept(practiceId, 'a', 1));
		const bob = await praxis.connect({ practiceId });
		const since = { epoch, seq };
		bob.send({ type: 'whiteboard_subscribe', practiceId, since, state: true });
		const answer = await bob.next('whiteboard_subscribed');
		assert.deepEqual([answer.recovered, answer.state], [true, 'recovered']);
		assert.equal((await bob.next('whiteboard_update')).key, 'a');
		await nothingArrived([bob]);
		await parts(bob, practiceId, { epoch: 'another', seq: 0 });
	});

	it('is in parts where it is long, with nothing between them', async () => {
		const practiceId = newPractice();
		const ann = await praxis.connect({ practiceId });
		const bob = await praxis.connect({ practiceId });
		for (let at = 0; at < 4; at++) {
			await ann.accepted(kept(practiceId, `key ${at}`, 'x'.repeat(30_000)));
		}
		ann.send(kept(practiceId, 'last', 1));
		bob.send({ type: 'whiteboard_subscribe', practiceId, state: true });
		ann.send(kept(practiceId, 'later', 1));
		await ann.fence();
		const got = (await bob.fence()).filter(({ seq }) => seq !== undefined);
		const from = got.findIndex(({ type }) => type === 'whiteboard_subscribed');
		const { seq } = got[from];
		const state = got.slice(from + 1, from + 5);
		assert.deepEqual(
			state.map(({ type, part, seq: of }) => [type, part, of]),
			[1, 2, 3, 4].map((part) => ['whiteboard_state', part, seq]),
		);
		const numbers = state.flatMap(({ values }) => values).map((value) => value.seq);
		const before = got.slice(0, from).map((message) => message.seq);
		assert.deepEqual(numbers, before);
		assert.ok(got.slice(from + 5).every((message) => message.seq > seq));
	});

	it('is that of one practice alone', async () => {
		const [here, there] = [newPractice(), newPractice()];
		const ann = await praxis.connect({ practiceId: here });
		const far = await praxis.connect({ practiceId: there });
		await ann.accepted(kept(here, 'a', secret()));
		assert.deepEqual(await stateOf(far, there), {});
		await far.refused(
			{ type: 'whiteboard_subscribe', practiceId: here, state: true },
			'forbidden',
		);
		await far.refused(kept(here, 'a', 1), 'forbidden');
		await far.refused({ type: 'whiteboard_presence', practiceId: here }, 'forbidden');
		await far.refused({ type: 'whiteboard_seen', practiceId: here, seq: 1 }, 'forbidden');
		await nothingArrived([far], [ann]);
	});

	it('is not larger than it may be', async () => {
		const practiceId = newPractice();
		const ann = await praxis.connect({ practiceId });
		for (let at = 0; at < 100; at++) {
			ann.send(kept(practiceId, `key ${at}`, at));
		}
		const { field } = await ann.refused(kept(practiceId, 'one more', 1), 'unavailable');
		assert.equal(field, 'keep');
		await ann.accepted(kept(practiceId, 'key 5', 'other'));
		await ann.accepted(update(practiceId, 'key 6', { keep: false }));
		await ann.accepted(kept(practiceId, 'one more', 1));
		assert.equal(Object.keys(await stateOf(ann, practiceId)).length, 100);
	});

	it('needs a key', async () => {
		const practiceId = newPractice();
		const ann = await praxis.connect({ practiceId });
		for (const key of [undefined, '']) {
			const { field } = await ann.refused(kept(practiceId, key, 1), 'bad_message');
			assert.equal(field, 'key');
		}
	});

	itEnds(praxis);
});

describe('a board that nobody configured', () => {
	const praxis = usePraxisd();

	it('is none, and says so', async () => {
		const practiceId = newPractice();
		const ann = await praxis.connect({ practiceId });
		const { field } = await ann.refused(kept(practiceId, 'a', 1), 'service_disabled');
		assert.equal(field, 'keep');
		await ann.refused(update(practiceId, 'a', { keep: false }), 'service_disabled');
		ann.send({ type: 'whiteboard_subscribe', practiceId, state: true });
		assert.equal((await ann.next('whiteboard_subscribed')).state, 'off');
		await nothingArrived([ann]);
	});

	itEnds(praxis);
});

describe('a board and the application', () => {
	const praxis = usePraxisd({
		services: { whiteboard: { 'board-values': 2 } },
		vhost: tokenVhost(),
	});
	const one = { practices: [1, 2] };

	it('keeps what is published, also where nobody is', async () => {
		const value = { practiceId: 1, keep: true, userId: 5, userName: 'The system' };
		const first = { ...update(1, 'a', value), data: 1 };
		assert.deepEqual(await post(praxis, one, 'publish', first), { seq: 1, delivered: 0 });
		const ann = await enter(praxis);
		const [{ values }] = await parts(ann, 1);
		const [{ clientId, userId, userName, data }] = values;
		assert.deepEqual([clientId, userId, userName, data], ['server', 5, 'The system', 1]);
		const far = await enter(praxis, { practices: [2] });
		assert.deepEqual(await stateOf(far, 2), {});
		const removal = update(1, 'a', { keep: false });
		assert.deepEqual(await post(praxis, one, 'publish', removal), { seq: 2, delivered: 1 });
		assert.equal((await ann.next('whiteboard_update')).keep, false);
		assert.deepEqual(await stateOf(ann, 1), {});
	});

	it('removes nothing where there is nothing', async () => {
		const removal = update(2, 'a', { keep: false });
		const far = await enter(praxis, { practices: [2] });
		assert.equal((await post(praxis, one, 'publish', removal)).delivered, 1);
		assert.equal((await far.next('whiteboard_update')).keep, false);
	});

	it('keeps a value once for one Idempotency-Key', async () => {
		const key = { 'Idempotency-Key': secret('key') };
		const first = await post(praxis, one, 'publish', kept(1, 'b', 1), key);
		const ann = await enter(praxis);
		await ann.accepted(kept(1, 'b', 2));
		assert.deepEqual(await post(praxis, one, 'publish', kept(1, 'b', 1), key), first);
		assert.deepEqual(await stateOf(ann, 1), { b: 2 });
	});

	it('refuses what cannot be kept', async () => {
		await post(praxis, one, 'publish', kept(1, 'c', 1));
		const publish = (body) => call(praxis, one, 'POST', 'publish', body);
		assertRefused(await publish(kept(1, 'd', 1)), 503, 'unavailable', 'keep');
		assertRefused(await publish(kept(1, undefined, 1)), 400, 'bad_message', 'key');
		assertRefused(await publish(update(1, 'a', { keep: 1 })), 400, 'bad_message', 'keep');
	});

	itEnds(praxis);
});

describe('a board and the life of the server', () => {
	const praxis = new Praxisd();
	after(() => praxis.kill());
	const services = (count) => ({ whiteboard: { 'board-values': count } });
	const began = {};

	it('goes on with another server', async () => {
		await praxis.start({ global: { 'state-file': 'state' }, services: services(3) });
		const ann = await praxis.connect({ userId: 7, userName: 'Ann' });
		await ann.accepted(kept(1, 'a', { n: '12345678901234567890' }));
		await ann.accepted(kept(1, 'b', 2));
		ann.send({ type: 'whiteboard_presence', practiceId: 1 });
		await ann.next('whiteboard_presence');
		[began.state] = await parts(ann, 1);
		praxis.signal('SIGTERM');
		await praxis.ended();
		await praxis.launch();
		const bob = await praxis.connect();
		const [{ epoch, seq, values }] = await parts(bob, 1);
		assert.deepEqual({ epoch, seq }, { epoch: began.state.epoch, seq: began.state.seq });
		assert.deepEqual(values, began.state.values);
	});

	it('goes on after a reload, with the new limits for those who come', async () => {
		await writeFiles(praxis.dir, { 'conf.d/00-default.json': vhostConfig(services(1)) });
		const since = praxis.log.length;
		praxis.signal('SIGHUP');
		await praxis.logged(/reload: .*board-values/, since);
		const ann = await praxis.connect();
		assert.deepEqual(await stateOf(ann, 1), { b: 2 });
		await ann.refused(kept(1, 'c', 1), 'unavailable');
	});

	it('leaves the next server a file that has it', async () => {
		praxis.signal('SIGTERM');
		await praxis.ended();
		await praxis.launch();
		assert.deepEqual(await stateOf(await praxis.connect(), 1), { b: 2 });
	});

	it('ends with a server that is killed, and the clients can tell', async () => {
		praxis.signal('SIGKILL');
		await praxis.exited;
		await praxis.launch();
		const [{ epoch, values }] = await parts(await praxis.connect(), 1);
		assert.deepEqual(values, []);
		assert.notEqual(epoch, began.state.epoch);
	});

	itEnds(praxis);
});

describe('presence', () => {
	const praxis = usePraxisd({
		services: { whiteboard: { 'presence-listed': 3 } },
		vhost: tokenVhost(),
	});
	const person = (userId, more = {}) => enter(praxis, { sub: userId, name: userId, ...more });
	const names = ({ users }) => users.map(({ userName }) => userName);

	async function present(client) {
		client.send({ type: 'whiteboard_presence', practiceId: 1 });
		return client.next('whiteboard_presence');
	}

	// What comes sooner or later.
	const told = (client, wanted) =>
		client.next('whiteboard_presence', (list) => names(list).join() === wanted.join());

	it('lists who says so, once for each user', async () => {
		const idle = await person('idle');
		const ann = await person('ann');
		assert.deepEqual(names(await present(ann)), ['ann']);
		const bob = await person('bob');
		const [{ userId, userName, role, seq, since }] = (await present(bob)).users;
		assert.deepEqual([userId, userName, role, seq], ['ann', 'ann', 'staff', 0]);
		assert.ok(Math.abs(since - Date.now()) < 60_000);
		await told(ann, ['ann', 'bob']);
		await present(await person('bob'));
		const far = await person('far', { practices: [2] });
		far.send({ type: 'whiteboard_presence', practiceId: 2 });
		assert.deepEqual(names(await far.next('whiteboard_presence')), ['far']);
		await nothingArrived([idle]);
	});

	it('counts those whom it does not list', async () => {
		for (const name of ['ann', 'bob', 'cyd']) {
			const one = await person(name, { practices: [5] });
			one.send({ type: 'whiteboard_presence', practiceId: 5 });
			await one.next('whiteboard_presence');
		}
		const dan = await person('dan', { practices: [5] });
		dan.send({ type: 'whiteboard_presence', practiceId: 5 });
		const { users, count } = await dan.next('whiteboard_presence');
		assert.deepEqual([users.length, count], [3, 4]);
	});

	it('has no patients', async () => {
		const patient = await person('pat', { role: 'patient', rooms: ['r'] });
		await patient.refused({ type: 'whiteboard_presence', practiceId: 1 }, 'forbidden');
		await patient.refused({ type: 'whiteboard_seen', practiceId: 1, seq: 0 }, 'forbidden');
	});

	it('forgets who has left, a moment later', async () => {
		const [eve, fay] = [
			await person('eve', { practices: [3] }),
			await person('fay', { practices: [3] }),
		];
		for (const one of [eve, fay]) {
			one.send({ type: 'whiteboard_presence', practiceId: 3 });
			await one.next('whiteboard_presence');
		}
		await fay.close();
		await told(eve, ['eve', 'fay']);
		await told(eve, ['eve']);
	});

	it('tells who has seen what', async () => {
		const [eve, fay] = [
			await person('eve', { practices: [4] }),
			await person('fay', { practices: [4] }),
		];
		for (const one of [eve, fay]) {
			one.send({ type: 'whiteboard_presence', practiceId: 4 });
			await one.next('whiteboard_presence');
		}
		const { seq } = await eve.accepted({ type: 'whiteboard_update', practiceId: 4, data: 1 });
		const seen = { type: 'whiteboard_seen', practiceId: 4, seq };
		await fay.accepted(seen);
		const { users } = await eve.next('whiteboard_seen');
		assert.deepEqual(users, [{ userId: 'fay', seq }]);
		await fay.refused({ ...seen, seq: seq + 1 }, 'bad_message');
		fay.send({ type: 'whiteboard_unsubscribe', practiceId: 4 });
		await fay.refused(seen, 'not_in_room');
	});

	itEnds(praxis);
});

describe('presence that is switched off', () => {
	const praxis = usePraxisd({ services: { whiteboard: { presence: 'off' } } });

	it('is none, and says so', async () => {
		const ann = await praxis.connect();
		await ann.refused({ type: 'whiteboard_presence', practiceId: 1 }, 'service_disabled');
		await ann.refused({ type: 'whiteboard_seen', practiceId: 1, seq: 0 }, 'not_in_room');
	});

	itEnds(praxis);
});

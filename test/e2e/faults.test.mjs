// SPDX-License-Identifier: MIT
//
// What a bad network and a starved machine do to people at work: what was confirmed arrives, in
// order, once; everybody else goes on; and the server's counters agree with what the clients saw.
// Each client (lib/person.mjs) checks every message that it gets.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Faulty } from './lib/faulty.mjs';
import { claimsOf, sign, tokenVhost } from './lib/issuer.mjs';
import { Person } from './lib/person.mjs';
import { itEnds, usePraxisd } from './lib/praxisd.mjs';
import { until, within } from './lib/wait.mjs';

const PEOPLE = 8;

// Deterministic, so that a failure comes again.
function dice(seed) {
	let state = seed;
	return (sides) => {
		state = (Math.imul(state, 1103515245) + 12345) >>> 0;
		return Math.floor((state / 2 ** 32) * sides);
	};
}

async function gather(praxis, port, { count = PEOPLE, practice = 1 } = {}) {
	const faults = [];
	const people = [];
	for (let i = 0; i < count; i++) {
		const person = new Person({
			url: `ws://127.0.0.1:${port}/ws`,
			token: await sign(claimsOf({ practices: [practice] })),
			practice,
			room: 'room',
			report: (fault) => faults.push(fault),
		});
		await person.open();
		await person.join();
		people.push(person);
	}
	return { people, faults };
}

// Comes back as often as it takes: the network may cut the return, too.
async function reconnect(person) {
	await until('being back', async () => {
		try {
			await person.open();
			return true;
		} catch {
			return false;
		}
	});
}

async function agree(people) {
	await within(Promise.all(people.map((person) => person.fence())), 'the last answer');
	const seqs = new Set(people.map((person) => person.seq));
	assert.equal(seqs.size, 1, `all have heard the same: ${[...seqs]}`);
}

async function leave(people) {
	await Promise.all(people.map((person) => person.leave()));
}

describe('a bad network', () => {
	const praxis = usePraxisd(() => ({
		global: { 'grace-ms': 30_000 },
		vhost: tokenVhost(),
		services: {
			telemedicine: { 'room-members': 50 },
		},
	}));

	it('that hands on single bytes changes nothing', async () => {
		const network = await Faulty.before(praxis.port);
		network.next = { pieces: 1 };
		const { people, faults } = await gather(praxis, network.port, { count: 3 });
		for (let i = 0; i < 20; i++) {
			await Promise.all(people.map((person) => person.update()));
			await Promise.all(people.map((person) => person.chat()));
		}
		await agree(people);
		await leave(people);
		await network.close();
		assert.deepEqual(faults, []);
	});

	it('that cuts in the middle of frames loses nothing and doubles nothing', async () => {
		const roll = dice(7);
		const network = await Faulty.before(praxis.port);
		const { people, faults } = await gather(praxis, praxis.port);
		const before = await praxis.stats();
		people.forEach((person) => {
			person.url = `ws://127.0.0.1:${network.port}/ws`;
		});
		const said = [];
		for (let round = 0; round < 60; round++) {
			const person = people[roll(people.length)];
			person.cut();
			// Far enough for the handshake, then anywhere in what follows.
			network.next =
				roll(3) === 0 ? {} : { cutUpAfter: 700 + roll(600), cutDownAfter: 500 + roll(900) };
			said.push(person.update());
			people.forEach((other) => {
				if (other.connected && roll(2)) {
					said.push(other.update(), other.chat());
				}
			});
			network.next = roll(2) ? network.next : { ...network.next, pieces: 7 };
			await reconnect(person);
			await reconnectBroken(people, network);
		}
		network.next = {};
		for (const person of people) {
			person.cut(); // its connection may have a cut before it
			await reconnect(person);
		}
		await within(Promise.all(said), 'a receipt of everything that was said');
		await agree(people);
		const after = await praxis.stats();
		const resumed = people.reduce((sum, { counts }) => sum + counts.resumed, 0);
		assert.deepEqual(faults, []);
		assert.ok(network.cuts > 10, `${network.cuts} cuts`);
		assert.equal(
			after.sessions_opened - before.sessions_opened,
			0,
			'everybody is who they were',
		);
		assert.ok(resumed >= 60, `${resumed} resumes`);
		await leave(people);
		await network.close();
	});

	it('that stalls one client costs the others nothing', async () => {
		const network = await Faulty.before(praxis.port);
		const {
			people: [stuck],
			faults: stuckFaults,
		} = await gather(praxis, network.port, {
			count: 1,
		});
		const { people, faults } = await gather(praxis, praxis.port, { count: 4 });
		network.stall();
		for (let i = 0; i < 50; i++) {
			await within(Promise.all(people.map((person) => person.update())), 'receipts');
		}
		await agree(people);
		network.flow();
		await agree([stuck, ...people]);
		await leave([stuck, ...people]);
		await network.close();
		assert.deepEqual([...faults, ...stuckFaults], []);
	});

	itEnds(praxis);
});

// Whoever the network has cut since comes back; as often as it cuts them again.
async function reconnectBroken(people, network) {
	for (const person of people) {
		if (!person.connected) {
			network.next = {};
			await reconnect(person);
		}
	}
}

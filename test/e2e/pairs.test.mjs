// SPDX-License-Identifier: MIT
//
// Features two at a time: each of limits, proxies, expiry, resuming, restart, reload, a service that
// is off and smaller rights with each, in both orders, and with itself; of clients with and without
// praxis.v1, directly and behind two kinds of proxies, of staff or patients. What lies between two
// features is tested by no test of either.
//
// Environment: PRAXIS_PAIRS_SEED, the seed (printed in the first test's name); PRAXIS_PAIRS_ONLY,
// a part of the names of the runs to be played.

import { after, describe, it } from 'node:test';
import { PLACES } from './lib/cast.mjs';
import { FACTORS, SharedServer, play, randomOf, SCHEDULES, World } from './lib/pairs.mjs';

// Another seed each time would find more, and fail where nobody changed anything: who looks for
// faults gives one.
const SEED = process.env.PRAXIS_PAIRS_SEED ?? '11';
const ONLY = process.env.PRAXIS_PAIRS_ONLY ?? '';

let numbers = 0;

// All runs of one place, the rest of each drawn from the seed and its name.
function runsOf(place) {
	const runs = [];
	for (const first of Object.keys(FACTORS)) {
		for (const second of Object.keys(FACTORS)) {
			for (const v1 of [true, false]) {
				const pair = `${first} × ${second}, ${place}, ${v1 ? 'praxis.v1' : 'plain'}`;
				const random = randomOf(`${SEED} ${pair}`);
				const role = random() < 0.5 ? 'staff' : 'patient';
				const names = Object.keys(SCHEDULES);
				const schedule = names[Math.floor(random() * names.length)];
				const name = `${pair}, ${role}, ${schedule}`;
				runs.push({ name, first, second, schedule, random, kind: { place, v1, role } });
			}
		}
	}
	return runs.filter(({ name }) => name.includes(ONLY));
}

describe(`pairs (PRAXIS_PAIRS_SEED=${SEED})`, { concurrency: PLACES.length }, () => {
	for (const place of PLACES) {
		describe(place, { concurrency: 1 }, () => {
			const server = new SharedServer();
			after(() => server.drop());

			for (const { name, first, second, schedule, random, kind } of runsOf(place)) {
				it(name, async () => {
					const world = new World(server, ++numbers, kind, random);
					const [a, b] = [new FACTORS[first](), new FACTORS[second]()];
					try {
						await play(world, SCHEDULES[schedule](a, b));
					} catch (error) {
						world.kill();
						await server.drop();
						throw error;
					}
				});
			}

			it('and the server ends, with a clean log', () => server.stop());
		});
	}
});

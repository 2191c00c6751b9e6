// SPDX-License-Identifier: MIT
//
// The soak: thousands of clients of a real praxisd that come, go, talk, lose their network and
// resume, for as long as one says; every message is checked (test/e2e/lib/person.mjs), and memory, descriptors
// and counters must stay flat (watch.mjs). Needs `npm ci` in test/e2e and a built praxisd.
//
//	node test/soak/run.mjs [--clients 5000] [--seconds 600] [--interval-ms 10000] [--seed 1]
//
// Environment: PRAXIS_BUILD, the build directory. Ends with 1 and says why if anything was wrong.

import { parseArgs } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import { claimsOf, PHRASE, sign, tokenVhost, nowS } from '../e2e/lib/issuer.mjs';
import { Praxisd } from '../e2e/lib/praxisd.mjs';
import { until } from '../e2e/lib/wait.mjs';
import { Person } from '../e2e/lib/person.mjs';
import { Watch } from './watch.mjs';

const PER_PRACTICE = 20;
const PER_ROOM = 4;
const SAMPLE_MS = 2000;
const WAIT_MS = 60_000;

const { values } = parseArgs({
	options: {
		clients: { type: 'string', default: '5000' },
		seconds: { type: 'string', default: '600' },
		'interval-ms': { type: 'string', default: '10000' },
		seed: { type: 'string', default: '1' },
	},
});
const clients = Number(values.clients);
const seconds = Number(values.seconds);
const interval = Number(values['interval-ms']);

// Small and good enough (xorshift32); a seed gives the same plan, if not the same timing.
let state = Number(values.seed) || 1;
function random() {
	state ^= state << 13;
	state ^= state >>> 17;
	state ^= state << 5;
	return (state >>> 0) / 2 ** 32;
}

const faults = [];
function report(fault) {
	faults.push(fault);
	if (faults.length <= 20) {
		console.error(`  ${fault}`);
	}
}

async function within(person, what, promise) {
	let timer;
	const late = new Promise((resolve) => {
		timer = setTimeout(() => resolve('late'), WAIT_MS);
	});
	if ((await Promise.race([promise, late])) === 'late') {
		report(`client ${person.clientId}: no answer to ${what}`);
	}
	clearTimeout(timer);
}

const acts = [
	{ name: 'update', weight: 50, act: (person) => within(person, 'an update', person.update()) },
	{ name: 'chat', weight: 25, act: (person) => within(person, 'a chat', person.chat()) },
	{ name: 'cut', weight: 15, act: cutAndResume },
	{ name: 'pause', weight: 5, act: (person) => person.pauseReading(500 + random() * 2000) },
	{ name: 'leave', weight: 5, act: leaveAndCome },
];

async function enter(person) {
	await person.open();
	await within(person, 'joining', person.join());
}

// Says something while nobody hears it, too: it must arrive all the same, once.
async function cutAndResume(person) {
	person.cut();
	const said = random() < 0.5 ? person.update() : null;
	await pause(random() * 2000);
	await person.open();
	if (said) {
		await within(person, 'what was said while cut', said);
	}
}

async function leaveAndCome(person) {
	await person.leave();
	await pause(random() * 2000);
	await enter(person);
}

function pick() {
	let at = random() * acts.reduce((sum, { weight }) => sum + weight, 0);
	return acts.find(({ weight }) => (at -= weight) < 0) ?? acts[0];
}

async function live(person, end) {
	while (Date.now() < end) {
		await pause(random() * 2 * interval);
		try {
			await pick().act(person);
		} catch (error) {
			report(`client ${person.clientId}: ${error.message}`);
			return;
		}
	}
}

const praxis = new Praxisd();
await praxis.start({
	global: {
		'log-level': 'notice',
		'grace-ms': 30_000,
		'max-connections': clients + 100,
		'max-connections-per-address': 0,
	},
	// What is kept by age has reached its size soon, so that more is a leak.
	services: { whiteboard: { 'history-age-s': 30 }, telemedicine: { 'chat-history': 10 } },
	vhost: tokenVhost(),
});
const watch = new Watch(praxis.pid, () => praxis.stats());
const before = await watch.sample();

console.log(`${clients} clients for ${seconds} s, praxisd ${praxis.pid} on port ${praxis.port}`);
const people = [];
for (let i = 0; i < clients; i++) {
	const practice = 1 + Math.floor(i / PER_PRACTICE);
	const claims = claimsOf({ practices: [practice], exp: nowS() + seconds + 3600 });
	people.push(
		new Person({
			url: `ws://127.0.0.1:${praxis.port}/ws`,
			token: await sign(claims, { key: Buffer.from(PHRASE) }),
			practice,
			room: `room-${Math.floor(i / PER_ROOM)}`,
			report,
		}),
	);
}
for (let i = 0; i < people.length; i += 50) {
	await Promise.all(people.slice(i, i + 50).map(enter));
}

watch.samples.length = 0;
const end = Date.now() + seconds * 1000;
const lives = people.map((person) => live(person, end));
while (Date.now() < end) {
	await pause(SAMPLE_MS);
	const { rssKb, descriptors, sessions, messages, queued } = await watch.sample();
	if (watch.samples.length % 15 === 0) {
		console.log(
			`${Math.round((end - Date.now()) / 1000)} s left: ${rssKb} KB, ${descriptors} ` +
				`descriptors, ${sessions} sessions, ${messages} messages, ${queued} bytes queued`,
		);
	}
}
await Promise.all(lives);

// Everybody has heard the same of each whiteboard.
await Promise.all(people.map((person) => within(person, 'a ping', person.fence())));
for (let i = 0; i < people.length; i += PER_PRACTICE) {
	const seqs = people.slice(i, i + PER_PRACTICE).map((person) => person.seq);
	const known = seqs.filter((seq) => seq !== null);
	if (known.some((seq) => seq !== known[0])) {
		report(`practice ${people[i].practice}: ends with ${seqs.join(' ')}`);
	}
}

const grown = watch.grown({
	rssKb: { percent: 3, slack: 1024 },
	descriptors: { percent: 3, slack: 10 },
	sessions: { percent: 3, slack: 10 },
	messages: { percent: 10, slack: 500 },
	queued: { percent: 50, slack: 1 << 20 },
});
grown.forEach(({ name, early, late }) => report(`${name} grew from ${early} to ${late}`));

for (let i = 0; i < people.length; i += 200) {
	await Promise.all(people.slice(i, i + 200).map((person) => person.leave()));
}
await until('nothing left behind', async () => {
	const left = await watch.sample();
	return (
		left.sessions === 0 &&
		left.rooms === 0 &&
		left.queued === 0 &&
		left.descriptors <= before.descriptors + 2
	);
});

const totals = {};
for (const { counts } of people) {
	for (const [name, count] of Object.entries(counts)) {
		totals[name] = (totals[name] ?? 0) + count;
	}
}
console.log(
	['rssKb', 'descriptors', 'sessions', 'messages']
		.map((name) => watch.compare(name))
		.map(({ name, early, late }) => `${name} ${early} → ${late}`)
		.join(', '),
);
console.log(JSON.stringify(totals));
await praxis.stop();
console.log(faults.length ? `${faults.length} faults` : 'no faults');
process.exit(faults.length ? 1 : 0);

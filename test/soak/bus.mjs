// SPDX-License-Identifier: MIT
//
// Chaos: three real praxisd on one real Redis, with clients at each that number what they say, while
// servers and Redis are killed with -9, stand still, and lose their connections. What was confirmed
// must arrive once, in one order, at everybody who listens; what was refused, never. Needs `npm ci`
// in test/e2e, redis-server, and a built praxisd.
//
//	node test/soak/bus.mjs [--seconds 600] [--practices 6] [--rate 40] [--seed 1] [--faults node,redis,freeze,cut]
//
// --rate: messages a second of each practice. Environment: PRAXIS_BUILD, the build directory. Ends
// with 1 and says why if anything was wrong.

import { createRequire } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Praxisd } from '../e2e/lib/praxisd.mjs';
import { Redis } from '../e2e/lib/redis.mjs';
import { until } from '../e2e/lib/wait.mjs';

const WebSocket = createRequire(new URL('../e2e/', import.meta.url))('ws');

const { values } = parseArgs({
	options: {
		seconds: { type: 'string', default: '600' },
		practices: { type: 'string', default: '6' },
		rate: { type: 'string', default: '40' },
		seed: { type: 'string', default: '1' },
		faults: { type: 'string', default: 'node,redis,freeze,cut' },
	},
});
const kinds = values.faults.split(',').filter(Boolean);
const rate = Number(values.rate);

// xorshift32; a seed gives the same plan, if not the same timing.
let state = Number(values.seed) || 1;
function random(below = 1) {
	state ^= state << 13;
	state ^= state >>> 17;
	state ^= state << 5;
	return ((state >>> 0) / 2 ** 32) * below;
}
const one = (list) => list[Math.floor(random(list.length))];

const violations = [];
function report(text) {
	violations.push(text);
	if (violations.length <= 20) {
		console.error(`  ${text}`);
	}
}

const redis = new Redis();
const servers = [new Praxisd(), new Praxisd(), new Praxisd()];
const waits = []; // of each confirmed message, in ms
const counts = { confirmed: 0, refused: 0, unknown: 0, heard: 0, anew: 0 };
let isOver = false;

// What the numbers of a practice stand for, whoever heard it.
class Truth {
	epochs = new Map(); // epoch → seq → text
	confirmed = new Map(); // text → times that it was heard
	refused = new Set();

	hear(epoch, seq, text) {
		const seqs = this.epochs.get(epoch) ?? new Map();
		this.epochs.set(epoch, seqs);
		if ((seqs.get(seq) ?? text) !== text) {
			report(`two truths of ${seq}: ${seqs.get(seq)} and ${text}`);
		}
		seqs.set(seq, text);
	}

	check(practice) {
		const times = new Map();
		for (const seqs of this.epochs.values()) {
			for (const text of seqs.values()) {
				times.set(text, (times.get(text) ?? 0) + 1);
			}
		}
		for (const text of this.confirmed.keys()) {
			if (times.get(text) !== 1) {
				report(
					`${practice}: ${text} was confirmed and heard ${times.get(text) ?? 0} times`,
				);
			}
		}
		for (const text of this.refused) {
			if (times.has(text)) {
				report(`${practice}: ${text} was refused and heard`);
			}
		}
	}
}

// A client that comes back for as long as it goes on, to any server.
class Client {
	constructor(practice, name) {
		Object.assign(this, { practice, name });
	}

	run() {
		const server = one(servers);
		const who = `practiceId=${this.practice}&userId=${this.name}&userName=${this.name}&role=staff`;
		this.socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws?${who}`);
		this.socket.on('message', (bytes) => this.received(JSON.parse(bytes)));
		this.socket.on('error', () => {});
		this.socket.on('close', () => {
			this.lost();
			if (!isOver) {
				setTimeout(() => this.run(), 50 + random(200));
			}
		});
	}

	send(message) {
		if (this.socket?.readyState === WebSocket.OPEN) {
			this.socket.send(JSON.stringify(message));
		}
	}
}

// What arrives before the answer to whiteboard_subscribe is not repeated behind it: what was missed
// comes later and is older.
class Listener extends Client {
	beyond = new Set(); // numbers above `seq` that arrived before those between

	received(message) {
		if (message.type === 'connection_established') {
			const since = this.epoch && { epoch: this.epoch, seq: this.seq };
			this.send({ type: 'whiteboard_subscribe', practiceId: this.practice, since });
		} else if (message.type === 'whiteboard_subscribed') {
			if (this.epoch && !message.recovered) {
				counts.anew++;
			}
			if (!message.recovered) {
				this.seq = message.seq;
				this.beyond.clear();
			}
			this.epoch = message.epoch;
			this.isSubscribed = true;
		} else if (message.type === 'error' && message.ref === 'whiteboard_subscribe') {
			setTimeout(() => this.socket.close(), message.retryAfterMs ?? 100);
		} else if (message.type === 'whiteboard_update' && this.epoch) {
			this.hear(message);
		}
	}

	hear({ seq, data }) {
		counts.heard++;
		if (seq <= this.seq || this.beyond.has(seq)) {
			report(`${this.name} of ${this.practice}: ${seq} twice, or after ${this.seq}`);
		}
		this.beyond.add(seq);
		while (this.beyond.delete(this.seq + 1)) {
			this.seq++;
		}
		this.truth.hear(this.epoch, seq, data);
	}

	lost() {
		this.isSubscribed = false;
	}
}

class Sender extends Client {
	asked = new Map(); // id → [text, when]
	next = 0;

	speak() {
		if (this.isGreeted && this.asked.size < 32) {
			const text = `${this.practice}-${this.name}-${++this.next}`;
			this.asked.set(text, [text, performance.now()]);
			this.send({
				type: 'whiteboard_update',
				practiceId: this.practice,
				data: text,
				id: text,
			});
		}
	}

	received(message) {
		if (message.type === 'connection_established') {
			this.isGreeted = true;
		}
		const asked = this.asked.get(message.id);
		if (!asked) {
			return;
		}
		this.asked.delete(message.id);
		if (message.type === 'ack') {
			counts.confirmed++;
			waits.push(performance.now() - asked[1]);
			this.truth.confirmed.set(asked[0], true);
		} else {
			counts.refused++;
			this.truth.refused.add(asked[0]);
		}
	}

	lost() {
		this.isGreeted = false;
		counts.unknown += this.asked.size;
		this.asked.clear();
	}
}

const faults = {
	async node() {
		const server = one(servers);
		server.signal('SIGKILL');
		await server.exited;
		await pause(random(2000));
		await server.launch();
	},
	async redis() {
		await redis.kill();
		await pause(random(2000));
		await redis.launch();
	},
	async freeze() {
		const server = one(servers);
		server.signal('SIGSTOP');
		await pause(one([500, 2000, 6000]));
		server.signal('SIGCONT');
	},
	async cut() {
		await redis.ask('CLIENT', 'KILL', 'TYPE', one(['normal', 'pubsub']));
	},
};

await redis.start();
const global = { bus: redis.url, 'log-level': 'notice' };
await Promise.all(servers.map((server) => server.start({ global })));
const truths = new Map();
const senders = [];
const listeners = [];
for (let p = 0; p < Number(values.practices); p++) {
	const truth = new Truth();
	truths.set(`p${p}`, truth);
	for (let n = 0; n < 3; n++) {
		const [listener, sender] = [new Listener(`p${p}`, `l${n}`), new Sender(`p${p}`, `s${n}`)];
		listener.truth = sender.truth = truth;
		listeners.push(listener);
		senders.push(sender);
		listener.run();
	}
}
await until('all listen', () => listeners.every(({ isSubscribed }) => isSubscribed));
senders.forEach((sender) => sender.run());
const talking = setInterval(() => senders.forEach((sender) => sender.speak()), 3000 / rate);

const done = {};
const end = Date.now() + Number(values.seconds) * 1000;
while (Date.now() < end) {
	const kind = one(kinds);
	if (kind) {
		done[kind] = (done[kind] ?? 0) + 1;
		await faults[kind]();
	}
	await pause(500 + random(3000));
}
clearInterval(talking);
await until('all is answered', () => senders.every(({ asked }) => asked.size === 0), 60_000);
await until(
	'all listen again',
	() => listeners.every(({ isSubscribed, socket }) => isSubscribed && socket.readyState === 1),
	60_000,
);
const latest = () => listeners.map(({ seq }) => seq).join();
let before;
do {
	before = latest();
	await pause(2000);
} while (before !== latest());
isOver = true;
for (const [practice, truth] of truths) {
	truth.check(practice);
	const there = listeners.filter((each) => each.practice === practice);
	const ends = there.map(({ seq, beyond }) => `${seq}${beyond.size > 0 ? ' with holes' : ''}`);
	if (new Set(ends).size > 1 || /holes/.test(ends[0])) {
		report(`${practice}: listeners end at ${ends.join(', ')}`);
	}
}
[...senders, ...listeners].forEach(({ socket }) => socket.close());
waits.sort((a, b) => a - b);
const wait = (share) => Math.round(waits[Math.floor(share * (waits.length - 1))] ?? 0);
console.log(JSON.stringify({ faults: done, ...counts, violations: violations.length }));
console.log(`confirmed after ms: p50 ${wait(0.5)}, p99 ${wait(0.99)}, longest ${wait(1)}`);
for (const server of servers) {
	await server.stop().catch((error) => report(`a server's end: ${error.message.slice(0, 6000)}`));
}
await redis.end();
process.exit(violations.length > 0 ? 1 : 0);

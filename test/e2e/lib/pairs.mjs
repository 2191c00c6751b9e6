// SPDX-License-Identifier: MIT
//
// What pairs.test.mjs is made of: a world (one practice, its people, and those who must not hear of
// it) on a server that many worlds have one after another, and the factors, each with a beginning
// and an end between which others act. After every act something is said, and held against what
// each person must hear and against the server's own figures.

import assert from 'node:assert/strict';
import { ask, PLACES, Person, refusedInWords, ROOM, SERVICE_OF, waited } from './cast.mjs';
import { bearer, nowS, sign, tokenVhost } from './issuer.mjs';
import { globalConfig, Praxisd, vhostConfig, writeFiles } from './praxisd.mjs';
import { until } from './wait.mjs';

const LIMITS = {
	'messages-per-second': 50,
	'messages-burst': 60,
	'max-connections-per-user': 3,
	'auth-failures': 10,
};
const TENANT = 'clinic';
const SANITIZERS = /ERROR: \w+Sanitizer|runtime error/;

// What some acts may have logged as warnings or errors.
const TOLD = [
	/warning: vhost \w+: a trusted proxy sends no valid X-Forwarded-For or Forwarded/,
	/warning: address [0-9a-f.:]+: locked for/,
];
// Whose token ended between one server and the next is not taken up.
const TOLD_OF_LAPSE = /warning: state: dropped 0 channels, 1 sessions/;
const TOLD_OF_RELOAD = /error: .*(praxis\.json|reload|configuration)/;

function vhosts() {
	const services = { admin: {} };
	const proxies = { 'trusted-proxies': ['127.0.0.1'] };
	const more = {
		default: {},
		trusted: proxies,
		proxied: { ...proxies, 'proxy-protocol': true },
	};
	return PLACES.map((name) => {
		const all = tokenVhost({}, { name, tenant: TENANT, ...more[name] });
		return vhostConfig(services, all).vhosts[0];
	});
}

const settings = (more = {}) => ({
	...LIMITS,
	'state-file': 'state',
	'grace-ms': 60000,
	'drain-ms': 0,
	...more,
});

// A server that is used by one run after another.
export class SharedServer {
	praxis = null;

	async ready() {
		if (!this.praxis) {
			this.praxis = new Praxisd();
			await this.praxis.start({
				global: settings(),
				files: { 'conf.d/00-default.json': { vhosts: vhosts() } },
			});
		}
		return this.praxis;
	}

	// What a failed run left is nobody's to explain.
	async drop() {
		await this.praxis?.kill();
		this.praxis = null;
	}

	async stop() {
		await this.praxis?.stop();
	}
}

// A generator of its own for each run, so that any of them can be played alone.
export function randomOf(text) {
	let state = 2166136261;
	for (const byte of Buffer.from(text)) {
		state = Math.imul(state ^ byte, 16777619);
	}
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

export class World {
	wires = [];
	off = new Set(); // 'place/service'
	said = 0;
	toldOfReload = false;
	#ids = 0;
	#addresses = 0;

	constructor(server, number, { v1, role, place }, random) {
		Object.assign(this, { server, number, random, place });
		this.practice = 1000 + 2 * number;
		const here = { tenant: TENANT, role: 'staff', practices: [this.practice] };
		const rooms = { rooms: [ROOM] };
		const person = (name, more) => {
			const all = { v1: false, place, ...here, ...more };
			return new Person(this, name, { address: this.newAddress(all.place), ...all });
		};
		this.teller = person('teller', { place: 'default', v1: true });
		this.witness = person('witness', {});
		this.subject = person('subject', { v1, role, ...(role === 'patient' && rooms) });
		this.stranger = person('stranger', { practices: [this.practice + 1], v1: true });
		this.foreigner = person('foreigner', { tenant: 'other' });
		this.all = [this.teller, this.witness, this.subject, this.stranger, this.foreigner];
		this.inPractice = [this.witness, this.subject];
	}

	get praxis() {
		return this.server.praxis;
	}

	chance(p) {
		return this.random() < p;
	}

	pick(list) {
		return list[Math.floor(this.random() * list.length)];
	}

	nextId() {
		return `${this.number}-${++this.#ids}`;
	}

	// Of the place's own kind: without a proxy it must be one of this machine.
	newAddress(place = this.place) {
		const first = place === 'default' ? '127.1' : '203.0';
		return `${first}.${this.number % 250}.${++this.#addresses}`;
	}

	isOff(place, service) {
		return this.off.has(`${place}/${service}`);
	}

	async begin() {
		await this.server.ready();
		this.since = this.praxis.log.length;
		await this.findPorts();
		for (const person of this.all) {
			await person.enter();
		}
		await this.settle();
	}

	async findPorts() {
		this.ports = {};
		for (const place of PLACES) {
			const pattern = new RegExp(`vhost ${place}: listening on 127\\.0\\.0\\.1:(\\d+)`);
			this.ports[place] = Number((await this.praxis.logged(pattern))[1]);
		}
	}

	// One update and one chat, here and where it must not be heard from; then everybody is asked.
	async talk() {
		for (const kind of Object.keys(SERVICE_OF)) {
			await this.#say(this.teller, kind, this.inPractice);
			await this.#say(this.stranger, kind, []);
			await this.#say(this.foreigner, kind, []);
		}
		await this.fenceAll();
		this.all.forEach((person) => person.check());
	}

	async #say(teller, kind, listeners) {
		const n = ++this.said;
		const content = { tag: teller.tag, n };
		const duties = listeners.map((person) => ({ person, duty: this.#dutyOf(person, kind) }));
		const practiceId = teller.home;
		const answer = await teller.say(
			kind === 'update'
				? { type: 'whiteboard_update', practiceId, data: content }
				: {
						type: 'telemedicine_chat_message',
						roomId: ROOM,
						appointmentId: 'a',
						practiceId,
						message: JSON.stringify(content),
						from: teller.claims.sub,
						fromUserId: teller.claims.sub,
					},
		);
		if (this.isOff(teller.place, SERVICE_OF[kind])) {
			assert.equal(answer.code, 'service_disabled');
			listeners.forEach((person) => person.owed.push({ kind, n, duty: 'never' }));
			return;
		}
		assert.equal(answer.type, 'ack', JSON.stringify(answer));
		for (const { person, duty } of duties) {
			if (duty === 'withheld') {
				person.misses(SERVICE_OF[kind]);
			}
			person.owed.push({ kind, n, duty: duty === 'withheld' ? 'never' : duty });
		}
	}

	#dutyOf(person, kind) {
		if (!person.mayHear(kind)) {
			return 'never';
		}
		if (this.isOff(person.place, SERVICE_OF[kind]) && (person.v1 || person.connected)) {
			return 'withheld';
		}
		if (person.connected) {
			return person.exp === null ? 'must' : 'may';
		}
		return person.v1 && person.exp === null ? 'kept' : 'may';
	}

	async fenceAll() {
		for (const person of this.all.filter(({ connected }) => connected)) {
			if (!(await person.fence())) {
				await this.closed(person);
			}
		}
	}

	// Only what was foreseen closes anybody.
	async closed(person) {
		const code = await person.end();
		if (code === 4401) {
			assert.ok(person.expired, `${person.name} was closed as expired`);
			this.departs(person);
			return;
		}
		assert.equal(code, 1013, `${person.name} was closed with ${code}`);
		assert.ok(
			person.missed.size || person.mayMiss,
			`${person.name} missed nothing and was closed with 1013`,
		);
		this.departs(person);
		await person.enter();
	}

	// Its session is over: the others in the room are told, or miss it where the service is off.
	departs(person) {
		const was = person.inRoom;
		person.connected = false;
		person.alive = false;
		person.inRoom = false;
		person.owed.forEach((item) => {
			item.duty = item.duty === 'kept' ? 'never' : item.duty;
		});
		if (was) {
			this.othersMiss(person);
		}
	}

	// Who comes and who goes is told to the others, or missed by those whose service is off.
	othersMiss(person) {
		for (const other of this.all) {
			if (
				other.tag === person.tag &&
				other.inRoom &&
				this.isOff(other.place, 'telemedicine')
			) {
				other.misses('telemedicine');
			}
		}
	}

	// The server knows as many as there are.
	async settle() {
		const count = (fits) => this.all.filter(fits).length;
		let known;
		let wanted;
		await until(
			() => `the server's figures: ${JSON.stringify({ known, wanted })}`,
			async () => {
				const stats = await this.praxis.stats();
				known = {
					sessions: stats.sessions,
					detached: stats.resume.detached,
					rooms: stats.rooms,
					waiting: stats.waiting,
					// What waits for somebody who is away is queued, too.
					queued: stats.resume.detached ? 0 : stats.queue_bytes,
				};
				wanted = {
					sessions: count(({ connected }) => connected),
					detached: count(({ alive, connected }) => alive && !connected),
					rooms: new Set(this.all.filter(({ inRoom }) => inRoom).map(({ tag }) => tag))
						.size,
					waiting: 0,
					queued: 0,
				};
				const unsure = this.all.some((person) => person.expired && person.alive);
				if (unsure) {
					await this.fenceAll();
				}
				return unsure || Object.keys(known).every((name) => known[name] === wanted[name]);
			},
		);
		await this.#settleLists();
	}

	// What the API lists of the practice, for its administrators.
	async #settleLists() {
		const listed = async (list) => {
			const response = await this.api('GET', `${list}?practiceId=${this.practice}`);
			assert.equal(response.status, 200, response.body);
			return JSON.parse(response.body)[list];
		};
		const here = [this.teller, ...this.inPractice].filter(
			(person) => person.alive && person.knownHere,
		);
		const clients = await listed('clients');
		if (here.some(({ exp }) => exp !== null)) {
			return;
		}
		const names = (list, of) => list.map(of).sort();
		assert.deepEqual(
			names(clients, ({ clientId }) => clientId),
			names(here, ({ client }) => client.clientId),
			'the clients of the practice',
		);
		for (const person of here.filter(({ connected }) => connected)) {
			const { address } = clients.find(({ clientId }) => clientId === person.client.clientId);
			assert.equal(address, person.cameFrom);
		}
		const rooms = await listed('rooms');
		const members = here.filter(({ inRoom }) => inRoom).length;
		assert.deepEqual(
			rooms.map((room) => room.members),
			members ? [members] : [],
			'the members of the room',
		);
	}

	async api(method, path, { body, claims, place = 'default' } = {}) {
		const token = await sign({
			sub: 'operator',
			role: 'admin',
			practices: ['*'],
			exp: nowS() + 60,
			...claims,
		});
		return ask(this, { place, address: this.newAddress(place) }, method, `/api/v1/${path}`, {
			headers: bearer(token),
			body: body ? JSON.stringify(body) : '',
		});
	}

	async switch(place, service, enabled) {
		const response = await this.api('POST', `services/${service}`, {
			body: { enabled },
			place,
		});
		assert.equal(response.status, 200, response.body);
		if (!enabled) {
			this.#withhold(place, service);
			this.off.add(`${place}/${service}`);
		} else if (this.off.delete(`${place}/${service}`)) {
			await this.#areOn([`${place}/${service}`]);
		}
	}

	// What waits for somebody when a service goes is not given while it is off.
	#withhold(place, service) {
		for (const person of this.all.filter((one) => one.place === place && !one.connected)) {
			for (const item of person.owed) {
				if (item.duty === 'kept' && SERVICE_OF[item.kind] === service) {
					item.duty = 'never';
					person.misses(service);
				}
			}
		}
	}

	// Services are on again: who missed something begins anew, and who could not join joins.
	async #areOn(names) {
		await this.fenceAll();
		for (const person of this.all) {
			const missed = [...person.missed].some((service) =>
				names.includes(`${person.place}/${service}`),
			);
			if (missed && person.alive && !person.connected) {
				this.departs(person);
			}
			assert.ok(!(missed && person.connected), `${person.name} missed something and went on`);
		}
		for (const person of this.all) {
			person.onBoard ||= !this.isOff(person.place, 'whiteboard');
			if (person.connected && !person.inRoom && !this.isOff(person.place, 'telemedicine')) {
				await person.join();
			}
		}
	}

	async configurationRead() {
		const names = [...this.off];
		this.off.clear();
		if (names.length) {
			await this.#areOn(names);
		}
	}

	async reload(files) {
		const since = this.praxis.log.length;
		await writeFiles(this.praxis.dir, files);
		this.praxis.signal('SIGHUP');
		return this.praxis.logged(/configuration reloaded|nothing was changed/, since);
	}

	// The server ends and another takes up its state. Those who were there are away.
	async restart() {
		const there = this.all.filter(({ connected }) => connected);
		this.praxis.signal('SIGTERM');
		for (const person of there) {
			const code = await person.end();
			assert.ok(
				code === 1012 || (code === 4401 && person.expired),
				`${person.name}: ${code}`,
			);
			if (code === 4401) {
				this.departs(person);
			}
		}
		await this.praxis.ended();
		this.checkLog();
		await this.praxis.launch();
		this.mayLapse = this.all.some(({ expired }) => expired);
		this.since = 0;
		await this.findPorts();
		this.off.clear();
	}

	checkLog() {
		const lines = this.praxis.log.slice(this.since).split('\n');
		this.since = this.praxis.log.length;
		const bad = lines.filter((line) => {
			const told =
				TOLD.some((pattern) => pattern.test(line)) ||
				(this.toldOfReload && TOLD_OF_RELOAD.test(line)) ||
				(this.mayLapse && TOLD_OF_LAPSE.test(line));
			return SANITIZERS.test(line) || (/ (warning|error): /.test(line) && !told);
		});
		assert.deepEqual(bad, [], 'what the server logged');
		assert.ok(!lines.some((line) => /SECRET/.test(line)), 'nothing sent is logged');
	}

	async end() {
		for (const person of this.all) {
			assert.ok(person.connected, `${person.name} is there in the end`);
			person.check();
			assert.deepEqual(person.client.violations, []);
			await person.leave();
		}
		await this.settle();
		this.checkLog();
	}

	kill() {
		this.wires.forEach((client) => client.socket.destroy());
	}
}

// ---- the factors ----
//
// `begin` and `end`, with others' in between; the end leaves the world as it was, so that all can be
// put one behind the other. `check` is asked when both have ended.

class Limits {
	async begin(world) {
		this.kind = world.pick(['messages', 'guesses', 'connections']);
		await this[this.kind](world);
	}

	async end(world) {
		if (this.refusal && this.who.connected) {
			await waited(this.refusal.retryAfterMs);
			const answer = await this.who.fence();
			if (!answer) {
				await world.closed(this.who);
			}
		}
	}

	// Of the subject, or of a guest where it is away.
	async messages(world) {
		this.who =
			world.subject.connected && world.subject.exp === null ? world.subject : world.witness;
		this.refusal = await this.who.exhaust();
		assert.ok(this.refusal.retryAfterMs <= 1000, `${this.refusal.retryAfterMs} ms`);
	}

	async guesses(world) {
		const { place, address } = world.subject;
		const asked = async (headers) =>
			ask(world, { place, address }, 'GET', '/api/v1/stats', { headers });
		const guess = () => asked(bearer('not.a.token'));
		// The wait is 100 ms at first, which a busy machine may need to ask again.
		let late = await guess();
		for (let i = 0; i < 8 && late.status === 401; i++) {
			refusedInWords(late, 401);
			late = await guess();
		}
		refusedInWords(late, 429);
		const retry = Number(late.headers['retry-after']);
		assert.ok(retry >= 1 && retry <= 25, `${retry} s`);
		const right = bearer(
			await sign({ sub: 'x', role: 'service', practices: [1], exp: nowS() + 60 }),
		);
		const passes = await asked(right);
		assert.equal(passes.status, 200, passes.body);
		await waited(retry * 1000);
		refusedInWords(await guess(), 401);
	}

	async connections(world) {
		const guests = [];
		const claims = { tenant: TENANT, role: 'staff', practices: [world.practice + 1] };
		const { place, address } = world.subject;
		const sub = `guest-${world.nextId()}`;
		const guest = async () => {
			const person = new Person(world, 'guest', {
				v1: false,
				place,
				address,
				...claims,
				sub,
			});
			await person.enter();
			guests.push(person);
		};
		for (let i = 0; i < LIMITS['max-connections-per-user']; i++) {
			await guest();
		}
		const headers = {
			...bearer(await sign({ ...claims, sub, exp: nowS() + 60 })),
			Connection: 'Upgrade',
			Upgrade: 'websocket',
			'Sec-WebSocket-Version': '13',
			'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
		};
		const refused = await ask(world, { place, address }, 'GET', '/ws', { headers });
		assert.equal(refusedInWords(refused, 429).code, 'rate_limited');
		assert.equal(refused.headers['retry-after'], '5'); // it depends on others
		await guests.pop().leave();
		await until('room for another', () =>
			guest().then(
				() => true,
				() => false,
			),
		);
		for (const person of guests) {
			await person.leave();
		}
	}
}

// A proxy that does not say who its client is: the address is unknown, and allows nothing. And the
// subject's next connection comes from elsewhere.
class Proxies {
	async begin(world) {
		const { place } = world.subject;
		const headers = world.pick([
			{ 'X-Forwarded-For': 'unknown' },
			{ 'X-Forwarded-For': '127.0.0.1, _hidden' },
			{ Forwarded: 'for=unix:' },
			{ 'X-Forwarded-For': '' },
		]);
		const how = {
			place,
			address: world.newAddress(),
			front: place === 'proxied' ? 'PROXY UNKNOWN\r\n' : undefined,
		};
		for (const path of ['/metrics', '/stats']) {
			const more = place === 'proxied' ? {} : headers;
			refusedInWords(await ask(world, how, 'GET', path, { headers: more }), 401, 403);
		}
		world.subject.address = world.newAddress();
	}

	async end(world) {
		const { subject } = world;
		if (subject.connected && subject.exp === null) {
			await subject.cut();
			await world.settle();
			await subject.reconnect();
		}
	}
}

class Expiry {
	async begin(world) {
		const { subject } = world;
		subject.exp = nowS() + 4; // a restart in between takes its time
		if (subject.connected) {
			await subject.renew(subject.claims.practices);
		} else {
			this.later = true; // it brings the new token when it comes back
		}
	}

	async end(world) {
		const { subject } = world;
		if (subject.exp === null) {
			return;
		}
		if (subject.connected) {
			await subject.client.closing();
			await world.closed(subject);
		} else {
			await until('its expiry', () => subject.expired);
		}
		const again = subject.alive && !this.later;
		subject.exp = null;
		if (again) {
			world.departs(subject);
		}
		if (!subject.connected) {
			await (subject.alive ? subject.reconnect() : subject.enter());
		}
		await world.fenceAll();
	}
}

class Resume {
	async begin(world) {
		const { subject } = world;
		if (!subject.connected) {
			return;
		}
		await subject.cut();
		if (!subject.v1 || world.chance(0.7)) {
			await world.settle();
		} else {
			await subject.reconnect(); // before the server has noticed
		}
	}

	async end(world) {
		const { subject } = world;
		if (!subject.connected) {
			await (subject.alive ? subject.reconnect() : subject.enter());
		}
	}
}

class Restart {
	async begin(world) {
		await world.restart();
		for (const person of world.all.filter((one) => one !== world.subject)) {
			await person.reconnect();
		}
		await world.fenceAll();
	}

	async end(world) {
		await new Resume().end(world);
	}
}

class Reload {
	async begin(world) {
		this.kind = world.pick(['limits', 'refused', 'renamed']);
		if (this.kind === 'refused') {
			world.toldOfReload = true;
			await world.reload({ 'praxis.json': '{ "global": { "no-such-key": 1 } }' });
			await writeFiles(world.praxis.dir, { 'praxis.json': globalConfig(settings()) });
			return;
		}
		const changed =
			this.kind === 'limits' ? { 'messages-per-second': 55 } : { 'log-level': 'info' };
		await world.reload({ 'praxis.json': globalConfig(settings(changed)) });
		await world.configurationRead();
	}

	async end(world) {
		if (this.kind !== 'refused') {
			await world.reload({ 'praxis.json': globalConfig(settings()) });
			await world.configurationRead();
		}
	}
}

class ServiceOff {
	async begin(world) {
		const { role } = world.subject.claims;
		this.service = role === 'patient' ? 'telemedicine' : world.pick(Object.values(SERVICE_OF));
		this.place = world.chance(0.7) ? world.subject.place : 'default';
		await world.switch(this.place, this.service, false);
	}

	async end(world) {
		if (world.isOff(this.place, this.service)) {
			await world.switch(this.place, this.service, true);
		}
	}
}

// Fewer practices, in place or on coming back, and all of them again.
class Rights {
	async begin(world) {
		const { subject } = world;
		const less = [`spare-${world.number}`];
		if (subject.connected) {
			const was = subject.inRoom;
			await subject.renew(less);
			if (was) {
				subject.mayMiss ||= world.isOff(subject.place, 'telemedicine'); // that it has left
				world.othersMiss(subject);
			}
		} else {
			subject.claims.practices = less;
		}
	}

	async end(world) {
		const { subject } = world;
		if (!subject.connected) {
			await (subject.alive ? subject.reconnect() : subject.enter());
		}
		if (subject.connected) {
			await subject.renew([world.practice]);
		}
	}
}

export const FACTORS = {
	limits: Limits,
	proxies: Proxies,
	expiry: Expiry,
	resume: Resume,
	restart: Restart,
	reload: Reload,
	'service off': ServiceOff,
	rights: Rights,
};

// In which order two factors begin and end.
export const SCHEDULES = {
	'one by one': (a, b) => [
		[a, 'begin'],
		[a, 'end'],
		[b, 'begin'],
		[b, 'end'],
	],
	overlapping: (a, b) => [
		[a, 'begin'],
		[b, 'begin'],
		[a, 'end'],
		[b, 'end'],
	],
	nested: (a, b) => [
		[a, 'begin'],
		[b, 'begin'],
		[b, 'end'],
		[a, 'end'],
	],
};

export async function play(world, schedule) {
	await world.begin();
	await world.talk();
	for (const [factor, act] of schedule) {
		await factor[act](world);
		await world.settle();
		await world.talk();
	}
	await world.end();
}

// SPDX-License-Identifier: MIT
//
// The people of one run of pairs.test.mjs, and what each of them must hear, may hear and must never
// hear of what was confirmed to the one who speaks. It is decided when something is said, and changed
// only by what the protocol says of reconnecting, so that a run may do whatever it likes in any
// order.

import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { request, Wire } from './http.mjs';
import { bearer, nowS, sign } from './issuer.mjs';
import { secret } from './praxisd.mjs';
import { RawClient } from './raw.mjs';
import { resumeQuery, V1 } from './resuming.mjs';

export const ROOM = 'room';
export const SERVICE_OF = { update: 'whiteboard', chat: 'telemedicine' };
const CODES = [1000, 1012, 1013, 4401, 4409];

// How each place names the client's address: at once on its connection, or in each request.
const FRONT = { proxied: (address) => `PROXY TCP4 ${address} 192.0.2.254 4711 443\r\n` };
const HEADERS = { trusted: (address) => ({ 'X-Forwarded-For': address }) };

export const PLACES = ['default', 'trusted', 'proxied'];

// A connection to one of the vhosts as its proxy makes it. `front`: another first line.
export async function connectTo(world, place, address, front) {
	const wire = await Wire.open(world.ports[place], place === 'default' ? address : undefined);
	const line = front ?? FRONT[place]?.(address);
	if (line) {
		wire.write(line);
	}
	return wire;
}

export async function ask(
	world,
	{ place = 'default', address, front },
	method,
	path,
	options = {},
) {
	const wire = await connectTo(world, place, address, front);
	try {
		const { headers = {}, body = '' } = options;
		const all = {
			Connection: 'close',
			...(!('X-Forwarded-For' in (options.headers ?? {})) && HEADERS[place]?.(address)),
			...(body && { 'Content-Type': 'application/json', 'Content-Length': body.length }),
			...headers,
		};
		wire.write(request(method, path, all, { body }));
		return await wire.response();
	} finally {
		wire.close();
	}
}

// A refusal over HTTP has a body that says which.
export function refusedInWords(response, ...statuses) {
	assert.ok(statuses.includes(response?.status), `${response?.status} ${response?.body}`);
	const { error } = JSON.parse(response.body);
	assert.match(error.code, /^[a-z_]+$/);
	assert.ok(error.message.length > 8, response.body);
	return error;
}

// Before a time that was told is over nothing is tried again, and a timer may be a little early.
export const waited = (ms) => pause(ms + 2);

export class Person {
	got = []; // { kind, n } in the order of arrival
	owed = []; // { kind, n, duty }: 'must', 'may', 'never', 'kept' (must, once it is back)
	errors = []; // that nobody asked for
	leaks = [];
	connected = false;
	alive = false; // there is a session, with a connection or waiting for one
	inRoom = false;
	mayMiss = false;
	missed = new Set(); // services that were off when it was due something: 1013 when they are on

	constructor(world, name, { place, v1, address, ...claims }) {
		Object.assign(this, { world, name, place, v1, address });
		this.claims = { sub: `${name}-${world.number}`, name: secret('name'), ...claims };
		this.home = claims.practices[0];
		this.tag = `${claims.tenant ?? ''}/${this.home}`;
		this.exp = null; // in seconds, where it matters
	}

	get hasRights() {
		return this.claims.practices.includes(this.home);
	}

	get expired() {
		return this.exp !== null && Date.now() >= this.exp * 1000 - 50;
	}

	token() {
		return sign({ ...this.claims, exp: this.exp ?? nowS() + 3600 });
	}

	// Whether it hears of what is said now, if it is there and the service is on.
	mayHear(kind) {
		const role = kind === 'chat' ? this.inRoom : this.claims.role !== 'patient';
		return this.alive && this.hasRights && role;
	}

	// Who came while a service was off is due nothing of it until it is on.
	misses(service) {
		if (service !== 'whiteboard' || this.onBoard) {
			this.missed.add(service);
		}
	}

	async enter() {
		const hello = await this.#open('');
		assert.equal(hello.type, 'connection_established', JSON.stringify(hello));
		assert.notEqual(hello.resumed, true);
		this.inRoom = false;
		this.missed.clear();
		this.mayMiss = false;
		this.owed.forEach((item) => {
			item.duty = item.duty === 'kept' ? 'never' : item.duty;
		});
		await this.join();
		return hello;
	}

	async join() {
		if (!this.hasRights) {
			return;
		}
		this.onBoard = !this.world.isOff(this.place, 'whiteboard');
		const answer = await this.#ask({
			type: 'telemedicine_user_joined',
			roomId: ROOM,
			appointmentId: 'a',
			practiceId: this.home,
			userId: this.claims.sub,
			userName: this.claims.name,
		});
		const off = this.world.isOff(this.place, 'telemedicine');
		assert.equal(answer.code ?? answer.type, off ? 'service_disabled' : 'ack');
		this.inRoom = !off;
		if (this.inRoom) {
			this.world.othersMiss(this);
		}
	}

	// The network is gone, without a word.
	async cut() {
		await this.client.kill();
		this.gone();
	}

	gone() {
		this.arrived = this.client.arrived;
		this.connected = false;
	}

	async leave() {
		this.missed.clear();
		if (this.connected) {
			this.connected = false;
			await this.client.close();
		}
		this.alive = false;
		this.inRoom = false;
	}

	// Comes back as its protocol says, or begins anew where its session must or may be over.
	async reconnect() {
		const smaller = !this.hasRights;
		const before = this.client.clientId;
		const hello = this.v1 ? await this.#resume(smaller) : await this.#open('');
		if (hello.type === 'error') {
			assert.equal(hello.code, 'token_expired');
			assert.ok(this.expired, 'refused as expired before the time');
			return this.#over();
		}
		const same = hello.clientId === before;
		if (!same) {
			assert.ok(
				!this.alive || this.expired || this.missed.size,
				`${this.name} was not resumed`,
			);
			this.#lapse();
			if (this.v1 && this.expired) {
				await this.leave();
				return undefined;
			}
			this.inRoom = false;
			this.missed.clear();
			return this.join();
		}
		this.#due(smaller);
		if (smaller) {
			this.inRoom = false;
		}
		return undefined;
	}

	async renew(practices, more = {}) {
		Object.assign(this.claims, { practices, ...more });
		const receipt = await this.#ask({ type: 'auth', token: await this.token() });
		assert.equal(receipt.type, 'ack', JSON.stringify(receipt));
		this.#told();
		if (!this.hasRights) {
			this.inRoom = false;
		} else if (!this.inRoom) {
			await this.join();
			this.mayMiss ||= !this.onBoard; // the session was on a board before
		}
	}

	// All that was sent to it is here. False if it was closed instead.
	async fence() {
		try {
			await this.#ask({ type: 'ping' });
			return true;
		} catch (error) {
			if (!/^closed with/.test(error.message)) {
				throw error;
			}
			return false;
		}
	}

	async end() {
		const { code } = await this.client.closing();
		assert.ok(CODES.includes(code), `${this.name} closed with ${code}`);
		this.gone();
		return code;
	}

	// One message with a receipt. A rate that it has used up is waited for, as long as was told.
	async say(message) {
		return this.#ask(message);
	}

	// Uses its rate up, and no more: a client that goes on regardless is closed. The last refusal.
	async exhaust() {
		for (let round = 0; round < 50; round++) {
			const ids = Array.from({ length: 10 }, () => `flood-${this.world.nextId()}`);
			ids.forEach((id) => this.client.send({ type: 'ping', id }));
			const answers = [];
			for (const id of ids) {
				answers.push(await this.#answer(id));
			}
			const refusals = answers.filter(({ type }) => type === 'error');
			refusals.forEach((answer) => this.#worded(answer));
			if (refusals.length) {
				assert.ok(refusals.every(({ code }) => code === 'rate_limited'));
				return refusals.at(-1);
			}
		}
		return assert.fail('it was never refused');
	}

	// What it was owed and what it got.
	check() {
		assert.deepEqual(this.leaks, [], `${this.name} heard of another practice`);
		assert.deepEqual(this.errors, [], `${this.name} was told of errors`);
		for (const kind of Object.keys(SERVICE_OF)) {
			const got = this.got.filter((item) => item.kind === kind).map(({ n }) => n);
			const sorted = [...new Set(got)].sort((a, b) => a - b);
			assert.deepEqual(got, sorted, `${this.name}: ${kind} once and in order`);
			for (const { n, duty } of this.owed.filter((item) => item.kind === kind)) {
				const heard = got.includes(n);
				assert.ok(!(duty === 'must' && !heard), `${this.name} lacks ${kind} ${n}`);
				assert.ok(!(duty === 'never' && heard), `${this.name} must not hear ${kind} ${n}`);
			}
		}
	}

	// The server has seen its latest token.
	#told() {
		this.knownExp = this.exp;
		this.knownHere = this.hasRights;
	}

	#lapse() {
		this.owed.forEach((item) => {
			item.duty = item.duty === 'kept' ? 'never' : item.duty;
		});
		this.alive = true;
	}

	#over() {
		this.#lapse();
		this.alive = false;
		this.connected = false;
		this.inRoom = false;
	}

	// What was kept for it follows now, as far as it may hear it.
	#due(smaller) {
		for (const item of this.owed) {
			if (item.duty === 'kept') {
				const off = this.world.isOff(this.place, SERVICE_OF[item.kind]);
				item.duty = smaller || off ? 'never' : 'must';
			}
		}
	}

	#resume(smaller) {
		const query = resumeQuery(this.client.resumeToken, this.arrived);
		// The token alone is enough, as long as nothing else is to be told.
		const nothingNew = !smaller && this.exp === this.knownExp;
		const bare = this.alive && nothingNew && (this.exp !== null || this.world.chance(0.5));
		return this.#open(`?${query}`, bare);
	}

	async #open(query, bare = false) {
		const headers = {
			...HEADERS[this.place]?.(this.address),
			...(this.v1 && V1),
			...(!bare && bearer(await this.token())),
		};
		const wire = await connectTo(this.world, this.place, this.address);
		const received = query ? this.arrived : 0;
		const client = await RawClient.open(0, `/ws${query}`, {}, { headers, wire });
		const early = []; // what came with the upgrade itself
		while (client.inbox.size) {
			early.push(await client.next());
		}
		const push = client.inbox.push.bind(client.inbox);
		client.inbox.push = (message) => {
			this.#hear(message);
			push(message);
		};
		early.forEach((message) => this.#hear(message));
		const hello = early[0] ?? (await client.next());
		client.clientId = hello.clientId;
		client.resumeToken = hello.resume?.token ?? this.client?.resumeToken;
		if (hello.type === 'resumed') {
			client.arrived += received;
		}
		if (hello.type === 'error') {
			await client.closing();
			return hello;
		}
		this.world.wires.push(client);
		this.client = client;
		this.connected = true;
		this.alive = true;
		this.cameFrom = this.address;
		if (!bare) {
			this.#told();
		}
		return hello;
	}

	#hear(message) {
		if (message.type === 'whiteboard_update') {
			this.#note('update', message.data);
		} else if (message.type === 'telemedicine_chat_message') {
			this.#note('chat', JSON.parse(message.message));
		} else if (message.type === 'error' && message.id === undefined) {
			this.#worded(message);
			if (message.code !== 'token_expired' || !this.expired) {
				this.errors.push(message);
			}
		}
	}

	#note(kind, { tag, n }) {
		if (tag !== this.tag) {
			this.leaks.push(`${kind} ${n} of ${tag}`);
		} else {
			this.got.push({ kind, n });
		}
	}

	#worded(error) {
		const named = /^[a-z_]+$/.test(error.code) && error.message?.length > 8;
		if (!named) {
			this.errors.push({ ...error, why: 'it says nothing' });
		}
		if (error.retryAfterMs !== undefined && !(error.retryAfterMs > 0)) {
			this.errors.push({ ...error, why: 'no time' });
		}
	}

	#answer(id) {
		return this.client.next(undefined, (reply) => {
			return reply.id === id && (reply.type === 'ack' || reply.type === 'error');
		});
	}

	async #ask(message) {
		const id = `ask-${this.world.nextId()}`;
		this.client.send({ ...message, id });
		const answer = await this.#answer(id);
		if (answer.type === 'error') {
			this.#worded(answer);
		}
		if (answer.code !== 'rate_limited') {
			return answer;
		}
		await waited(answer.retryAfterMs);
		this.client.send({ ...message, id: `${id}-again` });
		const again = await this.#answer(`${id}-again`);
		assert.notEqual(
			again.code,
			'rate_limited',
			`after ${answer.retryAfterMs} ms, as it was told`,
		);
		return again;
	}
}

// SPDX-License-Identifier: MIT
//
// Every message of every client of the tests, held against its description (described.mjs).
//
// What the server sends must be described, and has no field besides those of its schema. A relayed
// message may have further ones, if a client of this process or the application has sent such a
// field. What a client sends against its schema must be refused: tests do so on purpose. It counts
// as taken when its receipt comes, or the answer to a later ping and no error before.
//
// What is wrong waits in a list, which Praxisd.settle() asserts empty after each test.

import { faultOf, messageOf, schemaOf } from './described.mjs';

// Services that exist for tests alone.
const UNDESCRIBED = /^(badabi|echo|notifications?|older|earlier|earliest|reminders|tasks)_/;

// In open mode the sender's own words, which the server does not look at.
const OWN_WORDS = /^\/(userId|userName) /;

const isWellFormed = (type) => typeof type === 'string' && /^[a-z][a-z0-9_]{0,63}$/.test(type);

const faults = [];
const further = new Map(); // type → names of fields that were sent besides those described

function report(side, fault, text) {
	faults.push(`${side}: ${fault}: ${String(text).slice(0, 300)}`);
}

// All that was wrong since the last call.
export function takeFaults() {
	return faults.splice(0);
}

process.on('exit', () => {
	if (faults.length > 0) {
		console.error(`against the description of the messages:\n${faults.join('\n')}`);
		process.exitCode ||= 1;
	}
});

function parse(text) {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

const isDescribed = (side, type) => typeof type === 'string' && messageOf(side, type) !== undefined;

// Fields of a message that is about to be sent, by whomever, may come with it to others.
export function noteFurther(message) {
	const object = typeof message === 'object' ? message : parse(message);
	const type = object?.type;
	if (!isDescribed('server', type) || !messageOf('server', type)['x-relayed']) {
		return;
	}
	if (!further.has(type)) {
		further.set(type, new Set());
	}
	Object.keys(object).forEach((name) => further.get(type).add(name));
}

// One client's connection.
export class Conformance {
	#suspects = []; // against their schema, and not refused yet: { type, id, text, fault }
	#pings = []; // { t, suspects: how many had been sent before }

	sent(text) {
		const message = parse(text);
		const type = isWellFormed(message?.type) ? message.type : undefined;
		if (UNDESCRIBED.test(type)) {
			return;
		}
		noteFurther(type === 'admin_broadcast' ? message.message : message);
		const fault = message === undefined ? 'no JSON' : faultOf('client', message);
		if (fault) {
			this.#suspects.push({ type, id: message?.id, text, fault });
		} else if (type === 'ping' && this.#suspects.length > 0) {
			this.#pings.push({ t: JSON.stringify(message.t), suspects: [...this.#suspects] });
		}
	}

	received(message, text) {
		const { type } = message;
		if (UNDESCRIBED.test(type)) {
			return;
		}
		const isRelayed = messageOf('server', type)?.['x-relayed'] === true;
		let fault = faultOf('server', message);
		if (isRelayed && OWN_WORDS.test(fault)) {
			fault = faultOf('server', { ...message, userId: undefined, userName: undefined });
		}
		if (fault) {
			report('the server', fault, text);
		} else if (isRelayed) {
			this.#checkRelayed(message, text);
		}
		this.#judge(message);
	}

	#checkRelayed(message, text) {
		const { properties } = schemaOf('server', message.type);
		const sent = further.get(message.type);
		for (const name of Object.keys(message)) {
			if (!Object.hasOwn(properties, name) && !sent?.has(name)) {
				report('the server', `${name} is described nowhere, and nobody has sent it`, text);
			}
		}
	}

	// What an answer says of what was sent against its schema.
	#judge({ type, id, ref, t }) {
		if (this.#suspects.length === 0) {
			return;
		}
		if (type === 'error') {
			const at = this.#suspects.findIndex((suspect) => suspect.type === ref);
			this.#suspects.splice(at, at < 0 ? 0 : 1);
		} else if (type === 'ack') {
			this.#convict(this.#suspects.filter((suspect) => suspect.id === id));
		} else if (type === 'pong') {
			const at = this.#pings.findIndex((ping) => ping.t === JSON.stringify(t));
			const [ping] = at < 0 ? [] : this.#pings.splice(0, at + 1).slice(-1);
			this.#convict(this.#suspects.filter((each) => ping?.suspects.includes(each)));
		}
	}

	#convict(taken) {
		for (const { fault, text } of taken) {
			report('a client, and the server took it', fault, text);
		}
		this.#suspects = this.#suspects.filter((suspect) => !taken.includes(suspect));
	}
}

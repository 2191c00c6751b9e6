// SPDX-License-Identifier: MIT
//
// What every client of the tests can do, whatever carries its messages: send, await, ask for a
// receipt, and put up a fence. WsClient (client.mjs) is well-behaved, RawClient (raw.mjs) is not.
//
// Besides, each message that arrives is held against what the protocol promises of all of them, so
// that no test has to (`violations` is asserted empty when the test ends), and against its
// description (conformance.mjs).

import assert from 'node:assert/strict';
import { Conformance } from './conformance.mjs';
import { fields } from './json.mjs';
import { Inbox } from './inbox.mjs';
import { NODES, released } from './nodes.mjs';
import { within } from './wait.mjs';

const RELAYED = new Set([
	'whiteboard_update',
	'telemedicine_user_joined',
	'telemedicine_offer',
	'telemedicine_answer',
	'telemedicine_ice_candidate',
	'telemedicine_chat_message',
	'telemedicine_media_state',
]);
const STAMPS = ['clientId', 'timestamp', 'practiceId', 'seq'];

let lastAsked = 0;

export class Session {
	violations = [];
	inbox = new Inbox();
	arrived = 0; // messages that have a number (docs/protocol.md, section 6)
	#conformance = new Conformance();
	#resolveClosed;
	closed = new Promise((resolve) => {
		this.#resolveClosed = resolve;
	});

	// What this client says of itself; the query of its URL and its messages are made of it.
	constructor(identity = {}) {
		this.identity = identity;
	}

	// Sends text as it is, an object as JSON.
	send(message) {
		const text = typeof message === 'string' ? message : JSON.stringify(message);
		this.#conformance.sent(text);
		this.sendText(text);
	}

	next(type, fits, ms) {
		return this.inbox.next(type, fits, ms);
	}

	// Sends with an `id` and returns the receipt: the `ack`, or the `error`.
	async ask(message) {
		const id = `ask-${++lastAsked}`;
		if (typeof message === 'string') {
			this.send(message.replace(/^\{/, `{"id":"${id}",`));
		} else {
			this.send({ ...message, id });
		}
		return this.next(undefined, (reply) => {
			return reply.id === id && (reply.type === 'ack' || reply.type === 'error');
		});
	}

	async accepted(message) {
		const receipt = await this.ask(message);
		assert.equal(receipt.type, 'ack', `accepted: got ${JSON.stringify(receipt)}`);
		return receipt;
	}

	async refused(message, code) {
		const receipt = await this.ask(message);
		assert.equal(receipt.type, 'error', `${code}: got ${JSON.stringify(receipt)}`);
		assert.equal(receipt.code, code);
		assert.equal(typeof receipt.message, 'string');
		return receipt;
	}

	// Everything that arrived and that nobody took, up to the answer to a ping sent now. All that
	// this client sent before has been dealt with by then, and what was sent to it before is here.
	async fence() {
		if (!NODES) {
			return this.#ping();
		}
		await released();
		return [...(await this.#ping()), ...(await this.#ping())];
	}

	async #ping() {
		const t = `fence-${++lastAsked}`;
		this.send({ type: 'ping', t });
		const taken = await this.inbox.takeThrough(
			'pong',
			(reply) => reply.type === 'pong' && reply.t === t,
		);
		return taken.slice(0, -1);
	}

	// Joins a room and returns the answer.
	join(roomId, more = {}) {
		const { userId, userName } = this.identity;
		this.send({
			type: 'telemedicine_user_joined',
			roomId,
			appointmentId: `appointment-${roomId}`,
			userId,
			userName,
			...more,
		});
		return this.next(
			'telemedicine_room_joined',
			(reply) => String(reply.roomId) === String(roomId),
		);
	}

	closing(ms) {
		return within(
			this.closed,
			() => `the connection's end (${this.inbox.size} messages not taken)`,
			ms,
		);
	}

	// For the transports.

	received(text) {
		let message;
		try {
			message = JSON.parse(text);
		} catch {
			this.violations.push(`not JSON: ${text.slice(0, 200)}`);
			return;
		}
		Object.defineProperty(message, 'raw', { value: text });
		this.#check(message, text);
		this.#conformance.received(message, text);
		if (message.type !== 'connection_established' && message.type !== 'resumed') {
			this.arrived++;
		}
		this.inbox.push(message);
	}

	ended(code, reason) {
		this.inbox.end(`closed with ${code} ${reason}`);
		this.#resolveClosed({ code, reason });
	}

	#check(message, text) {
		const names = fields(text).map((field) => field.key);
		const twice = STAMPS.filter((name) => names.indexOf(name) !== names.lastIndexOf(name));
		if (typeof message.type !== 'string' || !/^[a-z][a-z0-9_]{0,63}$/.test(message.type)) {
			this.violations.push(`no type: ${text.slice(0, 200)}`);
		}
		if (twice.length) {
			this.violations.push(`${twice.join()} given twice: ${text.slice(0, 200)}`);
		}
		if (
			RELAYED.has(message.type) &&
			!(
				Number.isInteger(message.timestamp) &&
				typeof message.clientId === 'string' &&
				message.practiceId !== undefined
			)
		) {
			this.violations.push(`not stamped: ${text.slice(0, 200)}`);
		}
	}
}

// Asserts that nothing arrived at any of these that the test has not taken. `busy` are those whose
// messages might have caused it: theirs are dealt with first.
export async function nothingArrived(quiet, busy = []) {
	for (const client of busy) {
		await client.fence();
	}
	for (const client of quiet) {
		assert.deepEqual(await client.fence(), [], 'nothing arrives');
	}
}

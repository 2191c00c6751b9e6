// SPDX-License-Identifier: MIT
//
// The application's back end as webhooks see it: an HTTP server in this process. Of every request
// it checks the signature, by node:crypto, and the body, by its schema in the API's description;
// which events it has taken (answered with 2xx) it knows in their order, each once, as a real one
// would by their ids.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { until } from './wait.mjs';

export const SIGNING = 'what signs webhooks in the tests, of more than 32 bytes';

// Of a request's body. Compiled when the first one comes: the client's tests bundle this file with
// praxisd.mjs, and use none.
let check;

function assertDescribed(body) {
	if (!check) {
		const file = new URL('../../../server/api/openapi.json', import.meta.url);
		const { components } = JSON.parse(readFileSync(file, 'utf8'));
		const { default: Ajv } = createRequire(import.meta.url)('ajv/dist/2020.js');
		const ajv = new Ajv({ strict: false });
		ajv.addSchema({ $id: 'openapi', components });
		check = ajv.getSchema('openapi#/components/schemas/WebhookRequest');
	}
	assert.ok(check(body), `${JSON.stringify(check.errors)}: ${JSON.stringify(body)}`);
}

export class Receiver {
	requests = []; // { at, url, text, events, signedBy }
	taken = [];
	doubles = 0;
	violations = [];
	secrets = [SIGNING];
	clocks = [0]; // ms by which the server's clock may be apart from the one of this process
	answer = () => 204;
	#ids = new Set();

	async listen(path = '/hook?key=SECRET-of-the-url') {
		this.server = http.createServer((request, response) => this.#receive(request, response));
		await new Promise((resolve) => {
			this.server.listen(this.port ?? 0, '127.0.0.1', resolve);
		});
		this.port = this.server.address().port;
		return `http://127.0.0.1:${this.port}${path}`;
	}

	close() {
		this.server.closeAllConnections();
		return new Promise((resolve) => {
			this.server.close(resolve);
		});
	}

	// Those of the practice, of that type if one is given.
	of(practiceId, type) {
		return this.taken.filter((event) => {
			return event.practiceId === practiceId && (!type || event.type === type);
		});
	}

	types(practiceId) {
		return this.of(practiceId).map(({ type }) => type);
	}

	// The first event that fits, when it has been taken.
	event(type, fits = () => true, ms) {
		const find = () => this.taken.find((event) => event.type === type && fits(event));
		return until(() => `${type}; there are ${this.#list()}`, find, ms);
	}

	asked(count, ms) {
		return until(
			() => `${count} requests; there are ${this.requests.length}`,
			() => this.requests.length >= count,
			ms,
		);
	}

	#list() {
		return this.taken.map(({ type, practiceId }) => `${type}(${practiceId})`).join(' ');
	}

	#receive(request, response) {
		const pieces = [];
		response.on('error', () => {});
		request.on('error', () => {});
		request.on('data', (piece) => pieces.push(piece));
		request.on('end', () => {
			const text = Buffer.concat(pieces).toString();
			const received = { at: Date.now(), url: request.url, text, signedBy: null, events: [] };
			this.requests.push(received);
			try {
				this.#check(request, received);
			} catch (error) {
				this.violations.push(error.message);
			}
			const status = this.answer(received, response, request);
			if (typeof status === 'number') {
				response.writeHead(status).end();
			}
			if (typeof status === 'number' ? status < 300 && status >= 200 : response.taken) {
				this.#take(received.events);
			}
		});
	}

	#check(request, received) {
		assert.equal(request.method, 'POST');
		assert.equal(request.headers['content-type'], 'application/json');
		const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(request.headers['praxis-signature']);
		assert.ok(this.#isNow(Number(t) * 1000), 'signed just now');
		received.signedBy = this.secrets.find((secret) => {
			return (
				createHmac('sha256', secret).update(`${t}.${received.text}`).digest('hex') === v1
			);
		});
		assert.ok(received.signedBy, 'the signature is right');
		const body = JSON.parse(received.text);
		assert.deepEqual(Object.keys(body), ['sentAt', 'events']);
		assert.ok(this.#isNow(body.sentAt));
		assert.ok(body.events.length > 0);
		received.events = body.events;
		for (const { id, type, at } of body.events) {
			assert.match(id, /^[0-9a-f]{16}-\d+$/);
			assert.match(
				type,
				/^(session_(opened|closed)|room_(started|ended)|member_(joined|left))$/,
			);
			assert.ok(Number.isInteger(at) && (at <= body.sentAt + 5 || this.clocks.length > 1));
		}
		const practices = new Set(body.events.map(({ practiceId }) => practiceId));
		assert.equal(practices.size, 1, 'a request is of one practice');
		assertDescribed(body);
	}

	#isNow(ms) {
		return this.clocks.some((apart) => Math.abs(ms - Date.now() - apart) < 30_000);
	}

	#take(events) {
		for (const event of events) {
			if (this.#ids.has(event.id)) {
				this.doubles++;
			} else {
				this.#ids.add(event.id);
				this.taken.push(event);
			}
		}
	}
}

// What the options of a vhost are with such a receiver.
export const webhook = (url, more = {}) => ({
	'webhook-url': url,
	'webhook-secret': SIGNING,
	...more,
});

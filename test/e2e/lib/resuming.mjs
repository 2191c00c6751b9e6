// SPDX-License-Identifier: MIT
//
// Clients of praxis.v1 and what they count (docs/protocol.md, section 6).

import assert from 'node:assert/strict';
import { RawClient } from './raw.mjs';

export const V1 = { 'Sec-WebSocket-Protocol': 'praxis.v1' };

// Those who connected directly are ended with the others of `praxis`, but with a close frame.
export async function openV1(praxis, query = '', { headers = {}, port, ...options } = {}) {
	const where = query ? `/ws?${query}` : '/ws';
	const all = { headers: { ...V1, ...headers }, ...options };
	const client = port
		? await RawClient.open(port, where, {}, all)
		: await praxis.open(where, all);
	client.isGentle = true;
	client.hello = await client.next();
	client.clientId = client.hello.clientId;
	client.resumeToken = client.hello.resume?.token;
	return client;
}

export const resumeQuery = (token, received) => `resume=${token}&received=${received}`;

// The session of `old` on another connection.
export async function resume(praxis, old, received = old.arrived, options = {}) {
	const client = await openV1(praxis, resumeQuery(old.resumeToken, received), options);
	assert.equal(client.hello.type, 'resumed', JSON.stringify(client.hello));
	assert.equal(client.clientId, old.clientId);
	assert.match(client.resumeToken, /^[A-Za-z0-9._~-]{40,}$/);
	assert.notEqual(client.resumeToken, old.resumeToken);
	client.arrived += received;
	return client;
}

// It is not resumed, and gets a session like everybody.
export async function startOver(praxis, query, options = {}) {
	const client = await openV1(praxis, query, options);
	assert.equal(client.hello.type, 'connection_established');
	assert.equal(client.hello.resumed, false);
	return client;
}

// One that comes back whenever it is cut, and sends again what the server did not have. What
// arrives, of whatever connection, is in `got`, once and in order if the server keeps its word.
export class Resilient {
	got = [];
	#sent = []; // not known to have arrived
	#known = 0; // … and how many are
	#over = false;
	resumes = 0;

	static async open(praxis, query, { port }) {
		const it = new Resilient();
		it.praxis = praxis;
		it.port = port;
		it.client = await openV1(praxis, query, { port });
		it.running = it.#run();
		return it;
	}

	send(message) {
		this.#sent.push(message);
		this.#write(message);
	}

	async end() {
		this.#over = true;
		await this.client.close();
		await this.running;
	}

	#write(message) {
		if (!this.client.socket.destroyed) {
			this.client.send(message);
		}
	}

	async #run() {
		while (!this.#over) {
			try {
				for (;;) {
					this.got.push(await this.client.next());
					if (this.got.length % 16 === 0) {
						this.send({ type: 'received', n: this.got.length });
					}
				}
			} catch {
				await this.#return();
			}
		}
	}

	async #return() {
		// What came while nobody asked is here: the inbox gives it before it says that it is over.
		while (!this.#over) {
			try {
				const { resumeToken } = this.client;
				this.client = await openV1(this.praxis, resumeQuery(resumeToken, this.got.length), {
					port: this.port,
				});
				break;
			} catch (error) {
				if (error instanceof assert.AssertionError && this.client.resumeToken) {
					throw error;
				}
			}
		}
		if (this.#over) {
			return;
		}
		this.resumes++;
		assert.equal(this.client.hello.type, 'resumed', JSON.stringify(this.client.hello));
		this.#sent.splice(0, this.client.hello.received - this.#known);
		this.#known = this.client.hello.received;
		for (const message of this.#sent) {
			this.#write(message);
		}
	}
}

// SPDX-License-Identifier: MIT
//
// What a client is told that brings good credentials, bad ones, or a ticket.

import assert from 'node:assert/strict';
import { exchange, request } from './http.mjs';
import { bearer, token } from './issuer.mjs';

export const offering = (...names) => ({ 'Sec-WebSocket-Protocol': names.join(', ') });

// Asserts that a client is told in-band that it is not let in: no greeting, an error, 4401.
export async function assertTurnedAway(client, code = 'unauthenticated') {
	const error = await client.next();
	assert.equal(error.type, 'error', `no greeting: ${JSON.stringify(error)}`);
	assert.equal(error.code, code);
	assert.equal(typeof error.message, 'string');
	assert.equal((await client.closing()).code, 4401);
	assert.equal(client.inbox.size, 0, 'and nothing else');
}

export async function assertUser(client, sub) {
	const hello = await client.next();
	assert.equal(hello.type, 'connection_established', JSON.stringify(hello));
	assert.equal(hello.user?.userId, sub);
}

export async function ticketFor(praxis, claims, caller = { role: 'service', practices: [1, 2] }) {
	const response = await postTicket(praxis, { claims }, bearer(await token(caller)));
	assert.equal(response.status, 200, response.body);
	return JSON.parse(response.body).ticket;
}

export function postTicket(praxis, body, headers = {}) {
	const text = typeof body === 'string' ? body : JSON.stringify(body);
	const all = { 'Content-Length': Buffer.byteLength(text), Connection: 'close', ...headers };
	return exchange(praxis.port, request('POST', '/api/v1/tickets', all, { body: text }));
}

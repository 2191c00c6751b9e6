// SPDX-License-Identifier: MIT
//
// Attempts at a server that may refuse them.

import assert from 'node:assert/strict';
import { Wire, exchange, request } from './http.mjs';
import { bearer, token } from './issuer.mjs';
import { upgradeRequest } from './raw.mjs';

export function assertTurnedAway(response, status, code) {
	assert.equal(response?.status, status, response?.body);
	assert.ok(Number(response.headers['retry-after']) > 0, 'Retry-After');
	const { error } = JSON.parse(response.body);
	assert.equal(error.code, code);
	assert.equal(typeof error.message, 'string');
}
// The answer to one upgrade, whose connection is then ended: 101 or a refusal.
export async function attempt(praxis, headers = {}) {
	const wire = await Wire.open(praxis.port);
	try {
		wire.write(upgradeRequest('/ws', headers));
		return await wire.response();
	} finally {
		wire.close();
	}
}
export const call = (praxis, method, path, headers, body = '') =>
	exchange(
		praxis.port,
		request(
			method,
			path,
			{
				...headers,
				...(method === 'POST' ? { 'Content-Length': Buffer.byteLength(body) } : {}),
			},
			{ body },
		),
	);
export const serverAdmin = async (more = {}) =>
	bearer(await token({ role: 'admin', practices: ['*'], ...more }));

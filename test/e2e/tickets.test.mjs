// SPDX-License-Identifier: MIT
//
// Tickets: what the back end gets for a client, and how long and where it is good.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
	assertTurnedAway,
	assertUser,
	offering,
	postTicket,
	ticketFor,
} from './lib/credentials.mjs';
import { Wire, exchange, request } from './lib/http.mjs';
import { bearer, claimsOf, nowS, token, tokenVhost } from './lib/issuer.mjs';
import { itEnds, usePraxisd } from './lib/praxisd.mjs';

describe('tickets', () => {
	const praxis = usePraxisd({
		global: { 'auth-failures': 0 },
		vhost: tokenVhost(),
	});

	const post = postTicket.bind(null, praxis);
	const service = async (more) => bearer(await token({ role: 'service', ...more }));

	function assertError(response, status, code) {
		assert.equal(response?.status, status, response?.body);
		const { error } = JSON.parse(response.body);
		assert.equal(typeof error.code, 'string');
		assert.equal(typeof error.message, 'string');
		if (code) {
			assert.equal(error.code, code);
		}
	}

	const use = (ticket) =>
		praxis.open('/ws', { headers: offering('praxis.v1', `ticket.${ticket}`) });

	it('stand for the identity that the back end gave', async () => {
		const claims = claimsOf({ sub: 7, role: 'patient', rooms: ['a'], exp: undefined });
		const response = await post({ claims }, await service());
		assert.equal(response.status, 200, response.body);
		const { ticket, expiresAt } = JSON.parse(response.body);
		assert.match(ticket, /^[A-Za-z0-9_-]{16,64}$/);
		const ms = expiresAt - Date.now();
		assert.ok(ms > 25_000 && ms <= 30_100, `good for ${ms} ms`);
		const client = await use(ticket);
		const { user } = await client.next('connection_established');
		assert.deepEqual(user, {
			userId: 7,
			userName: claims.name,
			role: 'patient',
			practices: [1],
		});
	});

	it('are good once', async () => {
		const ticket = await ticketFor(praxis, claimsOf({ sub: 'once' }));
		await assertUser(await use(ticket), 'once');
		await assertTurnedAway(await use(ticket));
	});

	it('are all different', async () => {
		const all = [];
		for (let i = 0; i < 20; i++) {
			all.push(await ticketFor(praxis, claimsOf()));
		}
		assert.equal(new Set(all).size, 20);
	});

	it('that nobody gave out are no good', async () => {
		const ticket = await ticketFor(praxis, claimsOf());
		for (const wrong of [
			'x',
			'A'.repeat(ticket.length),
			`${ticket.slice(0, -1)}${ticket.endsWith('A') ? 'B' : 'A'}`,
			ticket.slice(0, -1),
			`${ticket}A`,
		]) {
			await assertTurnedAway(await use(wrong));
		}
		await (await use(ticket)).next('connection_established');
	});

	it('are for role service and admin to ask for', async () => {
		const body = { claims: claimsOf() };
		assert.equal((await post(body, await service())).status, 200);
		assert.equal((await post(body, bearer(await token({ role: 'admin' })))).status, 200);
		for (const role of ['staff', 'patient']) {
			assertError(await post(body, bearer(await token({ role }))), 403, 'forbidden');
		}
	});

	it('need a token that is good', async () => {
		const body = { claims: claimsOf() };
		assertError(await post(body), 401, 'unauthenticated');
		assertError(await post(body, bearer('no.to.ken')), 401, 'unauthenticated');
		assertError(await post(body, await service({ exp: nowS() - 5 })), 401);
		assertError(await post(body, { Authorization: 'Basic YTpi' }), 401);
		const jwt = await token({ role: 'service' });
		assertError(await post(body, { Cookie: `praxis=${jwt}` }), 401);
		const response = await exchange(
			praxis.port,
			request(
				'POST',
				`/api/v1/tickets?access_token=${jwt}`,
				{ 'Content-Length': 2 },
				{
					body: '{}',
				},
			),
		);
		assertError(response, 400, 'bad_message');
	});

	it('do not go beyond the token that asks for them', async () => {
		const beyond = [
			{ practices: [2] },
			{ practices: [1, 2] },
			{ practices: undefined, practiceId: 2 },
			{ practices: ['*'], role: 'admin' },
			{ tenant: 'another' },
			{ role: 'admin' },
		];
		for (const more of beyond) {
			assertError(await post({ claims: claimsOf(more) }, await service()), 403, 'forbidden');
		}
		const admin = bearer(await token({ role: 'admin' }));
		assert.equal((await post({ claims: claimsOf({ role: 'admin' }) }, admin)).status, 200);
		assertError(await post({ claims: claimsOf({ practices: [2] }) }, admin), 403);
	});

	it('are for no other rooms than those of the token that asks', async () => {
		const narrow = await service({ rooms: ['a', 'b'] });
		for (const rooms of [undefined, ['c'], ['a', 'c']]) {
			assertError(await post({ claims: claimsOf({ rooms }) }, narrow), 403, 'forbidden');
		}
		for (const rooms of [[], ['a'], ['b', 'a']]) {
			assert.equal((await post({ claims: claimsOf({ rooms }) }, narrow)).status, 200);
		}
		const patient = claimsOf({ role: 'patient', rooms: undefined });
		assert.equal((await post({ claims: patient }, narrow)).status, 200, 'it may join none');
	});

	it('of an administrator of all practices may be for any', async () => {
		const all = bearer(await token({ role: 'admin', practices: ['*'] }));
		assert.equal((await post({ claims: claimsOf({ practices: [77] }) }, all)).status, 200);
		assertError(await post({ claims: claimsOf({ tenant: 'another' }) }, all), 403);
	});

	it('need a body that makes sense', async () => {
		const headers = await service();
		for (const body of [
			'',
			'{',
			'[]',
			'7',
			'{}',
			'{"claims":7}',
			'{"claims":[]}',
			'{"claims":null}',
			'{"claims":{}}',
			{ claims: claimsOf({ sub: undefined }) },
			{ claims: claimsOf({ role: undefined }) },
			{ claims: claimsOf({ role: 'root' }) },
			{ claims: claimsOf({ practices: { 1: true } }) },
			{ claims: claimsOf({ practices: 1 }) },
			{ claims: claimsOf({ rooms: 'a' }) },
			{ claims: claimsOf({ name: 7 }) },
			{ claims: claimsOf({ exp: 'soon' }) },
			JSON.stringify({ claims: claimsOf() }).replace('"role"', '"sub":"x","role"'),
			`${JSON.stringify({ claims: claimsOf() })} x`,
		]) {
			assertError(await post(body, headers), 400);
		}
	});

	it('with claims that have expired let nobody in', async () => {
		const response = await post({ claims: claimsOf({ exp: nowS() - 100 }) }, await service());
		if (response.status === 200) {
			const client = await use(JSON.parse(response.body).ticket);
			assert.equal((await client.closing()).code, 4401);
			return;
		}
		assertError(response, 400);
	});

	it('take no body that is too large', async () => {
		const claims = claimsOf();
		const most = JSON.stringify({ claims: { ...claims, pad: '' } });
		const padded = (size) =>
			JSON.stringify({
				claims: { ...claims, pad: 'x'.repeat(size - Buffer.byteLength(most)) },
			});
		assert.equal((await post(padded(65536), await service())).status, 200);
		const wire = await Wire.open(praxis.port);
		const headers = { ...(await service()), 'Content-Length': 65537 };
		wire.write(request('POST', '/api/v1/tickets', headers));
		assertError(await wire.response(), 413);
		wire.close();
		const huge = { ...(await service()), 'Content-Length': '99999999999999999999999' };
		const other = await Wire.open(praxis.port);
		other.write(request('POST', '/api/v1/tickets', huge));
		const response = await other.response();
		assert.ok([400, 411, 413].includes(response?.status), `${response?.status}`);
		other.close();
	});

	it('take no body whose length is not known', async () => {
		for (const [status, length] of [
			[411, { 'Transfer-Encoding': 'chunked' }],
			[411, {}],
			// RFC 9112, section 6.1: who sends both may want to be read in two ways.
			[400, { 'Transfer-Encoding': 'chunked', 'Content-Length': 5 }],
		]) {
			const headers = { ...(await service()), ...length };
			const text = request('POST', '/api/v1/tickets', headers, {
				body: '2\r\n{}\r\n0\r\n\r\n',
			});
			assertError(await exchange(praxis.port, text), status);
		}
		for (const length of ['-1', '0x10', '1e3', 'many']) {
			const headers = { ...(await service()), 'Content-Length': length };
			const response = await exchange(
				praxis.port,
				request('POST', '/api/v1/tickets', headers),
			);
			assert.ok(!response || [400, 411, 413].includes(response.status), length);
		}
	});

	it('are asked for with POST', async () => {
		for (const method of ['GET', 'HEAD']) {
			const response = await exchange(
				praxis.port,
				request(method, '/api/v1/tickets', await service()),
				{ head: method === 'HEAD' },
			);
			assert.equal(response?.status, 405);
			assert.match(response.headers.allow, /POST/);
		}
		const other = await exchange(
			praxis.port,
			request(
				'POST',
				'/api/v1/nothing',
				{ ...(await service()), 'Content-Length': 2 },
				{
					body: '{}',
				},
			),
		);
		assertError(other, 404);
	});

	it('may be asked for in pieces, and again on the same connection', async () => {
		const wire = await Wire.open(praxis.port);
		for (let i = 0; i < 3; i++) {
			const body = JSON.stringify({ claims: claimsOf({ sub: `piece-${i}` }) });
			const text = request(
				'POST',
				'/api/v1/tickets',
				{ ...(await service()), 'Content-Length': Buffer.byteLength(body) },
				{ body },
			);
			const half = text.length - 40;
			wire.write(text.slice(0, half));
			await praxis.stats(); // the server had time to read it
			wire.write(text.slice(half));
			const response = await wire.response();
			assert.equal(response?.status, 200, response?.body);
			await assertUser(await use(JSON.parse(response.body).ticket), `piece-${i}`);
		}
		wire.close();
	});

	it('whose body never comes leave nothing behind', async () => {
		const wire = await Wire.open(praxis.port);
		const headers = { ...(await service()), 'Content-Length': 1000 };
		wire.write(request('POST', '/api/v1/tickets', headers, { body: '{"claims":' }));
		await praxis.stats();
		wire.close();
	});

	itEnds(praxis);
});

// SPDX-License-Identifier: MIT
//
// The API for the application's back end (docs/api.md): what it shows, what it
// does, and what it refuses. Every answer is held against the description (lib/api.mjs).

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { all, assertDescribed, assertRefused, call, get, post } from './lib/api.mjs';
import { exchange, request, Wire } from './lib/http.mjs';
import { bearer, enter, token, tokenVhost } from './lib/issuer.mjs';
import { itEnds, secret, usePraxisd } from './lib/praxisd.mjs';
import { nothingArrived } from './lib/session.mjs';
import { until } from './lib/wait.mjs';

const one = { practices: [1] };
const everything = { practices: ['*'] };
const serverAdmin = { practices: ['*'], role: 'admin' };
const stranger = { tenant: 'other', practices: ['*'], role: 'admin' };

describe('what the API shows', () => {
	const praxis = usePraxisd({
		vhost: tokenVhost(),
		services: {
			telemedicine: {
				'turn-secret': secret('turn'),
				'turn-urls': ['turn:example.org'],
				'ice-servers': [
					{ urls: 'turn:a.example', username: 'u', credential: secret('credential') },
				],
			},
		},
	});

	it('clients, with who they are, of its practices alone', async () => {
		const ann = await enter(praxis, { sub: 7, practices: [1] });
		const bob = await enter(praxis, { practices: ['2', 1] });
		const far = await enter(praxis, { practices: [2] });
		const other = await enter(praxis, { tenant: 'other', practices: [1] });
		const rows = await all(praxis, one, 'clients');
		assert.deepEqual(
			rows.map(({ clientId }) => clientId),
			[ann.clientId, bob.clientId],
		);
		const { openedAt, messagesIn, messagesOut, userName, services, ...row } = rows[0];
		assert.deepEqual(row, {
			clientId: ann.clientId,
			userId: 7,
			role: 'staff',
			authenticated: true,
			connected: true,
			practices: [1],
			address: '127.0.0.1',
			rooms: 0,
			queueBytes: 0,
		});
		assert.deepEqual(services.sort(), ['echo', 'telemedicine', 'whiteboard']);
		assert.equal(userName, ann.claims.name);
		assert.ok(Math.abs(openedAt - Date.now()) < 60000);
		assert.equal(messagesIn, 0);
		assert.equal(messagesOut, 1);
		assert.deepEqual(rows[1].practices, [1], 'and not the other practice');
		assert.equal((await all(praxis, everything, 'clients')).length, 3);
		assert.deepEqual(
			(await all(praxis, stranger, 'clients')).map(({ clientId }) => clientId),
			[other.clientId],
		);
		assert.equal((await all(praxis, everything, 'clients', { practiceId: 2 })).length, 2);
		assert.equal((await all(praxis, everything, 'clients', { practiceId: 77 })).length, 0);
		assert.ok(far);
	});

	it('clients page by page', async () => {
		const clients = [];
		for (let i = 0; i < 7; i++) {
			clients.push(await enter(praxis));
		}
		const page = await get(praxis, one, 'clients?limit=3');
		assert.equal(page.clients.length, 3);
		const rest = await all(praxis, one, 'clients', { limit: 2, after: page.next });
		assert.deepEqual(
			[...page.clients, ...rest].map(({ clientId }) => clientId),
			clients.map(({ clientId }) => clientId),
		);
	});

	it('clients of one service', async () => {
		const board = await enter(
			praxis,
			{},
			{
				headers: { 'Sec-WebSocket-Protocol': 'whiteboard' },
			},
		);
		const unified = await enter(praxis);
		const ids = async (service) => {
			return (await all(praxis, one, 'clients', { service })).map((row) => row.clientId);
		};
		assert.deepEqual(await ids('whiteboard'), [board.clientId, unified.clientId]);
		assert.deepEqual(await ids('telemedicine'), [unified.clientId]);
	});

	it('rooms of its practices', async () => {
		const ann = await enter(praxis);
		const bob = await enter(praxis);
		const far = await enter(praxis, { practices: [2] });
		await ann.join('r');
		await bob.join('r');
		await far.join('r');
		const rooms = await all(praxis, one, 'rooms');
		assert.equal(rooms.length, 1);
		const { openedAt, ...room } = rooms[0];
		assert.deepEqual(room, {
			service: 'telemedicine',
			roomId: 'r',
			practiceId: 1,
			members: 2,
			waiting: 0,
			clients: [ann.clientId, bob.clientId],
		});
		assert.ok(Math.abs(openedAt - Date.now()) < 60000);
		assert.equal((await all(praxis, everything, 'rooms')).length, 2);
		assert.equal((await all(praxis, everything, 'rooms', { service: 'echo' })).length, 0);
	});

	it('totals of the server to server administrators, of practices to the others', async () => {
		await enter(praxis);
		const far = await enter(praxis, { practices: [2] });
		await far.join('r');
		const whole = await get(praxis, everything, 'stats');
		assert.equal(whole.scope, 'server');
		assert.equal(whole.totals.sessions, 2);
		assert.equal(whole.totals.rooms, 1);
		assert.equal(whole.server.draining, false);
		const own = await get(praxis, { practices: [1, 3] }, 'stats');
		assert.equal(own.scope, 'practices');
		assert.deepEqual(own.totals, { clients: 1, rooms: 0, published: own.totals.published });
		assert.deepEqual(
			own.practices.map(({ practiceId }) => practiceId),
			[1, 3],
		);
		const others = await get(praxis, stranger, 'stats');
		assert.equal(others.scope, 'practices', 'all of another tenant is not all');
	});

	it('services with their messages, and options without secrets', async () => {
		const { services } = await get(praxis, everything, 'services');
		const telemedicine = services.find(({ name }) => name === 'telemedicine');
		assert.equal(telemedicine.enabled, true);
		assert.ok(telemedicine.messages.find(({ type }) => type === 'telemedicine_offer'));
		assert.equal(telemedicine.options['room-members'], 8);
		assert.equal(telemedicine.options['turn-secret'], '(hidden)');
		assert.equal(telemedicine.options['ice-servers'][0].credential, '(hidden)');
		assert.equal(telemedicine.options['ice-servers'][0].urls, 'turn:a.example');
		const own = await get(praxis, one, 'services');
		assert.equal(own.services[0].options, undefined, 'only for server administrators');
	});

	it('the configuration in force, without secrets, to server administrators', async () => {
		const response = await call(praxis, serverAdmin, 'GET', 'config');
		assert.equal(response.status, 200);
		assert.doesNotMatch(response.body, /SECRET|phrase/);
		const { config } = response.json;
		assert.equal(config.global['max-channels'], 100000);
		assert.equal(config.vhost.name, 'default');
		assert.equal(config.vhost.tokens.secret, '(hidden)');
		assertRefused(await call(praxis, one, 'GET', 'config'), 403, 'forbidden');
		assertRefused(await call(praxis, stranger, 'GET', 'config'), 403, 'forbidden');
	});

	it('the figures of the last hour to server administrators', async () => {
		await until('a sample', async () => {
			return (await get(praxis, serverAdmin, 'history')).samples.length > 0;
		});
		const { everyMs, fields, samples } = await get(praxis, serverAdmin, 'history');
		assert.equal(everyMs, 10000);
		assert.equal(fields[0], 'at');
		assert.ok(samples.every((row) => row.length === fields.length));
		assert.ok(Math.abs(samples[0][0] - Date.now()) < 60000);
		assertRefused(await call(praxis, one, 'GET', 'history'), 403, 'forbidden');
	});

	it('answers HEAD without a body', async () => {
		const headers = bearer(await token({ role: 'service' }));
		const text = request('HEAD', '/api/v1/stats', headers);
		const response = await exchange(praxis.port, text, { head: true });
		assert.equal(response.status, 200);
		assert.ok(Number(response.headers['content-length']) > 0);
	});

	for (const [name, version] of [
		['openapi', /^3\.1/],
		['asyncapi', /^3\.0/],
	]) {
		it(`its description ${name}.json, to everybody`, async () => {
			const response = await exchange(praxis.port, request('GET', `/api/v1/${name}.json`));
			assert.match(JSON.parse(response.body)[name], version);
			assert.equal(response.headers['access-control-allow-origin'], undefined);
			await assertDescribed(praxis.port, 'GET', `/api/v1/${name}.json`, response);
		});
	}

	itEnds(praxis);
});

describe('what the API does', () => {
	const praxis = usePraxisd(async () => {
		return {
			vhost: tokenVhost(),
			global: { audit: { file: 'audit.jsonl' } },
		};
	});
	const events = async (event) => {
		const text = await readFile(path.join(praxis.dir, 'audit.jsonl'), 'utf8');
		const auditLog = text
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line));
		return auditLog.filter((line) => line.event === event);
	};

	it('closes a client, which is told why, and the audit log has it', async () => {
		const ann = await enter(
			praxis,
			{},
			{
				headers: { 'Sec-WebSocket-Protocol': 'praxis.v1' },
			},
		);
		const { clientId } = ann;
		const reason = secret('reason');
		const answer = await post(praxis, { ...one, sub: 'boss' }, 'disconnect', {
			clientId,
			reason,
		});
		assert.deepEqual(answer, { clientId });
		assert.equal((await ann.next('disconnecting')).reason, reason);
		assert.equal((await ann.closing()).code, 4410);
		const [line] = (await events('administered')).slice(-1);
		assert.equal(line.reason, 'disconnect');
		assert.equal(line.target, clientId);
		assert.equal(line.user, 'boss');
		assert.equal(line.role, 'service');
		assert.equal(line.practice, 1);
		assert.equal(line.address, '127.0.0.1');
		const again = await call(praxis, one, 'POST', 'disconnect', { clientId });
		assertRefused(again, 404, 'not_found', 'clientId');
	});

	it('closes a client without praxis.v1 so that it stays away', async () => {
		const ann = await enter(praxis);
		await post(praxis, one, 'disconnect', { clientId: ann.clientId });
		assert.equal((await ann.closing()).code, 1000);
	});

	it('closes no client of another practice, and does not say that it is there', async () => {
		const far = await enter(praxis, { practices: [2] });
		const both = await enter(praxis, { practices: [1, 2] });
		const other = await enter(praxis, { tenant: 'other' });
		for (const clientId of [far.clientId, other.clientId, 'nobody', '']) {
			const response = await call(praxis, one, 'POST', 'disconnect', { clientId });
			assertRefused(response, 404, 'not_found', 'clientId');
		}
		const response = await call(praxis, one, 'POST', 'disconnect', {
			clientId: both.clientId,
		});
		assertRefused(response, 403, 'forbidden', 'clientId');
		const [line] = (await events('refused')).slice(-1);
		assert.equal(line.reason, 'forbidden');
		assert.equal(line.role, 'service');
		await nothingArrived([far, both, other]);
	});

	it('ends a room', async () => {
		const ann = await enter(praxis);
		const bob = await enter(praxis);
		await ann.join('r');
		await bob.join('r');
		const room = { service: 'telemedicine', practiceId: 1, roomId: 'r' };
		assertRefused(
			await call(praxis, { practices: [2] }, 'POST', 'rooms/end', room),
			403,
			'forbidden',
			'practiceId',
		);
		assertRefused(
			await call(praxis, one, 'POST', 'rooms/end', { ...room, roomId: 'x' }),
			404,
			'not_found',
			'roomId',
		);
		assertRefused(
			await call(praxis, one, 'POST', 'rooms/end', { ...room, service: 'x' }),
			404,
			'not_found',
			'service',
		);
		await post(praxis, one, 'rooms/end', room);
		const left = await ann.next('telemedicine_user_left', ({ clientId }) => {
			return clientId === ann.clientId;
		});
		assert.equal(left.reason, 'ended');
		assert.deepEqual(await all(praxis, one, 'rooms'), []);
		const [line] = (await events('administered')).slice(-1);
		assert.equal(line.reason, 'end_room');
		assert.equal(line.room, 'r');
	});

	it('switches a service off and on', async () => {
		const ann = await enter(praxis);
		const message = { type: 'whiteboard_update', practiceId: 1 };
		assertRefused(
			await call(praxis, one, 'POST', 'services/whiteboard', { enabled: false }),
			403,
			'forbidden',
		);
		assertRefused(
			await call(praxis, serverAdmin, 'POST', 'services/nothing', { enabled: false }),
			404,
			'not_found',
			'name',
		);
		await post(praxis, serverAdmin, 'services/whiteboard', { enabled: false });
		await ann.refused(message, 'service_disabled');
		assert.equal((await praxis.stats()).services.whiteboard.enabled, false);
		assertRefused(
			await call(praxis, one, 'POST', 'publish', message),
			409,
			'service_disabled',
			'type',
		);
		await post(praxis, serverAdmin, 'services/whiteboard', { enabled: true });
		await ann.accepted(message);
		const lines = (await events('administered')).slice(-2);
		assert.deepEqual(
			lines.map(({ reason, target }) => [reason, target]),
			[
				['disable', 'whiteboard'],
				['enable', 'whiteboard'],
			],
		);
	});

	itEnds(praxis);
});

describe('publishing', () => {
	const praxis = usePraxisd({ vhost: tokenVhost() });
	const update = (more) => ({ type: 'whiteboard_update', practiceId: 1, ...more });

	it('reaches the practice and nobody else, with the bytes that were sent', async () => {
		const ann = await enter(praxis);
		const bob = await enter(praxis);
		const far = await enter(praxis, { practices: [2] });
		const other = await enter(praxis, { tenant: 'other' });
		const body =
			'{"type":"whiteboard_update","practiceId":"1","data":{"n":1.50,"s":"\\u00e4"},' +
			'"clientId":"forged","seq":77,"userId":9}';
		const answer = await post(praxis, one, 'publish', body);
		assert.deepEqual(answer, { seq: 1, delivered: 2 });
		const got = await ann.next('whiteboard_update');
		assert.match(got.raw, /"data":\{"n":1\.50,"s":"\\u00e4"\}/);
		assert.equal(got.clientId, 'server');
		assert.equal(got.practiceId, '1');
		assert.equal(got.seq, 1);
		assert.equal(got.userId, 9, 'the application speaks for its users');
		assert.equal((await bob.next('whiteboard_update')).seq, 1);
		await nothingArrived([far, other], [ann]);
	});

	it('is part of the history', async () => {
		const ann = await enter(praxis);
		ann.send({ type: 'whiteboard_subscribe', practiceId: 1 });
		const { epoch, seq } = await ann.next('whiteboard_subscribed');
		const first = await post(praxis, one, 'publish', update({ data: secret() }));
		assert.equal(first.seq, seq + 1);
		await ann.next('whiteboard_update');
		const bob = await enter(praxis);
		bob.send({ type: 'whiteboard_subscribe', practiceId: 1, since: { epoch, seq } });
		assert.equal((await bob.next('whiteboard_subscribed')).recovered, true);
		assert.equal((await bob.next('whiteboard_update')).seq, first.seq);
	});

	it('reaches a room, and those who come later', async () => {
		const ann = await enter(praxis);
		await ann.join('r');
		const message = {
			type: 'telemedicine_chat_message',
			practiceId: 1,
			roomId: 'r',
			message: secret('chat'),
			from: 'The practice',
		};
		assert.deepEqual(await post(praxis, one, 'publish', message), { delivered: 1 });
		assert.equal((await ann.next('telemedicine_chat_message')).message, message.message);
		const bob = await enter(praxis);
		assert.equal((await bob.join('r')).chat[0].from, 'The practice');
		for (const [field, change, status, code] of [
			['roomId', { roomId: 'x' }, 404, 'not_found'],
			['roomId', { roomId: undefined }, 400, 'bad_message'],
			['message', { message: 5 }, 400, 'bad_message'],
			['type', { type: 'telemedicine_offer' }, 400, 'unknown_type'],
		]) {
			const response = await call(praxis, one, 'POST', 'publish', {
				...message,
				...change,
			});
			assertRefused(response, status, code, field);
		}
	});

	it('reaches nobody where nobody is', async () => {
		const answer = await post(praxis, everything, 'publish', update({ practiceId: 99 }));
		assert.deepEqual(answer, { delivered: 0 });
		const { practices } = await praxis.stats();
		await post(praxis, everything, 'publish', update({ practiceId: 98 }));
		assert.equal((await praxis.stats()).practices, practices, 'and nothing is kept of it');
	});

	it('refuses what makes no sense, and other practices', async () => {
		const ann = await enter(praxis);
		for (const [body, status, code, field] of [
			['', 400, 'bad_json'],
			['{', 400, 'bad_json'],
			['[]', 400, 'bad_message'],
			['{}', 400, 'bad_message', 'type'],
			[update({ practiceId: 2 }), 403, 'forbidden', 'practiceId'],
			[update({ practiceId: null }), 400, 'bad_message', 'practiceId'],
			[update({ type: 'echo_say' }), 400, 'unknown_type', 'type'],
			[update({ type: 'nothing' }), 400, 'unknown_type', 'type'],
		]) {
			assertRefused(await call(praxis, one, 'POST', 'publish', body), status, code, field);
		}
		await nothingArrived([ann]);
	});

	it('is done once under an Idempotency-Key', async () => {
		const ann = await enter(praxis);
		const key = { 'Idempotency-Key': 'a-key' };
		const first = await post(praxis, one, 'publish', update({ data: 1 }), key);
		const second = await post(praxis, one, 'publish', update({ data: 1 }), key);
		assert.deepEqual(second, first);
		assert.equal((await ann.next('whiteboard_update')).seq, first.seq);
		await nothingArrived([ann]);
		const other = await call(praxis, one, 'POST', 'publish', update({ data: 2 }), key);
		assertRefused(other, 422, 'bad_message');
		// Another tenant's key is another key.
		const others = await post(praxis, { tenant: 'other' }, 'publish', update({ data: 2 }), key);
		assert.deepEqual(others, { delivered: 0 });
		// So is another practice's; and whoever may not publish to this one learns nothing of it.
		const two = { practices: [2] };
		assertRefused(
			await call(praxis, two, 'POST', 'publish', update({ data: 1 }), key),
			403,
			'forbidden',
			'practiceId',
		);
		const elsewhere = await post(praxis, two, 'publish', update({ practiceId: 2 }), key);
		assert.equal(elsewhere.delivered, 0);
		// What failed was not done, and may be tried again.
		const failing = { 'Idempotency-Key': 'b-key' };
		const room = {
			type: 'telemedicine_chat_message',
			practiceId: 1,
			roomId: 'later',
			message: 'm',
		};
		const failed = await call(praxis, one, 'POST', 'publish', room, failing);
		assertRefused(failed, 404, 'not_found', 'roomId');
		await ann.join('later');
		assert.deepEqual(await post(praxis, one, 'publish', room, failing), { delivered: 1 });
		for (const bad of ['x'.repeat(129), 'with space', '']) {
			const response = await call(praxis, one, 'POST', 'publish', update(), {
				'Idempotency-Key': bad,
			});
			assertRefused(response, 400, 'bad_request');
		}
	});

	itEnds(praxis);
});

describe('keys that are remembered', () => {
	const praxis = usePraxisd({ global: { 'max-idempotency-keys': 4 }, vhost: tokenVhost() });

	it('are bounded, each tenant by half', async () => {
		const message = { type: 'whiteboard_update', practiceId: 1 };
		const publish = (claims, key) => {
			return call(praxis, claims, 'POST', 'publish', message, { 'Idempotency-Key': key });
		};
		for (const tenant of ['a', 'b']) {
			assert.equal((await publish({ tenant }, '1')).status, 200);
			assert.equal((await publish({ tenant }, '2')).status, 200);
			assertRefused(await publish({ tenant }, '3'), 503, 'unavailable');
			assert.equal((await publish({ tenant }, '2')).status, 200, 'and are not forgotten');
		}
		assert.equal((await praxis.stats()).idempotency_keys, 4);
	});

	itEnds(praxis);
});

// Every route: with what it works, and which of its fields are which.
const ROUTES = [
	['GET', 'stats'],
	['GET', 'services'],
	['GET', 'clients'],
	['GET', 'rooms'],
	['GET', 'config'],
	['GET', 'history'],
	['POST', 'tickets', { claims: { sub: '1', role: 'staff', practices: [1] } }],
	['POST', 'publish', { type: 'whiteboard_update', practiceId: 1 }],
	['POST', 'disconnect', { clientId: 'c0000000000000000' }],
	['POST', 'rooms/end', { service: 'telemedicine', practiceId: 1, roomId: 'r' }],
	['POST', 'services/whiteboard', { enabled: true }],
];

describe('what the API refuses', () => {
	const praxis = usePraxisd({ global: { 'auth-failures': 0 }, vhost: tokenVhost() });

	for (const [method, name, body] of ROUTES) {
		it(`${method} ${name}: without a token, with a bad one, and of other roles`, async () => {
			const none = await call(praxis, null, method, name, body);
			assertRefused(none, 401, 'unauthenticated');
			assert.match(none.headers['www-authenticate'], /^Bearer/);
			const bad = await call(praxis, null, method, name, body, bearer('x.y.z'));
			assertRefused(bad, 401, 'unauthenticated');
			for (const role of ['staff', 'patient']) {
				const response = await call(praxis, { role, rooms: [] }, method, name, body);
				assertRefused(response, 403, 'forbidden');
			}
		});

		it(`${method} ${name}: with another method`, async () => {
			for (const other of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
				if (other !== method && !(name === 'services' && other === 'POST')) {
					const takesBody = ['POST', 'PUT', 'PATCH'].includes(other);
					const response = await call(
						praxis,
						serverAdmin,
						other,
						name,
						takesBody ? '{}' : undefined,
					);
					assertRefused(response, 405, 'bad_request');
					const allow = method === 'GET' ? 'GET, HEAD' : 'POST';
					assert.equal(response.headers.allow, allow);
					assert.equal(response.headers['access-control-allow-origin'], undefined);
				}
			}
		});

		it(`${method} ${name}: with a parameter that it does not know`, async () => {
			for (const query of ['nosuch=1', 'nosuch', 'after=1&nosuch=1', 'access_token=x']) {
				const text = method === 'GET' ? undefined : body;
				const response = await call(praxis, serverAdmin, method, `${name}?${query}`, text);
				assertRefused(response, 400, 'bad_message');
			}
		});

		if (method === 'GET') {
			continue;
		}

		it(`POST ${name}: broken, unknown, too large, not JSON, without a length`, async () => {
			for (const broken of ['', '{', 'null', '[]', '{"a":1,}', 'x'.repeat(65536)]) {
				const response = await call(praxis, serverAdmin, 'POST', name, broken);
				assert.equal(response.status, 400, broken.slice(0, 20));
			}
			if (name !== 'publish') {
				const more = { ...body, surprise: 1 };
				const response = await call(praxis, serverAdmin, 'POST', name, more);
				assertRefused(response, 400, 'bad_message');
			}
			for (const field of Object.keys(body)) {
				for (const wrong of [undefined, null, {}]) {
					const response = await call(praxis, serverAdmin, 'POST', name, {
						...body,
						[field]: wrong,
					});
					assertRefused(response, 400, 'bad_message', field);
				}
			}
			const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
			assertRefused(
				await call(praxis, serverAdmin, 'POST', name, body, type),
				415,
				'bad_request',
			);
			const utf8 = { 'Content-Type': 'Application/JSON; charset=utf-8' };
			assert.notEqual(
				(await call(praxis, serverAdmin, 'POST', name, body, utf8)).status,
				415,
			);
			const chunked = { 'Transfer-Encoding': 'chunked', 'Content-Length': null };
			const unknown = await call(praxis, serverAdmin, 'POST', name, '{}', chunked);
			assertRefused(unknown, 411, 'bad_request');
			const wire = await Wire.open(praxis.port);
			wire.write(
				request('POST', `/api/v1/${name}`, {
					...bearer(await token({ role: 'service' })),
					'Content-Length': 10 * 1024 * 1024,
				}),
			);
			assert.equal((await wire.response()).status, 413);
			wire.close();
		});
	}

	for (const query of [
		'limit=501',
		'limit=-1',
		'limit=x',
		'after=x',
		'after=99999999999999999',
		'service=',
		`practiceId=${'x'.repeat(129)}`,
		'surprise=1',
		'limit',
	]) {
		it(`clients?${query.slice(0, 30)}`, async () => {
			const response = await call(praxis, serverAdmin, 'GET', `clients?${query}`);
			assert.equal(response.status, 400, response.body);
		});
	}

	it('names in the query that mean nothing, and practices of others', async () => {
		assertRefused(
			await call(praxis, serverAdmin, 'GET', 'clients?service=nothing'),
			404,
			'not_found',
			'service',
		);
		for (const list of ['clients', 'rooms']) {
			assertRefused(
				await call(praxis, one, 'GET', `${list}?practiceId=2`),
				403,
				'forbidden',
				'practiceId',
			);
		}
	});

	for (const name of ['', 'nothing', 'services/', 'services/a/b', 'rooms/x', 'stats/']) {
		it(`/api/v1/${name}: nothing is there`, async () => {
			assertRefused(await call(praxis, serverAdmin, 'GET', name), 404, 'not_found');
			assertRefused(await call(praxis, serverAdmin, 'POST', name, '{}'), 404, 'not_found');
		});
	}

	itEnds(praxis);
});

describe('the API in open mode', () => {
	const praxis = usePraxisd();

	it('is not there, but for its descriptions', async () => {
		for (const [method, name, body] of ROUTES) {
			const response = await call(praxis, one, method, name, body);
			assertRefused(response, 503, 'unavailable');
		}
		await get(praxis, null, 'openapi.json');
		await get(praxis, null, 'asyncapi.json');
	});

	itEnds(praxis);
});

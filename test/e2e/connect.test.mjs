// SPDX-License-Identifier: MIT
//
// Getting in: the upgrade and its refusals, subprotocols, identity from the query, the greeting.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Wire, assertJsonError, exchange, request } from './lib/http.mjs';
import { itEnds, usePraxisd } from './lib/praxisd.mjs';
import { RawClient, refusedUpgrade, upgradeRequest } from './lib/raw.mjs';
import { nothingArrived } from './lib/session.mjs';

describe('the greeting', () => {
	const praxis = usePraxisd();

	it('names the client, the services and the limits', async () => {
		const { hello } = await praxis.connect();
		assert.match(hello.clientId, /^.{8,}$/);
		assert.deepEqual([...hello.services].sort(), ['echo', 'telemedicine', 'whiteboard']);
		assert.equal(hello.protocol, 1);
		assert.equal(hello.maxMessageBytes, 65536);
		assert.equal(hello.heartbeatMs, 25000);
		assert.equal(hello.resume, undefined, 'only for praxis.v1');
	});

	it('gives every connection another clientId', async () => {
		const clients = await Promise.all(Array.from({ length: 50 }, () => praxis.connect()));
		assert.equal(new Set(clients.map((client) => client.clientId)).size, 50);
		assert.equal((await praxis.stats()).sessions, 50);
	});

	it('repeats the identity of the query', async () => {
		const ann = await praxis.connect({
			practiceId: 3,
			userId: 7,
			userName: 'SECRET Jörg & Söhne=100%',
			role: 'staff',
		});
		assert.equal(String(ann.hello.user.userId), '7');
		assert.equal(ann.hello.user.userName, 'SECRET Jörg & Söhne=100%');
		assert.equal(ann.hello.user.role, 'staff');
		assert.deepEqual(ann.hello.user.practices.map(String), ['3']);
	});

	it('is the first message, and the only one until somebody does something', async () => {
		const ann = await praxis.connect();
		await nothingArrived([ann]);
	});

	it('comes on the second request of a connection, too', async () => {
		const wire = await Wire.open(praxis.port);
		wire.write(request('GET', '/health'));
		assert.equal((await wire.response()).status, 200);
		const ann = await RawClient.open(praxis.port, '/ws', {}, { wire });
		await ann.next('connection_established');
		await ann.close();
	});

	itEnds(praxis);
});

describe('identity without tokens', () => {
	const praxis = usePraxisd({ vhost: { 'open-practice': '41' } });

	it('takes the configured practice where the query has none', async () => {
		const noIdentity = { practiceId: null, userId: null, userName: null, role: null };
		const page = await praxis.connect(noIdentity);
		const sender = await praxis.connect({ practiceId: 41 });
		await sender.accepted({ type: 'whiteboard_update', practiceId: 41, data: {} });
		assert.equal((await page.next('whiteboard_update')).practiceId, 41);
		await page.refused({ type: 'whiteboard_update', practiceId: 1, data: {} }, 'forbidden');
	});

	it('prefers the practice of the query', async () => {
		const ann = await praxis.connect({ practiceId: 5 });
		await ann.accepted({ type: 'whiteboard_update', practiceId: 5, data: {} });
		await ann.refused({ type: 'whiteboard_update', practiceId: 41, data: {} }, 'forbidden');
	});

	it('lets the clients of the reference system call without a word on who they are', async () => {
		const noIdentity = { practiceId: null, userId: null, userName: null, role: null };
		const [one, two] = [await praxis.connect(noIdentity), await praxis.connect(noIdentity)];
		const who = (userId) => ({ userId, userName: `SECRET-${userId}` });
		await one.join('appointment_9', who(1));
		await two.join('appointment_9', who(2));
		assert.equal((await one.next('telemedicine_user_joined')).userId, 2);
	});

	itEnds(praxis);
});

describe('identity without tokens and without a configured practice', () => {
	const praxis = usePraxisd({ vhost: { 'open-practice': undefined } });

	it('takes the practice of the first message, and keeps it', async () => {
		const ann = await praxis.connect({ practiceId: null });
		await ann.accepted({ type: 'whiteboard_subscribe', practiceId: 6 });
		await ann.next('whiteboard_subscribed');
		await ann.refused({ type: 'whiteboard_subscribe', practiceId: 7 }, 'forbidden');

		const bob = await praxis.connect({ practiceId: 6 });
		await bob.accepted({ type: 'whiteboard_update', practiceId: 6, data: {} });
		await ann.next('whiteboard_update');
	});

	it('takes none from a message that has none', async () => {
		const ann = await praxis.connect({ practiceId: null });
		await ann.accepted({ type: 'ping' });
		await ann.accepted({ type: 'whiteboard_subscribe', practiceId: '8' });
		assert.equal((await ann.next('whiteboard_subscribed')).practiceId, '8');
	});

	itEnds(praxis);
});

describe('a foreign practice', () => {
	const praxis = usePraxisd();

	it('is forbidden and hears nothing', async () => {
		const mallory = await praxis.connect({ practiceId: 1 });
		const victim = await praxis.connect({ practiceId: 2 });
		const room = await victim.join('room');
		assert.ok(room);
		const call = {
			roomId: 'room',
			appointmentId: 1,
			userId: 1,
			userName: 'SECRET',
			practiceId: 2,
		};
		for (const message of [
			{ type: 'whiteboard_subscribe', practiceId: 2 },
			{ type: 'whiteboard_unsubscribe', practiceId: 2 },
			{ type: 'whiteboard_update', practiceId: 2, data: 'SECRET' },
			{ type: 'whiteboard_update', practiceId: '2', data: 'SECRET' },
			{ type: 'telemedicine_user_joined', ...call },
			{ type: 'telemedicine_offer', ...call, from: 1, offer: {} },
			{
				type: 'telemedicine_chat_message',
				...call,
				from: 1,
				fromUserId: 1,
				message: 'SECRET',
			},
		]) {
			const error = await mallory.refused(message, 'forbidden');
			assert.equal(error.ref, message.type);
		}
		await nothingArrived([victim], [mallory]);
		await victim.accepted({ type: 'whiteboard_update', practiceId: 2, data: {} });
		await nothingArrived([mallory], [victim]);
	});

	it("is told apart from one's own by its value, not by its spelling", async () => {
		const ann = await praxis.connect({ practiceId: 12 });
		await ann.accepted('{"type":"whiteboard_update","practiceId":12}');
		await ann.accepted('{"type":"whiteboard_update","practiceId":"12"}');
		await ann.accepted('{"type":"whiteboard_update","practiceId":"1\\u0032"}');
		for (const foreign of [
			'1',
			'"1"',
			'120',
			'"012"',
			'" 12"',
			'"12 "',
			'-12',
			'"12.0"',
			'12345678901234567890',
			'"1e1"',
		]) {
			await ann.refused(`{"type":"whiteboard_update","practiceId":${foreign}}`, 'forbidden');
		}
		await ann.refused('{"type":"whiteboard_update","practiceId":"12\\u0000"}', 'bad_message');
	});

	it('cannot be reached by naming two', async () => {
		const mallory = await praxis.connect({ practiceId: 1 });
		const [own, foreign] = [
			await praxis.connect({ practiceId: 1 }),
			await praxis.connect({ practiceId: 2 }),
		];
		for (const [first, second] of [
			[1, 2],
			[2, 1],
		]) {
			for (const key of ['practiceId', 'practice\\u0049d']) {
				const receipt = await mallory.ask(
					`{"type":"whiteboard_update","practiceId":${first},"${key}":${second}}`,
				);
				if (receipt.type === 'ack') {
					assert.equal((await own.next('whiteboard_update')).practiceId, 1);
				} else {
					assert.ok(['forbidden', 'bad_message', 'bad_json'].includes(receipt.code));
				}
			}
		}
		await nothingArrived([own, foreign], [mallory]);
	});

	itEnds(praxis);
});

describe('subprotocols', () => {
	const praxis = usePraxisd();

	it('praxis.v1 is the unified session', async () => {
		const ann = await praxis.connect({}, { protocols: ['praxis.v1'] });
		assert.equal(ann.protocol, 'praxis.v1');
		assert.deepEqual([...ann.hello.services].sort(), ['echo', 'telemedicine', 'whiteboard']);
		await ann.accepted({ type: 'whiteboard_update', practiceId: 1 });
		await ann.accepted({ type: 'echo_say', text: 'SECRET' });
	});

	it('none is not answered with one', async () => {
		const ann = await praxis.connect();
		assert.equal(ann.protocol, '');
	});

	for (const [name, own, foreign] of [
		[
			'whiteboard',
			{ type: 'whiteboard_subscribe', practiceId: 1 },
			{ type: 'echo_say', text: 'SECRET' },
		],
		[
			'telemedicine',
			{ type: 'telemedicine_ice_servers' },
			{ type: 'whiteboard_update', practiceId: 1 },
		],
		['echo', { type: 'echo_say', text: 'SECRET' }, { type: 'telemedicine_ice_servers' }],
	]) {
		it(`${name} is that service alone`, async () => {
			const ann = await praxis.connect({}, { protocols: [name] });
			assert.equal(ann.protocol, name);
			assert.deepEqual(ann.hello.services, [name]);
			await ann.accepted(own);
			await ann.refused(foreign, 'unknown_type');
		});
	}

	it("a whiteboard's session and a unified one meet", async () => {
		const one = await praxis.connect({}, { protocols: ['whiteboard'] });
		const two = await praxis.connect();
		await one.accepted({ type: 'whiteboard_update', practiceId: 1, data: 'SECRET-1' });
		assert.equal((await two.next('whiteboard_update')).data, 'SECRET-1');
		await two.accepted({ type: 'whiteboard_update', practiceId: 1, data: 'SECRET-2' });
		assert.equal((await one.next('whiteboard_update')).data, 'SECRET-2');
	});

	it("a service's session hears nothing of the others", async () => {
		const echo = await praxis.connect({}, { protocols: ['echo'] });
		const ann = await praxis.connect();
		await ann.accepted({ type: 'whiteboard_update', practiceId: 1 });
		await nothingArrived([echo], [ann]);
	});

	it('of several, one that is known is taken', async () => {
		const ann = await praxis.connect({}, { protocols: ['nosuch', 'praxis.v1', 'other'] });
		assert.equal(ann.protocol, 'praxis.v1');
	});

	const offer = (protocols) =>
		refusedUpgrade(praxis.port, '/ws', { 'Sec-WebSocket-Protocol': protocols });

	for (const protocols of [
		'nosuch',
		'nosuch, other',
		'http',
		'svc_whiteboard',
		'Whiteboard',
		'white',
		'whiteboardx',
		'lws-mirror-protocol',
		'ticket.abc',
		'x'.repeat(64),
	]) {
		it(`only unknown names are refused: ${protocols.slice(0, 30)}`, async () => {
			assertJsonError(await offer(protocols), 400);
		});
	}

	const filled = (length) => {
		const list = 'praxis.v1, ' + 'x'.repeat(60) + ', ';
		return list + 'y'.repeat(length - list.length);
	};

	it('a list of 126 characters is read', async () => {
		const ann = await praxis.connectRaw(
			{},
			{ headers: { 'Sec-WebSocket-Protocol': filled(126) } },
		);
		assert.equal(ann.protocol, 'praxis.v1');
	});

	for (const length of [127, 128, 200, 2000]) {
		it(`a list of ${length} characters is refused`, async () => {
			assertJsonError(await offer(filled(length)), 400);
		});
	}

	itEnds(praxis);
});

describe('an upgrade that is refused', () => {
	const praxis = usePraxisd();

	for (const path of ['/', '/wsx', '/w', '/ws/deeper', '/other?practiceId=1', '/health', '/WS']) {
		it(`on ${path}`, async () => {
			assertJsonError(await refusedUpgrade(praxis.port, path), 404);
		});
	}

	it('with another method', async () => {
		for (const method of ['POST', 'PUT', 'OPTIONS', 'DELETE']) {
			const response = await refusedUpgrade(
				praxis.port,
				'/ws',
				{ 'Content-Length': '0' },
				{ method },
			);
			assertJsonError(response, 400, 405);
		}
	});

	it('with another version of WebSocket', async () => {
		for (const version of ['8', '12', '14', '', 'x', null]) {
			const response = await refusedUpgrade(praxis.port, '/ws', {
				'Sec-WebSocket-Version': version,
			});
			assertJsonError(response, 400, 426);
			if (response.status === 426) {
				assert.equal(response.headers['sec-websocket-version'], '13');
			}
		}
	});

	it('without a key', async () => {
		assertJsonError(
			await refusedUpgrade(praxis.port, '/ws', { 'Sec-WebSocket-Key': null }),
			400,
		);
	});

	it('to something else', async () => {
		for (const upgrade of ['foo', 'h2c', 'websocketx']) {
			const response = await refusedUpgrade(praxis.port, '/ws', {
				Upgrade: upgrade,
				Connection: 'Upgrade, HTTP2-Settings',
				'HTTP2-Settings': 'AAMAAABkAAQAAP__',
			});
			assert.ok(
				response === null || response.status >= 400,
				`${upgrade}: ${response?.status}`,
			);
		}
	});

	it('that is none', async () => {
		assertJsonError(await exchange(praxis.port, request('GET', '/ws')), 400, 426);
	});

	it('to something else on a connection in use (CVE-2025-11677)', async () => {
		for (let round = 0; round < 20; round++) {
			const wire = await Wire.open(praxis.port);
			wire.write(request('GET', '/health'));
			assert.equal((await wire.response()).status, 200);
			wire.write(upgradeRequest('/ws', { Upgrade: 'foo' }));
			const response = await wire.response();
			assert.ok(response === null || response.status >= 400);
			wire.close();
		}
	});

	it('because its request is too long', async () => {
		const response = await refusedUpgrade(
			praxis.port,
			`/ws?userName=${'SECRET'.repeat(10_000)}`,
		);
		assert.ok(response === null || response.status >= 400);
	});

	it('because it has too many parameters or headers, or is let in', async () => {
		const many = Array.from({ length: 500 }, (_, at) => at);
		const path = `/ws?${many.map((at) => `a${at}=1`).join('&')}`;
		const headers = Object.fromEntries(many.map((at) => [`X-Header-${at}`, 'SECRET']));
		for (const details of [[path], ['/ws', headers]]) {
			const response = await exchange(praxis.port, upgradeRequest(...details));
			assert.ok(response === null || response.status === 101 || response.status >= 400);
		}
	});

	it('is noticed by nobody', async () => {
		const witness = await praxis.connect();
		await refusedUpgrade(praxis.port, '/nowhere');
		await nothingArrived([witness]);
		assert.equal((await praxis.stats()).sessions, 1);
	});

	itEnds(praxis);
});

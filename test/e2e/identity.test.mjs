// SPDX-License-Identifier: MIT
//
// Who a client is: every way of bringing a token or a ticket, the `auth` message, renewal and
// expiry, and what the claims mean. (How tickets are made is in tickets.test.mjs, what is no good as
// a token in attacks.test.mjs, who may do what in matrix.test.mjs.)

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
	assertTurnedAway,
	assertUser,
	offering,
	postTicket,
	ticketFor,
} from './lib/credentials.mjs';
import {
	bearer,
	claimsOf,
	enter,
	enterUnauthenticated,
	nowS,
	sign,
	token,
	tokenVhost,
} from './lib/issuer.mjs';
import { itEnds, secret, usePraxisd } from './lib/praxisd.mjs';
import { nothingArrived } from './lib/session.mjs';

const update = (practiceId) => ({ type: 'whiteboard_update', practiceId, data: secret() });

describe('bringing credentials', () => {
	const praxis = usePraxisd({
		global: { 'auth-failures': 0 },
		vhost: tokenVhost({ cookie: 'praxis', query: true }),
	});

	it('in the Authorization header', async () => {
		const claims = claimsOf();
		const client = await praxis.open('/ws', { headers: bearer(await sign(claims)) });
		const hello = await client.next('connection_established');
		assert.deepEqual(hello.user, {
			userId: claims.sub,
			userName: claims.name,
			role: 'staff',
			practices: [1],
		});
	});

	it('in the Authorization header, whatever the case of its scheme', async () => {
		const headers = { Authorization: `bearer ${await token({ sub: 'low' })}` };
		await assertUser(await praxis.open('/ws', { headers }), 'low');
	});

	it('as a ticket, which is not echoed', async () => {
		for (const protocol of ['praxis.v1', 'whiteboard']) {
			const ticket = await ticketFor(praxis, claimsOf({ sub: protocol }));
			assert.ok(ticket.length <= 64);
			const client = await praxis.open('/ws', {
				headers: offering(protocol, `ticket.${ticket}`),
			});
			await assertUser(client, protocol);
			assert.equal(client.protocol, protocol);
		}
	});

	it('as a ticket that comes before the subprotocol', async () => {
		const ticket = await ticketFor(praxis, claimsOf({ sub: 'first' }));
		const client = await praxis.open('/ws', {
			headers: offering(`ticket.${ticket}`, 'praxis.v1'),
		});
		await assertUser(client, 'first');
		assert.equal(client.protocol, 'praxis.v1');
	});

	it('in the cookie, among others, quoted or not', async () => {
		const jwt = await token({ sub: 'biscuit' });
		for (const cookie of [
			`praxis=${jwt}`,
			`a=b; praxis=${jwt}; c=d`,
			`xpraxis=no; praxis="${jwt}"`,
			`praxisx=no; praxis=${jwt}`,
		]) {
			await assertUser(await praxis.open('/ws', { headers: { Cookie: cookie } }), 'biscuit');
		}
	});

	it('in the query', async () => {
		const jwt = await token({ sub: 'asked' });
		await assertUser(await praxis.open(`/ws?access_token=${jwt}`), 'asked');
		await assertUser(
			await praxis.open(`/ws?practiceId=1&access_token=${jwt}&userName=d`),
			'asked',
		);
	});

	it('in the auth message', async () => {
		const client = await enterUnauthenticated(praxis);
		assert.equal(client.hello.user, undefined);
		const claims = claimsOf();
		client.send({ type: 'auth', token: await sign(claims) });
		const { expiresAt, user } = await client.next('auth_ok');
		assert.equal(expiresAt, claims.exp * 1000);
		assert.deepEqual(user, {
			userId: claims.sub,
			userName: claims.name,
			role: 'staff',
			practices: [1],
		});
		await client.accepted(update(1));
	});

	it('in the order of the protocol', async () => {
		const ways = async () => ({
			header: bearer(await token({ sub: 'header' })),
			ticket: offering(
				'praxis.v1',
				`ticket.${await ticketFor(praxis, claimsOf({ sub: 'ticket' }))}`,
			),
			cookie: { Cookie: `praxis=${await token({ sub: 'cookie' })}` },
		});
		const where = `/ws?access_token=${await token({ sub: 'query' })}`;
		for (const left of [
			['header', 'ticket', 'cookie'],
			['header', 'cookie'],
			['ticket', 'cookie'],
			['cookie'],
		]) {
			const all = await ways();
			const headers = Object.assign({}, ...left.map((name) => all[name]));
			await assertUser(await praxis.open(where, { headers }), left[0]);
		}
	});

	it('of which the first counts, even if only the second is good', async () => {
		const good = await token();
		const headers = { ...bearer('bad'), Cookie: `praxis=${good}` };
		await assertTurnedAway(await praxis.open(`/ws?access_token=${good}`, { headers }));
		const cookie = { Cookie: 'praxis=bad' };
		await assertTurnedAway(await praxis.open(`/ws?access_token=${good}`, { headers: cookie }));
		const ticket = offering('praxis.v1', 'ticket.bad');
		await assertTurnedAway(await praxis.open(`/ws?access_token=${good}`, { headers: ticket }));
	});

	it('that are no good is told in-band, without a greeting', async () => {
		await assertTurnedAway(await praxis.open('/ws', { headers: bearer('no.to.ken') }));
		await assertTurnedAway(await praxis.open('/ws', { headers: { Cookie: 'praxis=x' } }));
		await assertTurnedAway(await praxis.open('/ws?access_token=x'));
		const expired = bearer(await token({ exp: nowS() - 5 }));
		await assertTurnedAway(await praxis.open('/ws', { headers: expired }), 'token_expired');
	});

	it('of open mode counts for nothing', async () => {
		const client = await praxis.connect({ practiceId: 1, userId: 'mallory', role: 'admin' });
		assert.equal(client.hello.user, undefined);
		await client.refused(update(1), 'unauthenticated');
	});

	itEnds(praxis);
});

describe('cookie and query, not configured', () => {
	const praxis = usePraxisd({ vhost: tokenVhost() });

	it('are not looked at', async () => {
		const jwt = await token();
		for (const client of [
			await praxis.open(`/ws?access_token=${jwt}`),
			await praxis.open('/ws', { headers: { Cookie: `praxis=${jwt}; access_token=${jwt}` } }),
		]) {
			const hello = await client.next('connection_established');
			assert.equal(hello.user, undefined);
			await client.refused(update(1), 'unauthenticated');
		}
	});

	itEnds(praxis);
});

describe('an unauthenticated session', () => {
	const praxis = usePraxisd({ global: { 'auth-failures': 0 }, vhost: tokenVhost() });

	it('may send auth and ping, and is in no practice', async () => {
		const ann = await enter(praxis);
		const unauthenticated = await enterUnauthenticated(praxis);
		assert.equal((await unauthenticated.ask({ type: 'ping' })).type, 'ack');
		for (const type of ['whiteboard_subscribe', 'echo_say', 'unknown', 'admin_clients']) {
			const error = await unauthenticated.refused({ type, practiceId: 1 }, 'unauthenticated');
			assert.equal(error.ref, type);
		}
		await ann.accepted(update(1));
		await unauthenticated.next('pong');
		await nothingArrived([unauthenticated], [ann]);
	});

	it('is turned away with a bad token', async () => {
		const client = await enterUnauthenticated(praxis);
		const error = await client.refused({ type: 'auth', token: 'no.to.ken' }, 'unauthenticated');
		assert.equal(error.ref, 'auth');
		assert.equal((await client.closing()).code, 4401);
	});

	it('is told that its token has expired', async () => {
		const client = await enterUnauthenticated(praxis);
		const expired = await token({ exp: nowS() - 5 });
		await client.refused({ type: 'auth', token: expired }, 'token_expired');
		assert.equal((await client.closing()).code, 4401);
	});

	it('is told what is wrong with an auth without a token', async () => {
		const client = await enterUnauthenticated(praxis);
		for (const message of [{}, { token: 7 }, { token: null }, { token: {} }]) {
			const error = await client.refused({ type: 'auth', ...message }, 'bad_message');
			assert.equal(error.field, 'token');
		}
		await client.accepted({ type: 'auth', token: await token() });
	});

	it('gets everything that it sent after auth done, in order', async () => {
		const ann = await enter(praxis);
		const client = await enterUnauthenticated(praxis);
		client.send({ type: 'auth', token: await token() });
		for (let i = 0; i < 5; i++) {
			client.send({ type: 'whiteboard_update', practiceId: 1, data: i });
		}
		for (let i = 0; i < 5; i++) {
			assert.equal((await ann.next('whiteboard_update')).data, i);
		}
	});

	itEnds(praxis);
});

describe('an unauthenticated session, for as long as that may be', () => {
	const praxis = usePraxisd({
		global: { 'auth-failures': 0 },
		vhost: tokenVhost({ 'auth-ms': 2000 }),
	});

	it('is closed with 4401 after a while', async () => {
		const began = Date.now();
		const unauthenticated = await enterUnauthenticated(praxis);
		assert.equal((await unauthenticated.next('error')).code, 'unauthenticated');
		assert.equal((await unauthenticated.closing()).code, 4401);
		assert.ok(Date.now() - began >= 1900, 'not at once');
	});

	it('does not win time with pings', async () => {
		const unauthenticated = await enterUnauthenticated(praxis);
		let told = [];
		while (!told.some((message) => message.type === 'error')) {
			told = await Promise.race([
				unauthenticated.fence().catch(() => [{ type: 'error' }]),
				unauthenticated.closed.then(() => [{ type: 'error' }]),
			]);
		}
		assert.equal((await unauthenticated.closing()).code, 4401);
	});

	it('is somebody once it has authenticated, and stays', async () => {
		const client = await enterUnauthenticated(praxis);
		await client.accepted({ type: 'auth', token: await token() });
		const late = await enterUnauthenticated(praxis);
		await late.closing(); // the time is over
		await client.accepted(update(1));
	});

	itEnds(praxis);
});

describe('renewal', () => {
	const praxis = usePraxisd({
		global: { 'auth-failures': 0 },
		vhost: tokenVhost(),
	});

	const renew = async (client, more) => {
		client.send({ type: 'auth', token: await sign({ ...client.claims, ...more }) });
		return client.next('auth_ok');
	};

	it('leaves the practices that are lost, and enters those that are won', async () => {
		const client = await enter(praxis, { practices: [1, 2] });
		const [one, two, three] = [
			await enter(praxis, { practices: [1] }),
			await enter(praxis, { practices: [2] }),
			await enter(praxis, { practices: [3] }),
		];
		const ok = await renew(client, { practices: [2, 3] });
		assert.deepEqual(ok.user.practices, [2, 3]);

		await one.accepted(update(1));
		await two.accepted(update(2));
		await three.accepted(update(3));
		const got = await client.fence();
		assert.deepEqual(
			got.map((message) => message.practiceId),
			[2, 3],
		);
		await client.refused(update(1), 'forbidden');
		await client.accepted(update(3));
		await three.next('whiteboard_update');
		await nothingArrived([one]);
	});

	it('takes it out of the rooms of a lost practice, and leaves it in the others', async () => {
		const client = await enter(praxis, { practices: [1, 2] });
		const [one, two] = [
			await enter(praxis, { practices: [1] }),
			await enter(praxis, { practices: [2] }),
		];
		await one.join('room');
		await two.join('room');
		await client.join('room', { practiceId: 1 });
		await client.join('room', { practiceId: 2 });
		await one.next('telemedicine_user_joined');
		await two.next('telemedicine_user_joined');

		await renew(client, { practices: [2] });
		const left = await one.next('telemedicine_user_left');
		assert.equal(left.clientId, client.clientId);
		await nothingArrived([two]);
		await two.accepted({
			type: 'telemedicine_media_state',
			roomId: 'room',
			audio: true,
			video: true,
			screen: true,
		});
		await client.next('telemedicine_media_state');
	});

	it('takes a patient out of the rooms that the new token lacks', async () => {
		const doctor = await enter(praxis);
		const patient = await enter(praxis, { role: 'patient', rooms: ['a', 'b'] });
		for (const room of ['a', 'b']) {
			await doctor.join(room);
			await patient.join(room);
			await doctor.next('telemedicine_user_joined');
		}
		await renew(patient, { rooms: ['b', 'c'] });
		assert.equal((await doctor.next('telemedicine_user_left')).roomId, 'a');
		await patient.join('c');
		await nothingArrived([doctor]);
	});

	it('takes over name and role', async () => {
		const ann = await enter(praxis);
		const client = await enter(praxis);
		const name = secret('name');
		const ok = await renew(client, { name, role: 'admin' });
		assert.equal(ok.user.userName, name);
		assert.equal(ok.user.role, 'admin');
		await client.accepted(update(1));
		assert.equal((await ann.next('whiteboard_update')).userName, name);
	});

	it('of a role that may not see the whiteboard ends the whiteboard', async () => {
		const ann = await enter(praxis);
		const client = await enter(praxis);
		await renew(client, { role: 'patient', rooms: [] });
		await ann.accepted(update(1));
		await nothingArrived([client], [ann]);
	});

	it('is for the same user: another is forbidden, and the session lives on', async () => {
		const ann = await enter(praxis);
		const client = await enter(praxis, { tenant: 'default' });
		for (const other of [{ sub: 'another' }, { tenant: 'another' }]) {
			const jwt = await sign({ ...client.claims, practices: [1, 2], ...other });
			await client.refused({ type: 'auth', token: jwt }, 'forbidden');
		}
		await client.accepted(update(1));
		assert.equal((await ann.next('whiteboard_update')).userId, client.claims.sub);
		await client.refused(update(2), 'forbidden');
	});

	it('knows the same user by another spelling of the id', async () => {
		const client = await enter(praxis, { sub: 7 });
		assert.equal(client.hello.user.userId, 7);
		await client.accepted({ type: 'auth', token: await sign({ ...client.claims, sub: '7' }) });
	});

	it('with a bad token changes nothing', async () => {
		const client = await enter(praxis);
		await client.refused({ type: 'auth', token: 'no.to.ken' }, 'unauthenticated');
		await client.accepted(update(1));
	});

	it('answers before anything of a practice that is won', async () => {
		const client = await enter(praxis);
		const receipt = await client.ask({
			type: 'auth',
			token: await sign({ ...client.claims, practices: [1, 9] }),
		});
		assert.equal(receipt.type, 'ack');
		await client.next('auth_ok');
	});

	itEnds(praxis);
});

describe('expiry', () => {
	const praxis = usePraxisd({
		global: { 'auth-failures': 0 },
		vhost: tokenVhost(),
	});

	it('is told of once, when a fifth of a short life is left', async () => {
		const client = await enter(praxis, { exp: nowS() + 6 });
		const expiring = await client.next('auth_expiring');
		assert.equal(expiring.expiresAt, client.claims.exp * 1000);
		const leftMs = expiring.expiresAt - Date.now();
		assert.ok(leftMs <= 1_300, `${leftMs} ms before`);
		assert.equal((await client.next()).code, 'token_expired', 'and nothing more of it');
	});

	it('of tokens that live for seconds is no storm of renewals', async () => {
		const client = await enter(praxis, { exp: nowS() + 30 });
		for (let renewals = 0; renewals < 5; renewals++) {
			await client.accepted({ type: 'auth', token: await sign(client.claims) });
			await client.next('auth_ok');
		}
		await nothingArrived([client]);
	});

	it('ends the session', async () => {
		const client = await enter(praxis, { exp: nowS() + 4 });
		await client.next('auth_expiring');
		const error = await client.next('error');
		assert.equal(error.code, 'token_expired');
		assert.equal((await client.closing()).code, 4401);
		assert.ok(Date.now() >= client.claims.exp * 1000 - 50, 'not before');
	});

	it('ends a session that authenticated later, too', async () => {
		const client = await enterUnauthenticated(praxis);
		await client.accepted({ type: 'auth', token: await token({ exp: nowS() + 4 }) });
		await client.next('auth_expiring');
		assert.equal((await client.next('error')).code, 'token_expired');
		assert.equal((await client.closing()).code, 4401);
	});

	it('is put off by a renewal, and told of anew', async () => {
		// A fifth of it is left for the renewal.
		const client = await enter(praxis, { exp: nowS() + 8 });
		await client.next('auth_expiring');
		const exp = client.claims.exp + 2;
		await client.accepted({ type: 'auth', token: await sign({ ...client.claims, exp }) });
		assert.equal((await client.next('auth_ok')).expiresAt, exp * 1000);
		assert.equal((await client.next('auth_expiring')).expiresAt, exp * 1000);
		assert.equal((await client.next('error')).code, 'token_expired');
		assert.equal((await client.closing()).code, 4401);
		assert.ok(Date.now() >= exp * 1000 - 50, 'not at the first token’s');
	});

	itEnds(praxis);
});

describe('a leeway', () => {
	const praxis = usePraxisd({ vhost: tokenVhost({ 'leeway-s': 30 }) });

	it('lets a token in that has just expired, or is about to begin', async () => {
		await enter(praxis, { exp: nowS() - 5 });
		await enter(praxis, { nbf: nowS() + 20 });
	});

	it('is not in what the client is told of its token', async () => {
		const client = await enter(praxis, { exp: nowS() + 20 });
		const { expiresAt } = await client.next('auth_expiring');
		assert.equal(expiresAt, client.claims.exp * 1000);
	});

	itEnds(praxis);
});

describe('claims', () => {
	const praxis = usePraxisd({
		global: { 'auth-failures': 0 },
		vhost: tokenVhost({}, { tenant: 'Clinic' }),
	});

	it('may name one practice', async () => {
		const client = await enter(praxis, { practices: undefined, practiceId: 5 });
		assert.deepEqual(client.hello.user.practices, [5]);
		await client.accepted(update(5));
	});

	it('keep the spelling of their ids, and 7 and "7" are one practice', async () => {
		const number = await enter(praxis, { sub: 70, practices: [7] });
		const text = await enter(praxis, { sub: '71', practices: ['7'] });
		assert.equal(number.hello.user.userId, 70);
		assert.equal(text.hello.user.userId, '71');
		assert.deepEqual(text.hello.user.practices, ['7']);
		await number.accepted(update(7));
		await text.next('whiteboard_update');
	});

	it('without practices are of nobody’s practice', async () => {
		const client = await enter(praxis, { practices: undefined });
		assert.deepEqual(client.hello.user.practices, []);
		await client.refused(update(1), 'forbidden');
	});

	it('must have a role, a known one', async () => {
		for (const role of [undefined, 'root', '', 7, ['staff'], null]) {
			const headers = bearer(await token({ role }));
			await assertTurnedAway(await praxis.open('/ws', { headers }));
		}
	});

	it('must have a user', async () => {
		for (const sub of [undefined, '', null, {}, 'x'.repeat(129), 7.5]) {
			const headers = bearer(await token({ sub }));
			await assertTurnedAway(await praxis.open('/ws', { headers }));
		}
	});

	it('without a tenant are of the vhost’s', async () => {
		const ann = await enter(praxis, { tenant: 'Clinic' });
		const bob = await enter(praxis);
		await bob.accepted(update(1));
		await ann.next('whiteboard_update');
	});

	it('of two tenants never meet in the practice of the same number', async () => {
		const [a, b] = [await enter(praxis, { tenant: 'A' }), await enter(praxis, { tenant: 'B' })];
		const c = await enter(praxis);
		for (const client of [a, b, c]) {
			const room = await client.join('room');
			assert.deepEqual(room.participants, [client.clientId]);
		}
		await a.accepted(update(1));
		await a.accepted({
			type: 'telemedicine_chat_message',
			roomId: 'room',
			appointmentId: 1,
			message: secret(),
			from: 'a',
			fromUserId: 'a',
		});
		for (const to of [b.clientId, b.claims.sub]) {
			await a.refused(
				{
					type: 'telemedicine_offer',
					roomId: 'room',
					appointmentId: 1,
					from: 'a',
					to,
					offer: {},
				},
				'no_such_peer',
			);
		}
		await nothingArrived([b, c], [a]);
		assert.equal((await b.accepted(update(1))).seq, 1, 'its whiteboard has a count of its own');
		await nothingArrived([a, c], [b]);
	});

	it('stamp what their session sends', async () => {
		const ann = await enter(praxis, { sub: 7, name: secret('Ann') });
		const bob = await enter(praxis);
		await bob.join('room');
		await ann.join('room', { userId: 'mallory', userName: secret('mallory') });
		const joined = await bob.next('telemedicine_user_joined');
		assert.equal(joined.userId, 7);
		assert.equal(joined.userName, ann.claims.name);
		await ann.accepted({
			type: 'telemedicine_chat_message',
			roomId: 'room',
			appointmentId: 1,
			message: secret('chat'),
			from: secret('mallory'),
			fromUserId: 8,
			userId: 8,
			userName: secret('mallory'),
			clientId: 'another',
		});
		const chat = await bob.next('telemedicine_chat_message');
		assert.equal(chat.userId, 7);
		assert.equal(chat.fromUserId, 7);
		assert.equal(chat.userName, ann.claims.name);
		assert.equal(chat.from, ann.claims.name);
		assert.equal(chat.clientId, ann.clientId);
	});

	for (const [sub, said] of [
		['12', 12],
		[12, '12'],
		['12', '12'],
		[12, 12],
	]) {
		it(`leave ${JSON.stringify(said)} as it was sent by user ${JSON.stringify(sub)}`, async () => {
			const ann = await enter(praxis, { sub, practices: [1] });
			const bob = await enter(praxis, { practices: [1] });
			const room = `room-${typeof sub}-${typeof said}`;
			await bob.join(room);
			await ann.join(room, { userId: said });
			assert.equal((await bob.next('telemedicine_user_joined')).userId, said);
			const chat = {
				type: 'telemedicine_chat_message',
				roomId: room,
				appointmentId: 1,
				message: secret('chat'),
				from: said,
				fromUserId: said,
			};
			const lie = { ...chat, from: 13, fromUserId: 13, userId: { sub } };
			for (const message of [chat, { ...chat, userId: said }, lie]) {
				await ann.accepted(message);
			}
			await ann.accepted({ type: 'whiteboard_update', practiceId: 1, userId: said });
			const got = [];
			for (let i = 0; i < 3; i++) {
				const { from, fromUserId, userId } = await bob.next('telemedicine_chat_message');
				got.push([from, fromUserId, userId]);
			}
			const { name } = ann.claims;
			assert.deepEqual(got, [
				[said, said, sub],
				[said, said, said],
				[name, sub, sub],
			]);
			assert.equal((await bob.next('whiteboard_update')).userId, said);
			const cid = await enter(praxis, { practices: [1] });
			const { members, chat: kept } = await cid.join(room);
			const member = members.find(({ clientId }) => clientId === ann.clientId);
			assert.equal(member.userId, said);
			assert.equal(kept[0].fromUserId, said);
			ann.kill();
			assert.equal((await bob.next('telemedicine_user_left')).userId, said);
		});
	}

	it('of a patient without rooms let it join none', async () => {
		const patient = await enter(praxis, { role: 'patient' });
		await patient.refused(
			{
				type: 'telemedicine_user_joined',
				roomId: 'room',
				appointmentId: 1,
				userId: 1,
				userName: 'x',
			},
			'forbidden',
		);
	});

	it('with rooms bind staff, too', async () => {
		const doctor = await enter(praxis, { rooms: ['a', 7] });
		await doctor.join('a');
		await doctor.join('7');
		await doctor.refused(
			{
				type: 'telemedicine_user_joined',
				roomId: 'b',
				appointmentId: 1,
				userId: 1,
				userName: 'x',
			},
			'forbidden',
		);
	});

	it('with practices ["*"] let an administrator into all of the tenant', async () => {
		const ann = await enter(praxis, { practices: [12] });
		const admin = await enter(praxis, { role: 'admin', practices: ['*'] });
		await admin.accepted(update(12));
		await ann.next('whiteboard_update');
	});

	it('with practices ["*"] are no good for anybody else', async () => {
		for (const role of ['staff', 'patient']) {
			const headers = bearer(await token({ role, practices: ['*'] }));
			await assertTurnedAway(await praxis.open('/ws', { headers }));
		}
	});

	itEnds(praxis);
});

describe('claims by other names', () => {
	const names = {
		sub: 'uid',
		name: 'https://example.org/name',
		tenant: 'org',
		practices: 'https://example.org/practices',
		practiceId: 'practice',
		role: 'https://example.org/role',
		rooms: 'calls',
	};
	const praxis = usePraxisd({
		global: { 'auth-failures': 0 },
		vhost: tokenVhost({ claims: names }),
	});

	const named = (claims) => {
		const all = { exp: nowS() + 3600 };
		for (const [key, value] of Object.entries(claims)) {
			all[names[key]] = value;
		}
		return all;
	};

	it('are found', async () => {
		const claims = { sub: 7, name: secret('name'), role: 'patient', practices: [3] };
		const jwt = await sign(named({ ...claims, tenant: 'T', rooms: ['a'] }));
		const client = await praxis.open('/ws', { headers: bearer(jwt) });
		const { user } = await client.next('connection_established');
		assert.deepEqual(user, {
			userId: 7,
			userName: claims.name,
			role: 'patient',
			practices: [3],
		});
		await client.refused(
			{
				type: 'telemedicine_user_joined',
				roomId: 'b',
				appointmentId: 1,
				userId: 1,
				userName: 'x',
			},
			'forbidden',
		);
	});

	it('replace the usual ones', async () => {
		await assertTurnedAway(await praxis.open('/ws', { headers: bearer(await token()) }));
	});

	itEnds(praxis);
});

describe('a default role', () => {
	const praxis = usePraxisd({
		global: { 'auth-failures': 0 },
		vhost: tokenVhost({ 'default-role': 'patient' }),
	});

	it('is that of a token without one, and of no other', async () => {
		const patient = await enter(praxis, { role: undefined });
		assert.equal(patient.hello.user.role, 'patient');
		const doctor = await enter(praxis, { role: 'staff' });
		assert.equal(doctor.hello.user.role, 'staff');
		const headers = bearer(await token({ role: 'root' }));
		await assertTurnedAway(await praxis.open('/ws', { headers }));
	});

	itEnds(praxis);
});

describe('a secret with a name', () => {
	const praxis = usePraxisd({
		global: { 'auth-failures': 0 },
		vhost: tokenVhost({ 'secret-kid': 'of-2026', 'max-bytes': 1024 }),
	});
	const bring = async (more, header) =>
		praxis.open('/ws', {
			headers: bearer(await token(more, { header })),
		});

	it('is what tokens of its kid are checked with, and those that name no key', async () => {
		await assertUser(await bring({ sub: 'named' }, { kid: 'of-2026' }), 'named');
		await assertUser(await bring({ sub: 'unnamed' }, {}), 'unnamed');
	});

	it('is not for tokens of another kid', async () => {
		await assertTurnedAway(await bring({}, { kid: 'of-2025' }));
	});

	it('and tokens have the length that was configured', async () => {
		await assertUser(await bring({ sub: 'x', filler: 'x'.repeat(400) }), 'x');
		await assertTurnedAway(await bring({ filler: 'x'.repeat(1000) }));
	});

	itEnds(praxis);
});

describe('tokens without expiry', () => {
	const praxis = usePraxisd({ vhost: tokenVhost({ 'require-exp': false }) });

	it('are taken where that is configured', async () => {
		const client = await enter(praxis, { exp: undefined });
		await client.accepted({ type: 'auth', token: await sign(client.claims) });
		assert.equal((await client.next('auth_ok')).expiresAt, undefined);
		await nothingArrived([client]);
	});

	itEnds(praxis);
});

describe('a vhost in open mode', () => {
	const praxis = usePraxisd();

	it('takes no tokens and gives no tickets', async () => {
		const client = await praxis.connect();
		await client.refused({ type: 'auth', token: await token() }, 'unavailable');
		await client.accepted(update(1));
		const response = await postTicket(praxis, { claims: claimsOf() }, bearer(await token()));
		assert.equal(response.status, 503);
	});

	itEnds(praxis);
});

// SPDX-License-Identifier: MIT
//
// Webhooks: what the application's back end is told, signed, in which order, and what happens
// where it does not take it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exchange, request } from './lib/http.mjs';
import { bearer, claimsOf, enter, enterUnauthenticated, nowS, sign, token } from './lib/issuer.mjs';
import { secret } from './lib/praxisd.mjs';
import { openV1, resume } from './lib/resuming.mjs';
import { until } from './lib/wait.mjs';
import {
	ONE_VISIT,
	about,
	itIsWell,
	leave,
	leaving,
	newPractice,
	stir,
	use,
	webhooks,
} from './lib/webhooks.mjs';

const chat = (roomId) => ({
	type: 'telemedicine_chat_message',
	roomId,
	appointmentId: 1,
	message: secret('chat'),
	from: 'me',
	fromUserId: 'me',
});

describe('webhooks tell', () => {
	const both = use();
	const { praxis, receiver } = both;

	it('of sessions and rooms, in order, who and how long', async () => {
		const practiceId = newPractice();
		const began = Date.now();
		const ann = await enter(praxis, { practices: [practiceId], sub: 7 });
		await ann.join('r');
		const bob = await enter(praxis, { practices: [practiceId], role: 'patient', rooms: ['r'] });
		await bob.join('r');
		await ann.accepted(chat('r'));
		await leave(ann, 'r');
		await bob.close();
		await receiver.event('session_closed', ({ clientId }) => clientId === bob.clientId);
		await ann.close();
		await receiver.event('session_closed', ({ clientId }) => clientId === ann.clientId);
		const events = receiver.of(practiceId);
		assert.deepEqual(
			events.map(({ type, clientId }) => [type, clientId]),
			[
				['session_opened', ann.clientId],
				['room_started', undefined],
				['member_joined', ann.clientId],
				['session_opened', bob.clientId],
				['member_joined', bob.clientId],
				['member_left', ann.clientId],
				['member_left', bob.clientId],
				['room_ended', undefined],
				['session_closed', bob.clientId],
				['session_closed', ann.clientId],
			],
		);
		const strip = ({ id, at, ...rest }) => rest;
		const room = { tenant: 'default', practiceId, service: 'telemedicine', roomId: 'r' };
		const annIs = { clientId: ann.clientId, userId: 7, role: 'staff' };
		const bobIs = { clientId: bob.clientId, userId: bob.claims.sub, role: 'patient' };
		assert.deepEqual(strip(events[0]), {
			type: 'session_opened',
			tenant: 'default',
			practiceId,
			...annIs,
		});
		assert.deepEqual(strip(events[1]), { type: 'room_started', ...room });
		assert.deepEqual(strip(events[2]), { type: 'member_joined', ...room, ...annIs });
		const { durationMs, ...left } = strip(events[5]);
		assert.deepEqual(left, { type: 'member_left', ...room, ...annIs, reason: 'left' });
		assert.ok(durationMs >= 0 && durationMs <= Date.now() - began);
		assert.equal(events[6].reason, 'disconnected');
		const { participants, startedAt, durationMs: whole, ...ended } = strip(events[7]);
		assert.deepEqual(ended, {
			type: 'room_ended',
			...room,
			reason: 'disconnected',
			participantCount: 2,
		});
		about(startedAt, events[1].at);
		assert.ok(whole >= durationMs && whole <= Date.now() - began);
		assert.deepEqual(
			participants.map(({ joinedAt, leftAt, durationMs: ms, ...who }) => who),
			[annIs, bobIs],
		);
		for (const [i, person] of participants.entries()) {
			about(person.joinedAt, events[i ? 4 : 2].at);
			about(person.leftAt, events[i ? 6 : 5].at);
			about(person.leftAt - person.joinedAt, person.durationMs);
		}
		about(events[9].durationMs, events[9].at - events[0].at);
	});

	it('of no session before it is authenticated, and none of a renewal', async () => {
		const practiceId = newPractice();
		const unauthenticated = await enterUnauthenticated(praxis);
		const ann = await enterUnauthenticated(praxis);
		const claims = claimsOf({ practices: [practiceId] });
		ann.send({ type: 'auth', token: await sign(claims) });
		await ann.next('auth_ok');
		ann.send({ type: 'auth', token: await sign({ ...claims, exp: nowS() + 7200 }) });
		await ann.next('auth_ok');
		await unauthenticated.close();
		await ann.close();
		await receiver.event('session_closed', ({ clientId }) => clientId === ann.clientId);
		assert.deepEqual(receiver.types(practiceId), ['session_opened', 'session_closed']);
		const seen = receiver.taken.map(({ clientId }) => clientId);
		assert.ok(!seen.includes(unauthenticated.clientId));
	});

	it('of one who comes with a bad token nothing', async () => {
		const headers = bearer(await token({ exp: nowS() - 100 }));
		const client = await praxis.open('/ws', { headers });
		assert.equal((await client.next()).code, 'token_expired');
		await client.closing();
		const ann = await enter(praxis, { practices: [newPractice()] });
		await receiver.event('session_opened', ({ clientId }) => clientId === ann.clientId);
		assert.ok(!receiver.taken.some(({ code }) => code === 4401));
	});

	it('which practices, where there are several or none', async () => {
		const [one, other] = [newPractice(), newPractice()];
		const ann = await enter(praxis, { practices: [one, other] });
		const told = await receiver.event(
			'session_opened',
			({ clientId }) => clientId === ann.clientId,
		);
		assert.deepEqual(told.practices, [one, other]);
		assert.equal(told.practiceCount, 2);
		assert.equal(told.practiceId, undefined);
		const many = Array.from({ length: 40 }, () => newPractice());
		const bob = await enter(praxis, { practices: many });
		const more = await receiver.event(
			'session_opened',
			({ clientId }) => clientId === bob.clientId,
		);
		assert.equal(more.practiceCount, 40);
		assert.deepEqual(more.practices, many.slice(0, 32));
		const all = await enter(praxis, { role: 'admin', practices: ['*'] });
		const none = await receiver.event(
			'session_opened',
			({ clientId }) => clientId === all.clientId,
		);
		assert.equal(none.practiceCount, 0);
	});

	it('ids as they are, be they of twenty digits', async () => {
		const practiceId = '12345678901234567890';
		const client = await enter(praxis, { practices: [practiceId] });
		const told = await receiver.event(
			'session_opened',
			({ clientId }) => clientId === client.clientId,
		);
		assert.equal(told.practiceId, practiceId);
	});

	it('who was removed by whom, and that a room was ended', async () => {
		const practiceId = newPractice();
		const ann = await enter(praxis, { practices: [practiceId] });
		const bob = await enter(praxis, { practices: [practiceId] });
		await ann.join('r');
		await bob.join('r');
		await ann.accepted({ type: 'telemedicine_remove', roomId: 'r', clientId: bob.clientId });
		const removed = await receiver.event(
			'member_left',
			({ clientId }) => clientId === bob.clientId,
		);
		assert.equal(removed.reason, 'removed');
		assert.equal(removed.by, ann.clientId);
		await bob.join('r');
		await ann.accepted({ type: 'telemedicine_end', roomId: 'r' });
		const ended = await receiver.event(
			'room_ended',
			(event) => event.practiceId === practiceId,
		);
		assert.equal(ended.reason, 'ended');
		assert.equal(ended.participantCount, 2, 'who comes again is not another one');
		assert.equal(ended.participants.length, 2);
	});

	it('and figures say so', async () => {
		const stats = await until('all delivered', async () => {
			const now = await webhooks(praxis);
			return now.events === 0 && now.in_flight === 0 && now;
		});
		assert.equal(stats.delivered, receiver.taken.length);
		assert.equal(stats.taken, receiver.requests.length);
		assert.equal(stats.bytes, 0);
		const { body } = await exchange(
			praxis.port,
			request('GET', '/metrics', { Connection: 'close' }),
		);
		const value = (name) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(body)?.[1]);
		assert.equal(
			value('praxis_webhook_events_total\\{result="delivered"\\}'),
			receiver.taken.length,
		);
		assert.equal(
			value('praxis_webhook_requests_total\\{result="taken"\\}'),
			receiver.requests.length,
		);
		assert.equal(value('praxis_webhook_queue_events'), 0);
	});

	itIsWell(both);
});

describe('the waiting room', () => {
	const both = use({ services: { telemedicine: { 'waiting-room': 'on' } } });
	const { praxis, receiver } = both;

	it('is nobody’s coming, but being let in is', async () => {
		const practiceId = newPractice();
		const doctor = await enter(praxis, { practices: [practiceId] });
		await doctor.join('r');
		const patients = [];
		for (let i = 0; i < 2; i++) {
			const who = { practices: [practiceId], role: 'patient', rooms: ['r'] };
			const patient = await enter(praxis, who);
			patient.send({
				type: 'telemedicine_user_joined',
				roomId: 'r',
				appointmentId: 1,
				...patient.identity,
			});
			await patient.next('telemedicine_waiting');
			patients.push(patient);
		}
		const [ann, bob] = patients;
		await doctor.accepted({ type: 'telemedicine_deny', roomId: 'r', clientId: bob.clientId });
		await doctor.accepted({ type: 'telemedicine_admit', roomId: 'r', clientId: ann.clientId });
		const joined = await receiver.event(
			'member_joined',
			({ clientId }) => clientId === ann.clientId,
		);
		assert.equal(joined.by, doctor.clientId);
		await doctor.accepted({ type: 'telemedicine_end', roomId: 'r' });
		await receiver.event('room_ended', (event) => event.practiceId === practiceId);
		assert.ok(
			!receiver.taken.some(({ type, clientId }) => {
				return type.startsWith('member') && clientId === bob.clientId;
			}),
		);
	});

	itIsWell(both);
});

describe('a session that outlives its connection', () => {
	const both = use({ more: { global: { 'grace-ms': 1000 } } });
	const { praxis, receiver } = both;

	async function v1(practiceId) {
		const claims = claimsOf({ practices: [practiceId] });
		const client = await openV1(praxis, '', { headers: bearer(await sign(claims)) });
		client.identity = { userId: claims.sub, userName: claims.name };
		return client;
	}

	const untilDetached = () =>
		until('detached', async () => (await praxis.stats()).resume.detached === 1);

	it('has not left when it comes back in time', async () => {
		const practiceId = newPractice();
		let ann = await v1(practiceId);
		const { identity } = ann;
		await ann.join('r');
		for (let i = 0; i < 3; i++) {
			await ann.kill();
			await untilDetached();
			ann = Object.assign(await resume(praxis, ann), { identity });
		}
		ann.send(leaving(ann, 'r'));
		const left = await receiver.event(
			'member_left',
			(event) => event.practiceId === practiceId,
		);
		assert.equal(left.reason, 'left');
		await receiver.event('room_ended', (event) => event.practiceId === practiceId);
		assert.deepEqual(receiver.types(practiceId), [
			'session_opened',
			'room_started',
			'member_joined',
			'member_left',
			'room_ended',
		]);
	});

	it('and has left once when it does not', async () => {
		const practiceId = newPractice();
		const ann = await v1(practiceId);
		await ann.join('r');
		await ann.kill();
		await untilDetached();
		await receiver.event('session_closed', (event) => event.practiceId === practiceId);
		assert.deepEqual(receiver.types(practiceId), ONE_VISIT);
		const { durationMs } = receiver.of(practiceId, 'member_left')[0];
		assert.ok(durationMs >= 1000, `${durationMs}: the grace is over first`);
	});

	it('and without praxis.v1 it is reattached all the same', async () => {
		const practiceId = newPractice();
		const claims = claimsOf({ practices: [practiceId] });
		const ann = await enter(praxis, claims);
		await ann.join('r');
		await ann.kill();
		await untilDetached();
		const again = await enter(praxis, claims);
		assert.equal(again.clientId, ann.clientId);
		await leave(again, 'r');
		await receiver.event('room_ended', (event) => event.practiceId === practiceId);
		assert.equal(receiver.of(practiceId, 'session_opened').length, 1);
		assert.equal(receiver.of(practiceId, 'member_left').length, 1);
	});

	itIsWell(both);
});

const typesOfStir = (times) => [
	'session_opened',
	...Array.from({ length: times }, () => [
		'room_started',
		'member_joined',
		'member_left',
		'room_ended',
	]).flat(),
	'session_closed',
];

describe('a receiver that fails', () => {
	const both = use({ hook: { 'webhook-timeout-ms': 2000, 'webhook-batch': 7 } });
	const { praxis, receiver } = both;
	const ended = (practiceId) => (event) => event.practiceId === practiceId;

	for (const [name, answer] of [
		['answers 500', () => 500],
		['answers 400', () => 400],
		[
			'redirects',
			(_, response) => {
				response.writeHead(302, { Location: '/elsewhere' }).end();
			},
		],
		['hangs', () => {}],
		[
			'ends the connection instead',
			(_, response, asked) => {
				asked.socket.destroy();
			},
		],
		[
			'refuses with a gigabyte',
			(_, response) => {
				response.writeHead(500, { 'Content-Length': 1 << 30 });
				const block = Buffer.alloc(1 << 20, ' ');
				const more = () => {
					while (!response.destroyed && response.write(block)) {
						/* until it is cut */
					}
				};
				response.on('drain', more);
				more();
			},
		],
		[
			'says what is no HTTP',
			(_, response, asked) => {
				asked.socket.end('SSH-2.0-x\r\n');
			},
		],
	]) {
		it(`${name} is asked again, and gets all in order`, async () => {
			const practiceId = newPractice();
			const first = receiver.requests.length;
			const doubles = receiver.doubles;
			receiver.answer = answer;
			await stir(praxis, practiceId, 5);
			await receiver.asked(first + 2);
			receiver.answer = () => 204;
			await receiver.event('session_closed', ended(practiceId));
			assert.deepEqual(receiver.types(practiceId), typesOfStir(5));
			assert.equal(receiver.doubles, doubles, 'what was taken is not sent again');
			assert.ok(!receiver.requests.some(({ url }) => url === '/elsewhere'));
			const tries = receiver.requests.slice(first);
			assert.ok(tries.at(-1).at - tries[0].at >= 400, 'not at once');
			assert.equal(tries[1].events[0].id, tries[0].events[0].id, 'what failed comes first');
		});
	}

	it('with a gigabyte behind a 200 has it', async () => {
		const practiceId = newPractice();
		let sent = 0;
		receiver.answer = (_, response) => {
			const block = Buffer.alloc(1 << 20, ' ');
			const more = () => {
				while (!response.destroyed && sent < 1024) {
					sent++;
					if (!response.write(block)) {
						return;
					}
				}
			};
			response.taken = true;
			response.writeHead(200);
			response.on('drain', more);
			more();
		};
		const ann = await enter(praxis, { practices: [practiceId] });
		await receiver.event('session_opened', ended(practiceId));
		await until('delivered', async () => (await webhooks(praxis)).events === 0);
		receiver.answer = () => 204;
		assert.ok(sent < 64, `${sent} MiB`);
		await ann.close();
		await receiver.event('session_closed', ended(practiceId));
		assert.equal(receiver.doubles, 0);
	});

	it('holds nobody up while it hangs', async () => {
		const practiceId = newPractice();
		receiver.answer = () => {};
		const ann = await enter(praxis, { practices: [practiceId] });
		await until('a ping answered while it hangs', async () => {
			await ann.fence();
			return (await webhooks(praxis)).in_flight > 0;
		});
		receiver.answer = () => 204;
		await receiver.event('session_opened', ended(practiceId));
	});

	it('for one practice gets the others’ events, and that one’s later, in order', async () => {
		const [ill, well] = [newPractice(), newPractice()];
		receiver.answer = ({ events }) => (events[0].practiceId === ill ? 500 : 204);
		const ann = await enter(praxis, { practices: [ill] });
		await until('a failure', async () => (await webhooks(praxis)).refused > 0);
		assert.equal((await webhooks(praxis)).failing, 1);
		for (let i = 0; i < 3; i++) {
			await stir(praxis, well, 2);
		}
		await until('all of one', () => receiver.of(well, 'session_closed').length === 3);
		assert.deepEqual(receiver.of(ill), []);
		await ann.close();
		receiver.answer = () => 204;
		await receiver.event('session_closed', ended(ill));
		assert.deepEqual(receiver.types(ill), ['session_opened', 'session_closed']);
	});

	it('at random loses and doubles nothing', async () => {
		const several = Array.from({ length: 6 }, () => newPractice());
		let seed = 4711;
		const random = () => {
			seed = (seed * 1103515245 + 12345) % 2147483648;
			return seed / 2147483648;
		};
		const end = Date.now() + 2500;
		receiver.answer = (_, response) => {
			const dice = random();
			if (Date.now() > end || dice < 0.3) {
				return 204;
			}
			if (dice < 0.5) {
				response.destroy();
				return undefined;
			}
			return dice < 0.6 ? undefined : 503;
		};
		await Promise.all(several.map((practiceId) => stir(praxis, practiceId, 20)));
		for (const practiceId of several) {
			await receiver.event('session_closed', ended(practiceId), 30_000);
			assert.deepEqual(receiver.types(practiceId), typesOfStir(20));
		}
	});

	it('and says when it wants to be asked again is heard', async () => {
		const [one, other] = [newPractice(), newPractice()];
		receiver.answer = (_, response) => {
			response.writeHead(503, { 'Retry-After': '3' }).end();
		};
		const first = receiver.requests.length;
		const ann = await enter(praxis, { practices: [one] });
		await receiver.asked(first + 1);
		await until('its answer', async () => (await webhooks(praxis)).in_flight === 0);
		receiver.answer = () => 204;
		const bob = await enter(praxis, { practices: [other] });
		await receiver.event('session_opened', ({ clientId }) => clientId === ann.clientId);
		await receiver.event('session_opened', ({ clientId }) => clientId === bob.clientId);
		assert.ok(receiver.requests[first + 1].at - receiver.requests[first].at >= 2900);
	});

	it('is told of in the log, without what was sent or where', async () => {
		assert.match(
			praxis.log,
			/warning: webhook of vhost default: the answer is 500; will retry/,
		);
		assert.match(praxis.log, /notice: webhook of vhost default: delivering again/);
		assert.doesNotMatch(praxis.log, /\/hook/);
		const stats = await webhooks(praxis);
		assert.equal(stats.failing, 0);
		assert.equal(stats.given_up, 0);
		assert.equal(stats.overflowed, 0);
		assert.equal(receiver.doubles, 0);
	});

	itIsWell(both);
});

describe('what nobody takes', () => {
	const both = use({
		hook: { 'webhook-give-up-s': 2, 'webhook-queue-events': 20, 'webhook-batch': 5 },
	});
	const { praxis, receiver } = both;

	it('is given up, counted and logged, and what comes later is told', async () => {
		const practiceId = newPractice();
		receiver.answer = () => 500;
		const ann = await enter(praxis, { practices: [practiceId] });
		await until('given up', async () => (await webhooks(praxis)).given_up === 1);
		await praxis.logged(/error: webhook of vhost default: events lost: 1 /);
		receiver.answer = () => 204;
		await ann.close();
		await receiver.event('session_closed', (event) => event.practiceId === practiceId);
		assert.deepEqual(receiver.types(practiceId), ['session_closed']);
	});

	it('has a bound; of one practice half, and the latest are kept', async () => {
		const [busy, quiet] = [newPractice(), newPractice()];
		receiver.answer = () => {};
		const bob = await enter(praxis, { practices: [quiet] });
		await stir(praxis, busy, 10);
		const { overflowed, events } = await webhooks(praxis);
		assert.ok(overflowed > 20, `${overflowed}`);
		assert.ok(events <= 20, `${events}`);
		receiver.server.closeAllConnections();
		receiver.answer = () => 204;
		await receiver.event('session_closed', (event) => event.practiceId === busy);
		await receiver.event('session_opened', (event) => event.practiceId === quiet);
		assert.ok(receiver.of(busy).length <= 11);
		await bob.close();
	});

	itIsWell(both);
});

// What SIGHUP came to.

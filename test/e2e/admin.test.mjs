// SPDX-License-Identifier: MIT
//
// The administrator's messages (docs/protocol.md, section 5): who may send them, what they show of
// whom, and what they do.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { bearer, enter, enterUnauthenticated, sign, token, tokenVhost } from './lib/issuer.mjs';
import { exchange, request } from './lib/http.mjs';
import { Praxisd, itEnds, secret, usePraxisd } from './lib/praxisd.mjs';
import { nothingArrived } from './lib/session.mjs';
import { until } from './lib/wait.mjs';

const one = { role: 'admin', practices: [1] };
const serverAdmin = { role: 'admin', practices: ['*'] };
const stranger = { role: 'admin', practices: ['*'], tenant: 'other' };

// A good message of every type; what it names is there or not, which is for later.
const TYPES = {
	admin_subscribe: {},
	admin_services: {},
	admin_history: {},
	admin_clients: {},
	admin_rooms: {},
	admin_disconnect: { clientId: 'nobody' },
	admin_end_room: { service: 'telemedicine', practiceId: 1, roomId: 'nothing' },
	admin_service: { name: 'echo', enabled: true },
	admin_broadcast: {
		service: 'whiteboard',
		practiceId: 1,
		message: { type: 'whiteboard_update' },
	},
	admin_test: { service: 'echo' },
	admin_events: {},
};

async function auditLogOf(praxis) {
	const text = await readFile(path.join(praxis.dir, 'audit.jsonl'), 'utf8');
	return text
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line));
}

const withAuditLog = { global: { audit: { file: 'audit.jsonl' } } };

describe('administrators and others', () => {
	const praxis = usePraxisd({ ...withAuditLog, vhost: tokenVhost(), services: { admin: {} } });

	for (const [type, fields] of Object.entries(TYPES)) {
		it(`${type} is for administrators`, async () => {
			for (const role of ['staff', 'patient', 'service']) {
				const client = await enter(praxis, { role, rooms: [] });
				await client.refused({ type, ...fields }, 'forbidden');
				const line = (await auditLogOf(praxis)).at(-1);
				assert.equal(line.event, 'refused');
				assert.equal(line.reason, 'forbidden');
				assert.equal(line.role, role);
				assert.equal(line.clientId, client.clientId);
			}
			const unauthenticated = await enterUnauthenticated(praxis);
			await unauthenticated.refused({ type, ...fields }, 'unauthenticated');
			const admin = await enter(praxis, serverAdmin);
			const receipt = await admin.ask({ type, ...fields });
			assert.notEqual(receipt.code, 'forbidden');
			assert.notEqual(receipt.code, 'unknown_type');
		});
	}

	it('is named to administrators alone', async () => {
		assert.ok((await enter(praxis, one)).hello.services.includes('admin'));
		assert.ok(!(await enter(praxis)).hello.services.includes('admin'));
	});

	it('refuses fields that make no sense', async () => {
		const admin = await enter(praxis, serverAdmin);
		for (const [type, field, values] of [
			['admin_subscribe', 'intervalMs', [499, 60001, -1, 'x', 1.5, null]],
			['admin_clients', 'limit', [-1, 501, 'x', null, 1.5]],
			['admin_clients', 'after', [-1, 'x', null]],
			['admin_clients', 'service', [7, null, {}]],
			['admin_clients', 'practiceId', [true, null, {}, '']],
			['admin_rooms', 'limit', [501]],
			['admin_disconnect', 'clientId', [7, null, undefined]],
			['admin_disconnect', 'reason', [7, null, 'a\nb']],
			['admin_end_room', 'roomId', [null, undefined, {}]],
			['admin_end_room', 'service', [null, undefined]],
			['admin_end_room', 'practiceId', [null, undefined]],
			['admin_service', 'name', [null, undefined, 7]],
			['admin_service', 'enabled', [null, undefined, 1, 'true']],
			['admin_broadcast', 'service', [null, undefined, 7]],
			['admin_broadcast', 'message', [null, undefined, 7, '{}', {}, { type: 'echo_say' }]],
			['admin_test', 'service', [null, undefined, 7]],
			['admin_events', 'since', [-1, 'x', null]],
			['admin_events', 'stop', [1, null]],
		]) {
			for (const value of values) {
				const message = { type, ...TYPES[type], [field]: value };
				const error = await admin.refused(message, 'bad_message');
				assert.equal(error.field, field, JSON.stringify(message));
			}
		}
	});

	it('names what is not there', async () => {
		const admin = await enter(praxis, serverAdmin);
		for (const [type, field, fields] of [
			['admin_clients', 'service', { service: 'nothing' }],
			['admin_rooms', 'service', { service: 'nothing' }],
			['admin_disconnect', 'clientId', {}],
			['admin_end_room', 'roomId', {}],
			['admin_end_room', 'service', { service: 'nothing' }],
			['admin_service', 'name', { name: 'nothing' }],
			['admin_broadcast', 'service', { service: 'nothing' }],
			['admin_test', 'service', { service: 'nothing' }],
		]) {
			const error = await admin.refused({ type, ...TYPES[type], ...fields }, 'not_found');
			assert.equal(error.field, field);
		}
	});

	itEnds(praxis);
});

describe('what an administrator sees', () => {
	const praxis = usePraxisd({
		vhost: tokenVhost(),
		services: { admin: {}, telemedicine: { 'turn-urls': ['turn:x'], 'turn-secret': secret() } },
	});

	it('a snapshot, and figures that move', async () => {
		const admin = await enter(praxis, serverAdmin);
		admin.send({ type: 'admin_subscribe', intervalMs: 500 });
		const snapshot = await admin.next('admin_snapshot');
		assert.doesNotMatch(snapshot.raw, /SECRET|phrase/);
		assert.equal(snapshot.scope, 'server');
		assert.equal(snapshot.totals.sessions, 1);
		assert.equal(typeof snapshot.server.version, 'string');
		assert.ok(Math.abs(snapshot.server.time - Date.now()) < 60000);
		assert.ok(snapshot.services.find(({ name }) => name === 'whiteboard').enabled);
		assert.equal(snapshot.config.vhost.tokens.secret, '(hidden)');
		const ann = await enter(praxis);
		await ann.join('r');
		const stats = await admin.next('admin_stats', ({ totals }) => totals.rooms === 1);
		assert.equal(stats.totals.sessions, 2);
		await admin.accepted({ type: 'admin_subscribe', intervalMs: 0 });
		await admin.fence();
		const other = await enter(praxis, serverAdmin);
		await other.accepted({ type: 'admin_subscribe', intervalMs: 500 });
		await other.next('admin_stats');
		await other.next('admin_stats');
		await nothingArrived([admin]);
	});

	it('of its practices alone', async () => {
		const admin = await enter(praxis, one);
		const ann = await enter(praxis);
		const far = await enter(praxis, { practices: [2] });
		const other = await enter(praxis, { tenant: 'other' });
		for (const client of [ann, far, other]) {
			await client.join('r');
		}
		admin.send({ type: 'admin_subscribe', intervalMs: 500 });
		const snapshot = await admin.next('admin_snapshot');
		assert.equal(snapshot.scope, 'practices');
		assert.equal(snapshot.config, undefined);
		assert.equal(snapshot.services[0].options, undefined);
		const { clients, rooms } = snapshot.totals;
		assert.deepEqual({ clients, rooms }, { clients: 2, rooms: 1 });
		assert.deepEqual(
			snapshot.practices.map(({ practiceId }) => practiceId),
			[1],
		);

		admin.send({ type: 'admin_clients' });
		const list = await admin.next('admin_clients');
		assert.deepEqual(
			list.clients.map(({ clientId }) => clientId),
			[admin.clientId, ann.clientId],
		);
		admin.send({ type: 'admin_rooms' });
		assert.equal((await admin.next('admin_rooms')).rooms.length, 1);
		for (const type of ['admin_clients', 'admin_rooms']) {
			const error = await admin.refused({ type, practiceId: 2 }, 'forbidden');
			assert.equal(error.field, 'practiceId');
		}

		const stranged = await enter(praxis, stranger);
		stranged.send({ type: 'admin_clients' });
		assert.deepEqual(
			(await stranged.next('admin_clients')).clients.map(({ clientId }) => clientId),
			[other.clientId, stranged.clientId],
		);
		stranged.send({ type: 'admin_subscribe' });
		const theirs = await stranged.next('admin_snapshot');
		assert.equal(theirs.scope, 'practices', 'all of another tenant is not the server');
		assert.equal(theirs.config, undefined);
	});

	it('the figures of the last hour, if it rules', async () => {
		const admin = await enter(praxis, serverAdmin);
		admin.send({ type: 'admin_history' });
		const history = await admin.next('admin_history');
		assert.ok(history.samples.every((row) => row.length === history.fields.length));
		await (await enter(praxis, one)).refused({ type: 'admin_history' }, 'forbidden');
	});

	it('clients and rooms page by page', async () => {
		const admin = await enter(praxis, serverAdmin);
		const ids = [admin.clientId];
		for (let i = 0; i < 5; i++) {
			const client = await enter(praxis, { practices: [i] });
			await client.join('r');
			ids.push(client.clientId);
		}
		const found = [];
		let after;
		do {
			admin.send({ type: 'admin_clients', limit: 2, after });
			const page = await admin.next('admin_clients');
			assert.ok(page.clients.length <= 2);
			found.push(...page.clients.map(({ clientId }) => clientId));
			after = page.next;
		} while (after);
		assert.deepEqual(found, ids);
		admin.send({ type: 'admin_rooms', practiceId: 3, service: 'telemedicine' });
		const { rooms } = await admin.next('admin_rooms');
		assert.deepEqual(
			rooms.map(({ practiceId }) => practiceId),
			[3],
		);
	});

	it('naming a practice makes it no part of it', async () => {
		const ann = await enter(praxis);
		const admin = await enter(praxis, serverAdmin);
		admin.send({ type: 'admin_clients', practiceId: 1 });
		await admin.next('admin_clients');
		await ann.accepted({ type: 'whiteboard_update', practiceId: 1 });
		await nothingArrived([admin]);
	});

	itEnds(praxis);
});

describe('what an administrator does', () => {
	const praxis = usePraxisd({ ...withAuditLog, vhost: tokenVhost(), services: { admin: {} } });

	// The audit log's last act of an administrator.
	async function lastAct() {
		return (await auditLogOf(praxis)).filter(({ event }) => event === 'administered').at(-1);
	}

	it('disconnects a client of its own', async () => {
		const admin = await enter(praxis, { ...one, sub: 'boss' });
		const ann = await enter(
			praxis,
			{},
			{
				headers: { 'Sec-WebSocket-Protocol': 'praxis.v1' },
			},
		);
		const far = await enter(praxis, { practices: [2] });
		const reason = secret('reason');
		const type = 'admin_disconnect';
		await admin.refused({ type, clientId: far.clientId }, 'not_found');
		await admin.accepted({ type, clientId: ann.clientId, reason });
		assert.equal((await ann.next('disconnecting')).reason, reason);
		assert.equal((await ann.closing()).code, 4410);
		const act = await lastAct();
		assert.equal(act.reason, 'disconnect');
		assert.equal(act.user, 'boss');
		assert.equal(act.clientId, admin.clientId);
		assert.equal(act.target, ann.clientId);
		await far.fence();
	});

	it('ends a room of its own', async () => {
		const admin = await enter(praxis, one);
		const ann = await enter(praxis);
		const far = await enter(praxis, { practices: [2] });
		await ann.join('r');
		await far.join('r');
		const message = { type: 'admin_end_room', service: 'telemedicine', roomId: 'r' };
		await admin.refused({ ...message, practiceId: 2 }, 'forbidden');
		await admin.accepted({ ...message, practiceId: 1 });
		assert.equal((await ann.next('telemedicine_user_left')).reason, 'ended');
		await nothingArrived([far]);
		assert.equal((await lastAct()).room, 'r');
	});

	it('switches a service, if it rules, and never itself off', async () => {
		const admin = await enter(praxis, serverAdmin);
		const ann = await enter(praxis);
		const type = 'admin_service';
		for (const claims of [one, stranger]) {
			const other = await enter(praxis, claims);
			await other.refused({ type, name: 'echo', enabled: false }, 'forbidden');
		}
		await admin.refused({ type, name: 'admin', enabled: false }, 'forbidden');
		await admin.accepted({ type, name: 'echo', enabled: false });
		await ann.refused({ type: 'echo_say', text: 'x' }, 'service_disabled');
		assert.equal((await lastAct()).reason, 'disable');
		admin.send({ type: 'admin_services' });
		const { services } = await admin.next('admin_services');
		assert.equal(services.find(({ name }) => name === 'echo').enabled, false);
		await admin.accepted({ type, name: 'echo', enabled: true });
		await ann.accepted({ type: 'echo_say', text: 'x' });
		assert.equal((await lastAct()).reason, 'enable');
	});

	it('switches one on that was off at start, if it can be loaded', async () => {
		const off = { status: 'disabled' };
		const other = new Praxisd();
		await other.start({
			vhost: tokenVhost(),
			services: { admin: {}, echo: off, missing: off },
		});
		try {
			const admin = await enter(other, serverAdmin);
			const ann = await enter(other);
			const named = async (wanted) => {
				admin.send({ type: 'admin_services' });
				const { services } = await admin.next('admin_services');
				return services.find(({ name }) => name === wanted);
			};
			const type = 'admin_service';
			assert.deepEqual(await named('echo'), { name: 'echo', enabled: false, loaded: false });
			await ann.refused({ type: 'echo_say', text: 'x' }, 'service_disabled');
			await admin.accepted({ type, name: 'echo', enabled: false });
			await admin.accepted({ type, name: 'echo', enabled: true });
			assert.ok(
				(await named('echo')).messages.some((message) => message.type === 'echo_say'),
			);
			await ann.accepted({ type: 'echo_say', text: 'x' });
			await (await enter(other)).accepted({ type: 'echo_say', text: 'x' });
			await admin.refused({ type, name: 'missing', enabled: true }, 'unavailable');
			await other.logged(/missing/);
			assert.equal((await named('missing')).loaded, false);
			await admin.accepted({ type, name: 'echo', enabled: false });
			await ann.refused({ type: 'echo_say', text: 'x' }, 'service_disabled');
		} finally {
			await other.kill();
		}
	});

	it('switches none on that it cannot write down, and offers no subprotocol of it', async () => {
		const other = new Praxisd();
		await other.start({
			...withAuditLog,
			vhost: tokenVhost(),
			services: { admin: {}, echo: { status: 'disabled' } },
			limits: ['--fsize=8192'],
		});
		try {
			const admin = await enter(other, serverAdmin);
			const type = 'admin_service';
			let receipt;
			for (let i = 0; i < 100 && receipt?.type !== 'error'; i++) {
				receipt = await admin.ask({ type, name: 'whiteboard', enabled: true });
			}
			assert.equal(receipt.code, 'unavailable', 'the audit log is full');
			await admin.refused({ type, name: 'echo', enabled: true }, 'unavailable');
			const headers = {
				'Sec-WebSocket-Protocol': 'echo, praxis.v1',
				...bearer(await token()),
			};
			assert.equal((await other.open('/ws', { headers })).protocol, 'praxis.v1');
		} finally {
			await other.kill();
		}
	});

	it('broadcasts to one practice, or to all of its own', async () => {
		const admin = await enter(praxis, serverAdmin);
		const single = await enter(praxis, { ...one, practices: [1, 3] });
		const ann = await enter(praxis);
		const bob = await enter(praxis, { practices: [2] });
		const other = await enter(praxis, { tenant: 'other' });
		const message = { type: 'whiteboard_update', data: secret('news') };
		const broadcast = { type: 'admin_broadcast', service: 'whiteboard', message };
		await single.refused({ ...broadcast, practiceId: 2 }, 'forbidden');

		admin.send({ ...broadcast, practiceId: 1 });
		assert.deepEqual(
			{ ...(await admin.next('admin_broadcasted')) },
			{
				type: 'admin_broadcasted',
				practices: 1,
				delivered: 2,
				failed: 0,
			},
		);
		assert.equal((await ann.next('whiteboard_update')).data, message.data);
		await single.next('whiteboard_update');

		admin.send(broadcast);
		const all = await admin.next('admin_broadcasted');
		assert.equal(all.delivered, 4);
		assert.equal(all.practices, 3);
		await ann.next('whiteboard_update');
		await bob.next('whiteboard_update');
		await single.next('whiteboard_update');
		await single.next('whiteboard_update');

		single.send(broadcast);
		assert.equal((await single.next('admin_broadcasted')).practices, 2);
		await ann.next('whiteboard_update');
		await single.fence();
		await nothingArrived([bob, other], [single]);
		assert.equal((await lastAct()).reason, 'broadcast');

		const wrong = { ...broadcast, message: { type: 'whiteboard_subscribe' } };
		await admin.refused({ ...wrong, practiceId: 1 }, 'unknown_type');
	});

	it('tests services', async () => {
		const admin = await enter(praxis, one);
		for (const [service, answer] of [
			['echo', 'echo_said'],
			['whiteboard', 'whiteboard_subscribed'],
			['telemedicine', 'telemedicine_ice_servers'],
			['admin', 'admin_rooms'],
		]) {
			admin.send({ type: 'admin_test', service, practiceId: 1 });
			await admin.next(answer);
			const tested = await admin.next('admin_tested');
			assert.equal(tested.service, service);
			assert.equal(tested.ok, true);
			assert.ok(Number.isInteger(tested.handledUs));
		}
		const board = await enter(praxis, serverAdmin); // it is in no practice yet, and names none
		board.send({ type: 'admin_test', service: 'whiteboard' });
		assert.equal((await board.next('error')).code, 'bad_message');
		assert.equal((await board.next('admin_tested')).ok, false);
	});

	itEnds(praxis);
});

describe('live events', () => {
	const praxis = usePraxisd({ vhost: tokenVhost(), services: { admin: {} } });

	async function watch(claims, since) {
		const admin = await enter(praxis, claims);
		admin.send({ type: 'admin_events', since });
		const begun = await admin.next('admin_events');
		return { admin, begun };
	}

	const eventOf = (client, event) => {
		return client.next('admin_event', ({ entry }) => entry.event === event);
	};

	it('are shown as they happen, of its practices alone', async () => {
		const { admin, begun } = await watch(one);
		assert.equal(begun.complete, undefined);
		const whole = (await watch(serverAdmin)).admin;
		const ann = await enter(praxis, { sub: 7 });
		const connected = await eventOf(admin, 'connected');
		assert.equal(connected.entry.user, 7);
		assert.equal(connected.entry.role, 'staff');
		assert.equal(connected.entry.clientId, ann.clientId);
		assert.ok(connected.n > begun.n);
		await ann.join('r');
		const joined = await eventOf(admin, 'joined');
		assert.equal(joined.entry.room, 'r');
		assert.equal(joined.entry.practice, 1);
		await ann.refused({ type: 'whiteboard_update', practiceId: 2 }, 'forbidden');
		assert.equal((await eventOf(admin, 'refused')).entry.reason, 'forbidden');
		const far = await enter(praxis, { practices: [2] });
		await far.join('r');
		await enter(praxis, { tenant: 'other' });
		await nothingArrived([admin], [far]);
		const seen = await whole.next('admin_event', ({ entry }) => {
			return entry.event === 'joined' && entry.practice === 2;
		});
		assert.equal(seen.entry.tenant, 'default');
	});

	it('of the server itself for those who have all practices', async () => {
		const { admin } = await watch(one);
		const whole = (await watch(serverAdmin)).admin;
		const response = await exchange(
			praxis.port,
			request('GET', '/api/v1/stats', bearer(await sign({ sub: 'x', role: 'staff' }))),
		);
		assert.equal(response.status, 401);
		const refused = await eventOf(whole, 'refused');
		assert.equal(refused.entry.address, '127.0.0.1');
		await nothingArrived([admin]);
	});

	it('go on after a number, also those of before', async () => {
		const { admin, begun } = await watch(one);
		const ann = await enter(praxis);
		await eventOf(admin, 'connected');
		const again = await watch(one, begun.n);
		assert.equal(again.begun.complete, true);
		const first = await again.admin.next('admin_event');
		assert.equal(first.entry.clientId, ann.clientId);
		assert.equal((await watch(one, 0)).begun.complete, false);
		await again.admin.accepted({ type: 'admin_events', stop: true });
		await again.admin.fence();
		await enter(praxis);
		await nothingArrived([again.admin]);
	});

	it('hold no name and no message', async () => {
		const { admin } = await watch(one);
		const ann = await enter(praxis);
		await ann.join('r');
		ann.send({
			type: 'telemedicine_chat_message',
			roomId: 'r',
			appointmentId: 'a',
			message: secret('chat'),
			from: 'me',
			fromUserId: 1,
		});
		await ann.refused({ type: 'whiteboard_update', practiceId: secret('id') }, 'forbidden');
		const events = await admin.fence();
		assert.ok(events.length > 2);
		for (const event of events) {
			assert.doesNotMatch(event.raw, /SECRET/);
		}
	});

	itEnds(praxis);
});

describe('many events', () => {
	const praxis = usePraxisd({ vhost: tokenVhost(), services: { admin: {} } });

	it('are rationed, and it is said how many were left out', async () => {
		const admin = await enter(praxis, one);
		admin.send({ type: 'admin_events' });
		await admin.next('admin_events');
		const ann = await enter(praxis);
		for (let i = 0; i < 1000; i++) {
			ann.send({ type: 'whiteboard_update', practiceId: 2 });
		}
		await ann.fence();
		const got = await admin.fence();
		const shown = got.filter(({ type }) => type === 'admin_event').length;
		const left = got.filter(({ type }) => type === 'admin_events');
		assert.ok(shown >= 300 && shown < 900, `${shown} of 1001 were shown`);
		let more = 0;
		await until('there is a ration again', async () => {
			more++;
			await ann.refused({ type: 'whiteboard_update', practiceId: 2 }, 'forbidden');
			const next = await admin.fence();
			left.push(...next.filter(({ type }) => type === 'admin_events'));
			return next.some(({ type }) => type === 'admin_event');
		});
		const missed = left.reduce((sum, event) => sum + event.missed, 0);
		assert.equal(shown + missed + 1, 1001 + more, 'one connected, the others refused');
	});

	itEnds(praxis);
});

describe('the admin service on a vhost in open mode', () => {
	const praxis = usePraxisd({ services: { admin: {} } });

	it('is for who says that it is an administrator', async () => {
		const staff = await praxis.connect();
		await staff.refused({ type: 'admin_clients' }, 'forbidden');
		const admin = await praxis.connect({ role: 'admin' });
		admin.send({ type: 'admin_clients' });
		assert.equal((await admin.next('admin_clients')).clients.length, 2);
		const all = await praxis.connect({ role: 'admin', practiceId: '*' });
		all.send({ type: 'admin_subscribe' });
		assert.equal((await all.next('admin_snapshot')).scope, 'server');
	});

	itEnds(praxis);
});

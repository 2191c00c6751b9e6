// SPDX-License-Identifier: MIT
//
// The waiting room: patients wait until somebody of the practice who is in the room lets them in.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, describe, it } from 'node:test';
import { bearer, claimsOf, enter, sign, tokenVhost } from './lib/issuer.mjs';
import { Praxisd, itEnds, secret, usePraxisd } from './lib/praxisd.mjs';
import { openV1, resume } from './lib/resuming.mjs';
import { nothingArrived } from './lib/session.mjs';
import { until } from './lib/wait.mjs';

const patientOf = (rooms, more = {}) => ({ role: 'patient', rooms, ...more });

const joining = (client, roomId) => ({
	type: 'telemedicine_user_joined',
	roomId,
	appointmentId: `appointment-${roomId}`,
	userId: client.identity.userId,
	userName: client.identity.userName,
});

const admit = (client, roomId, more) => ({
	type: 'telemedicine_admit',
	roomId,
	clientId: client.clientId,
	...more,
});

const deny = (client, roomId, more) => ({
	...admit(client, roomId, more),
	type: 'telemedicine_deny',
});

const chat = (roomId) => ({
	type: 'telemedicine_chat_message',
	roomId,
	appointmentId: 1,
	message: secret('chat'),
	from: 'me',
	fromUserId: 'me',
});

// Asks to join, and is told to wait.
async function wait(client, roomId) {
	client.send(joining(client, roomId));
	return client.next('telemedicine_waiting', (told) => told.roomId === roomId);
}

async function waiting(praxis, roomId, more = {}) {
	const client = await enter(praxis, patientOf([roomId], more));
	await wait(client, roomId);
	return client;
}

// The list of exactly these, first come first. Others may come before it: it is told with a delay.
async function listOf(staff, clients) {
	const wanted = clients.map(({ clientId }) => clientId).join();
	for (;;) {
		const list = await staff.next('telemedicine_waiting_list');
		if (list.waiting.map(({ clientId }) => clientId).join() === wanted) {
			return list;
		}
	}
}

const waitingRoom = (more = {}) => ({
	services: { telemedicine: { 'waiting-room': 'on', 'room-members': 3, ...more } },
	vhost: tokenVhost(),
});

describe('the waiting room', () => {
	const praxis = usePraxisd(waitingRoom({ 'waiting-max': 4 }));

	it('is where a patient is told its position, and hears nothing of the room', async () => {
		const doctor = await enter(praxis);
		await doctor.join('r');
		await doctor.accepted(chat('r'));
		const ann = await enter(praxis, patientOf(['r'], { sub: 7 }));
		const told = await wait(ann, 'r');
		assert.equal(told.appointmentId, 'appointment-r');
		assert.equal(told.position, 1);
		assert.equal(told.practiceId, 1);
		assert.equal(told.clientId, ann.clientId);
		assert.ok(Math.abs(told.since - Date.now()) < 60_000);
		const bob = await enter(praxis, patientOf(['r']));
		assert.equal((await wait(bob, 'r')).position, 2);
		// Asking again changes nothing.
		assert.equal((await wait(ann, 'r')).position, 1);
		const list = await listOf(doctor, [ann, bob]);
		assert.equal(list.roomId, 'r');
		assert.equal(list.practiceId, 1);
		assert.deepEqual(list.waiting[0], {
			clientId: ann.clientId,
			userId: 7,
			userName: ann.identity.userName,
			appointmentId: 'appointment-r',
			since: told.since,
		});

		await doctor.accepted(chat('r'));
		await doctor.accepted({
			type: 'telemedicine_media_state',
			roomId: 'r',
			audio: true,
			video: true,
			screen: false,
		});
		await doctor.refused(
			{
				type: 'telemedicine_offer',
				roomId: 'r',
				appointmentId: 1,
				offer: {},
				from: 'me',
				to: ann.clientId,
			},
			'no_such_peer',
		);
		await doctor.refused(
			{ type: 'telemedicine_remove', roomId: 'r', clientId: ann.clientId },
			'no_such_peer',
		);
		await ann.refused(chat('r'), 'not_in_room');
		await ann.refused(admit(ann, 'r'), 'forbidden');
		await nothingArrived([ann, bob, doctor], [doctor]);
		assert.equal((await praxis.stats()).waiting, 2);
	});

	it('is left by being admitted: as by an ordinary join', async () => {
		const [ann, bob] = [await waiting(praxis, 'r'), await waiting(praxis, 'r')];
		const doctor = await enter(praxis);
		const nurse = await enter(praxis);
		await nurse.join('r');
		const joined = await doctor.join('r');
		assert.deepEqual(joined.participants, [nurse.clientId, doctor.clientId]);
		await nurse.next('telemedicine_user_joined');
		await listOf(doctor, [ann, bob]);
		await listOf(nurse, [ann, bob]);

		await doctor.accepted(admit(ann, 'r'));
		const answer = await ann.next('telemedicine_room_joined');
		assert.equal(answer.roomId, 'r');
		assert.equal(answer.appointmentId, 'appointment-r');
		assert.deepEqual(answer.participants, [nurse.clientId, doctor.clientId, ann.clientId]);
		assert.equal((await bob.next('telemedicine_waiting')).position, 1);
		for (const client of [doctor, nurse]) {
			const told = await client.next('telemedicine_user_joined');
			assert.equal(told.clientId, ann.clientId);
			assert.equal(told.userId, ann.identity.userId);
			assert.equal(told.userName, ann.identity.userName);
			assert.equal(told.roomId, 'r');
			await listOf(client, [bob]);
		}
		ann.send(chat('r'));
		assert.equal((await doctor.next('telemedicine_chat_message')).clientId, ann.clientId);
		// It holds three, and is full.
		await doctor.refused(admit(bob, 'r'), 'room_full');
		await doctor.refused(admit(ann, 'r'), 'no_such_peer');
		await nurse.next('telemedicine_chat_message');
		await nothingArrived([ann, bob, doctor, nurse], [doctor]);
		// Who left waits anew.
		await ann.accepted({ ...joining(ann, 'r'), type: 'telemedicine_user_left' });
		assert.equal((await wait(ann, 'r')).position, 2);
	});

	it('is left by being denied, and the patient is told why', async () => {
		const doctor = await enter(praxis);
		await doctor.join('r');
		const ann = await waiting(praxis, 'r');
		const reason = secret('reason');
		await doctor.accepted(deny(ann, 'r', { reason }));
		const denied = await ann.next('telemedicine_denied');
		assert.equal(denied.roomId, 'r');
		assert.equal(denied.appointmentId, 'appointment-r');
		assert.equal(denied.code, 'denied');
		assert.equal(denied.reason, reason);
		await listOf(doctor, []);
		await doctor.refused(deny(ann, 'r'), 'no_such_peer');
		assert.equal((await wait(ann, 'r')).position, 1);
	});

	it('is nobody else’s to open', async () => {
		const ann = await waiting(praxis, 'r');
		const outside = await enter(praxis);
		const other = await enter(praxis, { practices: [2] });
		const tenant = await enter(praxis, { tenant: 'other' });
		await other.join('r');
		await tenant.join('r');
		for (const act of [admit, deny]) {
			await outside.refused(act(ann, 'r'), 'not_in_room');
			await outside.refused(act(ann, 'r', { practiceId: 2 }), 'forbidden');
			await other.refused(act(ann, 'r'), 'no_such_peer');
			await other.refused(act(ann, 'r', { practiceId: 1 }), 'forbidden');
			await tenant.refused(act(ann, 'r'), 'no_such_peer');
			await ann.refused(act(ann, 'r'), 'forbidden');
		}
		await nothingArrived([ann, outside, other, tenant], [ann]);
	});

	it('is told to staff who comes later, and outlasts the room', async () => {
		const ann = await waiting(praxis, 'r');
		const doctor = await enter(praxis);
		await doctor.join('r');
		await listOf(doctor, [ann]);
		await doctor.accepted({ ...joining(doctor, 'r'), type: 'telemedicine_user_left' });
		assert.equal((await praxis.stats()).rooms, 0);
		await nothingArrived([ann], [doctor]);
		await doctor.join('r');
		await listOf(doctor, [ann]);
		await doctor.accepted({ type: 'telemedicine_end', roomId: 'r' });
		assert.equal((await ann.next('telemedicine_denied')).code, 'ended');
		assert.equal((await praxis.stats()).waiting, 0);
	});

	it('is left by whoever disconnects', async () => {
		const doctor = await enter(praxis);
		await doctor.join('r');
		const ann = await waiting(praxis, 'r');
		const bob = await waiting(praxis, 'r');
		await listOf(doctor, [ann, bob]);
		await ann.close();
		assert.equal((await bob.next('telemedicine_waiting')).position, 1);
		await listOf(doctor, [bob]);
	});

	it('has one place for each user', async () => {
		const doctor = await enter(praxis);
		await doctor.join('r');
		const old = await waiting(praxis, 'r', { sub: 'ann' });
		const bob = await waiting(praxis, 'r');
		const young = await enter(praxis, patientOf(['r'], { sub: 'ann' }));
		assert.equal((await wait(young, 'r')).position, 1);
		assert.equal((await old.next('telemedicine_denied')).code, 'replaced');
		await listOf(doctor, [young, bob]);
		await nothingArrived([bob, old], [young]);
	});

	it('holds so many', async () => {
		for (let at = 1; at <= 4; at++) {
			const client = await enter(praxis, patientOf(['r']));
			assert.equal((await wait(client, 'r')).position, at);
		}
		const late = await enter(praxis, patientOf(['r', 's']));
		await late.refused(joining(late, 'r'), 'room_full');
		await late.refused(joining(late, 't'), 'forbidden');
		const stranger = await enter(praxis, patientOf(['s']));
		await stranger.refused(joining(stranger, 'r'), 'forbidden');
		await wait(late, 's');
	});

	it('is left with the token that named the room', async () => {
		const doctor = await enter(praxis);
		await doctor.join('r');
		const ann = await waiting(praxis, 'r');
		await listOf(doctor, [ann]);
		const claims = { ...ann.claims, rooms: ['s'] };
		await ann.accepted({ type: 'auth', token: await sign(claims) });
		assert.equal((await ann.next('telemedicine_denied')).code, 'removed');
		await listOf(doctor, []);
	});

	it('is not for staff', async () => {
		for (const role of ['staff', 'service', 'admin']) {
			const client = await enter(praxis, { role });
			await client.join('r');
			await client.close();
		}
	});

	itEnds(praxis);
});

describe('a waiting room with a short patience', () => {
	const praxis = usePraxisd(waitingRoom({ 'waiting-timeout': 1 }));

	it('sends away who has waited too long', async () => {
		const doctor = await enter(praxis);
		await doctor.join('r');
		const ann = await waiting(praxis, 'r');
		await listOf(doctor, [ann]);
		assert.equal((await ann.next('telemedicine_denied')).code, 'expired');
		await listOf(doctor, []);
	});

	itEnds(praxis);
});

// As enter(), for clients of praxis.v1: they can be resumed.
async function enterV1(praxis, more) {
	const claims = claimsOf(more);
	const client = await openV1(praxis, '', { headers: bearer(await sign(claims)) });
	client.identity = { userId: claims.sub, userName: claims.name };
	return client;
}

describe('a patient who waits and loses the network', () => {
	const praxis = usePraxisd({ ...waitingRoom(), global: { 'grace-ms': 60000 } });

	// Each says goodbye, or its session would outlast the test.
	const end = (...clients) => Promise.all(clients.map((client) => client.close()));

	it('keeps its place, and learns what became of it', async () => {
		const doctor = await enterV1(praxis);
		await doctor.join('r');
		const bob = await enterV1(praxis, patientOf(['r']));
		await wait(bob, 'r');
		const ann = await enterV1(praxis, patientOf(['r']));
		assert.equal((await wait(ann, 'r')).position, 2);
		const cat = await enterV1(praxis, patientOf(['r']));
		assert.equal((await wait(cat, 'r')).position, 3);
		await listOf(doctor, [bob, ann, cat]);
		await ann.kill();
		await nothingArrived([bob, cat, doctor]);
		await doctor.accepted(deny(bob, 'r'));
		assert.equal((await cat.next('telemedicine_waiting')).position, 2);
		const back = await resume(praxis, ann);
		assert.equal((await back.next('telemedicine_waiting')).position, 1);
		await listOf(doctor, [back, cat]);
		await end(doctor, bob, back, cat);
	});

	it('may be let in meanwhile', async () => {
		const doctor = await enterV1(praxis);
		await doctor.join('r');
		const ann = await enterV1(praxis, patientOf(['r']));
		await wait(ann, 'r');
		await ann.kill();
		await doctor.accepted(admit(ann, 'r'));
		assert.equal((await doctor.next('telemedicine_user_joined')).clientId, ann.clientId);
		const back = await resume(praxis, ann);
		assert.deepEqual((await back.next('telemedicine_room_joined')).participants, [
			doctor.clientId,
			ann.clientId,
		]);
		await doctor.accepted(chat('r'));
		await back.next('telemedicine_chat_message');
		await end(doctor, back);
	});

	itEnds(praxis);
});

describe('a waiting room and another server', () => {
	const praxis = new Praxisd();
	after(() => praxis.kill());

	it('goes on where it was', async () => {
		await praxis.start({
			...waitingRoom(),
			global: { 'state-file': 'state', 'grace-ms': 60000 },
		});
		const doctor = await enterV1(praxis);
		await doctor.join('r');
		const [bob, ann] = [
			await enterV1(praxis, patientOf(['r'])),
			await enterV1(praxis, patientOf(['r'])),
		];
		await wait(bob, 'r');
		const { since } = await wait(ann, 'r');
		await listOf(doctor, [bob, ann]);
		praxis.signal('SIGTERM');
		await praxis.ended();
		for (const { closed } of [doctor, bob, ann]) {
			await closed;
		}
		await praxis.launch();
		assert.equal((await praxis.stats()).waiting, 2);
		const again = await resume(praxis, doctor);
		const patient = await resume(praxis, ann);
		patient.identity = ann.identity;
		await nothingArrived([again, patient]);
		const told = await wait(patient, 'r');
		assert.equal(told.position, 2);
		assert.equal(told.since, since);
		await again.accepted(admit(bob, 'r'));
		assert.equal((await patient.next('telemedicine_waiting')).position, 1);
		await listOf(again, [patient]);
		const first = await resume(praxis, bob);
		await first.next('telemedicine_room_joined');
		praxis.signal('SIGTERM');
		await praxis.ended();
	});
});

describe('the audit log of a waiting room', () => {
	const praxis = usePraxisd({
		...waitingRoom(),
		global: { audit: { file: 'audit.jsonl' } },
	});

	async function auditLog(clientId) {
		const text = await readFile(`${praxis.dir}/audit.jsonl`, 'utf8');
		assert.ok(!text.includes('SECRET'), 'no name and no reason is written down');
		return text
			.split('\n')
			.slice(0, -1)
			.map((line) => JSON.parse(line))
			.filter((line) => line.clientId === clientId || line.target === clientId)
			.map(({ event, user, target, room, reason }) =>
				[event, user, target ? 'target' : '', room ?? '', reason ?? ''].join(' ').trim(),
			);
	}

	it('has who waited, who let in and who did not', async () => {
		const doctor = await enter(praxis, { sub: 'doctor' });
		await doctor.join('r');
		const ann = await waiting(praxis, 'r', { sub: 'ann' });
		await doctor.accepted(deny(ann, 'r', { reason: secret('reason') }));
		await wait(ann, 'r');
		await doctor.accepted(admit(ann, 'r'));
		await doctor.accepted({
			type: 'telemedicine_remove',
			roomId: 'r',
			clientId: ann.clientId,
		});
		await wait(ann, 'r');
		await doctor.accepted({ type: 'telemedicine_end', roomId: 'r' });
		await wait(ann, 'r');
		await ann.close();
		const lines = await until('its end', async () => {
			const found = await auditLog(ann.clientId);
			return found.at(-1).startsWith('disconnected') && found;
		});
		assert.deepEqual(lines.slice(0, -1), [
			'connected ann',
			'waiting ann  r',
			'denied doctor target r',
			'waiting ann  r',
			'admitted doctor target r',
			'removed doctor target r removed',
			'waiting ann  r',
			'waited doctor target r ended',
			'waiting ann  r',
			'waited ann  r disconnected',
		]);
	});

	itEnds(praxis);
});

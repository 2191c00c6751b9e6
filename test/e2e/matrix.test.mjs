// SPDX-License-Identifier: MIT
//
// Who may send what: every message type in every situation, with the answer that it gets written
// out, and what those of the same practice get of it. Whoever is in another practice, or in the
// practice of the same number of another tenant, gets nothing of anything.
//
// In every cell there is a witness in the practices A/1, A/2 and B/1 (tenant/practice), each on its
// practice's whiteboard and in a room called "room" there.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { claimsOf, enter, enterUnauthenticated, sign, tokenVhost } from './lib/issuer.mjs';
import { MESSAGES } from './lib/messages.mjs';
import { itEnds, secret, usePraxisd } from './lib/praxisd.mjs';

const ROOM = 'room';

const staff = { tenant: 'A', practices: [1], role: 'staff' };

// Who sends. `names`: the practice that its messages name; where there is none, only those
// messages name one (practice 1) that have to. `home`: the practice whose witness may hear of it.
const COLUMNS = {
	'own practice': { claims: staff, names: 1, home: 'A/1' },
	'other practice': { claims: staff, names: 2, home: 'A/1' },
	'other tenant': { claims: { ...staff, tenant: 'B' }, names: 1, home: 'B/1' },
	'no practice': { claims: { ...staff, practices: [] } },
	patient: { claims: { ...staff, role: 'patient', rooms: [ROOM] }, home: 'A/1' },
	staff: { claims: staff, home: 'A/1' },
	service: { claims: { ...staff, role: 'service' }, home: 'A/1' },
	admin: { claims: { ...staff, role: 'admin' }, home: 'A/1' },
	'not authenticated': { claims: null },
};

// Shorthands for answers, so that the table can be read.
const ACK = 'ack';
const FORB = 'forbidden';
const AUTH = 'unauthenticated';
const NOTIN = 'not_in_room';
const NOPEER = 'no_such_peer';

// Answers to what staff may do in a practice of its own, and to what patients may, too.
const forStaff = (answer) => [answer, FORB, answer, FORB, FORB, answer, answer, answer, AUTH];
const forPatients = (answer) => [answer, FORB, answer, FORB, answer, answer, answer, answer, AUTH];

// The answers, in the order of COLUMNS:
//                         own     other   other   no        patient staff   service admin   not
//                         pract.  pract.  tenant  practice                                  authent.
const TABLE = {
	ping: [ACK, ACK, ACK, ACK, ACK, ACK, ACK, ACK, ACK],
	auth: [ACK, ACK, ACK, ACK, ACK, ACK, ACK, ACK, ACK],
	'auth as another user': [FORB, FORB, FORB, FORB, FORB, FORB, FORB, FORB, ACK],
	echo_say: [ACK, FORB, ACK, ACK, ACK, ACK, ACK, ACK, AUTH],
	whiteboard_subscribe: forStaff(ACK),
	whiteboard_unsubscribe: forStaff(ACK),
	whiteboard_update: forStaff(ACK),
	whiteboard_presence: forStaff(ACK),
	'whiteboard_seen by who is not present': forStaff(NOTIN),
	telemedicine_user_joined: forPatients(ACK),
	'telemedicine_user_joined to a room that the token does not name': forStaff(ACK),
	telemedicine_user_left: forPatients(ACK),
	'telemedicine_user_left from outside': forPatients(NOTIN),
	telemedicine_offer: forPatients(ACK),
	'telemedicine_offer to the other practice': forPatients(NOPEER),
	'telemedicine_offer from outside': forPatients(NOTIN),
	telemedicine_answer: forPatients(ACK),
	'telemedicine_answer to the other practice': forPatients(NOPEER),
	'telemedicine_answer from outside': forPatients(NOTIN),
	telemedicine_ice_candidate: forPatients(ACK),
	'telemedicine_ice_candidate to the other practice': forPatients(NOPEER),
	'telemedicine_ice_candidate from outside': forPatients(NOTIN),
	telemedicine_chat_message: forPatients(ACK),
	'telemedicine_chat_message from outside': forPatients(NOTIN),
	telemedicine_media_state: forPatients(ACK),
	'telemedicine_media_state from outside': forPatients(NOTIN),
	telemedicine_typing: forPatients(ACK),
	'telemedicine_typing from outside': forPatients(NOTIN),
	telemedicine_ice_servers: [ACK, FORB, ACK, ACK, ACK, ACK, ACK, ACK, AUTH],
	'telemedicine_admit of somebody in the other practice': forStaff(NOPEER),
	'telemedicine_admit from outside': forStaff(NOTIN),
	'telemedicine_deny of somebody in the other practice': forStaff(NOPEER),
	'telemedicine_deny from outside': forStaff(NOTIN),
	telemedicine_remove: forStaff(ACK),
	'telemedicine_remove of somebody in the other practice': forStaff(NOPEER),
	'telemedicine_remove from outside': forStaff(NOTIN),
	telemedicine_end: forStaff(ACK),
	'telemedicine_end from outside': forStaff(NOTIN),
};

// The same where the waiting room is on, and a patient waits in each practice.
const WAITING_TABLE = {
	telemedicine_admit: forStaff(ACK),
	'telemedicine_admit of somebody in the other practice': forStaff(NOPEER),
	'telemedicine_admit from outside': forStaff(NOTIN),
	telemedicine_deny: forStaff(ACK),
	'telemedicine_deny of somebody in the other practice': forStaff(NOPEER),
	'telemedicine_deny from outside': forStaff(NOTIN),
};

// What the witness in the sender's practice gets of an accepted message; otherwise nothing.
const HEARD = {
	whiteboard_update: ['whiteboard_update'],
	telemedicine_user_joined: ['telemedicine_user_joined'],
	telemedicine_user_left: ['telemedicine_user_left'],
	telemedicine_offer: ['telemedicine_offer'],
	telemedicine_answer: ['telemedicine_answer'],
	telemedicine_ice_candidate: ['telemedicine_ice_candidate'],
	telemedicine_chat_message: ['telemedicine_chat_message'],
	telemedicine_media_state: ['telemedicine_media_state'],
	telemedicine_typing: ['telemedicine_typing'],
	telemedicine_admit: ['telemedicine_user_joined', 'telemedicine_waiting_list'],
	telemedicine_deny: ['telemedicine_waiting_list'],
	telemedicine_remove: ['telemedicine_user_left'],
	telemedicine_end: ['telemedicine_user_left', 'telemedicine_user_left'], // all members leave
};

const call = { roomId: ROOM, appointmentId: 'appointment' };
const signal = (cell) => ({ ...call, from: 'me', ...(cell.to && { to: cell.far.clientId }) });

const target = (cell) => ({
	roomId: ROOM,
	clientId: (cell.other ? cell.far : cell.near).clientId,
});

// The message of each type, but for the practice that it names.
const BODIES = {
	ping: () => ({}),
	auth: ({ token }) => ({ token }),
	echo_say: () => ({ text: secret('text') }),
	whiteboard_subscribe: () => ({}),
	whiteboard_unsubscribe: () => ({}),
	whiteboard_update: () => ({ data: secret('data') }),
	whiteboard_presence: () => ({}),
	whiteboard_seen: () => ({ seq: 0 }),
	telemedicine_user_joined: ({ room }) => ({
		...call,
		roomId: room,
		userId: 'me',
		userName: secret('name'),
	}),
	telemedicine_user_left: () => ({ ...call, userId: 'me' }),
	telemedicine_offer: (cell) => ({ ...signal(cell), offer: { sdp: secret('sdp') } }),
	telemedicine_answer: (cell) => ({ ...signal(cell), answer: { sdp: secret('sdp') } }),
	telemedicine_ice_candidate: (cell) => ({ ...signal(cell), candidate: null }),
	telemedicine_chat_message: () => ({
		...call,
		message: secret('chat'),
		from: 'me',
		fromUserId: 'me',
	}),
	telemedicine_media_state: () => ({ roomId: ROOM, audio: true, video: true, screen: false }),
	telemedicine_typing: () => ({ roomId: ROOM, typing: true }),
	telemedicine_ice_servers: () => ({ roomId: ROOM }),
	telemedicine_admit: target,
	telemedicine_deny: target,
	telemedicine_remove: target,
	telemedicine_end: () => ({ roomId: ROOM }),
};

// Those that the broker answers itself: they name no practice.
const OWN = ['ping', 'auth'];

const NEEDS_PRACTICE = [
	'whiteboard_subscribe',
	'whiteboard_unsubscribe',
	'whiteboard_update',
	'whiteboard_presence',
	'whiteboard_seen',
];

function messageOf(type, column, cell) {
	const message = { type, ...BODIES[type](cell) };
	const named = column.names ?? (NEEDS_PRACTICE.includes(type) ? 1 : undefined);
	if (named !== undefined && !OWN.includes(type)) {
		message.practiceId = named;
	}
	return message;
}

const PLACES = {
	'A/1': { tenant: 'A', practices: [1] },
	'A/2': { tenant: 'A', practices: [2] },
	'B/1': { tenant: 'B', practices: [1] },
};

async function witnesses(praxis) {
	const found = {};
	for (const [place, claims] of Object.entries(PLACES)) {
		found[place] = await enter(praxis, claims);
		await found[place].join(ROOM);
	}
	return found;
}

// A patient in each practice who waits to be let in.
async function waiters(praxis) {
	const found = {};
	for (const [place, claims] of Object.entries(PLACES)) {
		found[place] = await enter(praxis, { ...claims, role: 'patient', rooms: [ROOM] });
		const { userId, userName } = found[place].identity;
		found[place].send({ type: 'telemedicine_user_joined', ...call, userId, userName });
		await found[place].next('telemedicine_waiting');
	}
	return found;
}

// The sender, in the room where the message needs that and it is possible.
async function senderOf(praxis, column, type, label, waiting) {
	if (!column.claims) {
		return enterUnauthenticated(praxis);
	}
	const sender = await enter(praxis, column.claims);
	const outside =
		label.includes('from outside') ||
		type === 'telemedicine_user_joined' ||
		(waiting && column.claims.role === 'patient');
	if (type.startsWith('telemedicine_') && column.home && !outside) {
		await sender.join(ROOM);
	}
	return sender;
}

async function tokenFor(sender, label) {
	const own = sender.claims ?? claimsOf(staff);
	return sign(label.includes('another user') ? claimsOf({ ...own, sub: 'another' }) : own);
}

// The tests of one row. `waiting`: the clientId of a message is that of a patient who waits.
function row(praxis, label, answers, waiting) {
	const type = label.split(' ')[0];
	for (const [at, [name, column]] of Object.entries(COLUMNS).entries()) {
		it(`${label}; ${name}: ${answers[at]}`, async () => {
			const patients = waiting && (await waiters(praxis));
			const all = await witnesses(praxis);
			const targets = patients || all;
			const sender = await senderOf(praxis, column, type, label, waiting);
			const cell = {
				near: targets[column.home ?? 'A/1'],
				far: targets['A/2'],
				to: label.includes('to the other practice'),
				other: label.includes('in the other practice'),
				room: label.includes('does not name') ? 'elsewhere' : ROOM,
				token: await tokenFor(sender, label),
			};
			for (const witness of Object.values(all)) {
				await witness.fence();
			}

			const receipt = await sender.ask(messageOf(type, column, cell));
			const answer = receipt.type === 'ack' ? 'ack' : receipt.code;
			assert.equal(answer, answers[at], JSON.stringify(receipt));
			await sender.fence();

			for (const [place, witness] of Object.entries(all)) {
				const audible = place === column.home && answer === 'ack' && cell.room === ROOM;
				const wanted = audible ? (HEARD[type] ?? []) : [];
				// It is told a moment later.
				const late = wanted.includes('telemedicine_waiting_list')
					? [await witness.next('telemedicine_waiting_list')]
					: [];
				assert.deepEqual(
					[...(await witness.fence()), ...late].map((message) => message.type),
					wanted,
					`what the witness in ${place} gets`,
				);
			}
			for (const [place, patient] of Object.entries(patients || {})) {
				const named = place === column.home && answer === 'ack';
				const told =
					type === 'telemedicine_admit'
						? 'telemedicine_room_joined'
						: 'telemedicine_denied';
				assert.deepEqual(
					(await patient.fence()).map((message) => message.type),
					named ? [told] : [],
					`what the patient in ${place} gets`,
				);
			}
		});
	}
}

describe('the matrix', () => {
	const praxis = usePraxisd({ vhost: tokenVhost() });

	it('has every message type', () => {
		const labels = [...Object.keys(TABLE), ...Object.keys(WAITING_TABLE)];
		const types = [...new Set(labels.map((label) => label.split(' ')[0]))];
		const known = Object.keys(MESSAGES);
		assert.deepEqual(types.sort(), [...known, ...OWN].sort());
		for (const answers of [...Object.values(TABLE), ...Object.values(WAITING_TABLE)]) {
			assert.equal(answers.length, Object.keys(COLUMNS).length);
		}
	});

	for (const [label, answers] of Object.entries(TABLE)) {
		row(praxis, label, answers, false);
	}

	itEnds(praxis);
});

describe('the matrix, with a waiting room', () => {
	const praxis = usePraxisd({
		services: { telemedicine: { 'waiting-room': 'on' } },
		vhost: tokenVhost(),
	});

	for (const [label, answers] of Object.entries(WAITING_TABLE)) {
		row(praxis, label, answers, true);
	}

	itEnds(praxis);
});

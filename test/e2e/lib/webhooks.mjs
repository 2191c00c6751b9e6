// SPDX-License-Identifier: MIT
//
// Servers with webhooks, and what clients do that these tell.

import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { enter, tokenVhost } from './issuer.mjs';
import { usePraxisd } from './praxisd.mjs';
import { Receiver, SIGNING, webhook } from './receiver.mjs';

// What is told of a client that comes, joins a room alone, and goes.
export const ONE_VISIT = [
	'session_opened',
	'room_started',
	'member_joined',
	'member_left',
	'room_ended',
	'session_closed',
];

// A server that tells a receiver of this process; ended and checked by its last test.
export function use({ hook = {}, vhost = {}, more = {}, services } = {}) {
	const receiver = new Receiver();
	let url;
	before(async () => {
		url = await receiver.listen();
	});
	const praxis = usePraxisd(async () => ({
		services,
		vhost: tokenVhost({}, { ...webhook(url, hook), ...vhost }),
		...more,
	}));
	after(() => receiver.close());
	return { praxis, receiver };
}

export function itIsWell({ praxis, receiver }) {
	it('and the receiver has nothing to complain of, nor the log anything to hide', async () => {
		await praxis.stop();
		assert.deepEqual(receiver.violations, []);
		assert.ok(!praxis.log.includes(SIGNING));
		for (const { text } of receiver.requests) {
			assert.doesNotMatch(text, /SECRET/, 'no name, nothing that was said');
		}
	});
}

export const leaving = (client, roomId) => ({
	type: 'telemedicine_user_left',
	roomId,
	appointmentId: `appointment-${roomId}`,
	userId: client.identity.userId,
});

export const leave = (client, roomId) => client.accepted(leaving(client, roomId));

export const webhooks = async (praxis) => (await praxis.stats()).webhooks;

// Times of one moment: they are taken by more than one clock, on a machine that may be busy.
export function about(a, b) {
	assert.ok(Math.abs(a - b) <= 5000, `${a} is not about ${b}`);
}

let practices = 100;

// A practice of the test's own.
export const newPractice = () => ++practices;
// Comes and goes so many times; returns nothing that anybody waits for.
export async function stir(praxis, practiceId, times) {
	const client = await enter(praxis, { practices: [practiceId] });
	for (let i = 0; i < times; i++) {
		await client.join(`r${i}`);
		await leave(client, `r${i}`);
	}
	await client.close();
	return client;
}

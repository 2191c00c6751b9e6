// SPDX-License-Identifier: MIT
//
// Telemedicine: rooms, calls, chat, and what happens to those who do not belong there.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { compose } from './lib/messages.mjs';
import { itEnds, secret, usePraxisd } from './lib/praxisd.mjs';
import { nothingArrived } from './lib/session.mjs';

const others = (answer, client) =>
	answer.participants.filter((id) => id !== client.clientId).sort();
const ids = (clients) => clients.map((client) => client.clientId).sort();

const call = (client, roomId) => ({
	roomId,
	appointmentId: `appointment-${roomId}`,
	from: client.identity.userId,
});

const chat = (client, roomId, message = secret('chat')) => ({
	type: 'telemedicine_chat_message',
	...call(client, roomId),
	fromUserId: client.identity.userId,
	message,
});

const leave = (client, roomId) => ({
	type: 'telemedicine_user_left',
	...call(client, roomId),
	userId: client.identity.userId,
});

const offer = (client, roomId, to) => ({
	type: 'telemedicine_offer',
	...call(client, roomId),
	offer: { type: 'offer', sdp: secret('sdp') },
	to,
});

// `count` clients in one room, each of which has seen who came after it.
async function room(praxis, roomId, count, identity = {}) {
	const members = [];
	for (let at = 0; at < count; at++) {
		const client = await praxis.connect(identity);
		await client.join(roomId);
		for (const member of members) {
			await member.next(
				'telemedicine_user_joined',
				({ clientId }) => clientId === client.clientId,
			);
		}
		members.push(client);
	}
	return members;
}

describe('a room', () => {
	const praxis = usePraxisd();

	it('is told to the joiner, and the joiner to it', async () => {
		const ann = await praxis.connect({ userId: 7, userName: 'SECRET-Ann' });
		const first = await ann.join('appointment_1', { appointmentId: 1 });
		assert.equal(first.roomId, 'appointment_1');
		assert.equal(first.appointmentId, 1);
		assert.deepEqual(others(first, ann), []);
		assert.deepEqual(first.chat, []);
		assert.ok(Array.isArray(first.iceServers));

		const bob = await praxis.connect({ userId: 8, userName: 'SECRET-Bob' });
		const second = await bob.join('appointment_1', { appointmentId: 1, userId: 8 });
		assert.deepEqual(others(second, bob), [ann.clientId]);
		assert.deepEqual(second.participants, [ann.clientId, bob.clientId], 'the joiner, too');
		assert.deepEqual(
			second.members.map((member) => member.clientId),
			[ann.clientId],
		);
		const member = second.members.find(({ clientId }) => clientId === ann.clientId);
		assert.equal(String(member.userId), '7');
		assert.equal(member.userName, 'SECRET-Ann');
		assert.equal(member.role, 'staff');

		const told = await ann.next('telemedicine_user_joined');
		assert.equal(told.roomId, 'appointment_1');
		assert.equal(told.appointmentId, 1);
		assert.equal(told.userId, 8);
		assert.equal(told.userName, 'SECRET-Bob');
		assert.equal(told.clientId, bob.clientId);
		assert.equal((await praxis.stats()).rooms, 1);
		await nothingArrived([ann, bob]);
	});

	it("can be joined without a role, as the reference system's clients do", async () => {
		const [ann, bob] = await room(praxis, 'r', 2, { role: null });
		ann.send(offer(ann, 'r'));
		assert.equal((await bob.next('telemedicine_offer')).clientId, ann.clientId);
	});

	it('joined twice is answered twice, and told once', async () => {
		const [ann, bob] = await room(praxis, 'r', 2);
		const again = await bob.join('r');
		assert.deepEqual(others(again, bob), [ann.clientId]);
		assert.deepEqual(again.participants, [ann.clientId, bob.clientId]);
		const first = await ann.join('r');
		assert.deepEqual(first.participants, [ann.clientId, bob.clientId], 'in join order');
		await nothingArrived([ann, bob], [bob]);
		await bob.accepted(leave(bob, 'r'));
		await ann.next('telemedicine_user_left');
		await bob.refused(leave(bob, 'r'), 'not_in_room');
	});

	it('is left by leaving', async () => {
		const [ann, bob, cyd] = await room(praxis, 'r', 3);
		await bob.accepted(leave(bob, 'r'));
		for (const client of [ann, cyd]) {
			const left = await client.next('telemedicine_user_left');
			assert.equal(left.clientId, bob.clientId);
			assert.equal(left.userId, bob.identity.userId);
			assert.equal(left.userName, bob.identity.userName);
			assert.equal(left.roomId, 'r');
			assert.equal(left.appointmentId, 'appointment-r');
			assert.equal(left.reason, 'left');
		}
		ann.send(chat(ann, 'r'));
		await cyd.next('telemedicine_chat_message');
		await nothingArrived([bob], [ann]);
		const back = await bob.join('r');
		assert.deepEqual(others(back, bob), ids([ann, cyd]));
	});

	for (const how of ['reset', 'FIN']) {
		it(`is left by a client killed without a close (${how}): disconnected`, async () => {
			const [ann, cyd] = await room(praxis, 'r', 2);
			const bob = await praxis.connectRaw();
			await bob.join('r');
			await bob.kill({ reset: how === 'reset' });
			for (const client of [ann, cyd]) {
				await client.next('telemedicine_user_joined');
				const left = await client.next('telemedicine_user_left');
				assert.equal(left.clientId, bob.clientId);
				assert.equal(left.userId, bob.identity.userId);
				assert.equal(left.userName, bob.identity.userName);
				assert.equal(left.reason, 'disconnected');
			}
			await nothingArrived([ann, cyd]);
			const dora = await praxis.connect();
			assert.deepEqual(others(await dora.join('r'), dora), ids([ann, cyd]));
		});
	}

	it('is left by closing', async () => {
		const [ann, bob] = await room(praxis, 'r', 2);
		await bob.close(1000);
		const left = await ann.next('telemedicine_user_left');
		assert.equal(left.clientId, bob.clientId);
		assert.ok(['left', 'disconnected'].includes(left.reason));
	});

	it('ends with its last member', async () => {
		const [ann, bob] = await room(praxis, 'r', 2);
		await ann.accepted(chat(ann, 'r'));
		await ann.accepted(leave(ann, 'r'));
		await bob.accepted(leave(bob, 'r'));
		assert.equal((await praxis.stats()).rooms, 0);
		const again = await ann.join('r');
		assert.deepEqual(others(again, ann), []);
		assert.deepEqual(again.chat, []);
	});

	it('never joined cannot be left', async () => {
		const [witness] = await room(praxis, 'r', 1);
		const mallory = await praxis.connect();
		const error = await mallory.refused(leave(mallory, 'r'), 'not_in_room');
		assert.equal(error.ref, 'telemedicine_user_left');
		await mallory.refused(leave(mallory, 'nowhere'), 'not_in_room');
		await nothingArrived([witness], [mallory]);
	});

	it('one is not in cannot be spoken to, by any message', async () => {
		const witnesses = await room(praxis, 7, 2);
		const mallory = await praxis.connect();
		for (const type of [
			'telemedicine_user_left',
			'telemedicine_offer',
			'telemedicine_answer',
			'telemedicine_ice_candidate',
			'telemedicine_chat_message',
			'telemedicine_media_state',
			'telemedicine_typing',
			'telemedicine_admit',
			'telemedicine_deny',
			'telemedicine_remove',
			'telemedicine_end',
		]) {
			const error = await mallory.refused(compose(type), 'not_in_room');
			assert.equal(error.ref, type);
			mallory.send(compose(type));
			assert.equal((await mallory.next('error')).id, undefined);
		}
		await mallory.refused(
			compose('telemedicine_offer', {
				to: `"${witnesses[0].clientId}"`,
				offer: '{"sdp":"SECRET"}',
			}),
			'not_in_room',
		);
		await nothingArrived([mallory, ...witnesses], [mallory]);
		assert.match(praxis.log, /not_in_room/);
	});

	it('is the same by number and by string', async () => {
		const [ann, bob] = [await praxis.connect(), await praxis.connect()];
		await ann.join(5);
		const answer = await bob.join('5');
		assert.equal(answer.roomId, '5', 'spelled as asked');
		assert.deepEqual(others(answer, bob), [ann.clientId]);
		assert.equal((await praxis.stats()).rooms, 1);
		for (const other of ['05', ' 5', '5 ', '5.0', '-5']) {
			const cyd = await praxis.connect();
			assert.deepEqual(others(await cyd.join(other), cyd), []);
		}
	});

	it('of the same name in another practice is another', async () => {
		const here = await room(praxis, 'r', 2, { practiceId: 1 });
		const there = await room(praxis, 'r', 2, { practiceId: 2 });
		assert.equal((await praxis.stats()).rooms, 2);
		const [ann, bob] = here;
		const [cyd, dora] = there;
		await ann.accepted(offer(ann, 'r'));
		await ann.accepted(chat(ann, 'r'));
		await ann.accepted({
			type: 'telemedicine_media_state',
			roomId: 'r',
			audio: true,
			video: true,
			screen: false,
		});
		await ann.refused(offer(ann, 'r', cyd.clientId), 'no_such_peer');
		await ann.refused(offer(ann, 'r', cyd.identity.userId), 'no_such_peer');
		assert.equal(
			(await ann.ask({ type: 'telemedicine_remove', roomId: 'r', clientId: cyd.clientId }))
				.type,
			'error',
		);
		for (const type of ['offer', 'chat_message', 'media_state']) {
			await bob.next(`telemedicine_${type}`);
		}
		await nothingArrived([cyd, dora], [ann]);
		await ann.accepted({ type: 'telemedicine_end', roomId: 'r' });
		await nothingArrived([cyd, dora], [ann]);
		const eve = await praxis.connect({ practiceId: 2 });
		const answer = await eve.join('r');
		assert.deepEqual(others(answer, eve), ids(there));
		assert.deepEqual(answer.chat, []);
	});

	it('is full with eight', async () => {
		const members = await room(praxis, 'r', 8);
		const ninth = await praxis.connect();
		const join = {
			type: 'telemedicine_user_joined',
			roomId: 'r',
			appointmentId: 1,
			userId: 9,
			userName: secret(),
		};
		const error = await ninth.refused(join, 'room_full');
		assert.equal(error.ref, 'telemedicine_user_joined');
		await ninth.refused(chat(ninth, 'r'), 'not_in_room');
		await nothingArrived([ninth, ...members], [ninth]);
		assert.equal((await members[0].join('r')).participants.length, 8, 'members may ask again');
		await members[7].accepted(leave(members[7], 'r'));
		await ninth.join('r');
	});

	itEnds(praxis);
});

describe('a client that wants a thousand rooms', () => {
	const praxis = usePraxisd();

	it('gets sixteen, and nobody notices', async () => {
		const witnesses = await room(praxis, 'witness', 2);
		const mallory = await praxis.connect();
		for (let at = 0; at < 1000; at++) {
			mallory.send({
				type: 'telemedicine_user_joined',
				roomId: at,
				appointmentId: at,
				userId: 1,
				userName: 'SECRET',
				id: at,
			});
		}
		const replies = await mallory.fence();
		const of = (type) => replies.filter((reply) => reply.type === type);
		assert.deepEqual(
			of('ack').map(({ id }) => id),
			Array.from({ length: 16 }, (_, at) => at),
		);
		assert.equal(of('telemedicine_room_joined').length, 16);
		assert.equal(of('error').length, 984);
		assert.ok(
			of('error').every(({ code, ref }) => {
				return code === 'too_many_rooms' && ref === 'telemedicine_user_joined';
			}),
		);
		assert.equal((await praxis.stats()).rooms, 17);
		await nothingArrived(witnesses);
		await mallory.accepted(leave(mallory, 3));
		await mallory.join(999);
	});

	itEnds(praxis);
});

describe('a client that may have a thousand rooms', () => {
	const praxis = usePraxisd({ global: { 'max-rooms-per-session': 1000 } });

	it('gets them, and they end with it', async () => {
		const mallory = await praxis.connectRaw();
		for (let at = 0; at < 1001; at++) {
			mallory.send({
				type: 'telemedicine_user_joined',
				roomId: at,
				appointmentId: at,
				userId: 1,
				userName: '',
			});
		}
		const replies = await mallory.fence();
		assert.equal(
			replies.filter(({ type }) => type === 'telemedicine_room_joined').length,
			1000,
		);
		assert.equal(replies.at(-1).code, 'too_many_rooms');
		assert.equal((await praxis.stats()).rooms, 1000);
		await mallory.kill();
	});

	itEnds(praxis);
});

describe('a call', () => {
	const praxis = usePraxisd();

	const sdp = 'v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\na=SECRET/é\r\n';

	it('of four connects each with each', async () => {
		const clients = await room(praxis, 'r', 4);
		const pairs = clients.flatMap((one, at) => clients.slice(0, at).map((two) => [one, two]));
		for (const [caller, callee] of pairs) {
			const secretOffer = offer(caller, 'r', callee.clientId);
			caller.send(secretOffer);
			const got = await callee.next();
			assert.equal(got.type, 'telemedicine_offer');
			assert.deepEqual(got.offer, secretOffer.offer);
			assert.equal(got.from, caller.identity.userId);
			assert.equal(got.clientId, caller.clientId);
			assert.equal(got.roomId, 'r');
			assert.equal(got.appointmentId, 'appointment-r');
			assert.equal(String(got.practiceId), '1');

			callee.send({
				type: 'telemedicine_answer',
				...call(callee, 'r'),
				to: caller.identity.userId,
				answer: { type: 'answer', sdp },
			});
			const answer = await caller.next();
			assert.equal(answer.type, 'telemedicine_answer');
			assert.equal(answer.answer.sdp, sdp);
			assert.equal(answer.clientId, callee.clientId);

			for (const [from, to] of [
				[caller, callee],
				[callee, caller],
			]) {
				for (const candidate of [
					{ candidate: secret(), sdpMid: '0', sdpMLineIndex: 0 },
					null,
				]) {
					from.send({
						type: 'telemedicine_ice_candidate',
						...call(from, 'r'),
						to: to.clientId,
						candidate,
					});
					const got = await to.next();
					assert.equal(got.type, 'telemedicine_ice_candidate');
					assert.deepEqual(got.candidate, candidate);
					assert.equal(got.clientId, from.clientId);
				}
			}
		}
		await nothingArrived(clients, clients);
	});

	it('without `to` reaches all the others', async () => {
		const [ann, ...rest] = await room(praxis, 'r', 4);
		for (const [type, field, value] of [
			['offer', 'offer', { sdp }],
			['answer', 'answer', { sdp }],
			['ice_candidate', 'candidate', { a: 'SECRET' }],
			['ice_candidate', 'candidate', null],
		]) {
			ann.send({ type: `telemedicine_${type}`, ...call(ann, 'r'), [field]: value });
			for (const client of rest) {
				const got = await client.next();
				assert.equal(got.type, `telemedicine_${type}`);
				assert.deepEqual(got[field], value);
			}
		}
		await nothingArrived([ann, ...rest], [ann]);
	});

	it('keeps the spelling of what it carries', async () => {
		const [ann, bob] = await room(praxis, 'r', 2);
		const spelled =
			'{"type":"offer","sdp":"v=0\\r\\na=\\u0053ECRET\\/\\u00e9/é\\r\\n","n":1.10e+02}';
		ann.send(
			`{"type":"telemedicine_offer","roomId":"r","appointmentId":1,"from":7,` +
				`"offer":${spelled},` +
				`"big":12345678901234567890,"clientId":"x","client\\u0049d":"x","timestamp":1}`,
		);
		const got = await bob.next('telemedicine_offer');
		assert.ok(got.raw.includes(spelled));
		assert.ok(got.raw.includes('12345678901234567890'));
		assert.equal(got.clientId, ann.clientId);
	});

	it('finds a user by number and by string', async () => {
		const ann = await praxis.connect({ userId: 7 });
		const bob = await praxis.connect({ userId: 8 });
		await ann.join('r', { userId: 7 });
		await bob.join('r', { userId: 8 });
		for (const to of [8, '8', bob.clientId]) {
			await ann.accepted(offer(ann, 'r', to));
			assert.equal((await bob.next('telemedicine_offer')).to, to);
		}
		for (const to of [9, '08', 80, '8 ', bob.clientId.slice(1), `${bob.clientId}x`]) {
			const error = await ann.refused(offer(ann, 'r', to), 'no_such_peer');
			assert.equal(error.ref, 'telemedicine_offer');
		}
		await nothingArrived([bob], [ann]);
	});

	it('does not find somebody of another room', async () => {
		const [ann, bob] = await room(praxis, 'one', 2);
		const [cyd, dora] = await room(praxis, 'two', 2);
		for (const to of [cyd.clientId, cyd.identity.userId]) {
			await ann.refused(offer(ann, 'one', to), 'no_such_peer');
			await ann.refused(
				{ ...offer(ann, 'one', to), type: 'telemedicine_answer', answer: {} },
				'no_such_peer',
			);
			await ann.refused(
				{
					...offer(ann, 'one', to),
					type: 'telemedicine_ice_candidate',
					candidate: null,
				},
				'no_such_peer',
			);
		}
		await ann.refused(offer(ann, 'two', cyd.clientId), 'not_in_room');
		await nothingArrived([bob, cyd, dora], [ann]);
		assert.match(praxis.log, /no_such_peer/);
	});

	it('does not find one who left', async () => {
		const [ann, bob, cyd] = await room(praxis, 'r', 3);
		await bob.accepted(leave(bob, 'r'));
		await ann.next('telemedicine_user_left');
		await cyd.next('telemedicine_user_left');
		await ann.refused(offer(ann, 'r', bob.clientId), 'no_such_peer');
		await nothingArrived([bob, cyd], [ann]);
	});

	it('is carried in order, however fast', async () => {
		const [ann, bob] = await room(praxis, 'r', 2);
		for (let at = 0; at < 1000; at++) {
			ann.send({
				type: 'telemedicine_ice_candidate',
				...call(ann, 'r'),
				candidate: { at, candidate: 'SECRET' },
				to: at % 2 ? bob.clientId : undefined,
			});
		}
		for (let at = 0; at < 1000; at++) {
			assert.equal((await bob.next()).candidate.at, at);
		}
	});

	it('has a practice on every message, as the sender or its session spells it', async () => {
		const [ann, bob] = await room(praxis, 'r', 2);
		for (const practiceId of [1, '1']) {
			ann.send({ ...chat(ann, 'r'), practiceId });
			assert.equal((await bob.next('telemedicine_chat_message')).practiceId, practiceId);
		}
		ann.send(chat(ann, 'r'));
		assert.equal(String((await bob.next('telemedicine_chat_message')).practiceId), '1');
	});

	it('may run in several rooms at once', async () => {
		const [ann, bob] = [await praxis.connect(), await praxis.connect()];
		for (const client of [ann, bob]) {
			await client.join('one');
			await client.join('two');
		}
		await ann.fence();
		ann.send(chat(ann, 'one'));
		ann.send(chat(ann, 'two'));
		assert.equal((await bob.next()).roomId, 'one');
		assert.equal((await bob.next()).roomId, 'two');
		await bob.accepted(leave(bob, 'one'));
		assert.equal((await ann.next('telemedicine_user_left')).roomId, 'one');
		ann.send(chat(ann, 'two'));
		assert.equal((await bob.next()).roomId, 'two');
	});

	itEnds(praxis);
});

describe('chat', () => {
	const praxis = usePraxisd();

	it('reaches all the others', async () => {
		const [ann, ...rest] = await room(praxis, 'r', 3);
		const sent = chat(ann, 'r');
		ann.send(sent);
		for (const client of rest) {
			const got = await client.next();
			assert.equal(got.type, 'telemedicine_chat_message');
			assert.equal(got.message, sent.message);
			assert.equal(got.fromUserId, sent.fromUserId);
			assert.equal(got.from, sent.from);
		}
		await nothingArrived([ann, ...rest], [ann]);
	});

	it('is shown to one who comes later', async () => {
		const [ann, bob] = await room(praxis, 'r', 2);
		const sent = [chat(ann, 'r', 'SECRET é\r\n'), chat(bob, 'r'), chat(ann, 'r')];
		await ann.accepted(sent[0]);
		await bob.accepted(sent[1]);
		await ann.accepted(sent[2]);
		const cyd = await praxis.connect();
		const { chat: shown } = await cyd.join('r');
		assert.deepEqual(
			shown.map(({ message }) => message),
			sent.map(({ message }) => message),
		);
		assert.deepEqual(
			shown.map(({ clientId }) => clientId),
			[ann, bob, ann].map(({ clientId }) => clientId),
		);
		assert.ok(shown.every(({ timestamp }) => timestamp > 1e12));
		assert.deepEqual(
			shown.map(({ fromUserId }) => fromUserId),
			sent.map(({ fromUserId }) => fromUserId),
		);
	});

	it('is kept to the last hundred', async () => {
		const [ann, bob] = await room(praxis, 'r', 2);
		const sent = Array.from({ length: 105 }, () => chat(ann, 'r'));
		sent.forEach((message) => ann.send(message));
		for (const { message } of sent) {
			assert.equal((await bob.next()).message, message);
		}
		const cyd = await praxis.connect();
		const { chat: shown } = await cyd.join('r');
		assert.deepEqual(
			shown.map(({ message }) => message),
			sent.slice(5).map(({ message }) => message),
		);
	});

	it('is kept to so many bytes', async () => {
		const shown = await longChat(praxis);
		assert.ok(shown.length >= 50 && shown.length < 100, `${shown.length}`);
		assert.deepEqual(
			shown,
			Array.from({ length: shown.length }, (_, at) => 100 - shown.length + at),
		);
	});

	itEnds(praxis);
});

describe('chat with room for long messages', () => {
	const praxis = usePraxisd({ services: { telemedicine: { 'chat-bytes': 1 << 20 } } });

	it('is shown whole', async () => {
		assert.deepEqual(
			await longChat(praxis),
			Array.from({ length: 100 }, (_, at) => at),
		);
	});

	itEnds(praxis);
});

// The numbers that a late-comer is shown of a hundred numbered messages of 2,000 characters.
async function longChat(praxis) {
	const [ann, bob] = await room(praxis, 'r', 2);
	for (let at = 0; at < 100; at++) {
		ann.send({ ...chat(ann, 'r', secret().padEnd(2000, 'x')), at });
		await bob.next('telemedicine_chat_message');
	}
	const cyd = await praxis.connect();
	const { chat: shown } = await cyd.join('r');
	assert.ok(shown.every(({ message }) => message.length === 2000));
	return shown.map(({ at }) => at);
}

describe('the media state', () => {
	const praxis = usePraxisd();

	it('is told to the others and kept for those who come later', async () => {
		const [ann, bob] = await room(praxis, 'r', 2);
		for (const media of [
			{ audio: true, video: true, screen: false },
			{ audio: false, video: true, screen: true },
		]) {
			ann.send({ type: 'telemedicine_media_state', roomId: 'r', ...media });
			const { audio, video, screen, clientId } = await bob.next('telemedicine_media_state');
			assert.deepEqual({ audio, video, screen }, media);
			assert.equal(clientId, ann.clientId);
			const cyd = await praxis.connect();
			const { members } = await cyd.join('r');
			assert.deepEqual(
				members.find((member) => member.clientId === ann.clientId).media,
				media,
			);
			await cyd.accepted(leave(cyd, 'r'));
			await ann.fence();
			await bob.fence();
		}
		await nothingArrived([ann, bob]);
	});

	itEnds(praxis);
});

describe('typing', () => {
	const praxis = usePraxisd();
	const typing = (on) => ({ type: 'telemedicine_typing', roomId: 'r', typing: on });

	it('is told to the others, in both directions, and kept for nobody', async () => {
		const [ann, bob, cyd] = await room(praxis, 'r', 3);
		for (const [one, others] of [
			[ann, [bob, cyd]],
			[bob, [ann, cyd]],
		]) {
			for (const on of [true, false]) {
				await one.accepted(typing(on));
				for (const other of others) {
					const told = await other.next('telemedicine_typing');
					assert.equal(told.clientId, one.clientId);
					assert.equal(told.roomId, 'r');
					assert.equal(told.userId, one.identity.userId);
					assert.equal(told.typing, on);
				}
			}
		}
		const dora = await praxis.connect();
		await dora.join('r');
		await nothingArrived([dora], [ann, bob, cyd]);
	});

	it('has no word of what is typed', async () => {
		const [ann, bob] = await room(praxis, 'r', 2);
		const draft = secret('draft');
		await ann.accepted({ ...typing(true), id: 'draft', text: draft, message: draft });
		const told = await bob.next('telemedicine_typing');
		assert.deepEqual(Object.keys(told).sort(), [
			'appointmentId',
			'clientId',
			'practiceId',
			'roomId',
			'timestamp',
			'type',
			'typing',
			'userId',
			'userName',
		]);
	});

	it('is passed on once in a while, however often it is said', async () => {
		const [ann, bob] = await room(praxis, 'r', 2);
		await ann.accepted(typing(false));
		const before = Date.now();
		for (let i = 0; i < 20; i++) {
			await ann.accepted(typing(true));
			await ann.accepted(typing(false));
		}
		const rounds = Math.floor((Date.now() - before) / 2000) + 1;
		const told = (await bob.fence()).map(({ typing: on }) => on);
		assert.ok(told.length <= 2 * rounds, `${told.length} in ${rounds} rounds`);
		told.forEach((on, at) => assert.equal(on, at % 2 === 0));
	});

	itEnds(praxis);
});

describe('staff', () => {
	const praxis = usePraxisd();

	it('removes somebody', async () => {
		const [ann, bob, cyd] = await room(praxis, 'r', 3);
		await ann.accepted({ type: 'telemedicine_remove', roomId: 'r', clientId: bob.clientId });
		const left = await cyd.next('telemedicine_user_left');
		assert.equal(left.clientId, bob.clientId);
		assert.equal(left.userId, bob.identity.userId);
		assert.equal(left.reason, 'removed');
		const own = await bob.next('telemedicine_user_left');
		assert.equal(own.clientId, bob.clientId);
		assert.equal(own.reason, 'removed');
		await bob.refused(chat(bob, 'r'), 'not_in_room');
		await nothingArrived([cyd], [bob]);
		const dora = await praxis.connect();
		assert.deepEqual(others(await dora.join('r'), dora), ids([ann, cyd]));
	});

	it('cannot remove somebody who is not there', async () => {
		const [ann] = await room(praxis, 'one', 1);
		const [cyd] = await room(praxis, 'two', 1);
		for (const clientId of ['nobody', cyd.clientId]) {
			await ann.refused(
				{ type: 'telemedicine_remove', roomId: 'one', clientId },
				'no_such_peer',
			);
		}
		await nothingArrived([cyd], [ann]);
	});

	it('ends a call', async () => {
		const [ann, ...rest] = await room(praxis, 'r', 3);
		await ann.accepted({ type: 'telemedicine_end', roomId: 'r' });
		for (const client of rest) {
			const left = await client.next(
				'telemedicine_user_left',
				({ clientId }) => clientId === client.clientId,
			);
			assert.equal(left.reason, 'ended');
		}
		assert.equal((await praxis.stats()).rooms, 0);
		for (const client of [ann, ...rest]) {
			await client.refused(chat(client, 'r'), 'not_in_room');
		}
	});

	it('is who may do so, a patient is not', async () => {
		const [ann, bob] = await room(praxis, 'r', 2);
		const patient = await praxis.connect({ role: 'patient' });
		const joined =
			(
				await patient.ask({
					type: 'telemedicine_user_joined',
					roomId: 'r',
					appointmentId: 1,
					userId: 1,
					userName: 'SECRET',
				})
			).type === 'ack';
		if (joined) {
			await ann.next('telemedicine_user_joined');
			await bob.next('telemedicine_user_joined');
		}
		for (const message of [
			{ type: 'telemedicine_remove', roomId: 'r', clientId: bob.clientId },
			{ type: 'telemedicine_end', roomId: 'r' },
		]) {
			const error = await patient.refused(message, 'forbidden');
			assert.equal(error.ref, message.type);
		}
		await nothingArrived([ann, bob], [patient]);
		await ann.accepted(offer(ann, 'r', bob.clientId));
		await bob.next('telemedicine_offer');
	});

	itEnds(praxis);
});

const turn = ['turn:turn.example.org:3478?transport=udp', 'turns:turn.example.org:5349'];

for (const [how, urls] of [
	['an array', turn],
	['one string', `${turn.join(', ')} `],
]) {
	describe(`ICE servers, TURN given as ${how}`, () => iceServers(urls));
}

function iceServers(urlsOfTurn) {
	const secretOfTurn = 'SECRET-turn';
	const stun = { urls: ['stun:stun.example.org:3478'] };
	const praxis = usePraxisd({
		services: {
			telemedicine: {
				'ice-servers': [stun],
				'turn-urls': urlsOfTurn,
				'turn-secret': secretOfTurn,
				'turn-ttl': 600,
			},
		},
	});

	function check(iceServers, userId) {
		assert.deepEqual(
			iceServers.find(({ credential }) => credential === undefined).urls,
			stun.urls,
		);
		const relays = iceServers.filter(({ credential }) => credential !== undefined);
		assert.deepEqual(
			relays.flatMap(({ urls }) => urls),
			turn,
		);
		for (const { username, credential } of relays) {
			const [, expiry, user] = /^(\d+):(.*)$/.exec(username);
			const left = Number(expiry) - Date.now() / 1000;
			assert.ok(left > 580 && left < 620, `${left} s of 600`);
			assert.equal(user, String(userId));
			assert.equal(
				credential,
				createHmac('sha1', secretOfTurn).update(username).digest('base64'),
			);
		}
	}

	it('come with credentials that the TURN server can check', async () => {
		const ann = await praxis.connect({ userId: 7 });
		await ann.accepted({ type: 'telemedicine_ice_servers' });
		const answer = await ann.next('telemedicine_ice_servers');
		check(answer.iceServers, 7);
		assert.equal(typeof answer.expiresAt, 'number');
		assert.ok(!answer.raw.includes(secretOfTurn));
	});

	it('come with the join', async () => {
		const ann = await praxis.connect({ userId: 8 });
		const { iceServers } = await ann.join('r');
		check(iceServers, 8);
		ann.send({ type: 'telemedicine_ice_servers', roomId: 'r' });
		check((await ann.next('telemedicine_ice_servers')).iceServers, 8);
	});

	itEnds(praxis);
}

describe('ICE servers without TURN', () => {
	const praxis = usePraxisd({
		services: { telemedicine: { 'ice-servers': [{ urls: 'stun:stun.example.org' }] } },
	});

	it('are those of the configuration', async () => {
		const ann = await praxis.connect();
		ann.send({ type: 'telemedicine_ice_servers' });
		const { iceServers } = await ann.next('telemedicine_ice_servers');
		assert.deepEqual(iceServers, [{ urls: 'stun:stun.example.org' }]);
	});

	itEnds(praxis);
});

// SPDX-License-Identifier: MIT
//
// Calls: who is connected to whom, what each sees of the others, and how it ends.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CallChatMessage } from '../../src/index.js';
import { Caller, Room } from '../lib/room.js';
import { FakeStream } from '../lib/webrtc.js';

const camera = () => FakeStream.of('audio', 'video');
const seen = ({ call }: Caller) =>
	call.members.map(({ clientId, stream }) => [clientId, stream?.getTracks().length ?? 0]);

describe('a call', () => {
	it('of two connects them without two offers at once', async () => {
		const ann = new Caller('a').begin({ stream: camera() });
		const bob = new Caller('b').begin({ stream: camera() });
		await Room.of(ann, bob);
		assert.deepEqual(seen(ann), [['b', 2]]);
		assert.deepEqual(seen(bob), [['a', 2]]);
		assert.deepEqual(ann.events, ['joined', 'b joined', 'b streams']);
		assert.deepEqual(bob.events, ['a joined', 'joined', 'a streams']);
		assert.equal(ann.only.signalingState, 'stable');
		assert.equal(bob.only.signalingState, 'stable');
		assert.deepEqual([ann.only.rollbacks, bob.only.rollbacks], [0, 0]);
	});

	it('goes on when both offer at once: the lower id is polite, whoever came first', async () => {
		for (const ids of [
			['a', 'b'],
			['b', 'a'],
		]) {
			const callers = ids.map((id) => new Caller(id).begin({ stream: camera() }));
			const room = await Room.of(...callers);
			callers.forEach(({ call }) => call.restartIce());
			await room.pump();
			for (const { id, only } of callers) {
				assert.equal(only.rollbacks, id === 'a' ? 1 : 0);
				assert.equal(only.signalingState, 'stable');
			}
		}
	});

	it('of four is a mesh', async () => {
		const callers = ['a', 'b', 'c', 'd'].map((id) =>
			new Caller(id).begin({ stream: camera() }),
		);
		await Room.of(...callers);
		for (const caller of callers) {
			const others = callers.filter((other) => other !== caller).map(({ id }) => [id, 2]);
			assert.deepEqual(seen(caller).sort(), others);
			assert.ok(caller.open.every(({ signalingState }) => signalingState === 'stable'));
			assert.deepEqual(
				caller.events.filter((event) => event.startsWith('error')),
				[],
			);
		}
	});

	it('shows others to one who only watches', async () => {
		const ann = new Caller('a').begin({ stream: camera() });
		const bob = new Caller('b').begin();
		await Room.of(ann, bob);
		assert.deepEqual(seen(ann), [['b', 0]]);
		assert.deepEqual(seen(bob), [['a', 2]]);
	});

	it('sends candidates to the member that they are for', async () => {
		const callers = ['a', 'b', 'c'].map((id) => new Caller(id).begin({ stream: camera() }));
		const room = await Room.of(...callers);
		const [ann, bob, cat] = callers as [Caller, Caller, Caller];
		ann.connections[1]?.onicecandidate?.({ candidate: { toJSON: () => ({ candidate: 'x' }) } });
		ann.connections[1]?.onicecandidate?.({ candidate: null });
		await room.pump();
		assert.deepEqual(
			bob.connections.flatMap(({ candidates }) => candidates),
			[],
		);
		assert.deepEqual(cat.connections[0]?.candidates, [{ candidate: 'x' }, undefined]);
	});

	it('uses the ICE servers of the room, or those that it is given', async () => {
		const room = new Room();
		room.iceServers = [{ urls: 'stun:praxis.test' }];
		const ann = new Caller('a').begin();
		const bob = new Caller('b').begin({
			rtc: { iceServers: [{ urls: 'stun:mine.test' }], iceTransportPolicy: 'relay' },
		});
		await room.enter(ann);
		await room.enter(bob);
		assert.deepEqual(ann.only.config, { iceServers: [{ urls: 'stun:praxis.test' }] });
		assert.deepEqual(bob.only.config, {
			iceServers: [{ urls: 'stun:mine.test' }],
			iceTransportPolicy: 'relay',
		});
	});

	it('tells who leaves, and why', async () => {
		const [ann, bob, cat] = ['a', 'b', 'c'].map((id) => new Caller(id).begin()) as [
			Caller,
			Caller,
			Caller,
		];
		const room = await Room.of(ann, bob, cat);
		bob.call.leave();
		bob.call.leave();
		await room.pump([bob]);
		room.leave(cat, 'disconnected');
		assert.deepEqual(ann.events.slice(-2), ['b left', 'c disconnected']);
		assert.deepEqual(ann.call.members, []);
		assert.equal(ann.open.length, 0);
		assert.equal(bob.call.state, 'ended');
		assert.equal(bob.call.endReason, 'left');
	});

	it('leaves nothing behind', async () => {
		const ann = new Caller('a').begin({ stream: camera(), qualityMs: 2_000 });
		const bob = new Caller('b').begin({ stream: camera() });
		const room = await Room.of(ann, bob);
		const stream = ann.call.media;
		assert.deepEqual(stream, { audio: true, video: true, screen: false });
		ann.call.leave();
		await room.pump([ann]);
		assert.equal(ann.open.length, 0);
		assert.equal(ann.clock.timers, 0);
		assert.equal(ann.clock.listeners, 0);
		assert.equal(ann.manager.getStatus(), 'disconnected');
		assert.deepEqual(ann.log.at(-1)?.type, 'telemedicine_user_left');
		assert.equal(ann.socket.closed, 1000);
	});

	it('ends when one is removed, when it is ended for all, and when one is not let in', async () => {
		for (const reason of ['removed', 'ended']) {
			const ann = new Caller('a').begin();
			const room = await Room.of(ann);
			const type = 'telemedicine_user_left';
			room.tell([ann], { type, roomId: 'r', clientId: 'a', reason });
			assert.equal(ann.call.state, 'ended');
			assert.equal(ann.call.endReason, reason);
		}
		const bob = new Caller('b').begin();
		bob.greet({ clientId: 'b' });
		const [join] = bob.socket.of('telemedicine_user_joined');
		bob.socket.say({ type: 'error', id: join?.id, code: 'room_full', message: 'Full.' });
		await bob.settle();
		assert.deepEqual(bob.events, ['error room_full Full.', 'ended']);
		assert.equal(bob.call.endReason, 'room_full');
	});

	it('waits to be let in', async () => {
		const ann = new Caller('a').begin();
		ann.greet({ clientId: 'a' });
		const waiting = { type: 'telemedicine_waiting', roomId: 'r' };
		ann.socket.say({ ...waiting, position: 2 });
		assert.deepEqual([ann.call.state, ann.call.position], ['waiting', 2]);
		ann.socket.say({ ...waiting, position: 1 });
		assert.deepEqual(ann.events, ['waiting', 'waiting']);
		await new Room().pump([ann]);
		assert.deepEqual([ann.call.state, ann.call.position], ['joined', undefined]);
	});

	it('ends where the waiting does', () => {
		const ann = new Caller('a').begin();
		ann.greet({ clientId: 'a' });
		ann.socket.say({ type: 'telemedicine_waiting', roomId: 'r', position: 1, since: 1 });
		const reason = 'Please call us.';
		ann.socket.say({ type: 'telemedicine_denied', roomId: 'r', code: 'denied', reason });
		assert.deepEqual(ann.events, ['waiting', 'error denied Please call us.', 'ended']);
		assert.equal(ann.call.endReason, 'denied');
	});

	it('shows the team who waits', async () => {
		const ann = new Caller('a').begin();
		const room = await Room.of(ann);
		const waiting = [{ clientId: 'x', userName: 'Bo', since: 1 }];
		room.tell([ann], { type: 'telemedicine_waiting_list', roomId: 'r', waiting });
		assert.deepEqual(ann.call.waiting, waiting);
	});

	it('heeds nothing of another room', async () => {
		const ann = new Caller('a').begin();
		const room = await Room.of(ann);
		const type = 'telemedicine_user_joined';
		room.tell([ann], { type, roomId: 'other', clientId: 'x' });
		assert.deepEqual(ann.call.members, []);
	});

	it('takes 7 and "7" for the same room', () => {
		const ann = new Caller('a').begin({ roomId: '7' });
		ann.greet({ clientId: 'a' });
		ann.socket.say({
			type: 'telemedicine_room_joined',
			roomId: 7,
			clientId: 'a',
			members: [],
			iceServers: [],
			chat: [],
		});
		assert.equal(ann.call.state, 'joined');
	});

	it("has its chat, old and new, one's own too", async () => {
		const room = new Room();
		room.chat = [
			{
				type: 'telemedicine_chat_message',
				roomId: 'r',
				message: 'before',
				from: 'x',
				clientId: 'x',
			},
		];
		const ann = new Caller('a').begin();
		const bob = new Caller('b').begin();
		await room.enter(ann);
		await room.enter(bob);
		const receipt = ann.call.sendChat('Hello!');
		await room.pump();
		await receipt;
		for (const { call } of [ann, bob]) {
			assert.deepEqual(
				call.chat.map(({ message, clientId }) => [message, clientId]),
				[
					['before', 'x'],
					['Hello!', 'a'],
				],
			);
		}
	});
});

describe("one's own chat", () => {
	it('is pending until the server has it, and failed where it is refused', async () => {
		const ann = new Caller('a').begin();
		await Room.of(ann);
		const states: unknown[] = [];
		ann.call.on('chatState', ({ message, state }) => states.push([message, state]));
		const good = ann.call.sendChat('good');
		const bad = ann.call.sendChat('bad');
		assert.deepEqual(
			ann.call.chat.map(({ state }) => state),
			['pending', 'pending'],
		);
		const [first, second] = ann.socket.of('telemedicine_chat_message');
		ann.socket.say({ type: 'ack', id: first?.id });
		ann.socket.say({ type: 'error', id: second?.id, code: 'rate_limited', message: '' });
		await good;
		await assert.rejects(bad);
		assert.deepEqual(states, [
			['good', 'sent'],
			['bad', 'failed'],
		]);
		assert.deepEqual(
			ann.call.chat.map(({ state }) => state),
			['sent', 'failed'],
		);
	});

	it('is sent again when that is asked for, in its place and under the same id', async () => {
		const ann = new Caller('a').begin();
		const bob = new Caller('b').begin();
		const room = await Room.of(ann, bob);
		const lost = ann.call.sendChat('lost');
		const [first] = ann.socket.of('telemedicine_chat_message');
		ann.socket.take();
		ann.socket.say({ type: 'error', id: first?.id, code: 'rate_limited', message: '' });
		await assert.rejects(lost);
		void ann.call.sendChat('next');
		await room.pump();
		const [failed] = ann.call.chat;
		assert.equal(failed?.state, 'failed');
		const states: unknown[] = [];
		ann.call.on('chatState', ({ localId, state }) => states.push([localId, state]));
		const again = ann.call.retryChat(failed.localId);
		await room.pump();
		await again;
		assert.deepEqual(states, [
			[failed.localId, 'pending'],
			[failed.localId, 'sent'],
		]);
		assert.deepEqual(
			ann.call.chat.map(({ message, state }) => [message, state]),
			[
				['lost', 'sent'],
				['next', 'sent'],
			],
		);
		assert.deepEqual(
			bob.call.chat.map(({ message, own }) => [message, own]),
			[
				['next', false],
				['lost', false],
			],
		);
		await assert.rejects(ann.call.retryChat(failed.localId), { code: 'not_found' });
		const sent = ann.call.sendChat('too late');
		ann.call.leave();
		await assert.rejects(sent, { code: 'disconnected' });
		const { localId, state } = ann.call.chat[2] as CallChatMessage;
		assert.equal(state, 'failed');
		await assert.rejects(ann.call.retryChat(localId), { code: 'not_found' });
		assert.equal(ann.manager.getStatus(), 'disconnected');
		const travelled = ann.log.filter(({ type }) => type === 'telemedicine_chat_message');
		assert.ok(
			travelled.every((said) => !('localId' in said || 'own' in said || 'state' in said)),
		);
	});

	it('is known as such after a reload, and every message has an id of its own', async () => {
		const room = new Room();
		const said = { type: 'telemedicine_chat_message', roomId: 'r', timestamp: 1 };
		room.chat = [
			{ ...said, clientId: 'x', message: 'mine', fromUserId: 'user-a' },
			{ ...said, clientId: 'y', message: 'theirs', fromUserId: 8 },
			{ ...said, clientId: 'z', message: 'claimed', fromUserId: 'user-a', userId: 9 },
		];
		const ann = new Caller('a').begin();
		await room.enter(ann);
		void ann.call.sendChat('now');
		assert.deepEqual(
			ann.call.chat.map(({ message, own }) => [message, own]),
			[
				['mine', true],
				['theirs', false],
				['claimed', false],
				['now', true],
			],
		);
		assert.equal(new Set(ann.call.chat.map(({ localId }) => localId)).size, 4);
	});
});

describe("a call's session", () => {
	it('that was resumed changes nothing', async () => {
		const ann = new Caller('a').begin({ stream: camera() });
		const bob = new Caller('b').begin({ stream: camera() });
		const room = await Room.of(ann, bob);
		ann.cut();
		ann.socket.open();
		ann.socket.say({ type: 'resumed', received: 1000, resume: { token: 'r' } });
		await room.pump();
		assert.equal(ann.connections.length, 1);
		assert.deepEqual(seen(ann), [['b', 2]]);
		assert.deepEqual(bob.events.slice(-1), ['a streams']);
	});

	it('that was lost is joined anew, and all are connected again', async () => {
		const ann = new Caller('b').begin({ stream: camera() });
		const bob = new Caller('c').begin({ stream: camera() });
		const cat = new Caller('d').begin({ stream: camera() });
		const room = await Room.of(ann, bob, cat);
		await room.lose(ann, 'x');
		for (const [caller, others] of [
			[ann, ['c', 'd']],
			[bob, ['d', 'x']],
			[cat, ['c', 'x']],
		] as const) {
			assert.deepEqual(
				seen(caller).sort(),
				others.map((id) => [id, 2]),
			);
			assert.equal(caller.open.length, 2);
			assert.equal(caller.call.state, 'joined');
		}
		assert.ok(bob.events.includes('b disconnected'));
		// The others are there as before, and their connections are new all the same.
		assert.equal(ann.connections.length, 4);
	});
});

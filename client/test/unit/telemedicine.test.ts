// SPDX-License-Identifier: MIT
//
// Rooms and their chat over lost sessions; what the methods send.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TelemedicineWebSocketService } from '../../src/index.js';
import type { WebSocketMessage } from '../../src/index.js';
import { FakeWorld } from '../lib/fakes.js';

class Clinic extends FakeWorld {
	service = new TelemedicineWebSocketService(this.manager);
	chat: string[] = [];
	refused: [unknown, string][] = [];

	constructor() {
		super();
		this.service.onChatMessage(({ message }) => this.chat.push(message));
		this.service.onJoinRefused(({ roomId, code }) => this.refused.push([roomId, code]));
	}

	begin(): this {
		this.service.joinRoom('r', 12, 7, 'Ann');
		this.service.connect();
		this.greet();
		this.joined();
		return this;
	}

	joined(...chat: WebSocketMessage[]): void {
		const id = this.socket.of('telemedicine_user_joined').at(-1)?.id;
		this.socket.say({
			type: 'telemedicine_room_joined',
			roomId: 'r',
			appointmentId: 12,
			clientId: `c${this.sockets.length}`,
			participants: [`c${this.sockets.length}`],
			members: [],
			iceServers: [],
			chat,
		});
		this.socket.say({ type: 'ack', id });
	}

	say(message: string, timestamp: number, clientId = 'other'): WebSocketMessage {
		return {
			type: 'telemedicine_chat_message',
			roomId: 'r',
			message,
			from: 'Bob',
			timestamp,
			clientId,
		};
	}
}

describe('rooms', () => {
	it('are joined once connected, and once only', () => {
		const clinic = new Clinic().begin();
		const joins = clinic.socket.of('telemedicine_user_joined');
		assert.equal(joins.length, 1);
		assert.deepEqual(
			{ ...joins[0], id: undefined },
			{
				type: 'telemedicine_user_joined',
				roomId: 'r',
				appointmentId: 12,
				userId: 7,
				userName: 'Ann',
				id: undefined,
			},
		);
	});

	it('are joined again after a lost session, ahead of what waits, with the state of media', () => {
		const clinic = new Clinic().begin();
		clinic.service.sendMediaState('r', { audio: true, video: false, screen: false });
		clinic.socket.end();
		clinic.service.sendChatMessage('r', 12, 'still there', 'Ann', 7);
		clinic.service.sendOffer('r', 12, { type: 'offer', sdp: '' }, 7, 'gone');
		clinic.redialled();
		clinic.greet({ resumed: false });
		clinic.joined();
		assert.deepEqual(clinic.socket.types(), [
			'telemedicine_user_joined',
			'telemedicine_chat_message',
			'telemedicine_media_state',
		]);
	});

	it('are not joined again where the session was resumed, and a leave reaches the server', () => {
		const clinic = new Clinic().begin();
		clinic.socket.end();
		clinic.service.leaveRoom('r', 12, 7);
		clinic.redialled();
		clinic.socket.open();
		clinic.socket.say({ type: 'resumed', received: 2, resume: { token: 'r' } });
		assert.deepEqual(clinic.socket.types(), ['telemedicine_user_left']);
	});

	it('that were left, or that one was removed from, are not joined again', () => {
		for (const leave of [
			(clinic: Clinic) => void clinic.service.leaveRoom('r', 12, 7),
			(clinic: Clinic) => {
				const clientId = clinic.manager.clientId as string;
				const type = 'telemedicine_user_left';
				clinic.socket.say({ type, roomId: 'r', clientId, reason: 'removed' });
			},
			(clinic: Clinic) => {
				clinic.socket.say({ type: 'telemedicine_denied', roomId: 'r', code: 'denied' });
			},
		]) {
			const clinic = new Clinic().begin();
			leave(clinic);
			clinic.cut();
			assert.deepEqual(clinic.greet({ resumed: false }).types(), []);
		}
	});

	it('that refuse are told, and not tried again', async () => {
		const clinic = new Clinic();
		clinic.service.connect();
		clinic.greet();
		clinic.service.joinRoom('full', 12, 7, 'Ann');
		const [join] = clinic.socket.of('telemedicine_user_joined');
		const ref = 'telemedicine_user_joined';
		clinic.socket.say({
			type: 'error',
			id: join?.id,
			code: 'room_full',
			message: 'Full.',
			ref,
		});
		await clinic.settle();
		assert.deepEqual(clinic.refused, [['full', 'room_full']]);
		clinic.cut();
		assert.deepEqual(clinic.greet({ resumed: false }).types(), []);
	});

	it('are forgotten when the connection is given up', () => {
		const clinic = new Clinic().begin();
		clinic.service.disconnect();
		clinic.service.connect();
		assert.deepEqual(clinic.greet().types(), []);
	});

	it('are not forgotten while another service keeps the connection', () => {
		const clinic = new Clinic().begin();
		clinic.manager.connect('another');
		clinic.service.disconnect();
		clinic.cut();
		assert.deepEqual(clinic.greet({ resumed: false }).types(), ['telemedicine_user_joined']);
	});
});

describe('chat', () => {
	it('that was missed with a session is passed on, once, and none of ours', () => {
		const clinic = new Clinic().begin();
		const [one, two, three] = [
			clinic.say('one', 1),
			clinic.say('two', 2),
			clinic.say('three', 3),
		];
		clinic.socket.say(one);
		clinic.cut();
		clinic.greet({ resumed: false });
		clinic.socket.say(three); // it may come live before the list
		clinic.joined(one, clinic.say('mine', 1, 'c1'), two, three);
		assert.deepEqual(clinic.chat, ['one', 'three', 'two']);
	});

	it('of before one joined is not passed on, now or later', () => {
		const clinic = new Clinic();
		clinic.service.joinRoom('r', 12, 7, 'Ann');
		clinic.service.connect();
		clinic.greet();
		const early = clinic.say('early', 1);
		clinic.joined(early);
		clinic.cut();
		clinic.greet({ resumed: false });
		clinic.joined(early, clinic.say('late', 2));
		assert.deepEqual(clinic.chat, ['late']);
	});

	it('that has been in the list is not passed on again when it comes', () => {
		const clinic = new Clinic().begin();
		clinic.cut();
		clinic.greet({ resumed: false });
		const late = clinic.say('late', 5);
		clinic.joined(late);
		clinic.socket.say(late);
		assert.deepEqual(clinic.chat, ['late']);
	});

	it('that says the same twice is two messages', () => {
		const clinic = new Clinic().begin();
		clinic.socket.say(clinic.say('yes', 1));
		clinic.socket.say(clinic.say('yes', 2));
		assert.deepEqual(clinic.chat, ['yes', 'yes']);
	});
});

describe('the methods', () => {
	it('send what the protocol has', () => {
		const clinic = new Clinic().begin();
		const { service, socket } = clinic;
		socket.take();
		const offer = { type: 'offer', sdp: 'o' } as const;
		const answer = { type: 'answer', sdp: 'a' } as const;
		service.sendOffer('r', 12, offer, 7, 'c9');
		service.sendAnswer('r', 12, answer, 7);
		service.sendIceCandidate('r', 12, null, 7, 'c9');
		service.sendChatMessage('r', 12, 'Hello!', 'Ann', 7);
		service.requestIceServers('r');
		service.sendTyping('r', true);
		service.admit('r', 'c9');
		service.deny('r', 'c9', 'Too early.');
		service.remove('r', 'c9');
		service.end('r');
		const room = { roomId: 'r', appointmentId: 12 };
		assert.deepEqual(socket.sent, [
			{ type: 'telemedicine_offer', ...room, offer, from: 7, to: 'c9' },
			{ type: 'telemedicine_answer', ...room, answer, from: 7 },
			{ type: 'telemedicine_ice_candidate', ...room, candidate: null, from: 7, to: 'c9' },
			{
				type: 'telemedicine_chat_message',
				...room,
				message: 'Hello!',
				from: 'Ann',
				fromUserId: 7,
				id: 'px3',
			},
			{ type: 'telemedicine_ice_servers', roomId: 'r' },
			{ type: 'telemedicine_typing', roomId: 'r', typing: true },
			{ type: 'telemedicine_admit', roomId: 'r', clientId: 'c9' },
			{ type: 'telemedicine_deny', roomId: 'r', clientId: 'c9', reason: 'Too early.' },
			{ type: 'telemedicine_remove', roomId: 'r', clientId: 'c9' },
			{ type: 'telemedicine_end', roomId: 'r' },
		]);
	});
});

// SPDX-License-Identifier: MIT
//
// What code written for the system that the package replaces relies on, beyond what its page shows:
// services that are asked for their status, sending that connects, handlers that end with their
// service.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TelemedicineWebSocketService, WhiteboardWebSocketService } from '../../src/index.js';
import { FakeWorld } from '../lib/fakes.js';

class Old extends FakeWorld {
	whiteboard = new WhiteboardWebSocketService(this.manager);
	telemedicine = new TelemedicineWebSocketService(this.manager);
}

describe('the status of a service', () => {
	it("is the connection's", () => {
		const old = new Old();
		const both = () => [old.whiteboard.getStatus(), old.telemedicine.getStatus()];
		assert.deepEqual(both(), ['disconnected', 'disconnected']);
		old.whiteboard.connect();
		assert.deepEqual(both(), ['connecting', 'connecting']);
		old.greet();
		assert.deepEqual(both(), ['connected', 'connected']);
		old.whiteboard.disconnect();
		assert.deepEqual(both(), ['disconnected', 'disconnected']);
	});
});

describe('sending before connect()', () => {
	const offer = { type: 'offer' as const, sdp: 'v=0' };
	const ways: [string, (old: Old) => unknown, (old: Old) => void][] = [
		[
			'custom_message',
			({ manager }) => manager.sendMessage({ type: 'custom_message' }),
			({ manager }) => manager.disconnect(),
		],
		[
			'custom_message',
			({ manager }) => void manager.send({ type: 'custom_message' }).catch(() => {}),
			({ manager }) => manager.disconnect(),
		],
		[
			'whiteboard_update',
			({ whiteboard }) => whiteboard.sendWhiteboardUpdate(1, {}),
			({ whiteboard }) => whiteboard.disconnect(),
		],
		[
			'whiteboard_update',
			({ whiteboard }) => whiteboard.sendWhiteboardUpdate(1, {}, { key: 'k' }),
			({ whiteboard }) => whiteboard.disconnect(),
		],
		[
			'whiteboard_update',
			({ whiteboard }) => void whiteboard.send(1, {}).catch(() => {}),
			({ whiteboard }) => whiteboard.disconnect(),
		],
		[
			'whiteboard_subscribe',
			({ whiteboard }) => whiteboard.subscribe(1),
			({ whiteboard }) => whiteboard.disconnect(),
		],
		[
			'telemedicine_user_joined',
			({ telemedicine }) => telemedicine.joinRoom('r', 12, 7, 'Ann'),
			({ telemedicine }) => telemedicine.disconnect(),
		],
		[
			'telemedicine_offer',
			({ telemedicine }) => telemedicine.sendOffer('r', 12, offer, 7),
			({ telemedicine }) => telemedicine.disconnect(),
		],
		[
			'telemedicine_chat_message',
			({ telemedicine }) => telemedicine.sendChatMessage('r', 12, 'Hello!', 'Ann', 7),
			({ telemedicine }) => telemedicine.disconnect(),
		],
		[
			'telemedicine_ice_servers',
			({ telemedicine }) => telemedicine.requestIceServers(),
			({ telemedicine }) => telemedicine.disconnect(),
		],
	];
	for (const [type, send, end] of ways) {
		it(`connects, and ${type} arrives: ${String(send).split('=> ')[1] ?? ''}`, () => {
			const old = new Old();
			send(old);
			assert.equal(old.manager.getStatus(), 'connecting');
			assert.equal(old.greet().of(type).length, 1);
			end(old);
			assert.equal(old.manager.getStatus(), 'disconnected');
			send(old);
			assert.equal(old.sockets.length, 2, 'and after disconnect() once more');
		});
	}

	it('is not what leaving does', () => {
		const old = new Old();
		old.telemedicine.leaveRoom('r', 12, 7);
		old.whiteboard.unsubscribe(1);
		assert.deepEqual(old.sockets, []);
	});

	it('does not dial again where the server has ended it', () => {
		for (const code of [1000, 4403]) {
			const old = new Old();
			old.whiteboard.connect();
			old.greet();
			old.socket.end(code);
			old.whiteboard.sendWhiteboardUpdate(1, {});
			old.manager.sendMessage({ type: 'custom_message' });
			assert.equal(old.sockets.length, 1);
		}
	});
});

describe('disconnect() of a service', () => {
	it("removes the service's handlers, and no others", () => {
		const old = new Old();
		const got: string[] = [];
		const end = old.whiteboard.onWhiteboardUpdate(() => got.push('update'));
		old.whiteboard.onReload(() => got.push('reload'));
		old.telemedicine.onChatMessage(() => got.push('chat'));
		old.manager.registerHandler('whiteboard_update', () => got.push("the manager's"));
		old.manager.connect();
		old.whiteboard.connect();
		old.whiteboard.disconnect();
		old.greet();
		old.socket.say({ type: 'whiteboard_update', practiceId: 1, seq: 1, clientId: 'other' });
		old.socket.say({ type: 'whiteboard_subscribed', practiceId: 1, epoch: 'e', seq: 9 });
		old.socket.say({ type: 'telemedicine_chat_message', roomId: 'r', message: 'Hello!' });
		assert.deepEqual(got, ["the manager's", 'chat']);
		old.telemedicine.disconnect();
		old.socket.say({ type: 'telemedicine_chat_message', roomId: 'r', message: 'Again!' });
		assert.deepEqual(got, ["the manager's", 'chat']);
		end();
	});

	it('is told to those who watch the status', () => {
		const old = new Old();
		const seen: string[] = [];
		old.whiteboard.onStatusChange((status) => seen.push(status));
		old.whiteboard.connect();
		old.greet();
		old.whiteboard.disconnect();
		old.whiteboard.connect();
		assert.deepEqual(seen, ['connecting', 'connected', 'disconnected', 'connecting']);
	});

	it('does nothing where the service is not connected', () => {
		const old = new Old();
		old.telemedicine.connect();
		old.telemedicine.sendChatMessage('r', 12, 'Hello!', 'Ann', 7);
		old.whiteboard.disconnect();
		assert.equal(old.greet().of('telemedicine_chat_message').length, 1);
	});
});

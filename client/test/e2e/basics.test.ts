// SPDX-License-Identifier: MIT
//
// Pages against a real praxisd: what one does is seen by the others, once.

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type {
	TelemedicineChatMessage,
	TelemedicineRoomJoined,
	WhiteboardUpdate,
} from 'praxis-client';
import { itEnds, secret, usePraxisd } from 'praxisd-of-tests';
import { Page } from '../lib/page.js';

describe('pages of a practice', () => {
	const pages: Page[] = [];
	afterEach(() => pages.splice(0).forEach((open) => open.close()));
	const praxis = usePraxisd();
	const page = (userId: number, practiceId = 1) => {
		const made = new Page(praxis, { practiceId, userId, userName: secret('name') });
		pages.push(made);
		return made.connected();
	};

	it('see each update of the others once, and none of another practice', async () => {
		const [ann, bob, other] = await Promise.all([page(1), page(2), page(3, 2)]);
		const data = { patient: secret() };
		const { seq } = await ann.whiteboard.send(1, data);
		assert.equal(seq, 1);
		assert.equal(ann.whiteboard.sendWhiteboardUpdate(1, data), true);
		await bob.next<WhiteboardUpdate>('whiteboard_update', (update) => update.seq === 2);
		assert.deepEqual(
			bob
				.of<WhiteboardUpdate>('whiteboard_update')
				.map((update) => [update.seq, update.data]),
			[
				[1, data],
				[2, data],
			],
		);
		await other.fence();
		assert.deepEqual(other.of('whiteboard_update'), []);
		assert.deepEqual(ann.of('whiteboard_update'), []);
	});

	it('are told what the server refuses', async () => {
		const ann = await page(1);
		await assert.rejects(ann.whiteboard.send(2, {}), {
			name: 'PraxisError',
			code: 'forbidden',
			ref: 'whiteboard_update',
			field: 'practiceId',
		});
	});

	it('talk in a room', async () => {
		const [ann, bob] = await Promise.all([page(1), page(2)]);
		ann.telemedicine.joinRoom('r', 12, 1, 'Ann');
		await ann.next('telemedicine_room_joined');
		bob.telemedicine.joinRoom('r', 12, 2, 'Bob');
		const joined = await bob.next<TelemedicineRoomJoined>('telemedicine_room_joined');
		assert.deepEqual(joined.participants, [ann.manager.clientId, bob.manager.clientId]);
		assert.deepEqual(
			joined.members.map(({ clientId }) => clientId),
			[ann.manager.clientId],
		);
		const text = secret('chat');
		bob.telemedicine.sendChatMessage('r', 12, text, 'Bob', 2);
		const chat = await ann.next<TelemedicineChatMessage>('telemedicine_chat_message');
		assert.equal(chat.message, text);
		bob.telemedicine.leaveRoom('r', 12, 2);
		await ann.next('telemedicine_user_left');
	});

	itEnds(praxis);
});

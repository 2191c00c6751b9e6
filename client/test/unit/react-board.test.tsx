// SPDX-License-Identifier: MIT
//
// The hooks of the board as shared state, with React and a DOM.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WhiteboardWebSocketService } from '../../src/index.js';
import { useBoard, usePresence, useSeen } from '../../src/react.js';
import type { UseBoard, UsePresence, UseSeen } from '../../src/react.js';
import { FakeWorld } from '../lib/fakes.js';
import { doing, render } from '../lib/react.js';

describe('useBoard', () => {
	it('gives a map, and receipts', async () => {
		const world = new FakeWorld();
		const service = new WhiteboardWebSocketService(world.manager);
		const view: { now?: UseBoard<number> } = {};
		const Show = () => {
			view.now = useBoard<number>(1, { service });
			return null;
		};
		const show = await render(<Show />);
		await doing(() => world.greet());
		assert.equal(view.now?.state, 'loading');
		const values = [{ type: 'whiteboard_update', key: 'a', data: 1, keep: true, seq: 1 }];
		const state = { practiceId: 1, epoch: 'e', seq: 1, part: 1, parts: 1, values };
		await doing(() => world.socket.say({ type: 'whiteboard_state', ...state }));
		assert.equal(view.now.state, 'ready');
		assert.equal(view.now.board.get('a')?.value, 1);
		let receipt: unknown;
		await doing(() => void view.now?.setBoardValue('a', 2).then((got) => (receipt = got)));
		assert.equal(view.now.board.get('a')?.saved, false);
		assert.equal(view.now.unsaved, 1);
		const { id } = world.socket.of('whiteboard_update')[0] ?? {};
		await doing(() => world.socket.say({ type: 'ack', id, seq: 2 }));
		assert.deepEqual(receipt, { seq: 2 });
		assert.equal(view.now.board.get('a')?.saved, true);
		await doing(() => void view.now?.deleteBoardValue('a').catch(() => {}));
		assert.equal(view.now.board.size, 0);
		await show(null);
		await doing(() => world.clock.pass(1_000));
		assert.equal(world.manager.getStatus(), 'disconnected');
	});
});

describe('usePresence', () => {
	it('lists who is present, and useSeen counts the others of them', async () => {
		const world = new FakeWorld();
		const service = new WhiteboardWebSocketService(world.manager);
		const view: { presence?: UsePresence; seen?: UseSeen } = {};
		const Show = () => {
			view.presence = usePresence(1, { service });
			view.seen = useSeen(1, 5, { service });
			return null;
		};
		await render(<Show />);
		await doing(() => world.greet());
		const of = (userId: number, seq: number) => ({ userId, role: 'staff', since: 1, seq });
		const users = [of(7, 5), of(8, 5), of(9, 4)];
		const message = { practiceId: 1, users, count: 4 };
		await doing(() => world.socket.say({ type: 'whiteboard_presence', ...message }));
		assert.equal(view.presence?.more, 1);
		assert.deepEqual(view.presence.seenBy(5), users.slice(0, 2));
		assert.deepEqual([view.seen?.seen, view.seen?.of], [1, 2]);
		view.presence.markSeen(5);
		assert.equal(world.socket.of('whiteboard_seen').length, 1);
		// StrictMode mounts twice; both hooks share one presence.
		assert.equal(world.socket.of('whiteboard_presence').length, 1);
	});
});

// SPDX-License-Identifier: MIT
//
// The whiteboard: each update once and in order, whatever happens to the session; frequent updates.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WhiteboardWebSocketService } from '../../src/index.js';
import type { Id, ManagerOptions } from '../../src/index.js';
import { FakeWorld } from '../lib/fakes.js';

class Board extends FakeWorld {
	service: WhiteboardWebSocketService;
	got: number[] = [];
	reloads: Id[] = [];

	constructor(options?: ManagerOptions) {
		super(options);
		this.service = new WhiteboardWebSocketService(this.manager);
		this.service.onWhiteboardUpdate(({ seq }) => this.got.push(seq));
		this.service.onReload(({ practiceId }) => this.reloads.push(practiceId));
	}

	subscribed(epoch: string, seq: number, recovered = false, practiceId: Id = 1): void {
		const type = 'whiteboard_subscribed';
		this.socket.say({ type, practiceId, epoch, seq, recovered, members: 1 });
	}

	update(seq: number, clientId = 'other', practiceId: Id = 1): void {
		this.socket.say({ type: 'whiteboard_update', practiceId, seq, clientId, data: seq });
	}

	/** Subscribed to practice 1 in epoch e at 10. */
	begin(): this {
		this.service.connect();
		this.greet();
		this.subscribed('e', 10);
		return this;
	}

	/** In another session, which may have begun with updates. */
	loseSession(...live: number[]): void {
		this.cut();
		this.greet({ resumed: false });
		live.forEach((seq) => this.update(seq));
	}

	asked() {
		return this.socket.of('whiteboard_subscribe').map(({ practiceId, since }) => ({
			practiceId,
			since,
		}));
	}
}

describe('the whiteboard', () => {
	it('is that of all practices of the user', () => {
		const board = new Board();
		board.service.connect();
		board.greet({ user: { role: 'staff', practices: [1, 'b'] } });
		assert.deepEqual(board.asked(), [
			{ practiceId: 1, since: undefined },
			{ practiceId: 'b', since: undefined },
		]);
	});

	it('is that of practices that are asked for, where the token names none', () => {
		const board = new Board();
		board.service.subscribe(7);
		board.service.connect();
		board.greet({ user: { role: 'admin', practices: ['*'] } });
		assert.deepEqual(board.asked(), [{ practiceId: 7, since: undefined }]);
	});

	it('is not asked for by patients, nor where there is none', () => {
		const board = new Board();
		board.service.connect();
		board.greet({ user: { role: 'patient', practices: [1] } });
		assert.deepEqual(board.asked(), []);
		board.cut();
		board.greet({ services: ['telemedicine'] });
		assert.deepEqual(board.asked(), []);
	});

	it('is subscribed to also by one who comes late to a connection', () => {
		const world = new FakeWorld();
		const socket = world.connected();
		new WhiteboardWebSocketService(world.manager).onWhiteboardUpdate(() => {});
		assert.equal(socket.of('whiteboard_subscribe').length, 1);
	});

	it('passes on what comes, also before the answer to the subscription', () => {
		const board = new Board();
		board.service.connect();
		board.greet();
		board.update(9);
		board.update(10);
		assert.deepEqual(board.got, []);
		board.subscribed('e', 10);
		board.update(11);
		assert.deepEqual(board.got, [9, 10, 11]);
		assert.deepEqual(board.reloads, []);
	});

	it('recovers what was missed, each update once', () => {
		const board = new Board().begin();
		board.update(11);
		board.loseSession(14, 15);
		assert.deepEqual(board.asked(), [{ practiceId: 1, since: { epoch: 'e', seq: 11 } }]);
		board.subscribed('e', 15, true);
		[12, 13, 14, 15].forEach((seq) => board.update(seq));
		board.update(16);
		assert.deepEqual(board.got, [11, 12, 13, 14, 15, 16]);
		assert.deepEqual(board.reloads, []);
	});

	it('passes on no update that it has passed on before', () => {
		const board = new Board().begin();
		[11, 12, 11, 12, 13].forEach((seq) => board.update(seq));
		assert.deepEqual(board.got, [11, 12, 13]);
	});

	it('forgets practices that the user has no more', () => {
		const board = new Board().begin();
		board.cut();
		board.greet({ resumed: false, user: { role: 'staff', practices: [2] } });
		assert.deepEqual(
			board.asked().map(({ practiceId }) => practiceId),
			[2],
		);
	});

	it('does not pass on own updates among the missed ones', () => {
		const board = new Board().begin();
		board.loseSession();
		board.subscribed('e', 13, true);
		board.update(11, 'c1'); // from the session that was lost
		board.update(12, 'c2'); // from this one
		board.update(13, 'other');
		assert.deepEqual(board.got, [13]);
	});

	it('says when the data has to be loaded anew', () => {
		const board = new Board().begin();
		board.loseSession(301);
		board.subscribed('e', 301, false);
		assert.deepEqual(board.reloads, [1]);
		assert.deepEqual(board.got, [301]);
		board.update(302);
		assert.deepEqual(board.got, [301, 302]);
	});

	it('says so, too, when the numbers begin anew', () => {
		const board = new Board().begin();
		board.loseSession();
		board.subscribed('f', 1, false);
		assert.deepEqual(board.reloads, [1]);
		board.update(2);
		assert.deepEqual(board.got, [2]);
		board.loseSession();
		assert.deepEqual(board.asked(), [{ practiceId: 1, since: { epoch: 'f', seq: 2 } }]);
	});

	it('goes on from what it has where the connection breaks while it asks', () => {
		const board = new Board().begin();
		board.loseSession(12);
		board.loseSession(13);
		assert.deepEqual(board.asked(), [{ practiceId: 1, since: { epoch: 'e', seq: 10 } }]);
		board.subscribed('e', 13, true);
		[11, 12, 13].forEach((seq) => board.update(seq));
		assert.deepEqual(board.got, [11, 12, 13]);
	});

	it('asks nothing when the session was resumed', () => {
		const board = new Board().begin();
		board.update(11);
		board.cut();
		board.socket.open();
		board.socket.say({ type: 'resumed', received: 1, resume: { token: 'r' } });
		board.update(12);
		assert.deepEqual(board.asked(), []);
		assert.deepEqual(board.got, [11, 12]);
	});

	it('can be left, for the next session, too', () => {
		const board = new Board().begin();
		board.service.unsubscribe(1);
		assert.equal(board.socket.of('whiteboard_unsubscribe').length, 1);
		board.update(11);
		board.loseSession(12);
		assert.deepEqual(board.asked(), []);
		assert.equal(board.socket.of('whiteboard_unsubscribe').length, 1);
		assert.deepEqual(board.got, []);
		board.service.subscribe(1);
		board.subscribed('e', 12);
		board.update(13);
		assert.deepEqual(board.got, [13]);
	});

	it('keeps practices apart', () => {
		const board = new Board();
		board.service.connect();
		board.greet({ user: { role: 'staff', practices: [1, 2] } });
		board.subscribed('e', 10, false, 1);
		board.subscribed('f', 2, false, 2);
		board.update(3, 'other', 2);
		board.update(11, 'other', 1);
		assert.deepEqual(board.got, [3, 11]);
	});
});

describe('frequent updates with a key', () => {
	const send = (board: Board, data: number, key?: string, practiceId: Id = 1) =>
		board.service.sendWhiteboardUpdate(practiceId, data, key === undefined ? {} : { key });
	const sent = (board: Board) =>
		board.socket.of('whiteboard_update').map(({ data }) => data as number);

	it('are thinned out: the first at once, the last at the end of the period', () => {
		const board = new Board({ throttleMs: 50 }).begin();
		for (let n = 0; n < 25; n++) {
			assert.equal(send(board, n, 'x'), true);
			board.clock.pass(10);
		}
		board.clock.pass(1_000);
		assert.deepEqual(sent(board), [0, 4, 9, 14, 19, 24]);
		assert.deepEqual(board.socket.of('whiteboard_update')[0]?.['key'], 'x');
	});

	it('are told apart by key and practice', () => {
		const board = new Board().begin();
		send(board, 1, 'x');
		send(board, 2, 'y');
		send(board, 3, 'x', 2);
		send(board, 4, 'x');
		assert.deepEqual(sent(board), [1, 2, 3]);
		board.clock.pass(100);
		assert.deepEqual(sent(board), [1, 2, 3, 4]);
	});

	it('without a key all leave at once', () => {
		const board = new Board().begin();
		[1, 2, 3].forEach((n) => send(board, n));
		assert.deepEqual(sent(board), [1, 2, 3]);
	});

	it('are not lost when the service disconnects', () => {
		const board = new Board().begin();
		board.manager.connect('another service');
		[1, 2, 3].forEach((n) => send(board, n, 'x'));
		board.service.disconnect();
		assert.deepEqual(sent(board), [1, 3]);
		board.clock.pass(1_000);
		assert.deepEqual(sent(board), [1, 3]);
	});

	it('awaiting a receipt leave at once', async () => {
		const board = new Board().begin();
		const receipts = [1, 2].map((n) => board.service.send(1, n, { key: 'x' }));
		assert.deepEqual(sent(board), [1, 2]);
		board.socket
			.of('whiteboard_update')
			.forEach(({ id, data }) => board.socket.say({ type: 'ack', id, seq: data }));
		assert.deepEqual(await Promise.all(receipts), [{ seq: 1 }, { seq: 2 }]);
	});
});

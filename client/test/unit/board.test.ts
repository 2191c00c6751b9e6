// SPDX-License-Identifier: MIT
//
// The board as shared state: whole or not at all, and a change is not saved before the receipt.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Board, openBoard, PraxisError, WhiteboardWebSocketService } from '../../src/index.js';
import type { BoardChange, Id } from '../../src/index.js';
import { FakeWorld } from '../lib/fakes.js';

interface Value {
	key: string;
	seq: number;
	data?: unknown;
}

class World extends FakeWorld {
	service = new WhiteboardWebSocketService(this.manager);
	changes: BoardChange[] = [];
	board: Board;
	close: () => void;

	constructor() {
		super();
		const { board, close } = openBoard(1, this.service);
		this.board = board;
		this.close = close;
		board.on('change', (change) => this.changes.push(change));
	}

	begin(...values: Value[]): this {
		this.service.connect();
		this.greet();
		this.load(10, values);
		this.changes = [];
		return this;
	}

	/** The answers to the service's own subscription, and to the board's. */
	load(seq: number, values: Value[], epoch = 'e'): void {
		const answer = { type: 'whiteboard_subscribed', practiceId: 1, epoch, seq, members: 1 };
		this.socket.say({ ...answer, recovered: false });
		this.socket.say({ ...answer, recovered: false, state: 'follows' });
		this.part(seq, 1, 1, values);
	}

	part(seq: number, part: number, parts: number, values: Value[], practiceId: Id = 1): void {
		const type = 'whiteboard_state';
		const own = values.map((value) => this.#update({ keep: true, ...value }));
		this.socket.say({ type, practiceId, epoch: 'e', seq, part, parts, values: own });
	}

	update(seq: number, more: Record<string, unknown>): void {
		this.socket.say(this.#update({ seq, ...more }));
	}

	/** The receipt of what was sent last. */
	confirm(seq: number): Promise<void> {
		this.socket.say({ type: 'ack', id: this.sent().id, seq });
		return this.settle();
	}

	sent() {
		const last = this.socket.of('whiteboard_update').at(-1);
		assert.ok(last);
		return last;
	}

	values(): Record<string, unknown> {
		return Object.fromEntries([...this.board.entries].map(([key, { value }]) => [key, value]));
	}

	#update(more: Record<string, unknown>) {
		const type = 'whiteboard_update';
		const user = { userId: 3, userName: 'Bo', clientId: 'other' };
		return { type, practiceId: 1, timestamp: 500, ...user, ...more };
	}
}

describe('the board', () => {
	it('is asked for in each session, after the subscription that tells what was missed', () => {
		const world = new World().begin();
		const asked = () => world.socket.of('whiteboard_subscribe').map(({ state }) => state);
		assert.deepEqual(asked(), [undefined, true]);
		world.cut();
		world.greet({ resumed: false });
		assert.deepEqual(asked(), [undefined, true]);
	});

	it('has what the server keeps, and who changed it last', () => {
		const world = new World().begin({ key: 'a', seq: 4, data: { column: 1 } });
		assert.equal(world.board.state, 'ready');
		assert.deepEqual(world.board.entries.get('a'), {
			value: { column: 1 },
			saved: true,
			updatedBy: { userId: 3, userName: 'Bo', clientId: 'other' },
			updatedAt: 500,
			seq: 4,
		});
	});

	it('is never a part', () => {
		const world = new World().begin({ key: 'old', seq: 2 });
		world.part(20, 1, 2, [{ key: 'a', seq: 11, data: 1 }]);
		assert.deepEqual(Object.keys(world.values()), ['old']);
		world.part(20, 2, 2, [{ key: 'b', seq: 12, data: 2 }], 2);
		world.part(20, 2, 2, [{ key: 'b', seq: 12, data: 2 }]);
		assert.deepEqual(world.values(), { a: 1, b: 2 });
		assert.deepEqual(world.changes, [{ keys: ['old', 'a', 'b'], by: 'load' }]);
	});

	it('takes changes of others, and no other updates', () => {
		const world = new World().begin({ key: 'a', seq: 4, data: 1 });
		world.update(11, { key: 'b', data: 2, keep: true });
		world.update(12, { key: 'a', data: 9 });
		world.update(13, { data: 9 });
		world.update(14, { key: 'c', data: 9, keep: true, practiceId: 2 });
		assert.deepEqual(world.values(), { a: 1, b: 2 });
		world.update(15, { key: 'a', keep: false });
		assert.deepEqual(world.values(), { b: 2 });
		assert.deepEqual(world.changes, [
			{ keys: ['b'], by: 'others' },
			{ keys: ['a'], by: 'others' },
		]);
	});

	it('shows an own change at once, as not saved', async () => {
		const world = new World().begin({ key: 'a', seq: 4, data: 1 });
		const receipt = world.board.set('a', 2);
		assert.deepEqual(world.values(), { a: 2 });
		assert.equal(world.board.entries.get('a')?.saved, false);
		assert.equal(world.board.unsaved, 1);
		const { key, data, keep, practiceId } = world.sent();
		assert.deepEqual([key, data, keep, practiceId], ['a', 2, true, 1]);
		await world.confirm(11);
		assert.deepEqual(await receipt, { seq: 11 });
		const { saved, seq, updatedBy } = world.board.entries.get('a') ?? {};
		assert.deepEqual([saved, seq, updatedBy?.userName], [true, 11, 'Ann']);
		assert.equal(world.board.unsaved, 0);
	});

	it('deletes likewise', async () => {
		const world = new World().begin({ key: 'a', seq: 4, data: 1 });
		const receipt = world.board.delete('a');
		assert.deepEqual(world.values(), {});
		assert.equal(world.sent()['keep'], false);
		await world.confirm(11);
		await receipt;
		assert.deepEqual(world.values(), {});
	});

	it('takes back what is refused', async () => {
		const world = new World().begin({ key: 'a', seq: 4, data: 1 });
		const refused: string[] = [];
		world.board.on('refused', (key, { code }) => refused.push(`${key} ${code}`));
		const receipt = world.board.set('a', 2);
		const { id } = world.sent();
		world.socket.say({ type: 'error', id, code: 'unavailable', message: 'full' });
		await assert.rejects(receipt, PraxisError);
		assert.deepEqual(world.values(), { a: 1 });
		assert.deepEqual(refused, ['a unavailable']);
	});

	it('has the order of the server where two change the same', async () => {
		const world = new World().begin();
		const first = world.board.set('a', 'mine');
		world.update(11, { key: 'a', data: 'theirs, before', keep: true });
		assert.deepEqual(world.values(), { a: 'mine' });
		await world.confirm(12);
		await first;
		assert.deepEqual(world.values(), { a: 'mine' });
		const second = world.board.set('a', 'mine again');
		world.socket.say({ type: 'ack', id: world.sent().id, seq: 13 });
		world.update(14, { key: 'a', data: 'theirs, after', keep: true });
		await second;
		assert.deepEqual(world.values(), { a: 'theirs, after' });
	});

	it('confirms the latest of several changes of one value', async () => {
		const world = new World().begin();
		const first = world.board.set('a', 1);
		const { id } = world.sent();
		const second = world.board.set('a', 2);
		world.socket.say({ type: 'ack', id, seq: 11 });
		await first;
		assert.equal(world.board.entries.get('a')?.value, 2);
		assert.equal(world.board.entries.get('a')?.saved, false);
		await world.confirm(12);
		await second;
		assert.equal(world.board.entries.get('a')?.saved, true);
	});

	it('keeps what is not saved over a lost session, and tells what has changed meanwhile', async () => {
		const world = new World().begin(
			{ key: 'a', seq: 4, data: 1 },
			{ key: 'b', seq: 5, data: 1 },
		);
		world.cut();
		const receipt = world.board.set('c', 3);
		world.changes = [];
		world.greet({ resumed: false });
		world.load(2, [
			{ key: 'a', seq: 4, data: 1 },
			{ key: 'b', seq: 1, data: 2 },
		]);
		assert.deepEqual(world.values(), { a: 1, b: 2, c: 3 });
		assert.deepEqual(world.changes, [{ keys: ['b'], by: 'load' }]);
		await world.confirm(3);
		await receipt;
		assert.equal(world.board.entries.get('c')?.saved, true);
	});

	it('says that the server keeps none', () => {
		const world = new World();
		world.service.connect();
		world.greet();
		const answer = { practiceId: 1, epoch: 'e', seq: 0, recovered: false, members: 1 };
		world.socket.say({ type: 'whiteboard_subscribed', ...answer, state: 'off' });
		assert.equal(world.board.state, 'off');
	});

	it('is no gap for those who load their data themselves', () => {
		const world = new World();
		const reloads: Id[] = [];
		world.service.onReload(({ practiceId }) => reloads.push(practiceId));
		world.begin();
		const answer = { practiceId: 1, epoch: 'e', seq: 19, recovered: false, members: 1 };
		world.socket.say({ type: 'whiteboard_subscribed', ...answer, state: 'follows' });
		assert.deepEqual(reloads, []);
	});

	it('is not asked for by patients', () => {
		const world = new World();
		world.service.connect();
		world.greet({ user: { role: 'patient', practices: [1] } });
		assert.deepEqual(world.socket.of('whiteboard_subscribe'), []);
	});

	it('is one for all who opened it, until the last has let go', () => {
		const world = new World().begin();
		const other = openBoard('1', world.service);
		assert.equal(other.board, world.board);
		assert.equal(world.socket.of('whiteboard_subscribe').length, 2);
		world.close();
		world.close();
		world.update(11, { key: 'a', data: 1, keep: true });
		assert.deepEqual(world.values(), { a: 1 });
		other.close();
		world.update(12, { key: 'a', data: 2, keep: true });
		assert.deepEqual(world.values(), { a: 1 });
		assert.notEqual(openBoard(1, world.service).board, world.board);
	});
});

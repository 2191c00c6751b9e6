// SPDX-License-Identifier: MIT
//
// Who is present, and how far each has seen.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openPresence, WhiteboardWebSocketService } from '../../src/index.js';
import type { Presence } from '../../src/index.js';
import { FakeWorld } from '../lib/fakes.js';

const ANN = { userId: 7, userName: 'Ann', role: 'staff', since: 1, seq: 0 };
const BO = { userId: '8', userName: 'Bo', role: 'staff', since: 2, seq: 5 };
const GUEST = { clientId: 'c9', userName: '', role: 'staff', since: 3, seq: 0 };

class World extends FakeWorld {
	service = new WhiteboardWebSocketService(this.manager);
	presence: Presence;
	close: () => void;
	changes = 0;

	constructor() {
		super();
		const { presence, close } = openPresence(1, this.service);
		this.presence = presence;
		this.close = close;
		presence.on('change', () => this.changes++);
	}

	begin(): this {
		this.service.connect();
		this.greet();
		const answer = { practiceId: 1, epoch: 'e', seq: 4, recovered: false, members: 1 };
		this.socket.say({ type: 'whiteboard_subscribed', ...answer });
		return this;
	}

	present(users: unknown[], count = users.length, practiceId: unknown = 1): void {
		const message = { type: 'whiteboard_presence', practiceId, users, count };
		this.socket.say(message as { type: string });
	}

	confirmed() {
		return this.socket.of('whiteboard_seen').map(({ seq }) => seq);
	}
}

describe('presence', () => {
	it('is entered in each session, and left at the end', () => {
		const world = new World().begin();
		const sent = () =>
			world.socket
				.of('whiteboard_presence')
				.map(({ practiceId, present }) => ({ practiceId, present }));
		assert.deepEqual(sent(), [{ practiceId: 1, present: undefined }]);
		world.cut();
		world.greet({ resumed: false });
		assert.deepEqual(sent(), [{ practiceId: 1, present: undefined }]);
		world.close();
		assert.deepEqual(sent().at(-1), { practiceId: 1, present: false });
	});

	it('is not entered by patients', () => {
		const world = new World();
		world.service.connect();
		world.greet({ user: { role: 'patient', practices: [1] } });
		assert.deepEqual(world.socket.of('whiteboard_presence'), []);
	});

	it('lists users, and counts those who are not listed', () => {
		const world = new World().begin();
		world.present([ANN, BO], 14);
		world.present([], 0, 2);
		assert.deepEqual(world.presence.users, [ANN, BO]);
		assert.equal(world.presence.more, 12);
		assert.equal(world.presence.available, true);
		assert.equal(world.changes, 1);
	});

	it('says who has seen an update', () => {
		const world = new World().begin();
		world.present([ANN, BO, GUEST]);
		const names = (seq: number) => world.presence.seenBy(seq).map(({ since }) => since);
		assert.deepEqual(names(5), [2]);
		const users = [
			{ userId: '7', seq: 6 },
			{ clientId: 'c9', seq: 5 },
		];
		world.socket.say({ type: 'whiteboard_seen', practiceId: 2, users: [] });
		world.socket.say({ type: 'whiteboard_seen', practiceId: 1, users });
		assert.deepEqual(names(5), [1, 2, 3]);
		assert.deepEqual(names(6), [1]);
	});

	it('confirms what was seen, once a second and only what is new', () => {
		const world = new World().begin();
		world.presence.markSeen();
		world.presence.markSeen(5);
		world.presence.markSeen(7);
		world.presence.markSeen(6);
		assert.deepEqual(world.confirmed(), [4]);
		world.clock.pass(999);
		assert.deepEqual(world.confirmed(), [4]);
		world.clock.pass(1);
		assert.deepEqual(world.confirmed(), [4, 7]);
		world.clock.pass(5_000);
		world.presence.markSeen(7);
		assert.deepEqual(world.confirmed(), [4, 7]);
		const update = { practiceId: 1, seq: 9, clientId: 'other' };
		world.socket.say({ type: 'whiteboard_update', ...update });
		world.presence.markSeen();
		assert.deepEqual(world.confirmed(), [4, 7, 9]);
	});

	it('says that the server has none', async () => {
		const world = new World().begin();
		const [{ id } = { id: '' }] = world.socket.of('whiteboard_presence');
		world.present([ANN]);
		world.socket.say({ type: 'error', id, code: 'service_disabled', message: 'off' });
		await world.settle();
		assert.equal(world.presence.available, false);
		assert.deepEqual(world.presence.users, []);
	});

	it('is unknown while the server cannot say', async () => {
		const world = new World().begin();
		const [{ id } = { id: '' }] = world.socket.of('whiteboard_presence');
		world.socket.say({ type: 'error', id, code: 'unavailable', message: 'later' });
		await world.settle();
		assert.equal(world.presence.available, undefined);
	});

	it('leaves nothing behind', () => {
		const world = new World().begin();
		world.presence.markSeen(4);
		world.close();
		world.present([ANN]);
		assert.equal(world.changes, 0);
		world.service.disconnect();
		assert.equal(world.clock.timers + world.clock.listeners, 0);
	});
});

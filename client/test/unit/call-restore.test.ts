// SPDX-License-Identifier: MIT
//
// A call after a reload of its page: what the tab keeps for it, for how long, and what not.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Caller, Room } from '../lib/room.js';
import { FakeStream } from '../lib/webrtc.js';

class FakeStorage {
	readonly items = new Map<string, string>();

	getItem = (key: string) => this.items.get(key) ?? null;
	setItem = (key: string, value: string) => void this.items.set(key, value);
	removeItem = (key: string) => void this.items.delete(key);
}

let storage: FakeStorage;

const setStorage = (value: unknown) =>
	Object.defineProperty(globalThis, 'sessionStorage', { configurable: true, value });

/** The page after a reload: another caller, in the same tab. */
function reloaded(id: string, name: string, before: Caller): Caller {
	const caller = new Caller(id, name);
	caller.clock.time = before.clock.time;
	return caller;
}

describe('a call after a reload', () => {
	beforeEach(() => setStorage((storage = new FakeStorage())));
	afterEach(() => setStorage(undefined));

	const left = (options = {}) => {
		const ann = new Caller('a').begin({ practiceId: 3, ...options });
		ann.greet({ clientId: 'a' });
		ann.clock.hide(false);
		return ann;
	};

	it('is the same, with the same media switched on', async () => {
		const stream = () => FakeStream.of('audio', 'video');
		const ann = new Caller('a').begin({ stream: stream() });
		const bob = new Caller('b').begin({ stream: stream() });
		const room = await Room.of(ann, bob);
		ann.call.setAudio(false);
		ann.clock.hide(false);
		room.leave(ann, 'disconnected');
		const again = reloaded('c', 'a', ann);
		assert.deepEqual(again.service.savedCall(), {
			roomId: 'r',
			appointmentId: 12,
			userId: 'user-a',
			userName: 'a',
			media: { audio: false, video: true },
		});
		const own = stream();
		again.begin({ ...again.service.savedCall(), stream: own });
		await room.enter(again);
		assert.equal(again.call.state, 'joined');
		assert.deepEqual(again.call.media, { audio: false, video: true, screen: false });
		assert.deepEqual(
			own.getTracks().map(({ kind, enabled }) => [kind, enabled]),
			[
				['audio', false],
				['video', true],
			],
		);
		// One that comes later is no way around it.
		const other = stream();
		again.call.setStream(other);
		assert.equal(other.getAudioTracks()[0]?.enabled, false);
		assert.deepEqual(
			bob.call.members.map(({ clientId, userId }) => [clientId, userId]),
			[['c', 'user-a']],
		);
	});

	it('is had in one step', () => {
		const ann = left();
		const again = reloaded('c', 'a', ann);
		const call = again.service.restore({ qualityMs: 0 });
		assert.equal(call?.roomId, 'r');
		const join = again.greet().of('telemedicine_user_joined')[0];
		assert.deepEqual(
			[join?.['roomId'], join?.['userId'], join?.['userName'], join?.practiceId],
			['r', 'user-a', 'a', 3],
		);
		call.leave();
	});

	it('is kept without anything secret', () => {
		left({ rtc: { iceServers: [{ urls: 'turn:x', credential: 'SECRET' }] }, token: 'SECRET' });
		const kept = [...storage.items.values()].join();
		assert.match(kept, /"roomId":"r"/);
		assert.doesNotMatch(kept, /SECRET|turn|token|resume/);
	});

	it('is not kept before the page is left: a copy of the tab is in no call', () => {
		const ann = new Caller('a').begin();
		ann.greet();
		assert.equal(ann.service.savedCall(), null);
	});

	it('is not kept once it was left, or has ended', () => {
		const ann = left();
		assert.ok(ann.service.savedCall());
		ann.call.leave();
		assert.equal(ann.service.savedCall(), null);
		ann.clock.hide(false);
		assert.equal(ann.service.savedCall(), null);
	});

	it('is not gone back into after a minute', () => {
		const ann = left();
		ann.clock.pass(59_000);
		assert.ok(ann.service.savedCall());
		ann.clock.pass(2_000);
		assert.equal(ann.service.savedCall(), null);
		assert.ok(ann.service.savedCall(120_000));
		assert.equal(ann.service.restore(), null);
	});

	it('is none where there is no storage, or nonsense in it', () => {
		left();
		storage.items.forEach((_, key) => storage.items.set(key, 'nonsense'));
		assert.equal(new Caller('b').service.savedCall(), null);
		setStorage(undefined);
		assert.equal(left().service.savedCall(), null);
	});
});

// SPDX-License-Identifier: MIT
//
// Pictures that outlive the loss of their signalling, and what takes their place.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Caller, Room } from '../lib/room.js';
import { FakeStream } from '../lib/webrtc.js';

const camera = () => FakeStream.of('audio', 'video');
const ids = ({ call }: Caller) => call.members.map(({ clientId }) => clientId);
const connect = (...callers: Caller[]) =>
	callers.forEach(({ open }) => open.forEach((pc) => pc.become('connected')));
/** The newest connection. */
const latest = ({ connections }: Caller) => {
	const last = connections.at(-1);
	assert.ok(last);
	return last;
};

async function connected(...names: string[]) {
	const callers = names.map((name) => new Caller(name).begin({ stream: camera() }));
	const room = await Room.of(...callers);
	connect(...callers);
	callers.forEach(({ events }) => events.splice(0));
	const [ann, bob] = callers as [Caller, Caller];
	return { room, ann, bob, callers };
}

/** Both lose their sessions, as where the server was killed. */
async function loseBoth(room: Room, ann: Caller, bob: Caller): Promise<void> {
	room.members = [];
	[ann, bob].forEach((caller) => caller.cut());
	for (const caller of [ann, bob]) {
		caller.id += '2';
		caller.greet({ clientId: caller.id, resumed: false });
		await room.pump([caller]);
	}
}

describe('a picture whose session is lost', () => {
	it('stays until its successor is connected, which is told then', async () => {
		const { room, ann, bob } = await connected('a', 'b');
		const lists: string[][] = [];
		ann.call.on('members', () => lists.push(ids(ann)));
		await room.lose(bob, 'b2');
		assert.deepEqual(ids(ann), ['b']);
		assert.deepEqual(ann.events, []);
		assert.equal(ann.open.length, 2);
		latest(ann).become('connecting');
		assert.deepEqual(ids(ann), ['b']);
		latest(ann).become('connected');
		assert.deepEqual(ann.events, ['b2 joined', 'b2 streams', 'b disconnected']);
		assert.deepEqual(ids(ann), ['b2']);
		assert.equal(ann.open.length, 1);
		assert.ok(
			lists.every((list) => list.length === 1),
			'there was always one picture',
		);
	});

	it('stays for the one who lost it, and who has kept its clientId neither comes nor goes', async () => {
		const { room, ann, bob } = await connected('a', 'b');
		await room.lose(bob, 'b2');
		assert.deepEqual(ids(bob), ['a']);
		assert.deepEqual(bob.events, []);
		const before = bob.call.members[0]?.stream;
		latest(bob).become('connected');
		assert.deepEqual(bob.events, ['a streams']);
		assert.notEqual(bob.call.members[0]?.stream, before);
		assert.equal(bob.open.length, 1);
		assert.equal(latest(ann).signalingState, 'stable');
	});

	it('stays where both sessions are lost', async () => {
		const { room, ann, bob } = await connected('a', 'b');
		await loseBoth(room, ann, bob);
		assert.deepEqual([ids(ann), ids(bob)], [['b'], ['a']]);
		assert.deepEqual([ann.events, bob.events], [[], []]);
		[ann, bob].forEach((caller) => latest(caller).become('connected'));
		assert.deepEqual(ann.events, ['b2 joined', 'b2 streams', 'b disconnected']);
		assert.deepEqual(bob.events, ['a2 joined', 'a2 streams', 'a disconnected']);
		assert.deepEqual([ann.open.length, bob.open.length], [1, 1]);
	});

	it('outlives the server in a call of three', async () => {
		const { room, callers } = await connected('a', 'b', 'c');
		room.members = [];
		callers.forEach((caller) => caller.cut());
		for (const caller of callers) {
			caller.id += '2';
			caller.greet({ clientId: caller.id, resumed: false });
			await room.pump([caller]);
			assert.equal(caller.call.members.length, 2);
		}
		assert.deepEqual(
			callers.map(({ events }) => events),
			[[], [], []],
		);
		connect(...callers);
		assert.deepEqual(callers.map(ids), [
			['b2', 'c2'],
			['a2', 'c2'],
			['a2', 'b2'],
		]);
		assert.ok(callers.every(({ open }) => open.length === 2));
	});

	it('signals nothing, and sends what is sent from now on', async () => {
		const { room, ann, bob } = await connected('a', 'b');
		room.leave(bob, 'disconnected');
		ann.log.splice(0);
		ann.only.onnegotiationneeded?.();
		ann.only.onicecandidate?.({ candidate: { toJSON: () => ({}) } });
		ann.call.restartIce();
		const other = camera();
		ann.call.setStream(other);
		await room.pump();
		assert.deepEqual(
			ann.log.map(({ type }) => type),
			['telemedicine_media_state'],
		);
		assert.deepEqual(
			ann.only.senders.map(({ track }) => track),
			other.tracks,
		);
	});

	it('goes when its path breaks, at once or where it does not recover', async () => {
		for (const [state, ms] of [
			['failed', 0],
			['disconnected', 3_000],
		] as const) {
			const { room, ann, bob } = await connected('a', 'b');
			room.leave(bob, 'disconnected');
			ann.only.become(state);
			assert.equal(ann.events.length, ms > 0 ? 0 : 1);
			ann.clock.pass(ms);
			assert.deepEqual(ann.events, ['b disconnected']);
			assert.equal(ann.open.length, 0);
		}
	});

	it('goes when nobody has succeeded it for five minutes', async () => {
		const { room, ann, bob } = await connected('a', 'b');
		room.leave(bob, 'disconnected');
		ann.clock.pass(299_000);
		assert.deepEqual(ids(ann), ['b']);
		ann.clock.pass(1_000);
		assert.deepEqual(ann.events, ['b disconnected']);
		assert.equal(ann.open.length, 0);
	});

	it('gives way to a successor under way when its path breaks', async () => {
		const { room, ann, bob } = await connected('a', 'b');
		await room.lose(bob, 'b2');
		ann.connections[0]?.become('failed');
		assert.deepEqual(ann.events, ['b2 joined', 'b2 streams', 'b disconnected']);
		assert.deepEqual(ids(ann), ['b2']);
	});

	it('waits for the next where its successor is lost, too', async () => {
		const { room, ann, bob } = await connected('a', 'b');
		await room.lose(bob, 'b2');
		await room.lose(bob, 'b3');
		assert.deepEqual([ids(ann), ann.events, ann.open.length], [['b'], [], 2]);
		latest(ann).become('connected');
		assert.deepEqual(ann.events, ['b3 joined', 'b3 streams', 'b disconnected']);
	});

	it('is not taken for that of another user', async () => {
		const { room, ann, bob } = await connected('a', 'b');
		room.leave(bob, 'disconnected');
		await room.enter(new Caller('c').begin({ stream: camera() }));
		assert.deepEqual(ids(ann), ['b', 'c']);
		assert.deepEqual(ann.events, ['c joined', 'c streams']);
	});
});

describe('a picture', () => {
	it('goes at once with who leaves, is removed, or where the call is ended', async () => {
		for (const reason of ['left', 'removed', 'ended']) {
			const { room, ann, bob } = await connected('a', 'b');
			room.leave(bob, reason);
			assert.deepEqual(ann.events, [`b ${reason}`]);
			assert.equal(ann.open.length, 0);
		}
	});

	it('goes at once with a successor who leaves before it is connected', async () => {
		const { room, ann, bob } = await connected('a', 'b');
		await room.lose(bob, 'b2');
		room.leave(bob, 'removed');
		assert.deepEqual(ann.events, ['b removed']);
		assert.equal(ann.open.length, 0);
	});

	it('goes at once where there was no path', async () => {
		const { room, ann, bob } = await connected('a', 'b');
		ann.only.become('disconnected');
		room.leave(bob, 'disconnected');
		assert.deepEqual(ann.events, ['b disconnected']);
		assert.equal(ann.open.length, 0);
	});

	it('goes where the session is over for good', async () => {
		for (const end of [
			(ann: Caller) => ann.socket.end(4410),
			(ann: Caller) => ann.manager.disconnect(),
		]) {
			const { ann } = await connected('a', 'b');
			end(ann);
			await ann.settle();
			assert.deepEqual([ids(ann), ann.open.length], [[], 0]);
		}
		const { ann } = await connected('a', 'b');
		ann.cut();
		ann.socket.end();
		await ann.settle();
		assert.ok(ann.statuses.includes('error'), 'an attempt has failed, and is tried again');
		assert.deepEqual(ids(ann), ['b']);
	});
});

describe('ICE servers', () => {
	const turn = (credential: string) => [{ urls: 'turn:praxis.test', credential }];
	const asked = ({ log }: Caller) =>
		log.filter(({ type }) => type === 'telemedicine_ice_servers').length;

	// Time that only passes: timers are another matter.
	async function inTurn() {
		const [ann, bob] = [new Caller('a'), new Caller('b')];
		const room = new Room();
		room.iceServers = turn('old');
		await room.enter(ann.begin({ stream: camera() }));
		await room.enter(bob.begin({ stream: camera() }));
		room.iceServers = turn('new');
		return { room, ann, bob, cat: new Caller('c').begin({ stream: camera() }) };
	}

	it('are asked for before a connection to a newcomer, and given to the others', async () => {
		const { room, ann, bob, cat } = await inTurn();
		ann.clock.time += 590_000;
		await room.enter(cat);
		assert.equal(asked(ann), 1);
		assert.deepEqual(
			ann.connections.map(({ config }) => config.iceServers),
			[turn('new'), turn('new')],
		);
		assert.equal(asked(bob), 0, 'its clock stood still: they are fresh');
		assert.deepEqual(ids(ann), ['b', 'c']);
		assert.ok([ann, bob, cat].every(({ open }) => open.every((pc) => pc.remoteDescription)));
		assert.ok(ann.call.members.every(({ stream }) => stream));
	});

	it('are not asked for while they are fresh', async () => {
		const { room, ann, cat } = await inTurn();
		ann.clock.time += 590_000;
		await room.enter(cat);
		ann.clock.time += 200_000;
		await room.enter(new Caller('d').begin({ stream: camera() }));
		assert.equal(asked(ann), 1);
		ann.clock.time += 200_000;
		await room.enter(new Caller('e').begin({ stream: camera() }));
		assert.equal(asked(ann), 2);
	});

	it('are asked for when the other side looks for a new path, and messages keep their order', async () => {
		const { room, ann, bob } = await inTurn();
		ann.clock.time += 590_000;
		bob.only.restartIce();
		await bob.settle();
		bob.only.onicecandidate?.({ candidate: { toJSON: () => ({ candidate: 'x' }) } });
		const seen: unknown[] = [];
		const pc = ann.only;
		const set = pc.setRemoteDescription.bind(pc);
		pc.setRemoteDescription = (description) => {
			seen.push(description.type, pc.config.iceServers);
			return set(description);
		};
		const add = pc.addIceCandidate.bind(pc);
		pc.addIceCandidate = (candidate) => {
			seen.push(candidate);
			return add(candidate);
		};
		await room.pump();
		assert.equal(asked(ann), 1);
		assert.deepEqual(seen, ['offer', turn('new'), { candidate: 'x' }]);
		assert.equal(bob.only.signalingState, 'stable');
	});

	it('are the old ones where no others come, and nothing waits for long', async () => {
		const { room, ann, cat } = await inTurn();
		room.iceAnswers = false;
		ann.clock.time += 590_000;
		await room.enter(cat);
		assert.deepEqual(ids(ann), ['b']);
		ann.clock.pass(4_000);
		await room.pump();
		assert.deepEqual(ids(ann), ['b', 'c']);
		assert.deepEqual(latest(ann).config.iceServers, turn('old'));
		assert.equal(latest(ann).signalingState, 'stable');
	});

	it('are not asked for where one has his own', async () => {
		const { room, bob, cat } = await inTurn();
		const own = turn('own');
		const dan = new Caller('d').begin({ rtc: { iceServers: own } });
		await room.enter(dan);
		dan.clock.time += 590_000;
		await room.enter(cat);
		assert.equal(asked(dan), 0);
		assert.ok(dan.connections.every(({ config }) => config.iceServers === own));
		assert.equal(bob.connections.length, 3);
	});
});

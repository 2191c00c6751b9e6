// SPDX-License-Identifier: MIT
//
// What a stage shows of the members of a call: who speaks, what arrives of them, who is typing.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CallMember } from '../../src/index.js';
import { Caller, Room } from '../lib/room.js';
import { FakeStream } from '../lib/webrtc.js';
import type { FakePeerConnection } from '../lib/webrtc.js';

const camera = () => FakeStream.of('audio', 'video');

/** Lets time pass, look by look, as long as it takes that all of them are done. */
async function pass(caller: Caller, ms: number): Promise<void> {
	for (let passed = 0; passed < ms; passed += 250) {
		caller.clock.pass(250);
		await caller.settle();
	}
}

async function meeting(...ids: string[]): Promise<[Room, ...Caller[]]> {
	const callers = ids.map((id) => new Caller(id).begin({ stream: camera() }));
	return [await Room.of(...callers), ...callers];
}

const levels = (pc: FakePeerConnection | undefined, theirs: number, own = 0) =>
	Object.assign(pc ?? {}, {
		stats: [
			{ type: 'inbound-rtp', kind: 'audio', audioLevel: theirs },
			{ type: 'inbound-rtp', kind: 'video' },
			{ type: 'media-source', kind: 'audio', audioLevel: own },
		],
	});

const speakers = ({ call }: Caller) =>
	call.members.filter(({ speaking }) => speaking).map(({ clientId }) => clientId);

describe('who speaks', () => {
	it('is known after a moment, and not of a click', async () => {
		const [, ann] = (await meeting('a', 'b')) as [Room, Caller, Caller];
		levels(ann.only, 0.5);
		await pass(ann, 250);
		levels(ann.only, 0);
		await pass(ann, 250);
		assert.deepEqual(speakers(ann), []);
		levels(ann.only, 0.5);
		await pass(ann, 1_000);
		assert.deepEqual(speakers(ann), ['b']);
	});

	it('goes on through a short silence, and ends with a long one', async () => {
		const [, ann] = (await meeting('a', 'b')) as [Room, Caller, Caller];
		levels(ann.only, 0.5);
		await pass(ann, 2_000);
		let changes = 0;
		ann.call.on('members', () => changes++);
		for (let words = 0; words < 5; words++) {
			levels(ann.only, 0);
			await pass(ann, 500);
			levels(ann.only, 0.2);
			await pass(ann, 500);
		}
		assert.equal(changes, 0);
		levels(ann.only, 0);
		await pass(ann, 3_000);
		assert.deepEqual(speakers(ann), []);
		assert.equal(changes, 1);
	});

	it('is not taken from one who is muted', async () => {
		const [room, ann, bob] = (await meeting('a', 'b')) as [Room, Caller, Caller];
		bob.call.setAudio(false);
		await room.pump();
		levels(ann.only, 0.5);
		await pass(ann, 2_000);
		assert.deepEqual(speakers(ann), []);
		assert.equal(ann.call.activeSpeaker, null);
	});

	it('and is loudest is in front, until another one is clearly louder', async () => {
		const [room, ann, , cat] = (await meeting('a', 'b', 'c')) as [Room, Caller, Caller, Caller];
		const [toBob, toCat] = ann.connections;
		const fronts: (string | undefined)[] = [];
		ann.call.on('activeSpeaker', (member) => fronts.push(member?.clientId));
		assert.equal(ann.call.activeSpeaker, null);
		levels(toBob, 0.08);
		await pass(ann, 2_000);
		levels(toCat, 0.09);
		await pass(ann, 5_000);
		assert.deepEqual(fronts, ['b']);
		assert.deepEqual(speakers(ann), ['b', 'c']);
		levels(toBob, 0.02);
		await pass(ann, 2_000);
		assert.deepEqual(fronts, ['b', 'c']);
		levels(toCat, 0);
		levels(toBob, 0);
		await pass(ann, 5_000);
		assert.deepEqual(fronts, ['b', 'c']);
		const front = ann.call.activeSpeaker as CallMember | null;
		assert.deepEqual([front?.clientId, front?.speaking], ['c', false]);
		room.leave(cat, 'left');
		await pass(ann, 250);
		assert.deepEqual(fronts, ['b', 'c', undefined]);
	});

	it('is known of oneself', async () => {
		const [, ann] = (await meeting('a', 'b')) as [Room, Caller, Caller];
		const told: boolean[] = [];
		ann.call.on('self', ({ speaking }) => told.push(speaking));
		levels(ann.only, 0, 0.5);
		await pass(ann, 2_000);
		assert.equal(ann.call.self.speaking, true);
		levels(ann.only, 0, 0);
		await pass(ann, 3_000);
		assert.deepEqual(told, [true, false]);
	});

	it('harms nobody whose connection does not tell', async () => {
		const [, ann] = (await meeting('a', 'b')) as [Room, Caller, Caller];
		ann.only.getStats = () => Promise.reject(new Error('closed'));
		await pass(ann, 1_000);
		assert.deepEqual(ann.clock.reported, []);
		assert.equal(ann.call.members.length, 1);
	});
});

describe('what there is of a member', () => {
	const shown = ({ call }: Caller) => {
		const { muted, cameraOff, sharing } = call.members[0] as CallMember;
		return { muted, cameraOff, sharing };
	};
	const ALL = { muted: false, cameraOff: false, sharing: false };

	it('is what it says', async () => {
		const [room, ann, bob] = (await meeting('a', 'b')) as [Room, Caller, Caller];
		assert.deepEqual(shown(ann), ALL);
		bob.call.setAudio(false);
		await room.pump();
		assert.deepEqual(shown(ann), { ...ALL, muted: true });
		bob.call.setAudio(true);
		bob.call.setVideo(false);
		await room.pump();
		assert.deepEqual(shown(ann), { ...ALL, cameraOff: true });
		await bob.call.shareScreen(FakeStream.of('video'));
		await room.pump();
		assert.deepEqual(shown(ann), { ...ALL, sharing: true });
		bob.call.stopScreen();
		await room.pump();
		assert.deepEqual(shown(ann), { ...ALL, cameraOff: true });
	});

	it('is no more than what arrives', async () => {
		const [, ann] = (await meeting('a', 'b')) as [Room, Caller, Caller];
		const stream = ann.call.members[0]?.stream as unknown as FakeStream;
		const carry = (kind: string, muted: boolean) => {
			const track = stream.tracks.find((each) => each.kind === kind);
			Object.assign(track ?? {}, { muted });
			(track as unknown as { onmute: () => void; onunmute: () => void })[
				muted ? 'onmute' : 'onunmute'
			]();
		};
		carry('video', true);
		assert.deepEqual(shown(ann), { ...ALL, cameraOff: true });
		carry('audio', true);
		assert.deepEqual(shown(ann), { ...ALL, cameraOff: true, muted: true });
		const streams = ann.events.filter((event) => event.endsWith('streams')).length;
		carry('video', false);
		carry('audio', false);
		assert.deepEqual(shown(ann), ALL);
		assert.equal(ann.events.filter((event) => event.endsWith('streams')).length, streams);
	});

	it('of one who only watches is nothing', async () => {
		const ann = new Caller('a').begin({ stream: camera() });
		const bob = new Caller('b').begin();
		await Room.of(ann, bob);
		assert.deepEqual(shown(ann), { muted: true, cameraOff: true, sharing: false });
	});
});

describe('typing', () => {
	const typing = ({ call }: Caller) =>
		call.members.filter((member) => member.typing).map(({ clientId }) => clientId);
	const sent = ({ log }: Caller) =>
		log.filter(({ type }) => type === 'telemedicine_typing').map((one) => one['typing']);

	it('is shown to the others until it ends, in both directions', async () => {
		const [room, ann, bob] = (await meeting('a', 'b')) as [Room, Caller, Caller];
		for (const [one, other] of [
			[ann, bob],
			[bob, ann],
		] as const) {
			one.call.setTyping(true);
			await room.pump();
			await pass(other, 250);
			assert.deepEqual(typing(other), [one.id]);
			one.call.setTyping(false);
			await room.pump();
			await pass(other, 250);
			assert.deepEqual(typing(other), []);
		}
	});

	it('is said once in three seconds while there are keys, and ends by itself', async () => {
		const [room, ann] = (await meeting('a', 'b')) as [Room, Caller, Caller];
		for (let keys = 0; keys < 40; keys++) {
			ann.call.setTyping(true);
			ann.clock.pass(100);
		}
		await room.pump();
		assert.deepEqual(sent(ann), [true, true]);
		ann.clock.pass(5_000);
		await room.pump();
		assert.deepEqual(sent(ann), [true, true, false]);
		ann.clock.pass(60_000);
		await room.pump();
		assert.equal(sent(ann).length, 3);
	});

	it('ends with the message, and has no word of it', async () => {
		const [room, ann, bob] = (await meeting('a', 'b')) as [Room, Caller, Caller];
		ann.call.setTyping(true);
		await room.pump();
		await pass(bob, 250);
		assert.deepEqual(typing(bob), ['a']);
		void ann.call.sendChat('Good morning!');
		await room.pump();
		await pass(bob, 250);
		assert.deepEqual(typing(bob), []);
		const types = ann.log.map(({ type }) => type).slice(-2);
		assert.deepEqual(types, ['telemedicine_typing', 'telemedicine_chat_message']);
		const said = ann.log.filter(({ type }) => type === 'telemedicine_typing');
		assert.deepEqual(said, [
			{ type: 'telemedicine_typing', roomId: 'r', typing: true },
			{ type: 'telemedicine_typing', roomId: 'r', typing: false },
		]);
	});

	it('of one that is not heard of any more is not believed for ever', async () => {
		const [room, ann, bob] = (await meeting('a', 'b')) as [Room, Caller, Caller];
		ann.call.setTyping(true);
		await room.pump();
		await pass(bob, 7_500);
		assert.deepEqual(typing(bob), ['a']);
		await pass(bob, 1_000);
		assert.deepEqual(typing(bob), []);
	});

	it('before one is in the room says nothing', async () => {
		const ann = new Caller('a').begin();
		ann.call.setTyping(true);
		await Room.of(ann);
		assert.deepEqual(sent(ann), []);
		ann.call.leave();
		assert.equal(ann.clock.timers, 0);
	});
});

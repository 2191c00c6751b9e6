// SPDX-License-Identifier: MIT
//
// Calls against a real praxisd: its rooms, its waiting room and its words; the peer connections are
// made up. (A real browser's are in test/browser.)

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { CallOptions, TelemedicineCall } from 'praxis-client';
import { itEnds, secret, usePraxisd } from 'praxisd-of-tests';
import { Page } from '../lib/page.js';
import { FakePeerConnection, FakeStream } from '../lib/webrtc.js';

describe('a call', () => {
	const pages: Page[] = [];
	afterEach(() => pages.splice(0).forEach((page) => page.close()));
	const praxis = usePraxisd({ services: { telemedicine: { 'waiting-room': 'true' } } });

	class Caller extends Page {
		call: TelemedicineCall;

		constructor(
			userId: number,
			role: 'staff' | 'patient' = 'staff',
			more: Partial<CallOptions> = {},
		) {
			super(praxis, { practiceId: 1, userId, userName: secret('name'), role });
			pages.push(this);
			this.call = this.telemedicine.call({
				roomId: 'r',
				appointmentId: 12,
				userId,
				userName: secret('name'),
				stream: FakeStream.of('audio', 'video'),
				RTCPeerConnection: FakePeerConnection as unknown as typeof RTCPeerConnection,
				...more,
			});
			for (const event of ['state', 'members', 'chat', 'waiting'] as const) {
				this.call.on(event, () => this.wake());
			}
		}

		/** Sees so many others, with their streams. */
		sees(count: number): Promise<void> {
			const seen = () => this.call.members.filter(({ stream }) => stream).length;
			return this.until(`${count} others`, () => seen() === count);
		}
	}

	it('of three: all see and hear each other, chat, and are told of mute and leaving', async () => {
		const callers = [new Caller(1), new Caller(2), new Caller(3)] as const;
		const [ann, bob, cat] = callers;
		await Promise.all(callers.map((caller) => caller.sees(2)));
		ann.call.setVideo(false);
		const id = ann.manager.clientId;
		await bob.until('muted', () =>
			bob.call.members.some(
				({ clientId, media }) => clientId === id && media?.video === false,
			),
		);
		const text = secret('chat');
		await bob.call.sendChat(text);
		await cat.until('the chat', () => cat.call.chat.length === 1);
		assert.equal(cat.call.chat[0]?.message, text);
		ann.call.leave();
		await Promise.all([bob.sees(1), cat.sees(1)]);
		assert.equal(ann.call.state, 'ended');
		const late = new Caller(4);
		await late.sees(2);
		assert.equal(late.call.chat[0]?.message, text);
		callers.forEach(({ call }) => call.leave());
		late.call.leave();
	});

	it('of a patient who waits, and is let in, or is not', async () => {
		const ann = new Caller(1);
		await ann.until('joined', () => ann.call.state === 'joined');
		const [bob, eve] = [new Caller(2, 'patient'), new Caller(3, 'patient')];
		await ann.until('both wait', () => ann.call.waiting.length === 2);
		await Promise.all(
			[bob, eve].map((one) => one.until('waiting', () => one.call.state === 'waiting')),
		);
		ann.telemedicine.admit('r', bob.manager.clientId ?? '');
		await Promise.all([ann.sees(1), bob.sees(1)]);
		ann.telemedicine.deny('r', eve.manager.clientId ?? '', 'Please call us.');
		await eve.until('the end', () => eve.call.state === 'ended');
		assert.equal(eve.call.endReason, 'denied');
		await ann.until('nobody waits', () => ann.call.waiting.length === 0);
		[ann, bob].forEach(({ call }) => call.leave());
	});

	it('shows to staff and patient that the other one is typing', async () => {
		const ann = new Caller(1);
		await ann.until('joined', () => ann.call.state === 'joined');
		const bob = new Caller(2, 'patient');
		await ann.until('one waits', () => ann.call.waiting.length === 1);
		ann.telemedicine.admit('r', bob.manager.clientId ?? '');
		await Promise.all([ann.sees(1), bob.sees(1)]);
		for (const [one, other] of [
			[ann, bob],
			[bob, ann],
		] as const) {
			const typing = () => other.call.members[0]?.typing;
			one.call.setTyping(true);
			await other.until('typing', () => typing() === true);
			await one.call.sendChat(secret('chat'));
			await other.until('the message', () => typing() === false);
		}
		bob.call.leave();
		ann.call.leave();
	});

	it('that is ended for all ends for all', async () => {
		const [ann, bob] = [new Caller(1), new Caller(2)];
		await Promise.all([ann.sees(1), bob.sees(1)]);
		ann.telemedicine.end('r');
		for (const caller of [ann, bob]) {
			await caller.until('the end', () => caller.call.state === 'ended');
			assert.equal(caller.call.endReason, 'ended');
		}
	});

	itEnds(praxis);
});

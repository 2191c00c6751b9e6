// SPDX-License-Identifier: MIT
//
// The hooks of a call that is under way, with React and a DOM.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TelemedicineCall } from '../../src/index.js';
import { useCallStatus, useChat, useWaitingRoom } from '../../src/react.js';
import type { CallStatus, Chat, WaitingRoom } from '../../src/react.js';
import { doing, render } from '../lib/react.js';
import { Caller, Room } from '../lib/room.js';
import { FakeStream } from '../lib/webrtc.js';

const camera = () => FakeStream.of('audio', 'video');

describe('useCallStatus', () => {
	let status: CallStatus;
	const Stage = ({ call }: { call: TelemedicineCall | null }) => {
		status = useCallStatus(call);
		return null;
	};

	it('is idle without a call', async () => {
		await render(<Stage call={null} />);
		const { state, members, media, activeSpeaker } = status;
		assert.deepEqual([state, members, activeSpeaker], ['idle', [], null]);
		assert.deepEqual(media, { audio: false, video: false, screen: false });
	});

	it('shows what happens in the call, and nothing after it', async () => {
		const ann = new Caller('a').begin({ stream: camera() });
		const bob = new Caller('b').begin({ stream: camera() });
		await render(<Stage call={ann.call} />);
		assert.equal(status.state, 'joining');
		const room = new Room();
		await doing(async () => {
			await room.enter(ann);
			await room.enter(bob);
		});
		assert.equal(status.state, 'joined');
		assert.deepEqual(
			status.members.map(({ clientId, muted }) => [clientId, muted]),
			[['b', false]],
		);
		await doing(async () => {
			bob.call.setAudio(false);
			ann.call.setVideo(false);
			await room.pump();
		});
		assert.equal(status.members[0]?.muted, true);
		assert.equal(status.media.video, false);
		ann.only.stats = [{ type: 'media-source', audioLevel: 0.5 }];
		await doing(async () => {
			for (let looks = 0; looks < 4; looks++) {
				ann.clock.pass(250);
				await ann.settle();
			}
		});
		assert.equal(status.self.speaking, true);
		await doing(() => ann.call.leave());
		assert.deepEqual([status.state, status.endReason], ['ended', 'left']);
	});
});

describe('useChat', () => {
	let chat: Chat;
	const Talk = ({ call }: { call: TelemedicineCall | null }) => {
		chat = useChat(call);
		return null;
	};

	it('sends, shows what becomes of it, and sends again', async () => {
		const ann = new Caller('a').begin();
		const room = await Room.of(ann);
		await render(<Talk call={ann.call} />);
		await doing(() => chat.send('Hello!'));
		assert.deepEqual(
			chat.messages.map(({ message, state }) => [message, state]),
			[['Hello!', 'pending']],
		);
		const [sent] = ann.socket.of('telemedicine_chat_message');
		ann.socket.take();
		await doing(() =>
			ann.socket.say({ type: 'error', id: sent?.id, code: 'rate_limited', message: '' }),
		);
		const { localId, state } = chat.messages[0] as Chat['messages'][number];
		assert.equal(state, 'failed');
		await doing(async () => {
			chat.retry(localId);
			await room.pump();
		});
		assert.deepEqual(
			chat.messages.map((message) => [message.localId, message.state]),
			[[localId, 'sent']],
		);
		// In vain, and nobody is left with a rejection that was not handled.
		await doing(() => chat.retry(localId));
	});

	it('shows who is typing, and says that one is', async () => {
		const ann = new Caller('a').begin();
		const bob = new Caller('b').begin();
		const room = await Room.of(ann, bob);
		await render(<Talk call={ann.call} />);
		await doing(async () => {
			bob.call.setTyping(true);
			await room.pump();
			ann.clock.pass(250);
			await ann.settle();
		});
		assert.deepEqual(
			chat.typing.map(({ userName }) => userName),
			['b'],
		);
		await doing(async () => {
			chat.setTyping(true);
			await room.pump();
		});
		assert.equal(ann.log.at(-1)?.type, 'telemedicine_typing');
	});

	it('without a call does nothing', async () => {
		await render(<Talk call={null} />);
		chat.send('x');
		chat.retry('1');
		chat.setTyping(true);
		assert.deepEqual([chat.messages, chat.typing], [[], []]);
	});
});

describe('useWaitingRoom', () => {
	let line: WaitingRoom;
	const set = (caller: Caller, roomId: string) => {
		const Line = () => {
			line = useWaitingRoom(roomId, caller.service);
			return null;
		};
		return <Line />;
	};
	const waiting = (position: number, roomId = 'r') => ({
		type: 'telemedicine_waiting',
		roomId,
		position,
		since: 1,
	});

	it('tells a patient its place, and how it ended', async () => {
		const pat = new Caller('p').begin();
		pat.greet();
		await render(set(pat, 'r'));
		assert.deepEqual([line.position, line.isNext, line.denied], [undefined, false, null]);
		await doing(() => pat.socket.say(waiting(2)));
		assert.deepEqual([line.position, line.isNext], [2, false]);
		await doing(() => pat.socket.say(waiting(7, 'another')));
		await doing(() => pat.socket.say(waiting(1)));
		assert.deepEqual([line.position, line.isNext], [1, true]);
		const type = 'telemedicine_denied';
		await doing(() =>
			pat.socket.say({ type, roomId: 'r', code: 'denied', reason: 'Too early.' }),
		);
		assert.equal(line.position, undefined);
		assert.deepEqual(line.denied, { code: 'denied', reason: 'Too early.' });
	});

	it('that is shown late knows what the call has heard', async () => {
		const pat = new Caller('p').begin();
		pat.greet();
		pat.socket.say(waiting(1));
		assert.equal(pat.call.state, 'waiting');
		await render(set(pat, 'r'));
		assert.equal(line.isNext, true);
		await doing(() => {
			const room = { roomId: 'r', clientId: 'p', participants: [], members: [] };
			pat.socket.say({ type: 'telemedicine_room_joined', ...room, iceServers: [], chat: [] });
		});
		assert.deepEqual([line.position, line.denied], [undefined, null]);
	});

	it('lists for staff who waits, and lets in and sends away', async () => {
		const vet = new Caller('v').begin();
		await Room.of(vet);
		await render(set(vet, 'r'));
		assert.deepEqual(line.waiting, []);
		const patients = [{ clientId: 'p', userName: 'Pat', since: 1 }];
		const type = 'telemedicine_waiting_list';
		await doing(() => vet.socket.say({ type, roomId: 'r', waiting: patients }));
		assert.deepEqual(line.waiting, patients);
		vet.socket.take();
		const admitted = line.admit('p');
		const denied = line.deny('q', 'Come back at ten.');
		const sent = vet.socket.take();
		assert.deepEqual(
			sent.map((message) => ({ ...message, id: undefined })),
			[
				{ type: 'telemedicine_admit', roomId: 'r', clientId: 'p', id: undefined },
				{
					type: 'telemedicine_deny',
					roomId: 'r',
					clientId: 'q',
					reason: 'Come back at ten.',
					id: undefined,
				},
			],
		);
		vet.socket.say({ type: 'ack', id: sent[0]?.id });
		vet.socket.say({ type: 'error', id: sent[1]?.id, code: 'no_such_peer', message: '' });
		await admitted;
		await assert.rejects(denied, { code: 'no_such_peer' });
	});

	it('of another room begins anew', async () => {
		const pat = new Caller('p').begin();
		pat.greet();
		pat.socket.say(waiting(1));
		const show = await render(set(pat, 'r'));
		await show(set(pat, 's'));
		assert.equal(line.position, undefined);
	});
});

// SPDX-License-Identifier: MIT
//
// The hooks, with React and a DOM.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TelemedicineWebSocketService, WhiteboardWebSocketService } from '../../src/index.js';
import type { CallOptions, WhiteboardUpdate } from '../../src/index.js';
import { useTelemedicineCall, useWebSocketStatus, useWhiteboard } from '../../src/react.js';
import type { UseTelemedicineCall, Whiteboard } from '../../src/react.js';
import { FakeWorld } from '../lib/fakes.js';
import { doing, render } from '../lib/react.js';
import { Caller, Room } from '../lib/room.js';
import { FakePeerConnection, FakeStream } from '../lib/webrtc.js';

describe('useWebSocketStatus', () => {
	it('shows the status, and connects nothing', async () => {
		const world = new FakeWorld();
		const shown: string[] = [];
		const Status = () => {
			shown.push(useWebSocketStatus(world.manager));
			return null;
		};
		await render(<Status />);
		assert.deepEqual(world.sockets, []);
		await doing(() => world.connected());
		assert.equal(shown[0], 'disconnected');
		assert.equal(shown.at(-1), 'connected');
	});
});

describe('useWhiteboard', () => {
	const setUp = () => {
		const world = new FakeWorld();
		const service = new WhiteboardWebSocketService(world.manager);
		const got: WhiteboardUpdate[] = [];
		let reloads = 0;
		const view: { now?: Whiteboard } = {};
		const Board = ({ practiceId }: { practiceId: number }) => {
			view.now = useWhiteboard(practiceId, {
				service,
				onUpdate: (update) => got.push(update),
				onReload: () => reloads++,
			});
			return null;
		};
		const say = (practiceId: number, seq: number) =>
			doing(() => {
				world.socket.say({ type: 'whiteboard_update', practiceId, seq, clientId: 'other' });
			});
		return { world, got, view, service, Board, say, reloads: () => reloads };
	};

	it('is connected while a component uses it', async () => {
		const { world, view, Board } = setUp();
		const show = await render(<Board practiceId={1} />);
		await doing(() => world.greet());
		assert.equal(view.now?.status, 'connected');
		await show(null);
		await doing(() => world.clock.pass(999));
		assert.equal(world.manager.getStatus(), 'connected');
		await doing(() => world.clock.pass(1));
		assert.equal(world.manager.getStatus(), 'disconnected');
		assert.equal(world.socket.closed, 1000);
		assert.equal(world.clock.timers + world.clock.listeners, 0);
	});

	it('keeps one socket over route changes, however long they go on', async () => {
		const { world, Board } = setUp();
		const show = await render(<Board key="a" practiceId={1} />);
		await doing(() => world.greet());
		for (const page of ['b', 'c', 'd', 'e']) {
			await show(null);
			await doing(() => world.clock.pass(600));
			await show(<Board key={page} practiceId={1} />);
			await doing(() => world.clock.pass(600));
		}
		assert.equal(world.sockets.length, 1);
		assert.deepEqual(world.statuses, ['connecting', 'connected']);
	});

	it('does not let go of what another has held, or ended, meanwhile', async () => {
		const { world, Board } = setUp();
		const show = await render(<Board practiceId={1} />);
		await doing(() => world.greet());
		await show(null);
		world.manager.disconnect();
		world.manager.connect();
		world.greet();
		await doing(() => world.clock.pass(1_000));
		assert.equal(world.manager.isConnected(), true);
	});

	it('keeps its handlers when the service is disconnected elsewhere', async () => {
		const { world, got, service, Board, say } = setUp();
		await render(<Board practiceId={1} />);
		await doing(() => world.greet());
		service.connect();
		service.disconnect();
		world.socket.say({ type: 'whiteboard_subscribed', practiceId: 1, epoch: 'e', seq: 0 });
		await say(1, 1);
		assert.equal(got.length, 1);
	});

	it('gets the updates of its practice, once, also in strict mode', async () => {
		const { world, got, view, Board, say, reloads } = setUp();
		const show = await render(<Board practiceId={1} />);
		const user = { role: 'staff', practices: [1, 2] };
		await doing(() => world.greet({ user }));
		for (const practiceId of [1, 2]) {
			world.socket.say({ type: 'whiteboard_subscribed', practiceId, epoch: 'e', seq: 0 });
		}
		await say(1, 1);
		await say(2, 1);
		assert.deepEqual(
			got.map(({ practiceId, seq }) => [practiceId, seq]),
			[[1, 1]],
		);
		assert.equal(view.now?.lastUpdate?.seq, 1);
		await show(<Board practiceId={2} />);
		assert.equal(view.now.lastUpdate, null);
		await say(2, 2);
		await say(1, 2);
		assert.deepEqual(got.length, 2);
		assert.deepEqual(got.at(-1)?.practiceId, 2);
		assert.equal(reloads(), 0);
		const type = 'whiteboard_subscribed';
		world.socket.say({ type, practiceId: 2, epoch: 'other', seq: 0, recovered: false });
		assert.equal(reloads(), 1);
	});

	it('sends to its practice', async () => {
		const { world, view, Board } = setUp();
		await render(<Board practiceId={7} />);
		await doing(() => world.greet());
		assert.equal(view.now?.sendUpdate({ x: 1 }, { key: 'k' }), true);
		view.now.send({ x: 2 }).catch(() => {});
		const sent = world.socket.of('whiteboard_update');
		assert.deepEqual(
			sent.map(({ practiceId, data, key }) => [practiceId, data, key]),
			[
				[7, { x: 1 }, 'k'],
				[7, { x: 2 }, undefined],
			],
		);
	});
});

describe('useTelemedicineCall', () => {
	class Ann extends Caller {
		view: UseTelemedicineCall | undefined;
		made = 0;
		override service = new TelemedicineWebSocketService(this.manager);

		constructor() {
			super('a');
			const { service } = this;
			const make = service.call.bind(service);
			service.call = (options: CallOptions) => {
				this.made++;
				return make(options);
			};
		}

		Call = ({ options }: { options: CallOptions | null }) => {
			this.view = useTelemedicineCall(options, this.service);
			return null;
		};

		options(stream: MediaStream | null = null, roomId = 'r'): CallOptions {
			const { connections } = this;
			return {
				roomId,
				appointmentId: 12,
				userId: 7,
				userName: 'Ann',
				stream,
				qualityMs: 0,
				RTCPeerConnection: class extends FakePeerConnection {
					constructor(config: RTCConfiguration) {
						super(config);
						connections.push(this);
					}
				} as unknown as typeof RTCPeerConnection,
			};
		}
	}

	it('is idle without options', async () => {
		const ann = new Ann();
		await render(<ann.Call options={null} />);
		assert.equal(ann.view?.state, 'idle');
		assert.deepEqual(ann.sockets, []);
	});

	it('shows the call, and leaves it with the component', async () => {
		const ann = new Ann();
		const bob = new Caller('b').begin({ stream: FakeStream.of('audio', 'video') });
		const room = await Room.of(bob);
		const show = await render(<ann.Call options={ann.options()} />);
		await doing(() => room.enter(ann));
		assert.equal(ann.view?.state, 'joined');
		assert.deepEqual(
			ann.view.members.map(({ clientId, stream }) => [clientId, stream !== null]),
			[['b', true]],
		);
		await doing(async () => {
			void ann.view?.call?.sendChat('Hello!');
			await room.pump();
		});
		assert.equal(ann.view.chat[0]?.message, 'Hello!');
		await show(null);
		await room.pump([ann]);
		assert.equal(bob.call.members.length, 0);
		assert.equal(ann.open.length, 0);
		assert.equal(ann.manager.getStatus(), 'connected');
		await doing(() => ann.clock.pass(1_000));
		assert.equal(ann.manager.getStatus(), 'disconnected');
		assert.equal(ann.sockets.length, 1);
	});

	it('goes on with another stream, and begins anew in another room', async () => {
		const ann = new Ann();
		const bob = new Caller('b').begin({ stream: FakeStream.of('audio') });
		const room = await Room.of(bob);
		const show = await render(<ann.Call options={ann.options()} />);
		await doing(() => room.enter(ann));
		const calls = ann.made;
		await show(<ann.Call options={ann.options(FakeStream.of('video'))} />);
		await doing(() => room.pump());
		assert.equal(ann.made, calls);
		assert.deepEqual(ann.view?.media, { audio: false, video: true, screen: false });
		assert.equal(bob.call.members[0]?.stream?.getTracks().length, 1);
		await show(<ann.Call options={ann.options(null, 'other')} />);
		assert.equal(ann.made, calls + 1);
		assert.equal(ann.view.call?.roomId, 'other');
	});

	it('shows why it was not let in', async () => {
		const ann = new Ann();
		await render(<ann.Call options={ann.options()} />);
		await doing(async () => {
			ann.greet();
			const [join] = ann.socket.of('telemedicine_user_joined');
			const error = { type: 'error', id: join?.id, code: 'room_full', message: 'Full.' };
			ann.socket.say(error);
			await ann.settle();
		});
		assert.equal(ann.view?.state, 'ended');
		assert.equal(ann.view.endReason, 'room_full');
		assert.equal(ann.view.error?.message, 'Full.');
	});
});

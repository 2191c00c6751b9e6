// SPDX-License-Identifier: MIT
//
// A room of calls without a server: what each sends is handed to the others, as the protocol has it.

import assert from 'node:assert/strict';
import { TelemedicineCall, TelemedicineWebSocketService } from '../../src/index.js';
import type { CallOptions, WebSocketMessage } from '../../src/index.js';
import { FakeWorld } from './fakes.js';
import { FakePeerConnection } from './webrtc.js';

export class Caller extends FakeWorld {
	service = new TelemedicineWebSocketService(this.manager);
	connections: FakePeerConnection[] = [];
	events: string[] = [];
	/** What this one's socket said, and the room has handed on. */
	log: WebSocketMessage[] = [];
	media: unknown;
	call!: TelemedicineCall;

	constructor(
		public id: string,
		readonly name = id,
	) {
		super();
	}

	begin(options: Partial<CallOptions> = {}): this {
		const { connections } = this;
		class Remembered extends FakePeerConnection {
			constructor(config: RTCConfiguration) {
				super(config);
				connections.push(this);
			}
		}
		this.call = this.service.call({
			roomId: 'r',
			appointmentId: 12,
			userId: `user-${this.name}`,
			userName: this.name,
			qualityMs: 0,
			RTCPeerConnection: Remembered as unknown as typeof RTCPeerConnection,
			...options,
		});
		const note = (text: string) => void this.events.push(text);
		this.call.on('state', (state) => note(state));
		this.call.on('joined', ({ clientId }) => note(`${clientId} joined`));
		this.call.on('left', ({ clientId }, reason) => note(`${clientId} ${reason}`));
		this.call.on('stream', (_, { clientId }) => note(`${clientId} streams`));
		this.call.on('error', ({ code, message }) => note(`error ${code} ${message}`));
		return this;
	}

	/** The connections that are open. */
	get open(): FakePeerConnection[] {
		return this.connections.filter(({ signalingState }) => signalingState !== 'closed');
	}

	get only(): FakePeerConnection {
		assert.equal(this.open.length, 1);
		return this.open[0] as FakePeerConnection;
	}
}

export class Room {
	members: Caller[] = [];
	iceServers: RTCIceServer[] = [];
	/** It gives others when it is asked, for that long. */
	iceAnswers = true;
	iceLifeMs = 600_000;
	chat: WebSocketMessage[] = [];

	/** Connects the caller, whose call has begun. */
	async enter(caller: Caller, more: Record<string, unknown> = {}): Promise<void> {
		caller.greet({ clientId: caller.id, ...more });
		await this.pump([caller]);
	}

	/** All of them in the room, and all negotiation done. */
	static async of(...callers: Caller[]): Promise<Room> {
		const room = new Room();
		for (const caller of callers) {
			await room.enter(caller);
		}
		return room;
	}

	/** The session of that one is lost, and it comes back under another id. */
	async lose(caller: Caller, id: string): Promise<void> {
		caller.cut();
		this.leave(caller, 'disconnected');
		caller.id = id;
		caller.greet({ clientId: id, resumed: false });
		await this.pump([caller]);
	}

	leave(caller: Caller, reason: string): void {
		this.members = this.members.filter((member) => member !== caller);
		const type = 'telemedicine_user_left';
		this.tell(this.members, { type, roomId: 'r', clientId: caller.id, reason });
	}

	tell(callers: Caller[], message: WebSocketMessage): void {
		callers.forEach(({ socket }) => socket.say(message));
	}

	/** Hands on what is sent until nobody sends any more. */
	async pump(also: Caller[] = []): Promise<void> {
		for (let quiet = 0; quiet < 3;) {
			const all = [...new Set([...this.members, ...also])];
			const sent = all.map((caller) => [caller, caller.socket.take()] as const);
			quiet = sent.every(([, messages]) => messages.length === 0) ? quiet + 1 : 0;
			sent.forEach(([caller, messages]) =>
				messages.forEach((message) => this.#route(caller, message)),
			);
			await new Promise((resolve) => setImmediate(resolve));
		}
	}

	#route(from: Caller, message: WebSocketMessage): void {
		from.log.push(message);
		const others = this.members.filter((member) => member !== from);
		const relayed = { ...message, clientId: from.id };
		switch (message.type) {
			case 'telemedicine_user_joined':
				this.tell(others, relayed);
				this.members.push(from);
				from.socket.say({
					type: 'telemedicine_room_joined',
					roomId: message['roomId'],
					clientId: from.id,
					participants: [...others.map(({ id }) => id), from.id],
					members: others.map(({ id, name, media }) => ({
						clientId: id,
						userId: `user-${name}`,
						userName: name,
						media,
					})),
					iceServers: this.iceServers,
					chat: this.chat,
				});
				break;
			case 'ping':
				from.socket.say({ ...message, type: 'pong' });
				break;
			case 'telemedicine_user_left':
				this.leave(from, 'left');
				break;
			case 'telemedicine_ice_servers':
				if (this.iceAnswers) {
					const expiresAt = from.clock.wall() + this.iceLifeMs;
					from.socket.say({ ...message, iceServers: this.iceServers, expiresAt });
				}
				break;
			case 'telemedicine_media_state':
				from.media = pick(message);
				this.tell(others, relayed);
				break;
			default:
				if (message.type.startsWith('telemedicine_')) {
					const to = message['to'];
					this.tell(
						others.filter(({ id }) => to === undefined || id === to),
						relayed,
					);
				}
		}
		if (message.id !== undefined) {
			from.socket.say({ type: 'ack', id: message.id });
		}
	}
}

function pick({ audio, video, screen }: WebSocketMessage) {
	return { audio, video, screen };
}

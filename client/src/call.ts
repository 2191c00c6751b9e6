// SPDX-License-Identifier: MIT
//
// A video call: a mesh of peer connections among the members of a room, made and mended by
// themselves. The same side of each pair is the polite one everywhere: the lower clientId.
//
// A session that was resumed changes nothing here. After one that was lost everybody has us under
// another clientId, so all connections are made anew, behind those that there are (see roster.ts).

import type {
	CallChatMessage,
	CallEvents,
	CallMember,
	CallOptions,
	CallState,
	EndReason,
} from './call-types.js';
import type { DeviceKind } from './devices.js';
import { Emitter } from './emitter.js';
import { Timer } from './environment.js';
import { IceServers } from './ice-servers.js';
import { LocalMedia } from './local-media.js';
import { Peer } from './peer.js';
import { QualityMeter } from './quality.js';
import { Roster } from './roster.js';
import type { Entry } from './roster.js';
import type { TelemedicineWebSocketService } from './telemedicine-service.js';
import { PraxisError } from './types.js';
import type {
	MediaState,
	MessageHandler,
	MessageOf,
	Receipt,
	RoomMember,
	RoomId,
	RoomMessage,
	TelemedicineRoomJoined,
	Unsubscribe,
	WaitingMember,
} from './types.js';

const CHAT = 500;
const SETTLE_MS = 2_000;

export class TelemedicineCall {
	#state: CallState = 'joining';
	#endReason: EndReason | undefined;
	/** Place in the queue, while waiting to be let in. */
	#position: number | undefined;
	#waiting: readonly WaitingMember[] = [];
	#chat: readonly CallChatMessage[] = [];
	#clientId = '';
	#ice: IceServers;
	#local: LocalMedia;
	#events: Emitter<CallEvents>;
	#roster: Roster;
	#unsubscribe: Unsubscribe[];
	#measuring: Timer;
	#settling: Timer;
	readonly #service: TelemedicineWebSocketService;
	readonly #options: CallOptions;

	constructor(service: TelemedicineWebSocketService, options: CallOptions) {
		this.#service = service;
		this.#options = options;
		const { environment } = service.manager;
		this.#events = new Emitter((error) => environment.report(error));
		this.#roster = new Roster(this.#events);
		this.#measuring = new Timer(environment);
		this.#settling = new Timer(environment);
		this.#ice = new IceServers(
			environment,
			options.rtc?.iceServers ? undefined : () => service.requestIceServers(options.roomId),
		);
		this.#local = new LocalMedia(
			options.stream ?? null,
			() => {
				this.#roster.all.forEach(({ peer }) => this.#local.feed(peer));
				this.#tellMedia();
			},
			(event) => this.#events.emit('device', event),
		);
		this.#unsubscribe = this.#listen();
		service.manager.enableService('telemedicine');
		service.manager.connect(this);
		service.manager.calls.add(this);
		service.joinRoom(options.roomId, options.appointmentId, options.userId, options.userName, {
			practiceId: options.practiceId,
		});
		this.#measureLater();
	}

	get roomId(): RoomId {
		return this.#options.roomId;
	}

	get state(): CallState {
		return this.#state;
	}

	get endReason(): EndReason | undefined {
		return this.#endReason;
	}

	get position(): number | undefined {
		return this.#position;
	}

	/** The others; a new array whenever anything has changed. */
	get members(): readonly CallMember[] {
		return this.#roster.members;
	}

	/** Who waits to be let in, for the team: `telemedicineService.admit()`, `deny()`. */
	get waiting(): readonly WaitingMember[] {
		return this.#waiting;
	}

	/** What was said, one's own included; a new array whenever something was. */
	get chat(): readonly CallChatMessage[] {
		return this.#chat;
	}

	/** What is sent, the screen aside: the stream given, or one that `setDevice()` has made. */
	get stream(): MediaStream | null {
		return this.#local.stream;
	}

	/** What the others see and hear of us. */
	get media(): MediaState {
		return this.#local.state;
	}

	on<E extends keyof CallEvents>(
		event: E,
		handler: (...args: CallEvents[E]) => void,
	): Unsubscribe {
		return this.#events.on(event, handler);
	}

	// ---- what one does ----

	/** Ends the call for oneself. The stream stays its owner's: stop its tracks yourself. */
	leave(): void {
		if (this.#state !== 'ended') {
			const { roomId, appointmentId, userId } = this.#options;
			this.#service.leaveRoom(roomId, appointmentId, userId);
			this.#end('left');
		}
	}

	/** Resolves when the server has it. Whoever need not know may ignore the promise. */
	sendChat(message: string): Promise<Receipt> {
		const { roomId, appointmentId, userName, userId } = this.#options;
		const chat = {
			type: 'telemedicine_chat_message' as const,
			roomId,
			appointmentId,
			message,
			from: userName,
			fromUserId: userId,
		};
		const receipt = this.#service.manager.send(chat);
		const timestamp = this.#service.manager.environment.wall();
		let said: CallChatMessage = {
			...chat,
			clientId: this.#clientId,
			timestamp,
			state: 'pending',
		};
		this.#say(said);
		const become = (state: CallChatMessage['state']) => {
			const next = { ...said, state };
			this.#chat = this.#chat.map((message) => (message === said ? next : message));
			said = next;
			this.#events.emit('chatState', said);
		};
		receipt.then(
			() => become('sent'),
			// A lost session's receipt: the server had taken the message.
			(error: unknown) =>
				become((error as PraxisError).code === 'session_lost' ? 'sent' : 'failed'),
		);
		return receipt;
	}

	setAudio(on: boolean): void {
		this.#local.enable('audio', on);
	}

	setVideo(on: boolean): void {
		this.#local.enable('video', on);
	}

	/** Another camera or microphone, or the first one. */
	setStream(stream: MediaStream | null): void {
		this.#local.setStream(stream);
	}

	/**
	 * Another camera or microphone (`listDevices()` has the ids; without one: the browser's choice).
	 * Its track takes the place of the former one in the same stream, and the former one is stopped.
	 * False: it could not be had; the event `device` says why, and the former one goes on.
	 */
	setDevice(kind: DeviceKind, deviceId?: string): Promise<boolean> {
		return this.#local.setDevice(kind, deviceId);
	}

	/** Shows a screen in place of the camera; asks the user which one, unless a stream is given. */
	shareScreen(stream?: MediaStream): Promise<void> {
		return this.#local.share(stream);
	}

	stopScreen(): void {
		this.#local.stopSharing();
	}

	/** Looks for new paths to all members; done by itself when the network changes. */
	restartIce(): void {
		this.#mend(this.#roster.live);
	}

	// ---- messages ----

	#listen(): Unsubscribe[] {
		const service = this.#service;
		const { manager } = service;
		const here = <T extends string>(
			type: T,
			handler: MessageHandler<MessageOf<`telemedicine_${T}`>>,
			freshMs?: number,
		) =>
			manager.registerHandler(`telemedicine_${type}`, (message) => {
				if (String((message as RoomMessage).roomId) === String(this.#options.roomId)) {
					this.#ice.use(() => handler(message), freshMs);
				}
			});
		const refused = (code: string, text?: string) => {
			this.#error(new PraxisError(code, text));
			this.#end(code);
		};
		const peerOf = ({ clientId }: { clientId?: string }) => this.#roster.get(clientId)?.peer;
		return [
			here('room_joined', (message) => this.#joined(message)),
			here('waiting', ({ position }) => {
				this.#position = position;
				this.#setState('waiting');
			}),
			here('denied', ({ code, reason }) => refused(code, reason)),
			here('waiting_list', ({ waiting }) => {
				this.#waiting = waiting;
				this.#events.emit('waiting', waiting);
			}),
			here('join_refused', ({ code, message }) => refused(code, message)),
			here('user_joined', (member) => this.#add(member), 0),
			here('user_left', ({ clientId, reason }) => {
				if (clientId === this.#clientId) {
					this.#end(reason);
				} else {
					this.#roster.remove(clientId, reason);
				}
			}),
			here('offer', (message) => void peerOf(message)?.description(message.offer), 0),
			here('answer', (message) => {
				void peerOf(message)?.description(message.answer);
			}),
			here('ice_candidate', (message) => {
				void peerOf(message)?.candidate(message.candidate);
			}),
			here('media_state', ({ clientId, audio, video, screen }) => {
				const entry = this.#roster.get(clientId);
				if (entry) {
					this.#roster.change(entry, { media: { audio, video, screen } });
				}
			}),
			here('chat_message', (message) => this.#say(message)),
			manager.registerHandler('telemedicine_ice_servers', ({ iceServers, expiresAt }) => {
				this.#ice.servers = iceServers;
				this.#roster.live.forEach(({ peer }) => peer.configure(this.#config()));
				this.#ice.go(expiresAt && expiresAt - manager.environment.wall());
			}),
			manager.on('session', ({ resumed }) => {
				if (resumed) {
					this.#mend(this.#roster.live.filter(({ peer }) => peer.isBroken));
				} else {
					this.#ice.go(); // what was asked for in the lost session has no answer
				}
			}),
			manager.onStatusChange(() => queueMicrotask(() => this.#statusChanged())),
			manager.environment.onNetworkChange(() => this.#networkChanged()),
			() => service.manager.disconnect(this),
			() => manager.calls.delete(this),
		];
	}

	#joined(message: TelemedicineRoomJoined): void {
		if (this.#clientId === '') {
			this.#chat = message.chat;
		}
		this.#ice.servers = message.iceServers;
		this.#ice.go();
		const present = this.#clientId === message.clientId ? message.members : [];
		this.#clientId = message.clientId;
		this.#position = undefined;
		for (const { clientId } of this.#roster.live.map(({ member }) => member)) {
			if (!present.some((member) => member.clientId === clientId)) {
				this.#roster.remove(clientId, 'disconnected');
			}
		}
		message.members.forEach((member) => this.#add(member, true));
		this.#setState('joined');
		this.#tellMedia();
	}

	#say(message: CallChatMessage): void {
		this.#chat = [...this.#chat, message].slice(-CHAT);
		this.#events.emit('chat', message);
	}

	// ---- members ----

	/** Whoever is in a room offers to a newcomer: offers of both at once cost time. */
	#add({ clientId, userId, userName, role, media }: RoomMember, theirTurn = false): void {
		if (clientId === this.#clientId || this.#state === 'ended') {
			return;
		}
		const known = this.#roster.get(clientId);
		if (known) {
			this.#roster.change(known, { userName, ...(media && { media }) });
			return;
		}
		const { roomId, appointmentId, userId: own } = this.#options;
		const service = this.#service;
		const roster = this.#roster;
		const peer = new Peer(
			this.#options.RTCPeerConnection ?? globalThis.RTCPeerConnection,
			this.#config(),
			this.#clientId < clientId,
			theirTurn,
			{
				description: (description) => {
					const how = description.type === 'offer' ? 'sendOffer' : 'sendAnswer';
					if (entry.live) {
						service[how](roomId, appointmentId, description, own, clientId);
					}
				},
				candidate: (candidate) => {
					const plain = candidate?.toJSON() ?? null;
					service.sendIceCandidate(roomId, appointmentId, plain, own, clientId);
				},
				stream: (stream) => {
					if (entry.member.stream !== stream && roster.change(entry, { stream })) {
						this.#events.emit('stream', stream, entry.member);
					}
				},
				state: (connection) => void roster.change(entry, { connection }),
				turn: (itself) => this.#local.feed(itself),
				broken: () => {
					if (entry.live) {
						this.#mend([entry]);
					} else {
						roster.drop(entry);
					}
				},
				error: (error) => this.#error(error),
			},
			service.manager.environment,
		);
		const entry: Entry = {
			member: { clientId, userId, userName, role, media, stream: null, connection: 'new' },
			peer,
			meter: new QualityMeter(),
			live: true,
		};
		this.#local.feed(peer);
		roster.add(entry);
	}

	// A session that is over for good (logged out, put out, disconnect()) takes its pictures along.
	// One that is tried again has the status ERROR only in passing.
	#statusChanged(): void {
		if (['error', 'disconnected'].includes(this.#service.manager.getStatus())) {
			this.#roster.clear();
		}
	}

	#tellMedia(): void {
		const { media } = this;
		if (this.#state === 'joined') {
			this.#service.sendMediaState(this.#options.roomId, media);
		}
		this.#events.emit('media', media);
	}

	// ---- paths ----

	#config(): RTCConfiguration {
		return { iceServers: this.#ice.servers, ...this.#options.rtc };
	}

	// Changes come in bursts: the first is acted on, and those that its burst has left without a path.
	#networkChanged(): void {
		if (!this.#settling.isSet) {
			this.restartIce();
		}
		this.#settling.set(SETTLE_MS, () => {
			this.#mend(
				this.#roster.live.filter(({ peer }) =>
					['disconnected', 'failed'].includes(peer.pc.iceConnectionState),
				),
			);
		});
	}

	// With ICE servers that are asked for now, however fresh those here are.
	#mend(entries: Entry[]): void {
		if (entries.length > 0 && this.#state === 'joined') {
			const restart = (entry: Entry) => entry.live && entry.peer.restart();
			this.#ice.use(() => entries.forEach(restart), Infinity);
		}
	}

	#measureLater(): void {
		const { qualityMs = 2_000 } = this.#options;
		if (qualityMs > 0 && this.#state !== 'ended') {
			this.#measuring.set(qualityMs, () => void this.#measure());
		}
	}

	async #measure(): Promise<void> {
		for (const entry of this.#roster.shown) {
			try {
				const quality = await entry.meter.measure(entry.peer.pc);
				if (this.#roster.change(entry, { quality })) {
					this.#events.emit('quality', quality, entry.member);
				}
			} catch {
				// The connection has been closed meanwhile.
			}
		}
		this.#measureLater();
	}

	// ---- the end ----

	#end(reason: EndReason): void {
		if (this.#state === 'ended') {
			return;
		}
		this.#local.close();
		this.#endReason = reason;
		[this.#measuring, this.#settling].forEach((timer) => timer.clear());
		this.#ice.close();
		this.#unsubscribe.forEach((unsubscribe) => unsubscribe());
		this.#roster.clear();
		this.#setState('ended');
	}

	#setState(state: CallState): void {
		if (state !== this.#state || state === 'waiting') {
			this.#state = state;
			this.#events.emit('state', state);
		}
	}

	#error(error: unknown): void {
		const known = error instanceof PraxisError;
		this.#events.emit('error', known ? error : new PraxisError('webrtc', String(error)));
	}
}

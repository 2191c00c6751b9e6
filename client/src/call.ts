// SPDX-License-Identifier: MIT
//
// A video call: a mesh of peer connections among the members of a room, made and mended by
// themselves. The same side of each pair is the polite one everywhere: the lower clientId.
//
// A session that was resumed changes nothing here. After one that was lost everybody has us under
// another clientId, so all connections are made anew.

import type {
	CallChatMessage,
	CallEvents,
	CallMember,
	CallOptions,
	CallState,
	EndReason,
} from './call-types.js';
import { Emitter } from './emitter.js';
import { Timer } from './environment.js';
import { LocalMedia } from './local-media.js';
import { Peer } from './peer.js';
import { QualityMeter } from './quality.js';
import type { TelemedicineWebSocketService } from './telemedicine-service.js';
import { PraxisError } from './types.js';
import type {
	LeaveReason,
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

interface Entry {
	member: CallMember;
	peer: Peer;
	meter: QualityMeter;
}

const CHAT = 500;
const SETTLE_MS = 2_000;
/** Old ICE servers are better than none. */
const SERVERS_MS = 4_000;

export class TelemedicineCall {
	#state: CallState = 'joining';
	#endReason: EndReason | undefined;
	/** Place in the queue, while waiting to be let in. */
	#position: number | undefined;
	#entries = new Map<string, Entry>();
	#members: readonly CallMember[] = [];
	#waiting: readonly WaitingMember[] = [];
	#chat: readonly CallChatMessage[] = [];
	#clientId = '';
	#iceServers: RTCIceServer[] = [];
	/** Those whose path is to be mended as soon as fresh ICE servers are here. */
	#toMend = new Set<string>();
	#local: LocalMedia;
	#events: Emitter<CallEvents>;
	#unsubscribe: Unsubscribe[];
	#measuring: Timer;
	#settling: Timer;
	#asking: Timer;
	readonly #service: TelemedicineWebSocketService;
	readonly #options: CallOptions;

	constructor(service: TelemedicineWebSocketService, options: CallOptions) {
		this.#service = service;
		this.#options = options;
		const { environment } = service.manager;
		this.#events = new Emitter((error) => environment.report(error));
		this.#measuring = new Timer(environment);
		this.#settling = new Timer(environment);
		this.#asking = new Timer(environment);
		this.#local = new LocalMedia(options.stream ?? null, () => {
			this.#entries.forEach(({ peer }) => this.#local.feed(peer));
			this.#tellMedia();
		});
		this.#unsubscribe = this.#listen();
		service.manager.enableService('telemedicine');
		service.manager.connect(this);
		service.manager.calls.add(this);
		service.joinRoom(
			options.roomId,
			options.appointmentId,
			options.userId,
			options.userName,
			options.practiceId === undefined ? {} : { practiceId: options.practiceId },
		);
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
		return this.#members;
	}

	/** Who waits to be let in, for the team: `telemedicineService.admit()`, `deny()`. */
	get waiting(): readonly WaitingMember[] {
		return this.#waiting;
	}

	/** What was said, one's own included; a new array whenever something was. */
	get chat(): readonly CallChatMessage[] {
		return this.#chat;
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
		let said: CallChatMessage = { ...chat, clientId: this.#clientId, timestamp, state: 'pending' };
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

	/** Shows a screen in place of the camera; asks the user which one, unless a stream is given. */
	shareScreen(stream?: MediaStream): Promise<void> {
		return this.#local.share(stream);
	}

	stopScreen(): void {
		this.#local.stopSharing();
	}

	/** Looks for new paths to all members; done by itself when the network changes. */
	restartIce(): void {
		this.#mend([...this.#entries.keys()]);
	}

	// ---- messages ----

	#listen(): Unsubscribe[] {
		const service = this.#service;
		const { manager } = service;
		const here = <T extends string>(type: T, handler: MessageHandler<MessageOf<T>>) =>
			manager.registerHandler(type, (message) => {
				if (String((message as RoomMessage).roomId) === String(this.#options.roomId)) {
					handler(message);
				}
			});
		const entry = ({ clientId }: { clientId?: string }) => this.#entries.get(clientId ?? '');
		return [
			here('telemedicine_room_joined', (message) => this.#joined(message)),
			here('telemedicine_waiting', ({ position }) => {
				this.#position = position;
				this.#setState('waiting');
			}),
			here('telemedicine_denied', ({ code, reason }) => {
				this.#error(new PraxisError(code, reason));
				this.#end(code);
			}),
			here('telemedicine_waiting_list', ({ waiting }) => {
				this.#waiting = waiting;
				this.#events.emit('waiting', waiting);
			}),
			here('telemedicine_join_refused', ({ code, message }) => {
				this.#error(new PraxisError(code, message));
				this.#end(code);
			}),
			here('telemedicine_user_joined', (member) => this.#add(member)),
			here('telemedicine_user_left', ({ clientId, reason }) => {
				if (clientId === this.#clientId) {
					this.#end(reason);
				} else {
					this.#remove(clientId, reason);
				}
			}),
			here('telemedicine_offer', (message) => {
				void entry(message)?.peer.description(message.offer);
			}),
			here('telemedicine_answer', (message) => {
				void entry(message)?.peer.description(message.answer);
			}),
			here('telemedicine_ice_candidate', (message) => {
				void entry(message)?.peer.candidate(message.candidate);
			}),
			here('telemedicine_media_state', ({ clientId, audio, video, screen }) => {
				this.#change(clientId, { media: { audio, video, screen } });
			}),
			here('telemedicine_chat_message', (message) => this.#say(message)),
			manager.registerHandler('telemedicine_ice_servers', ({ iceServers }) => {
				this.#iceServers = iceServers;
				this.#mendNow();
			}),
			manager.on('session', ({ resumed }) => {
				if (resumed) {
					this.#mend(
						[...this.#entries].filter(([, { peer }]) => peer.isBroken).map(([id]) => id),
					);
				}
			}),
			manager.environment.onNetworkChange(() => this.#networkChanged()),
			() => service.manager.disconnect(this),
			() => manager.calls.delete(this),
		];
	}

	#joined(message: TelemedicineRoomJoined): void {
		if (this.#clientId === '') {
			this.#chat = message.chat;
		}
		// Under another clientId of ours all connections are made anew.
		const present =
			this.#clientId === message.clientId ? message.members.map(({ clientId }) => clientId) : [];
		this.#clientId = message.clientId;
		this.#iceServers = message.iceServers;
		this.#position = undefined;
		for (const id of this.#entries.keys()) {
			if (!present.includes(id)) {
				this.#remove(id, 'disconnected');
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
		if (this.#entries.has(clientId)) {
			this.#change(clientId, { userName, ...(media && { media }) });
			return;
		}
		const member: CallMember = {
			clientId,
			userId,
			userName,
			role,
			media,
			stream: null,
			connection: 'new',
		};
		const meter = new QualityMeter();
		const peer = this.#makePeer(clientId, theirTurn);
		this.#entries.set(clientId, { member, peer, meter });
		this.#local.feed(peer);
		this.#membersChanged();
		this.#events.emit('joined', member);
	}

	#makePeer(clientId: string, theirTurn: boolean): Peer {
		const { roomId, appointmentId, userId } = this.#options;
		const service = this.#service;
		return new Peer(
			this.#options.RTCPeerConnection ?? globalThis.RTCPeerConnection,
			this.#config(),
			this.#clientId < clientId,
			theirTurn,
			{
				description: (description) => {
					const how = description.type === 'offer' ? 'sendOffer' : 'sendAnswer';
					service[how](roomId, appointmentId, description, userId, clientId);
				},
				candidate: (candidate) => {
					const plain = candidate?.toJSON() ?? null;
					service.sendIceCandidate(roomId, appointmentId, plain, userId, clientId);
				},
				stream: (stream) => {
					if (this.#entries.get(clientId)?.member.stream !== stream) {
						const member = this.#change(clientId, { stream });
						if (member) {
							this.#events.emit('stream', stream, member);
						}
					}
				},
				state: (connection) => void this.#change(clientId, { connection }),
				turn: (itself) => this.#local.feed(itself),
				broken: () => this.#mend([clientId]),
				error: (error) => this.#error(error),
			},
			service.manager.environment,
		);
	}

	#remove(clientId: string, reason: LeaveReason): void {
		const entry = this.#entries.get(clientId);
		if (entry) {
			this.#entries.delete(clientId);
			this.#toMend.delete(clientId);
			entry.peer.close();
			this.#membersChanged();
			this.#events.emit('left', entry.member, reason);
		}
	}

	#change(clientId: string, change: Partial<CallMember>): CallMember | undefined {
		const entry = this.#entries.get(clientId);
		if (entry) {
			entry.member = { ...entry.member, ...change };
			this.#membersChanged();
		}
		return entry?.member;
	}

	#membersChanged(): void {
		this.#members = [...this.#entries.values()].map(({ member }) => member);
		this.#events.emit('members', this.#members);
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
		return { iceServers: this.#iceServers, ...this.#options.rtc };
	}

	// Changes come in bursts: the first is acted on, and those that its burst has left without a path.
	#networkChanged(): void {
		if (!this.#settling.isSet) {
			this.restartIce();
		}
		this.#settling.set(SETTLE_MS, () => {
			const lost = [...this.#entries].filter(([, { peer }]) =>
				['disconnected', 'failed'].includes(peer.pc.iceConnectionState),
			);
			this.#mend(lost.map(([id]) => id));
		});
	}

	// TURN credentials are short-lived, so fresh ones are asked for first, where there are any.
	#mend(ids: string[]): void {
		if (ids.length === 0 || this.#state !== 'joined') {
			return;
		}
		ids.forEach((id) => this.#toMend.add(id));
		if (this.#options.rtc?.iceServers || this.#iceServers.length === 0) {
			this.#mendNow();
		} else {
			this.#service.requestIceServers(this.#options.roomId);
			this.#asking.set(SERVERS_MS, () => this.#mendNow());
		}
	}

	#mendNow(): void {
		this.#asking.clear();
		const ids = [...this.#toMend];
		this.#toMend.clear();
		ids.forEach((id) => this.#entries.get(id)?.peer.restart(this.#config()));
	}

	#measureLater(): void {
		const { qualityMs = 2_000 } = this.#options;
		if (qualityMs > 0 && this.#state !== 'ended') {
			this.#measuring.set(qualityMs, () => void this.#measure());
		}
	}

	async #measure(): Promise<void> {
		for (const [clientId, { peer, meter }] of [...this.#entries]) {
			try {
				const quality = await meter.measure(peer.pc);
				const member = this.#change(clientId, { quality });
				if (member) {
					this.#events.emit('quality', quality, member);
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
		[this.#measuring, this.#settling, this.#asking].forEach((timer) => timer.clear());
		this.#unsubscribe.forEach((unsubscribe) => unsubscribe());
		this.#entries.forEach(({ peer }) => peer.close());
		this.#entries.clear();
		this.#membersChanged();
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

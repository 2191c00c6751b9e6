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
	CallSelf,
	CallState,
	EndReason,
} from './call-types.js';
import type { DeviceKind } from './devices.js';
import { Emitter } from './emitter.js';
import { Timer } from './environment.js';
import { IceServers } from './ice-servers.js';
import { LocalMedia } from './local-media.js';
import { onNetworkChange } from './network.js';
import { Peer } from './peer.js';
import { level, QualityMeter, Steady, STEPS } from './quality.js';
import type { QualityStep } from './quality.js';
import { keepCall } from './restore.js';
import { presented, Roster } from './roster.js';
import type { Entry } from './roster.js';
import { inFront, isSpeaking, smoothed } from './speakers.js';
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
	TelemedicineChatMessage,
	TelemedicineRoomJoined,
	Unsubscribe,
	WaitingMember,
} from './types.js';

const CHAT = 500;
const SETTLE_MS = 2_000;
/** Who writes says so again after the first, stops by itself after the second … */
const TYPING_MS = 3_000;
const IDLE_MS = 5_000;
/** … and is not believed for longer than this. */
const TYPED_MS = 8_000;
type Said = TelemedicineChatMessage & Pick<CallChatMessage, 'state'>;
const WATCH_MS = 250;
const QUALITY_MS = 2_000;

export class TelemedicineCall {
	#state: CallState = 'joining';
	#endReason: EndReason | undefined;
	/** Place in the queue, while waiting to be let in. */
	#position: number | undefined;
	#waiting: readonly WaitingMember[] = [];
	#chat: readonly CallChatMessage[] = [];
	#messages = 0;
	#self: CallSelf = { speaking: false };
	#loudness = 0;
	#front: Entry | undefined;
	#steady = new Steady();
	#isTyping = false;
	#typingAgain = 0;
	#measureAt: number;
	#clientId = '';
	#ice: IceServers;
	#local: LocalMedia;
	#events: Emitter<CallEvents>;
	#roster: Roster;
	#unsubscribe: Unsubscribe[];
	#watching: Timer;
	#settling: Timer;
	#typing: Timer;
	readonly #service: TelemedicineWebSocketService;
	readonly #options: CallOptions;

	constructor(service: TelemedicineWebSocketService, options: CallOptions) {
		this.#service = service;
		this.#options = options;
		const { environment } = service.manager;
		this.#events = new Emitter(service.manager);
		this.#roster = new Roster(this.#events);
		this.#watching = new Timer(environment);
		this.#settling = new Timer(environment);
		this.#typing = new Timer(environment);
		this.#ice = new IceServers(
			environment,
			options.rtc?.iceServers ? undefined : () => service.requestIceServers(options.roomId),
		);
		this.#local = new LocalMedia(
			options.stream ?? null,
			options.media ?? {},
			() => {
				this.#roster.all.forEach(({ peer }) => this.#local.feed(peer));
				this.#tellMedia();
			},
			(event) => this.#events.emit('device', event),
		);
		this.#unsubscribe = this.#listen();
		keepCall();
		service.manager.enableService('telemedicine');
		service.manager.connect(this);
		service.manager.calls.add(this);
		service.joinRoom(options.roomId, options.appointmentId, options.userId, options.userName, {
			practiceId: options.practiceId,
		});
		this.#measureAt = environment.now() + (options.qualityMs ?? QUALITY_MS);
		this.#watch();
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

	/** Who spoke last, or speaks; null: nobody yet, or it has left. */
	get activeSpeaker(): CallMember | null {
		return this.#front?.member ?? null;
	}

	/** What is known of oneself; a new object whenever it has changed. */
	get self(): CallSelf {
		return this.#self;
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
		this.setTyping(false);
		return this.#post(
			this.#say({
				type: 'telemedicine_chat_message',
				roomId,
				appointmentId,
				message,
				from: userName,
				fromUserId: userId,
				clientId: this.#clientId,
				timestamp: this.#service.manager.environment.wall(),
				state: 'pending',
			}),
		);
	}

	/** Sends a message again whose state is `failed`; rejects if there is none, or the call is over. */
	retryChat(localId: string): Promise<Receipt> {
		const failed = this.#chat.find((one) => one.localId === localId && one.state === 'failed');
		return failed && this.#state !== 'ended'
			? this.#post(this.#become(failed, 'pending'))
			: Promise.reject(new PraxisError('not_found'));
	}

	/** Tells the others that one writes; to be called with each key, and ends by itself. */
	setTyping(on: boolean): void {
		const now = this.#service.manager.environment.now();
		if (this.#state === 'joined' && (on ? now >= this.#typingAgain : this.#isTyping)) {
			this.#service.sendTyping(this.roomId, on);
			this.#isTyping = on;
			this.#typingAgain = on ? now + TYPING_MS : this.#typingAgain;
		}
		if (on) {
			this.#typing.set(IDLE_MS, () => this.setTyping(false));
		} else {
			this.#typing.clear();
		}
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
			here('chat_message', (message) => {
				this.#typed(message.clientId, false);
				this.#say(message);
			}),
			here('typing', ({ clientId, typing }) => this.#typed(clientId, typing)),
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
			this.#onNetworkChange(() => this.#networkChanged()),
			manager.environment.onHide(() =>
				keepCall({ ...this.#options, media: this.media }, manager.environment.wall()),
			),
			() => service.manager.disconnect(this),
			() => manager.calls.delete(this),
		];
	}

	#joined(message: TelemedicineRoomJoined): void {
		if (this.#clientId === '') {
			this.#chat = message.chat.map((said) => this.#known(said));
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

	// ---- the chat ----

	#known(said: Said): CallChatMessage {
		const own = String(said.userId ?? said.fromUserId) === String(this.#options.userId);
		return { ...said, own: own || said.state !== undefined, localId: `${++this.#messages}` };
	}

	#say(said: Said): CallChatMessage {
		const message = this.#known(said);
		this.#chat = [...this.#chat, message].slice(-CHAT);
		this.#events.emit('chat', message);
		return message;
	}

	#become(said: CallChatMessage, state: CallChatMessage['state']): CallChatMessage {
		const next = { ...said, state };
		this.#chat = this.#chat.map((message) => (message === said ? next : message));
		this.#events.emit('chatState', next);
		return next;
	}

	#post(said: CallChatMessage): Promise<Receipt> {
		// What is of this page alone does not travel.
		// What is of this page alone does not travel.
		const local = { own: undefined, localId: undefined, state: undefined };
		const receipt = this.#service.manager.send({ ...said, ...local });
		receipt.then(
			() => this.#become(said, 'sent'),
			// A lost session's receipt: the server had taken the message.
			(error: unknown) => {
				const isLost = (error as PraxisError).code === 'session_lost';
				this.#become(said, isLost ? 'sent' : 'failed');
			},
		);
		return receipt;
	}

	/** Shown with the next look at who speaks. */
	#typed(clientId: string, typing: boolean): void {
		const entry = this.#roster.get(clientId);
		if (entry) {
			const { environment } = this.#service.manager;
			entry.typingUntil = typing ? environment.now() + TYPED_MS : 0;
		}
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
					const isOther = entry.member.stream !== stream;
					if (roster.change(entry, { stream }) && isOther) {
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
			member: presented({
				clientId,
				userId,
				userName,
				role,
				media,
				stream: null,
				connection: 'new',
				speaking: false,
				typing: false,
			}),
			peer,
			meter: new QualityMeter(),
			loudness: 0,
			typingUntil: 0,
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

	#onNetworkChange(handler: () => void): Unsubscribe {
		const { environment } = this.#service.manager;
		return environment.onNetworkChange?.(handler) ?? onNetworkChange(handler);
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

	// ---- who speaks, and how well it arrives ----

	#watch(): void {
		const { qualityMs = QUALITY_MS } = this.#options;
		const now = this.#service.manager.environment.now();
		this.#watching.set(WATCH_MS, () => this.#watch());
		const measures = qualityMs > 0 && now >= this.#measureAt;
		if (measures) {
			this.#measureAt = now + qualityMs;
		}
		void this.#look(measures);
	}

	async #look(measures: boolean): Promise<void> {
		let own = 0;
		const sent: QualityStep[] = [];
		for (const entry of this.#roster.shown) {
			try {
				const look = await entry.meter.look(entry.peer.pc, measures);
				own = Math.max(own, look.own);
				this.#heard(entry, look.theirs);
				const { quality } = look;
				if (quality && quality.level !== 'lost') {
					sent.push(level(quality.sentLoss ?? 0, quality.rttMs ?? 0));
				}
				if (quality && this.#roster.change(entry, { quality })) {
					this.#events.emit('quality', quality, entry.member);
				}
			} catch {
				// The connection has been closed meanwhile.
			}
		}
		const front = inFront(this.#roster.shown, this.#front);
		if (front !== this.#front) {
			this.#front = front;
			this.#events.emit('activeSpeaker', this.activeSpeaker);
		}
		this.#loudness = smoothed(this.#loudness, own);
		const last = this.#self;
		const speaking = isSpeaking(this.#loudness, last.speaking);
		// What one of them lacks is its own trouble; what all of them lack is ours.
		const best = STEPS.find((step) => sent.includes(step));
		const quality = measures ? best && this.#steady.take(best) : last.quality;
		if (speaking !== last.speaking || quality !== last.quality) {
			this.#self = { speaking, quality };
			this.#events.emit('self', this.#self);
		}
	}

	#heard(entry: Entry, theirs: number): void {
		const { member } = entry;
		entry.loudness = smoothed(entry.loudness, member.muted ? 0 : theirs);
		const speaking = isSpeaking(entry.loudness, member.speaking);
		const typing = entry.typingUntil > this.#service.manager.environment.now();
		if (speaking !== member.speaking || typing !== member.typing) {
			this.#roster.change(entry, { speaking, typing });
		}
	}

	// ---- the end ----

	#end(reason: EndReason): void {
		if (this.#state === 'ended') {
			return;
		}
		this.#local.close();
		this.#endReason = reason;
		[this.#watching, this.#settling, this.#typing].forEach((timer) => timer.clear());
		keepCall();
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

// SPDX-License-Identifier: MIT
//
// Before a call: camera and microphone, the way to the server and the relay, and a verdict in words.
// It keeps camera and microphone until they are taken over into the call, or it is cancelled.
//
// An entry of its own: a page that has no such check does not load it.

import { LevelMeter } from './check-level.js';
import { openBoth } from './check-media.js';
import type { Wanted } from './check-media.js';
import { probeRelay } from './check-relay.js';
import type { RelayAnswer } from './check-relay.js';
import { Emitter } from './emitter.js';
import { Timer } from './environment.js';
import { describeStatus, deviceEvent, listDevices, webSocketManager } from './index.js';
import type {
	DeviceEvent,
	DeviceKind,
	Devices,
	RoomId,
	Unsubscribe,
	WebSocketManager,
} from './index.js';

export interface CheckOptions {
	/** The page's shared connection, unless said otherwise. */
	manager?: WebSocketManager;
	/** A `deviceId`, true for any (so it is), false for none. */
	camera?: Wanted;
	microphone?: Wanted;
	/** For which the relay's credentials are asked for. */
	roomId?: RoomId;
	/** In place of the server's. */
	iceServers?: RTCIceServer[];
	/** For each of the answers of server and relay (10,000). */
	timeoutMs?: number;
	/** Cancels it. */
	signal?: AbortSignal;
}

export type CheckStepName = 'microphone' | 'camera' | 'server' | 'relay';

export interface CheckStep {
	readonly name: CheckStepName;
	/** `warning`: the call works, but not as well as it could. */
	readonly state: 'running' | 'ok' | 'warning' | 'failed';
	/** Machine-readable: a `DeviceProblem`, a `StatusReason`, a `RelayAnswer`, or `slow`. */
	readonly code?: string;
	/** For the user. */
	readonly sentence: string;
	/** Of the server: the round trip. */
	readonly ms?: number;
}

/** `limited`: one can join, but something is missing. `impossible`: no call from here. */
export type CheckVerdict = 'ready' | 'limited' | 'impossible' | 'cancelled';

export interface CheckResult {
	readonly verdict: CheckVerdict;
	readonly sentence: string;
	readonly steps: readonly CheckStep[];
}

export interface CheckEvents {
	/** `check.steps` is a new array. */
	step: [step: CheckStep];
	/** From 0, silence, to 1; ten times a second. */
	level: [level: number];
	/** What can be chosen; again whenever something is plugged in or out. */
	devices: [devices: Devices];
	/** Another picture or sound: show it. */
	stream: [stream: MediaStream];
	/** Trouble with one of them. */
	device: [event: DeviceEvent];
	done: [result: CheckResult];
}

const SLOW_MS = 500;

const RELAY: Record<RelayAnswer, Pick<CheckStep, 'state' | 'sentence'>> = {
	reached: { state: 'ok', sentence: 'The relay answers.' },
	no_relay: {
		state: 'warning',
		sentence: 'There is no relay. Some networks need one for calls.',
	},
	unreachable: {
		state: 'warning',
		sentence: 'The relay does not answer. In some networks the call will have no picture.',
	},
	unauthorized: {
		state: 'warning',
		sentence:
			'The relay does not let this page in. In some networks the call will have no picture.',
	},
};

export class CallCheck {
	/** Of its verdict; never rejects. Camera and microphone go on until `take()` or `cancel()`. */
	readonly result: Promise<CheckResult>;
	#steps = new Map<CheckStepName, CheckStep>();
	#stream: MediaStream | null = null;
	#devices: Devices = { cameras: [], microphones: [], speakers: [] };
	#level = 0;
	#closed = false;
	/** Of each kind the latest choice, by which one that is answered too late is told. */
	#choice: Partial<Record<DeviceKind, object>> = {};
	#ends: (() => void)[] = [];
	#finish!: (result: CheckResult) => void;
	readonly #meter: LevelMeter;
	readonly #events: Emitter<CheckEvents>;
	readonly #manager: WebSocketManager;
	readonly #options: CheckOptions;

	constructor(options: CheckOptions = {}) {
		this.#options = options;
		this.#manager = options.manager ?? webSocketManager;
		const { environment } = this.#manager;
		this.#events = new Emitter(this.#manager);
		this.#meter = new LevelMeter(environment, (level) => {
			this.#level = level;
			this.#events.emit('level', level);
		});
		this.result = new Promise((resolve) => (this.#finish = resolve));
		const cancel = () => this.cancel();
		options.signal?.addEventListener('abort', cancel);
		this.#ends.push(() => options.signal?.removeEventListener('abort', cancel));
		// Whoever made it can listen before anything happens.
		queueMicrotask(() => (options.signal?.aborted ? cancel() : void this.#run()));
	}

	get steps(): readonly CheckStep[] {
		return [...this.#steps.values()];
	}

	/** Camera and microphone, for a preview; of what could be had. */
	get stream(): MediaStream | null {
		return this.#stream;
	}

	get devices(): Devices {
		return this.#devices;
	}

	get level(): number {
		return this.#level;
	}

	on<E extends keyof CheckEvents>(
		event: E,
		handler: (...args: CheckEvents[E]) => void,
	): Unsubscribe {
		return this.#events.on(event, handler);
	}

	/** Another one of that kind, in the same stream. False: it could not be had. */
	async setDevice(kind: DeviceKind, deviceId?: string): Promise<boolean> {
		if (this.#closed) {
			return false;
		}
		const choice = (this.#choice[kind] = {});
		this.#step({ name: kind, state: 'running', sentence: `The ${kind} is being started.` });
		const of = (each: DeviceKind) => each === kind && (deviceId ?? true);
		const { tracks, problems } = await openBoth(of('camera'), of('microphone'));
		if (this.#isLate(kind, choice)) {
			tracks.forEach((track) => track.stop());
			return false;
		}
		if (tracks.length > 0) {
			this.#use(tracks);
		}
		problems.forEach((problem) => this.#trouble(problem));
		return problems.length === 0;
	}

	/**
	 * Ends the check and hands its stream over to the call: its tracks are whoever's takes them, from
	 * now on. Null: there is none.
	 */
	take(): MediaStream | null {
		const stream = this.#stream;
		this.#stream = null;
		this.cancel();
		return stream;
	}

	/** Ends the check and frees camera and microphone. */
	cancel(): void {
		if (!this.#closed) {
			this.#closed = true;
			this.#meter.close();
			this.#ends.forEach((end) => end());
			this.#stream?.getTracks().forEach((track) => track.stop());
			this.#stream = null;
			this.#finish({
				verdict: 'cancelled',
				sentence: 'The check was cancelled.',
				steps: this.steps,
			});
		}
	}

	async #run(): Promise<void> {
		await Promise.all([this.#media(), this.#network()]);
		if (!this.#closed) {
			const result = this.#judge();
			this.#finish(result);
			this.#events.emit('done', result);
		}
	}

	#judge(): CheckResult {
		const { steps } = this;
		const broken = steps.find(({ name, state }) => name === 'server' && state === 'failed');
		const worse = broken ?? steps.find(({ state }) => state !== 'ok');
		const verdict = broken ? 'impossible' : worse ? 'limited' : 'ready';
		const begin = {
			impossible: 'A call is not possible.',
			limited: 'You can join.',
			ready: '',
		};
		const sentence = worse
			? `${begin[verdict]} ${worse.sentence}`
			: 'Everything is ready for the call.';
		return { verdict, sentence, steps };
	}

	#step(step: CheckStep): void {
		if (!this.#closed) {
			this.#steps.set(step.name, step);
			this.#events.emit('step', step);
		}
	}

	// ---- camera and microphone ----

	async #media(): Promise<void> {
		const { camera = true, microphone = true } = this.#options;
		const wanted = { microphone, camera };
		const choice = {};
		for (const kind of ['microphone', 'camera'] as const) {
			if (wanted[kind] !== false) {
				this.#choice[kind] = choice;
				this.#step({
					name: kind,
					state: 'running',
					sentence: `The ${kind} is being started.`,
				});
			}
		}
		const { tracks, problems } = await openBoth(camera, microphone);
		// One that was chosen meanwhile, or a check that is over, needs them no more.
		const isLate = (kind: DeviceKind) => this.#isLate(kind, choice);
		tracks.filter((track) => isLate(kindOf(track))).forEach((track) => track.stop());
		this.#use(tracks.filter((track) => !isLate(kindOf(track))));
		problems.filter(({ kind }) => !isLate(kind)).forEach((event) => this.#trouble(event));
		await this.#list();
	}

	#isLate(kind: DeviceKind, choice: object): boolean {
		return this.#closed || this.#choice[kind] !== choice;
	}

	async #list(): Promise<void> {
		const list = () =>
			listDevices().then(
				(devices) => {
					if (!this.#closed) {
						this.#devices = devices;
						this.#events.emit('devices', devices);
					}
				},
				() => {}, // a browser that does not say
			);
		const changed = () => void list();
		const media = (navigator as { mediaDevices?: MediaDevices }).mediaDevices;
		if (!this.#closed) {
			media?.addEventListener('devicechange', changed);
			this.#ends.push(() => media?.removeEventListener('devicechange', changed));
			await list();
		}
	}

	#use(tracks: MediaStreamTrack[]): void {
		if (tracks.length === 0) {
			return;
		}
		const stream = (this.#stream ??= new MediaStream());
		for (const track of tracks) {
			const former = stream.getTracks().filter(({ kind }) => kind === track.kind);
			former.forEach((each) => {
				stream.removeTrack(each);
				each.stop();
			});
			stream.addTrack(track);
			const kind = kindOf(track);
			track.addEventListener('ended', () => {
				if (this.#stream?.getTracks().includes(track)) {
					this.#trouble(deviceEvent(kind, 'unplugged'));
				}
			});
			this.#step({ name: kind, state: 'ok', sentence: `The ${kind} works.` });
		}
		this.#meter.listen(stream.getAudioTracks()[0]);
		this.#events.emit('stream', stream);
	}

	#trouble(event: DeviceEvent): void {
		const { kind, problem, sentence } = event;
		this.#step({ name: kind, state: 'failed', code: problem, sentence });
		this.#events.emit('device', event);
	}

	// ---- server and relay ----

	async #network(): Promise<void> {
		this.#step({ name: 'server', state: 'running', sentence: 'The server is being asked.' });
		this.#step({ name: 'relay', state: 'running', sentence: 'The relay is being looked for.' });
		const { iceServers } = this.#options;
		const ms = (await this.#connected()) ? await this.#roundTrip() : null;
		if (ms === null) {
			const { status } = this.#manager;
			const sentence = status.reason ? describeStatus(status) : 'The server does not answer.';
			const code = status.reason ?? 'timeout';
			this.#step({ name: 'server', state: 'failed', code, sentence });
		} else if (ms > SLOW_MS) {
			const sentence = 'The network is slow. Picture and sound may stop at times.';
			this.#step({ name: 'server', state: 'warning', code: 'slow', sentence, ms });
		} else {
			this.#step({ name: 'server', state: 'ok', sentence: 'The server answers.', ms });
		}
		const servers = iceServers ?? (ms === null ? [] : await this.#iceServers());
		const { environment } = this.#manager;
		const answer = this.#closed
			? 'unreachable'
			: await probeRelay(servers, environment, this.#timeoutMs, (run) =>
					this.#ends.push(run),
				);
		this.#step({ name: 'relay', code: answer, ...RELAY[answer] });
	}

	get #timeoutMs(): number {
		return this.#options.timeoutMs ?? 10_000;
	}

	/** What `listen` gives, or null when time is up, or the check is cancelled. */
	#awaited<T>(listen: (done: (value: T | null) => void) => Unsubscribe): Promise<T | null> {
		if (this.#closed) {
			return Promise.resolve(null);
		}
		return new Promise((resolve) => {
			const timer = new Timer(this.#manager.environment);
			const ends: Unsubscribe[] = [];
			const done = (value: T | null) => {
				timer.clear();
				ends.forEach((end) => end());
				resolve(value);
			};
			this.#ends.push(() => done(null));
			timer.set(this.#timeoutMs, () => done(null));
			ends.push(listen(done));
		});
	}

	async #connected(): Promise<boolean> {
		const manager = this.#manager;
		manager.connect(this);
		this.#ends.push(() => manager.release(this));
		if (manager.isConnected()) {
			return true;
		}
		const done = await this.#awaited<boolean>((tell) =>
			manager.on('status', (state, _, status) => {
				if (manager.isConnected()) {
					tell(true);
				} else if (
					['error', 'disconnected'].includes(state) &&
					status.retryAt === undefined
				) {
					tell(false); // nothing more is tried
				}
			}),
		);
		return done === true;
	}

	#roundTrip(): Promise<number | null> {
		const manager = this.#manager;
		const { environment } = manager;
		const t = `check-${environment.random()}`;
		const begunAt = environment.now();
		return this.#awaited<number>((tell) => {
			const end = manager.registerHandler('pong', (message) => {
				if (message['t'] === t) {
					tell(Math.round(environment.now() - begunAt));
				}
			});
			manager.sendMessage({ type: 'ping', t }, { lifetime: 'session' });
			return end;
		});
	}

	async #iceServers(): Promise<RTCIceServer[]> {
		const manager = this.#manager;
		const { roomId } = this.#options;
		const servers = await this.#awaited<RTCIceServer[]>((tell) => {
			const end = manager.registerHandler('telemedicine_ice_servers', (message) => {
				tell(message.iceServers);
			});
			manager
				.send({ type: 'telemedicine_ice_servers', roomId }, { lifetime: 'session' })
				.catch(() => tell([])); // this server has no calls
			return end;
		});
		return servers ?? [];
	}
}

const kindOf = ({ kind }: MediaStreamTrack): DeviceKind =>
	kind === 'video' ? 'camera' : 'microphone';

/** Begins at once; the events tell how it goes, and `result` how it ended. */
export function checkCall(options?: CheckOptions): CallCheck {
	return new CallCheck(options);
}

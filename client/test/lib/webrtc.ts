// SPDX-License-Identifier: MIT
//
// As much of WebRTC as a call needs to be tested without a browser: signalling states with implicit
// rollback, tracks that appear on the other side, negotiation that is needed. A description's "sdp"
// is JSON of what it describes.

export class FakeTrack extends EventTarget {
	enabled = true;
	stopped = false;
	readyState: 'live' | 'ended' = 'live';

	constructor(readonly kind: 'audio' | 'video') {
		super();
	}

	stop(): void {
		this.stopped = true;
		this.readyState = 'ended';
	}

	/** Its device is gone. */
	unplug(): void {
		this.readyState = 'ended';
		this.dispatchEvent(new Event('ended'));
	}
}

let streams = 0;

export class FakeStream {
	readonly id = `stream-${++streams}`;

	constructor(readonly tracks: FakeTrack[] = []) {}

	static of(...kinds: ('audio' | 'video')[]): FakeStream & MediaStream {
		const stream = new FakeStream(kinds.map((kind) => new FakeTrack(kind)));
		return stream as unknown as FakeStream & MediaStream;
	}

	getTracks = () => [...this.tracks];
	addTrack = (track: FakeTrack) => void this.tracks.push(track);
	removeTrack = (track: FakeTrack) => void this.tracks.splice(this.tracks.indexOf(track), 1);
	getAudioTracks = () => this.tracks.filter(({ kind }) => kind === 'audio');
	getVideoTracks = () => this.tracks.filter(({ kind }) => kind === 'video');
}

interface Described {
	ice: number;
	tracks: { kind: string; stream: string }[];
}

class FakeSender {
	constructor(
		public track: FakeTrack | null,
		readonly stream: FakeStream,
		readonly kind: string,
	) {}

	replaced: (FakeTrack | null)[] = [];

	replaceTrack(track: FakeTrack | null): Promise<void> {
		this.track = track;
		this.replaced.push(track);
		return Promise.resolve();
	}
}

export class FakePeerConnection {
	onnegotiationneeded: (() => void) | null = null;
	onicecandidate: ((event: { candidate: unknown }) => void) | null = null;
	ontrack: ((event: { streams: FakeStream[]; track: FakeTrack }) => void) | null = null;
	onconnectionstatechange: (() => void) | null = null;
	oniceconnectionstatechange: (() => void) | null = null;

	signalingState = 'stable';
	connectionState = 'new';
	iceConnectionState = 'new';
	localDescription: { type: string; sdp: string } | null = null;
	senders: FakeSender[] = [];
	candidates: unknown[] = [];
	rollbacks = 0;
	restarts = 0;
	stats: Record<string, unknown>[] = [];
	#remote = new Map<string, FakeStream>();
	#needed = false;
	#seenTracks = new Set<string>();

	constructor(public config: RTCConfiguration) {}

	addTrack(track: FakeTrack, stream: FakeStream): FakeSender {
		const sender = new FakeSender(track, stream, track.kind);
		this.senders.push(sender);
		this.#need();
		return sender;
	}

	setConfiguration(config: RTCConfiguration): void {
		this.config = config;
	}

	restartIce(): void {
		this.restarts++;
		this.#need();
	}

	async setLocalDescription(): Promise<void> {
		await Promise.resolve();
		const type = this.signalingState === 'have-remote-offer' ? 'answer' : 'offer';
		if (type === 'offer') {
			this.#needed = false;
		}
		const described: Described = {
			ice: this.restarts,
			tracks: this.senders.map(({ kind, stream }) => ({ kind, stream: stream.id })),
		};
		this.localDescription = { type, sdp: JSON.stringify(described) };
		this.signalingState = type === 'offer' ? 'have-local-offer' : 'stable';
		this.#settled();
	}

	remoteDescription: { type: string; sdp: string } | null = null;

	async setRemoteDescription(description: { type: string; sdp: string }): Promise<void> {
		const { type, sdp } = description;
		if (type === 'answer' && this.signalingState !== 'have-local-offer') {
			throw new Error(`InvalidStateError: an answer in ${this.signalingState}`);
		}
		if (type === 'offer' && this.signalingState === 'have-local-offer') {
			this.rollbacks++;
			this.#needed = true;
		}
		this.signalingState = type === 'offer' ? 'have-remote-offer' : 'stable';
		this.remoteDescription = description;
		await Promise.resolve();
		const { tracks } = JSON.parse(sdp) as Described;
		for (const { kind, stream: id } of tracks) {
			if (!this.#seenTracks.has(`${kind} ${id}`)) {
				this.#seenTracks.add(`${kind} ${id}`);
				const stream = this.#remote.get(id) ?? new FakeStream();
				this.#remote.set(id, stream);
				const track = new FakeTrack(kind as 'audio');
				stream.tracks.push(track);
				this.ontrack?.({ streams: [stream], track });
			}
		}
		this.#settled();
	}

	addIceCandidate(candidate?: unknown): Promise<void> {
		this.candidates.push(candidate);
		return Promise.resolve();
	}

	getStats(): Promise<Record<string, unknown>[]> {
		return Promise.resolve(this.stats);
	}

	close(): void {
		this.signalingState = 'closed';
		this.connectionState = 'closed';
	}

	/** The network's word. */
	become(ice: string, connection = ice): void {
		this.iceConnectionState = ice;
		this.oniceconnectionstatechange?.();
		this.connectionState = connection;
		this.onconnectionstatechange?.();
	}

	#need(): void {
		this.#needed = true;
		queueMicrotask(() => this.#settled());
	}

	#settled(): void {
		if (this.#needed && this.signalingState === 'stable') {
			this.#needed = false;
			queueMicrotask(() => this.onnegotiationneeded?.());
		}
	}
}

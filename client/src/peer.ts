// SPDX-License-Identifier: MIT
//
// The connection to one other member of a call, by "perfect negotiation" (W3C WebRTC, 10.7): both
// sides may offer at any time; if both do at once, the polite one takes its own offer back.

import { Timer } from './environment.js';
import type { Environment } from './environment.js';

export type PeerConnectionConstructor = new (config?: RTCConfiguration) => RTCPeerConnection;

export interface PeerHooks {
	description(description: RTCSessionDescription): void;
	candidate(candidate: RTCIceCandidate | null): void;
	stream(stream: MediaStream): void;
	state(state: RTCPeerConnectionState): void;
	/** The path is broken; answer with restart(). */
	broken(): void;
	error(error: unknown): void;
}

/** A path that is interrupted often heals by itself; one that failed does not. */
const HEAL_MS = 3_000;
const AGAIN_MS = 8_000;

export class Peer {
	readonly pc: RTCPeerConnection;
	#makingOffer = false;
	#ignoreOffer = false;
	#settingAnswer = false;
	#senders = new Map<string, RTCRtpSender>();
	#broken: Timer;
	readonly #polite: boolean;
	readonly #hooks: PeerHooks;

	constructor(
		Constructor: PeerConnectionConstructor,
		config: RTCConfiguration,
		polite: boolean,
		hooks: PeerHooks,
		environment: Environment,
	) {
		this.#polite = polite;
		this.#hooks = hooks;
		this.#broken = new Timer(environment);
		const pc = new Constructor(config);
		this.pc = pc;
		pc.onnegotiationneeded = () => void this.#offer();
		pc.onicecandidate = ({ candidate }) => hooks.candidate(candidate);
		pc.ontrack = ({ streams, track }) => hooks.stream(streams[0] ?? new MediaStream([track]));
		pc.onconnectionstatechange = () => hooks.state(pc.connectionState);
		pc.oniceconnectionstatechange = () => this.#watch();
	}

	/** What is sent of that kind from now on; null: nothing. */
	setTrack(
		kind: 'audio' | 'video',
		track: MediaStreamTrack | null,
		stream: MediaStream | null,
	): void {
		const sender = this.#senders.get(kind);
		if (sender) {
			if (sender.track !== track) {
				sender.replaceTrack(track).catch((error: unknown) => this.#hooks.error(error));
			}
		} else if (track && stream) {
			this.#senders.set(kind, this.pc.addTrack(track, stream));
		}
	}

	async description(description: RTCSessionDescriptionInit): Promise<void> {
		const { pc } = this;
		const ready = !this.#makingOffer && (pc.signalingState === 'stable' || this.#settingAnswer);
		this.#ignoreOffer = description.type === 'offer' && !ready && !this.#polite;
		if (this.#ignoreOffer) {
			return;
		}
		try {
			this.#settingAnswer = description.type === 'answer';
			await pc.setRemoteDescription(description);
			this.#settingAnswer = false;
			if (description.type === 'offer') {
				await pc.setLocalDescription();
				this.#describe();
			}
		} catch (error) {
			this.#settingAnswer = false;
			this.#fail(error);
		}
	}

	async candidate(candidate: RTCIceCandidateInit | null): Promise<void> {
		try {
			// Chromium takes no null.
			await this.pc.addIceCandidate(candidate ?? undefined);
		} catch (error) {
			if (!this.#ignoreOffer) {
				this.#fail(error);
			}
		}
	}

	/** Looks for a new path, with these servers. */
	restart(config: RTCConfiguration): void {
		try {
			this.pc.setConfiguration(config);
		} catch (error) {
			this.#hooks.error(error);
		}
		this.pc.restartIce();
	}

	get isConnected(): boolean {
		return ['connected', 'completed'].includes(this.pc.iceConnectionState);
	}

	close(): void {
		this.#broken.clear();
		this.pc.close();
	}

	async #offer(): Promise<void> {
		try {
			this.#makingOffer = true;
			await this.pc.setLocalDescription();
			this.#describe();
		} catch (error) {
			this.#fail(error);
		} finally {
			this.#makingOffer = false;
		}
	}

	#describe(): void {
		if (this.pc.localDescription && this.pc.signalingState !== 'closed') {
			this.#hooks.description(this.pc.localDescription);
		}
	}

	#watch(): void {
		const state = this.pc.iceConnectionState;
		if (state === 'failed') {
			this.#mend();
		} else if (state === 'disconnected') {
			this.#broken.set(HEAL_MS, () => this.#mend());
		} else if (this.isConnected) {
			this.#broken.clear();
		}
	}

	#mend(): void {
		this.#broken.set(AGAIN_MS, () => this.#mend());
		this.#hooks.broken();
	}

	#fail(error: unknown): void {
		if (this.pc.signalingState !== 'closed') {
			this.#hooks.error(error);
		}
	}
}

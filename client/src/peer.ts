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
	/** Another stream, or what its tracks carry has changed. */
	stream(stream: MediaStream): void;
	state(state: RTCPeerConnectionState): void;
	/** It is our turn now: what is sent goes into the answer, or into an offer of ours. */
	turn(peer: Peer): void;
	/** The path is broken; answer with restart(). */
	broken(): void;
	error(error: unknown): void;
}

/** A path that is interrupted often recovers by itself; one that failed does not. */
const RECOVERY_MS = 3_000;
const AGAIN_MS = 8_000;

/** One that has nothing to send makes no offer. */
const TURN_MS = 2_000;

/** Firefox before 113 has the state of ICE alone. */
export function connectionOf(pc: RTCPeerConnection): RTCPeerConnectionState {
	const ice = pc.iceConnectionState;
	const same = ice === 'checking' ? 'connecting' : ice === 'completed' ? 'connected' : ice;
	return (pc as Partial<RTCPeerConnection>).connectionState ?? same;
}

export class Peer {
	readonly pc: RTCPeerConnection;
	#makingOffer = false;
	#ignoreOffer = false;
	#settingAnswer = false;
	/** Nothing is offered to it before it has offered, or had time to; or ever, once retired. */
	#theirTurn: boolean;
	#senders = new Map<string, RTCRtpSender>();
	#broken: Timer;
	readonly #polite: boolean;
	readonly #hooks: PeerHooks;

	constructor(
		Constructor: PeerConnectionConstructor,
		config: RTCConfiguration,
		polite: boolean,
		theirTurn: boolean,
		hooks: PeerHooks,
		environment: Environment,
	) {
		this.#polite = polite;
		this.#theirTurn = theirTurn;
		this.#hooks = hooks;
		this.#broken = new Timer(environment);
		const pc = new Constructor(config);
		this.pc = pc;
		pc.onnegotiationneeded = () => void this.#offer();
		pc.onicecandidate = ({ candidate }) => hooks.candidate(candidate);
		pc.ontrack = ({ streams, track }) => {
			const stream = streams[0] ?? new MediaStream([track]);
			track.onmute = track.onunmute = () => hooks.stream(stream);
			hooks.stream(stream);
		};
		pc.onconnectionstatechange = () => hooks.state(connectionOf(pc));
		pc.oniceconnectionstatechange = () => {
			hooks.state(connectionOf(pc));
			this.#watch();
		};
		this.#broken.set(TURN_MS, () => this.#takeTurn());
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
		} else if (track && stream && !this.#theirTurn) {
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
			if (description.type === 'offer') {
				this.#takeTurn();
				await this.#describe();
			}
		} catch (error) {
			this.#fail(error);
		} finally {
			this.#settingAnswer = false;
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

	/** For the next path that it looks for, at the other side's wish, too. */
	configure(config: RTCConfiguration): void {
		try {
			this.pc.setConfiguration(config);
		} catch (error) {
			this.#hooks.error(error);
		}
	}

	/** Looks for a new path. */
	restart(): void {
		this.pc.restartIce();
	}

	/**
	 * Nobody answers any more: what is sent may change, and nothing is negotiated. It is told to be
	 * broken after that time at the latest.
	 */
	retire(ms: number): void {
		this.#theirTurn = true;
		this.pc.onnegotiationneeded = this.pc.onicecandidate = null;
		this.#mendIn(ms);
	}

	/** There was a path or an attempt at one, and there is none. */
	get isBroken(): boolean {
		return !this.#connected && this.pc.remoteDescription !== null;
	}

	get #connected(): boolean {
		return ['connected', 'completed'].includes(this.pc.iceConnectionState);
	}

	close(): void {
		this.#broken.clear();
		this.pc.close();
	}

	async #offer(): Promise<void> {
		try {
			this.#makingOffer = true;
			await this.#describe();
		} catch (error) {
			this.#fail(error);
		} finally {
			this.#makingOffer = false;
		}
	}

	/** Sets what fits, an offer or the answer to one, and tells the other side. */
	async #describe(): Promise<void> {
		await this.pc.setLocalDescription();
		if (this.pc.localDescription) {
			this.#hooks.description(this.pc.localDescription);
		}
	}

	#takeTurn(): void {
		this.#theirTurn = false;
		this.#hooks.turn(this);
		this.#mendIn(AGAIN_MS);
	}

	#mendIn(ms: number): void {
		this.#broken.set(ms, () => this.#mend());
	}

	#watch(): void {
		const state = this.pc.iceConnectionState;
		if (state === 'failed') {
			this.#mend();
		} else if (state === 'disconnected') {
			this.#mendIn(RECOVERY_MS);
		} else if (this.#connected && !this.#theirTurn) {
			this.#broken.clear();
		}
	}

	#mend(): void {
		if (this.isBroken || this.#theirTurn) {
			this.#mendIn(AGAIN_MS);
			this.#hooks.broken();
		}
	}

	#fail(error: unknown): void {
		if (this.pc.signalingState !== 'closed') {
			this.#hooks.error(error);
		}
	}
}

// SPDX-License-Identifier: MIT
//
// What one sends in a call: microphone and camera, or a screen in place of the camera.

import type { Peer } from './peer.js';
import type { MediaState } from './types.js';

export class LocalMedia {
	#stream: MediaStream | null;
	#screen: MediaStream | null = null;
	/** The screen was asked for here, so it is stopped here. */
	#ownScreen = false;
	/** The stream whose id all tracks have for the others, whichever they are of here. */
	#carrier: MediaStream | null = null;
	#closed = false;
	readonly #changed: () => void;

	/** `changed`: what is sent, or its state, is another now. */
	constructor(stream: MediaStream | null, changed: () => void) {
		this.#stream = stream;
		this.#changed = changed;
	}

	get state(): MediaState {
		const on = (track?: MediaStreamTrack) => track?.enabled === true;
		return {
			audio: on(this.#stream?.getAudioTracks()[0]),
			video: on(this.#stream?.getVideoTracks()[0]),
			screen: this.#screen !== null,
		};
	}

	setStream(stream: MediaStream | null): void {
		this.#stream = stream;
		this.#changed();
	}

	enable(kind: 'audio' | 'video', on: boolean): void {
		const tracks = this.#stream?.getTracks() ?? [];
		tracks.filter((track) => track.kind === kind).forEach((track) => (track.enabled = on));
		this.#changed();
	}

	async share(given?: MediaStream): Promise<void> {
		const screen = given ?? (await navigator.mediaDevices.getDisplayMedia({ video: true }));
		const track = screen.getVideoTracks()[0];
		if (!track || this.#closed) {
			stopAll(given ? null : screen);
			return;
		}
		this.stopSharing();
		this.#screen = screen;
		this.#ownScreen = !given;
		// The user may end it outside of the page.
		track.addEventListener('ended', () => {
			if (this.#screen === screen) {
				this.stopSharing();
			}
		});
		this.#changed();
	}

	stopSharing(): void {
		const screen = this.#screen;
		if (screen) {
			this.#screen = null;
			stopAll(this.#ownScreen ? screen : null);
			this.#changed();
		}
	}

	close(): void {
		this.#closed = true;
		this.stopSharing();
	}

	/** Has the peer send what is to be sent now. */
	feed(peer: Peer): void {
		const audio = this.#stream?.getAudioTracks()[0] ?? null;
		const screen = this.#screen?.getVideoTracks()[0];
		const video = screen ?? this.#stream?.getVideoTracks()[0] ?? null;
		this.#carrier ??= this.#stream ?? this.#screen;
		peer.setTrack('audio', audio, this.#carrier);
		peer.setTrack('video', video, this.#carrier);
	}
}

function stopAll(stream: MediaStream | null): void {
	stream?.getTracks().forEach((track) => track.stop());
}

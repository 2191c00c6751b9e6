// SPDX-License-Identifier: MIT
//
// What one sends in a call: microphone and camera, or a screen in place of the camera.

import { describeDeviceError, deviceEvent, kindOf, openDevice } from './devices.js';
import type { DeviceEvent, DeviceKind } from './devices.js';
import type { Peer } from './peer.js';
import type { MediaState } from './types.js';

export interface Switches {
	audio?: boolean;
	video?: boolean;
}

export class LocalMedia {
	#stream: MediaStream | null;
	#screen: MediaStream | null = null;
	/** The screen was asked for here, so it is stopped here. */
	#ownScreen = false;
	/** The stream whose id all tracks have for the others, whichever they are of here. */
	#carrier: MediaStream | null = null;
	/** The stream was made here, so it is stopped here. */
	#ownStream = false;
	/** Tracks whose end is listened for. */
	#watched = new WeakSet<MediaStreamTrack>();
	/** The latest choice of each kind: an earlier one that is answered later does not count. */
	#choice: Partial<Record<DeviceKind, object>> = {};
	#closed = false;
	/** What was switched on or off here, which goes for another stream, too. */
	readonly #on: Switches;
	readonly #changed: () => void;
	readonly #told: (event: DeviceEvent) => void;

	/**
	 * `on`: what is switched on or off at first. `changed`: what is sent, or its state, is another
	 * now. `told`: of trouble with a device.
	 */
	constructor(
		stream: MediaStream | null,
		on: Switches,
		changed: () => void,
		told: (event: DeviceEvent) => void,
	) {
		this.#stream = stream;
		this.#on = { ...on };
		this.#changed = changed;
		this.#told = told;
		this.#watch();
	}

	get stream(): MediaStream | null {
		return this.#stream;
	}

	get state(): MediaState {
		const on = (track?: MediaStreamTrack) =>
			track?.enabled === true && track.readyState !== 'ended';
		return {
			audio: on(this.#stream?.getAudioTracks()[0]),
			video: on(this.#stream?.getVideoTracks()[0]),
			screen: this.#screen !== null,
		};
	}

	setStream(stream: MediaStream | null): void {
		this.#releaseOwn();
		this.#stream = stream;
		this.#choice = {};
		this.#watch();
		this.#changed();
	}

	/**
	 * Another camera or microphone within the same stream; the track of the former is stopped.
	 * False: it could not be had, and what there was goes on.
	 */
	async setDevice(kind: DeviceKind, deviceId?: string): Promise<boolean> {
		const choice = (this.#choice[kind] = {});
		let track: MediaStreamTrack;
		try {
			track = await openDevice(kind, deviceId);
		} catch (error) {
			if (this.#choice[kind] === choice && !this.#closed) {
				this.#told(describeDeviceError(kind, error));
			}
			return false;
		}
		if (this.#choice[kind] !== choice || this.#closed) {
			track.stop();
			return false;
		}
		this.#ownStream ||= !this.#stream;
		this.#stream ??= new MediaStream();
		for (const former of this.#stream.getTracks().filter((each) => kindOf(each) === kind)) {
			track.enabled = former.enabled;
			this.#stream.removeTrack(former);
			former.stop();
		}
		this.#stream.addTrack(track);
		this.#watch();
		this.#changed();
		return true;
	}

	// What was switched off stays so. A track that its owner stops does not say that it ended: only
	// one that was taken away does.
	#watch(): void {
		for (const track of this.#stream?.getTracks() ?? []) {
			track.enabled = this.#on[track.kind as keyof Switches] ?? track.enabled;
			if (!this.#watched.has(track)) {
				this.#watched.add(track);
				track.addEventListener('ended', () => {
					if (!this.#closed && this.#stream?.getTracks().includes(track)) {
						this.#changed();
						this.#told(deviceEvent(kindOf(track), 'unplugged'));
					}
				});
			}
		}
	}

	#releaseOwn(): void {
		stopAll(this.#ownStream ? this.#stream : null);
		this.#ownStream = false;
	}

	enable(kind: keyof Switches, on: boolean): void {
		this.#on[kind] = on;
		this.#watch();
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
		this.#releaseOwn();
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

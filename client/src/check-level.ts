// SPDX-License-Identifier: MIT
//
// How loud a microphone is, ten times a second.

import { Timer } from './environment.js';
import type { Environment } from './environment.js';

const EVERY_MS = 100;
/** What is quieter than that many decibels below full scale counts as silence. */
const SILENCE_DB = 60;

/** Of samples from -1 to 1: 0 is silence, 1 is as loud as it gets; even steps sound even. */
export function levelOf(samples: Float32Array): number {
	const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
	const db = 10 * Math.log10(power);
	return Math.min(1, Math.max(0, 1 + db / SILENCE_DB)) || 0;
}

export class LevelMeter {
	#context: AudioContext | null = null;
	#timer: Timer;
	readonly #told: (level: number) => void;

	constructor(environment: Environment, told: (level: number) => void) {
		this.#timer = new Timer(environment);
		this.#told = told;
	}

	/** Another track, or none: then it tells of silence once. */
	listen(track: MediaStreamTrack | undefined): void {
		this.close();
		if (!track || typeof AudioContext === 'undefined') {
			this.#told(0);
			return;
		}
		const context = new AudioContext();
		this.#context = context;
		const analyser = context.createAnalyser();
		analyser.fftSize = 1024;
		context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
		// A context that begins without a gesture of the user may be asleep.
		void context.resume();
		const samples = new Float32Array(analyser.fftSize);
		const measure = () => {
			analyser.getFloatTimeDomainData(samples);
			this.#timer.set(EVERY_MS, measure);
			this.#told(track.readyState === 'live' ? levelOf(samples) : 0);
		};
		this.#timer.set(EVERY_MS, measure);
	}

	close(): void {
		this.#timer.clear();
		void this.#context?.close();
		this.#context = null;
	}
}

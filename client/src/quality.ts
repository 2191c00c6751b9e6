// SPDX-License-Identifier: MIT
//
// How good the connection to a member is and how loud it is at both ends, from what
// RTCPeerConnection.getStats() counts (W3C "Identifiers for WebRTC's Statistics API").

import { connectionOf } from './peer.js';

export const STEPS = ['good', 'fair', 'poor'] as const;

export type QualityStep = (typeof STEPS)[number];

export interface ConnectionQuality {
	/** As measured now. */
	level: QualityStep | 'lost';
	/** To show: changes only when several measurements agree. */
	step: QualityStep;
	/** Of packets, 0 to 1, since the last look. */
	loss: number;
	/** The same of what is sent, as the other side reports it. */
	sentLoss?: number;
	rttMs?: number;
	/** Received, of all kinds. */
	kbps: number;
	framesDecoded: number;
	framesPerSecond?: number;
}

interface Counts {
	/** In ms, by the browser's clock for statistics. */
	at: number;
	bytes: number;
	packets: number;
	lost: number;
}

type Stat = Record<string, unknown> & { type: string };

const number = (value: unknown): number => (typeof value === 'number' ? value : 0);

export function level(loss: number, rttMs: number): QualityStep {
	if (loss < 0.02 && rttMs < 250) {
		return 'good';
	}
	return loss < 0.08 && rttMs < 500 ? 'fair' : 'poor';
}

/** Two measurements in a row make it worse, four make it better. */
export class Steady {
	#step?: QualityStep;
	#others = 0;

	take(now: QualityStep): QualityStep {
		this.#step ??= now;
		this.#others = now === this.#step ? 0 : this.#others + 1;
		const isWorse = STEPS.indexOf(now) > STEPS.indexOf(this.#step);
		if (this.#others >= (isWorse ? 2 : 4)) {
			this.#step = now;
			this.#others = 0;
		}
		return this.#step;
	}
}

/** What getStats() tells at one moment. */
export interface Look {
	/** Loudness of what arrives and of what is sent, 0 to 1 (RFC 6464, or as the browser hears it). */
	theirs: number;
	own: number;
	/** Where it was asked for. */
	quality?: ConnectionQuality;
}

export class QualityMeter {
	#last: Counts | null = null;
	#steady = new Steady();

	/** `measures`: the quality since it was measured last, too. */
	async look(pc: RTCPeerConnection, measures: boolean): Promise<Look> {
		const counts: Counts = { at: 0, bytes: 0, packets: 0, lost: 0 };
		const look: Look = { theirs: 0, own: 0 };
		let framesDecoded = 0;
		let framesPerSecond: number | undefined;
		let rttMs: number | undefined;
		let sentLoss: number | undefined;
		(await pc.getStats()).forEach((stat: Stat) => {
			const audioLevel = number(stat['audioLevel']);
			if (stat.type === 'inbound-rtp') {
				look.theirs = Math.max(look.theirs, audioLevel);
				counts.at = number(stat['timestamp']);
				counts.bytes += number(stat['bytesReceived']);
				counts.packets += number(stat['packetsReceived']);
				counts.lost += number(stat['packetsLost']);
				if (stat['kind'] === 'video') {
					framesDecoded += number(stat['framesDecoded']);
					framesPerSecond = stat['framesPerSecond'] as number | undefined;
				}
			} else if (stat.type === 'media-source') {
				look.own = Math.max(look.own, audioLevel);
			} else if (stat.type === 'remote-inbound-rtp') {
				sentLoss = Math.max(sentLoss ?? 0, number(stat['fractionLost']));
			} else if (stat.type === 'candidate-pair' && stat['nominated']) {
				rttMs = number(stat['currentRoundTripTime']) * 1000;
			}
		});
		if (measures) {
			const traffic = this.#since(counts);
			const now = level(traffic.loss, rttMs ?? 0);
			const isLost = connectionOf(pc) !== 'connected';
			look.quality = {
				level: isLost ? 'lost' : now,
				step: isLost ? 'poor' : this.#steady.take(now),
				...traffic,
				sentLoss,
				rttMs,
				framesDecoded,
				framesPerSecond,
			};
		}
		return look;
	}

	#since(counts: Counts): Pick<ConnectionQuality, 'loss' | 'kbps'> {
		const last = this.#last ?? counts;
		this.#last = counts;
		const lost = Math.max(0, counts.lost - last.lost);
		const all = lost + counts.packets - last.packets;
		const ms = counts.at - last.at;
		return {
			loss: all > 0 ? lost / all : 0,
			kbps: ms > 0 ? Math.max(0, ((counts.bytes - last.bytes) * 8) / ms) : 0,
		};
	}
}

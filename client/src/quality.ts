// SPDX-License-Identifier: MIT
//
// How good the connection to a member is, from what RTCPeerConnection.getStats() counts
// (W3C "Identifiers for WebRTC's Statistics API").

import { connectionOf } from './peer.js';

export interface ConnectionQuality {
	level: 'good' | 'fair' | 'poor' | 'lost';
	/** Of packets, 0 to 1, since the last look. */
	loss: number;
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

function level(connected: boolean, loss: number, rttMs: number): ConnectionQuality['level'] {
	if (!connected) {
		return 'lost';
	}
	if (loss < 0.02 && rttMs < 250) {
		return 'good';
	}
	return loss < 0.08 && rttMs < 500 ? 'fair' : 'poor';
}

export class QualityMeter {
	#last: Counts | null = null;

	async measure(pc: RTCPeerConnection): Promise<ConnectionQuality> {
		const counts: Counts = { at: 0, bytes: 0, packets: 0, lost: 0 };
		let framesDecoded = 0;
		let framesPerSecond: number | undefined;
		let rttMs: number | undefined;
		(await pc.getStats()).forEach((stat: Stat) => {
			if (stat.type === 'inbound-rtp') {
				counts.at = number(stat['timestamp']);
				counts.bytes += number(stat['bytesReceived']);
				counts.packets += number(stat['packetsReceived']);
				counts.lost += number(stat['packetsLost']);
				if (stat['kind'] === 'video') {
					framesDecoded += number(stat['framesDecoded']);
					framesPerSecond = stat['framesPerSecond'] as number | undefined;
				}
			} else if (stat.type === 'candidate-pair' && stat['nominated']) {
				rttMs = number(stat['currentRoundTripTime']) * 1000;
			}
		});
		const last = this.#last ?? counts;
		this.#last = counts;
		const lost = Math.max(0, counts.lost - last.lost);
		const all = lost + counts.packets - last.packets;
		const loss = all > 0 ? lost / all : 0;
		const ms = counts.at - last.at;
		const kbps = ms > 0 ? ((counts.bytes - last.bytes) * 8) / ms : 0;
		return {
			level: level(connectionOf(pc) === 'connected', loss, rttMs ?? 0),
			loss,
			rttMs,
			kbps: Math.max(0, kbps),
			framesDecoded,
			framesPerSecond,
		};
	}
}

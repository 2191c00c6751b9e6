// SPDX-License-Identifier: MIT
//
// Who speaks. A level rises and falls slowly, and speaking begins at a higher one than it ends at:
// neither a click nor a breath changes anything. Rejected: an AudioContext for each member, which has
// to be started by a gesture of the user and costs more.

import type { Entry } from './roster.js';

/** Louder than that does not count for more, else a shout would last. */
const LOUD = 0.1;
const BEGINS = 0.04;
const ENDS = 0.01;
/** Who is to take over is that much louder. */
const LOUDER = 1.5;

export const smoothed = (loudness: number, level: number) =>
	loudness + (Math.min(level, LOUD) - loudness) * 0.3;

export const isSpeaking = (loudness: number, already: boolean) =>
	loudness > (already ? ENDS : BEGINS);

/** Who is in front: whoever was, until somebody else is clearly louder. */
export function inFront(entries: Entry[], last?: Entry): Entry | undefined {
	let front = last && entries.includes(last) ? last : undefined;
	for (const entry of entries) {
		if (entry.member.speaking && entry.loudness > LOUDER * (front?.loudness ?? 0)) {
			front = entry;
		}
	}
	return front;
}

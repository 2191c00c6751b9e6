// SPDX-License-Identifier: MIT
//
// What a close code asks of the client (docs/protocol.md, "Close codes").

export interface Closing {
	/** Come back by itself? `auth`: with a new token, if there is somebody to ask for one. */
	back: 'yes' | 'no' | 'auth';
	/** May the session be resumed? */
	resume: boolean;
	/** Not before that. */
	atLeastMs: number;
}

const NEVER: Closing = { back: 'no', resume: false, atLeastMs: 0 };
const ANEW: Closing = { back: 'yes', resume: false, atLeastMs: 0 };

const CLOSINGS: Record<number, Closing> = {
	1000: NEVER,
	1003: NEVER,
	1007: NEVER,
	1008: NEVER,
	1009: NEVER,
	1013: { back: 'yes', resume: true, atLeastMs: 2_000 },
	4401: { back: 'auth', resume: false, atLeastMs: 0 },
	4403: NEVER,
	4408: ANEW,
	4409: ANEW,
	4410: NEVER,
	4429: { back: 'yes', resume: false, atLeastMs: 5_000 },
};

export function closingOf(code: number): Closing {
	return CLOSINGS[code] ?? { back: 'yes', resume: true, atLeastMs: 0 };
}

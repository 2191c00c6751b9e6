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

const NEVER = [1000, 1003, 1007, 1008, 1009, 4403, 4409, 4410];
const ANEW = [4401, 4408, 4429];
const LATER: Record<number, number> = { 1013: 2_000, 4429: 5_000 };

export function closingOf(code: number): Closing {
	const never = NEVER.includes(code);
	return {
		back: never ? 'no' : code === 4401 ? 'auth' : 'yes',
		resume: !never && !ANEW.includes(code),
		atLeastMs: LATER[code] ?? 0,
	};
}

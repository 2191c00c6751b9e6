// SPDX-License-Identifier: MIT
//
// What a close code asks of the client (docs/protocol.md, "Close codes"), and what it is called.

export interface Closing {
	/** Come back by itself? `auth`: with a new token, if there is somebody to ask for one. */
	back: 'yes' | 'no' | 'auth';
	/** May the session be resumed? */
	resume: boolean;
	/** Not before that. */
	atLeastMs: number;
}

/** The server's own word for it. */
export interface Word {
	code: string;
	message: string;
}

const NAMES: Record<number, string> = {
	1000: 'closed',
	1001: 'server_restart',
	1003: 'bad_message',
	1007: 'bad_message',
	1008: 'bad_message',
	1009: 'too_large',
	1012: 'server_restart',
	1013: 'unavailable',
	4401: 'unauthenticated',
	4403: 'forbidden',
	4408: 'too_slow',
	4409: 'replaced',
	4410: 'removed',
	4429: 'rate_limited',
};
/** Ends of which the message before them says more. */
const TOLD = [1008, 1013, 4401, 4403, 4410, 4429];

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

/** Why a connection ended; `told`: the server's last word on it. No server's word: "network". */
export function reasonOf(code: number, reason: string, told: Word | null): Word {
	if (told && TOLD.includes(code)) {
		return told;
	}
	const named = code >= 4000 && /^[a-z]+(_[a-z]+)*$/.test(reason);
	return { code: named ? reason : (NAMES[code] ?? 'network'), message: reason };
}

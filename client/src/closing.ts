// SPDX-License-Identifier: MIT
//
// What a close code asks of the client (docs/protocol.md, "Close codes"), and what it is called.

/** The server's own word for it. */
export interface Word {
	code: string;
	message: string;
}

/** `resume` the session, begin `anew`, with a new token (`auth`), or stay away. */
type Then = 'resume' | 'anew' | 'auth' | 'never';

/** Why a connection ended, and what to do then, after at least that time. */
export interface Closing extends Word {
	then: Then;
	atLeastMs: number;
}

/** `isTold`: the message before it says more. */
type Row = [name: string, then: Then, isTold?: boolean, atLeastMs?: number];

const ROWS: Record<number, Row> = {
	1000: ['closed', 'never'],
	1001: ['server_restart', 'resume'],
	1003: ['bad_message', 'never'],
	1007: ['bad_message', 'never'],
	1008: ['bad_message', 'never', true],
	1009: ['too_large', 'never'],
	1012: ['server_restart', 'resume'],
	1013: ['unavailable', 'resume', true, 2_000],
	4401: ['unauthenticated', 'auth', true],
	4403: ['forbidden', 'never', true],
	4408: ['too_slow', 'anew'],
	4409: ['replaced', 'never'],
	4410: ['removed', 'never', true],
	4429: ['rate_limited', 'anew', true, 5_000],
};
/** No word of the server's. */
const OTHER: Row = ['network', 'resume'];

/** `told`: the server's last word before it. */
export function closingOf(code: number, reason: string, told: Word | null): Closing {
	const [name, then, isTold, atLeastMs = 0] = ROWS[code] ?? OTHER;
	const isNamed = code >= 4000 && /^[a-z_]+$/.test(reason);
	const word = { code: isNamed ? reason : name, message: reason };
	return { ...((isTold && told) || word), then, atLeastMs };
}

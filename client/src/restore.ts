// SPDX-License-Identifier: MIT
//
// The call that a page was left in, kept by the tab for the page that follows, so that a reload
// comes back into it: who one is, and what was switched on. No token, and nothing that was said.
//
// It is written when the page is left, not before: another tab that is made as a copy of this one
// is in no call.

import type { CallOptions } from './call-types.js';
import type { Switches } from './local-media.js';

export type SavedCall = Pick<
	CallOptions,
	'roomId' | 'appointmentId' | 'userId' | 'userName' | 'practiceId'
> & { media: Switches };

const KEY = 'praxis-call';

/** Without a call: there is none. `at`: in ms since 1970. */
export function keepCall(call?: CallOptions, at?: number): void {
	// All that is written, at any depth; options may have credentials of TURN servers, too.
	const fields = 'at,roomId,appointmentId,userId,userName,practiceId,media,audio,video';
	try {
		sessionStorage.setItem(KEY, JSON.stringify({ ...call, at }, fields.split(',')));
	} catch {
		// There is no storage, or the user has forbidden it.
	}
}

/** One that was kept at `since` or later. */
export function keptCall(since: number): SavedCall | null {
	try {
		const { at, ...call } = JSON.parse(sessionStorage.getItem(KEY) ?? '') as SavedCall & {
			at: number;
		};
		return at >= since ? call : null;
	} catch {
		return null;
	}
}

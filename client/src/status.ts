// SPDX-License-Identifier: MIT
//
// The connection's state with its reason, and sentences for people. The sentences are a function of
// their own, so that an application with other words, or in another language, does not load them.

import { WebSocketStatus } from './types.js';

/** Why it is not connected; docs/client.md has what each means. The server may have others. */
export type StatusReason =
	| 'bad_message'
	| 'bad_url'
	| 'closed'
	| 'forbidden'
	| 'logged_out'
	| 'network'
	| 'no_token'
	| 'no_websocket'
	| 'origin'
	| 'page_hidden'
	| 'rate_limited'
	| 'removed'
	| 'replaced'
	| 'server_restart'
	| 'timeout'
	| 'token_expired'
	| 'too_large'
	| 'too_slow'
	| 'unauthenticated'
	| 'unavailable'
	| (string & {});

export interface ConnectionStatus {
	readonly state: WebSocketStatus;
	readonly reason?: StatusReason;
	/** When the next attempt is made, in ms since 1970; absent while none is waited for. */
	readonly retryAt?: number;
}

const GROUPS: [codes: string, sentence: string][] = [
	['network timeout', 'The server cannot be reached.'],
	['server_restart', 'The server is restarting.'],
	['unavailable rate_limited too_slow', 'The server is busy.'],
	['no_token', 'Your login could not be checked.'],
	['token_expired unauthenticated', 'Your login has expired.'],
	['logged_out', 'You are logged out.'],
	['removed', 'You were disconnected by an administrator.'],
	['replaced', 'You have connected somewhere else.'],
	['forbidden', 'You have no access to this.'],
	['origin', 'The server does not accept this page. Tell those who run it.'],
	['bad_message too_large', 'Something was sent that the server does not take. Reload the page.'],
	['no_websocket bad_url', 'This page cannot connect. Tell those who run it.'],
	['page_hidden', 'The page was left.'],
];

const STATES: Record<WebSocketStatus, string> = {
	connected: 'Connected.',
	connecting: 'Connecting…',
	disconnected: 'Not connected.',
	error: 'Not connected.',
	reconnecting: 'The connection was lost.',
};

/** One or two sentences for the user: what is the matter, and whether it is tried again. */
export function describeStatus({ state, reason = '', retryAt }: ConnectionStatus): string {
	const isUp = [WebSocketStatus.CONNECTED, WebSocketStatus.CONNECTING].includes(state);
	const why = GROUPS.find(([codes]) => codes.split(' ').includes(reason))?.[1];
	const again =
		retryAt !== undefined || state === WebSocketStatus.RECONNECTING ? ' Trying again…' : '';
	return isUp ? STATES[state] : (why ?? STATES[state]) + again;
}

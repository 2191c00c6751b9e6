// SPDX-License-Identifier: MIT
//
// What is to be seen of the connection: the chip in the header always, a banner while it is away and tried again, and a
// page of its own where trying again is useless.

import { webSocketManager, WebSocketStatus } from 'praxis-client';
import { hideBanner, showBanner } from './banner.js';
import { byId, element } from './dom.js';
import { icon } from './icons.js';
import type { IconName } from './icons.js';
import type { Identity } from './identity.js';
import { button } from './parts.js';
import { endpoint } from '../../../pages/endpoint.js';

const STATUS: Record<WebSocketStatus, string> = {
	[WebSocketStatus.CONNECTING]: 'Connecting …',
	[WebSocketStatus.CONNECTED]: 'Connected',
	[WebSocketStatus.DISCONNECTED]: 'Not connected',
	[WebSocketStatus.ERROR]: 'Not connected',
	[WebSocketStatus.RECONNECTING]: 'Reconnecting …',
};

const AWAY: Record<string, string> = {
	network: 'The server cannot be reached.',
	timeout: 'The server does not answer.',
	server_restart: 'The server is restarting.',
	unavailable: 'The server is too busy just now.',
	rate_limited: 'This address is locked out for a while, after too many attempts.',
	too_slow: 'This connection is too slow to keep up.',
	origin: 'The server does not accept pages from this address.',
};

interface State {
	icon: IconName;
	title: string;
	text: string;
	action?: string;
}

const EXPIRED: State = {
	icon: 'clock',
	title: 'This link has expired',
	text: 'This link has expired. Ask your practice for a new one.',
};
const INVALID: State = {
	icon: 'link',
	title: 'This link does not work',
	text: 'It is incomplete, or it is not from this practice. Ask your practice for a new one.',
};
const NO_LINK: State = {
	icon: 'link',
	title: 'Open your link',
	text: 'This page needs a link that says who you are. Your practice sends it; for a trial, scripts/run prints some.',
};
const FINAL: Record<string, State> = {
	token_expired: EXPIRED,
	unauthenticated: INVALID,
	forbidden: { ...INVALID, title: 'You have no access here' },
	removed: {
		icon: 'lock',
		title: 'Your session was ended',
		text: 'Somebody who runs this server has ended it.',
		action: 'Connect again',
	},
	replaced: {
		icon: 'windows',
		title: 'Open in another window',
		text: 'The same link was opened somewhere else, and only one window may use it.',
		action: 'Use this window',
	},
};
const OTHER: State = {
	icon: 'offline',
	title: 'Not connected',
	text: 'The server has ended the connection.',
	action: 'Connect again',
};

/** The link's token was refused: it is not offered again, or the address would be locked out. */
let refused = false;

export function configure({ token, query }: Identity): void {
	const url = endpoint();
	webSocketManager.configure(
		token ? { url, getToken: () => (refused ? null : token) } : { url, query },
	);
}

/** Fills the place of the views, and hides them. */
export function showState({ icon: image, title, text, action }: State): void {
	const box = element(
		'section',
		{ className: 'state' },
		icon(image),
		element('h1', {}, title),
		element('p', {}, text),
	);
	box.setAttribute('role', 'alert');
	if (action) {
		box.append(
			button({ label: action, kind: 'primary', run: () => webSocketManager.connect() }),
		);
	}
	byId('state').replaceChildren(box);
	byId('state').hidden = false;
	byId('views').hidden = true;
	hideBanner('connection');
}

function clearState(): void {
	byId('state').hidden = true;
	byId('views').hidden = false;
}

export function showNoLink(): void {
	showState(NO_LINK);
	showChip(WebSocketStatus.DISCONNECTED);
}

function showChip(status: WebSocketStatus): void {
	const chip = byId('status');
	chip.dataset.state = status;
	chip.textContent = STATUS[status];
}

function showAway(reason: string): void {
	const sentence = AWAY[reason] ?? AWAY['network']!;
	showBanner('connection', {
		kind: 'warn',
		icon: 'offline',
		text: `${sentence} What you do now is kept and sent later.`,
	});
}

export function watchConnection(): void {
	webSocketManager.onStatusChange((status, reason) => {
		showChip(status);
		if (status === WebSocketStatus.CONNECTED) {
			hideBanner('connection');
			clearState();
		} else if (status === WebSocketStatus.RECONNECTING && !refused) {
			showAway(reason ?? 'network');
		} else if (status === WebSocketStatus.ERROR && reason && reason in FINAL) {
			showState(FINAL[reason]!);
		}
	});
	webSocketManager.on('problem', ({ code }) => {
		if (code === 'token_expired' || code === 'unauthenticated') {
			refused = true;
			showState(FINAL[code]!);
		} else if (FINAL[code]) {
			showState(FINAL[code]);
		} else if (webSocketManager.getStatus() === WebSocketStatus.ERROR && !refused) {
			queueMicrotask(() => showFinal());
		}
	});
}

// An error that the manager goes on from is followed by RECONNECTING at once.
function showFinal(): void {
	if (webSocketManager.getStatus() === WebSocketStatus.ERROR) {
		showState(OTHER);
	}
}

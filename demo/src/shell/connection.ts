// SPDX-License-Identifier: MIT
//
// What is to be seen of the connection: the chip in the header always, a banner while it is away and tried again, and a
// page of its own where trying again is useless.

import { webSocketManager, WebSocketStatus } from 'praxis-client';
import type { ConnectionStatus } from 'praxis-client';
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
	more?: HTMLElement;
}

const EXPIRED: State = {
	icon: 'clock',
	title: 'This link has expired.',
	text: 'Ask your practice for a new one.',
};
const INVALID: State = {
	icon: 'link',
	title: 'This link does not work',
	text: 'It is incomplete, or it is not from this practice. Ask your practice for a new one.',
};
const LOCKED_OUT: State = {
	icon: 'lock',
	title: 'Locked out for a while',
	text: 'Too many wrong links were tried from this address. A valid link works at once: open the one you were sent.',
};
const ONE_MOMENT = 'You need not do anything: this page goes on by itself.';
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

export function configure({ token, query }: Identity): void {
	const url = endpoint();
	webSocketManager.configure(token ? { url, getToken: () => token } : { url, query });
}

/** Fills the place of the views, and hides them. */
export function showState({ icon: image, title, text, action, more }: State): void {
	hideAway(more);
	const box = element(
		'section',
		{ className: 'state' },
		icon(image),
		element('h1', {}, title),
		element('p', {}, text),
		...(more ? [more] : []),
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
	document.body.dataset.statePage = '';
}

/** From now on what is on the page stays there while the server is away. */
export function started(): void {
	isStarted = true;
}

function clearState(): void {
	byId('state').hidden = true;
	byId('views').hidden = false;
	delete document.body.dataset.statePage;
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

/** The views have something to show, and stay while the server is away. */
let isStarted = false;
let counting: ReturnType<typeof setInterval> | undefined;

function remaining(ms: number): string {
	const seconds = Math.ceil(ms / 1000);
	return seconds > 90 ? `${Math.ceil(seconds / 60)} min` : `${seconds} s`;
}

// A screen reader hears the sentence beside it, and not every second of it.
function countdown({ retryAt = 0 }: ConnectionStatus): HTMLSpanElement {
	const made = element('span', { className: 'countdown' });
	made.ariaHidden = 'true';
	const tick = () => {
		const left = retryAt - webSocketManager.environment.wall();
		made.textContent = left > 0 ? `Trying again in ${remaining(left)}` : 'Trying again …';
	};
	tick();
	clearInterval(counting);
	counting = setInterval(tick, 1000);
	return made;
}

/** In a banner over what one was doing, or in the place of what could not begin. */
function showAway(status: ConnectionStatus): void {
	const { reason = 'network' } = status;
	const sentence = AWAY[reason] ?? AWAY['network']!;
	const left = countdown(status);
	if (isStarted) {
		showBanner('connection', {
			kind: 'warn',
			icon: 'offline',
			text: `${sentence} What you do now is kept and sent later.`,
			actions: [left],
		});
	} else if (reason === 'rate_limited') {
		showState({ ...LOCKED_OUT, more: left });
	} else {
		showState({ icon: 'offline', title: sentence, text: ONE_MOMENT, more: left });
	}
}

/** `kept`: a countdown that goes on somewhere else. */
function hideAway(kept?: HTMLElement): void {
	if (!kept) {
		clearInterval(counting);
	}
	hideBanner('connection');
}

/** Reasons with which a link is of no use any more. */
const DEAD_LINK = ['token_expired', 'unauthenticated', 'forbidden'];

export function watchConnection(): void {
	webSocketManager.on('status', (state, reason = 'network', status) => {
		showChip(state);
		if (state === WebSocketStatus.CONNECTED) {
			hideAway();
			clearState();
		} else if (DEAD_LINK.includes(reason)) {
			showState(FINAL[reason]!);
			// It would be refused again, and in the end the address be locked out.
			queueMicrotask(() => webSocketManager.disconnect());
		} else if (state === WebSocketStatus.RECONNECTING) {
			showAway(status);
		} else if (state === WebSocketStatus.ERROR) {
			queueMicrotask(() => showFinal(reason));
		}
	});
}

// An error that the manager goes on from is followed by RECONNECTING at once.
function showFinal(reason: string): void {
	if (webSocketManager.getStatus() === WebSocketStatus.ERROR) {
		showState(FINAL[reason] ?? OTHER);
	}
}

// SPDX-License-Identifier: MIT
//
// The page that says why there is no call any more, or none yet, and what one can do about it. The
// sentences are for patients and nurses: no codes, and always the next step.

import { element } from '../shell/dom.js';
import { icon } from '../shell/icons.js';
import type { IconName } from '../shell/icons.js';
import { button } from '../shell/parts.js';
import { callIcon } from './icons.js';
import type { CallIcon } from './icons.js';

export interface Ending {
	picture(this: void): SVGSVGElement;
	title: string;
	text: string;
	/** What joining again is called; without it joining again is of no use. */
	again?: string;
}

const call = (name: CallIcon) => () => callIcon(name);
const shared = (name: IconName) => () => icon(name);

const ENDINGS: Record<string, Ending> = {
	left: {
		picture: call('leave'),
		title: 'You have left the call',
		text: 'Your camera and microphone are off. The others can go on without you.',
		again: 'Join again',
	},
	ended: {
		picture: call('leave'),
		title: 'The call has ended',
		text: 'The practice has ended it for everybody. You can close this page.',
		again: 'Join again',
	},
	removed: {
		picture: call('door'),
		title: 'You were removed from the call',
		text: 'Somebody of the practice has removed you. If that was a mistake, call the practice.',
		again: 'Ask to join again',
	},
	denied: {
		picture: call('door'),
		title: 'The practice cannot see you now',
		text: 'Please call the practice, or ask again later.',
		again: 'Ask again',
	},
	expired: {
		picture: shared('clock'),
		title: 'Nobody has let you in',
		text: 'You have waited for a long time, and your place was given up. Call the practice, or ask again.',
		again: 'Ask again',
	},
	replaced: {
		picture: call('people'),
		title: 'You are in this call in another window',
		text: 'One window at a time can be in the call. Go to the other one, or use this one instead.',
		again: 'Use this window',
	},
	room_full: {
		picture: call('people'),
		title: 'The call is full',
		text: 'As many people are here as the call can hold. Try again when somebody has left.',
		again: 'Try again',
	},
	forbidden: {
		picture: shared('lock'),
		title: 'This link is for another call',
		text: 'Ask your practice for the link to this one.',
	},
	rate_limited: {
		picture: shared('clock'),
		title: 'One moment, please',
		text: 'You have joined too often in a short time. Try again in a minute.',
		again: 'Try again',
	},
	service_disabled: {
		picture: shared('offline'),
		title: 'Video calls are switched off',
		text: 'The practice has switched them off for now. Call the practice.',
		again: 'Try again',
	},
	other: {
		picture: shared('alert'),
		title: 'The call could not go on',
		text: 'Something went wrong. Try again; if it does not help, call the practice.',
		again: 'Try again',
	},
};

/** `code`: `call.endReason`. */
export function endingOf(code: string): Ending {
	return ENDINGS[code] ?? ENDINGS['other']!;
}

export interface EndingActions {
	again?(this: void): void;
	/** For staff. */
	board?(this: void): void;
}

/** `said`: the practice's own words, in place of ours. */
export function endingPage(
	{ picture, title, text, again }: Ending,
	said: string | undefined,
	actions: EndingActions,
): HTMLElement {
	const page = element(
		'section',
		{ className: 'state' },
		picture(),
		element('h1', { tabIndex: -1 }, title),
		element('p', { dir: 'auto' }, said ?? text),
	);
	const buttons = element('div', { className: 'actions' });
	if (actions.board) {
		buttons.append(button({ label: 'Back to the board', run: actions.board }));
	}
	if (again && actions.again) {
		const made = button({ label: again, kind: 'primary', run: actions.again });
		made.id = 'again';
		buttons.append(made);
	}
	if (buttons.childElementCount > 0) {
		page.append(buttons);
	}
	return page;
}

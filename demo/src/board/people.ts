// SPDX-License-Identifier: MIT
//
// Who else looks at this board just now, where the server tells.

import { openPresence } from 'praxis-client';
import type { Id, Presence } from 'praxis-client';
import { byId, element } from '../shell/dom.js';
import { avatar } from '../shell/parts.js';

const MOST = 4;

export function showPeople(practiceId: Id, self: string): Presence {
	const { presence } = openPresence(practiceId);
	presence.on('change', () => show(presence, self));
	return presence;
}

function show({ users, count, available }: Presence, self: string): void {
	const box = byId('presence');
	const others = users.filter(({ userId }) => String(userId) !== self);
	const names = others.map(({ userName }) => userName ?? 'Guest');
	const more = count - (users.length - others.length) - Math.min(MOST, names.length);
	if (!available || names.length === 0) {
		box.replaceChildren(available ? 'Only you are here' : '');
		return;
	}
	box.replaceChildren(...names.slice(0, MOST).map((name) => avatar(name)));
	if (more > 0) {
		box.append(element('span', { className: 'avatar more' }, `+${more}`));
	}
}

// SPDX-License-Identifier: MIT
//
// Puts the views into the page and starts them once the server has said who one is.

import { webSocketManager, WebSocketStatus, whiteboardService } from 'praxis-client';
import { configure, showNoLink, started, watchConnection } from './connection.js';
import { byId, element } from './dom.js';
import { keptIdentity, takeIdentity } from './identity.js';
import { avatar } from './parts.js';
import { Router } from './router.js';
import type { View } from './router.js';
import { themeButton } from './theme.js';

/** `patients`: the views that a patient has; the first of each list is where one begins. */
export function startShell(views: readonly View[], patients: readonly View[]): void {
	themeButton();
	byId('skip').addEventListener('click', (event) => {
		event.preventDefault(); // its # is no view
		byId('main').focus();
	});
	takeIdentity();
	const identity = keptIdentity();
	const isPatient = identity?.role === 'patient';
	const own = isPatient ? patients : views;
	showNavigation(own);
	const router = new Router(own);
	if (!identity) {
		showNoLink();
		return;
	}
	watchConnection();
	configure(identity);
	let isStarted = false;
	// Not in the event `session`: there it is not connected yet, and what is opened would wait for the next one.
	webSocketManager.onStatusChange((status) => {
		const { user } = webSocketManager;
		const practiceId = user?.practices?.[0];
		if (isStarted || status !== WebSocketStatus.CONNECTED || practiceId === undefined) {
			return;
		}
		isStarted = true;
		started();
		showUser(practiceId, user?.userName ?? 'Guest');
		const go = router.go.bind(router);
		own.forEach((view) => view.start({ user: user!, practiceId, isPatient, go }));
		router.start();
	});
	whiteboardService.connect();
}

/** The page comes with all of them, so that nothing moves where one has them all. */
function showNavigation(views: readonly View[]): void {
	const navigation = byId('navigation');
	for (const link of navigation.querySelectorAll('a')) {
		if (!views.some(({ route }) => link.hash === `#/${route}`)) {
			link.remove();
		}
	}
	navigation.classList.toggle('single', views.length === 1);
}

function showUser(practiceId: string | number, name: string): void {
	byId('practice').replaceChildren(
		element('span', {}, `Practice ${practiceId} · `),
		element('bdi', {}, name),
	);
	byId('me').replaceChildren(avatar(name));
}

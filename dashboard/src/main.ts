// SPDX-License-Identifier: MIT
//
// The administrator's dashboard: one connection, over which the figures come by themselves, and all
// else as it is looked at.

import { webSocketManager, WebSocketStatus } from 'praxis-client';
import type { SessionEvent, WebSocketMessage } from 'praxis-client';
import { Audit } from './audit.js';
import { clientListing, roomListing } from './clients.js';
import { Configuration } from './configuration.js';
import { Console } from './console.js';
import { byId } from './dom.js';
import { endpoint } from '../../pages/endpoint.js';
import { Locks } from './locks.js';
import { Login } from './login.js';
import { Overview } from './overview.js';
import { noteTime } from './server.js';
import type { Snapshot, Stats } from './server.js';
import { Services } from './services.js';
import { Tabs } from './tabs.js';

const INTERVAL_MS = 2000;

const FINAL = [
	'bad_message',
	'forbidden',
	'removed',
	'replaced',
	'token_expired',
	'too_large',
	'unauthenticated',
];

const STATUS: Record<WebSocketStatus, string> = {
	[WebSocketStatus.CONNECTING]: 'Connecting …',
	[WebSocketStatus.CONNECTED]: 'Connected',
	[WebSocketStatus.DISCONNECTED]: 'Not connected',
	[WebSocketStatus.ERROR]: 'Not connected',
	[WebSocketStatus.RECONNECTING]: 'Connecting again …',
};

const overview = new Overview();
const locks = new Locks();
const services = new Services();
const clients = clientListing();
const rooms = roomListing();
const test = new Console();
const audit = new Audit();
const configuration = new Configuration();
const login = new Login(() => connect());
let tabs: Tabs | undefined;

function connect(): void {
	const who = login.who();
	if (!who) {
		login.ask();
		return;
	}
	const url = endpoint();
	webSocketManager.configure(
		'token' in who
			? { url, getToken: () => who.token, query: {} }
			: {
					url,
					getToken: undefined,
					query: { practiceId: who.practice, userId: 'admin', role: 'admin' },
				},
	);
	byId('leave').hidden = false;
	webSocketManager.connect();
}

function leave(fault?: string): void {
	webSocketManager.disconnect();
	overview.forget();
	login.forget();
	if (fault === undefined) {
		location.reload(); // nothing of what was shown is left
		return;
	}
	byId('main').hidden = true;
	byId('leave').hidden = true;
	login.ask(fault);
}

function begin({ user, services: offered }: SessionEvent): void {
	if (user && user.role !== 'admin') {
		leave(`This token is of role ${user.role}; the dashboard is for role admin.`);
		return;
	}
	if (!offered.includes('admin')) {
		leave('The service "admin" is not there on this server.');
		return;
	}
	byId('who').textContent = user ? `user ${user.userId ?? '–'}` : '';
	// After a restart, too: what the server is and has may be another now.
	webSocketManager.sendMessage(
		{ type: 'admin_subscribe', intervalMs: INTERVAL_MS },
		{ lifetime: 'session' },
	);
	audit.watch();
}

// How many are locked is among the totals of server administrators, and of nobody else.
function showLocks({ totals }: Stats): void {
	const locked = totals['locked_addresses'];
	locks.show(typeof locked === 'number' ? locked : undefined);
}

function showSnapshot(snapshot: Snapshot): void {
	noteTime(snapshot.server);
	const names = snapshot.services.map(({ name }) => name);
	const practice = webSocketManager.user?.practices[0];
	services.begin(snapshot.services, snapshot.scope === 'server');
	clients.setServices(names);
	rooms.setServices(names);
	test.setServices(snapshot.services);
	test.setPractice(practice === undefined || practice === '*' ? '' : String(practice));
	configuration.show(snapshot.config);
	byId('main').hidden = false;
	tabs ??= new Tabs({ overview, services, clients, rooms, test: {}, audit, config: {} });
	overview.show(snapshot);
	showLocks(snapshot);
	if (snapshot.scope === 'server') {
		void overview.fill();
	}
	tabs.refresh();
}

function showStatus(status: WebSocketStatus): void {
	const line = byId('status');
	line.dataset['state'] = status;
	line.textContent = STATUS[status];
	byId('away').hidden = status === WebSocketStatus.CONNECTED;
	document.body.classList.toggle('is-away', status !== WebSocketStatus.CONNECTED);
}

webSocketManager.onStatusChange(showStatus);
webSocketManager.on('session', begin);
webSocketManager.on('problem', ({ code, message }) => {
	if (FINAL.includes(code)) {
		leave(message); // it stays away: the token is no good any more, or somebody put it out
	}
});
webSocketManager.registerHandler('error', ({ code, ref, message }) => {
	if (ref === 'auth' || code === 'token_expired' || code === 'unauthenticated') {
		leave(message); // the same token would be refused again
	}
});
webSocketManager.registerHandler('admin_snapshot', (message: WebSocketMessage) => {
	showSnapshot(message as Snapshot);
});
webSocketManager.registerHandler('admin_stats', (message: WebSocketMessage) => {
	noteTime((message as Stats).server);
	overview.show(message as Stats);
	showLocks(message as Stats);
});
byId('leave').addEventListener('click', () => leave());
connect();

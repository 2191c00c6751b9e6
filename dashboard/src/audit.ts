// SPDX-License-Identifier: MIT
//
// What goes into the audit log, as it happens, and the latest before.

import { webSocketManager } from 'praxis-client';
import type { WebSocketMessage } from 'praxis-client';
import { byId, element, setText } from './dom.js';
import { clock } from './format.js';
import type { AuditEvent } from './server.js';
import { Table } from './table.js';
import type { View } from './tabs.js';

const MOST = 500;

const text = (name: string) => ({
	title: name.charAt(0).toUpperCase() + name.slice(1),
	value: ({ entry }: AuditEvent) => {
		const value = entry[name];
		return typeof value === 'number' ? value : typeof value === 'string' ? value : '';
	},
});

export class Audit implements View {
	#events: AuditEvent[] = []; // the newest first
	#last = 0;
	#missed = 0;
	#paused = false;
	#waiting: number | undefined;
	#note = element('p', { className: 'hint' });
	#table = new Table<AuditEvent>({
		caption: 'Audit events',
		empty: 'No events yet.',
		key: ({ n }) => String(n),
		maxRows: 200,
		columns: [
			{ title: 'Time', value: ({ at }) => at, text: ({ at }) => clock(at) },
			...[
				'event',
				'reason',
				'user',
				'role',
				'practice',
				'service',
				'room',
				'target',
				'address',
			].map(text),
			{ title: 'Client', value: ({ entry }) => String(entry['clientId'] ?? '') },
		],
	});

	constructor() {
		const pause = element('button', { type: 'button' }, 'Hold');
		pause.setAttribute('aria-pressed', 'false');
		pause.addEventListener('click', () => {
			this.#paused = !this.#paused;
			pause.setAttribute('aria-pressed', String(this.#paused));
			this.refresh();
		});
		const filters = element(
			'div',
			{ className: 'filters' },
			element('label', {}, 'Filter ', this.#table.filter),
			pause,
		);
		byId('audit').append(filters, this.#table.node, this.#note);
		webSocketManager.registerHandler('admin_event', (message: WebSocketMessage) => {
			this.#add(message as AuditEvent);
		});
		webSocketManager.registerHandler('admin_events', (message: WebSocketMessage) => {
			this.#missed += Number(message['missed'] ?? 0);
			if (message['complete'] === false && this.#last > 0) {
				this.#missed++;
			}
			this.#draw();
		});
	}

	/** A session has begun, or goes on: from where this page has it. */
	watch(): void {
		webSocketManager.sendMessage(
			{ type: 'admin_events', since: this.#last },
			{ lifetime: 'session' },
		);
	}

	refresh(): void {
		if (!byId('audit').hidden && !this.#paused) {
			this.#table.show(this.#events);
			const gap =
				this.#missed > 0 ? ' Some in between were left out: there were too many.' : '';
			setText(
				this.#note,
				`The latest ${this.#events.length} are here, 200 are shown at most.${gap}`,
			);
		}
	}

	#add(event: AuditEvent): void {
		if (event.n > this.#last) {
			this.#last = event.n;
			this.#events.unshift(event);
			this.#events.length = Math.min(this.#events.length, MOST);
			this.#draw();
		}
	}

	// A flood of events is drawn four times a second, not event by event.
	#draw(): void {
		this.#waiting ??= window.setTimeout(() => {
			this.#waiting = undefined;
			this.refresh();
		}, 250);
	}
}

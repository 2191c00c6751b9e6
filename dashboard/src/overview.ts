// SPDX-License-Identifier: MIT
//
// Totals, and their curves: of the server for server administrators, else of the administrator's
// practices.

import { webSocketManager } from 'praxis-client';
import { Chart } from './charts.js';
import { Curves } from './curves.js';
import type { Sample } from './curves.js';
import { announce, byId, setText, showFacts } from './dom.js';
import { bytes, compact, count, duration } from './format.js';
import { ask, reason } from './server.js';
import type { Facts, History, Practice, Stats, Totals } from './server.js';
import { Table } from './table.js';
import type { View } from './tabs.js';

const SERVER_CHARTS = [
	{ title: 'Connections', lines: [{ label: 'sessions', name: 'sessions' }], format: compact },
	{
		title: 'Messages a second',
		lines: [
			{ label: 'in', name: 'messages_in', rate: true },
			{ label: 'out', name: 'messages_out', rate: true },
		],
		format: compact,
	},
	{
		title: 'Bytes a second',
		lines: [
			{ label: 'in', name: 'bytes_in', rate: true },
			{ label: 'out', name: 'bytes_out', rate: true },
		],
		format: bytes,
	},
	{
		title: 'Errors a second',
		lines: [{ label: 'answered', name: 'errors', rate: true }],
		format: compact,
	},
	{
		title: 'Waiting to be sent',
		lines: [{ label: 'bytes', name: 'queue_bytes' }],
		format: bytes,
	},
	{
		title: 'Handshakes a second',
		lines: [
			{ label: 'let in', name: 'accepted', rate: true },
			{ label: 'refused', name: 'refused', rate: true },
			{ label: 'bad tokens', name: 'bad_tokens', rate: true },
		],
		format: compact,
	},
];

const PRACTICE_CHARTS = [
	{ title: 'Clients', lines: [{ label: 'connected', name: 'clients' }], format: compact },
	{ title: 'Rooms', lines: [{ label: 'open', name: 'rooms' }], format: compact },
	{
		title: 'Published a second',
		lines: [{ label: 'messages', name: 'published', rate: true }],
		format: compact,
	},
];

// The figures that are drawn, under the names of the charts' lines.
function figures(totals: Totals): Record<string, number> {
	const values: Record<string, number> = {};
	for (const [name, value] of Object.entries(totals)) {
		if (typeof value === 'number') {
			values[name] = value;
		}
	}
	if (typeof totals['errors'] === 'object' && totals['errors']) {
		const errors = Object.values(totals['errors'] as Record<string, number>);
		values['errors'] = errors.reduce((sum, each) => sum + each, 0);
	}
	if (typeof totals['handshakes'] === 'object' && totals['handshakes']) {
		values['accepted'] = (totals['handshakes'] as Record<string, number>)['accepted'] ?? 0;
	}
	return values;
}

const DRAWN = new Set(
	[...SERVER_CHARTS, ...PRACTICE_CHARTS].flatMap(({ lines }) => lines.map(({ name }) => name)),
);

function drawn(values: Record<string, number>): Record<string, number> {
	return Object.fromEntries(Object.entries(values).filter(([name]) => DRAWN.has(name)));
}

function serverTiles(values: Record<string, number>): Record<string, string> {
	const of = (name: string): number => values[name] ?? 0;
	return {
		Connections: count(of('connections')),
		Sessions: count(of('sessions')),
		Practices: count(of('practices')),
		Rooms: count(of('rooms')),
		'In rooms': count(of('room_members')),
		'In waiting rooms': count(of('waiting')),
		'Messages in': count(of('messages_in')),
		'Messages out': count(of('messages_out')),
		'Bytes in': bytes(of('bytes_in')),
		'Bytes out': bytes(of('bytes_out')),
		Errors: count(of('errors')),
		'Waiting to be sent': bytes(of('queue_bytes')),
		Refused: count(of('refused')),
	};
}

function practiceTiles(values: Record<string, number>): Record<string, string> {
	return {
		Clients: count(values['clients'] ?? 0),
		Rooms: count(values['rooms'] ?? 0),
		Published: count(values['published'] ?? 0),
	};
}

function stateOf({ draining, ready }: Facts): string {
	return draining ? 'shutting down' : ready === false ? 'not ready' : 'serves';
}

const UNREADY: Record<string, string> = {
	draining: 'it is shutting down',
	bus: 'it is not connected to Redis',
	audit: 'the audit log cannot be written, and on-full is refuse',
	connections: 'it has reached max-connections',
	descriptors: 'there are no file descriptors left',
};

function unreadiness({ notReady = [] }: Facts): string {
	const reasons = notReady.map((reason) => UNREADY[reason] ?? reason);
	return `Nobody new is let in: ${reasons.join('; ')}. Those who are connected stay.`;
}

// What of a vhost the application's back end does not do.
const FAILING: Record<string, string> = {
	auth_url:
		'the application does not say who a client is (auth-url), so that nobody new is let in there',
	webhooks: 'the application does not take what it is told (webhook-url)',
};

function failures(totals: Totals): string {
	const sentences = Object.entries(FAILING).flatMap(([name, sentence]) => {
		const figures = totals[name];
		const failing =
			typeof figures === 'object' && figures
				? (figures as Record<string, number>)['failing']
				: 0;
		return failing ? [`${counted(failing, 'vhost')}: ${sentence}`] : [];
	});
	return sentences.join('; ');
}

function counted(number: number, what: string): string {
	return `In ${number} ${what}${number === 1 ? '' : 's'}`;
}

function scopeOf(practices: Practice[] | undefined): string {
	const own = webSocketManager.user?.practices ?? [];
	const ids = own.length > 0 ? own : (practices ?? []).map(({ practiceId }) => practiceId);
	return ids.length > 0 && ids.length <= 10
		? `${ids.length === 1 ? 'practice' : 'practices'} ${ids.join(', ')}`
		: 'the practices of this token';
}

// A row of the server's, under the names that the totals have.
function sampleOf(fields: readonly string[], row: readonly number[]): Sample {
	const named = fields.map((field, at) => [
		field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
		row[at] ?? 0,
	]);
	const { at, ...values } = Object.fromEntries(named) as Record<string, number>;
	return { at: (at ?? 0) / 1000, values };
}

export class Overview implements View {
	#curves = new Curves();
	#charts: Chart[] = [];
	#scope: string | undefined;
	#practices = new Table<Practice>({
		caption: 'Practices',
		empty: 'No practice.',
		key: ({ practiceId }) => String(practiceId),
		columns: [
			{ title: 'Practice', value: ({ practiceId }) => practiceId },
			{ title: 'Clients', value: ({ clients }) => clients, numeric: true },
			{ title: 'Rooms', value: ({ rooms }) => rooms, numeric: true },
			{ title: 'Published', value: ({ published }) => published, numeric: true },
		],
	});

	constructor() {
		byId('practices').append(this.#practices.node);
	}

	show({ server, scope, totals, practices }: Stats): void {
		const values = figures(totals);
		this.#setScope(scope);
		this.#curves.add({ at: server.time / 1000, values: drawn(values) });
		const latency = webSocketManager.latencyMs;
		showFacts(byId('server'), {
			Server: `Praxis ${server.version}`,
			Up: duration(server.uptimeMs),
			State: stateOf(server),
			'Round trip': latency === undefined ? '–' : `${latency.toFixed(0)} ms`,
			Scope: scope === 'server' ? 'the whole server' : scopeOf(practices),
		});
		byId('unready').hidden = server.ready !== false;
		setText(byId('unready'), unreadiness(server));
		const failing = failures(totals ?? {});
		byId('failing').hidden = failing === '';
		setText(byId('failing'), `${failing}.`);
		showFacts(byId('totals'), scope === 'server' ? serverTiles(values) : practiceTiles(values));
		byId('practices').hidden = !practices;
		this.#practices.show(practices ?? []);
		this.refresh();
	}

	/** What was before this page was opened, for server administrators. */
	async fill(): Promise<void> {
		try {
			const { fields, samples } = await ask<History>(
				{ type: 'admin_history' },
				'admin_history',
			);
			this.#curves.fill(samples.map((row) => sampleOf(fields, row)));
			this.refresh();
		} catch (error) {
			announce(`The curves begin now: ${reason(error)}`);
		}
	}

	refresh(): void {
		if (!byId('overview').hidden && !document.hidden) {
			this.#charts.forEach((chart) => chart.show(this.#curves));
		}
	}

	forget(): void {
		this.#curves.clear();
	}

	#setScope(scope: Stats['scope']): void {
		if (scope !== this.#scope) {
			this.#scope = scope;
			const wanted = scope === 'server' ? SERVER_CHARTS : PRACTICE_CHARTS;
			this.#charts = wanted.map((options) => new Chart(options));
			byId('charts').replaceChildren(...this.#charts.map(({ node }) => node));
		}
	}
}

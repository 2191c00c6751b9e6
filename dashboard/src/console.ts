// SPDX-License-Identifier: MIT
//
// Test messages through a service, and what comes back. Of an answer only its ids and numbers are
// shown: the rest may be confidential.

import { webSocketManager } from 'praxis-client';
import type { WebSocketMessage } from 'praxis-client';
import { byId, element, setText } from './dom.js';
import { act, inTurn, reason } from './server.js';
import type { Service } from './server.js';
import { Table } from './table.js';

const MOST = 100;
const OWN = ['admin_stats', 'admin_event', 'ack', 'pong', 'admin_tested'];
const SHOWN = ['code', 'ref', 'field', 'practiceId', 'roomId', 'seq', 'clientId'];

interface Answer {
	n: number;
	service: string;
	ok: boolean;
	answers: string;
	roundTripMs: number;
	handledUs: number | undefined;
}

function summary(message: WebSocketMessage): string {
	const shown = SHOWN.filter((name) => ['string', 'number'].includes(typeof message[name]));
	return [message.type, ...shown.map((name) => `${name}=${String(message[name])}`)].join(' ');
}

// The service's own messages, and errors: live traffic of others may come between.
function concerns(prefixes: readonly string[], { type }: WebSocketMessage): boolean {
	return (
		!OWN.includes(type) &&
		(type === 'error' || prefixes.some((each) => type.startsWith(`${each}_`)))
	);
}

export class Console {
	#answers: Answer[] = [];
	#count = 0;
	#services: readonly Service[] = [];
	#table = new Table<Answer>({
		caption: 'Answers',
		empty: 'Nothing was sent yet.',
		key: ({ n }) => String(n),
		columns: [
			{ title: 'No.', value: ({ n }) => n, numeric: true },
			{ title: 'Service', value: ({ service }) => service },
			{ title: 'Result', value: ({ ok }) => (ok ? 'ok' : 'refused') },
			{ title: 'Answers', value: ({ answers }) => answers, wrap: true },
			{
				title: 'Round trip',
				value: ({ roundTripMs }) => roundTripMs,
				text: ({ roundTripMs }) => `${roundTripMs.toFixed(1)} ms`,
				numeric: true,
			},
			{
				title: 'In the server',
				value: ({ handledUs }) => handledUs ?? -1,
				text: ({ handledUs }) => (handledUs === undefined ? '–' : `${handledUs} µs`),
				numeric: true,
			},
		],
	});

	constructor() {
		byId('test-answers').append(this.#table.node);
		this.#table.show([]);
		byId('test-form').addEventListener('submit', (event) => {
			event.preventDefault();
			void this.#run();
		});
	}

	setServices(services: readonly Service[]): void {
		const names = services.map(({ name }) => name);
		this.#services = services;
		const select = byId<HTMLSelectElement>('test-service');
		const chosen = select.value;
		select.replaceChildren(...names.map((name) => element('option', {}, name)));
		select.value = names.includes(chosen) ? chosen : (names[0] ?? '');
	}

	setPractice(practice: string): void {
		byId<HTMLInputElement>('test-practice').value ||= practice;
	}

	async #run(): Promise<void> {
		const service = byId<HTMLSelectElement>('test-service').value;
		const practice = byId<HTMLInputElement>('test-practice').value.trim();
		const times = Number(byId<HTMLSelectElement>('test-times').value);
		const trips: number[] = [];
		for (let i = 0; i < times && webSocketManager.isConnected(); i++) {
			const answer = await inTurn(() => this.#send(service, practice));
			trips.push(answer.roundTripMs);
			this.#answers = [answer, ...this.#answers].slice(0, MOST);
			this.#table.show(this.#answers);
		}
		const [least, most] = [Math.min(...trips), Math.max(...trips)];
		const mean = trips.reduce((sum, each) => sum + each, 0) / trips.length;
		setText(
			byId('test-sum'),
			trips.length === 0
				? 'Not connected: nothing was sent.'
				: `${trips.length} sent: ${least.toFixed(1)} to ${most.toFixed(1)} ms, ${mean.toFixed(1)} on average.`,
		);
	}

	async #send(service: string, practiceId: string): Promise<Answer> {
		const answers: string[] = [];
		const prefixes = this.#services.find(({ name }) => name === service)?.prefixes ?? [service];
		let tested: WebSocketMessage | undefined;
		const stop = webSocketManager.registerHandler('*', (message: WebSocketMessage) => {
			if (message.type === 'admin_tested') {
				tested = message;
			} else if (concerns(prefixes, message)) {
				answers.push(summary(message));
			}
		});
		const begun = performance.now();
		try {
			await act({ type: 'admin_test', service, ...(practiceId && { practiceId }) });
		} catch (error) {
			if (answers.length === 0) {
				answers.push(reason(error));
			}
		} finally {
			stop();
		}
		return {
			n: ++this.#count,
			service,
			ok: tested?.['ok'] === true,
			answers: answers.join('; ') || 'none',
			roundTripMs: performance.now() - begun,
			handledUs: tested?.['handledUs'] as number | undefined,
		};
	}
}

// SPDX-License-Identifier: MIT
//
// Who is connected, and the rooms they are in: ids and numbers, no names.

import { announce, byId, confirmed } from './dom.js';
import { bytes, clock, compact, count, duration } from './format.js';
import { Listing } from './listing.js';
import { act, reason, serverNow } from './server.js';
import type { Client, Room } from './server.js';

async function attempt(
	question: string,
	yes: string,
	message: { type: string },
	done: string,
): Promise<void> {
	if (!(await confirmed(question, yes))) {
		return;
	}
	try {
		await act(message);
		announce(done);
	} catch (error) {
		announce(reason(error));
	}
}

interface Seen {
	at: number;
	messages: number;
	rate: number;
}

// Messages a second of each client, between the last two times that it was seen.
class Rates {
	#seen = new Map<string, Seen>();

	update(clients: readonly Client[]): void {
		const now = performance.now();
		const seen = new Map<string, Seen>();
		for (const { clientId, messagesIn, messagesOut } of clients) {
			const messages = messagesIn + messagesOut;
			const before = this.#seen.get(clientId);
			const rate = before
				? ((messages - before.messages) * 1000) / Math.max(1, now - before.at)
				: 0;
			seen.set(clientId, { at: now, messages, rate: Math.max(0, rate) });
		}
		this.#seen = seen;
	}

	of({ clientId }: Client): number {
		return this.#seen.get(clientId)?.rate ?? 0;
	}
}

const age = (openedAt: number): string => duration(serverNow() - openedAt);

export function clientListing(): Listing<Client> {
	const rates = new Rates();
	const listing: Listing<Client> = new Listing<Client>(byId('clients'), {
		type: 'admin_clients',
		rows: (answer) => (answer['clients'] as Client[] | undefined) ?? [],
		arrived: (clients) => rates.update(clients),
		caption: 'Clients',
		empty: 'Nobody is here.',
		key: ({ clientId }) => clientId,
		columns: [
			{ title: 'Client', value: ({ clientId }) => clientId },
			{ title: 'User', value: ({ userId }) => userId ?? '–' },
			{ title: 'Role', value: ({ role }) => role },
			{
				title: 'Practices',
				value: ({ practices }) => (practices ?? []).join(', ') || '–',
				wrap: true,
			},
			{ title: 'Services', value: ({ services }) => (services ?? []).join(', '), wrap: true },
			{ title: 'State', value: ({ connected }) => (connected ? 'connected' : 'away') },
			{ title: 'Address', value: ({ address }) => address ?? '–' },
			{
				title: 'Age',
				value: ({ openedAt }) => serverNow() - openedAt,
				text: ({ openedAt }) => age(openedAt),
				numeric: true,
			},
			{ title: 'Rooms', value: ({ rooms }) => rooms, numeric: true },
			{
				title: 'Queue',
				value: ({ queueBytes }) => queueBytes,
				text: ({ queueBytes }) => bytes(queueBytes),
				numeric: true,
			},
			{
				title: 'In',
				value: (c) => c.messagesIn,
				text: (c) => count(c.messagesIn),
				numeric: true,
			},
			{
				title: 'Out',
				value: (c) => c.messagesOut,
				text: (c) => count(c.messagesOut),
				numeric: true,
			},
			{
				title: 'A second',
				value: (client) => rates.of(client),
				text: (client) => compact(rates.of(client)),
				numeric: true,
			},
		],
		action: {
			label: 'Disconnect',
			title: ({ clientId }) => `Disconnect ${clientId}`,
			run: ({ clientId, userId }) =>
				void attempt(
					`Disconnect client ${clientId} of user ${userId ?? 'unknown'}? It is told so, and does not come back by itself.`,
					'Disconnect',
					{ type: 'admin_disconnect', clientId } as { type: string },
					`${clientId} is disconnected.`,
				).then(() => listing.refresh()),
		},
	});
	return listing;
}

const people = (number: number, does: string, do_: string): string =>
	number === 1 ? `1 person ${does}` : `${number} people ${do_}`;

function whom(members: number, waiting: number): string {
	const leave = people(members, 'leaves it', 'leave it');
	const sent = people(waiting, 'who waits is sent away', 'who wait are sent away');
	return waiting === 0 ? `${leave}.` : members === 0 ? `${sent}.` : `${leave}, and ${sent}.`;
}

export function roomListing(): Listing<Room> {
	const listing: Listing<Room> = new Listing<Room>(byId('rooms'), {
		type: 'admin_rooms',
		rows: (answer) => (answer['rooms'] as Room[] | undefined) ?? [],
		caption: 'Rooms',
		empty: 'There is no room.',
		key: ({ service, practiceId, roomId }) => JSON.stringify([service, practiceId, roomId]),
		columns: [
			{ title: 'Room', value: ({ roomId }) => roomId },
			{ title: 'Practice', value: ({ practiceId }) => practiceId },
			{ title: 'Service', value: ({ service }) => service },
			{ title: 'Members', value: ({ members }) => members, numeric: true },
			{ title: 'Waiting', value: ({ waiting }) => waiting, numeric: true },
			{
				title: 'Age',
				value: ({ openedAt }) => serverNow() - openedAt,
				text: ({ openedAt }) => `${age(openedAt)}, since ${clock(openedAt)}`,
				numeric: true,
			},
		],
		action: {
			label: 'End',
			title: ({ roomId }) => `End room ${roomId}`,
			run: ({ service, practiceId, roomId, members, waiting }) =>
				void attempt(
					`End room ${roomId} of practice ${practiceId}? ${whom(members, waiting)}`,
					'End it',
					{ type: 'admin_end_room', service, practiceId, roomId } as { type: string },
					`Room ${roomId} has ended.`,
				).then(() => listing.refresh()),
		},
	});
	return listing;
}

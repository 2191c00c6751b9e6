// SPDX-License-Identifier: MIT
//
// Every operation of the API, called as an application does it with openapi-fetch, and an
// application's way of reading webhooks. openapi.test.mjs makes the types of the description, has
// this compiled against them, and runs it. What is called later may undo what came before.

import type { Client } from 'openapi-fetch';
import type { components, paths } from './described-api.js';

type Api = Client<paths>;
type Schemas = components['schemas'];

/** What there is: a client in a room, and an address that is locked. */
export interface Surroundings {
	practiceId: Schemas['Id'];
	clientId: string;
	roomId: string;
	address: string;
}

export const operations = {
	getMessages: (api: Api) => api.GET('/asyncapi.json'),

	getDescription: (api: Api) => api.GET('/openapi.json'),

	async getStats(api: Api) {
		const answer = await api.GET('/stats');
		const version: string | undefined = answer.data?.server.version;
		return { ...answer, said: version };
	},

	async getServices(api: Api) {
		const answer = await api.GET('/services');
		const types = answer.data?.services.flatMap(({ messages = [] }) => messages);
		return { ...answer, said: types?.map(({ type }) => type).join() };
	},

	switchService: (api: Api) =>
		api.POST('/services/{name}', {
			params: { path: { name: 'echo' } },
			body: { enabled: false },
		}),

	async getClients(api: Api, { practiceId }: Surroundings) {
		const query = { practiceId: String(practiceId), limit: 10 };
		const answer = await api.GET('/clients', { params: { query } });
		return { ...answer, said: answer.data?.clients.map(({ clientId }) => clientId).join() };
	},

	async getRooms(api: Api) {
		const answer = await api.GET('/rooms', { params: { query: { service: 'telemedicine' } } });
		return { ...answer, said: answer.data?.rooms.map(({ roomId }) => roomId).join() };
	},

	getHistory: (api: Api) => api.GET('/history'),

	async getLocks(api: Api) {
		const answer = await api.GET('/locks');
		return { ...answer, said: answer.data?.locks.map(({ address }) => address).join() };
	},

	getConfig: (api: Api) => api.GET('/config'),

	unlock: (api: Api, { address }: Surroundings) => api.POST('/unlock', { body: { address } }),

	async makeTicket(api: Api, { practiceId }: Surroundings) {
		const claims = { sub: '7', role: 'staff', practices: [practiceId] };
		const answer = await api.POST('/tickets', { body: { claims } });
		return { ...answer, said: answer.data?.ticket };
	},

	async publish(api: Api, { practiceId, roomId }: Surroundings) {
		const update = await api.POST('/publish', {
			params: { header: { 'Idempotency-Key': 'once' } },
			body: { type: 'whiteboard_update', practiceId, key: 'card', data: { card: 7 } },
		});
		const chat = await api.POST('/publish', {
			body: { type: 'telemedicine_chat_message', practiceId, roomId, message: 'Hello' },
		});
		return { ...chat, said: `${update.data?.seq}:${chat.data?.delivered}` };
	},

	async tail(api: Api, { practiceId }: Surroundings) {
		const controller = new AbortController();
		const answer = await api.POST('/tail', {
			body: { practiceId },
			parseAs: 'stream',
			signal: controller.signal,
		});
		controller.abort(); // it would go on
		return answer;
	},

	endRoom: (api: Api, { practiceId, roomId }: Surroundings) =>
		api.POST('/rooms/end', { body: { service: 'telemedicine', practiceId, roomId } }),

	disconnect: (api: Api, { clientId }: Surroundings) =>
		api.POST('/disconnect', { body: { clientId, reason: 'Bye' } }),
};

/** Every kind of event in words; a kind that is not here does not compile. */
export function inWords(event: Schemas['WebhookEvent']): string {
	switch (event.type) {
		case 'session_opened':
			return `${event.clientId} is ${event.role}`;
		case 'session_closed':
			return `${event.clientId} stayed ${event.durationMs} ms`;
		case 'room_started':
			return `${event.roomId} has begun`;
		case 'member_joined':
			return `${event.clientId} is in ${event.roomId}`;
		case 'member_left':
			return `${event.clientId} has ${event.reason}`;
		case 'room_ended':
			return `${event.roomId}: ${event.participants.map(({ clientId }) => clientId).join()}`;
		default:
			return event satisfies never;
	}
}

// SPDX-License-Identifier: MIT
//
// A map of an application's own messages: what is sent and handled has its types, and the package is
// the same as without one.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { complaints } from '../lib/snippets.js';

const HEAD = `
	import { createWebSocketManager, webSocketManager, WhiteboardWebSocketService } from 'praxis-client';
	import type { Received, Sent, WebSocketManager, WebSocketMessage } from 'praxis-client';
	import { useConnectionStatus } from 'praxis-client/react';

	interface Messages {
		lab_result: { patientId: number; values: number[]; seq: number };
		lab_seen: { patientId: number };
	}
	interface Requests {
		lab_result: { patientId: number; values: number[] };
	}
	export const manager = createWebSocketManager<Messages, Requests>();
`;

const check = (code: string) => complaints({ 'map.ts': HEAD + code });

describe('a map of messages', () => {
	it('types what is handled, with the stamps of the server', () => {
		const code = `
			manager.registerHandler('lab_result', (message) => {
				const type: 'lab_result' = message.type;
				const values: number[] = message.values;
				const at: number | undefined = message.timestamp;
				const from: string | undefined = message.clientId;
				// @ts-expect-error: there is no such field
				message.patient;
				return [type, values, at, from];
			});
			export const result: Received<Messages, 'lab_result'> = {
				type: 'lab_result', patientId: 1, values: [], seq: 1,
			};`;
		assert.deepEqual(check(code), []);
	});

	it('types what is sent', () => {
		const code = `
			manager.sendMessage({ type: 'lab_result', patientId: 1, values: [1.5] });
			export const receipt: Promise<number | undefined> = manager
				.send({ type: 'lab_result', patientId: 1, values: [] }, { lifetime: 'session' })
				.then(({ seq }) => seq);
			export const sent: Sent<Requests, 'lab_result'> = {
				type: 'lab_result', id: 'one', patientId: 1, values: [],
			};
			// @ts-expect-error: a field is missing
			manager.sendMessage({ type: 'lab_result', patientId: 1 });
			// @ts-expect-error: of another type
			void manager.send({ type: 'lab_result', patientId: '1', values: [] });
			// @ts-expect-error: there is no such field
			void manager.send({ type: 'lab_result', patientId: 1, values: [], colour: 'red' });`;
		assert.deepEqual(check(code), []);
	});

	it('leaves other messages as they are', () => {
		const code = `
			manager.registerHandler('whiteboard_update', ({ seq }) => seq.toFixed());
			manager.registerHandler('other', (message) => message['anything']);
			manager.sendMessage({ type: 'other', anything: 1 });
			export const send = (message: WebSocketMessage) => manager.send(message);`;
		assert.deepEqual(check(code), []);
	});

	it('makes no other manager of it', () => {
		const code = `
			export const service = new WhiteboardWebSocketService(manager);
			export const status = () => useConnectionStatus(manager);
			export const plain: WebSocketManager = manager;
			export const typed = webSocketManager.typed<Messages, Requests>();
			typed.registerHandler('lab_result', ({ values }) => values.map((value) => value + 1));
			export const both = createWebSocketManager<Messages>({ url: '/ws' });
			both.sendMessage({ type: 'lab_seen', patientId: 1 });`;
		assert.deepEqual(check(code), []);
	});
});

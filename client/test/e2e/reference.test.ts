// SPDX-License-Identifier: MIT
//
// The code of the reference system's page runs, unchanged, against a real praxisd, and others see
// what it does.

import assert from 'node:assert/strict';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { webSocketManager, WebSocketStatus } from 'praxis-client';
import { itEnds, secret, usePraxisd } from 'praxisd-of-tests';
import { WebSocket } from 'ws';
import { Page } from '../lib/page.js';
import { referenceSnippets } from '../lib/reference.js';

const surroundings = {
	myPracticeId: 1,
	practiceId: 1,
	roomId: 'appointment_12',
	appointmentId: 12,
	userId: 7,
	userName: 'Ann',
	answer: { type: 'answer', sdp: secret('sdp') },
	refreshWhiteboardData: () => {},
	handleIncomingOffer: () => {},
	displayChatMessage: () => {},
	handler: () => {},
};

async function run(name: string, code: string): Promise<void> {
	const outfile = path.join(process.cwd(), 'build', 'snippets', `${name}.mjs`);
	await build({
		stdin: { contents: code, loader: 'ts', resolveDir: process.cwd() },
		bundle: true,
		outfile,
		format: 'esm',
		logLevel: 'error',
		external: ['praxis-client'],
		plugins: [
			{
				name: 'alias',
				setup: (esbuild) => {
					esbuild.onResolve({ filter: /^@\/lib\/websocket\/?$/ }, () => ({
						path: 'praxis-client',
						external: true,
					}));
				},
			},
		],
	});
	await import(pathToFileURL(outfile).href);
}

describe("the reference system's page", () => {
	afterEach(() => webSocketManager.disconnect());
	const praxis = usePraxisd();

	it('runs, and a colleague sees what it does', async () => {
		Object.assign(globalThis, surroundings);
		const bob = new Page(praxis, { practiceId: 1, userId: 8 });
		await bob.connected();
		bob.telemedicine.joinRoom('appointment_12', 12, 8, 'Bob');
		await bob.next('telemedicine_room_joined');
		webSocketManager.configure({
			url: `ws://127.0.0.1:${praxis.port}/ws`,
			query: { practiceId: 1, userId: 7 },
			WebSocket,
		});
		const errors: string[] = [];
		webSocketManager.registerHandler('error', ({ code, ref }) =>
			errors.push(`${ref}: ${code}`),
		);
		// The page's snippets disconnect at once; with the connection held they have done it all.
		const connected = new Promise<void>((resolve) => {
			webSocketManager.onStatusChange((status) => {
				if (status === WebSocketStatus.CONNECTED) {
					resolve();
				}
			});
		});
		webSocketManager.connect('the test');
		await connected;

		for (const { code, line } of referenceSnippets()) {
			await run(`line-${line}`, code);
		}

		await bob.next('telemedicine_user_left');
		assert.deepEqual(bob.of('whiteboard_update')[0]?.['data'], { updated: true });
		assert.deepEqual(
			bob.messages.map(({ type }) => type).filter((type) => /^telemedicine_/.test(type)),
			[
				'telemedicine_room_joined',
				'telemedicine_user_joined',
				'telemedicine_answer',
				'telemedicine_chat_message',
				'telemedicine_user_left',
			],
		);
		assert.equal(bob.of('telemedicine_chat_message')[0]?.['message'], 'Hello!');
		// The page's own example of a message that no service of the server knows.
		assert.deepEqual(errors, ['custom_message: unknown_type']);
		assert.deepEqual(Object.keys(webSocketManager.getServices()), [
			'whiteboard',
			'telemedicine',
			'notifications',
		]);
		bob.close();
	});

	itEnds(praxis);
});

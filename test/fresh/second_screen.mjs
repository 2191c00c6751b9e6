// SPDX-License-Identifier: MIT
//
// Two screens of the demonstration's practice: whether what is served is there, and whether the first sees a
// card that the second moves. Takes what scripts/run has fetched (`ws` is among it) and no more, so that it
// runs where nothing else was started; the end-to-end tests' own clients take the tools of test/e2e.
//
//	node second_screen.mjs LINK LINK
//
// The links are those of scripts/run: http://localhost:9002/demo/#token=… or, in open mode, #practice=1&user=1….

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Inbox } from '../e2e/lib/inbox.mjs';

const { WebSocket } = createRequire(new URL('../../client/', import.meta.url))('ws');
const CARD = { id: 'card-1', column: 'treatment' };
const OPEN_MODE = { practice: 'practiceId', user: 'userId', name: 'userName' };

async function page(link, path) {
	const { status } = await fetch(new URL(path, link));
	assert.equal(status, 200, path);
}

// A screen as the page is one: who it is it says in its first message, or, in open mode, in the query.
class Screen {
	#inbox = new Inbox();

	static async open(link) {
		const { hash, host } = new URL(link);
		const who = new URLSearchParams(hash.slice(1));
		const token = who.get('token');
		const query = token ? [] : [...who].map(([key, value]) => [OPEN_MODE[key], value]);
		const screen = new Screen();
		screen.socket = new WebSocket(`ws://${host}/ws?${new URLSearchParams(query)}`);
		screen.socket.on('message', (text) => screen.#inbox.push(JSON.parse(text)));
		screen.socket.on('error', ({ message }) => screen.#inbox.end(message));
		screen.clientId = (await screen.next('connection_established')).clientId;
		if (token) {
			screen.send({ type: 'auth', token });
			await screen.next('auth_ok');
		}
		screen.send({ type: 'whiteboard_subscribe', practiceId: 1 });
		await screen.next('whiteboard_subscribed');
		return screen;
	}

	send(message) {
		this.socket.send(JSON.stringify(message));
	}

	next(type) {
		return this.#inbox.next(type);
	}

	async close() {
		const closed = once(this.socket, 'close');
		this.socket.close(1000);
		await closed;
	}
}

const links = process.argv.slice(2);
assert.ok(links.length >= 2, 'two links are needed: was the demonstration built?');
await page(links[0], '/health');
await page(links[0], '/demo/');
const [first, second] = [await Screen.open(links[0]), await Screen.open(links[1])];
second.send({ type: 'whiteboard_update', practiceId: 1, data: CARD });
const update = await first.next('whiteboard_update');
assert.deepEqual(update.data, CARD);
assert.equal(update.clientId, second.clientId);
await first.close();
await second.close();

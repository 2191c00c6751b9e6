// SPDX-License-Identifier: MIT
//
// The page that was there before Praxis: a socket written by hand, without a subprotocol, that sends
// `join-room` when it opens, knows its user by the application's cookie, takes an error for something
// that it does not know, and tries five times, three seconds apart, to come back.

import { WebSocket } from './client.mjs';

const ATTEMPTS = 5;
const DELAY_MS = 3000;

export class OldClient {
	heard = []; // messages, as they came
	opened = 0;
	gaveUp = false;
	#attempts = 0;
	#socket = null;
	#timer = null;
	#closed = Promise.resolve();

	constructor(url, options) {
		Object.assign(this, { url, options });
		this.#connect();
	}

	of(type) {
		return this.heard.filter((message) => message.type === type);
	}

	send(message) {
		if (this.#socket.readyState !== WebSocket.OPEN) {
			return false;
		}
		this.#socket.send(JSON.stringify(message));
		return true;
	}

	get isOpen() {
		return this.#socket.readyState === WebSocket.OPEN;
	}

	async close() {
		this.#attempts = Infinity;
		clearTimeout(this.#timer);
		this.#socket.close(1000);
		await this.#closed;
	}

	#connect() {
		const socket = new WebSocket(this.url, this.options);
		this.#socket = socket;
		socket.on('open', () => {
			this.#attempts = 0;
			this.opened++;
			socket.send(
				JSON.stringify({ type: 'join-room', roomId: 'consulting-room', userId: 12 }),
			);
		});
		socket.on('message', (data) => this.heard.push(JSON.parse(data)));
		socket.on('error', () => {});
		this.#closed = new Promise((resolve) => {
			socket.on('close', () => {
				this.#again();
				resolve();
			});
		});
	}

	#again() {
		if (this.#attempts < ATTEMPTS) {
			this.#attempts++;
			this.#timer = setTimeout(() => this.#connect(), DELAY_MS);
		} else {
			this.gaveUp = true;
		}
	}
}

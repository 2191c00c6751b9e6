// SPDX-License-Identifier: MIT
//
// A well-behaved client: the `ws` package, which like a browser refuses what a server gets wrong.

import WebSocket from 'ws';
import { Conformance } from './conformance.mjs';
import { Session } from './session.mjs';
import { DEADLINE_MS } from './wait.mjs';

// For those who do without a Session: held against the description all the same.
class DescribedWebSocket extends WebSocket {
	#conformance = new Conformance();

	constructor(...details) {
		super(...details);
		this.on('message', (data) => {
			const text = data.toString();
			this.#conformance.received(JSON.parse(text), text);
		});
	}

	send(data, ...more) {
		this.#conformance.sent(data.toString());
		super.send(data, ...more);
	}
}

export { DescribedWebSocket as WebSocket };

export class WsClient extends Session {
	#socket;

	// `options`: more of those of the package, of TLS for instance.
	static open(url, protocols, identity, options = {}) {
		const client = new WsClient(identity);
		const socket = new WebSocket(url, protocols, {
			perMessageDeflate: false,
			handshakeTimeout: DEADLINE_MS,
			...options,
		});
		client.#socket = socket;
		socket.on('message', (data, isBinary) => {
			if (isBinary) {
				client.violations.push('a binary message');
			}
			client.received(data.toString());
		});
		socket.on('close', (code, reason) => client.ended(code, reason.toString()));
		return new Promise((resolve, reject) => {
			socket.once('open', () => {
				socket.on('error', (error) =>
					client.violations.push(`broken frame: ${error.message}`),
				);
				resolve(client);
			});
			socket.once('error', reject);
		});
	}

	// The TCP or TLS socket below.
	get transport() {
		return this.#socket._socket;
	}

	get protocol() {
		return this.#socket.protocol;
	}

	sendText(text) {
		this.#socket.send(text);
	}

	sendBinary(bytes) {
		this.#socket.send(bytes, { binary: true });
	}

	// Closes as a browser does and waits until the server did, too.
	close(code = 1000) {
		if (this.#socket.readyState !== WebSocket.CLOSED) {
			this.#socket.close(code);
		}
		return this.closing();
	}

	// Ends the connection without a close frame.
	kill() {
		this.#socket.terminate();
		return this.closing();
	}
}

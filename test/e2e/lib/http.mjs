// SPDX-License-Identifier: MIT
//
// HTTP by hand, since Node's own client will not send what a test of a server has to: wrong
// methods, wrong versions, `..` in a path, two requests at once, half a request.

import assert from 'node:assert/strict';
import net from 'node:net';
import { within } from './wait.mjs';

// One TCP connection. Responses are read in the order in which they come.
export class Wire {
	#chunks = Buffer.alloc(0);
	#wake = () => {};
	#over = false;

	static async open(port, localAddress) {
		const socket = net.connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
		const wire = new Wire(socket);
		await within(
			new Promise((resolve, reject) => {
				socket.once('connect', resolve);
				socket.once('error', reject);
			}),
			'a TCP connection',
		);
		return wire;
	}

	constructor(socket) {
		this.socket = socket;
		socket.unref(); // one that a failed test left behind must not keep the process
		this.onData = (data) => {
			this.#chunks = Buffer.concat([this.#chunks, data]);
			this.#wake();
		};
		this.onEnd = () => {
			this.#over = true;
			this.#wake();
		};
		socket.on('data', this.onData);
		socket.on('end', this.onEnd);
		socket.on('error', this.onEnd);
		socket.on('close', this.onEnd);
	}

	write(bytes) {
		this.socket.write(bytes);
	}

	close() {
		this.socket.destroy();
	}

	// { version, status, headers, body }, or null where the server ended the connection instead.
	response({ head = false } = {}) {
		return within(
			this.#response(head),
			() => `a response (${this.#chunks.length} bytes so far)`,
		);
	}

	// Leaves HTTP behind: the socket and what came after the response, for the caller to read on.
	release() {
		for (const event of ['end', 'error', 'close']) {
			this.socket.off(event, this.onEnd);
		}
		this.socket.off('data', this.onData);
		return { socket: this.socket, rest: this.#chunks };
	}

	async #response(head) {
		while (this.#chunks.indexOf('\r\n\r\n') < 0) {
			if (this.#over) {
				return null;
			}
			await this.#more();
		}
		const end = this.#chunks.indexOf('\r\n\r\n');
		const [first, ...lines] = this.#chunks.subarray(0, end).toString('latin1').split('\r\n');
		const [version, status] = first.split(' ');
		const headers = {};
		for (const line of lines) {
			const colon = line.indexOf(':');
			headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
		}
		this.#chunks = this.#chunks.subarray(end + 4);
		const bodiless = head || status.startsWith('1') || status === '204' || status === '304';
		const body = bodiless ? '' : await this.#body(headers);
		return { version, status: Number(status), headers, body: body.toString() };
	}

	#body(headers) {
		if (/chunked/i.test(headers['transfer-encoding'])) {
			return this.#chunkedBody();
		}
		return this.#bytes(
			headers['content-length'] === undefined ? Infinity : Number(headers['content-length']),
		);
	}

	async #chunkedBody() {
		let body = Buffer.alloc(0);
		for (;;) {
			while (this.#chunks.indexOf('\r\n') < 0 && !this.#over) {
				await this.#more();
			}
			const line = await this.#bytes(this.#chunks.indexOf('\r\n') + 2);
			const length = parseInt(line.toString('latin1'), 16);
			body = Buffer.concat([body, (await this.#bytes(length + 2)).subarray(0, length)]);
			if (!length) {
				return body;
			}
		}
	}

	// As many bytes, or as there are before the end.
	async #bytes(count) {
		while (this.#chunks.length < count && !this.#over) {
			await this.#more();
		}
		const bytes = this.#chunks.subarray(0, count);
		this.#chunks = this.#chunks.subarray(bytes.length);
		return bytes;
	}

	#more() {
		return new Promise((resolve) => {
			this.#wake = resolve;
		});
	}
}

// The text of a request; a header given as null is left out.
export function request(method, path, headers = {}, { version = 'HTTP/1.1', body = '' } = {}) {
	const all = { Host: '127.0.0.1', ...headers };
	const lines = Object.entries(all)
		.filter(([, value]) => value !== null)
		.map(([name, value]) => `${name}: ${value}\r\n`);
	return `${method} ${path} ${version}\r\n${lines.join('')}\r\n${body}`;
}

// One request on a connection of its own.
export async function exchange(port, text, options) {
	const wire = await Wire.open(port);
	try {
		wire.write(text);
		return await wire.response(options);
	} finally {
		wire.close();
	}
}

export function get(port, path, headers) {
	return exchange(port, request('GET', path, { Connection: 'close', ...headers }));
}

export function assertJsonError(response, ...statuses) {
	assert.ok(response, 'an HTTP answer, not just an end');
	assert.ok(statuses.includes(response.status), `${response.status} is one of ${statuses}`);
	assert.match(response.headers['content-type'] ?? '', /^application\/json/);
	const { error } = JSON.parse(response.body);
	assert.equal(typeof error.code, 'string');
	assert.equal(typeof error.message, 'string');
}

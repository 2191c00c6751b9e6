// SPDX-License-Identifier: MIT
//
// RFC 6455 by hand: a client that can do everything wrong that a client can do wrong, and is strict
// with what the server sends (the checks that a library would make, and some that none makes).

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { noteFurther } from './conformance.mjs';
import { request, Wire } from './http.mjs';
import { overlay } from './overlay.mjs';
import { Session } from './session.mjs';
import { within } from './wait.mjs';

export const OP = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

// A client's frame. `announce`: the length to claim instead of the payload's, `wide`: written in 64
// bits even if it needs fewer.
export function frame(
	opcode,
	payload = '',
	{ fin = true, mask = true, rsv = 0, announce, wide } = {},
) {
	const body = Buffer.from(payload);
	if (opcode === OP.text && fin) {
		noteFurther(body.toString());
	}
	const length = BigInt(announce ?? body.length);
	const masked = mask ? 0x80 : 0;
	const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
	if (wide || length > 0xffffn) {
		const bytes = Buffer.alloc(8);
		bytes.writeBigUInt64BE(length);
		head.push(masked | 127, ...bytes);
	} else if (length > 125n) {
		head.push(masked | 126, Number(length >> 8n), Number(length & 0xffn));
	} else {
		head.push(masked | Number(length));
	}
	if (!mask) {
		return Buffer.concat([Buffer.from(head), body]);
	}
	const key = randomBytes(4);
	return Buffer.concat([Buffer.from(head), key, body.map((byte, at) => byte ^ key[at % 4])]);
}

// One text message as frames of at most `size` bytes each.
export function fragments(text, size) {
	const bytes = Buffer.from(text);
	const frames = [];
	noteFurther(text);
	for (let at = 0; at < bytes.length; at += size) {
		frames.push(
			frame(at === 0 ? OP.text : OP.continuation, bytes.subarray(at, at + size), {
				fin: at + size >= bytes.length,
			}),
		);
	}
	return frames;
}

export function closePayload(code, reason = '') {
	return Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]);
}

// The request of an upgrade as a browser writes it; a header given as null is left out.
export function upgradeRequest(path = '/ws', headers = {}, { method = 'GET', version } = {}) {
	return request(
		method,
		path,
		{
			Connection: 'Upgrade',
			Upgrade: 'websocket',
			'Sec-WebSocket-Version': '13',
			'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
			...headers,
		},
		{ version },
	);
}

// What the server answers to an upgrade that it refuses: { status, headers, body }, or null.
export async function refusedUpgrade(port, ...details) {
	const wire = await Wire.open(port);
	try {
		wire.write(upgradeRequest(...details));
		const response = await wire.response();
		assert.notEqual(response?.status, 101, 'refused');
		return response;
	} finally {
		wire.close();
	}
}

export class RawClient extends Session {
	#bytes = Buffer.alloc(0);
	#parts = null;
	#close = null;
	#frames = [];
	#frameWaiters = [];

	// `pong`: whether it answers pings; `echoClose`: whether it answers a close frame.
	static async open(
		port,
		path,
		identity,
		{ headers = {}, pong = true, echoClose = true, wire } = {},
	) {
		const client = new RawClient(identity);
		const key = randomBytes(16).toString('base64');
		wire ??= await Wire.open(port);
		wire.write(
			upgradeRequest(path, {
				'Sec-WebSocket-Key': key,
				...overlay?.headers(),
				...headers,
			}),
		);
		const response = await wire.response();
		assert.equal(response?.status, 101, `upgraded: ${response?.body}`);
		assert.equal(
			response.headers['sec-websocket-accept'],
			createHash('sha1')
				.update(key + GUID)
				.digest('base64'),
		);
		client.protocol = response.headers['sec-websocket-protocol'] ?? '';
		client.#adopt(wire.release(), pong, echoClose);
		return client;
	}

	sendText(text) {
		this.write(frame(OP.text, text));
	}

	// Any bytes: frames, or what is none.
	write(bytes) {
		this.socket.write(bytes);
	}

	// The next control frame of this kind: { opcode, payload }.
	nextFrame(opcode, ms) {
		const at = this.#frames.findIndex((candidate) => candidate.opcode === opcode);
		if (at >= 0) {
			return Promise.resolve(this.#frames.splice(at, 1)[0]);
		}
		return within(
			new Promise((resolve, reject) => {
				this.#frameWaiters.push({ opcode, resolve, reject });
			}),
			`a frame ${opcode}`,
			ms,
		);
	}

	// How many control frames of this kind are here that nobody took.
	count(opcode) {
		return this.#frames.filter((candidate) => candidate.opcode === opcode).length;
	}

	close(code = 1000) {
		if (!this.socket.destroyed) {
			this.socket.resume();
			this.write(frame(OP.close, closePayload(code)));
		}
		return this.closing();
	}

	// Ends the connection without a close frame: with a reset, or with a FIN. A socket with TLS has
	// the one below it as its `carrier`.
	kill({ reset = true } = {}) {
		if (reset && !this.socket.writableEnded) {
			const below = this.socket.carrier ?? this.socket;
			below.once('close', this.#over); // Node 18 does not tell a carrier's end to whom it carries
			below.resetAndDestroy(); // once ended, Node would wait for ever
		} else {
			this.socket.destroy();
		}
		return this.closing();
	}

	#adopt({ socket, rest }, pong, echoClose) {
		this.socket = socket;
		this.pong = pong;
		this.echoClose = echoClose;
		socket.on('data', (data) => this.#feed(data));
		socket.on('error', () => {});
		socket.on('close', this.#over);
		this.#feed(rest);
	}

	// Of the connection, told once or twice.
	#over = () => {
		const { code, reason } = this.#close ?? { code: 1006, reason: '' };
		this.ended(code, reason);
		this.#frameWaiters.forEach((waiter) => waiter.reject(new Error(`closed with ${code}`)));
	};

	#feed(data) {
		this.#bytes = Buffer.concat([this.#bytes, data]);
		for (;;) {
			const found = this.#parse();
			if (!found) {
				return;
			}
			this.#onFrame(found);
		}
	}

	#parse() {
		const bytes = this.#bytes;
		if (bytes.length < 2) {
			return null;
		}
		let length = bytes[1] & 0x7f;
		let at = 2;
		if (length === 126) {
			if (bytes.length < (at = 4)) {
				return null;
			}
			length = bytes.readUInt16BE(2);
			this.#demand(length > 125, 'a length in more bytes than it needs');
		} else if (length === 127) {
			if (bytes.length < (at = 10)) {
				return null;
			}
			length = Number(bytes.readBigUInt64BE(2));
			this.#demand(length > 0xffff, 'a length in more bytes than it needs');
		}
		this.#demand((bytes[1] & 0x80) === 0, 'a masked frame');
		this.#demand((bytes[0] & 0x70) === 0, 'reserved bits');
		if (bytes.length < at + length) {
			return null;
		}
		this.#bytes = bytes.subarray(at + length);
		return {
			fin: (bytes[0] & 0x80) !== 0,
			opcode: bytes[0] & 15,
			payload: bytes.subarray(at, at + length),
		};
	}

	#onFrame({ fin, opcode, payload }) {
		this.#demand(!this.#close, 'a frame after the close frame');
		if (opcode >= OP.close) {
			this.#demand(fin && payload.length <= 125, 'a control frame in parts or too long');
			this.#onControl(opcode, payload);
			return;
		}
		this.#demand(
			(opcode === OP.continuation) === (this.#parts !== null),
			'a fragment out of turn',
		);
		this.#demand(opcode !== OP.binary, 'a binary frame');
		this.#parts = [...(this.#parts ?? []), payload];
		if (!fin) {
			return;
		}
		const message = Buffer.concat(this.#parts);
		this.#parts = null;
		this.#demand(message.equals(Buffer.from(message.toString())), 'invalid UTF-8');
		this.received(message.toString());
	}

	#onControl(opcode, payload) {
		if (opcode === OP.close) {
			this.#close =
				payload.length > 1
					? { code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() }
					: { code: 1005, reason: '' };
			if (this.echoClose) {
				this.socket.end(frame(OP.close, payload.subarray(0, 2)));
			}
		} else if (opcode === OP.ping && this.pong) {
			this.write(frame(OP.pong, payload));
		}
		const waiter = this.#frameWaiters.find((candidate) => candidate.opcode === opcode);
		if (waiter) {
			this.#frameWaiters = this.#frameWaiters.filter((other) => other !== waiter);
			waiter.resolve({ opcode, payload });
		} else {
			this.#frames.push({ opcode, payload });
		}
	}

	#demand(holds, violation) {
		if (!holds) {
			this.violations.push(violation);
		}
	}
}

// SPDX-License-Identifier: MIT
//
// A client of a TURN server by UDP (RFC 8656), as much of it as tells whether credentials hold and which peers are
// reached: Allocate, CreatePermission.

import { createHash, createHmac, randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import { within } from '../e2e/lib/wait.mjs';

const MAGIC = 0x2112a442;
const ALLOCATE = 0x0003;
const CREATE_PERMISSION = 0x0008;
const USERNAME = 0x0006;
const INTEGRITY = 0x0008;
const ERROR_CODE = 0x0009;
const XOR_PEER_ADDRESS = 0x0012;
const REALM = 0x0014;
const NONCE = 0x0015;
const REQUESTED_TRANSPORT = 0x0019;
const IS_ERROR = 0x0110;
const UDP = 17;
const RTO_MS = 500; // as RFC 8489 has it, without doubling

function attribute(type, value) {
	const padded = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
	padded.writeUInt16BE(type, 0);
	padded.writeUInt16BE(value.length, 2);
	Buffer.from(value).copy(padded, 4);
	return padded;
}

function message(type, id, attributes, more = 0) {
	const head = Buffer.alloc(8);
	const body = Buffer.concat(attributes);
	head.writeUInt16BE(type, 0);
	head.writeUInt16BE(body.length + more, 2);
	head.writeUInt32BE(MAGIC, 4);
	return Buffer.concat([head, id, body]);
}

// { type, attributes: type → value }
function read(bytes) {
	const attributes = new Map();
	for (let at = 20; at + 4 <= bytes.length;) {
		const length = bytes.readUInt16BE(at + 2);
		attributes.set(bytes.readUInt16BE(at), bytes.subarray(at + 4, at + 4 + length));
		at += 4 + Math.ceil(length / 4) * 4;
	}
	return { type: bytes.readUInt16BE(0), attributes };
}

export class TurnClient {
	#socket = dgram.createSocket('udp4');
	#credentials;
	#realm;
	#nonce;

	constructor(host, port, credentials) {
		this.host = host;
		this.port = port;
		this.#credentials = credentials;
	}

	// 0, or the code of the error.
	async allocate() {
		const first = await this.#ask(ALLOCATE, [attribute(REQUESTED_TRANSPORT, [UDP, 0, 0, 0])]);
		this.#realm = first.attributes.get(REALM);
		this.#nonce = first.attributes.get(NONCE);
		return this.#signed(ALLOCATE, [attribute(REQUESTED_TRANSPORT, [UDP, 0, 0, 0])]);
	}

	// 0, or the code of the error.
	permit(address) {
		const value = Buffer.alloc(8);
		value.writeUInt16BE(1, 0); // IPv4
		value.writeUInt16BE(9 ^ (MAGIC >>> 16), 2);
		const number = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
		value.writeUInt32BE((number ^ MAGIC) >>> 0, 4);
		return this.#signed(CREATE_PERMISSION, [attribute(XOR_PEER_ADDRESS, value)]);
	}

	close() {
		this.#socket.close();
	}

	async #signed(type, attributes) {
		const { username, credential } = this.#credentials;
		const identity = [
			attribute(USERNAME, Buffer.from(username)),
			attribute(REALM, this.#realm),
			attribute(NONCE, this.#nonce),
		];
		const key = createHash('md5').update(`${username}:${this.#realm}:${credential}`).digest();
		const answer = await this.#ask(type, [...attributes, ...identity], key);
		const code = answer.attributes.get(ERROR_CODE);
		return (answer.type & IS_ERROR) === IS_ERROR ? code[2] * 100 + code[3] : 0;
	}

	// With a key it is signed: over a length that has the signature in it, of 24 bytes.
	#ask(type, attributes, key) {
		const id = randomBytes(12);
		let bytes = message(type, id, attributes, key ? 24 : 0);
		if (key) {
			const hmac = createHmac('sha1', key).update(bytes).digest();
			bytes = Buffer.concat([bytes, attribute(INTEGRITY, hmac)]);
		}
		const answered = new Promise((resolve) => {
			const listener = (answer) => {
				if (answer.subarray(8, 20).equals(id)) {
					this.#socket.off('message', listener);
					resolve(read(answer));
				}
			};
			this.#socket.on('message', listener);
		});
		const send = () => this.#socket.send(bytes, this.port, this.host);
		const again = setInterval(send, RTO_MS);
		send();
		return within(answered, 'an answer of the TURN server').finally(() => clearInterval(again));
	}
}

// SPDX-License-Identifier: MIT
//
// As much of a TURN server (RFC 8656, over UDP) as it takes to be asked for an address with the
// credentials that Praxis makes: it refuses those that are wrong, and relays nothing.

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { createSocket } from 'node:dgram';

const COOKIE = 0x2112a442;
const ALLOCATE = 0x003;
const SUCCESS = 0x100;
const ERROR = 0x110;
const USERNAME = 0x006;
const INTEGRITY = 0x008;
const ERROR_CODE = 0x009;
const LIFETIME = 0x00d;
const REALM = 0x014;
const NONCE = 0x015;
const RELAYED = 0x016;
const MAPPED = 0x020;
const HEADER_BYTES = 20;
const INTEGRITY_BYTES = 24;

function attributesOf(message) {
	const attributes = new Map();
	for (let at = HEADER_BYTES; at + 4 <= message.length;) {
		const bytes = message.readUInt16BE(at + 2);
		attributes.set(message.readUInt16BE(at), {
			at,
			value: message.subarray(at + 4, at + 4 + bytes),
		});
		at += 4 + bytes + ((4 - (bytes % 4)) % 4);
	}
	return attributes;
}

function attribute(type, value) {
	const whole = Buffer.alloc(4 + value.length + ((4 - (value.length % 4)) % 4));
	whole.writeUInt16BE(type, 0);
	whole.writeUInt16BE(value.length, 2);
	value.copy(whole, 4);
	return whole;
}

// An IPv4 address as RFC 8489 has it, 14.2.
function xored(address, port) {
	const value = Buffer.from([0, 1, 0, 0, ...address.split('.').map(Number)]);
	value.writeUInt16BE(port ^ (COOKIE >>> 16), 2);
	value.writeUInt32BE((value.readUInt32BE(4) ^ COOKIE) >>> 0, 4);
	return value;
}

function signatureOf(message, key) {
	const upToIt = Buffer.from(message);
	// The length counts the attribute that is to come.
	upToIt.writeUInt16BE(message.length - HEADER_BYTES + INTEGRITY_BYTES, 2);
	return createHmac('sha1', key).update(upToIt).digest();
}

export class Relay {
	/** Requests with credentials, and whether these were right. */
	asked = [];
	#secret;
	#socket = createSocket('udp4');
	#nonce = Buffer.from(randomBytes(8).toString('hex'));

	constructor(secret) {
		this.#secret = secret;
		this.#socket.on('message', (message, from) => this.#answer(message, from));
	}

	listen() {
		return new Promise((resolve) => {
			this.#socket.bind(0, '127.0.0.1', () => resolve(this));
		});
	}

	get url() {
		return `turn:127.0.0.1:${this.#socket.address().port}?transport=udp`;
	}

	close() {
		return new Promise((resolve) => this.#socket.close(resolve));
	}

	#answer(message, from) {
		if (message.length < HEADER_BYTES || message.readUInt16BE(0) !== ALLOCATE) {
			return;
		}
		const attributes = attributesOf(message);
		const username = attributes.get(USERNAME)?.value.toString();
		const key = username === undefined ? undefined : this.#keyOf(username);
		const isRight = key !== undefined && this.#isSigned(message, attributes, key);
		if (key !== undefined) {
			this.asked.push(isRight);
		}
		const [type, parts] = isRight
			? [
					SUCCESS,
					[
						attribute(RELAYED, xored('127.0.0.1', 49_152)),
						attribute(MAPPED, xored(from.address, from.port)),
						attribute(LIFETIME, Buffer.from([0, 0, 2, 88])),
					],
				]
			: [
					ERROR,
					[
						attribute(ERROR_CODE, Buffer.from('\0\0\x04\x01Unauthorized', 'latin1')),
						attribute(REALM, Buffer.from('test')),
						attribute(NONCE, this.#nonce),
					],
				];
		const header = Buffer.from(message.subarray(0, HEADER_BYTES));
		header.writeUInt16BE(ALLOCATE | type, 0);
		let whole = Buffer.concat([header, ...parts]);
		if (isRight) {
			whole = Buffer.concat([whole, attribute(INTEGRITY, signatureOf(whole, key))]);
		}
		whole.writeUInt16BE(whole.length - HEADER_BYTES, 2);
		this.#socket.send(whole, from.port, from.address);
	}

	// The password is what a server with that secret makes of the name (coturn's use-auth-secret).
	#keyOf(username) {
		const password = createHmac('sha1', this.#secret).update(username).digest('base64');
		return createHash('md5').update(`${username}:test:${password}`).digest();
	}

	#isSigned(message, attributes, key) {
		const { at, value } = attributes.get(INTEGRITY) ?? {};
		return (
			value?.length === 20 &&
			timingSafeEqual(value, signatureOf(message.subarray(0, at), key))
		);
	}
}

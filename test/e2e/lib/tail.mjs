// SPDX-License-Identifier: MIT
//
// The stream of POST /api/v1/tail, which shows messages as they come and go: line by line, each held
// against the API's description.

import assert from 'node:assert/strict';
import Ajv from 'ajv/dist/2020.js';
import { readFile } from 'node:fs/promises';
import { request, Wire } from './http.mjs';
import { Inbox } from './inbox.mjs';
import { bearer, token } from './issuer.mjs';

const description = JSON.parse(
	await readFile(new URL('../../../server/api/openapi.json', import.meta.url), 'utf8'),
);
const ajv = new Ajv({ strict: false });
ajv.addSchema({ $id: 'openapi', ...description });
const check = ajv.getSchema('openapi#/components/schemas/TailLine');

export function checkLine(line) {
	assert.ok(check(line), `${JSON.stringify(line)}: ${JSON.stringify(check.errors)}`);
}

export async function tailRequest(claims, body, headers = {}) {
	const text = JSON.stringify(body);
	return request(
		'POST',
		'/api/v1/tail',
		{
			...bearer(await token({ role: 'service', ...claims })),
			'Content-Type': 'application/json',
			'Content-Length': Buffer.byteLength(text),
			...headers,
		},
		{ body: text },
	);
}

export class TailStream {
	inbox = new Inbox();
	beats = 0;
	text = '';
	#rest = '';

	static async open(praxis, claims, body) {
		const tail = new TailStream();
		const wire = await Wire.open(praxis.port);
		wire.write(await tailRequest(claims, body));
		// A body without a length: the head is all of the response that comes.
		const head = await wire.response({ head: true });
		assert.equal(head.status, 200);
		assert.equal(head.headers['content-type'], 'application/x-ndjson');
		assert.equal(head.headers['content-length'], undefined);
		assert.equal(head.headers['cache-control'], 'no-store');
		const { socket, rest } = wire.release();
		tail.socket = socket;
		tail.closed = new Promise((resolve) => socket.once('close', resolve));
		socket.on('error', () => {});
		socket.setEncoding('utf8');
		tail.#take(rest.toString());
		socket.on('data', (text) => tail.#take(text));
		socket.on('end', () => tail.inbox.end('the stream ended'));
		return tail;
	}

	// The next line that says something.
	next(fits) {
		return this.inbox.next(undefined, fits);
	}

	// Those up to the first that fits, as words: "in:whiteboard_update", "out:error:forbidden".
	async words(count) {
		const words = [];
		while (words.length < count) {
			const line = await this.next();
			words.push(
				[line.direction ?? Object.keys(line)[1], line.type, line.error]
					.filter(Boolean)
					.join(':'),
			);
		}
		return words;
	}

	close() {
		this.socket.destroy();
	}

	#take(text) {
		this.text += text;
		const lines = (this.#rest + text).split('\n');
		this.#rest = lines.pop();
		for (const line of lines) {
			const value = JSON.parse(line);
			assert.ok(check(value), `${line}: ${JSON.stringify(check.errors)}`);
			if (Object.keys(value).length === 1) {
				this.beats++;
			} else {
				this.inbox.push(value);
			}
		}
	}
}

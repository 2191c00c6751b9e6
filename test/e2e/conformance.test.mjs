// SPDX-License-Identifier: MIT
//
// What RFC 9110, 9112 and 6455 ask of a server, case by case, in three lists: requests, handshakes,
// frames and closing, without TLS and with it. What libwebsockets does otherwise, and nothing outside of it can mend, is in a
// list of its own at the end, so that it is known when that changes (docs/architecture.md).

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { after, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import tls from 'node:tls';
import { Certificates } from './lib/certificates.mjs';
import { Wire, assertJsonError, get, request } from './lib/http.mjs';
import { bearer, token, tokenVhost } from './lib/issuer.mjs';
import { itEnds, usePraxisd } from './lib/praxisd.mjs';
import { OP, closePayload, frame, upgradeRequest } from './lib/raw.mjs';
import { until } from './lib/wait.mjs';

const HOST = 'Host: 127.0.0.1\r\n';
const HEALTH = `GET /health HTTP/1.1\r\n${HOST}\r\n`;

async function publish(body, headers = {}) {
	return request(
		'POST',
		'/api/v1/publish',
		{
			...bearer(await token({ role: 'service', practices: [1] })),
			'Content-Type': 'application/json',
			'Content-Length': Buffer.byteLength(body),
			...headers,
		},
		{ body },
	);
}

const PUBLICATION = JSON.stringify({ type: 'whiteboard_update', practiceId: 1, data: 1 });

const certificates = await Certificates.make();
await certificates.issue('a');
after(() => certificates.remove());

// A vhost with TLS beside the other.
const secureVhost = (vhost) => ({
	'conf.d/10-tls.json': {
		vhosts: [
			{
				name: 'secure',
				port: 0,
				interface: '127.0.0.1',
				'host-ssl-cert': certificates.path('a.pem'),
				'host-ssl-key': certificates.path('a.key'),
				'ws-protocols': [{ whiteboard: { status: 'ok' } }],
				...vhost,
			},
		],
	},
});

async function portOf(praxis, secure) {
	const listening = /vhost secure: listening on 127\.0\.0\.1:(\d+)/;
	return secure ? Number((await praxis.logged(listening))[1]) : praxis.port;
}

// Connections to the one or the other.
const opener = (praxis, secure) => async () => {
	const port = await portOf(praxis, secure);
	if (!secure) {
		return Wire.open(port);
	}
	const carrier = net.connect({ port, host: '127.0.0.1', noDelay: true });
	const socket = tls.connect({ socket: carrier, rejectUnauthorized: false });
	socket.carrier = carrier;
	await new Promise((resolve, reject) => {
		socket.once('secureConnect', resolve);
		socket.once('error', reject);
	});
	return new Wire(socket);
};

const requests = (secure) => () => {
	const praxis = usePraxisd({
		vhost: tokenVhost(),
		figures: { 'X-Nothing': '1' },
		files: secureVhost(tokenVhost()),
	});
	const open = opener(praxis, secure);

	for (const [what, text, ...statuses] of [
		['two Host lines', `GET /health HTTP/1.1\r\n${HOST}${HOST}\r\n`, 400],
		['two different Host lines', `GET /health HTTP/1.1\r\n${HOST}host: b\r\n\r\n`, 400],
		['no Host', 'GET /health HTTP/1.1\r\n\r\n', 400],
		['an empty Host', 'GET /health HTTP/1.1\r\nHost:\r\n\r\n', 400],
		['a method nobody knows', `BREW /health HTTP/1.1\r\n${HOST}\r\n`, 405],
		['TRACE', `TRACE /health HTTP/1.1\r\n${HOST}\r\n`, 405],
		['CONNECT', 'CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n', 405],
		['OPTIONS *', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, 400, 405],
		['a NUL in the query', `GET /health?a=%00 HTTP/1.1\r\n${HOST}\r\n`, 400],
		['a NUL as it is in the query', `GET /health?a=\0 HTTP/1.1\r\n${HOST}\r\n`, 400],
		['a NUL in the path', `GET /health%00 HTTP/1.1\r\n${HOST}\r\n`, 400],
		['a broken %', `GET /health%zz HTTP/1.1\r\n${HOST}\r\n`, 400],
		['a line that is folded', `GET /health HTTP/1.1\r\n${HOST}A: 1\r\n 2\r\n\r\n`, 400],
		['a space before the colon', `GET /health HTTP/1.1\r\n${HOST}A : 1\r\n\r\n`, 400],
		['LF alone', `GET /health HTTP/1.1\n${HOST}\r\n`, 400],
		[
			'two lengths',
			`POST /api/v1/tail HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
			400,
		],
		[
			'the same length twice',
			`POST /api/v1/tail HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`,
			400,
		],
		[
			'a length and an encoding',
			`POST /api/v1/tail HTTP/1.1\r\n${HOST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na`,
			400,
		],
		[
			'a chunked body',
			`POST /api/v1/tail HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
			411,
		],
		['an expectation nobody knows', `GET /health HTTP/1.1\r\n${HOST}Expect: tea\r\n\r\n`, 417],
		['a version to come', 'GET /health HTTP/2.0\r\n\r\n', 505],
		['a target that is too long', `GET /${'x'.repeat(20000)} HTTP/1.1\r\n${HOST}\r\n`, 414],
		[
			'a header that is too long',
			`GET / HTTP/1.1\r\n${HOST}A: ${'x'.repeat(20000)}\r\n\r\n`,
			431,
		],
		['too many fields', `GET / HTTP/1.1\r\n${HOST}${'A: 1\r\n'.repeat(100)}\r\n`, 431],
		...[
			'//health',
			'/%68ealth',
			'/x/../health',
			'/./health',
			'/health/.',
			'/health/',
			'/x/%2e%2e/health',
		].map((path) => [path, `GET ${path} HTTP/1.1\r\n${HOST}\r\n`, 404]),
		...['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'].flatMap((method) => [
			[
				`${method} with a body`,
				`${method} /health HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\nx`,
				400,
				405,
			],
			[
				`${method} with chunks`,
				`${method} /health HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
				400,
				405,
			],
		]),
		...['+1', '-0', '-1', '0x1', '1,1', '', 'a'].map((length) => [
			`a length of "${length}"`,
			`POST /api/v1/tail HTTP/1.1\r\n${HOST}Content-Length: ${length}\r\n\r\nx`,
			400,
		]),
		...[
			'/health',
			'/ready',
			'/stats',
			'/metrics',
			'/api/v1/openapi.json',
			'/api/v1/asyncapi.json',
			'/api/v1/stats',
			'/api/v1/rooms',
			'/ws',
		]
			.filter((page) => !page.includes('api/v1/rooms') && page !== '/ws')
			.map((page) => [
				`an unknown parameter of ${page}`,
				`GET ${page}?nosuch=1 HTTP/1.1\r\n${HOST}\r\n`,
				400,
			]),
	]) {
		it(`${what}: ${statuses}, and the end`, async () => {
			const wire = await open();
			wire.write(text);
			const head = text.startsWith('HEAD');
			const response = await wire.response({ head });
			assert.ok(statuses.includes(response?.status), `${response?.status}`);
			assert.equal(response.headers.connection, 'close');
			assert.match(response.headers['content-type'], /^application\/json/);
			if (response.status === 405) {
				assert.match(response.headers.allow, /GET/);
			}
			assert.equal(await wire.response(), null, 'nothing behind it');
			wire.close();
		});
	}

	for (const [what, text] of [
		['the absolute form', 'GET http://b.example/health HTTP/1.1\r\nHost: a\r\n\r\n'],
		[
			'an offer of HTTP/2',
			`GET /health HTTP/1.1\r\n${HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`,
		],
		[
			'an offer of TLS',
			`GET /health HTTP/1.1\r\n${HOST}Connection: upgrade\r\nUpgrade: TLS/1.0\r\n\r\n`,
		],
		['an empty line ahead', `\r\n${HEALTH}`],
		['a "?" alone', `GET /health? HTTP/1.1\r\n${HOST}\r\n`],
		['a length of 0', `GET /health HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\n`],
	]) {
		it(`${what} is read, and the connection stays`, async () => {
			const wire = await open();
			for (let round = 0; round < 2; round++) {
				wire.write(text + HEALTH);
				assert.equal((await wire.response()).status, 200);
				assert.equal((await wire.response()).status, 200);
			}
			wire.close();
		});
	}

	it('that are pipelined are read as what they are', async () => {
		const wire = await open();
		wire.write(HEALTH + (await publish(PUBLICATION)) + HEALTH + (await publish(PUBLICATION)));
		for (let i = 0; i < 4; i++) {
			assert.equal((await wire.response()).status, 200);
		}
		wire.write(`${HEALTH}GET /health HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\nx${HEALTH}`);
		assert.equal((await wire.response()).status, 200);
		assert.equal((await wire.response()).status, 400);
		assert.equal(await wire.response(), null);
		assert.equal((await get(praxis.port, '/health')).status, 200);
		wire.close();
	});

	it('that are pipelined are answered to a client that sends no more', async () => {
		const wire = await open();
		wire.socket.allowHalfOpen = true;
		wire.socket.end(HEALTH + (await publish(PUBLICATION)) + HEALTH);
		for (let i = 0; i < 3; i++) {
			assert.equal((await wire.response()).status, 200);
		}
		wire.close();
	});

	// Where that is not taken, the loop spins: the end is told for as long as it is there.
	it('that end within their head are told at once', async () => {
		for (const text of ['GET /hea', '\r', HEALTH.slice(0, -1), HEALTH + HEALTH.slice(0, -1)]) {
			const wire = await open();
			wire.socket.allowHalfOpen = true;
			wire.socket.end(text);
			if (text.length > HEALTH.length) {
				assert.equal((await wire.response()).status, 200);
			}
			assertJsonError(await wire.response(), 400);
			assert.equal(await wire.response(), null);
			wire.close();
		}
	});

	it('whose body comes after "100 Continue" hear that', async () => {
		const wire = await open();
		const text = await publish(PUBLICATION, { Expect: '100-continue' });
		const end = text.indexOf('\r\n\r\n') + 4;
		wire.write(text.slice(0, end));
		assert.equal((await wire.response()).status, 100);
		wire.write(text.slice(end));
		assert.equal((await wire.response()).status, 200);
		// One that is refused need not send it.
		wire.write(
			(await publish(PUBLICATION, { Expect: '100-continue', Authorization: 'x' })).slice(
				0,
				end,
			),
		);
		assert.equal((await wire.response()).status, 401);
		wire.close();
	});

	// The server looks at 16384 bytes at once, which is a record, too: the rest of this one is known to
	// nobody but OpenSSL when the first request ends.
	it('that begin within a record behind another are read', async () => {
		const behind =
			HEALTH.replace('\r\n\r\n', `\r\nX-Pad: ${'a'.repeat(200)}`).slice(0, 96) + '\r\n\r\n';
		const { length } = await publish(PUBLICATION.padEnd(10_000));
		const text = await publish(PUBLICATION.padEnd(10_000 + 16_384 - length));
		assert.equal(text.length, 16_384);
		for (let round = 0; round < 3; round++) {
			const wire = await open();
			wire.write(text.slice(0, 100));
			wire.write(text.slice(100) + behind);
			assert.equal((await wire.response()).status, 200);
			assert.equal((await wire.response()).status, 200);
			wire.close();
		}
	});

	it('whose body or header comes too late are told', async () => {
		const late = async (text) => {
			const wire = await open();
			wire.write(text);
			assertJsonError(await wire.response(), 408);
			assert.equal(await wire.response(), null);
		};
		const body = (await publish(PUBLICATION)).slice(0, -5);
		const greeting = async () => {
			const wire = await Wire.open(await portOf(praxis, secure));
			wire.write(Buffer.from('16030100f8010000f40303', 'hex'));
			assert.equal((await wire.response())?.status ?? 0, secure ? 0 : 400);
		};
		await Promise.all([greeting(), ...[body, 'GET /health HT', HEALTH.slice(0, -1)].map(late)]);
	});

	for (const [what, type, status] of [
		['of JSON', 'application/json', 200],
		['of JSON in UTF-8', 'Application/JSON ; charset="utf-8"', 200],
		['of no type', null, 200],
		['of JSON in another encoding', 'application/json; charset=latin1', 415],
		['of a form', 'application/x-www-form-urlencoded', 415],
		['of text', 'text/plain', 415],
		['of two types', 'application/json, text/plain', 415],
		['of two types in two lines', 'application/json\r\nContent-Type: text/plain', 415],
		['of what only begins like it', 'application/jsonx', 415],
	]) {
		it(`with a body ${what}: ${status}`, async () => {
			const wire = await open();
			wire.write(await publish(PUBLICATION, { 'Content-Type': type }));
			assert.equal((await wire.response()).status, status);
			wire.close();
		});
	}

	itEnds(praxis);
};

describe('requests', requests(false));
describe('requests over TLS', requests(true));

const handshakes = (secure) => () => {
	const praxis = usePraxisd({ files: secureVhost() });
	const open = opener(praxis, secure);
	const join = async (options = {}) => praxis.connectRaw({}, { ...options, wire: await open() });
	// Over TLS each session has a pair of sockets of its own.
	const pairs = secure ? 1 : 0;
	async function refused(...details) {
		const wire = await open();
		wire.write(upgradeRequest(...details));
		const response = await wire.response();
		wire.close();
		return response;
	}
	const key = Buffer.alloc(16).toString('base64');

	for (const [what, headers, options, ...statuses] of [
		['HTTP/1.0', {}, { version: 'HTTP/1.0' }, 400],
		['two keys', { 'Sec-WebSocket-Key': `${key}\r\nSec-WebSocket-Key: ${key}` }, {}, 400],
		[
			'a key of 15 bytes',
			{ 'Sec-WebSocket-Key': Buffer.alloc(15).toString('base64') },
			{},
			400,
		],
		[
			'a key of 17 bytes',
			{ 'Sec-WebSocket-Key': Buffer.alloc(17).toString('base64') },
			{},
			400,
		],
		['a key that is no base64', { 'Sec-WebSocket-Key': `${'!'.repeat(22)}==` }, {}, 400],
		['an empty key', { 'Sec-WebSocket-Key': '' }, {}, 400],
		['no key', { 'Sec-WebSocket-Key': null }, {}, 400],
		['no version', { 'Sec-WebSocket-Version': null }, {}, 426],
		['another version', { 'Sec-WebSocket-Version': '8' }, {}, 426],
		['no Upgrade', { Upgrade: null }, {}, 426],
		['no Connection', { Connection: null }, {}, 426],
		['an Upgrade to something else', { Upgrade: 'h2c' }, {}, 426],
		['POST', {}, { method: 'POST' }, 400, 405],
		['a body', { 'Content-Length': '1' }, {}, 400],
		['two Host lines', { Host: 'a\r\nHost: b' }, {}, 400],
		['no Host', { Host: null }, {}, 400],
	]) {
		it(`with ${what}: ${statuses}`, async () => {
			const response = await refused('/ws', headers, options);
			assertJsonError(response, ...statuses);
			assert.equal(response.headers.connection, 'close');
			if (response.status === 426) {
				assert.equal(response.headers['sec-websocket-version'], '13');
			}
		});
	}

	for (const Upgrade of [
		'h2c, websocket',
		'WebSocket, h2c',
		'websocket,',
		'h2c\r\nUpgrade: websocket',
	]) {
		it(`that offer something else, too, get a WebSocket: ${JSON.stringify(Upgrade)}`, async () => {
			const headers = {
				Upgrade,
				Connection: 'Upgrade, HTTP2-Settings',
				'HTTP2-Settings': 'AAMAAABkAAQAAP__',
			};
			const ann = await join({ headers });
			const bob = await join();
			// More than the pair of sockets holds at once, both ways.
			const fill = 'x'.repeat(60_000);
			const COUNT = 12;
			for (const [speaker, listener] of [
				[ann, bob],
				[bob, ann],
			]) {
				for (let n = 0; n < COUNT; n++) {
					speaker.send({ type: 'whiteboard_update', practiceId: 1, data: { n, fill } });
				}
				for (let n = 0; n < COUNT; n++) {
					assert.equal((await listener.next('whiteboard_update')).data.n, n);
				}
			}
			assert.equal((await praxis.stats()).relays, 2 + pairs, 'hers, and that which asks');
			assert.equal((await ann.close(1000)).code, 1000);
			const again = await join({ headers });
			await again.kill();
			await until('the end of both', async () => (await praxis.stats()).sessions === 1);
			await until(
				'the end of their pairs',
				async () => (await praxis.stats()).relays === 1 + pairs,
			);
		});
	}

	it('that offer something else, too, end with their session, and cost nothing meanwhile', async () => {
		const slow = await join({ headers: { Upgrade: 'h2c, websocket' } });
		const bob = await join();
		slow.socket.pause();
		const data = { fill: 'x'.repeat(60_000) };
		await until('the end of the session that reads nothing', async () => {
			bob.send({ type: 'whiteboard_update', practiceId: 1, data });
			return (await praxis.stats()).sessions === 1;
		});
		// Nobody listens at the other end of the pair any more.
		slow.socket.write('x');
		const ticks = async () => {
			const fields = (await readFile(`/proc/${praxis.pid}/stat`, 'utf8'))
				.split(') ')[1]
				.split(' ');
			return Number(fields[11]) + Number(fields[12]);
		};
		await praxis.stats();
		const before = await ticks();
		await pause(1000); // in which an idle server uses no processor: 100 ticks would be all of it
		assert.ok((await ticks()) - before < 50);
		slow.socket.resume();
		await until('the end of the pair', async () => (await praxis.stats()).relays === 1 + pairs);
	});

	it('that offer something else, too, are refused for their faults', async () => {
		const headers = { Upgrade: 'h2c, websocket', 'Sec-WebSocket-Key': null };
		assertJsonError(await refused('/ws', headers), 400);
		assertJsonError(await refused('/nowhere', { Upgrade: 'h2c, websocket' }), 404);
	});

	it('with a parameter that is not known: 400', async () => {
		assertJsonError(await refused('/ws?practiceId=1&nosuch=1'), 400);
	});

	for (const [what, path, headers] of [
		['the absolute form', 'http://127.0.0.1/ws?practiceId=1', {}],
		['other spellings', '/ws', { Connection: 'keep-alive, UPGRADE', Upgrade: 'WebSocket' }],
	]) {
		it(`in ${what} are let in`, async () => {
			const client = await praxis.open(path, { headers, wire: await open() });
			await client.next('connection_established');
		});
	}

	it('with frames behind them lose none', async () => {
		const wire = await open();
		wire.write(
			Buffer.concat([
				Buffer.from(upgradeRequest('/ws?practiceId=1')),
				frame(OP.text, '{"type":"ping","t":"early"}'),
			]),
		);
		assert.equal((await wire.response()).status, 101);
		const { socket, rest } = wire.release();
		let text = rest.toString('latin1');
		while (!text.includes('early')) {
			text += (await new Promise((resolve) => socket.once('data', resolve))).toString(
				'latin1',
			);
		}
		socket.destroy();
	});

	itEnds(praxis);
};

describe('handshakes', handshakes(false));
describe('handshakes over TLS', handshakes(true));

const frames = (secure) => () => {
	const praxis = usePraxisd({ files: secureVhost() });
	const open = opener(praxis, secure);
	const join = async () => praxis.connectRaw({}, { wire: await open() });
	const length63 = Buffer.concat([
		Buffer.from([0x81, 0xff]),
		Buffer.alloc(8, 0xff),
		Buffer.alloc(4),
	]);

	for (const [what, bytes, ...codes] of [
		...[0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 5001, 65535].map(
			(code) => [`a close with code ${code}`, frame(OP.close, closePayload(code)), 1002],
		),
		['a close of one byte', frame(OP.close, Buffer.from([3])), 1002],
		[
			'a reason that is not UTF-8',
			frame(OP.close, Buffer.concat([closePayload(1000), Buffer.from([0xff, 0xfe])])),
			1002,
			1007,
		],
		['a ping of 126 bytes', frame(OP.ping, Buffer.alloc(126)), 1002],
		['a pong of 70000 bytes', frame(OP.pong, Buffer.alloc(70000)), 1002],
		['a close of 126 bytes', frame(OP.close, closePayload(1000, 'x'.repeat(124))), 1002],
		['a ping in parts', frame(OP.ping, '', { fin: false }), 1002],
		['a length beyond 63 bits', length63, 1002],
		...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => [
			`opcode ${opcode}`,
			frame(opcode),
			1002,
		]),
		...[1, 2, 4, 7].map((rsv) => [`reserved bits ${rsv}`, frame(OP.text, '{}', { rsv }), 1002]),
		['a continuation of nothing', frame(OP.continuation, 'x'), 1002],
		[
			'a message within a message',
			Buffer.concat([frame(OP.text, '{', { fin: false }), frame(OP.text, '}')]),
			1002,
		],
		['text that is not UTF-8', frame(OP.text, Buffer.from([0x22, 0xff, 0x22])), 1007],
		['a binary message', frame(OP.binary, 'x'), 1003],
		...[1000, 1001, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 4000, 4999].map((code) => [
			`a close with code ${code}`,
			frame(OP.close, closePayload(code)),
			code,
		]),
	]) {
		it(`${what}: ${codes.join(' or ')}`, async () => {
			const client = await join();
			client.write(bytes);
			const { code } = await client.closing();
			assert.ok(codes.includes(code), `${code}`);
		});
	}

	it('a close without a code is answered', async () => {
		const client = await join();
		client.write(frame(OP.close));
		const { code } = await client.closing();
		assert.ok([1000, 1005].includes(code), `${code}`);
	});

	it('control frames come between the parts of a message', async () => {
		const client = await join();
		client.write(
			Buffer.concat([
				frame(OP.text, '{"type":"ping",', { fin: false }),
				frame(OP.ping, 'between'),
				frame(OP.continuation, '"t":"whole"}'),
			]),
		);
		assert.equal((await client.nextFrame(OP.pong)).payload.toString(), 'between');
		assert.equal((await client.next('pong')).t, 'whole');
	});

	it('whoever is gone without a word is not waited for', async () => {
		const client = await join();
		await client.kill({ reset: false });
	});

	itEnds(praxis);
};

describe('frames and closing', frames(false));
describe('frames and closing over TLS', frames(true));

// RFC 6455 wants 1002 for each of these, too. lws takes them and shows nothing of it.
describe('what lws has its own mind about', () => {
	const praxis = usePraxisd();

	for (const [what, options] of [
		['a frame without a mask', { mask: false }],
		['a length in more bytes than it needs', { wide: true }],
	]) {
		it(`${what} is taken`, async () => {
			const client = await praxis.connectRaw();
			client.write(frame(OP.text, '{"type":"ping","t":1}', options));
			assert.equal((await client.next('pong')).t, 1);
		});
	}

	itEnds(praxis);
});

// SPDX-License-Identifier: MIT
//
// For whom a proxy comes: the PROXY protocol, X-Forwarded-For, and that neither is believed of those
// who are no trusted proxy. The address that the server believes is in the audit log.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import tls from 'node:tls';
import { Certificates } from './lib/certificates.mjs';
import { assertJsonError, request, Wire } from './lib/http.mjs';
import { itEnds, usePraxisd } from './lib/praxisd.mjs';
import { RawClient, upgradeRequest } from './lib/raw.mjs';
import { until, within } from './lib/wait.mjs';

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const TRUSTED = '127.0.0.1';
const STRANGER = '127.0.0.2';
const UNKNOWN = 'unknown';

const certificates = await Certificates.make();
after(() => certificates.remove());
await certificates.issue('a');

function v1(source, { family = 'TCP4', target = '192.0.2.254', ports = '4711 443' } = {}) {
	return Buffer.from(`PROXY ${family} ${source} ${target} ${ports}\r\n`);
}

function v2(
	source,
	{ command = 1, family = 0x11, version = 2, rest = Buffer.alloc(0), length } = {},
) {
	const address = source === null ? Buffer.alloc(0) : Buffer.concat([source, source]);
	const body = Buffer.concat([address, Buffer.from([0x12, 0x67, 0x01, 0xbb]), rest]);
	const head = Buffer.from([(version << 4) | command, family, 0, 0]);
	head.writeUInt16BE(length ?? body.length, 2);
	return Buffer.concat([SIGNATURE, head, body]);
}

const v4 = (text) => Buffer.from(text.split('.').map(Number));
const v6 = Buffer.from('20010db8000000000000000000000007', 'hex');

async function open(port, localAddress = TRUSTED) {
	const socket = net.connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
	await within(
		new Promise((resolve, reject) => {
			socket.once('connect', resolve);
			socket.once('error', reject);
		}),
		'a TCP connection',
	);
	return new Wire(socket);
}

let users = 0;

// Each byte by itself where something is decided, at the beginning and the end; what is only counted, between, by
// sixteens: else a busy machine needs longer than the five seconds that a header may take.
function pieces(header) {
	const ends = [];
	for (let at = 1; at < header.length; at += at < 40 || at >= header.length - 20 ? 1 : 16) {
		ends.push(at);
	}
	return [...ends, header.length].map((end, at) => header.subarray(at ? ends[at - 1] : 0, end));
}

// What the audit log says of a session's address, whose first bytes are `header`.
async function addressOf(praxis, port, header, { from, headers = {}, cut = false } = {}) {
	const userId = `proxied-${++users}`;
	const wire = await open(port, from);
	for (const piece of cut ? pieces(header) : [header]) {
		wire.write(piece);
		if (cut) {
			await pause(2);
		}
	}
	const path = `/ws?practiceId=1&role=staff&userId=${userId}&userName=u`;
	const client = await RawClient.open(port, path, { userId }, { wire, headers });
	await client.next('connection_established');
	await client.close();
	const entry = await until('an entry', async () => {
		const lines = (await readFile(`${praxis.dir}/audit.jsonl`, 'utf8')).trim().split('\n');
		return lines.map((line) => JSON.parse(line)).find(({ user }) => user === userId);
	});
	return entry.address;
}

// Nothing is answered, and the connection ends.
async function closed(port, bytes, { from } = {}) {
	const started = Date.now();
	const wire = await open(port, from);
	wire.write(bytes);
	assert.equal(await wire.response(), null);
	wire.close();
	return Date.now() - started;
}

const withAudit = { audit: { file: 'audit.jsonl' } };

describe('the PROXY protocol', () => {
	let port;
	let secure;
	let standard;
	const praxis = usePraxisd(() => {
		const vhost = {
			port: 0,
			interface: '127.0.0.1',
			'open-practice': '1',
			'proxy-protocol': true,
			'trusted-proxies': [TRUSTED],
			'ws-protocols': [{ whiteboard: { status: 'ok' } }],
		};
		const certificate = {
			'host-ssl-cert': certificates.path('a.pem'),
			'host-ssl-key': certificates.path('a.key'),
		};
		return {
			global: withAudit,
			files: {
				'conf.d/10-proxied.json': {
					vhosts: [
						{ ...vhost, name: 'proxied' },
						{ ...vhost, ...certificate, name: 'secure' },
					],
				},
			},
		};
	});
	before(async () => {
		[, port] = await praxis.logged(/vhost proxied: listening on .*:(\d+)/);
		[, secure] = await praxis.logged(/vhost secure: listening on .*:(\d+)/);
		standard = praxis.port;
	});

	const longest = `PROXY UNKNOWN ${'f'.repeat(107 - 16)}\r\n`;
	assert.equal(longest.length, 107);

	for (const [what, header, address] of [
		['1, IPv4', v1('198.51.100.7'), '198.51.100.7'],
		['1, IPv6', v1('2001:db8::7', { family: 'TCP6', target: '::1' }), '2001:db8::7'],
		['1, UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n'), UNKNOWN],
		['1, UNKNOWN and the longest there is', Buffer.from(longest), UNKNOWN],
		['2, IPv4', v2(v4('198.51.100.8')), '198.51.100.8'],
		['2, IPv6', v2(v6, { family: 0x21 }), '2001:db8::7'],
		['2, LOCAL', v2(v4('198.51.100.9'), { command: 0 }), TRUSTED],
		['2, LOCAL and nothing more', v2(null, { command: 0, family: 0, length: 4 }), TRUSTED],
		['2, unspecified', v2(null, { family: 0 }), UNKNOWN],
		['2, a datagram', v2(v4('198.51.100.9'), { family: 0x12 }), UNKNOWN],
		['2, a Unix socket', v2(Buffer.alloc(106, 47), { family: 0x31 }), UNKNOWN],
		['2, with TLVs', v2(v4('198.51.100.10'), { rest: Buffer.alloc(508, 4) }), '198.51.100.10'],
	]) {
		it(`version ${what}`, async () => {
			assert.equal(await addressOf(praxis, port, header), address);
		});
		it(`version ${what}, byte by byte`, async () => {
			assert.equal(await addressOf(praxis, port, header, { cut: true }), address);
		});
		it(`version ${what}, together with the request`, async () => {
			const wire = await open(port);
			wire.write(Buffer.concat([header, Buffer.from(request('GET', '/health'))]));
			assert.equal((await wire.response()).status, 200);
			wire.close();
		});
	}

	for (const [what, bytes] of [
		['no header', Buffer.from(request('GET', '/health'))],
		['lower case', Buffer.from('proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n')],
		['no address', v1('SECRET')],
		['an IPv6 address as IPv4', v1('2001:db8::7')],
		['an IPv4 address as IPv6', v1('192.0.2.1', { family: 'TCP6', target: '::1' })],
		['an unknown family', v1('192.0.2.1', { family: 'UDP4' })],
		['a bad port', v1('192.0.2.1', { ports: '65536 1' })],
		['a port too few', v1('192.0.2.1', { ports: '1' })],
		['a word too many', v1('192.0.2.1', { ports: '1 2 3' })],
		['two spaces', v1(' 192.0.2.1')],
		['a space at the end', v1('192.0.2.1', { ports: '1 2 ' })],
		['no CR', Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n')],
		['a NUL', v1('192.0.2.1\0')],
		['a line of 108 bytes', Buffer.from(`PROXY UNKNOWN ${'f'.repeat(92)}\r\n`)],
		['a line without end', Buffer.from(`PROXY UNKNOWN ${'f'.repeat(5000)}`)],
		['version 3', v2(v4('192.0.2.1'), { version: 3 })],
		['an unknown command', v2(v4('192.0.2.1'), { command: 2 })],
		['too few bytes for its family', v2(v4('192.0.2.1'), { family: 0x21 })],
		['537 bytes', v2(v4('192.0.2.1'), { rest: Buffer.alloc(509) })],
		['65535 bytes', v2(v4('192.0.2.1'), { length: 65535 })],
		['a broken signature', Buffer.from('\r\n\r\n\0\r\nQUIX\n!', 'latin1')],
		['TLS', Buffer.from('16030100f8010000f40303', 'hex')],
	]) {
		it(`${what}: closed`, async () => {
			const request_ = Buffer.from(request('GET', '/health'));
			assert.ok((await closed(port, Buffer.concat([bytes, request_]))) < 2500);
		});
	}

	for (const [what, bytes] of [
		['nothing', Buffer.alloc(0)],
		['half a header of version 1', Buffer.from('PROXY TCP4 192.0')],
		['half a header of version 2', v2(v4('192.0.2.1')).subarray(0, 14)],
		['less than was announced', v2(v4('192.0.2.1'), { length: 200 })],
	]) {
		it(`${what}: closed after three seconds`, async () => {
			const ms = await closed(port, bytes);
			assert.ok(ms > 2500, `${ms} ms`);
		});
	}

	const untilOthers = (count) =>
		until(`${count} connections`, async () => {
			return (await praxis.stats()).connections === 1 + count; // it asks over one, too
		});

	it('one that goes in the middle of its header is forgotten', async () => {
		for (const bytes of ['', 'P', 'PROXY TCP4 ']) {
			const wire = await open(port);
			wire.write(bytes);
			await untilOthers(1);
			wire.socket.resetAndDestroy();
			await untilOthers(0);
		}
	});

	it('those that wait are counted as connections', async () => {
		const wires = await Promise.all([1, 2, 3, 4, 5].map(() => open(port)));
		await untilOthers(5);
		wires.forEach((wire) => wire.close());
	});

	it('strangers are closed, whatever they say', async () => {
		for (const bytes of [
			v1('198.51.100.7'),
			v2(v4('198.51.100.7')),
			request('GET', '/health'),
		]) {
			const since = praxis.log.length;
			await closed(port, bytes, { from: STRANGER });
			await praxis.logged(
				/closed a connection that does not come from a trusted proxy/,
				since,
			);
		}
	});

	it('is not spoken elsewhere', async () => {
		for (const header of [v1('198.51.100.7'), v2(v4('198.51.100.7'))]) {
			const wire = await open(standard);
			wire.write(header);
			wire.write(request('GET', '/health'));
			assertJsonError(await wire.response(), 400);
			wire.close();
		}
	});

	it("the client's own X-Forwarded-For is not believed behind it", async () => {
		const headers = { 'X-Forwarded-For': '203.0.113.9' };
		assert.equal(
			await addressOf(praxis, port, v1('198.51.100.7'), { headers }),
			'198.51.100.7',
		);
	});

	for (const together of [false, true]) {
		it(`TLS comes behind it${together ? ', in the same packet' : ''}`, async () => {
			const wire = await open(secure);
			const { socket } = wire.release();
			if (together) {
				socket.cork();
			}
			socket.write(v2(v4('198.51.100.11')));
			const encrypted = tls.connect({ socket, rejectUnauthorized: false });
			process.nextTick(() => socket.uncork());
			await within(new Promise((resolve) => encrypted.once('secureConnect', resolve)), 'TLS');
			const inner = new Wire(encrypted);
			inner.write(upgradeRequest('/ws?practiceId=1&userId=behind-tls'));
			assert.equal((await inner.response()).status, 101);
			inner.close();
			const auditLog = await until('an entry', async () => {
				const text = await readFile(`${praxis.dir}/audit.jsonl`, 'utf8');
				return text.split('\n').find((line) => line.includes('behind-tls'));
			});
			assert.equal(JSON.parse(auditLog).address, '198.51.100.11');
		});
	}

	itEnds(praxis);
});

describe('a server that ends while headers are awaited', () => {
	let port;
	const praxis = usePraxisd({
		vhost: { 'proxy-protocol': true, 'trusted-proxies': [TRUSTED] },
		files: {
			'conf.d/10-plain.json': {
				vhosts: [{ name: 'plain', port: 0, interface: '127.0.0.1', 'open-practice': '1' }],
			},
		},
	});
	before(async () => {
		port = praxis.port;
		[, praxis.port] = await praxis.logged(/vhost plain: listening on .*:(\d+)/);
	});

	it('closes them', async () => {
		const wires = await Promise.all([1, 2, 3].map(() => open(port)));
		wires[1].write('PROXY TCP4 ');
		await until('counted', async () => (await praxis.stats()).connections >= 4);
		await praxis.stop();
		for (const wire of wires) {
			assert.equal(await wire.response(), null);
		}
	});
});

describe('X-Forwarded-For', () => {
	const praxis = usePraxisd({
		global: withAudit,
		vhost: { 'trusted-proxies': [TRUSTED, '10.0.0.0/8'] },
	});

	for (const [list, from, address] of [
		['203.0.113.9', TRUSTED, '203.0.113.9'],
		['203.0.113.9', STRANGER, STRANGER],
		['198.51.100.1, 203.0.113.9', TRUSTED, '203.0.113.9'],
		['198.51.100.1, 203.0.113.9, 10.1.2.3', TRUSTED, '203.0.113.9'],
		['rubbish', TRUSTED, UNKNOWN],
		['', TRUSTED, UNKNOWN],
		[null, TRUSTED, TRUSTED],
	]) {
		it(`${list} from ${from} is ${address}`, async () => {
			const headers = { 'X-Forwarded-For': list };
			const got = await addressOf(praxis, praxis.port, Buffer.alloc(0), { from, headers });
			assert.equal(got, address);
		});
	}

	it('is read from its end, however long the client made it', async () => {
		const headers = { 'X-Forwarded-For': `${'198.51.100.1, '.repeat(300)}203.0.113.9` };
		const from = TRUSTED;
		const got = await addressOf(praxis, praxis.port, Buffer.alloc(0), { from, headers });
		assert.equal(got, '203.0.113.9');
	});

	itEnds(praxis);
});

describe('limits of an address', () => {
	const praxis = usePraxisd({
		global: { 'max-connections-per-address': 5 },
		vhost: { 'trusted-proxies': [TRUSTED] },
	});

	it('count connections that do nothing', async () => {
		const wires = [];
		for (let at = 0; at < 5; at++) {
			wires.push(await open(praxis.port, STRANGER));
		}
		await until('counted', async () => (await praxis.stats()).connections >= 5);
		const more = await open(praxis.port, STRANGER);
		const response = await more.response();
		assert.equal(response.status, 429);
		assert.equal(response.headers['retry-after'], '5');
		assert.equal(JSON.parse(response.body).error.code, 'rate_limited');
		assert.equal(Number(response.headers['content-length']), response.body.length);
		assert.equal((await praxis.stats()).connections >= 5, true);
		wires.forEach((wire) => wire.close());
		await until('room again', async () => {
			const wire = await open(praxis.port, STRANGER);
			wire.write(request('GET', '/health'));
			const { status } = await wire.response();
			wire.close();
			return status === 200;
		});
	});

	it('do not count those of a trusted proxy', async () => {
		const wires = await Promise.all(Array.from({ length: 20 }, () => open(praxis.port)));
		for (const wire of wires) {
			wire.write(request('GET', '/health'));
			assert.equal((await wire.response()).status, 200);
			wire.close();
		}
	});

	itEnds(praxis);
});

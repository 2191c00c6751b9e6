// SPDX-License-Identifier: MIT
//
// Who a request comes from, where proxies are on the way, and what its address allows it: with the
// headers that they write, well and badly, and with real nginx and HAProxy. What the server believes
// is in the audit log; what it allows is seen at /metrics.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { after, before, describe, it } from 'node:test';
import tls from 'node:tls';
import { Certificates } from './lib/certificates.mjs';
import { Wire } from './lib/http.mjs';
import { itEnds, usePraxisd } from './lib/praxisd.mjs';
import { startHaproxy, startNginx } from './lib/proxies.mjs';
import { RawClient, upgradeRequest } from './lib/raw.mjs';
import { until, within } from './lib/wait.mjs';

const TRUSTED = '127.0.0.1';
const STRANGER = '127.0.0.2';
const UNKNOWN = 'unknown';

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

// A request with these lines in its head.
function withLines(path, lines, { method = 'GET' } = {}) {
	const all = ['Host: 127.0.0.1', ...lines].map((line) => `${line}\r\n`);
	return `${method} ${path} HTTP/1.1\r\n${all.join('')}\r\n`;
}

async function statusOf(port, path, lines, from) {
	const wire = await open(port, from);
	wire.write(withLines(path, lines));
	const response = await wire.response();
	wire.close();
	return response?.status;
}

let users = 0;

// What the audit log says of the address of a session that came with these lines.
async function addressOf(praxis, lines, from = TRUSTED) {
	const userId = `behind-${++users}`;
	const wire = await open(praxis.port, from);
	const path = `/ws?practiceId=1&role=staff&userId=${userId}&userName=u`;
	const [first, ...rest] = lines;
	const headers = {
		[first.split(':')[0]]: [first.slice(first.indexOf(':') + 1).trim(), ...rest].join('\r\n'),
	};
	const client = await RawClient.open(praxis.port, path, { userId }, { wire, headers });
	await client.next('connection_established');
	await client.close();
	const entry = await until('an entry', async () => {
		const text = (await readFile(`${praxis.dir}/audit.jsonl`, 'utf8')).trim().split('\n');
		return text.map((line) => JSON.parse(line)).find(({ user }) => user === userId);
	});
	return entry.address;
}

const audited = { audit: { file: 'audit.jsonl' } };

describe('a client behind trusted proxies', () => {
	const praxis = usePraxisd({
		global: audited,
		vhost: {
			'trusted-proxies': [TRUSTED, '10.0.0.0/8'],
			'metrics-allow': ['203.0.113.0/24', '2001:db8::/32', 'fe80::/10', '127.0.0.0/8'],
		},
	});

	for (const [lines, address] of [
		[['X-Forwarded-For: 203.0.113.9:4711'], '203.0.113.9'],
		[['X-Forwarded-For: "203.0.113.9"'], '203.0.113.9'],
		[['X-Forwarded-For: "203.0.113.9:4711"'], '203.0.113.9'],
		[['X-Forwarded-For: 203.0.113.9,'], '203.0.113.9'],
		[['X-Forwarded-For: 203.0.113.9 , , '], '203.0.113.9'],
		[['X-Forwarded-For: ::ffff:203.0.113.9'], '203.0.113.9'],
		[['X-Forwarded-For: 2001:db8::7'], '2001:db8::7'],
		[['X-Forwarded-For: [2001:db8::7]'], '2001:db8::7'],
		[['X-Forwarded-For: [2001:db8::7]:443'], '2001:db8::7'],
		[['X-Forwarded-For: "[2001:db8::7]:443"'], '2001:db8::7'],
		[['X-Forwarded-For: fe80::1%eth0'], 'fe80::1'],
		[['X-Forwarded-For: [fe80::1%eth0]:80'], 'fe80::1'],
		[['X-Forwarded-For: 198.51.100.1, 203.0.113.9:1, 10.1.2.3:2'], '203.0.113.9'],
		[['X-Forwarded-For: 198.51.100.1', 'X-Forwarded-For: 203.0.113.9'], '203.0.113.9'],
		[['X-Forwarded-For: 203.0.113.9', 'X-Forwarded-For: 10.1.2.3'], '203.0.113.9'],
		[['X-Forwarded-For: "198.51.100.1', 'X-Forwarded-For: 203.0.113.9'], '203.0.113.9'],
		[['X-Forwarded-For: 203.0.113.9', 'X-Forwarded-For:'], '203.0.113.9'],
		[['Forwarded: for=203.0.113.9;proto=https;by=_x'], '203.0.113.9'],
		[['Forwarded: for="[2001:db8::7]:443"'], '2001:db8::7'],
		[['Forwarded: For="203.0.113.9:4711"'], '203.0.113.9'],
		[['Forwarded: for=198.51.100.1, for=203.0.113.9, for=10.1.2.3'], '203.0.113.9'],
		[['Forwarded: for=198.51.100.1', 'Forwarded: for=203.0.113.9'], '203.0.113.9'],
		[['Forwarded: for=203.0.113.9', 'Accept: x', 'Forwarded: for=10.1.2.3'], '203.0.113.9'],
		[
			['Forwarded: for="198.51.100.1', 'X-Other: y', 'Forwarded: for=203.0.113.9'],
			'203.0.113.9',
		],
		[['Forwarded: for=203.0.113.9', 'X-Forwarded-For: 203.0.113.9:80'], '203.0.113.9'],
		[['X-Forwarded-For: unknown'], UNKNOWN],
		[['X-Forwarded-For: unix:'], UNKNOWN],
		[['X-Forwarded-For: _hidden'], UNKNOWN],
		[['X-Forwarded-For:'], UNKNOWN],
		[['X-Forwarded-For: ,'], UNKNOWN],
		[['X-Forwarded-For: ""'], UNKNOWN],
		[['X-Forwarded-For: 203.0.113.9, unknown'], UNKNOWN],
		[['X-Forwarded-For: 203.0.113.9, rubbish, 10.1.2.3'], UNKNOWN],
		[['X-Forwarded-For: 203.0.113.9', 'X-Forwarded-For: unknown'], UNKNOWN],
		[['X-Forwarded-For: ::'], UNKNOWN],
		[['X-Forwarded-For: 0.0.0.0'], UNKNOWN],
		[['Forwarded: for=unknown'], UNKNOWN],
		[['Forwarded: for=_hidden'], UNKNOWN],
		[['Forwarded: for="unix:"'], UNKNOWN],
		[['Forwarded:'], UNKNOWN],
		[['Forwarded: proto=https'], UNKNOWN],
		[['Forwarded: 203.0.113.9'], UNKNOWN],
		[['Forwarded: for=203.0.113.9;for=203.0.113.9'], UNKNOWN],
		[['Forwarded: for=203.0.113.9', 'Forwarded: for=unknown'], UNKNOWN],
		// Of two headers one is the client's own, as far as we know.
		[['Forwarded: for=198.51.100.1', 'X-Forwarded-For: 203.0.113.9'], UNKNOWN],
		// A client may set what its proxy does not.
		[['X-Real-IP: 203.0.113.9'], UNKNOWN],
		[['Via: 1.1 somewhere'], UNKNOWN],
		[['Accept: nothing'], TRUSTED],
	]) {
		it(`${JSON.stringify(lines)} is ${address}`, async () => {
			assert.equal(await addressOf(praxis, lines), address);
			const opened =
				address.startsWith('203.0.113.') || address === TRUSTED || address.includes(':');
			assert.equal(await statusOf(praxis.port, '/metrics', lines), opened ? 200 : 401);
		});
	}

	it('is whom the header names of each request, not of the one before', async () => {
		const wire = await open(praxis.port);
		for (const [lines, status] of [
			[['X-Forwarded-For: 203.0.113.9'], 200],
			[[], 200],
			[['X-Forwarded-For: 10.1.2.3'], 401],
		]) {
			wire.write(withLines('/metrics', lines));
			assert.equal((await wire.response()).status, status, lines.join());
		}
		wire.close();
	});

	it('has not the address of the request before, though that was a proxy', async () => {
		const wire = await open(praxis.port, STRANGER);
		for (const [lines, status] of [
			[['Accept: x'], 200],
			[['X-Forwarded-For: 203.0.113.9'], 401],
		]) {
			wire.write(withLines('/stats', lines));
			assert.equal((await wire.response()).status, status);
		}
		wire.close();
	});

	it('is on a loopback address of the proxy, which is none of ours', async () => {
		for (const line of ['X-Forwarded-For: 127.0.0.1', 'Forwarded: for="[::1]"']) {
			assert.equal(await statusOf(praxis.port, '/metrics', [line]), 401, line);
		}
	});

	itEnds(praxis);
});

describe('which header counts can be said', () => {
	const vhost = { 'trusted-proxies': [TRUSTED] };
	const both = ['Forwarded: for=198.51.100.1', 'X-Forwarded-For: 203.0.113.9'];
	for (const [which, address] of [
		['forwarded', '198.51.100.1'],
		['x-forwarded-for', '203.0.113.9'],
	]) {
		describe(which, () => {
			const praxis = usePraxisd({
				global: audited,
				vhost: { ...vhost, 'forwarded-header': which },
			});
			it('is taken where both are there', async () => {
				assert.equal(await addressOf(praxis, both), address);
			});
			it('is missed where the other one is there alone', async () => {
				const other = both.filter((line) => !line.includes(address));
				assert.equal(await addressOf(praxis, other), UNKNOWN);
			});
			itEnds(praxis);
		});
	}
});

describe('figures, from this machine', () => {
	const praxis = usePraxisd();

	const signs = [
		'X-Forwarded-For: 203.0.113.9',
		'X-Forwarded-For: 127.0.0.1',
		'X-Forwarded-For:',
		'x-forwarded-for: ::1',
		'Forwarded: for=127.0.0.1',
		'Forwarded:',
		'X-Forwarded-Host: localhost',
		'X-Forwarded-Proto: https',
		'X-Forwarded-Port: 443',
		'X-Forwarded-Server: a',
		'X-Forwarded-Prefix: /x',
		'X-Forwarded-Whatever: 1',
		'X-Real-IP: 127.0.0.1',
		'X-Real-IP:',
		'Via: 1.1 varnish',
		'Via:',
		'CF-Connecting-IP: 127.0.0.1',
		'CF-Ray: 1',
		'CDN-Loop: cloudflare',
		'True-Client-IP: 127.0.0.1',
		'Fastly-Client-IP: 127.0.0.1',
		'X-Client-IP: 127.0.0.1',
		'X-Cluster-Client-IP: 127.0.0.1',
		'X-Envoy-External-Address: 127.0.0.1',
		'X-Original-Forwarded-For: 127.0.0.1',
	];
	for (const sign of signs) {
		it(`are not for who comes with ${JSON.stringify(sign)}`, async () => {
			for (const path of ['/metrics', '/stats', '/stats?']) {
				assert.equal(
					await statusOf(praxis.port, path, ['Accept: */*', sign, 'X-Last: 1']),
					401,
					path,
				);
			}
			// Also as the first line that lws knows nothing of, and as the last.
			assert.equal(await statusOf(praxis.port, '/metrics', [sign]), 401);
			assert.equal(
				await statusOf(praxis.port, '/metrics', ['X-One: 1', 'X-Two:', sign]),
				401,
			);
		});
	}

	it('are not for who comes with a PROXY header', async () => {
		const wire = await open(praxis.port);
		wire.write(`PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n${withLines('/metrics', [])}`);
		assert.ok([400, 401].includes((await wire.response())?.status));
		wire.close();
	});

	it('are for everybody else here', async () => {
		for (const lines of [
			[],
			['Accept: text/plain', 'User-Agent:'],
			['X-Something: 1', 'X-Forwarder: 1'],
		]) {
			assert.equal(await statusOf(praxis.port, '/metrics', lines), 200);
			assert.equal(await statusOf(praxis.port, '/stats', lines, STRANGER), 200);
		}
	});

	// lws 4.1.6 and 4.3.5 take the next line for part of such a name.
	for (const line of [
		'Vi: x',
		'Vi:x',
		'X-Forwarded: x',
		'X-Forwarded-Fo: x',
		'X: y',
		'A',
		'X-Auth: 1',
		'Vi : x',
		' folded',
	]) {
		it(`are not for who hides a proxy's line behind ${JSON.stringify(line)}`, async () => {
			for (const hidden of ['X-Forwarded-For: 203.0.113.9', 'X-Other: 1']) {
				assert.equal(
					await statusOf(praxis.port, '/metrics', ['Accept: x', line, hidden]),
					400,
				);
			}
		});
	}

	itEnds(praxis);
});

// Through a proxy; what the audit log has of the address of a session that came so.
async function addressThrough(praxis, proxy, headers = {}) {
	const userId = `behind-${++users}`;
	const wire = await Wire.open(proxy.port);
	const path = `/ws?practiceId=1&role=staff&userId=${userId}&userName=u`;
	const client = await RawClient.open(proxy.port, path, { userId }, { wire, headers });
	await client.next('connection_established');
	await client.close();
	const entry = await until('an entry', async () => {
		const text = (await readFile(`${praxis.dir}/audit.jsonl`, 'utf8')).trim().split('\n');
		return text.map((line) => JSON.parse(line)).find(({ user }) => user === userId);
	});
	return entry.address;
}

// A proxy that is there for the tests of a suite.
function useProxy(begin) {
	const proxy = {};
	before(async () => Object.assign(proxy, await begin()));
	after(() => proxy.stop?.());
	return proxy;
}

const LEGACY = 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;';

describe('real proxies on this machine that are not trusted', () => {
	const praxis = usePraxisd();
	const proxies = {
		'nginx with X-Forwarded-For': useProxy(() => startNginx(praxis.port, LEGACY)),
		'nginx with X-Real-IP': useProxy(() =>
			startNginx(praxis.port, 'proxy_set_header X-Real-IP $remote_addr;'),
		),
		'nginx with the Host of the client': useProxy(() =>
			startNginx(praxis.port, 'proxy_set_header Host clinic.example;'),
		),
		'HAProxy with forwardfor': useProxy(() =>
			startHaproxy(praxis.port, { more: 'option forwardfor' }),
		),
	};

	for (const [what, proxy] of Object.entries(proxies)) {
		it(`${what}: figures are not open through it`, async () => {
			for (const path of ['/metrics', '/stats']) {
				assert.equal(await statusOf(praxis.port, path, []), 200);
				assert.equal(await statusOf(proxy.port, path, []), 401);
				assert.equal(await statusOf(proxy.port, path, ['X-Forwarded-For: 127.0.0.1']), 401);
				assert.equal(await statusOf(proxy.port, path, ['Forwarded: for=127.0.0.1']), 401);
			}
		});
		it(`${what}: nor by a line that hides the proxy's`, async () => {
			for (const line of ['Vi: x', 'X-Forwarded: y', 'X: z']) {
				const status = await statusOf(proxy.port, '/metrics', ['Accept: x', line]);
				assert.notEqual(status, 200, line);
			}
		});
	}

	itEnds(praxis);
});

describe('real proxies that are trusted', () => {
	const praxis = usePraxisd({ global: audited, vhost: { 'trusted-proxies': TRUSTED } });
	// The client's address, as the proxy is told to write it.
	const cases = {
		'with the port': ['$remote_addr:$remote_port', TRUSTED],
		'in brackets and quotes': ['"\\"[2001:db8::7]:$remote_port\\""', '2001:db8::7'],
		'and unknown, from a Unix socket': ['unix:', UNKNOWN],
		'and the last one of a list': ['"198.51.100.1, 203.0.113.9:$remote_port"', '203.0.113.9'],
	};
	for (const [what, [value, address]] of Object.entries(cases)) {
		const proxy = useProxy(() =>
			startNginx(praxis.port, `proxy_set_header X-Forwarded-For ${value};`),
		);
		it(`nginx ${what}`, async () => {
			assert.equal(await addressThrough(praxis, proxy), address);
			assert.equal(await statusOf(proxy.port, '/metrics', []), 401);
		});
	}

	const haproxy = useProxy(() =>
		startHaproxy(praxis.port, {
			more: 'http-request add-header X-Forwarded-For 203.0.113.9\n\thttp-request add-header Forwarded for=203.0.113.9',
		}),
	);
	it("HAProxy, which adds its line behind the client's", async () => {
		const headers = { 'X-Forwarded-For': '127.0.0.1', Forwarded: 'for=127.0.0.1' };
		assert.equal(await addressThrough(praxis, haproxy, headers), '203.0.113.9');
		assert.equal(await addressThrough(praxis, haproxy), '203.0.113.9');
	});

	itEnds(praxis);
});

describe('HAProxy with the PROXY protocol, where it ends TLS', () => {
	let certificates;
	let port;
	const praxis = usePraxisd({
		global: audited,
		files: {
			'conf.d/10-proxied.json': {
				vhosts: [
					{
						name: 'proxied',
						port: 0,
						interface: '127.0.0.1',
						'open-practice': '1',
						'proxy-protocol': true,
						'trusted-proxies': TRUSTED,
						'ws-protocols': [{ whiteboard: { status: 'ok' } }],
					},
				],
			},
		},
	});
	before(async () => {
		certificates = await Certificates.make();
		await certificates.issue('a');
		[, port] = await praxis.logged(/vhost proxied: listening on .*:(\d+)/);
	});
	after(() => certificates.remove());
	const proxy = useProxy(async () => {
		const pem = ['a.pem', 'a.key'].map((name) => readFile(certificates.path(name), 'utf8'));
		const both = certificates.path('both.pem');
		await writeFile(both, (await Promise.all(pem)).join('\n'));
		return startHaproxy(port, { bind: `ssl crt ${both}`, server: 'send-proxy-v2-ssl' });
	});

	for (const [scheme, status] of [
		['https', 101],
		['http', 403],
	]) {
		it(`a page of ${scheme} of the same host: ${status}`, async () => {
			const socket = tls.connect({
				port: proxy.port,
				host: '127.0.0.1',
				rejectUnauthorized: false,
			});
			const wire = new Wire(socket);
			const host = `localhost:${proxy.port}`;
			wire.write(
				upgradeRequest('/ws?practiceId=1&userId=1', {
					Host: host,
					Origin: `${scheme}://${host}`,
				}),
			);
			assert.equal((await wire.response()).status, status);
			wire.close();
		});
	}

	itEnds(praxis);
});

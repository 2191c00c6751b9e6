// SPDX-License-Identifier: MIT
//
// TLS: what is negotiated, whom a vhost believes, renewal of certificates, and that no name that a
// client gives moves it to another vhost's settings. Then what every page says to browsers, and
// the vhost that only redirects.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import tls from 'node:tls';
import { Certificates } from './lib/certificates.mjs';
import { WsClient } from './lib/client.mjs';
import { exchange, get, request, Wire } from './lib/http.mjs';
import {
	globalConfig,
	itEnds,
	runPraxisd,
	secret,
	usePraxisd,
	writeConfig,
} from './lib/praxisd.mjs';
import { refusedUpgrade, upgradeRequest } from './lib/raw.mjs';
import { until, within } from './lib/wait.mjs';

const SERVICES = ['whiteboard', 'telemedicine', 'echo'];
const certificates = await Certificates.make();
after(() => certificates.remove());
await Promise.all([
	certificates.issue('a'),
	certificates.issue('b'),
	certificates.issue('c', { kind: 'rsa' }),
	certificates.issue('ca', { subject: '/CN=ca.test' }),
	certificates.issue('otherca', { subject: '/CN=otherca.test' }),
	certificates.issue('old', { days: 1 }),
	certificates.issue('locked'),
]);
await Promise.all([
	certificates.issue('client', { ca: 'ca' }),
	certificates.issue('alien', { ca: 'otherca' }),
	certificates.lock('locked', 'SECRET'),
]);

function vhost(name, certificate, more = {}) {
	return {
		name,
		port: 0,
		interface: '127.0.0.1',
		...(certificate && {
			'host-ssl-cert': certificates.path(`${certificate}.pem`),
			'host-ssl-key': certificates.path(`${certificate}.key`),
		}),
		'open-practice': '1',
		'ws-protocols': SERVICES.map((service) => ({ [service]: { status: 'ok' } })),
		...more,
	};
}

async function portOf(praxis, name) {
	return Number((await praxis.logged(new RegExp(`vhost ${name}: listening on .*:(\\d+)`)))[1]);
}

// A TLS connection, or the error that ended it. With TLS 1.3 a server refuses a client's
// certificate after the client thinks all is well, so a request is sent, too.
// A connection with one request: whether it resumed a session, and the session to resume next.
async function visit(port, options = {}) {
	const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
	let session;
	socket.on('session', (given) => (session = given));
	await within(once(socket, 'secureConnect'), 'a TLS connection');
	const wire = new Wire(socket);
	wire.write(request('GET', '/health'));
	assert.equal((await wire.response())?.status, 200); // tickets come before it
	const resumed = socket.isSessionReused();
	socket.destroy();
	return { resumed, session: session ?? socket.getSession() };
}

async function connect(port, options = {}, text = request('GET', '/health')) {
	const socket = tls.connect({
		port,
		host: '127.0.0.1',
		rejectUnauthorized: false,
		...options,
	});
	try {
		await within(
			new Promise((resolve, reject) => {
				socket.once('secureConnect', resolve);
				socket.once('error', reject);
				socket.once('close', () => reject(new Error('closed')));
			}),
			'a TLS connection',
		);
		const wire = new Wire(socket);
		wire.write(text);
		const response = await wire.response();
		const certificate = socket.getPeerCertificate();
		return {
			response,
			protocol: socket.getProtocol(),
			cipher: socket.getCipher().name,
			alpn: socket.alpnProtocol,
			fingerprint: certificate.fingerprint256,
			name: certificate.subject?.CN,
			reused: socket.isSessionReused(),
		};
	} finally {
		socket.destroy();
	}
}

async function refused(port, options, text) {
	let got;
	try {
		got = await connect(port, options, text);
	} catch {
		return;
	}
	assert.equal(got.response, null, `no answer: ${JSON.stringify(got)}`);
}

let users = 0;

async function join(port, options = {}) {
	const userId = `tls-user-${++users}`;
	const url = `wss://127.0.0.1:${port}/ws?practiceId=1&role=staff&userId=${userId}`;
	const client = await WsClient.open(
		`${url}&userName=${userId}`,
		['praxis.v1'],
		{ userId },
		{
			rejectUnauthorized: false,
			...options,
		},
	);
	client.hello = await client.next('connection_established');
	return client;
}

const credentials = async (name) => ({
	cert: await readFile(certificates.path(`${name}.pem`)),
	key: await readFile(certificates.path(`${name}.key`)),
});

describe('TLS', () => {
	let port;
	let newest;
	const praxis = usePraxisd(() => ({
		global: {
			'messages-per-second': 0,
			'bytes-per-second': 0,
			'queue-bytes': 64 * 1024 * 1024,
			'send-buffer-bytes': 16384,
		},
		files: {
			'conf.d/10-tls.json': {
				vhosts: [vhost('secure', 'a'), vhost('newest', 'b', { 'tls-min-version': '1.3' })],
			},
		},
	}));
	before(async () => {
		port = await portOf(praxis, 'secure');
		newest = await portOf(praxis, 'newest');
	});

	for (const version of ['TLSv1', 'TLSv1.1']) {
		it(`${version} is refused`, () =>
			refused(port, {
				minVersion: version,
				maxVersion: version,
				ciphers: 'ALL@SECLEVEL=0',
			}));
	}

	for (const version of ['TLSv1.2', 'TLSv1.3']) {
		it(`${version} is fine`, async () => {
			const got = await connect(port, { minVersion: version, maxVersion: version });
			assert.equal(got.protocol, version);
			assert.equal(got.response.status, 200);
		});
	}

	it('TLS 1.2 is refused where 1.3 is demanded', async () => {
		await refused(newest, { maxVersion: 'TLSv1.2' });
		assert.equal((await connect(newest)).protocol, 'TLSv1.3');
	});

	for (const cipher of ['AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA256', 'NULL-SHA256']) {
		it(`${cipher} is refused`, () =>
			refused(port, { maxVersion: 'TLSv1.2', ciphers: `${cipher}:@SECLEVEL=0` }));
	}

	it('speaks HTTP/1.1 alone', async () => {
		const both = await connect(port, { ALPNProtocols: ['h2', 'http/1.1'] });
		assert.equal(both.alpn, 'http/1.1');
		assert.equal(both.response.status, 200);
		await refused(port, { ALPNProtocols: ['h2'] });
	});

	it('resumes a session of TLS 1.3 by a ticket, again and again', async () => {
		const first = await visit(port);
		const second = await visit(port, { session: first.session });
		const third = await visit(port, { session: second.session });
		assert.deepEqual([first.resumed, second.resumed, third.resumed], [false, true, true]);
	});

	it('resumes no session of TLS 1.2', async () => {
		const { session } = await visit(port, { maxVersion: 'TLSv1.2' });
		assert.equal((await visit(port, { maxVersion: 'TLSv1.2', session })).resumed, false);
	});

	it('what is no TLS is cut off', async () => {
		const response = await get(port, '/health');
		assert.equal(response, null);
	});

	it('what is TLS is cut off where there is none', () => refused(praxis.port));

	it('an end in the middle of the handshake harms nobody', async () => {
		for (let length = 1; length < 60; length += 7) {
			const wire = await Wire.open(port);
			wire.write(Buffer.from('16030100f8010000f40303'.padEnd(2 * length, '7'), 'hex'));
			wire.close();
		}
		assert.equal((await connect(port)).response.status, 200);
	});

	it('carries sessions', async () => {
		const [ann, bob] = [await join(port), await join(port)];
		ann.send({ type: 'whiteboard_update', practiceId: 1, data: secret() });
		await bob.next('whiteboard_update');
		await ann.close();
		await bob.close();
	});

	it('large messages arrive whole and in order, at a slow reader too', async () => {
		const COUNT = 150;
		const ann = await join(port);
		const readers = [];
		for (let at = 0; at < 8; at++) {
			readers.push(await join(port));
		}
		const slow = readers.slice(0, 3);
		slow.forEach((reader) => reader.transport.pause());
		const texts = Array.from({ length: COUNT }, (_, at) =>
			`${at}:SECRET:`.padEnd(1 + ((at * 7919) % 60000), String.fromCharCode(97 + (at % 26))),
		);
		for (const text of texts) {
			ann.send({ type: 'whiteboard_update', practiceId: 1, data: text });
		}
		await ann.fence();
		await readers.at(-1).next('whiteboard_update', ({ data }) => data === texts.at(-1), 30000);
		assert.ok((await praxis.stats()).queue_bytes > 1e6, 'the server holds on to what is slow');
		slow.forEach((reader) => reader.transport.resume());
		for (const reader of readers.slice(0, -1)) {
			for (const text of texts) {
				const { data } = await reader.next('whiteboard_update', undefined, 30000);
				assert.ok(data === text, `${text.slice(0, 10)}, not ${data.slice(0, 10)}`);
			}
		}
		for (const client of [ann, ...readers]) {
			assert.deepEqual(client.violations, []);
			await client.close();
		}
	});

	it('small messages in a burst, both ways, arrive in order', async () => {
		const [ann, bob] = [await join(port), await join(port)];
		for (let at = 0; at < 3000; at++) {
			ann.send({ type: 'whiteboard_update', practiceId: 1, data: at });
			bob.send({ type: 'whiteboard_update', practiceId: 1, data: -at });
		}
		for (let at = 0; at < 3000; at++) {
			assert.equal((await bob.next('whiteboard_update')).data, at);
			assert.equal((await ann.next('whiteboard_update')).data, -at || 0);
		}
		await ann.close();
		await bob.close();
	});

	it('idle encrypted connections cost no time', async () => {
		const clients = await Promise.all(Array.from({ length: 20 }, () => join(port)));
		const ticks = async () => {
			const stat = await readFile(`/proc/${praxis.pid}/stat`, 'latin1');
			const [user, system] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14);
			return Number(user) + Number(system);
		};
		const start = await ticks();
		await pause(1000);
		const spent = (await ticks()) - start;
		assert.ok(spent < 30, `${spent} of 100 ticks`);
		await Promise.all(clients.map((client) => client.close()));
	});

	itEnds(praxis);
});

describe('client certificates', () => {
	let demanding;
	let asking;
	let open;
	const praxis = usePraxisd(() => {
		const ca = { 'host-ssl-ca': certificates.path('ca.pem') };
		return {
			files: {
				'conf.d/10-tls.json': {
					vhosts: [
						// Its clients come by names that are not this machine's.
						vhost('open.test', 'a', { 'open-mode': 'insecure' }),
						vhost('demanding.test', 'b', {
							...ca,
							'client-cert-required': true,
							'tls-min-version': '1.3',
						}),
						vhost('asking.test', 'c', ca),
					],
				},
			},
		};
	});
	before(async () => {
		demanding = await portOf(praxis, 'demanding.test');
		asking = await portOf(praxis, 'asking.test');
		open = await portOf(praxis, 'open.test');
	});

	it('are demanded', async () => {
		await refused(demanding);
		const got = await connect(demanding, await credentials('client'));
		assert.equal(got.response.status, 200);
		const client = await join(demanding, await credentials('client'));
		await client.close();
	});

	for (const name of ['alien', 'a']) {
		it(`of others (${name}) are refused`, async () => {
			await refused(demanding, await credentials(name));
			await refused(asking, await credentials(name));
		});
	}

	it('are asked for again: no session is resumed', async () => {
		for (const port of [demanding, asking]) {
			const shown = await credentials('client');
			const { session } = await visit(port, shown);
			assert.equal((await visit(port, { ...shown, session })).resumed, false);
		}
	});

	it('may be shown where they are only asked for', async () => {
		assert.equal((await connect(asking)).response.status, 200);
		assert.equal((await connect(asking, await credentials('client'))).response.status, 200);
	});

	it('are not asked for elsewhere', async () => {
		assert.equal((await connect(open)).response.status, 200);
	});

	const names = [
		'open.test',
		'demanding.test',
		'asking.test',
		'd',
		'sub.demanding.test',
		'other',
	];

	it('no name in SNI gets another certificate or goes round the demand', async () => {
		for (const servername of names) {
			await refused(demanding, { servername });
			await refused(demanding, { servername, maxVersion: 'TLSv1.2' });
			await refused(demanding, {
				servername,
				...(await credentials('client')),
				maxVersion: 'TLSv1.2',
			});
			assert.equal((await connect(open, { servername })).name, 'a.test');
			assert.equal((await connect(asking, { servername })).name, 'c.test');
			const got = await connect(demanding, { servername, ...(await credentials('client')) });
			assert.equal(got.name, 'b.test');
		}
	});

	it('no Host moves a connection to another vhost', async () => {
		const hosts = [...names, 'demanding.test:1', 'x.demanding.test'];
		for (const Host of hosts) {
			for (const servername of ['demanding.test', 'open.test']) {
				const got = await connect(
					open,
					{ servername },
					request('GET', '/health', { Host }),
				);
				assert.equal(got.response.status, 200);
				assert.equal(got.name, 'a.test');
				await refused(demanding, { servername }, request('GET', '/health', { Host }));
			}
		}
	});

	it('nor does it on a connection that is kept alive, and sessions stay with their vhost', async () => {
		const socket = tls.connect({ port: open, host: '127.0.0.1', rejectUnauthorized: false });
		await new Promise((resolve) => socket.once('secureConnect', resolve));
		const wire = new Wire(socket);
		for (const Host of names) {
			wire.write(request('GET', '/health', { Host }));
			assert.equal((await wire.response()).status, 200);
		}
		wire.write(upgradeRequest('/ws?practiceId=1&userId=7', { Host: 'demanding.test' }));
		assert.equal((await wire.response()).status, 101);
		wire.close();
		for (const Host of ['demanding.test', 'asking.test', 'open.test']) {
			const [ann, bob] = [
				await join(open, { headers: { Host } }),
				await join(open, { headers: { Host } }),
			];
			ann.send({ type: 'whiteboard_update', practiceId: 1, data: secret() });
			await bob.next('whiteboard_update');
			await ann.close();
			await bob.close();
		}
	});

	it('the plain vhost is for what is plain', async () => {
		for (const Host of names) {
			assert.equal((await get(praxis.port, '/health', { Host })).status, 200);
		}
	});

	it('a demand that comes with a reload holds for connections that are kept alive', async () => {
		const agent = new https.Agent({
			keepAlive: true,
			maxSockets: 1,
			rejectUnauthorized: false,
		});
		const fetch = () =>
			new Promise((resolve, reject) => {
				https
					.get(
						{ port: asking, host: '127.0.0.1', path: '/health', agent },
						(response) => {
							response.resume();
							response.on('end', () => resolve(response.statusCode));
						},
					)
					.on('error', reject);
			});
		assert.equal(await fetch(), 200);
		const config = JSON.parse(await readFile(`${praxis.dir}/conf.d/10-tls.json`));
		config.vhosts[2]['client-cert-required'] = true;
		await writeFile(`${praxis.dir}/conf.d/10-tls.json`, JSON.stringify(config));
		const since = praxis.log.length;
		praxis.signal('SIGHUP');
		await praxis.logged(/configuration reloaded/, since);
		assert.equal(await fetch(), 421);
		agent.destroy();
		await refused(asking);
		assert.equal((await connect(asking, await credentials('client'))).response.status, 200);
	});

	it('TLS is switched off and on by a reload, at the same port, and sessions are sent away', async () => {
		const config = JSON.parse(await readFile(`${praxis.dir}/conf.d/10-tls.json`));
		const { 'host-ssl-cert': cert, 'host-ssl-key': key } = config.vhosts[0];
		const reload = async () => {
			const since = praxis.log.length;
			await writeFile(`${praxis.dir}/conf.d/10-tls.json`, JSON.stringify(config));
			praxis.signal('SIGHUP');
			await praxis.logged(/configuration reloaded/, since);
		};
		const ann = await join(open);
		delete config.vhosts[0]['host-ssl-cert'];
		delete config.vhosts[0]['host-ssl-key'];
		await reload();
		assert.equal((await get(open, '/health')).status, 200);
		await refused(open);
		await ann.next('server_draining');
		assert.equal((await ann.closing()).code, 1012);

		Object.assign(config.vhosts[0], { 'host-ssl-cert': cert, 'host-ssl-key': key });
		await reload();
		assert.equal((await connect(open)).response.status, 200);
		await (await join(open)).close();
	});

	itEnds(praxis);
});

describe('renewal', () => {
	let port;
	const praxis = usePraxisd(async () => {
		await certificates.replace('live.pem', 'a.pem');
		await certificates.replace('live.key', 'a.key');
		return { files: { 'conf.d/10-tls.json': { vhosts: [vhost('live', 'live')] } } };
	});
	before(async () => {
		port = await portOf(praxis, 'live');
	});

	async function renew(name, { hup = false } = {}) {
		const { fingerprint } = await connect(port);
		const { session } = await visit(port);
		await certificates.replace('live.pem', `${name}.pem`);
		await certificates.replace('live.key', `${name}.key`);
		if (hup) {
			praxis.signal('SIGHUP');
		}
		await until(
			'the new certificate',
			async () => (await connect(port)).fingerprint !== fingerprint,
		);
		assert.equal((await visit(port, { session })).resumed, false, 'the new one is shown');
		for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
			const got = await connect(port, { maxVersion });
			assert.equal(got.name, `${name}.test`);
			assert.equal(got.response.status, 200);
		}
	}

	for (const [name, hup] of [
		['b', true],
		['c', true],
		['a', false],
	]) {
		it(`is taken up (${name}${hup ? ', SIGHUP' : ', by itself'}), and nobody is dropped`, async () => {
			const [ann, bob] = [await join(port), await join(port)];
			await renew(name, { hup });
			ann.send({ type: 'whiteboard_update', practiceId: 1, data: secret() });
			await bob.next('whiteboard_update');
			await ann.close();
			await bob.close();
		});
	}

	for (const [what, break_] of [
		['a key of another certificate', () => certificates.replace('live.key', 'b.key')],
		['a key of another kind', () => certificates.replace('live.key', 'c.key')],
		['no key at all', () => writeFile(certificates.path('live.key'), '')],
		['a key with a passphrase', () => certificates.replace('live.key', 'locked.key')],
		['rubbish', () => writeFile(certificates.path('live.pem'), 'SECRET rubbish')],
	]) {
		it(`with ${what} changes nothing, and is logged once`, async () => {
			const { fingerprint } = await connect(port);
			const ann = await join(port);
			const since = praxis.log.length;
			await break_();
			await praxis.logged(/live: the old certificate stays in use/, since);
			assert.match(praxis.log.slice(since), /host-ssl-(key|cert): .*live\.(key|pem)/);
			assert.equal((await connect(port)).fingerprint, fingerprint);
			const errors = praxis.log.slice(since).match(/stays in use/g).length;
			assert.equal(errors, 1);
			await ann.fence();
			await ann.close();
			await certificates.replace('live.pem', 'a.pem');
			await certificates.replace('live.key', 'a.key');
			await praxis.logged(/live: the new certificate is valid until/, since);
		});
	}

	it('a reload with files that do not fit changes nothing', async () => {
		const { fingerprint } = await connect(port);
		await certificates.replace('live.key', 'b.key');
		const since = praxis.log.length;
		praxis.signal('SIGHUP');
		await praxis.logged(/nothing was changed/, since);
		assert.equal((await connect(port)).fingerprint, fingerprint);
		await certificates.replace('live.key', 'a.key');
	});

	itEnds(praxis);
});

describe('files that cannot be used', () => {
	const cases = [
		['a key of another certificate', { 'host-ssl-key': 'b.key' }, /host-ssl-key: .*b\.key/],
		['a key of another kind', { 'host-ssl-key': 'c.key' }, /host-ssl-key: .*c\.key/],
		['a certificate for a key', { 'host-ssl-key': 'a.pem' }, /host-ssl-key: .*a\.pem/],
		['a key for a certificate', { 'host-ssl-cert': 'a.key' }, /host-ssl-cert: .*a\.key/],
		[
			'a locked key',
			{ 'host-ssl-cert': 'locked.pem', 'host-ssl-key': 'locked.key' },
			/host-ssl-key: .*locked\.key/,
		],
		['a CA that is none', { 'host-ssl-ca': 'a.key' }, /host-ssl-ca: .*a\.key/],
	];
	for (const [what, keys, complaint] of cases) {
		it(`${what}: told by name, exit code 2`, async () => {
			const files = Object.entries(keys).map(([key, name]) => [key, certificates.path(name)]);
			const dir = await writeConfig({
				'praxis.json': globalConfig(),
				'conf.d/10-tls.json': { vhosts: [vhost('bad', 'a', Object.fromEntries(files))] },
			});
			for (const args of [[], ['--check-config']]) {
				const { code, stderr } = await runPraxisd(['--config', dir, ...args]);
				assert.equal(code, 2);
				assert.match(stderr, complaint);
				assert.match(stderr, /10-tls\.json:\d+: vhost "bad"/);
			}
		});
	}

	it('a certificate about to end: a warning', async () => {
		const dir = await writeConfig({
			'praxis.json': globalConfig(),
			'conf.d/10-tls.json': { vhosts: [vhost('old', 'old')] },
		});
		const { code, stderr } = await runPraxisd(['--config', dir, '--check-config']);
		assert.equal(code, 0);
		assert.match(stderr, /warning: .*host-ssl-cert: .*old\.pem: it expires within a week/);
	});
});

// Every header once.
function headersOf(port, path, { secure, method = 'GET', headers } = {}) {
	return new Promise((resolve, reject) => {
		const module = secure ? https : http;
		const options = {
			port,
			host: '127.0.0.1',
			path,
			method,
			headers,
			rejectUnauthorized: false,
		};
		module
			.request({ ...options, agent: false }, (response) => {
				response.resume();
				const names = response.rawHeaders
					.filter((_, at) => at % 2 === 0)
					.map((name) => name.toLowerCase());
				assert.deepEqual([...new Set(names)], names, 'no header twice');
				resolve({ status: response.statusCode, ...response.headers });
			})
			.on('error', reject)
			.end();
	});
}

describe('headers of every page', () => {
	let secure;
	let own;
	let origin;
	const praxis = usePraxisd(async () => {
		origin = await writeConfig({ 'pages/index.html': '<p>page', 'pages/x.js': '1' });
		const mounts = [{ mountpoint: '/', origin: `${origin}/pages`, default: 'index.html' }];
		return {
			vhost: { mounts },
			files: {
				'conf.d/10-tls.json': {
					vhosts: [
						vhost('secure', 'a', { mounts }),
						vhost('own', 'b', {
							mounts,
							'hsts-max-age': 60,
							headers: [
								{ 'x-frame-options': 'SAMEORIGIN' },
								{ 'Content-Security-Policy': "default-src 'none'" },
								{ 'X-Own': 'yes' },
								{ 'cache-control': 'private' },
							],
						}),
					],
				},
			},
		};
	});
	before(async () => {
		secure = await portOf(praxis, 'secure');
		own = await portOf(praxis, 'own');
	});

	for (const path of ['/', '/x.js', '/health', '/stats', '/nosuch', '/ws', '/api/v1/nosuch']) {
		for (const method of ['GET', 'HEAD']) {
			it(`${method} ${path}`, async () => {
				const plain = await headersOf(praxis.port, path, { method });
				assert.equal(plain['x-content-type-options'], 'nosniff');
				assert.equal(plain['x-frame-options'], 'DENY');
				assert.equal(plain['referrer-policy'], 'no-referrer');
				assert.match(plain['content-security-policy'], /frame-ancestors 'none'/);
				assert.equal(plain['strict-transport-security'], undefined);
				const encrypted = await headersOf(secure, path, { method, secure: true });
				assert.equal(encrypted.status, plain.status);
				assert.equal(encrypted['strict-transport-security'], 'max-age=31536000');
				const replaced = await headersOf(own, path, { method, secure: true });
				assert.equal(replaced['strict-transport-security'], 'max-age=60');
				assert.equal(replaced['x-frame-options'], 'SAMEORIGIN');
				assert.equal(replaced['content-security-policy'], "default-src 'none'");
				assert.equal(replaced['x-own'], 'yes');
				assert.equal(replaced['cache-control'], 'private');
				assert.equal(replaced['x-content-type-options'], 'nosniff');
			});
		}
	}

	it('pages may load what is their own', async () => {
		const { 'content-security-policy': policy } = await headersOf(praxis.port, '/');
		assert.match(policy, /default-src 'self'/);
	});

	itEnds(praxis);
});

describe('a vhost that redirects', () => {
	let port;
	let standard;
	const praxis = usePraxisd({
		files: {
			'conf.d/10-redirect.json': {
				vhosts: [
					{
						name: 'redirect',
						port: 0,
						interface: '127.0.0.1',
						'redirect-to-https': 8443,
					},
					{ name: 'standard', port: 0, interface: '127.0.0.1', 'redirect-to-https': 443 },
				],
			},
		},
	});
	before(async () => {
		port = await portOf(praxis, 'redirect');
		standard = await portOf(praxis, 'standard');
	});

	async function location(at, path, headers, method = 'GET') {
		const more = method === 'POST' ? { 'Content-Length': '0' } : {};
		const response = await exchange(at, request(method, path, { ...headers, ...more }), {
			head: method === 'HEAD',
		});
		assert.equal(response.status, 308);
		return response.headers.location;
	}

	it('says where to go', async () => {
		assert.equal(await location(port, '/'), 'https://127.0.0.1:8443/');
		assert.equal(await location(standard, '/'), 'https://127.0.0.1/');
	});

	for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
		it(`to ${method}, too`, async () => {
			assert.equal(await location(port, '/a', {}, method), 'https://127.0.0.1:8443/a');
		});
	}

	for (const [host, wanted] of [
		['praxis.example.org', 'praxis.example.org'],
		['praxis.example.org:9002', 'praxis.example.org'],
		['[::1]:80', '[::1]'],
		['[::1]', '[::1]'],
	]) {
		it(`of ${host}`, async () => {
			assert.equal(await location(standard, '/', { Host: host }), `https://${wanted}/`);
		});
	}

	for (const [path, wanted] of [
		['/a/b.html?x=1&y=2', '/a/b.html?x=1&y=2'],
		['/ws?token=SECRET.a-b_c~d', '/ws?token=SECRET.a-b_c~d'],
		['/a%20b?c=d%26e&f=%25', '/a%20b?c=d%26e&f=%25'],
		['/%C3%A4?%C3%B6=%E2%82%AC', '/%C3%A4?%C3%B6=%E2%82%AC'],
		['/?a=1&b', '/?a=1&b'],
		['/%22%3E', '/%22%3E'],
		[`/?a=${'x'.repeat(1500)}&b=2`, `/?a=${'x'.repeat(1500)}&b=2`],
		['/a?b=%22%3Cc', '/a?b=%22%3Cc'],
	]) {
		it(`with path and query: ${path.slice(0, 40)}`, async () => {
			assert.equal(await location(standard, path), `https://127.0.0.1${wanted}`);
		});
	}

	it('and no line of its own can be made of either', async () => {
		for (const path of ['/%0d%0aX-Bad:1', '/?a=%0d%0aX-Bad:1', '/?%0d%0aX-Bad=1']) {
			const response = await get(standard, path);
			assert.ok([308, 400, 403].includes(response?.status ?? 400));
			assert.equal(response?.headers['x-bad'], undefined);
		}
	});

	for (const host of [
		'a b',
		'a/b',
		'a@b',
		'a?b',
		'"',
		'a:b',
		'a:1:2',
		'a:123456',
		'[::1',
		'[]',
		'::1',
		'a,b',
		'x'.repeat(300),
		null,
	]) {
		it(`Host ${String(host).slice(0, 20)} makes no sense`, async () => {
			const response = await get(standard, '/', { Host: host });
			assert.equal(response.status, 400);
			assert.equal(response.headers.location, undefined);
		});
	}

	it('what is too long is not cut off', async () => {
		const response = await get(standard, `/?a=${'x'.repeat(3000)}&b=2`);
		assert.equal(response.status, 400);
	});

	it('redirects upgrades', async () => {
		const response = await refusedUpgrade(port, '/ws?practiceId=1');
		assert.equal(response.status, 308);
		assert.equal(response.headers.location, 'https://127.0.0.1:8443/ws?practiceId=1');
	});

	it('does nothing else', async () => {
		for (const path of ['/health', '/ready', '/stats', '/api/v1/tickets', '/metrics']) {
			assert.equal((await get(port, path)).status, 308);
		}
	});

	itEnds(praxis);
});

describe('WebSockets over TLS', () => {
	const praxis = usePraxisd(() => ({
		global: { 'queue-bytes': 65536, 'send-buffer-bytes': 16384 },
		files: { 'conf.d/10-tls.json': { vhosts: [vhost('secure', 'a')] } },
	}));
	const join = async () => {
		const carrier = net.connect({ port: await portOf(praxis, 'secure'), host: '127.0.0.1' });
		const socket = tls.connect({ socket: carrier, rejectUnauthorized: false });
		socket.carrier = carrier;
		await within(
			new Promise((resolve, reject) => {
				socket.once('secureConnect', resolve);
				socket.once('error', reject);
			}),
			'a TLS connection',
		);
		return praxis.connectRaw({}, { wire: new Wire(socket) });
	};

	it('of a client that stops reading are closed with 4408', async () => {
		const [sender, slow] = [await join(), await join()];
		slow.socket.pause();
		await until('the client to be cut off', async () => {
			sender.send({
				type: 'whiteboard_update',
				practiceId: 1,
				data: secret().padEnd(8192, 'x'),
			});
			return (await praxis.stats()).slow_readers === 1;
		});
		slow.socket.resume();
		assert.equal((await slow.closing()).code, 4408);
	});

	it('are closed with 1012 when the server ends, which it does', async () => {
		const clients = await Promise.all(Array.from({ length: 50 }, join));
		praxis.signal('SIGTERM');
		for (const client of clients) {
			assert.equal((await client.closing()).code, 1012);
		}
		await praxis.ended();
	});
});

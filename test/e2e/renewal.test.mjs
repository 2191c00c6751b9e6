// SPDX-License-Identifier: MIT
//
// What a reload renews while sessions go on: who a client is, certificates, the audit log.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe } from 'node:test';
import { promisify } from 'node:util';
import { Certificates } from './lib/certificates.mjs';
import { WsClient } from './lib/client.mjs';
import { freePort } from './lib/ports.mjs';
import { BUILD, itEnds, secret, writeFiles } from './lib/praxisd.mjs';
import {
	assertSentAway,
	extra,
	gone,
	join,
	reload,
	useTalkingPraxisd,
	vhost,
} from './lib/reloading.mjs';
import { Issuer } from './lib/tokens.mjs';

const run = promisify(execFile);
const PRAXISCTL = path.join(BUILD, 'tools', 'praxisctl');

describe('who a client is', () => {
	const issuer = {};
	const praxis = useTalkingPraxisd({});
	before(async () => {
		issuer.old = await Issuer.create();
		issuer.new = await Issuer.create();
	});
	const claims = { sub: '7', name: 'n', role: 'staff', practices: [1] };
	const enter = async (port, token) => {
		const client = await WsClient.open(
			`ws://127.0.0.1:${port}/ws`,
			[],
			{},
			{
				headers: token ? { Authorization: `Bearer ${token}` } : {},
			},
		);
		return [client, await client.next()];
	};
	const proving = (port, key) =>
		vhost('proof', port, {
			'open-practice': undefined,
			tokens: { secret: issuer[key].secret },
		});

	praxis.test('open mode ends: its sessions are sent away, and others need a token', async () => {
		const port = await freePort();
		await reload(praxis, extra(vhost('proof', port)));
		const open = await join(port);
		const lines = await reload(praxis, extra(proving(port, 'old')));
		assert.match(lines, /vhost proof: tokens were added/);
		assert.ok(!lines.includes(issuer.old.secret));
		await assertSentAway(open);
		const [client, hello] = await enter(port, await issuer.old.token(claims, { alg: 'HS256' }));
		assert.equal(hello.type, 'connection_established');

		const changed = await reload(praxis, extra(proving(port, 'new')));
		assert.match(changed, /vhost proof: tokens: key of HS256 changed/);
		assert.ok(!changed.includes(issuer.new.secret));
		const [, refused] = await enter(port, await issuer.old.token(claims, { alg: 'HS256' }));
		assert.equal(refused.type, 'error');
		const [later, welcome] = await enter(
			port,
			await issuer.new.token(claims, { alg: 'HS256' }),
		);
		assert.equal(welcome.type, 'connection_established');
		await client.accepted({ type: 'whiteboard_update', practiceId: 1, data: secret() });
		await later.next('whiteboard_update');
		await reload(praxis, extra());
		await Promise.all([client, later].map(assertSentAway));
	});

	itEnds(praxis);
});

describe('TLS', () => {
	let certificates;
	const praxis = useTalkingPraxisd({});
	before(async () => {
		certificates = await Certificates.make();
		await certificates.issue('ca');
		for (const name of ['a', 'b']) {
			await certificates.issue(name);
		}
		await certificates.issue('client', { ca: 'ca' });
	});
	after(() => certificates.remove?.() ?? rm(certificates.dir, { recursive: true, force: true }));
	const files = (name) => ({
		'host-ssl-cert': certificates.path(`${name}.pem`),
		'host-ssl-key': certificates.path(`${name}.key`),
	});
	const common = (client) => client.transport.getPeerCertificate().subject.CN;

	praxis.test('other files: new connections see them, the others stay', async () => {
		const port = await freePort();
		await reload(praxis, extra(vhost('tls', port, files('a'))));
		const before = await join(port, { tls: true });
		assert.equal(common(before), 'a.test');
		assert.match(
			await reload(praxis, extra(vhost('tls', port, files('b')))),
			/vhost tls: host-ssl-cert changed/,
		);
		const later = await join(port, { tls: true });
		assert.equal(common(later), 'b.test');
		later.send({ type: 'whiteboard_update', practiceId: 1, data: secret() });
		await before.next('whiteboard_update');
		await before.close();
		await later.close();
		await reload(praxis, extra());
		await gone(praxis);
	});

	praxis.test('a client certificate is demanded: those without one are sent away', async () => {
		const port = await freePort();
		const asking = { ...files('a'), 'host-ssl-ca': certificates.path('ca.pem') };
		await reload(praxis, extra(vhost('tls', port, asking)));
		const own = {
			cert: await readFile(certificates.path('client.pem')),
			key: await readFile(certificates.path('client.key')),
		};
		const [known, stranger] = [
			await join(port, { tls: true, ...own }),
			await join(port, { tls: true }),
		];
		await reload(
			praxis,
			extra(vhost('tls', port, { ...asking, 'client-cert-required': true })),
		);
		await assertSentAway(stranger);
		assert.deepEqual(await known.fence(), []);
		await known.close();
		await reload(praxis, extra());
	});

	praxis.test('on and off many times, with clients each time', async () => {
		const port = await freePort();
		for (let i = 0; i < 10; i++) {
			await reload(praxis, extra(vhost('tls', port, i % 2 ? files('a') : {})));
			const client = await join(port, { tls: i % 2 === 1 });
			client.send({ type: 'ping', t: i });
			await client.next('pong');
			await reload(praxis, extra(vhost('tls', port, i % 2 ? {} : files('b'))));
			await assertSentAway(client);
		}
		await reload(praxis, extra());
		await gone(praxis);
	});

	itEnds(praxis);
});

describe('the audit log', () => {
	let dir;
	const praxis = useTalkingPraxisd(async () => {
		dir = path.join(tmpdir(), `praxis-audit-${process.pid}`);
		await rm(dir, { recursive: true, force: true });
		await writeFiles(dir, {});
		return {};
	});
	after(() => rm(dir, { recursive: true, force: true }));
	const audit = (file, more = {}) => ({
		'conf.d/60-audit.json': { global: { audit: { file: path.join(dir, file), ...more } } },
	});
	const entries = async (file) =>
		(await readFile(path.join(dir, file), 'utf8'))
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line).event);

	praxis.test('begins, goes on in another file, and ends, each with its entry', async () => {
		await reload(praxis, audit('one.jsonl'));
		await (await praxis.connect()).close();
		await reload(praxis, audit('one.jsonl', { sync: 'line' }));
		await reload(praxis, audit('two.jsonl', { sync: 'line' }));
		await reload(praxis, { 'conf.d/60-audit.json': null });
		const one = await entries('one.jsonl');
		assert.deepEqual(one.slice(0, 2), ['trail_opened', 'reconfigured']);
		assert.ok(one.includes('connected'));
		assert.equal(one.filter((event) => event === 'reconfigured').length, 2);
		assert.equal(one.at(-1), 'stopped');
		const two = await entries('two.jsonl');
		assert.deepEqual(
			[two[0], two[1], two.at(-2), two.at(-1)],
			['trail_opened', 'reconfigured', 'reconfigured', 'stopped'],
		);
		for (const file of ['one.jsonl', 'two.jsonl']) {
			await run(PRAXISCTL, ['audit', 'verify', path.join(dir, file)]);
		}
	});

	praxis.test(
		'another key for the same file changes nothing, another file that cannot be had neither',
		async () => {
			await reload(praxis, audit('keyed.jsonl', { key: 'k'.repeat(32) }));
			const lines = await reload(
				praxis,
				audit('keyed.jsonl', { key: 'l'.repeat(32) }),
				/nothing was changed/,
			);
			assert.match(lines, /the key of an existing audit log cannot change/);
			assert.ok(!lines.includes('llllllll'));
			await reload(praxis, audit('no/such/directory.jsonl'), /nothing was changed/);
			await (await praxis.connect()).close();
			assert.ok((await entries('keyed.jsonl')).includes('connected'));
			await reload(praxis, { 'conf.d/60-audit.json': null });
		},
	);

	itEnds(praxis);
});

// SPDX-License-Identifier: MIT
//
// praxisd --health: asks the server that runs with the same configuration, however its first vhost
// is listened on, and says in one sentence how it is.

import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, afterEach, describe, it } from 'node:test';
import { Certificates } from './lib/certificates.mjs';
import { freePort } from './lib/ports.mjs';
import { Praxisd, runPraxisd, vhostConfig, writeFiles } from './lib/praxisd.mjs';

const certificates = await Certificates.make();
after(() => certificates.remove());
await certificates.issue('a', { names: 'IP:127.0.0.1' });
await certificates.issue('ca');

const tls = (more) => ({
	'host-ssl-cert': certificates.path('a.pem'),
	'host-ssl-key': certificates.path('a.key'),
	...more,
});
const wantsCertificate = tls({
	'host-ssl-ca': certificates.path('ca.pem'),
	'client-cert-required': true,
});
const proxy = { 'trusted-proxies': ['127.0.0.1', '::1'], 'proxy-protocol': true };
const redirect = (port) => ({
	name: 'redirect',
	port,
	interface: '127.0.0.1',
	'redirect-to-https': 443,
});

describe('--health', () => {
	let praxis;
	let port;

	afterEach(async () => {
		await praxis?.kill();
		praxis = undefined;
	});

	async function start(vhost = {}, files = {}) {
		port = await freePort();
		praxis = new Praxisd();
		await praxis.start({ vhost: { port, ...vhost }, files });
	}

	const health = () => runPraxisd(['--health', '--config', praxis.dir]);

	async function well(said) {
		const { code, stdout, stderr } = await health();
		assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
		assert.match(stdout, said);
		assert.equal(stdout.trim().split('\n').length, 1);
	}

	async function ill(said) {
		const { code, stdout, stderr } = await health();
		assert.deepEqual({ code, stdout }, { code: 1, stdout: '' }, stderr);
		assert.match(stderr, said);
	}

	// [what, its vhost, what is said]
	for (const [what, vhost, said] of [
		['without TLS', {}, /^http:\/\/127\.0\.0\.1:\d+\/health: 200$/m],
		['on localhost', { interface: 'localhost' }, /^http:.*: 200$/m],
		['with TLS', tls(), /^https:\/\/127\.0\.0\.1:\d+\/health: 200$/m],
		['behind a proxy that says so', proxy, /^http:.*: 200$/m],
		['with TLS, behind such a proxy', tls(proxy), /^https:.*: 200$/m],
		['that wants certificates of clients', wantsCertificate, /requires a client certificate/],
		[
			'that wants them by TLS 1.2 as well',
			{ ...wantsCertificate, 'tls-min-version': '1.2' },
			/requires a client certificate/,
		],
	]) {
		it(`of a server ${what} is 0`, async () => {
			await start(vhost);
			await well(said);
		});
	}

	it('asks the vhost that says most', async () => {
		const other = await freePort();
		await start(wantsCertificate, {
			'conf.d/10-more.json': { vhosts: [redirect(await freePort())] },
			'conf.d/20-more.json': vhostConfig(
				{},
				{ name: 'plain', port: other, interface: '*', 'open-mode': 'insecure' },
			),
		});
		await well(new RegExp(`^http://127.0.0.1:${other}/health: 200$`, 'm'));
	});

	it('of a server that only redirects is 0', async () => {
		await start();
		const { port: own } = praxis;
		await praxis.kill();
		praxis = new Praxisd();
		await praxis.start({
			files: { 'conf.d/00-default.json': { vhosts: [redirect(own)] } },
		});
		await well(/: 30[1278]$/m);
	});

	it('is 1 once it has ended, says where it was asked for, and starts nothing', async () => {
		await start();
		praxis.signal('SIGTERM');
		await praxis.ended();
		await ill(new RegExp(`vhost default: http://127.0.0.1:${port}/health: `));
	});

	it('is 1 where nobody can know the port, or the configuration cannot be read', async () => {
		await start({ port: 0 });
		await ill(/"port" is 0/);
		await writeFiles(praxis.dir, { 'praxis.json': 'nonsense' });
		await ill(/praxis\.json/);
		await rm(praxis.dir, { recursive: true });
		await ill(/No such file/);
	});
});

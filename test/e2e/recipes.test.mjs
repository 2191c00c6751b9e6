// SPDX-License-Identifier: MIT
//
// The recipes of docs/operations.md for a proxy in front of Praxis, as they stand there, run by the real
// nginx and HAProxy: nothing is changed in them but the ports, and, to see that idle connections stay, the times.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as api from './lib/api.mjs';
import { WebSocket } from './lib/client.mjs';
import { get } from './lib/http.mjs';
import { bearer, token, tokenVhost } from './lib/issuer.mjs';
import { Praxisd, itEnds, usePraxisd } from './lib/praxisd.mjs';
import { freePort } from './lib/ports.mjs';
import { nginxConfig, recipeOf } from './lib/recipes.mjs';
import { until, within } from './lib/wait.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGES = ['/admin/websocket-admin', '/admin/websocket-admin/', '/demo', '/demo/'];

// The pages themselves; the browser's tests bundle what is in them.
async function unbundled() {
	const dir = await mkdtemp(path.join(tmpdir(), 'praxis-pages-'));
	for (const page of ['dashboard', 'demo']) {
		await mkdir(path.join(dir, page));
		const text = await readFile(path.join(ROOT, page, 'index.html'), 'utf8');
		await writeFile(path.join(dir, page, 'index.html'), text);
		for (const [, file] of text.matchAll(/{{praxis-base}}([^"]+)/g)) {
			await writeFile(path.join(dir, page, file), '');
		}
	}
	return dir;
}

// A server of that configuration in a directory of its own.
const PROXIES = {
	nginx: {
		config: nginxConfig,
		command: (file) => ['/usr/sbin/nginx', ['-c', file]],
	},
	haproxy: {
		config: (text) => text,
		command: (file) => ['/usr/sbin/haproxy', ['-db', '-f', file]],
	},
};

for (const [name, proxy] of Object.entries(PROXIES)) {
	describe(`behind ${name}, under /realtime/`, () => {
		let pages;
		const praxis = usePraxisd(async () => ({
			env: { PRAXIS_DASHBOARD_DIR: path.join((pages = await unbundled()), 'dashboard') },
			figures: bearer(await token({ role: 'service', practices: ['*'] })),
			vhost: tokenVhost(
				{},
				{
					'trusted-proxies': '127.0.0.1',
					path: '/socket',
					mounts: [{ mountpoint: '/demo', origin: path.join(pages, 'demo') }],
				},
			),
			services: { admin: {} },
		}));
		let child;
		let dir;
		let port;

		before(async () => {
			dir = await mkdtemp(path.join(tmpdir(), `praxis-${name}-`));
			port = await freePort();
			const file = path.join(dir, 'config');
			await writeFile(file, proxy.config(await recipeOf(name, praxis.port, port), dir));
			child = spawn(...proxy.command(file), { stdio: ['ignore', 'ignore', 'pipe'] });
			let said = '';
			child.stderr.setEncoding('utf8').on('data', (text) => (said += text));
			await until(
				() => `${name}: ${said}`,
				async () => (await get(port, '/realtime/ready').catch(() => null))?.status === 200,
			);
		});
		after(async () => {
			const ended = new Promise((resolve) => child.once('close', resolve));
			child.kill('SIGTERM');
			await ended;
			await rm(dir, { recursive: true, force: true });
			await rm(pages, { recursive: true, force: true });
		});

		it('a client connects, and its address is known', async () => {
			const socket = new WebSocket(`ws://127.0.0.1:${port}/realtime/socket`, ['praxis.v1'], {
				headers: {
					...bearer(await token({ sub: 'ann', role: 'staff', practices: [1] })),
					Origin: `http://127.0.0.1:${port}`,
					'X-Forwarded-For': '203.0.113.7',
				},
			});
			const hello = await within(
				new Promise((resolve, reject) => {
					socket.once('message', (text) => resolve(JSON.parse(text)));
					socket.once('error', reject);
				}),
				'connection_established',
			);
			assert.equal(hello.type, 'connection_established');
			const { clients } = await api.get(praxis, { practices: [1] }, 'clients');
			assert.deepEqual(
				clients.map(({ address }) => address),
				['203.0.113.7'],
			);
			const closed = new Promise((resolve) => socket.once('close', resolve));
			socket.close(1000);
			await closed;
		});

		for (const where of PAGES) {
			it(`${where} is told where it is, and where the endpoint`, async () => {
				let at = `http://127.0.0.1:${port}/realtime${where}`;
				let page = await get(port, `/realtime${where}`);
				if (where === '/demo') {
					assert.equal(page.status, 301);
					at = new URL(page.headers.location, at).href;
					assert.equal(at, `http://127.0.0.1:${port}/realtime/demo/`);
					page = await get(port, '/realtime/demo/');
				}
				assert.equal(page.status, 200);
				assert.match(page.headers['content-security-policy'], /default-src 'self'/);
				const told = /praxis-endpoint" content="([^"]*)"/.exec(page.body)[1];
				assert.equal(new URL(told, at).pathname, '/realtime/socket');
				const files = [...page.body.matchAll(/(?:href|src)="([^"]*)"/g)].map(
					([, file]) => new URL(file, at),
				);
				assert.ok(files.length >= 3);
				for (const file of files) {
					assert.equal((await get(port, file.pathname)).status, 200, file.pathname);
				}
			});
		}

		itEnds(praxis);
	});
}

// For a host of its own: nginx with headers, HAProxy with the PROXY protocol.
const ROOTS = {
	nginx: {
		vhost: { 'trusted-proxies': '127.0.0.1' },
		given: '203.0.113.7',
		address: '127.0.0.2', // what nginx adds: a client's own header does not count
	},
	haproxy: {
		vhost: { 'trusted-proxies': '127.0.0.1', 'proxy-protocol': true },
		given: '203.0.113.7', // which anybody can write; the header is the proxy's
		address: '127.0.0.2',
	},
};

for (const [name, { vhost, given, address }] of Object.entries(ROOTS)) {
	describe(`behind ${name}, at the root`, () => {
		const proxy = PROXIES[name];
		// Figures are asked of a vhost of their own, which the proxy does not lead to.
		const praxis = new Praxisd();
		const HEARTBEAT_MS = 1000;
		let child;
		let dir;
		let port;
		let direct;

		before(async () => {
			await praxis.start({
				global: { 'heartbeat-ms': HEARTBEAT_MS },
				vhost: tokenVhost({}, vhost),
				files: {
					'conf.d/90-direct.json': {
						vhosts: [
							{ name: 'direct', port: 0, interface: '127.0.0.1', tenant: 'default' },
						],
					},
				},
			});
			[, direct] = await praxis.logged(/vhost direct: listening on 127\.0\.0\.1:(\d+)/);
			dir = await mkdtemp(path.join(tmpdir(), `praxis-${name}-`));
			port = await freePort();
			const file = path.join(dir, 'config');
			const recipe = await recipeOf(name, praxis.port, port, { root: true });
			await writeFile(file, proxy.config(recipe.replaceAll('75s', '3s'), dir));
			child = spawn(...proxy.command(file), { stdio: ['ignore', 'ignore', 'pipe'] });
			let said = '';
			child.stderr.setEncoding('utf8').on('data', (text) => (said += text));
			await until(
				() => `${name}: ${said}`,
				async () => (await get(port, '/ready').catch(() => null))?.status === 200,
			);
		});
		after(async () => {
			const ended = new Promise((resolve) => child.once('close', resolve));
			child.kill('SIGTERM');
			await ended;
			await rm(dir, { recursive: true, force: true });
			await praxis.kill();
		});

		it('a client connects, its address is known, and heartbeats keep it', async () => {
			const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, ['praxis.v1'], {
				localAddress: '127.0.0.2',
				headers: {
					...bearer(await token({ sub: 'ann', role: 'staff', practices: [1] })),
					Origin: `http://127.0.0.1:${port}`,
					'X-Forwarded-For': given,
				},
			});
			let pings = 0;
			socket.on('ping', () => pings++);
			let ended = null;
			socket.once('close', (code) => (ended = code));
			const hello = await within(
				new Promise((resolve, reject) => {
					socket.once('message', (text) => resolve(JSON.parse(text)));
					socket.once('error', reject);
				}),
				'connection_established',
			);
			assert.equal(hello.type, 'connection_established');
			// What is idle for three seconds is cut by this proxy.
			await until(
				() => `heartbeats: ${pings}; ended with ${ended}`,
				() => pings * HEARTBEAT_MS >= 4000 || ended !== null,
			);
			assert.equal(ended, null);
			const answer = await get(
				port,
				'/api/v1/clients',
				bearer(await token({ role: 'service' })),
			);
			const { clients } = JSON.parse(answer.body);
			assert.deepEqual(
				clients.map((each) => each.address),
				[address],
			);
			const closed = new Promise((resolve) => socket.once('close', resolve));
			socket.close(1000);
			await closed;
		});

		it('figures are refused by the proxy, and not by Praxis', async () => {
			for (const where of ['/metrics', '/stats']) {
				assert.equal((await get(port, where)).status, 403);
				assert.equal((await get(Number(direct), where)).status, 200);
			}
			assert.equal((await get(port, '/health')).status, 200);
		});

		it('and the server ends, with a clean log', () => praxis.stop());
	});
}

describe('each recipe', () => {
	it('keeps idle connections for more than two heartbeats', async () => {
		const page = await readFile(path.join(ROOT, 'docs/operations.md'), 'utf8');
		const reference = await readFile(path.join(ROOT, 'docs/configuration.md'), 'utf8');
		const heartbeatMs = Number(/^\| `heartbeat-ms` \|[^|]*\| `(\d+)`/m.exec(reference)[1]);
		const blocks = [...page.matchAll(/```(nginx|haproxy)\n([^]*?)```/g)];
		assert.equal(blocks.length, 4);
		for (const [, name, text] of blocks) {
			const times = [
				...text.matchAll(
					/(?:read_timeout|send_timeout|timeout (?:client|server|tunnel)) (\d+)s/g,
				),
			];
			assert.equal(times.length, name === 'nginx' ? 2 : 3);
			times.forEach(([line, seconds]) => assert.ok(seconds * 1000 > 2 * heartbeatMs, line));
		}
	});
});

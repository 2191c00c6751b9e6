// SPDX-License-Identifier: MIT
//
// The recipes of docs/operations.md for a proxy in front of Praxis, as they stand there, run by the real
// nginx and HAProxy: nothing is changed in them but the ports.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as api from './lib/api.mjs';
import { WebSocket } from './lib/client.mjs';
import { get } from './lib/http.mjs';
import { bearer, token, tokenVhost } from './lib/issuer.mjs';
import { itEnds, usePraxisd } from './lib/praxisd.mjs';
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
		await cp(path.join(ROOT, page, 'index.html'), path.join(dir, page, 'index.html'));
		for (const file of ['main.js', 'style.css', 'icon.svg']) {
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

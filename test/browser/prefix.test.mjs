// SPDX-License-Identifier: MIT
//
// Dashboard and demonstration under a prefix that nginx takes off, on a vhost with a path of its own: the pages
// find their files and the endpoint, and nothing is asked for elsewhere.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { get } from '../e2e/lib/http.mjs';
import { claimsOf, sign, tokenVhost } from '../e2e/lib/issuer.mjs';
import { Praxisd } from '../e2e/lib/praxisd.mjs';
import { freePort } from '../e2e/lib/ports.mjs';
import { nginxConfig, recipeOf } from '../e2e/lib/recipes.mjs';
import { until } from '../e2e/lib/wait.mjs';
import { Browser, buildDashboard, buildPages } from './lib/browser.mjs';

describe('behind nginx, under /realtime/', { timeout: 300_000 }, () => {
	const praxis = new Praxisd();
	let browser;
	let built;
	let pages;
	let nginx;
	let dir;
	let port;

	before(async () => {
		built = await buildDashboard();
		pages = await buildPages();
		await praxis.start({
			vhost: tokenVhost(
				{},
				{
					'trusted-proxies': '127.0.0.1',
					path: '/socket',
					mounts: [{ mountpoint: '/demo', origin: path.join(pages.directory, 'demo') }],
				},
			),
			services: { admin: {} },
		});
		dir = await mkdtemp(path.join(tmpdir(), 'praxis-nginx-'));
		port = await freePort();
		const file = path.join(dir, 'config');
		await writeFile(file, nginxConfig(await recipeOf('nginx', praxis.port, port), dir));
		nginx = spawn('/usr/sbin/nginx', ['-c', file], { stdio: 'ignore' });
		await until(
			'nginx',
			async () => (await get(port, '/realtime/ready').catch(() => null))?.status === 200,
		);
		browser = await Browser.launch();
	});
	afterEach(async () => assert.deepEqual(await browser.closePages(), []));
	after(async () => {
		await browser?.close();
		const ended = new Promise((resolve) => nginx.once('close', resolve));
		nginx.kill('SIGTERM');
		await ended;
		await praxis.kill();
		await pages?.remove();
		await built?.remove();
		await rm(dir, { recursive: true, force: true });
	});

	async function open(where, claims) {
		const page = await browser.page();
		const asked = [];
		page.on('request', (request) => asked.push(new URL(request.url()).pathname));
		page.on('websocket', (socket) => asked.push(new URL(socket.url()).pathname));
		await page.goto(
			`http://127.0.0.1:${port}/realtime${where}#token=${await sign(claimsOf(claims))}`,
		);
		await page.waitForSelector('#main:not([hidden])');
		await page.waitForSelector('#status[data-state=connected]');
		assert.deepEqual(
			asked.filter((name) => !name.startsWith('/realtime/')),
			[],
		);
		assert.ok(asked.includes('/realtime/socket'), asked.join(' '));
	}

	for (const where of ['/admin/websocket-admin', '/admin/websocket-admin/']) {
		it(`the dashboard at ${where}`, () =>
			open(where, { sub: 'root', role: 'admin', practices: ['*'] }));
	}
	for (const where of ['/demo', '/demo/']) {
		it(`the demonstration at ${where}`, () => open(where, { sub: 'ann' }));
	}
});
